/* Strips: which operators run together, and which rows each makes in a step. */
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

static Reach reach_of(const Graph *g, const Op *op, int input)
{
    const OpInfo *info = op_info(op->kind);
    return info->reach ? info->reach(g, op, input) : (Reach){ .mul = 1, .div = 1 };
}

static int floor_div(int64_t a, int b)
{
    return (int)(a >= 0 ? a / b : -((b - 1 - a) / b));
}

/* ---- which operators run together ---- */

static bool touches(const Graph *g, const Op *op, int root, bool outputs)
{
    const int n = outputs ? op->outputs : op->inputs;
    for (int k = 0; k < n; k++) {
        const int x = outputs ? op->out[k] : op->in[k];
        if (x >= 0 && plan_root(g, x) == root)
            return true;
    }
    return false;
}

static bool in_strips(const Graph *g, const Op *op)
{
    const OpInfo *info = op_info(op->kind);
    const Network *n = g->network;
    const bool fine = !op->outputs || op_height(g, op) >= n->padded_h / n->strip_level;
    return info->min_rows > 0 && !info->zero_output && fine;
}

static bool made_between(const Graph *g, int first, int end, int root)
{
    for (int i = first; i < end; i++)
        if (touches(g, &g->ops[i], root, true))
            return true;
    return false;
}

/* Whether operators first .. i-1 may still need what operator i overwrites: they are not all equally far. */
static bool overwrites(const Graph *g, int first, int i)
{
    const Op *op = &g->ops[i];
    if (!op->outputs || !g->tensors[op->out[0]].in_place)
        return false;
    const int root = plan_root(g, op->out[0]);
    for (int k = first; k < i; k++)
        if (touches(g, &g->ops[k], root, false))
            return true;
    return false;
}

/* Whether operator i may run in strips with operators first .. i-1. */
static bool joins(const Graph *g, int first, int i)
{
    const Op *op = &g->ops[i];
    if (!in_strips(g, op))
        return false;
    for (int k = 0; k < op->inputs; k++)
        if (op->in[k] >= 0 && reach_of(g, op, k).whole &&
            made_between(g, first, i, plan_root(g, op->in[k])))
            return false;
    return true;
}

/* A tensor that lives inside the segment only. */
static bool internal(const Graph *g, const Segment *s, int root)
{
    const Tensor *t = &g->tensors[root];
    if (t->scope != SCOPE_TEMP || t->exported >= 0 || t->replicate)
        return false;
    for (int i = 0; i < g->op_count; i++)
        if ((i < s->first || i > s->last) &&
            (touches(g, &g->ops[i], root, true) || touches(g, &g->ops[i], root, false)))
            return false;
    return made_between(g, s->first, s->last + 1, root);
}

/* Where operators go different distances, a result needs a place of its own. */
static void part_in_place(Graph *g, const Segment *s)
{
    for (int i = s->first; i <= s->last; i++) {
        if (!overwrites(g, s->first, i))
            continue;
        Tensor *t = &g->tensors[g->ops[i].out[0]];
        t->halo = g->tensors[plan_root(g, g->ops[i].out[0])].halo;
        t->parent = -1;
    }
}

static int find_windows(Graph *g, const Segment *s)
{
    int found = 0;
    for (int i = s->first; i <= s->last; i++)
        for (int k = 0; k < g->ops[i].outputs; k++) {
            const int root = plan_root(g, g->ops[i].out[k]);
            if (!internal(g, s, root))
                continue;
            g->tensors[root].window = 1;
            found++;
        }
    return found;
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

static void add_flow(Graph *g, int from, int to)
{
    const Op *w = &g->ops[from], *r = &g->ops[to];
    for (int o = 0; o < w->outputs; o++)
        for (int k = 0; k < r->inputs; k++) {
            const Reach reach = reach_of(g, r, k);
            if (r->in[k] < 0 || reach.whole || !overlap(g, w->out[o], r->in[k]))
                continue;
            g->flow[g->flow_count++] =
                (DataFlow){ from,         to,         plan_root(g, r->in[k]), reach.mul, reach.div,
                            reach.before, reach.after };
        }
}

/* With room for all pairs. */
static int find_flow(Graph *g, Segment *s)
{
    const int n = s->last - s->first + 1;
    DataFlow *more =
        mem_calloc(g->flow_count + n * n * OP_MAX_IN * OP_MAX_OUT / 2 + 1, sizeof *more);
    if (!more)
        return report_error(g->network->report, DAIN_ENOMEM, "out of memory for the memory plan");
    if (g->flow_count)
        memcpy(more, g->flow, g->flow_count * sizeof *more);
    mem_free(g->flow);
    g->flow = more;
    s->flow = g->flow_count;
    for (int from = s->last; from >= s->first; from--)
        for (int to = from + 1; to <= s->last; to++)
            add_flow(g, from, to);
    s->flow_end = g->flow_count;
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
        op->from = op->to = 0;
        for (int k = 0; k < op->outputs; k++) {
            Tensor *t = output_root(g, op, k);
            t->base = -t->halo;
            t->end = 0;
        }
    }
}

