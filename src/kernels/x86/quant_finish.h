/* conv_u8 from its sums on, for vectors of VL outputs (vec.h). The including file includes
 * quant_vec.h. */
#ifndef DAIN_KERNELS_X86_QUANT_FINISH_H
#define DAIN_KERNELS_X86_QUANT_FINISH_H

/* b where the sign of x is set, else a. */
VEC_INLINE vf vf_by_sign(vf a, vf b, vi x)
{
#if defined(__AVX512F__)
    return _mm512_mask_mov_ps(a, _mm512_movepi32_mask(x), b);
#else
    return _mm256_blendv_ps(a, b, _mm256_castsi256_ps(x));
#endif
}

/* The constants of VL outputs, see ConvU8Args. */
typedef struct Finish {
    const ConvU8Args *args;
    vf scale, scale_low, slope; /* scale_low: scale * slope */
    vf shift, add_scale, zero;
    int o, n; /* the first one; how many there are */
} Finish;

/* The outputs o .. o+VL-1, oc in all. */
VEC_INLINE Finish finish_new(const ConvU8Args *a, int o, int oc)
{
    const float m = a->out.data ? a->out_inv_scale : 1.0f, k = a->add_scale * m;
    const vf scale = vf_load(a->scale + o) * vf_set(m), slope = vf_load(a->slope + o);

    return (Finish){ .args = a,
                     .scale = scale,
                     .scale_low = scale * slope,
                     .slope = slope,
                     .shift = vf_set(a->add.data ? -((float)a->add_zero * k) : 0.0f),
                     .add_scale = vf_set(k),
                     .zero = vf_set(a->out.data ? (float)a->out_zero : 0.0f),
                     .o = o,
                     .n = oc - o < VL ? oc - o : VL };
}

/* Those of pixel (y,x). */
VEC_INLINE void finish(const Finish *f, vi sum, int y, int x)
{
    const ConvU8Args *a = f->args;
    vf v = vf_from(sum);

    if (!a->add.data && !a->add_f32.data)
        v = vf_fma(v, vf_by_sign(f->scale, f->scale_low, sum), f->zero);
    else {
        v = vf_fma(v, f->scale, f->shift);
        if (a->add.data)
            v = vf_fma(vf_from(vi_load_codes(view8_at(&a->add, y, x) + f->o)), f->add_scale, v);
        else
            v = v + vf_load(view_at(&a->add_f32, y, x) + f->o);
        v = vf_activate(v, f->slope) + f->zero;
    }
    if (a->out.data)
        vf_store_codes_n(view8_at(&a->out, y, x) + f->o, v, f->n);
    else
        vf_store_n(view_at(&a->out_f32, y, x) + f->o, v, f->n);
}

#endif
