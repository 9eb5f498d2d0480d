/* Pixel formats: what kind of samples one has, and rows of any of them as planes of plain integers. */
#ifndef DAIN_MEDIA_PIXELS_H
#define DAIN_MEDIA_PIXELS_H

#include "media/libav.h"

bool pixels_rgb(enum AVPixelFormat format); /* palettes too */
bool pixels_alpha(enum AVPixelFormat format);
bool pixels_gray(const AVPixFmtDescriptor *desc); /* with or without alpha */
bool pixels_float(const AVPixFmtDescriptor *desc);
/* A plane for each component, whole samples in native byte order. */
bool pixels_planar(const AVPixFmtDescriptor *desc);

/* Whether the rows below can be read (or written): not for hardware surfaces, Bayer patterns, XYZ;
 * palettes can be read only. */
bool pixels_readable(enum AVPixelFormat format);
bool pixels_writable(enum AVPixelFormat format);

/* The planar format with the same samples: yuv420p for nv12 and yuvj420p, gbrp for rgb24, gbrap for
 * a palette; the format itself if there is none. */
enum AVPixelFormat pixels_to_planar(enum AVPixelFormat format);

/*
 * Row y of a component (0 .. 2 colours or gray, then alpha; a palette has four) of a readable
 * format. Planar formats: its samples as they are. Others: 16-bit integers of the component's depth,
 * at least 8.
 */
void pixels_read_row(const AVFrame *frame, int component, int y, int width, void *row);
/* The reverse, for writable formats. A frame of a format that is not planar must have been cleared
 * with pixels_clear() before its first row. */
void pixels_write_row(AVFrame *frame, int component, int y, int width, const void *row);
void pixels_clear(AVFrame *frame);

/* Whether two frames are the same picture: format, size, meaning of the samples, and every sample. False
 * for formats that cannot be read. */
bool pixels_equal(const AVFrame *a, const AVFrame *b);

#endif
