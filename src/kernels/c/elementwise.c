/* Copies and constants: C reference, which the compiler vectorises well enough for what they cost. */
#include "kernels/kernels.h"

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
