/* The table of operators: what each reads, costs and does with a band of rows. */
#ifndef DAIN_GRAPH_OPS_H
#define DAIN_GRAPH_OPS_H

#include "graph/graph.h"

/* An operator about to run: its tensors as memory. */
typedef struct OpRun {
    const Graph *graph;
    const Op *op;
    const Run *run;
    /* data = NULL where there is no tensor; data and strides are those of the type beside it, see
     * view8() and view16() */
    View in[OP_MAX_IN], out[OP_MAX_OUT];
    DataType in_type[OP_MAX_IN], out_type;
    float t, one_minus_t;
} OpRun;

/* Which rows of an input an operator reads for rows y0 .. y1-1 of its output: from
 * floor(y0 * mul / div) - before to floor((y1 - 1) * mul / div) + after. */
typedef struct Reach {
    bool whole; /* any row: it depends on the data */
    int mul, div, before, after;
} Reach;

typedef struct OpInfo {
    const char *name;
    /* Rows y0 .. y1-1 of the first output (of the picture where there is none). scratch is the worker's
     * own, of the size that .scratch asked for. */
    void (*rows)(const OpRun *r, int y0, int y1, float *scratch);
    int min_rows; /* bands below this cost more than they gain; 0 = never split */
    /* Halo that input i needs; NULL = none. */
    int (*halo)(const Op *op, int i);
    /* Rows of input i that it reads; NULL = those of the output. */
    Reach (*reach)(const Graph *g, const Op *op, int i);
    /* Floats of scratch; NULL = none. */
    size_t (*scratch)(const Graph *g, const Op *op);
    /* Multiply-adds as the published tables count them (convolutions and correlations); NULL = 0. */
    double (*macs)(const Graph *g, const Op *op);
    bool zero_output; /* the output is zeroed, halo included, before it runs */
} OpInfo;

const OpInfo *op_info(OpKind kind);

static inline View8 view8(View v)
{
    return (View8){ (uint8_t *)v.data, v.row, v.px, v.w, v.h, v.c };
}

static inline View16 view16(View v)
{
    return (View16){ (uint16_t *)v.data, v.row, v.px, v.w, v.h, v.c };
}

/* Runs rows y0 .. y1-1 of an operator; where its kernel has no version for the types at hand, rows go
 * through floats in scratch memory. */
void op_rows(const OpRun *r, int y0, int y1, float *scratch);
/* Floats of scratch that op_rows() needs. */
size_t op_scratch(const Graph *g, const Op *op);

#endif
