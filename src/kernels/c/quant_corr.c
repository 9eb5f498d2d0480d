/* C reference: normalisation of codes and correlation of the signed codes it makes. */
#include "kernels/canon.h"
#include "kernels/kernels.h"

void normalise_u8_s8_c(const View8 *out, const View8 *x, float scale, int y0, int y1)
{
    const float channels = (float)x->c, rc = 1.0f / channels, epsilon = 1e-4f / (scale * scale);

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < x->w; i++) {
            const uint8_t *p = view8_at(x, y, i);
            int8_t *o = (int8_t *)view8_at(out, y, i);
            uint32_t s = 0, squares = 0;

            for (int c = 0; c < x->c; c++) {
                s += p[c];
                squares += (uint32_t)p[c] * p[c];
            }
            const uint32_t d = (uint32_t)x->c * squares - s * s;
            const float g = ((float)NORMALISED_UNIT * rc) / sqrtf(fmaf((float)d, rc * rc, epsilon));
            for (int c = 0; c < x->c; c++) {
                const float v = fmaf(p[c], channels, -(float)s) * g;

                o[c] = (int8_t)lrintf(canon_clamp(v, -128.0f, 127.0f));
            }
        }
}

void corr_s8_c(const CorrS8Args *a, int y0, int y1)
{
    const float f = 1.0f / (float)(NORMALISED_UNIT * NORMALISED_UNIT * a->a.c);
    const float codes = f * a->out_inv_scale, zero = (float)a->out_zero;

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < a->a.w; i++) {
            const int8_t *p = (const int8_t *)view8_at(&a->a, y, i);
            int k = 0;

            for (int dy = -a->r; dy <= a->r; dy++)
                for (int dx = -a->r; dx <= a->r; dx++, k++) {
                    const int8_t *q = (const int8_t *)view8_at(&a->b, y + dy, i + dx);
                    int32_t sum = 0;

                    for (int c = 0; c < a->a.c; c++)
                        sum += p[c] * q[c];
                    if (a->out_f32.data)
                        view_at(&a->out_f32, y, i)[k] = (float)sum * f;
                    if (a->out.data)
                        view8_at(&a->out, y, i)[k] = code_from_f32(fmaf((float)sum, codes, zero));
                }
        }
}
