/* Normalisation of codes and correlation of signed codes for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

/* VL pixels, of which n exist; c is a constant for the widths of the network. */
VEC_INLINE void normalise_pixels(int8_t *o, ptrdiff_t opx, const uint8_t *p, ptrdiff_t px, int n,
                                 float epsilon, const int c)
{
    const float channels = (float)c, rc = 1.0f / channels;
    const vf factor = vf_set(channels);
    float shift[VL], d[VL] = { 0 }, gain[VL];

    for (int i = 0; i < n; i++) {
        int32_t s, squares;

        codes_moments(&s, &squares, p + i * px, c);
        shift[i] = -(float)s;
        d[i] = (float)((uint32_t)c * (uint32_t)squares - (uint32_t)s * (uint32_t)s);
    }
    const vf root = vf_sqrt(vf_fma(vf_load(d), vf_set(rc * rc), vf_set(epsilon)));
    vf_store(gain, vf_set((float)NORMALISED_UNIT * rc) / root);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < c; k += VL) {
            const vf q = vf_from(vi_load_codes(p + i * px + k));

            vi_store_signed_n(o + i * opx + k,
                              vi_round(vf_fma(q, factor, vf_set(shift[i])) * vf_set(gain[i])),
                              c - k);
        }
}

VEC_INLINE void normalise_row(int8_t *o, ptrdiff_t opx, const uint8_t *p, ptrdiff_t px, int w,
                              float scale, const int c)
{
    const float epsilon = 1e-4f / (scale * scale);

    for (int i = 0; i < w; i += VL)
        normalise_pixels(o + i * opx, opx, p + i * px, px, w - i < VL ? w - i : VL, epsilon, c);
}

void KERNEL(normalise_u8_s8)(const View8 *out, const View8 *x, float scale, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        int8_t *o = (int8_t *)view8_at(out, y, 0);
        const uint8_t *p = view8_at(x, y, 0);

        if (x->c == 32)
            normalise_row(o, out->px, p, x->px, x->w, scale, 32);
        else if (x->c == 48)
            normalise_row(o, out->px, p, x->px, x->w, scale, 48);
        else
            normalise_row(o, out->px, p, x->px, x->w, scale, x->c);
    }
}

/* The sums of VL channels to the outputs. */
VEC_INLINE void corr_store(const CorrS8Args *a, int y, int i, int k, const int32_t *sum, int n)
{
    const float f = 1.0f / (float)(NORMALISED_UNIT * NORMALISED_UNIT * a->a.c);
    const vf v = vf_from(vi_load(sum));

    if (a->out_f32.data)
        vf_store_n(view_at(&a->out_f32, y, i) + k, v * vf_set(f), n < VL ? n : VL);
    if (a->out.data) {
        const vf q = vf_fma(v, vf_set(f * a->out_inv_scale), vf_set((float)a->out_zero));

        vf_store_codes_n(view8_at(&a->out, y, i) + k, q, n);
    }
}

void KERNEL(corr_s8)(const CorrS8Args *a, int y0, int y1)
{
    const int side = 2 * a->r + 1, count = side * side;

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < a->a.w; i++) {
            const int8_t *p = (const int8_t *)view8_at(&a->a, y, i);
            const int8_t *q = (const int8_t *)view8_at(&a->b, y - a->r, i - a->r);

            for (int k = 0; k < count; k += VL) {
                int32_t sum[VL] = { 0 };

                for (int l = 0; l < VL && k + l < count; l++)
                    sum[l] = codes_dot(p, q + (k + l) / side * a->b.row + (k + l) % side * a->b.px,
                                       a->a.c);
                corr_store(a, y, i, k, sum, count - k);
            }
        }
}
