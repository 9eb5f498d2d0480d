/* What DAIN's kernels do at one pixel, the same code for every instruction set: where the warps read and
 * with which weights, the mean of a projection. */
#ifndef DAIN_KERNELS_DAIN_TAPS_H
#define DAIN_KERNELS_DAIN_TAPS_H

#include "kernels/view.h"

#include <math.h>

/* Four neighbours and their weights, order: top left, top right, bottom left, bottom right. */
typedef struct BilinearTaps {
    const float *p[4];
    float w[4];
} BilinearTaps;

/* A 4x4 window: tap (j, i) is row[j] + column[i]. */
typedef struct FilterTaps {
    const float *row[4];
    ptrdiff_t column[4];
    float w[16];
} FilterTaps;

static inline int clamp_index(int i, int n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/*
 * PWC-Net's sampling: over [-1,1] and back in float, which is what the weights were trained with.
 * Returns 0 where the result is zero. Corners outside have weight 0 and a readable address.
 */
static inline int pwc_taps(BilinearTaps *t, const View *x, int px, int py, float fx, float fy)
{
    const float nx = (float)(x->w > 1 ? x->w - 1 : 1), ny = (float)(x->h > 1 ? x->h - 1 : 1);
    const float gx = 2.0f * ((float)px + fx) / nx - 1.0f;
    const float gy = 2.0f * ((float)py + fy) / ny - 1.0f;
    const float sx = (gx + 1.0f) * ((float)(x->w - 1) * 0.5f);
    const float sy = (gy + 1.0f) * ((float)(x->h - 1) * 0.5f);
    if (!(sx > -1.0f && sy > -1.0f && sx < (float)x->w && sy < (float)x->h))
        return 0;
    const float x0 = floorf(sx), y0 = floorf(sy);
    const int ix = (int)x0, iy = (int)y0;
    const float ax = sx - x0, bx = x0 + 1.0f - sx, ay = sy - y0, by = y0 + 1.0f - sy;
    const int left = ix >= 0, right = ix + 1 < x->w, top = iy >= 0, bottom = iy + 1 < x->h;
    t->w[0] = left && top ? bx * by : 0.0f;
    t->w[1] = right && top ? ax * by : 0.0f;
    t->w[2] = left && bottom ? bx * ay : 0.0f;
    t->w[3] = right && bottom ? ax * ay : 0.0f;
    if (!(t->w[0] + t->w[1] + t->w[2] + t->w[3] >= 0.9999f))
        return 0;
    const int l = left ? ix : 0, r = right ? ix + 1 : x->w - 1;
    const int u = top ? iy : 0, b = bottom ? iy + 1 : x->h - 1;
    t->p[0] = view_at(x, u, l);
    t->p[1] = view_at(x, u, r);
    t->p[2] = view_at(x, b, l);
    t->p[3] = view_at(x, b, r);
    return 1;
}

/* Plain bilinear sampling at p + f; returns 0 outside 0 <= x2 < w, 0 <= y2 < h. */
static inline int bilinear_taps(BilinearTaps *t, const View *x, int px, int py, float fx, float fy)
{
    const float x2 = (float)px + fx, y2 = (float)py + fy;
    if (!(x2 >= 0.0f && y2 >= 0.0f && x2 < (float)x->w && y2 < (float)x->h))
        return 0;
    const int l = (int)x2, u = (int)y2;
    const int r = clamp_index(l + 1, x->w), b = clamp_index(u + 1, x->h);
    const float ax = x2 - (float)l, ay = y2 - (float)u;
    t->w[0] = (1.0f - ax) * (1.0f - ay);
    t->w[1] = ax * (1.0f - ay);
    t->w[2] = (1.0f - ax) * ay;
    t->w[3] = ax * ay;
    t->p[0] = view_at(x, u, l);
    t->p[1] = view_at(x, u, r);
    t->p[2] = view_at(x, b, l);
    t->p[3] = view_at(x, b, r);
    return 1;
}

/*
 * DAIN's adaptive warp: each quadrant of the 4x4 kernel is scaled by its bilinear factor. Returns 0
 * where the pixel is copied through unwarped.
 */
static inline int filter_taps(FilterTaps *t, const View *x, int px, int py, float fx, float fy,
                              const float *kern)
{
    const float x2 = (float)px + fx, y2 = (float)py + fy;
    if (!(x2 >= 0.0f && y2 >= 0.0f && x2 <= (float)(x->w - 1) && y2 <= (float)(x->h - 1) &&
          fabsf(fx) < (float)x->w * 0.5f && fabsf(fy) < (float)x->h * 0.5f))
        return 0;
    const int ix = (int)x2, iy = (int)y2;
    const float ax = x2 - (float)ix, ay = y2 - (float)iy;
    const float quadrant[4] = { (1.0f - ax) * (1.0f - ay), ax * (1.0f - ay), (1.0f - ax) * ay,
                                ax * ay };
    for (int j = 0; j < 4; j++) {
        t->row[j] = x->data + (ptrdiff_t)clamp_index(iy - 1 + j, x->h) * x->row;
        t->column[j] = (ptrdiff_t)clamp_index(ix - 1 + j, x->w) * x->px;
    }
    for (int k = 0; k < 16; k++)
        t->w[k] = quadrant[(k >> 3) * 2 + ((k >> 1) & 1)] * kern[k];
    return 1;
}

/* flow_mean_f32 (dain_list.h) at one pixel. */
static inline void flow_mean_pixel(const View *out, const View *count, const View *acc, int divide,
                                   int y, int x)
{
    const float *a = view_at(acc, y, x);
    float *o = view_at(out, y, x);
    const float c = a[2];
    const int mean = divide && c > 0.0f;
    o[0] = mean ? a[0] / c : a[0];
    o[1] = mean ? a[1] / c : a[1];
    *view_at(count, y, x) = c;
}

#endif
