/* Running a planned graph: a flat list of operators, each in bands of rows on the thread pool. */
#include "graph/graph.h"

#include "graph/ops.h"

#include <string.h>
#include <time.h>

View graph_view(const Graph *g, int tensor, const Run *run)
{
    const Tensor *t = &g->tensors[tensor];
    return (View){
        (float *)(void *)(run->base[t->scope] + t->offset), t->row, t->px, t->w, t->h, t->c
    };
}

/* What a halo holds: zeros, or the zero point of each channel. */
typedef struct Halo {
    unsigned char *data;  /* pixel (0,0) */
    ptrdiff_t row, px;    /* bytes */
    const uint8_t *zeros; /* one pixel, NULL = zeros */
    int w, h, width;      /* width: pixels of halo on each side, 0 = nothing to do */
    int pad_at, pad;      /* bytes of each pixel that belong to no channel but are read */
} Halo;

static void fill_halo(const Halo *t, int y, int x, int pixels)
{
    unsigned char *p = t->data + y * t->row + x * t->px;
    if (!t->zeros) {
        memset(p, 0, (size_t)pixels * t->px);
        return;
    }
    for (int i = 0; i < pixels; i++, p += t->px)
        memcpy(p, t->zeros, t->px);
}

/* The halo beside rows y0 .. y1-1, and above and below where these are the first or last. */
static void fill_halos(const Halo *t, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        fill_halo(t, y, -t->width, t->width);
        fill_halo(t, y, t->w, t->width);
        for (int x = 0; t->pad && x < t->w; x++)
            memset(t->data + y * t->row + x * t->px + t->pad_at, 0, t->pad);
    }
    for (int y = -t->width; y < 0 && y0 == 0; y++)
        fill_halo(t, y, -t->width, t->w + 2 * t->width);
    for (int y = t->h; y < t->h + t->width && y1 == t->h; y++)
        fill_halo(t, y, -t->width, t->w + 2 * t->width);
}

static Halo halo_of(const Graph *g, int tensor, const Run *run)
{
    const Tensor *t = &g->tensors[tensor];
    const int bytes = t->type == TYPE_U8 ? 1 : t->type == TYPE_BF16 ? 2 : 4;
    return (Halo){ .data = run->base[t->scope] + t->offset,
                   .row = t->row * bytes,
                   .px = t->px * bytes,
                   .zeros = t->zeros ? g->zeros + t->zeros - 1 : NULL,
                   .w = t->w,
                   .h = t->h,
                   .width = t->halo,
                   .pad_at = t->c * bytes,
                   .pad = t->type == TYPE_BF16 ? (int)(t->px - t->c) * bytes : 0 };
}

typedef struct Job {
    OpRun op;
    const OpInfo *info;
    Halo halo;
    int rows, bands;
} Job;

static void run_band(void *arg, int band, int worker)
{
    const Job *j = arg;
    const int y0 = (int)((int64_t)j->rows * band / j->bands);
    const int y1 = (int)((int64_t)j->rows * (band + 1) / j->bands);
    float *scratch = j->op.run->scratch + worker * j->op.graph->network->scratch_floats;
    if (j->info->zero_output) {
        for (int y = y0; y < y1; y++)
            memset(view_at(&j->op.out[0], y, 0), 0,
                   (size_t)j->op.out[0].w * j->op.out[0].px * sizeof(float));
    }
    if (j->halo.data)
        fill_halos(&j->halo, y0, y1);
    op_rows(&j->op, y0, y1, scratch);
}

static void prepare(Job *j, const Graph *g, const Op *op, const Run *run)
{
    *j = (Job){ .op = { .graph = g,
                        .op = op,
                        .run = run,
                        .t = (float)((double)run->num / (double)run->den),
                        .one_minus_t = (float)((double)(run->den - run->num) / (double)run->den) },
                .info = op_info(op->kind) };
    for (int i = 0; i < op->inputs; i++)
        if (op->in[i] >= 0) {
            j->op.in[i] = graph_view(g, op->in[i], run);
            j->op.in_type[i] = g->tensors[op->in[i]].type;
        }
    for (int i = 0; i < op->outputs; i++) {
        j->op.out[i] = graph_view(g, op->out[i], run);
        j->op.out_type = g->tensors[op->out[i]].type;
    }
    if (op->zero_halo >= 0)
        j->halo = halo_of(g, op->zero_halo, run);
    j->rows = op->outputs ? j->op.out[0].h : g->network->h;
    /* a few bands a thread, so that one delayed thread does not keep the others waiting */
    const int threads = pool_threads(run->pool), wanted = threads > 1 ? 4 * threads : 1;
    const int most = j->info->min_rows ? j->rows / j->info->min_rows : 1;
    j->bands = most < 1 ? 1 : most < wanted ? most : wanted;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int network_run(Network *network, DainRate rate, const Run *run)
{
    Graph *g = &network->graph[rate];
    double start = now();
    for (int i = 0; i < g->op_count; i++) {
        if (run->cancel && atomic_load_explicit(run->cancel, memory_order_relaxed))
            return DAIN_ECANCELED;
        Op *op = &g->ops[i];
        Job job;
        prepare(&job, g, op, run);
        pool_run(run->pool, run_band, &job, job.bands);
        const double end = now();
        op->seconds += end - start;
        op->runs++;
        start = end;
    }
    return DAIN_OK;
}
