/*
 * The picture that the engine takes the motion from. Usually that is the frame itself; with denoise
 * it is a copy smoothed by the 5x5 binomial kernel (1 4 6 4 1)/16, a Gaussian of one pixel, while
 * new frames are made of the frame as it is.
 *
 * Why so plain a filter: what counts is the motion, not how the copy looks. New pictures composed
 * of clean frames by the motion of noisy ones tell how good it is (docs/enhancement.md): smoothing
 * takes back a third to two thirds of what strong noise costs, and FFmpeg's hqdn3d, bilateral,
 * median and nlmeans filters, which keep edges, gain less or the same. It knows no time either: a
 * filter that remembers frames would give other bits after --resume.
 */
#ifndef DAIN_MEDIA_GUIDE_H
#define DAIN_MEDIA_GUIDE_H

#include "engine/backend.h"
#include "media/libav.h"

/* Zero-initialised is ready, and gives every frame to the engine as it is. */
typedef struct Guide {
    bool denoise;
    AVFrame *smooth;
    float *row; /* as wide as smooth */
    bool no_memory;
} Guide;

/* Gives a planar float RGB frame to the engine. Errors: as backend_push(), DAIN_ENOMEM; the
 * sentence is that of guide_last_error(). */
int guide_push(Guide *guide, Backend *engine, const AVFrame *rgb);
/* The same, ahead of its time: as backend_push_ahead(). */
int guide_push_ahead(Guide *guide, Backend *engine, const AVFrame *rgb, double before,
                     double after);
/* How long the pairs before and after last, the one between being 1, by the times of four frames.
 * False if one lasts four times as long as its neighbour: then motion is not taken to go on. */
bool guide_lengths(const AVFrame *const frame[4], double *before, double *after);
const char *guide_last_error(const Guide *guide, const Backend *engine);
void guide_free(Guide *guide);

#endif
