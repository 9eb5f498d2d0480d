/* Bands: which operators make only some rows, and which. */
#include "graph/bands.h"

#include "graph/ops.h"
#include "graph/plan.h"
#include "graph/strips.h"

#include <limits.h>

void bands_none(Graph *g)
{
    g->bands = 1;
    g->tail = g->op_count;
}

static bool by_rows(const Op *op)
{
    return op_info(op->kind)->min_rows > 0 && !op_info(op->kind)->zero_output;
}

/* Whether all that is made of a tensor after operator i is made by rows of the band. */
static bool read_by_rows(const Graph *g, int i, int x)
{
    const int root = plan_root(g, x);
    if (g->tensors[root].scope != SCOPE_TEMP || g->tensors[root].exported >= 0)
        return false;
    for (int later = i + 1; later < g->op_count; later++) {
        const Op *op = &g->ops[later];
        for (int k = 0; k < op->inputs; k++)
            if (op->in[k] >= 0 && plan_root(g, op->in[k]) == root &&
                (!op->banded || op_reach(g, op, k).whole))
                return false;
    }
    return true;
}

void bands_find(Graph *g, int bands)
{
    int tail = g->op_count;
    while (tail > 0 && (by_rows(&g->ops[tail - 1]) || g->ops[tail - 1].kind == OP_CONCAT))
        tail--;
    bool any = false;
    for (int i = g->op_count - 1; i >= tail; i--) {
        Op *op = &g->ops[i];
        op->banded = by_rows(op);
        for (int k = 0; k < op->outputs; k++)
            op->banded = op->banded && read_by_rows(g, i, op->out[k]);
        any |= op->banded;
    }
    if (!any)
        return;
    g->bands = bands < g->network->h ? bands : g->network->h;
    g->tail = tail;
}

/* The rows of the band: those of the picture, and of everything else what they need. */
static void find_rows(Graph *g, int band)
{
    int f = g->whole.flow;
    for (int i = g->op_count - 1; i >= g->tail; i--) {
        Op *op = &g->ops[i];
        const int h = op_height(g, op);
        const bool last = op->outputs == 0;
        op->lo = last ? (int)((int64_t)h * band / g->bands) : h;
        op->hi = last ? (int)((int64_t)h * (band + 1) / g->bands) : 0;
        for (; f < g->whole.flow_end && g->flow[f].from == i; f++) {
            const Op *reader = &g->ops[g->flow[f].to];
            if (reader->hi <= reader->lo)
                continue;
            const int first = flow_first(&g->flow[f], reader->lo);
            const int end = flow_end(&g->flow[f], reader->hi - 1);
            op->lo = first < op->lo ? first : op->lo;
            op->hi = end > op->hi ? end : op->hi;
        }
        op->lo = op->banded && op->lo > 0 ? op->lo : 0;
        op->hi = op->banded && op->hi < h ? op->hi : h;
    }
}

static void find_windows(Graph *g)
{
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].banded) {
            g->tensors[i].base = INT_MAX;
            g->tensors[i].end = 0;
        }
    for (int i = g->tail; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i].outputs; k++) {
            const Op *op = &g->ops[i];
            Tensor *t = &g->tensors[plan_root(g, op->out[k])];
            if (!t->banded)
                continue;
            const int first = op->lo > 0 ? op->lo : -t->halo;
            t->base = first < t->base ? first : t->base;
            t->end = op->hi > t->end ? op->hi : t->end;
        }
}

void bands_start(Graph *g, int band)
{
    if (g->bands <= 1)
        return;
    find_rows(g, band);
    find_windows(g);
}

/* A tensor that only operators of bands touch. */
static bool of_band(const Graph *g, int root)
{
    const Tensor *t = &g->tensors[root];
    bool used = false;
    if (t->parent >= 0 || t->window || t->scope != SCOPE_TEMP || t->exported >= 0 || t->replicate)
        return false;
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = &g->ops[i];
        for (int k = 0; k < op->inputs + op->outputs; k++) {
            const int x = k < op->inputs ? op->in[k] : op->out[k - op->inputs];
            if (x < 0 || plan_root(g, x) != root)
                continue;
            if (!op->banded)
                return false;
            used = true;
        }
    }
    return used;
}

int bands_plan(Graph *g)
{
    for (int i = 0; i < g->op_count; i++) {
        g->ops[i].lo = 0;
        g->ops[i].hi = op_height(g, &g->ops[i]);
    }
    if (g->bands == 1)
        return DAIN_OK;
    g->whole = (Segment){ .first = g->tail, .last = g->op_count - 1 };
    const int error = strips_flow(g, &g->whole);
    if (error)
        return error;
    for (int i = 0; i < g->tensor_count; i++)
        if (of_band(g, i))
            g->tensors[i].window = g->tensors[i].banded = true;
    for (int band = 0; band < g->bands; band++) {
        bands_start(g, band);
        for (int i = 0; i < g->tensor_count; i++) {
            Tensor *t = &g->tensors[i];
            const int rows = (t->end == t->h ? t->end + t->halo : t->end) - t->base;
            if (t->banded && rows > t->window)
                t->window = rows;
        }
    }
    return DAIN_OK;
}
