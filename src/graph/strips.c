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

/* First row that an input must have for row y of the output; one beyond the last. */
static int row_first(const Reach *r, int y)
{
    return floor_div((int64_t)y * r->mul, r->div) - r->before;
}

static int row_end(const Reach *r, int y)
{
    return floor_div((int64_t)y * r->mul, r->div) + r->after + 1;
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

/* ---- steps ---- */

void strips_start(Graph *g, const Segment *s)
{
    for (int i = s->first; i <= s->last; i++) {
        Op *op = &g->ops[i];
        op->from = op->to = 0;
        for (int k = 0; k < op->outputs; k++) {
            Tensor *t = &g->tensors[plan_root(g, op->out[k])];
            t->end = 0;
            t->base = t->window ? -t->halo : 0;
        }
    }
}

/* How far an operator goes: as far as those after it need, and if its result stays, its share. */
static int find_end(const Graph *g, const Segment *s, const Op *op, int step)
{
    const int h = op_height(g, op);
    bool stays = op->outputs == 0;
    int to = op->to;
    for (int k = 0; k < op->outputs; k++) {
        const Tensor *t = &g->tensors[plan_root(g, op->out[k])];
        stays |= !t->window;
        to = t->end > to ? t->end : to;
    }
    const int share = (int)((int64_t)h * (step + 1) / s->steps);
    if (stays && share > to)
        to = share;
    return to < h ? to : h;
}

static void need_inputs(Graph *g, const Op *op)
{
    for (int k = 0; k < op->inputs; k++) {
        if (op->in[k] < 0)
            continue;
        const Reach r = reach_of(g, op, k);
        if (r.whole)
            continue;
        Tensor *t = &g->tensors[plan_root(g, op->in[k])];
        int end = row_end(&r, op->to - 1);
        end = end < t->h ? end : t->h;
        t->end = end > t->end ? end : t->end;
    }
}

static void keep_from(Graph *g, int x, int row)
{
    Tensor *t = &g->tensors[plan_root(g, x)];
    row = row > -t->halo ? row : -t->halo;
    if (t->window && row < t->base)
        t->base = row;
}

void strips_step(Graph *g, const Segment *s, int step)
{
    for (int i = s->last; i >= s->first; i--) {
        Op *op = &g->ops[i];
        op->from = op->to;
        op->to = find_end(g, s, op, step);
        if (op->to > op->from)
            need_inputs(g, op);
    }
    for (int i = s->first; i <= s->last; i++)
        for (int k = 0; k < g->ops[i].outputs; k++) {
            Tensor *t = &g->tensors[plan_root(g, g->ops[i].out[k])];
            t->base = t->end;
        }
    for (int i = s->first; i <= s->last; i++) {
        const Op *op = &g->ops[i];
        for (int k = 0; k < op->outputs; k++)
            keep_from(g, op->out[k], op->from > 0 ? op->from : INT_MIN);
        for (int k = 0; k < op->inputs; k++) {
            const Reach r = op->in[k] >= 0 ? reach_of(g, op, k) : (Reach){ .whole = true };
            if (!r.whole)
                keep_from(g, op->in[k], row_first(&r, op->from));
        }
    }
}

/* Rows of every window: the most that a step has. */
static void size_windows(Graph *g, const Segment *s)
{
    strips_start(g, s);
    for (int step = 0; step < s->steps; step++) {
        strips_step(g, s, step);
        for (int i = s->first; i <= s->last; i++)
            for (int k = 0; k < g->ops[i].outputs; k++) {
                Tensor *t = &g->tensors[plan_root(g, g->ops[i].out[k])];
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
        size_windows(g, &s);
        g->segments[g->segment_count++] = s;
    }
    return DAIN_OK;
}
