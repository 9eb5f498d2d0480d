/*
 * Strips: a run of operators goes through the picture some rows at a time, every operator just as far as
 * the next ones need it, so that tensors used only among them keep a window of rows instead of all.
 *
 * Nothing is computed twice and no operator knows of it: kernels give the same bits however rows are cut
 * into calls, so results are those of whole tensors. What an operator reads at places that depend on the
 * data (the source of a warp) stays whole.
 */
#ifndef DAIN_GRAPH_STRIPS_H
#define DAIN_GRAPH_STRIPS_H

#include "graph/graph.h"

/* Picks the segments of a graph and the windows of their tensors, by Network.strip_rows. After slices and
 * halos are known. Errors: DAIN_ENOMEM. */
int strips_plan(Network *network, Graph *g);

/* Before the first step of a segment. */
void strips_start(Graph *g, const Segment *s);
/* Rows of each operator (Op.from, to) and of each window (Tensor.base, end) in the next step, which is
 * number `step`; operators before it have their rows of the step before. */
void strips_step(Graph *g, const Segment *s, int step);

/* Rows of the first output, or of the picture. */
int op_height(const Graph *g, const Op *op);

#endif
