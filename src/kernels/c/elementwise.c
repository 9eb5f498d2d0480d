/* Values moved or changed one by one: copies, constants, sums, the logistic function (C reference). */
#include "kernels/kernels.h"
#include "kernels/canon.h"

void scale_f32_c(const View *out, const View *x, float scale, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *restrict s = view_at(x, y, i);
            float *restrict d = view_at(out, y, i);
            for (int c = 0; c < out->c; c++)
                d[c] = s[c] * scale;
        }
}

void fill_f32_c(const View *out, float value, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++)
            for (int c = 0; c < out->c; c++)
                view_at(out, y, i)[c] = value;
}

void limit_f32_c(const View *out, const View *a, const View *b, float gain, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(a, y, i), *q = view_at(b, y, i);
            float *o = view_at(out, y, i);
            for (int c = 0; c < out->c; c++) {
                const float least = 2 * fminf(fabsf(p[c]), fabsf(q[c]));
                const float mean = 0.5f * (p[c] + q[c]);
                const float most = fminf(fabsf(mean), least);
                o[c] = p[c] * q[c] > 0 ? copysignf(most, mean) * gain : 0;
            }
        }
}

void clamp_add_f32_c(const View *out, const View *a, const View *b, float lo, float hi, int y0,
                     int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(a, y, i), *q = b->data ? view_at(b, y, i) : NULL;
            float *o = view_at(out, y, i);
            for (int c = 0; c < out->c; c++)
                o[c] = canon_clamp(q ? p[c] + q[c] : p[c], lo, hi);
        }
}

void sigmoid_f32_c(const View *out, const View *x, float bias, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(x, y, i);
            float *o = view_at(out, y, i);
            for (int c = 0; c < out->c; c++)
                o[c] = canon_sigmoid(p[c] + bias);
        }
}
