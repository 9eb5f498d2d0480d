/* The separable convolution of per-pixel kernels with vectors of pixels of a row; included once per
 * instruction set, after its vector header. */
#include "kernels/kernels.h"

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
            for (int x = 0; x < out->w; x += VEC) {
                const int n = out->w - x < VEC ? out->w - x : VEC;
                vec sum = vec_zero();
                for (int j = 0; j < size; j++) {
                    const float *src = plane_row(image, c, y + j) + x;
                    vec inner = vec_zero();
                    for (int i = 0; i < size; i++)
                        inner = vec_fma(vec_load_n(plane_row(horz, i, y) + x, n),
                                        vec_load_n(src + i, n), inner);
                    sum = vec_fma(vec_load_n(plane_row(vert, j, y) + x, n), inner, sum);
                }
                vec_store_n(o + x, sum, n);
            }
        }
    }
}

static vec centre_of_mass(const PlanesView *k, int y, int x, int n)
{
    vec num = vec_zero(), den = vec_zero();
    for (int i = 0; i < k->c; i++) {
        const vec w = vec_load_n(plane_row(k, i, y) + x, n);
        num = vec_fma(vec_set((float)i), w, num);
        den = vec_add(den, w);
    }
    const vec centre = vec_sub_double(vec_div(num, den), (k->c - 1) / 2.0);
    return vec_select(vec_gt(vec_abs(den), vec_zero()), centre, vec_set(-2000.0f));
}

void KERNEL(sepconv_flow_f32)(const PlanesView *out, const PlanesView *vert, const PlanesView *horz,
                              int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        float *o = out->data + y * out->row;
        for (int x = 0; x < out->w; x += VEC) {
            const int n = out->w - x < VEC ? out->w - x : VEC;
            vec_store_n(o + x, centre_of_mass(horz, y, x, n), n);
            vec_store_n(o + out->plane + x, centre_of_mass(vert, y, x, n), n);
        }
    }
}
