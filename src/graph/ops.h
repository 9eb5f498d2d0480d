/* The table of operators: what each reads, costs and does with a band of rows. */
#ifndef DAIN_GRAPH_OPS_H
#define DAIN_GRAPH_OPS_H

#include "graph/graph.h"

/* An operator about to run: its tensors as memory. */
typedef struct OpRun {
    const Graph *graph;
    const Op *op;
    const Run *run;
    View in[OP_MAX_IN], out[OP_MAX_OUT]; /* data = NULL where there is no tensor */
    float t, one_minus_t;
} OpRun;

typedef struct OpInfo {
    const char *name;
    /* Rows y0 .. y1-1 of the first output (of the picture where there is none). scratch is the worker's
     * own, of the size that .scratch asked for. */
    void (*rows)(const OpRun *r, int y0, int y1, float *scratch);
    int min_rows; /* bands below this cost more than they gain; 0 = never split */
    /* Halo that input i needs; NULL = none. */
    int (*halo)(const Op *op, int i);
    /* Floats of scratch; NULL = none. */
    size_t (*scratch)(const Graph *g, const Op *op);
    /* Multiply-adds as the published tables count them (convolutions and correlations); NULL = 0. */
    double (*macs)(const Graph *g, const Op *op);
    bool zero_output; /* the output is zeroed, halo included, before it runs */
} OpInfo;

const OpInfo *op_info(OpKind kind);

#endif
