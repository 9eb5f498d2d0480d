/* How a picture is to be turned when it is shown: the display matrix, in quarter turns and mirrors. */
#ifndef DAIN_MEDIA_ORIENTATION_H
#define DAIN_MEDIA_ORIENTATION_H

#include "media/libav.h"

/* Sample x, y of the picture is shown at a x + c y, b x + d y, but for an offset. Two of the four are
 * 0, the others 1 or -1. */
typedef struct Orientation {
    int a, b, c, d;
} Orientation;

/* Of a stream, or of one of its frames (JPEG pictures), whichever says something; as it is if none. */
Orientation orientation_of(const AVStream *stream, const AVFrame *frame);

/* Whether width and height change places. */
static inline bool orientation_swaps(Orientation o)
{
    return o.a == 0;
}

/* Degrees that the picture is turned by, clockwise: 0, 90, 180, 270. *mirrored: from left to right
 * before that. */
int orientation_degrees(Orientation o, bool *mirrored);

/* Where sample x, y of a picture of the size is shown. */
void orientation_place(Orientation o, int width, int height, int x, int y, int *to_x, int *to_y);

#endif
