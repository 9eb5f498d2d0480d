/* What files of builders share. */
#ifndef DAIN_GRAPH_BUILD_SHARED_H
#define DAIN_GRAPH_BUILD_SHARED_H

#include "graph/graph.h"

/* An operator with one new output tensor of its own name. An input that does not exist (< 0) comes from an error
 * that is known already. */
static inline Op *add_one(Graph *g, OpKind kind, const char *name, const int *in, int inputs, int h,
                          int w, int c)
{
    Op *op = NULL;
    for (int i = 0; i < inputs; i++)
        if (in[i] < 0)
            return NULL;
    if ((op = graph_add(g, kind, name, in, inputs))) {
        op->out[0] = graph_tensor(g, op->name, h, w, c);
        op->outputs = 1;
    }
    return g->error ? NULL : op;
}

static inline int result(const Op *op)
{
    return op ? op->out[0] : -1;
}

/* Shape of an input; zeros after an error. */
static inline Tensor shape(const Graph *g, int x)
{
    return !g->error && x >= 0 && x < g->tensor_count ? g->tensors[x] : (Tensor){ 0 };
}

static inline bool same_size(const Tensor *a, const Tensor *b)
{
    return a->w == b->w && a->h == b->h;
}

#endif
