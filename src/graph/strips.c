/* Strips: which operators run together. */
#include "graph/strips.h"

#include "base/mem.h"
#include "graph/bands.h"
#include "graph/ops.h"
#include "graph/plan.h"

#include <string.h>

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

/* Whether an operator reads a tensor at any place that operator i or a later one writes over. */
static bool reads_what_changes(const Graph *g, const Op *op, int i)
{
    for (int k = 0; k < op->inputs; k++) {
        if (op->in[k] < 0 || !op_reach(g, op, k).whole)
            continue;
        for (int later = i; later < g->op_count; later++)
            if (touches(g, &g->ops[later], plan_root(g, op->in[k]), true))
                return true;
    }
    return false;
}

/* Whether operator i may run in strips with operators first .. i-1. */
static bool joins(const Graph *g, int first, int i)
{
    const Op *op = &g->ops[i];
    if (!in_strips(g, op) || op->banded != g->ops[first].banded || i == g->tail)
        return false;
    for (int k = first; k < i; k++)
        if (reads_what_changes(g, &g->ops[k], i))
            return false;
    for (int k = 0; k < op->inputs; k++)
        if (op->in[k] >= 0 && op_reach(g, op, k).whole &&
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

static bool used_after(const Graph *g, const Segment *s, int root)
{
    for (int i = s->last + 1; i < g->op_count; i++)
        if (touches(g, &g->ops[i], root, true) || touches(g, &g->ops[i], root, false))
            return true;
    return false;
}

/* Operator i makes a new tensor, which another one copies to where the old one was, some rows behind. */
static int add_settling(Graph *g, int i)
{
    const int old = g->ops[i].out[0];
    const Tensor t = g->tensors[old];
    const int new = graph_tensor(g, t.name, t.h, t.w, t.c);
    const int copy = new < 0 ? -1 : plan_insert_copy(g, i + 1, new, t.type);
    if (copy < 0)
        return g->error;
    g->tensors[new].type = t.type;
    g->tensors[new].scale = t.scale;
    g->tensors[new].zero = t.zero;
    g->tail += i < g->tail;
    g->ops[i].out[0] = new;
    g->ops[i + 1].out[0] = old;
    g->ops[i + 1].settles = true;
    g->ops[i + 1].banded = g->ops[i].banded;
    return DAIN_OK;
}

/* Where operators go different distances, a result cannot take the place of an input at once: what is
 * used only here gets a place of its own, a few rows; the rest settles later. */
static int part_in_place(Graph *g, Segment *s)
{
    for (int i = s->first; i <= s->last; i++) {
        if (g->ops[i].settles || !overwrites(g, s->first, i))
            continue;
        Tensor *t = &g->tensors[g->ops[i].out[0]];
        const int root = plan_root(g, g->ops[i].out[0]);
        if (used_after(g, s, root)) {
            if (add_settling(g, i))
                return g->error;
            s->last++;
        } else {
            t->halo = g->tensors[root].halo;
            t->parent = -1;
        }
    }
    return DAIN_OK;
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

static int steps_of(const Graph *g, const Segment *s)
{
    int h = 1;
    for (int i = s->first; i <= s->last; i++)
        h = op_height(g, &g->ops[i]) > h ? op_height(g, &g->ops[i]) : h;
    /* the same share of the picture whatever the finest layer is */
    const int whole = g->network->padded_h;
    const int rows = g->network->strip_rows < whole ? g->network->strip_rows : whole;
    int steps = (whole + rows - 1) / rows;
    if (g->ops[s->first].banded)
        steps = (steps + g->bands - 1) / g->bands;
    return steps < h ? steps : h;
}

/* The segments of a graph and which tensors have windows. */
static int find_segments(Graph *g)
{
    g->segments = mem_calloc(g->op_count, sizeof *g->segments);
    if (!g->segments)
        return report_error(g->network->report, DAIN_ENOMEM, "out of memory for the memory plan");
    for (int i = 0; i < g->op_count; i++) {
        if (!in_strips(g, &g->ops[i]))
            continue;
        Segment s = { .first = i, .last = i };
        while (s.last + 1 < g->op_count && joins(g, i, s.last + 1))
            s.last++;
        const int error = part_in_place(g, &s);
        if (error)
            return error;
        i = s.last;
        if (!find_windows(g, &s))
            continue;
        s.steps = steps_of(g, &s);
        g->segments[g->segment_count++] = s;
    }
    return DAIN_OK;
}

int strips_plan(Network *n, Graph *g)
{
    bands_none(g);
    if (n->strip_rows <= 0 || n->keep_all || g->op_count == 0)
        return bands_plan(g);
    if (n->bands > 1 && g->rate == DAIN_RATE_TIME)
        bands_find(g, n->bands);
    int error = find_segments(g);
    if (!error)
        error = bands_plan(g);
    for (int i = 0; i < g->segment_count && !error; i++)
        error = strips_flow(g, &g->segments[i]);
    for (int band = 0; band < g->bands && !error; band++) {
        bands_start(g, band);
        for (int i = 0; i < g->segment_count; i++)
            strips_size(g, &g->segments[i]);
    }
    return error;
}
