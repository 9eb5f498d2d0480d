/* Vectors of codes and of bfloat16, in the manner of vec.h.
 *
 * hw: HW words of 16 bits, vw: VW of them. Reads of codes may go past the last channel (View8); _n:
 * the first n elements only. vf_store_codes_n() stores code_from_f32() of floats. */
#ifndef DAIN_KERNELS_VECTOR_QUANT_VEC_H
#define DAIN_KERNELS_VECTOR_QUANT_VEC_H

#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

#if defined(__aarch64__)
#include "kernels/neon/quant_vec.h"
#else
#include "kernels/x86/quant_vec.h"
#endif

/* conv_bf16 from its sums on: the outputs o .. o+VL-1 of pixel (y,x), oc in all. */
VEC_INLINE void conv_bf16_finish(const ConvBf16Args *a, vf v, int y, int x, int o, int oc)
{
    const int n = oc - o < VL ? oc - o : VL;

    if (a->add.data)
        v = v + vf_load_bf16(view16_at(&a->add, y, x) + o);
    else if (a->add_f32.data)
        v = v + vf_load(view_at(&a->add_f32, y, x) + o);
    v = vf_activate(v, vf_load(a->slope + o));
    if (a->out.data)
        vf_store_bf16_n(view16_at(&a->out, y, x) + o, v, n);
    else
        vf_store_n(view_at(&a->out_f32, y, x) + o, v, n);
}

#endif
