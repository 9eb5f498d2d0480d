/* Conversions between floats and the low-precision types for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

/* How a map is cut into runs of neighbouring elements: pixels, or rows where nothing lies between
 * the pixels of either map. */
typedef struct Runs {
    int count, length;
} Runs;

VEC_INLINE Runs runs_of(int w, int c, ptrdiff_t px0, ptrdiff_t px1)
{
    return px0 == c && px1 == c ? (Runs){ 1, w * c } : (Runs){ w, c };
}

void KERNEL(quantise_f32_u8)(const View8 *out, const View *x, float inv_scale, int zero, int y0,
                             int y1)
{
    const Runs runs = runs_of(out->w, out->c, out->px, x->px);
    const vf inv = vf_set(inv_scale), shift = vf_set((float)zero), top = vf_set(255.0f);

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < runs.count; i++) {
            const float *s = view_at(x, y, i);
            uint8_t *d = view8_at(out, y, i);

            for (int k = 0; k < runs.length; k += VL) {
                const vf v = vf_fma(vf_load(s + k), inv, shift);

                vi_store_codes_n(d + k, vi_round(vf_clamp(v, vf_zero(), top)), runs.length - k);
            }
        }
}

void KERNEL(dequantise_u8_f32)(const View *out, const View8 *x, float scale, int zero, int y0,
                               int y1)
{
    const Runs runs = runs_of(out->w, out->c, out->px, x->px);
    const vf factor = vf_set(scale);
    const vi shift = vi_set(-zero);

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < runs.count; i++) {
            const uint8_t *s = view8_at(x, y, i);
            float *d = view_at(out, y, i);
            int k = 0;

            for (; k + VL <= runs.length; k += VL)
                vf_store(d + k, vf_from(vi_add(vi_load_codes(s + k), shift)) * factor);
            if (k < runs.length)
                vf_store_n(d + k, vf_from(vi_add(vi_load_codes(s + k), shift)) * factor,
                           runs.length - k);
        }
}

void KERNEL(f32_to_bf16)(const View16 *out, const View *x, int y0, int y1)
{
    const Runs runs = runs_of(out->w, out->c, out->px, x->px);

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < runs.count; i++) {
            const float *s = view_at(x, y, i);
            uint16_t *d = view16_at(out, y, i);

            for (int k = 0; k < runs.length; k += VL)
                vf_store_bf16_n(d + k, vf_load(s + k), runs.length - k);
        }
}

void KERNEL(bf16_to_f32)(const View *out, const View16 *x, int y0, int y1)
{
    const Runs runs = runs_of(out->w, out->c, out->px, x->px);

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < runs.count; i++) {
            const uint16_t *s = view16_at(x, y, i);
            float *d = view_at(out, y, i);
            int k = 0;

            for (; k + VL <= runs.length; k += VL)
                vf_store(d + k, vf_load_bf16(s + k));
            if (k < runs.length)
                vf_store_n(d + k, vf_load_bf16(s + k), runs.length - k);
        }
}
