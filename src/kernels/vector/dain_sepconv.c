/* The separable convolution of per-pixel kernels with vectors of pixels of a row. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

static const float *plane_row(const PlanesView *v, int c, int y)
{
    return v->data + c * v->plane + y * v->row;
}

void KERNEL(sepconv_f32)(const PlanesView *out, const PlanesView *image, const PlanesView *vert,
                         const PlanesView *horz, int y0, int y1)
{
    const int size = vert->c;
    for (int c = 0; c < out->c; c++) {
        for (int y = y0; y < y1; y++) {
            float *o = out->data + c * out->plane + y * out->row;
            for (int x = 0; x < out->w; x += VL) {
                const int n = out->w - x < VL ? out->w - x : VL;
                vf sum = vf_zero();
                for (int j = 0; j < size; j++) {
                    const float *src = plane_row(image, c, y + j) + x;
                    vf inner = vf_zero();
                    for (int i = 0; i < size; i++)
                        inner = vf_fma(vf_load_n(plane_row(horz, i, y) + x, n),
                                       vf_load_n(src + i, n), inner);
                    sum = vf_fma(vf_load_n(plane_row(vert, j, y) + x, n), inner, sum);
                }
                vf_store_n(o + x, sum, n);
            }
        }
    }
}

static vf centre_of_mass(const PlanesView *k, int y, int x, int n)
{
    vf num = vf_zero(), den = vf_zero();
    for (int i = 0; i < k->c; i++) {
        const vf w = vf_load_n(plane_row(k, i, y) + x, n);
        num = vf_fma(vf_set((float)i), w, num);
        den = den + w;
    }
    const vf centre = vf_sub_double(num / den, (k->c - 1) / 2.0);
    return vf_select(vf_gt(vf_abs(den), vf_zero()), centre, vf_set(-2000.0f));
}

void KERNEL(sepconv_flow_f32)(const PlanesView *out, const PlanesView *vert, const PlanesView *horz,
                              int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        float *o = out->data + y * out->row;
        for (int x = 0; x < out->w; x += VL) {
            const int n = out->w - x < VL ? out->w - x : VL;
            vf_store_n(o + x, centre_of_mass(horz, y, x, n), n);
            vf_store_n(o + out->plane + x, centre_of_mass(vert, y, x, n), n);
        }
    }
}
