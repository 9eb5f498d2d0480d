/* Pictures that `dain eval --save` makes: error maps and comparison strips, packed RGB24. */
#include "tool/eval_picture.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "media/colour.h"
#include "media/picture.h"

void eval_error_map(uint8_t *out, const uint8_t *picture, const uint8_t *truth, int width,
                    int height)
{
    const size_t pixels = (size_t)width * height;
    for (size_t i = 0; i < pixels; i++, out += 3, picture += 3, truth += 3) {
        const int sum =
            abs(picture[0] - truth[0]) + abs(picture[1] - truth[1]) + abs(picture[2] - truth[2]);
        const int level = (2 * EVAL_ERROR_GAIN * sum + 3) / 6;
        out[0] = out[1] = out[2] = level < 255 ? level : 255;
    }
}

void eval_strip_size(int width, int height, int rows, int *strip_width, int *strip_height)
{
    *strip_width = EVAL_STRIP_COLUMNS * width + (EVAL_STRIP_COLUMNS - 1) * EVAL_GAP;
    *strip_height = rows * height + (rows - 1) * EVAL_GAP;
}

void eval_strip_row(uint8_t *strip, int row, const uint8_t *const picture[EVAL_STRIP_COLUMNS],
                    int width, int height)
{
    int strip_width, unused;
    eval_strip_size(width, height, 1, &strip_width, &unused);
    for (int y = 0; y < height; y++) {
        uint8_t *out = strip + 3 * (size_t)strip_width * ((size_t)row * (height + EVAL_GAP) + y);
        for (int i = 0; i < EVAL_STRIP_COLUMNS; i++)
            memcpy(out + 3 * (size_t)i * (width + EVAL_GAP), picture[i] + 3 * (size_t)width * y,
                   3 * (size_t)width);
    }
}

int eval_picture_write(const char *path, const uint8_t *rgb, int width, int height, Report *report)
{
    AVFrame *frame = colour_frame(AV_PIX_FMT_RGB24, width, height);
    if (!frame)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    frame->colorspace = AVCOL_SPC_RGB;
    frame->color_range = AVCOL_RANGE_JPEG;
    for (int y = 0; y < height; y++)
        memcpy(frame->data[0] + (ptrdiff_t)frame->linesize[0] * y, rgb + 3 * (size_t)width * y,
               3 * (size_t)width);
    const int ret = picture_write(frame, frame, path, NULL, true, report);
    av_frame_free(&frame);
    return ret;
}
