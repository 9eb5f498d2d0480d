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

/* Zeroes the halo beside rows y0 .. y1-1, and above and below where these are the first or last. */
static void zero_halo(const View *v, int halo, int y0, int y1)
{
    const size_t side = (size_t)halo * v->px * sizeof(float);
    const size_t line = (size_t)(v->w + 2 * halo) * v->px * sizeof(float);
    for (int y = y0; y < y1; y++) {
        memset(view_at(v, y, -halo), 0, side);
        memset(view_at(v, y, v->w), 0, side);
    }
    for (int y = -halo; y < 0 && y0 == 0; y++)
        memset(view_at(v, y, -halo), 0, line);
    for (int y = v->h; y < v->h + halo && y1 == v->h; y++)
        memset(view_at(v, y, -halo), 0, line);
}

typedef struct Job {
    OpRun op;
    const OpInfo *info;
    View halo_view;
    int halo, rows, bands;
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
    if (j->halo)
        zero_halo(&j->halo_view, j->halo, y0, y1);
    j->info->rows(&j->op, y0, y1, scratch);
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
        if (op->in[i] >= 0)
            j->op.in[i] = graph_view(g, op->in[i], run);
    for (int i = 0; i < op->outputs; i++)
        j->op.out[i] = graph_view(g, op->out[i], run);
    if (op->zero_halo >= 0) {
        j->halo_view = graph_view(g, op->zero_halo, run);
        j->halo = g->tensors[op->zero_halo].halo;
    }
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
