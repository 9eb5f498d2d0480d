/* Low-precision convolutions: the reference, and the packing of weights. */
#include "kernels/c/quant_store.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

size_t conv_packed_size_u8(int oc, int ci, int kh, int kw)
{
    return (size_t)((oc + CONV_LANES - 1) / CONV_LANES) * CONV_LANES * ((ci + 3) / 4 * 4) * kh * kw;
}

void conv_pack_u8(int8_t *dst, const int8_t *oihw, int oc, int ci, int kh, int kw)
{
    const size_t taps = (size_t)kh * kw, padded = (size_t)(ci + 3) / 4 * 4;

    memset(dst, 0, conv_packed_size_u8(oc, ci, kh, kw));
    for (int o = 0; o < oc; o++) {
        int8_t *block = dst + (size_t)(o / CONV_LANES) * CONV_LANES * padded * taps;

        for (int i = 0; i < ci; i++)
            for (size_t k = 0; k < taps; k++)
                block[(k * padded + i / 4 * 4) * CONV_LANES + o % CONV_LANES * 4 + i % 4] =
                    oihw[((size_t)o * ci + i) * taps + k];
    }
}

size_t conv_packed_size_bf16(int oc, int ci, int kh, int kw)
{
    return (size_t)((oc + CONV_LANES - 1) / CONV_LANES) * CONV_LANES * ((ci + 1) / 2 * 2) * kh * kw;
}

void conv_pack_bf16(uint16_t *dst, const float *oihw, int oc, int ci, int kh, int kw)
{
    const size_t taps = (size_t)kh * kw, padded = (size_t)(ci + 1) / 2 * 2;

    memset(dst, 0, conv_packed_size_bf16(oc, ci, kh, kw) * sizeof *dst);
    for (int o = 0; o < oc; o++) {
        uint16_t *block = dst + (size_t)(o / CONV_LANES) * CONV_LANES * padded * taps;

        for (int i = 0; i < ci; i++)
            for (size_t k = 0; k < taps; k++)
                block[(k * padded + i / 2 * 2) * CONV_LANES + o % CONV_LANES * 2 + i % 2] =
                    bf16_from_f32(oihw[((size_t)o * ci + i) * taps + k]);
    }
}

/* The accumulator of one output; in points at the first tap's channel 0, w at the output's lane. */
static int32_t sum_u8(const ConvU8Args *a, const uint8_t *in, const int8_t *w, int32_t bias)
{
    const size_t padded = (size_t)(a->in.c + 3) / 4 * 4;
    uint32_t sum = (uint32_t)bias;

    for (int ky = 0; ky < a->kh; ky++)
        for (int kx = 0; kx < a->kw; kx++, w += padded * CONV_LANES) {
            const uint8_t *x = in + a->dilation * (ky * a->in.row + kx * a->in.px);

            for (int i = 0; i < a->in.c; i++)
                sum += (uint32_t)(x[i] * w[i / 4 * 4 * CONV_LANES + i % 4]);
        }
    return (int32_t)sum;
}

void conv_u8_c(const ConvU8Args *a, int y0, int y1)
{
    const int oc = a->out.data ? a->out.c : a->out_f32.c, w = a->out.data ? a->out.w : a->out_f32.w;
    const size_t block = conv_packed_size_u8(CONV_LANES, a->in.c, a->kh, a->kw);
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;

    for (int y = y0; y < y1; y++)
        for (int x = 0; x < w; x++) {
            const uint8_t *in = view8_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x);

            for (int o = 0; o < oc; o++) {
                const int8_t *weights =
                    a->weights + (size_t)(o / CONV_LANES) * block + (size_t)(o % CONV_LANES) * 4;

                store_u8(a, sum_u8(a, in, weights, a->bias[o]), y, x, o);
            }
        }
}

static float sum_bf16(const ConvBf16Args *a, const uint16_t *in, const uint16_t *w, float sum)
{
    const size_t padded = (size_t)(a->in.c + 1) / 2 * 2;

    for (int ky = 0; ky < a->kh; ky++)
        for (int kx = 0; kx < a->kw; kx++, w += padded * CONV_LANES) {
            const uint16_t *x = in + a->dilation * (ky * a->in.row + kx * a->in.px);

            /* an odd channel has a companion of weight 0, which may turn a sum of -0 into 0 */
            for (size_t i = 0; i < padded; i++)
                sum = fmaf(f32_from_bf16(x[i]), f32_from_bf16(w[i / 2 * 2 * CONV_LANES + i % 2]),
                           sum);
        }
    return sum;
}

void conv_bf16_c(const ConvBf16Args *a, int y0, int y1)
{
    const int oc = a->out.data ? a->out.c : a->out_f32.c, w = a->out.data ? a->out.w : a->out_f32.w;
    const size_t block = conv_packed_size_bf16(CONV_LANES, a->in.c, a->kh, a->kw);
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;

    for (int y = y0; y < y1; y++)
        for (int x = 0; x < w; x++) {
            const uint16_t *in = view16_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x);

            for (int o = 0; o < oc; o++) {
                const uint16_t *weights =
                    a->weights + (size_t)(o / CONV_LANES) * block + (size_t)(o % CONV_LANES) * 2;
                float v = sum_bf16(a, in, weights, a->bias[o]);

                if (a->add.data)
                    v += f32_from_bf16(view16_at(&a->add, y, x)[o]);
                if (a->add_f32.data)
                    v += view_at(&a->add_f32, y, x)[o];
                v = v > 0.0f ? v : v * a->slope[o];
                if (a->out.data)
                    view16_at(&a->out, y, x)[o] = bf16_from_f32(v);
                else
                    view_at(&a->out_f32, y, x)[o] = v;
            }
        }
}
