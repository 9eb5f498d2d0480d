/* C reference: pictures in and out, and the arithmetic per pixel of the composition. */
#include "kernels/kernels.h"
#include "kernels/canon.h"

void blend_f32_c(const View *out, const View *a, const View *b, const View *m, const View *r,
                 int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(a, y, i), *q = view_at(b, y, i), *res = view_at(r, y, i);
            const float k = *view_at(m, y, i), n = 1.0f - k;
            float *o = view_at(out, y, i);
            for (int c = 0; c < 4; c++) {
                const float v = fmaf(k, p[c], n * q[c]);
                o[c] = canon_clamp(c < 3 ? v + res[c] : v, 0.0f, 1.0f);
            }
        }
}

void shift_rgb_f32_c(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(x, y, i);
            float *o = view_at(out, y, i);
            for (int c = 0; c < 3; c++)
                o[c] = p[c] - 0.5f;
        }
}

static float sample_load(const void *row, ptrdiff_t i, int sample)
{
    switch (sample) {
    case 0:
        return ((const uint8_t *)row)[i];
    case 1:
        return ((const uint16_t *)row)[i];
    default:
        return ((const float *)row)[i];
    }
}

void image_load_f32_c(const View *out, const ImageView *image, int halo, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const int sy = y < 0 ? 0 : y < image->h ? y : image->h - 1;
        for (int c = 0; c < 4; c++) {
            const uint8_t *row = image->plane[c];
            if (row)
                row += sy * image->stride[c];
            for (int i = -halo; i < out->w + halo; i++) {
                const int sx = i < 0 ? 0 : i < image->w ? i : image->w - 1;
                view_at(out, y, i)[c] =
                    row ? sample_load(row, (ptrdiff_t)sx * image->step, image->sample) / image->peak
                        : 1.0f;
            }
        }
    }
}

static void sample_store(void *row, ptrdiff_t i, int sample, float v, float peak)
{
    if (sample == 2) {
        ((float *)row)[i] = v;
        return;
    }
    const int code = (int)lrintf(canon_clamp(v, 0.0f, 1.0f) * peak); /* ties to even */
    if (sample == 1)
        ((uint16_t *)row)[i] = (uint16_t)code;
    else
        ((uint8_t *)row)[i] = (uint8_t)code;
}

void image_store_f32_c(const ImageView *image, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int c = 0; c < 4; c++) {
            uint8_t *row = image->plane[c];
            if (!row)
                continue;
            row += y * image->stride[c];
            for (int i = 0; i < image->w; i++)
                sample_store(row, (ptrdiff_t)i * image->step, image->sample, view_at(x, y, i)[c],
                             image->peak);
        }
}
