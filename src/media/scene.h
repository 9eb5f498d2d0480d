/*
 * Scene cuts: how little of a frame is explained by the one before it.
 *
 * Both frames are shrunk to some 96x54 luma samples. Every 8x8 block of the newer one looks for its
 * best match in the older one, up to 8 samples away in each direction (a twelfth of the width), so
 * that motion alone costs nothing. The mean difference that remains is compared with the difference
 * of two samples taken at random, one from each frame: near 0 for the same scene however it moves,
 * from about 0.3 on for two scenes that have nothing in common (99 of 100 pairs), and 1 at most.
 *
 * A fade changes brightness and contrast: the older frame is also tried with those of the newer one,
 * unless that takes a factor of more than SCENE_GAIN, as a cut to black does. A flash is a cut there
 * and a cut back, within SCENE_FLASH frames, to what was before.
 */
#ifndef DAIN_MEDIA_SCENE_H
#define DAIN_MEDIA_SCENE_H

#include "media/libav.h"

/* Scores above this are cuts unless the user says otherwise. */
#define SCENE_THRESHOLD 0.25

#define SCENE_GAIN 2.5
enum { SCENE_FLASH = 3 };

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

/* The last frames of a video, newest first. Zero-initialised is ready. */
typedef struct SceneHistory {
    SceneFrame *frame[SCENE_FLASH + 1];
    int since_cut; /* frames since the last cut, that one included; 0 = it is long ago */
} SceneHistory;

/* The score of the next frame, which the history takes over; 0 for the first. *flash: the frames of
 * the flash that ended before this one, so that the cut that began it was none; else 0. */
double scene_next(SceneHistory *history, SceneFrame *frame, double threshold, int *flash);
void scene_forget(SceneHistory *history);

#endif
