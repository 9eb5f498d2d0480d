/*
 * Frames of 256 colours for encoders that know no more (GIF): libavfilter's palettegen and paletteuse
 * choose a palette for each frame and spread what it lacks over neighbouring pixels. A frame of fewer
 * colours stays as it is.
 *
 *     palette_open(&palette, width, height, alpha, &report);
 *     palette_apply(palette, frame, &mapped);   // AV_PIX_FMT_RGB32 in, AV_PIX_FMT_PAL8 out
 *     palette_close(&palette);
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_PALETTE_H
#define DAIN_MEDIA_PALETTE_H

#include "media/libav.h"

typedef struct Palette Palette;

/* alpha: one of the colours is none at all. Errors: DAIN_ENOMEM, DAIN_EUNSUPPORTED (no such filters
 * in this FFmpeg); *palette is NULL then. */
int palette_open(Palette **palette, int width, int height, bool alpha, Report *report);
void palette_close(Palette **palette);

/* *mapped: a new frame, with the times of the old one. Errors: DAIN_ENOMEM, DAIN_EUNSUPPORTED. */
int palette_apply(Palette *palette, const AVFrame *frame, AVFrame **mapped);

#endif
