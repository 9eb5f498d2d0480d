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

#include "graph/ops.h"

/* Picks the segments and bands of a graph and the windows of their tensors, by Network.strip_rows and
 * bands. After slices and halos are known. Errors: DAIN_ENOMEM. */
int strips_plan(Network *network, Graph *g);

/* Before the first step of a segment. */
void strips_start(Graph *g, const Segment *s);
/* Rows of each operator (Op.from, to) and of each window (Tensor.base, end) in the next step, which is
 * number `step`. */
void strips_step(Graph *g, const Segment *s, int step);

/* ---- for the planner ---- */

/* Lists what goes between the operators of a segment. Errors: DAIN_ENOMEM. */
int strips_flow(Graph *g, Segment *s);
/* Rows of every window: the most that a step has. */
void strips_size(Graph *g, const Segment *s);
/* Rows that go between two operators for row y of the reader: the first, one beyond the last. */
int flow_first(const DataFlow *f, int y);
int flow_end(const DataFlow *f, int y);
Reach op_reach(const Graph *g, const Op *op, int input);
/* Rows of the first output, or of the picture. */
int op_height(const Graph *g, const Op *op);

#endif
