/* C reference of the original network's warps: PWC-Net's, the adaptive one, the plain bilinear one.
 */
#include "kernels/dain_taps.h"
#include "kernels/kernels.h"

/* dst = sum of w[k] * p[k] over four taps, in order. */
static void blend4(float *dst, const BilinearTaps *t, int channels)
{
    for (int c = 0; c < channels; c++) {
        float sum = t->w[0] * t->p[0][c];
        for (int k = 1; k < 4; k++)
            sum = fmaf(t->w[k], t->p[k][c], sum);
        dst[c] = sum;
    }
}

static void zero(float *dst, int channels)
{
    for (int c = 0; c < channels; c++)
        dst[c] = 0.0f;
}

void pwc_warp_f32_c(const View *out, const View *x, const View *flow, float scale, int y0, int y1)
{
    for (int py = y0; py < y1; py++) {
        for (int px = 0; px < out->w; px++) {
            const float *f = view_at(flow, py, px);
            BilinearTaps taps;
            if (pwc_taps(&taps, x, px, py, f[0] * scale, f[1] * scale))
                blend4(view_at(out, py, px), &taps, out->c);
            else
                zero(view_at(out, py, px), out->c);
        }
    }
}

void interpolation_f32_c(const View *out, const View *x, const View *flow, int y0, int y1)
{
    for (int py = y0; py < y1; py++) {
        for (int px = 0; px < out->w; px++) {
            const float *f = view_at(flow, py, px);
            BilinearTaps taps;
            if (bilinear_taps(&taps, x, px, py, f[0], f[1]))
                blend4(view_at(out, py, px), &taps, out->c);
            else
                zero(view_at(out, py, px), out->c);
        }
    }
}

void filter_interp_f32_c(const View *out, const View *x, const View *flow, const View *kern, int y0,
                         int y1)
{
    for (int py = y0; py < y1; py++) {
        for (int px = 0; px < out->w; px++) {
            const float *f = view_at(flow, py, px);
            float *dst = view_at(out, py, px);
            FilterTaps t;
            if (!filter_taps(&t, x, px, py, f[0], f[1], view_at(kern, py, px))) {
                const float *src = view_at(x, py, px);
                for (int c = 0; c < out->c; c++)
                    dst[c] = src[c];
                continue;
            }
            for (int c = 0; c < out->c; c++) {
                float sum = t.w[0] * t.row[0][t.column[0] + c];
                for (int k = 1; k < 16; k++)
                    sum = fmaf(t.w[k], t.row[k >> 2][t.column[k & 3] + c], sum);
                dst[c] = sum;
            }
        }
    }
}