/* First row that is read for row y; one beyond the last. */
static int row_first(const DataFlow *f, int y)
{
    return floor_div((int64_t)y * f->mul, f->div) - f->before;
}

static int row_end(const DataFlow *f, int y)
{
    return floor_div((int64_t)y * f->mul, f->div) + f->after + 1;
}

/* Results that stay go on by their share of the picture; everything else as far as others need. */
static void find_rows(Graph *g, const Segment *s, int step)
{
    int f = s->flow;
    for (int i = s->last; i >= s->first; i--) {
        Op *op = &g->ops[i];
        const int h = op_height(g, op);
        bool stays = op->outputs == 0;
        for (int k = 0; k < op->outputs; k++)
            stays |= !output_root(g, op, k)->window;
        int to = stays ? (int)((int64_t)h * (step + 1) / s->steps) : 0;
        for (; f < s->flow_end && g->flow[f].from == i; f++) {
            const Op *reader = &g->ops[g->flow[f].to];
            const int end = reader->to > reader->from ? row_end(&g->flow[f], reader->to - 1) : 0;
            to = end > to ? end : to;
        }
        op->from = op->to;
        op->to = to < op->from ? op->from : to < h ? to : h;
    }
}

static void keep_from(Tensor *t, int row)
{
    row = row > -t->halo ? row : -t->halo;
    if (row < t->base)
        t->base = row;
}

void strips_step(Graph *g, const Segment *s, int step)
{
    find_rows(g, s, step);
    for (int i = s->first; i <= s->last; i++)
        for (int k = 0; k < g->ops[i].outputs; k++)
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
                  row_first(&g->flow[f], g->ops[g->flow[f].to].from));
}

/* Rows of every window: the most that a step has. */
static void size_windows(Graph *g, const Segment *s)
{
    strips_start(g, s);
    for (int step = 0; step < s->steps; step++) {
        strips_step(g, s, step);
        for (int i = s->first; i <= s->last; i++)
            for (int k = 0; k < g->ops[i].outputs; k++) {
                Tensor *t = output_root(g, &g->ops[i], k);
                const int rows = (t->end == t->h ? t->end + t->halo : t->end) - t->base;
                if (t->window && rows > t->window)
                    t->window = rows;
            }
    }
}

static int steps_of(const Graph *g, const Segment *s)
{
    int h = 1;
    for (int i = s->first; i <= s->last; i++)
        h = op_height(g, &g->ops[i]) > h ? op_height(g, &g->ops[i]) : h;
    /* the same share of the picture whatever the finest layer is */
    const int most = (g->network->padded_h + g->network->strip_rows - 1) / g->network->strip_rows;
    return most < h ? most : h;
}

int strips_plan(Network *n, Graph *g)
{
    if (n->strip_rows <= 0 || n->keep_all || g->op_count == 0)
        return DAIN_OK;
    g->segments = mem_calloc(g->op_count, sizeof *g->segments);
    if (!g->segments)
        return report_error(n->report, DAIN_ENOMEM, "out of memory for the memory plan");
    for (int i = 0; i < g->op_count; i++) {
        if (!in_strips(g, &g->ops[i]))
            continue;
        Segment s = { .first = i, .last = i };
        while (s.last + 1 < g->op_count && joins(g, i, s.last + 1))
            s.last++;
        i = s.last;
        part_in_place(g, &s);
        if (!find_windows(g, &s))
            continue;
        s.steps = steps_of(g, &s);
        const int error = find_flow(g, &s);
        if (error)
            return error;
        size_windows(g, &s);
        g->segments[g->segment_count++] = s;
    }
    return DAIN_OK;
}
