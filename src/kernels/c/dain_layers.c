/* C reference of the original network's small layers: pooling, upsampling, activation, mixing. */
#include "kernels/kernels.h"

#include "kernels/canon.h"

#include <math.h>

void pool2_f32_c(const View *out, const View *x, int average, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++) {
            const float *a = view_at(x, 2 * y, 2 * i), *b = view_at(x, 2 * y, 2 * i + 1);
            const float *c = view_at(x, 2 * y + 1, 2 * i), *d = view_at(x, 2 * y + 1, 2 * i + 1);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k++) {
                if (average) {
                    o[k] = ((a[k] + b[k]) + (c[k] + d[k])) * 0.25f;
                } else {
                    /* The comparison that MAXPS makes: the second operand unless the first is
                     * greater. */
                    const float top = a[k] > b[k] ? a[k] : b[k];
                    const float low = c[k] > d[k] ? c[k] : d[k];
                    o[k] = top > low ? top : low;
                }
            }
        }
    }
}

void nearest2_f32_c(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++) {
            const float *a = view_at(x, y >> 1, i >> 1);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k++)
                o[k] = a[k];
        }
    }
}

/* Where a pixel of a x4 picture lies between the pixels of the small one: dst 4k+2 .. 4k+5 lie
 * between k and k+1, at 1/8, 3/8, 5/8, 7/8. */
static void up4_position(int dst, int n, int *i0, int *i1, float *w0, float *w1)
{
    const float source = ((float)dst + 0.5f) * 0.25f - 0.5f;
    const float s = source > 0.0f ? source : 0.0f;
    *i0 = (int)s;
    *i1 = *i0 + 1 < n ? *i0 + 1 : n - 1;
    *w1 = s - (float)*i0;
    *w0 = 1.0f - *w1;
}

void up4_f32_c(const View *out, const View *x, float s1, float s2, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        int top, low;
        float v0, v1;
        up4_position(y, x->h, &top, &low, &v0, &v1);
        for (int i = 0; i < out->w; i++) {
            int left, right;
            float h0, h1;
            up4_position(i, x->w, &left, &right, &h0, &h1);
            const float *a = view_at(x, top, left), *b = view_at(x, top, right);
            const float *c = view_at(x, low, left), *d = view_at(x, low, right);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k++) {
                /* Down the columns first: each is shared by four pixels. */
                const float l = fmaf(v1, c[k] * s1 * s2, v0 * (a[k] * s1 * s2));
                const float r = fmaf(v1, d[k] * s1 * s2, v0 * (b[k] * s1 * s2));
                o[k] = fmaf(h1, r, h0 * l);
            }
        }
    }
}

void leaky_f32_c(const View *out, const View *x, float slope, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++) {
            const float *a = view_at(x, y, i);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k++)
                o[k] = a[k] > 0.0f ? a[k] : a[k] * slope;
        }
    }
}

void mix_f32_c(const View *out, const View *a, const View *b, float wa, float wb, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(a, y, i), *q = view_at(b, y, i);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k++)
                o[k] = fmaf(q[k], wb, p[k] * wa);
        }
    }
}

void depth_weight_f32_c(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++)
            *view_at(out, y, i) = 1e-6f + 1.0f / canon_exp(*view_at(x, y, i));
    }
}
