/* How a picture is to be turned when it is shown. */
#include "media/orientation.h"

#include <stdlib.h>
#include <string.h>

static int sign(int32_t v)
{
    return v < 0 ? -1 : 1;
}

/* Of a matrix as in MP4 files, row by row; what is no quarter turn becomes the nearest. */
static Orientation from_matrix(const uint8_t *data)
{
    int32_t m[9];
    memcpy(m, data, sizeof m);
    if (llabs(m[0]) + llabs(m[4]) >= llabs(m[1]) + llabs(m[3]))
        return (Orientation){ sign(m[0]), 0, 0, sign(m[4]) };
    return (Orientation){ 0, sign(m[1]), sign(m[3]), 0 };
}

Orientation orientation_of(const AVStream *stream, const AVFrame *frame)
{
    enum { MATRIX = 9 * sizeof(int32_t) };
    for (int i = 0; stream && i < stream_side_data_count(stream); i++) {
        const AVPacketSideData *const d = stream_side_data(stream, i);
        if (d->type == AV_PKT_DATA_DISPLAYMATRIX && d->size >= MATRIX)
            return from_matrix(d->data);
    }
    const AVFrameSideData *const d =
        frame ? av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX) : NULL;
    return d && d->size >= MATRIX ? from_matrix(d->data) : (Orientation){ 1, 0, 0, 1 };
}

int orientation_degrees(Orientation o, bool *mirrored)
{
    *mirrored = o.a * o.d - o.b * o.c < 0;
    const int a = *mirrored ? -o.a : o.a, b = *mirrored ? -o.b : o.b;
    return a ? (a > 0 ? 0 : 180) : b > 0 ? 90 : 270;
}

void orientation_place(Orientation o, int width, int height, int x, int y, int *to_x, int *to_y)
{
    *to_x = o.a * x + o.c * y + (o.a < 0 ? width - 1 : 0) + (o.c < 0 ? height - 1 : 0);
    *to_y = o.b * x + o.d * y + (o.b < 0 ? width - 1 : 0) + (o.d < 0 ? height - 1 : 0);
}
