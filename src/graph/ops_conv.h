/* The convolution as an operator: what its row of the table (ops.c) points at. */
#ifndef DAIN_GRAPH_OPS_CONV_H
#define DAIN_GRAPH_OPS_CONV_H

#include "graph/ops.h"

void op_conv_rows(const OpRun *r, int y0, int y1, float *scratch);
int op_conv_halo(const Op *op, int i);
Reach op_conv_reach(const Graph *g, const Op *op, int i);
size_t op_conv_scratch(const Graph *g, const Op *op);
double op_conv_macs(const Graph *g, const Op *op);

#endif
