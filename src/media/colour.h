/*
 * Conversion of pictures between pixel formats, by zimg: any of FFmpeg's formats to planar float RGB
 * for the engine, and back to what the encoder takes. Matrix, range and chroma location of the
 * frames are honoured; transfer and primaries are left alone (nothing is linearised), so that the
 * way there and back is the identity but for rounding.
 *
 * What a frame does not say: matrix BT.709 above 576 lines, else BT.601; range limited for YUV and
 * full for RGB and gray; chroma on the left, as in MPEG-2 and H.264.
 */
#ifndef DAIN_MEDIA_COLOUR_H
#define DAIN_MEDIA_COLOUR_H

#include "media/frame_pool.h"

/* A converter keeps what it built for the last pair of formats; zero-initialised is ready. One
 * thread at a time. */
typedef struct Colour Colour;

/* NULL if there is no memory. */
Colour *colour_create(void);
void colour_destroy(Colour *colour);

/* Fills dst (format, size and colour properties set, buffers allocated and writable) from src,
 * resampling if the sizes differ. Errors: DAIN_ENOMEM, DAIN_EUNSUPPORTED (formats that
 * media/pixels.h cannot read or write). */
int colour_convert(Colour *colour, const AVFrame *src, AVFrame *dst, Report *report);

/*
 * A new frame for the engine, of src's size: planar float RGB (AV_PIX_FMT_GBRPF32), with alpha
 * (GBRAPF32) if src has it. NULL if there is no memory. pool: where its memory comes from, may be NULL.
 *
 * headroom: for YUV of limited range that will go back to YUV of limited range. Cameras use the
 * codes above white and below black, which the engine would cut off at 1 and 0; so 0 and 1 stand for
 * the lowest and the highest code instead of for black and white. (Measured on six clips: the new
 * frames are as good, and better where such codes occur.) color_range of the frame says which it is.
 */
AVFrame *colour_rgb_frame(FramePool *pool, const AVFrame *src, bool headroom);
/* Such a frame as the engine sees it. */
DainImage colour_image(const AVFrame *rgb);
/* A row of one of its planes (0 = green, 1 = blue, 2 = red, 3 = alpha); beyond the first and the last
 * row come these again. */
static inline float *colour_row(const AVFrame *rgb, int plane, int y)
{
    return (float *)(rgb->data[plane] +
                     (ptrdiff_t)av_clip(y, 0, rgb->height - 1) * rgb->linesize[plane]);
}
/* A new frame with buffers. Colour properties unset. NULL if there is no memory. */
AVFrame *colour_frame(enum AVPixelFormat format, int width, int height);

/* Matrix and range that count for the frame, guessed where it does not say. */
enum AVColorSpace colour_matrix(const AVFrame *frame);
enum AVColorRange colour_range(const AVFrame *frame);

#endif
