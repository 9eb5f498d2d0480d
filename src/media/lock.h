/*
 * Things that stand still in front of a picture that moves - logos, subtitles, counters, crosshairs -
 * stay as they are in new frames, instead of being dragged along a little.
 *
 * A pixel is held if it is equal in both source frames (within LOCK_NOISE in each channel), so are
 * most of its neighbours, and those equal pixels around it (11x11) have a contrast of LOCK_CONTRAST
 * among themselves: a letter with its outline, a line beside another one. Without the last condition
 * the inside of a white car that drives on would be held too. The edge of what is held is soft.
 *
 * Measured at t = 1/2 with the edge network: 40 triplets without overlays +0.01 dB in the mean, none
 * loses; ten of them with a logo, a subtitle, a bar and a crosshair drawn in +0.8 dB.
 */
#ifndef DAIN_MEDIA_LOCK_H
#define DAIN_MEDIA_LOCK_H

#include "media/libav.h"

#define LOCK_NOISE (2.0f / 255)
#define LOCK_CONTRAST 60 /* of the green channel in 255 */

/* Memory for the last pair. One thread at a time. */
typedef struct Lock Lock;

/* NULL if there is no memory. */
Lock *lock_create(void);
void lock_destroy(Lock *lock);

/* Finds what stands still between two planar float RGB frames of one size. The number of pixels held
 * at least in part, or DAIN_ENOMEM. */
int64_t lock_find(Lock *lock, const AVFrame *older, const AVFrame *newer);
/* Puts it into a frame between these two, at t. */
void lock_apply(const Lock *lock, const AVFrame *older, const AVFrame *newer, double t,
                AVFrame *made);

#endif
