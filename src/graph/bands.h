/*
 * Bands: the end of the graph of times runs several times, each time for a part of the picture.
 *
 * An operator whose result is read row by row up to the picture makes only the rows of the band; its
 * tensors hold no more. The others (what a warp reads at any place) run again for every band: that is
 * what the memory costs. Results are the same bits.
 */
#ifndef DAIN_GRAPH_BANDS_H
#define DAIN_GRAPH_BANDS_H

#include "graph/graph.h"

/* One band: all rows. */
void bands_none(Graph *g);
/* Which operators make only rows of a band. Before segments are picked. */
void bands_find(Graph *g, int bands);
/* Rows of all operators, windows of the tensors of bands; after segments were picked. Errors: DAIN_ENOMEM. */
int bands_plan(Graph *g);
/* Sets the rows of every operator (Op.lo, hi) and window for a band. */
void bands_start(Graph *g, int band);

#endif
