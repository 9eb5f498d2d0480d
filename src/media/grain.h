/*
 * Grain: noise that a source frame has and a new frame, a mean of two, has less of.
 *
 * How much there is: the mean response of cells of 16x16 pixels to Immerkær's mask (1 -2 1; -2 4 -2;
 * 1 -2 1), which planes and edges hardly answer to ("Fast noise variance estimation", CVIU 64, 1996), on
 * the green samples. Grain depends on brightness, so cells are sorted by it; of each class the lower
 * quartile counts: the flat cells, and 0 wherever something is clean. Below 1/255 (standard deviation)
 * there is no grain: that much comes from rounding.
 *
 * What is added: pieces of the source's own grain - flat cells of the same brightness less their
 * smoothed copy -, as much as is missing, each at another place than its own and chosen by a hash of the
 * seed and the place. It so has the source's colour, coarseness and strength, is none of what the
 * new frame has already, and does not stand still; the same seed gives the same bits.
 */
#ifndef DAIN_MEDIA_GRAIN_H
#define DAIN_MEDIA_GRAIN_H

#include "media/libav.h"

/* The grain of a pair of planar float RGB frames. */
typedef struct Grain Grain;

/* NULL if there is no memory. */
Grain *grain_measure(const AVFrame *older, const AVFrame *newer);
void grain_free(Grain *grain);

/* Standard deviation of the grain at a brightness (green, 0 .. 1); 0 = there is none. */
float grain_level(const Grain *grain, float brightness);
/* The part of it that a frame between the two has in flat cells, 0 .. 1; 1 if that cannot be told. */
float grain_kept(Grain *grain, const AVFrame *made);
/* Adds to a frame between the two what it lacks. */
void grain_add(Grain *grain, int64_t seed, AVFrame *made);

#endif
