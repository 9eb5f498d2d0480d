/* C reference: conversions between floats and the low-precision types, and copies. */
#include "kernels/canon.h"
#include "kernels/kernels.h"

void quantise_f32_u8_c(const View8 *out, const View *x, float inv_scale, int zero, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *s = view_at(x, y, i);
            uint8_t *d = view8_at(out, y, i);

            for (int c = 0; c < out->c; c++)
                d[c] =
                    (uint8_t)lrintf(canon_clamp(fmaf(s[c], inv_scale, (float)zero), 0.0f, 255.0f));
        }
}

void dequantise_u8_f32_c(const View *out, const View8 *x, float scale, int zero, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const uint8_t *s = view8_at(x, y, i);
            float *d = view_at(out, y, i);

            for (int c = 0; c < out->c; c++)
                d[c] = (float)(s[c] - zero) * scale;
        }
}

void f32_to_bf16_c(const View16 *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *s = view_at(x, y, i);
            uint16_t *d = view16_at(out, y, i);

            for (int c = 0; c < out->c; c++)
                d[c] = bf16_from_f32(s[c]);
        }
}

void bf16_to_f32_c(const View *out, const View16 *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const uint16_t *s = view16_at(x, y, i);
            float *d = view_at(out, y, i);

            for (int c = 0; c < out->c; c++)
                d[c] = f32_from_bf16(s[c]);
        }
}

void copy_u8_c(const View8 *out, const View8 *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++)
            memcpy(view8_at(out, y, i), view8_at(x, y, i), (size_t)out->c);
}
