/* Convolution: the reference order of operations, and the packing of weights. */
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

size_t conv_packed_size(int oc, int ci, int kh, int kw)
{
    return (size_t)((oc + CONV_LANES - 1) / CONV_LANES) * CONV_LANES * ci * kh * kw;
}

void conv_pack_f32(float *dst, const float *oihw, int oc, int ci, int kh, int kw)
{
    size_t taps = (size_t)kh * kw;

    memset(dst, 0, conv_packed_size(oc, ci, kh, kw) * sizeof *dst);
    for (int o = 0; o < oc; o++) {
        float *block = dst + (size_t)(o / CONV_LANES) * CONV_LANES * ci * taps + o % CONV_LANES;

        for (int i = 0; i < ci; i++)
            for (size_t k = 0; k < taps; k++)
                block[(k * ci + i) * CONV_LANES] = oihw[((size_t)o * ci + i) * taps + k];
    }
}

/* One output value before residual and activation; in points at the first tap's channel 0. */
static float conv_sum(const ConvArgs *a, const float *in, const float *w, float sum)
{
    for (int ky = 0; ky < a->kh; ky++)
        for (int kx = 0; kx < a->kw; kx++) {
            const float *x = in + a->dilation * (ky * a->in.row + kx * a->in.px);

            for (int ci = 0; ci < a->in.c; ci++, w += CONV_LANES)
                sum = fmaf(x[ci], *w, sum);
        }
    return sum;
}

void conv_f32_c(const ConvArgs *a, int y0, int y1)
{
    const size_t block = (size_t)a->in.c * a->kh * a->kw * CONV_LANES;
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;

    for (int y = y0; y < y1; y++)
        for (int x = 0; x < a->out.w; x++) {
            const float *in = view_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x);
            const float *add = a->add.data ? view_at(&a->add, y, x) : NULL;
            float *out = view_at(&a->out, y, x);

            for (int o = 0; o < a->out.c; o++) {
                const float *w = a->weights + (size_t)(o / CONV_LANES) * block + o % CONV_LANES;
                float v = conv_sum(a, in, w, a->bias[o]);

                if (add)
                    v += add[o];
                out[o] = v > 0.0f ? v : v * a->slope[o];
            }
        }
}
