/* The original network's warps, vectors along the channels. */
#include "kernels/dain_taps.h"
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

static void blend4(float *dst, const BilinearTaps *t, int channels)
{
    const vf w0 = vf_set(t->w[0]), w1 = vf_set(t->w[1]);
    const vf w2 = vf_set(t->w[2]), w3 = vf_set(t->w[3]);
    for (int c = 0; c < channels; c += VL) {
        const int n = channels - c < VL ? channels - c : VL;
        vf sum = w0 * vf_load_n(t->p[0] + c, n);
        sum = vf_fma(w1, vf_load_n(t->p[1] + c, n), sum);
        sum = vf_fma(w2, vf_load_n(t->p[2] + c, n), sum);
        sum = vf_fma(w3, vf_load_n(t->p[3] + c, n), sum);
        vf_store_n(dst + c, sum, n);
    }
}

static void copy_pixel(float *dst, const float *src, int channels)
{
    for (int c = 0; c < channels; c += VL) {
        const int n = channels - c < VL ? channels - c : VL;
        vf_store_n(dst + c, src ? vf_load_n(src + c, n) : vf_zero(), n);
    }
}

void KERNEL(pwc_warp_f32)(const View *out, const View *x, const View *flow, float scale, int y0,
                          int y1)
{
    for (int py = y0; py < y1; py++) {
        for (int px = 0; px < out->w; px++) {
            const float *f = view_at(flow, py, px);
            BilinearTaps taps;
            if (pwc_taps(&taps, x, px, py, f[0] * scale, f[1] * scale))
                blend4(view_at(out, py, px), &taps, out->c);
            else
                copy_pixel(view_at(out, py, px), NULL, out->c);
        }
    }
}

void KERNEL(interpolation_f32)(const View *out, const View *x, const View *flow, int y0, int y1)
{
    for (int py = y0; py < y1; py++) {
        for (int px = 0; px < out->w; px++) {
            const float *f = view_at(flow, py, px);
            BilinearTaps taps;
            if (bilinear_taps(&taps, x, px, py, f[0], f[1]))
                blend4(view_at(out, py, px), &taps, out->c);
            else
                copy_pixel(view_at(out, py, px), NULL, out->c);
        }
    }
}

static void blend16(float *dst, const FilterTaps *t, int channels)
{
    for (int c = 0; c < channels; c += VL) {
        const int n = channels - c < VL ? channels - c : VL;
        vf sum = vf_set(t->w[0]) * vf_load_n(t->row[0] + t->column[0] + c, n);
        for (int k = 1; k < 16; k++)
            sum = vf_fma(vf_set(t->w[k]), vf_load_n(t->row[k >> 2] + t->column[k & 3] + c, n), sum);
        vf_store_n(dst + c, sum, n);
    }
}

void KERNEL(filter_interp_f32)(const View *out, const View *x, const View *flow, const View *kern,
                               int y0, int y1)
{
    for (int py = y0; py < y1; py++) {
        for (int px = 0; px < out->w; px++) {
            const float *f = view_at(flow, py, px);
            FilterTaps taps;
            if (filter_taps(&taps, x, px, py, f[0], f[1], view_at(kern, py, px)))
                blend16(view_at(out, py, px), &taps, out->c);
            else
                copy_pixel(view_at(out, py, px), view_at(x, py, px), out->c);
        }
    }
}
