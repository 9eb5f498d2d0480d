/* Between the passes of the planner. */
#ifndef DAIN_GRAPH_PLAN_H
#define DAIN_GRAPH_PLAN_H

#include "graph/graph.h"

/* The tensor whose memory x is a part of. */
int plan_root(const Graph *g, int x);
/* Puts a copy of x in the given type before operator `at`; returns the copy, -1 without memory. */
int plan_insert_copy(Graph *g, int at, int x, DataType type);

/* precision.c: types of all tensors, conversions where types do not meet (before slices are picked). */
int precision_types(Network *network);
/* precision.c: scales and zero points of u8 tensors; prepares the convolutions (after slices are). */
int precision_scales(Network *network, Params *params);

#endif
