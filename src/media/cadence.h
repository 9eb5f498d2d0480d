/*
 * The rhythm of repeated frames. Film at 24 frames a second in a video of 60 shows its frames for 2,
 * 3, 2, 3 ... frames, in one of 30 for 2, 1, 1, 1. Where the beginnings of the last pictures lie on a
 * line of such a known slope, within the half frame that rounding to whole frames costs, the pictures
 * are put onto that line, as the camera took them. Otherwise they stay where they are shown first:
 * animation on twos and threes is even already, or not meant to be.
 *
 * A picture's time is known as soon as the picture is: nothing waits.
 */
#ifndef DAIN_MEDIA_CADENCE_H
#define DAIN_MEDIA_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Pictures that are looked back upon: enough for 24 in 25 frames to repeat one twice. */
enum { CADENCE_MEMORY = 50 };

/* Zero-initialised is ready. */
typedef struct Cadence {
    int64_t shown[CADENCE_MEMORY]; /* frame number at which each of the last pictures begins */
    int64_t pts[CADENCE_MEMORY];
    int count;
    int slope;    /* of the known ones, counted from 1; 0 = no rhythm */
    double place; /* of the newest picture on its line, in frame numbers */
    int64_t last; /* time given to the newest picture */
    bool any;
} Cadence;

/* A new picture that is shown from pts on. run: how many frames the one before was shown, 0 at the
 * first or after a break (a still picture). Its time: strictly above the one before, less than a
 * frame from pts. */
int64_t cadence_next(Cadence *cadence, int64_t pts, int run);

#endif
