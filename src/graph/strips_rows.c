/* Strips: which rows every operator of a segment makes in a step, and which rows its windows keep. */
#include "graph/strips.h"

#include "base/mem.h"
#include "graph/ops.h"
#include "graph/plan.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

int op_height(const Graph *g, const Op *op)
{
    return op->outputs ? g->tensors[op->out[0]].h : g->network->h;
}

Reach op_reach(const Graph *g, const Op *op, int input)
{
    const OpInfo *info = op_info(op->kind);
    return info->reach ? info->reach(g, op, input) : (Reach){ .mul = 1, .div = 1 };
}

/* ---- what goes between them ---- */

/* First channel in the root. */
static int root_channel(const Graph *g, int x)
{
    int channel = 0;
    for (; g->tensors[x].parent >= 0; x = g->tensors[x].parent)
        channel += g->tensors[x].channel;
    return channel;
}

static bool overlap(const Graph *g, int a, int b)
{
    if (plan_root(g, a) != plan_root(g, b))
        return false;
    const int at = root_channel(g, a), bt = root_channel(g, b);
    return at < bt + g->tensors[b].c && bt < at + g->tensors[a].c;
}

/* Adds what goes from one operator to another, or only counts it; returns how much. */
static int add_flow(const Graph *g, int from, int to, DataFlow *list)
{
    const Op *w = &g->ops[from], *r = &g->ops[to];
    int n = 0;
    for (int o = 0; o < w->outputs; o++)
        for (int k = 0; k < r->inputs; k++) {
            const Reach x = op_reach(g, r, k);
            if (r->in[k] < 0 || x.whole || !overlap(g, w->out[o], r->in[k]))
                continue;
            if (list)
                list[n] =
                    (DataFlow){ from, to, plan_root(g, r->in[k]), x.mul, x.div, x.before, x.after };
            n++;
        }
    return n;
}

/* `to` writes over what `from` reads: it waits until a row is not needed any more. */
static int add_wait(const Graph *g, int from, int to, DataFlow *list)
{
    const Op *reader = &g->ops[from], *writer = &g->ops[to];
    const int root = writer->outputs ? plan_root(g, writer->out[0]) : -1;
    if (!writer->settles || !reader->outputs)
        return 0;
    int before = -1;
    for (int k = 0; k < reader->inputs; k++)
        if (reader->in[k] >= 0 && plan_root(g, reader->in[k]) == root) {
            const Reach x = op_reach(g, reader, k);
            before = x.before > before ? x.before : before;
        }
    if (before < 0)
        return 0;
    if (list)
        *list = (DataFlow){ from, to, plan_root(g, reader->out[0]), 1, 1, -before, before };
    return 1;
}

static int list_flow(const Graph *g, const Segment *s, DataFlow *list)
{
    int n = 0;
    for (int from = s->last; from >= s->first; from--)
        for (int to = from + 1; to <= s->last; to++) {
            n += add_flow(g, from, to, list ? list + n : NULL);
            if (s != &g->whole) /* else they are done one after the other */
                n += add_wait(g, from, to, list ? list + n : NULL);
        }
    return n;
}

int strips_flow(Graph *g, Segment *s)
{
    s->flow = g->flow_count;
    s->flow_end = s->flow + list_flow(g, s, NULL);
    DataFlow *more = mem_calloc(s->flow_end + 1, sizeof *more);
    if (!more)
        return report_error(g->network->report, DAIN_ENOMEM, "out of memory for the memory plan");
    if (g->flow_count)
        memcpy(more, g->flow, g->flow_count * sizeof *more);
    mem_free(g->flow);
    g->flow = more;
    list_flow(g, s, g->flow + s->flow);
    g->flow_count = s->flow_end;
    return DAIN_OK;
}

/* ---- steps ---- */

static Tensor *output_root(const Graph *g, const Op *op, int k)
{
    return &g->tensors[plan_root(g, op->out[k])];
}

void strips_start(Graph *g, const Segment *s)
{
    for (int i = s->first; i <= s->last; i++) {
        Op *op = &g->ops[i];
        op->from = op->to = op->lo;
        for (int k = 0; k < op->outputs; k++) {
            Tensor *t = output_root(g, op, k);
            if (!t->banded)
                t->base = -t->halo;
            t->end = 0;
        }
    }
}

static int floor_div(int64_t a, int b)
{
    return (int)(a >= 0 ? a / b : -((b - 1 - a) / b));
}

int flow_first(const DataFlow *f, int y)
{
    return floor_div((int64_t)y * f->mul, f->div) - f->before;
}

int flow_end(const DataFlow *f, int y)
{
    return floor_div((int64_t)y * f->mul, f->div) + f->after + 1;
}

/* Results that stay go on by their share of the picture; everything else as far as others need. */
static void find_rows(Graph *g, const Segment *s, int step)
{
    int f = s->flow;
    for (int i = s->last; i >= s->first; i--) {
        Op *op = &g->ops[i];
        bool stays = op->outputs == 0;
        for (int k = 0; k < op->outputs; k++)
            stays |= !output_root(g, op, k)->window || output_root(g, op, k)->banded;
        const int64_t rows = op->hi - op->lo;
        int to = stays ? op->lo + (int)(rows * (step + 1) / s->steps) : 0;
        for (; f < s->flow_end && g->flow[f].from == i; f++) {
            const Op *reader = &g->ops[g->flow[f].to];
            const int end = reader->to > reader->from ? flow_end(&g->flow[f], reader->to - 1) : 0;
            to = end > to ? end : to;
        }
        op->from = op->to;
        op->to = to < op->from ? op->from : to < op->hi ? to : op->hi;
    }
}

static void keep_from(Tensor *t, int row)
{
    row = row > -t->halo ? row : -t->halo;
    if (row < t->base && !t->banded)
        t->base = row;
}

void strips_step(Graph *g, const Segment *s, int step)
{
    find_rows(g, s, step);
    for (int i = s->first; i <= s->last; i++)
        for (int k = 0; k < g->ops[i].outputs; k++)
            if (!output_root(g, &g->ops[i], k)->banded)
                output_root(g, &g->ops[i], k)->base = INT_MAX;
    for (int i = s->first; i <= s->last; i++) {
        const Op *op = &g->ops[i];
        for (int k = 0; k < op->outputs; k++) {
            Tensor *t = output_root(g, op, k);
            /* the halo above belongs to the first row */
            keep_from(t, op->from > 0 ? op->from : INT_MIN);
            t->end = op->to > t->end ? op->to : t->end;
        }
    }
    for (int f = s->flow; f < s->flow_end; f++)
        keep_from(&g->tensors[g->flow[f].tensor],
                  flow_first(&g->flow[f], g->ops[g->flow[f].to].from));
}

void strips_size(Graph *g, const Segment *s)
{
    strips_start(g, s);
    for (int step = 0; step < s->steps; step++) {
        strips_step(g, s, step);
        for (int i = s->first; i <= s->last; i++)
            for (int k = 0; k < g->ops[i].outputs; k++) {
                Tensor *t = output_root(g, &g->ops[i], k);
                const int rows = (t->end == t->h ? t->end + t->halo : t->end) - t->base;
                if (t->window && !t->banded && rows > t->window)
                    t->window = rows;
            }
    }
}
