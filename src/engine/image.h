/* The caller's pictures: what every engine demands of them. */
#ifndef DAIN_ENGINE_IMAGE_H
#define DAIN_ENGINE_IMAGE_H

#include "base/log.h"

/* Sides of a picture, in pixels. */
enum { ENGINE_MIN_SIDE = 16, ENGINE_MAX_SIDE = 16384 };

/* Errors, here and below: DAIN_EINVAL, with a sentence. */
int image_check_size(int width, int height, Report *report);

/* A frame and its guide (or NULL), after `frames` others of width x height. */
int image_check_frame(const DainImage *frame, const DainImage *guide, int frames, int width,
                      int height, Report *report);

/* The picture to be written and its time, between `frames` of width x height. DAIN_ESTATE if these are
 * not two. */
int image_check_output(const DainImage *out, int64_t num, int64_t den, int frames, int width,
                       int height, Report *report);

/* The sample that means 1. */
float image_peak(const DainImage *image);

#endif
