/* C reference: bilinear warps and upsampling of codes and bfloat16. */
#include "kernels/canon.h"
#include "kernels/kernels.h"

/* A fraction in [0,1) in units of 2^-15. */
static int fraction(float f)
{
    const int q = (int)lrintf(f * 32768.0f);

    return q < 32767 ? q : 32767;
}

/* What the 16-bit multiply-round-high instructions compute. */
static int lerp(int a, int b, int f)
{
    return a + (((b - a) * f + 16384) >> 15);
}

void warp_bilinear_u8_c(const View8 *out, const View8 *x, const View *flow, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *f = view_at(flow, y, i);
            int px, py;
            const int ax = fraction(canon_position((float)i + f[0], x->w, &px));
            const int ay = fraction(canon_position((float)y + f[1], x->h, &py));
            const uint8_t *p = view8_at(x, py, px), *q = p + x->row;
            uint8_t *o = view8_at(out, y, i);

            for (int c = 0; c < out->c; c++) {
                const int top = lerp(p[c] << 7, p[c + x->px] << 7, ax);
                const int bottom = lerp(q[c] << 7, q[c + x->px] << 7, ax);

                o[c] = (uint8_t)((lerp(top, bottom, ay) + 64) >> 7);
            }
        }
}

void warp_bilinear_bf16_c(const View16 *out, const View16 *x, const View *flow, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *f = view_at(flow, y, i);
            int px, py;
            float w[4];
            const float ax = canon_position((float)i + f[0], x->w, &px);
            const float ay = canon_position((float)y + f[1], x->h, &py);
            const uint16_t *p = view16_at(x, py, px), *q = p + x->row;
            uint16_t *o = view16_at(out, y, i);

            canon_bilinear(ax, ay, w);
            for (int c = 0; c < out->c; c++) {
                float v = f32_from_bf16(p[c]) * w[0];

                v = fmaf(f32_from_bf16(p[c + x->px]), w[1], v);
                v = fmaf(f32_from_bf16(q[c]), w[2], v);
                o[c] = bf16_from_f32(fmaf(f32_from_bf16(q[c + x->px]), w[3], v));
            }
        }
}

static int clamp_index(int i, int size)
{
    return i < 0 ? 0 : i < size ? i : size - 1;
}

void up2_u8_c(const View8 *out, const View8 *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const int near = y >> 1, far = clamp_index(y & 1 ? near + 1 : near - 1, x->h);

        for (int i = 0; i < 2 * x->w; i++) {
            const int here = i >> 1, side = clamp_index(i & 1 ? here + 1 : here - 1, x->w);
            const uint8_t *a = view8_at(x, near, here), *b = view8_at(x, near, side);
            const uint8_t *c = view8_at(x, far, here), *d = view8_at(x, far, side);
            uint8_t *o = view8_at(out, y, i);

            for (int k = 0; k < out->c; k++)
                o[k] = (uint8_t)((9 * a[k] + 3 * b[k] + 3 * c[k] + d[k] + 8) >> 4);
        }
    }
}

/* The order of operations of up2_f32 with scale 1. */
void up2_bf16_c(const View16 *out, const View16 *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const int near = y >> 1, far = clamp_index(y & 1 ? near + 1 : near - 1, x->h);

        for (int i = 0; i < 2 * x->w; i++) {
            const int here = i >> 1, side = clamp_index(i & 1 ? here + 1 : here - 1, x->w);
            const uint16_t *a = view16_at(x, near, here), *b = view16_at(x, near, side);
            const uint16_t *c = view16_at(x, far, here), *d = view16_at(x, far, side);
            uint16_t *o = view16_at(out, y, i);

            for (int k = 0; k < out->c; k++) {
                const float v = fmaf(f32_from_bf16(c[k]), 0.25f, f32_from_bf16(a[k]) * 0.75f);
                const float s = fmaf(f32_from_bf16(d[k]), 0.25f, f32_from_bf16(b[k]) * 0.75f);

                o[k] = bf16_from_f32(fmaf(s, 0.25f, v * 0.75f));
            }
        }
    }
}
