/* How kernels see a picture or feature map: channels last, any strides. */
#ifndef DAIN_KERNELS_VIEW_H
#define DAIN_KERNELS_VIEW_H

#include <stddef.h>

/*
 * data[y * row + x * px + c]. A slice of a wider tensor is a view with an offset; a buffer of one
 * row that every row is written to has row = 0. Channels need no alignment and no padding: a kernel
 * reads and writes exactly c channels (it may read, never write, up to 16 floats past the last one
 * when it ignores what it read there; every buffer has that slack).
 *
 * Halo: where a kernel says so, pixels outside 0..w-1, 0..h-1 exist in memory (zero or replicated)
 * and are read.
 */
typedef struct View {
    float *data;   /* pixel (0,0), channel 0 */
    ptrdiff_t row; /* floats from a pixel to the one below it */
    ptrdiff_t px;  /* floats from a pixel to its right neighbour */
    int w, h, c;   /* pixels, pixels, channels */
} View;

static inline float *view_at(const View *v, int y, int x)
{
    return v->data + (ptrdiff_t)y * v->row + (ptrdiff_t)x * v->px;
}

#endif
