/* Running a planned graph: a flat list of operators, each in bands of rows on the thread pool. */
#include "graph/graph.h"

#include "graph/bands.h"
#include "graph/ops.h"
#include "graph/plan.h"
#include "graph/strips.h"

#include <string.h>
#include <time.h>

static int element_bytes(DataType type)
{
    return type == TYPE_U8 ? 1 : type == TYPE_BF16 ? 2 : 4;
}

/* Pixel (0,0): where it is, or would be if its row were in the window. */
static unsigned char *tensor_data(const Graph *g, int tensor, const Run *run)
{
    const Tensor *t = &g->tensors[tensor], *root = &g->tensors[plan_root(g, tensor)];
    unsigned char *data = run->base[t->scope] + t->offset;
    return root->window ? data - root->base * t->row * element_bytes(t->type) : data;
}

View graph_view(const Graph *g, int tensor, const Run *run)
{
    const Tensor *t = &g->tensors[tensor];
    return (View){ (float *)(void *)tensor_data(g, tensor, run), t->row, t->px, t->w, t->h, t->c };
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
    const int bytes = element_bytes(t->type);
    return (Halo){ .data = tensor_data(g, tensor, run),
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
    int from, rows, bands;
} Job;

/* The first row of a band: even, counted from the first of all, where bands are large enough, since
 * some kernels make two rows at once. */
static int band_start(const Job *j, int band)
{
    const int row = (int)((int64_t)j->rows * band / j->bands);
    return j->from + (j->rows >= 4 * j->bands && row < j->rows ? row & ~1 : row);
}

static void run_band(void *arg, int band, int worker)
{
    const Job *j = arg;
    const int y0 = band_start(j, band), y1 = band_start(j, band + 1);
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

/* For rows from .. to-1 of an operator. */
static void prepare(Job *j, const Graph *g, const Op *op, const Run *run, int from, int to,
                    bool strip)
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
    j->from = from;
    j->rows = to - from;
    /* a few bands a thread, so that one delayed thread does not keep the others waiting */
    const int threads = pool_threads(run->pool), wanted = threads > 1 ? 4 * threads : 1;
    int most = j->info->min_rows ? j->rows / j->info->min_rows : 1;
    /* of a strip, every thread takes a part */
    if (strip && most < threads)
        most = threads < j->rows ? threads : j->rows;
    j->bands = most < 1 ? 1 : most < wanted ? most : wanted;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs rows of operators and keeps the time. */
typedef struct Execution {
    Graph *g;
    const Run *run;
    double clock; /* end of the operator before */
} Execution;

static int run_rows(Execution *e, Op *op, int from, int to, bool strip)
{
    if (e->run->cancel && atomic_load_explicit(e->run->cancel, memory_order_relaxed))
        return DAIN_ECANCELED;
    Job job;
    prepare(&job, e->g, op, e->run, from, to, strip);
    pool_run(e->run->pool, run_band, &job, job.bands);
    const double end = now();
    op->seconds += end - e->clock;
    e->clock = end;
    return DAIN_OK;
}

/* Moves the rows that a window keeps to its beginning. had: the row that was there. */
static void slide(const Graph *g, int root, const Run *run, int had, int end)
{
    const Tensor *t = &g->tensors[root];
    const size_t row = t->row * element_bytes(t->type);
    unsigned char *first = run->base[t->scope] + t->offset - t->left;
    if (t->base > had && end > t->base)
        memmove(first, first + (t->base - had) * row, (end - t->base) * row + t->left);
}

/* The next step of a segment: where its rows are, and what windows keep. */
static void next_step(Execution *e, const Segment *s, int step)
{
    Graph *g = e->g;
    Tensor *t = g->tensors;
    for (int i = 0; i < g->tensor_count; i++)
        if (t[i].window && !t[i].banded) {
            t[i].had = t[i].base;
            t[i].had_end = t[i].end == t[i].h ? t[i].h + t[i].halo : t[i].end;
        }
    strips_step(g, s, step);
    for (int i = s->first; i <= s->last; i++)
        for (int k = 0; k < g->ops[i].outputs; k++) {
            const int root = plan_root(g, g->ops[i].out[k]);
            if (!t[root].window || t[root].banded)
                continue;
            slide(g, root, e->run, t[root].had, t[root].had_end);
            t[root].had = t[root].base; /* it may be the output of others too */
        }
}

static int run_segment(Execution *e, const Segment *s)
{
    Graph *g = e->g;
    int error = DAIN_OK;
    strips_start(g, s);
    for (int step = 0; step < s->steps && !error; step++) {
        next_step(e, s, step);
        for (int i = s->first; i <= s->last && !error; i++)
            if (g->ops[i].to > g->ops[i].from)
                error = run_rows(e, &g->ops[i], g->ops[i].from, g->ops[i].to, true);
    }
    return error;
}

/* Operators first .. end-1, which no segment crosses. */
static int run_ops(Execution *e, int first, int end)
{
    Graph *g = e->g;
    const Segment *s = g->segments, *const last = g->segment_count ? s + g->segment_count : s;
    while (s < last && s->first < first)
        s++;
    for (int i = first; i < end; i++) {
        const Op *op = &g->ops[i];
        const bool strips = s < last && s->first == i;
        const int error =
            strips ? run_segment(e, s) : run_rows(e, &g->ops[i], op->lo, op->hi, false);
        if (error)
            return error;
        if (strips)
            i = (s++)->last;
    }
    return DAIN_OK;
}

int network_run(Network *network, DainRate rate, const Run *run)
{
    Execution e = { .g = &network->graph[rate], .run = run, .clock = now() };
    Graph *g = e.g;
    int error = run_ops(&e, 0, g->tail);
    for (int band = 0; band < g->bands && !error; band++) {
        bands_start(g, band);
        error = run_ops(&e, g->tail, g->op_count);
    }
    for (int i = 0; i < g->op_count; i++)
        g->ops[i].runs += !error;
    return error;
}

int network_reload(Network *network, const Run *run)
{
    Execution e = { .g = &network->graph[DAIN_RATE_FRAME], .run = run, .clock = now() };
    int error = DAIN_OK;
    for (int i = 0; i < e.g->op_count && !error; i++) {
        Op *const op = &e.g->ops[i];
        if (op->kind == OP_LOAD || op->kind == OP_PAD_LOAD)
            error = run_rows(&e, op, 0, e.g->tensors[op->out[0]].h, false);
    }
    return error;
}
