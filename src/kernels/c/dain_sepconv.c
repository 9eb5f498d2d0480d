/* C reference of the separable convolution of per-pixel kernels and of its centre of mass. */
#include "kernels/kernels.h"

#include <math.h>

static const float *plane_row(const PlanesView *v, int c, int y)
{
    return v->data + c * v->plane + y * v->row;
}

void sepconv_f32_c(const PlanesView *out, const PlanesView *image, const PlanesView *vert,
                   const PlanesView *horz, int y0, int y1)
{
    const int size = vert->c;
    for (int c = 0; c < out->c; c++) {
        for (int y = y0; y < y1; y++) {
            float *o = out->data + c * out->plane + y * out->row;
            for (int x = 0; x < out->w; x++) {
                float sum = 0.0f;
                for (int j = 0; j < size; j++) {
                    const float *src = plane_row(image, c, y + j) + x;
                    float inner = 0.0f;
                    for (int i = 0; i < size; i++)
                        inner = fmaf(plane_row(horz, i, y)[x], src[i], inner);
                    sum = fmaf(plane_row(vert, j, y)[x], inner, sum);
                }
                o[x] = sum;
            }
        }
    }
}

static float centre_of_mass(const PlanesView *k, int y, int x)
{
    float num = 0.0f, den = 0.0f;
    for (int i = 0; i < k->c; i++) {
        const float w = plane_row(k, i, y)[x];
        num = fmaf((float)i, w, num);
        den = den + w;
    }
    if (!(fabsf(den) > 0.0f))
        return -2000.0f;
    return (float)((double)(num / den) - (k->c - 1) / 2.0);
}

void sepconv_flow_f32_c(const PlanesView *out, const PlanesView *vert, const PlanesView *horz,
                        int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < out->w; x++) {
            out->data[y * out->row + x] = centre_of_mass(horz, y, x);
            out->data[out->plane + y * out->row + x] = centre_of_mass(vert, y, x);
        }
    }
}
