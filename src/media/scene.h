/*
 * Scene cuts: how little of a frame is explained by the one before it.
 *
 * Both frames are shrunk to some 96x54 luma samples. Every 8x8 block of the newer one looks for its
 * best match in the older one, up to 8 samples away in each direction (a twelfth of the width), so
 * that motion alone costs nothing. The mean difference that remains is compared with the difference
 * of two samples taken at random, one from each frame: near 0 for the same scene however it moves,
 * from about 0.3 on for two scenes that have nothing in common (99 of 100 pairs), and 1 at most.
 */
#ifndef DAIN_MEDIA_SCENE_H
#define DAIN_MEDIA_SCENE_H

#include "media/libav.h"

/* Scores above this are cuts unless the user says otherwise. */
#define SCENE_THRESHOLD 0.25

/* The shrunk luma of a frame. */
typedef struct SceneFrame {
    int width, height;
    unsigned char *luma; /* width * height samples */
} SceneFrame;

/* Shrinks a frame of planar float RGB (colour_rgb_frame). NULL if there is no memory. */
SceneFrame *scene_shrink(const AVFrame *rgb);
void scene_free(SceneFrame *frame);

/* 0 .. 1 as above; 1 if the sizes differ. */
double scene_score(const SceneFrame *older, const SceneFrame *newer);

#endif
