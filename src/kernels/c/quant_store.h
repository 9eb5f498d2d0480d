/* The reference's conv_u8 from its sums on. */
#ifndef DAIN_KERNELS_C_QUANT_STORE_H
#define DAIN_KERNELS_C_QUANT_STORE_H

#include "kernels/kernels.h"

#include <math.h>

/* The value of one output, in codes (zero point included) or real. */
static inline float value_u8(const ConvU8Args *a, int32_t acc, int y, int x, int o)
{
    const float m = a->out.data ? a->out_inv_scale : 1.0f, z = a->out.data ? a->out_zero : 0.0f;
    const float s = a->scale[o] * m, k = a->add_scale * m;
    float u;

    if (a->add.data)
        u = fmaf(view8_at(&a->add, y, x)[o], k, fmaf((float)acc, s, -((float)a->add_zero * k)));
    else if (a->add_f32.data)
        u = fmaf((float)acc, s, 0.0f) + view_at(&a->add_f32, y, x)[o];
    else
        return fmaf((float)acc, acc < 0 ? s * a->slope[o] : s, z);
    return (u > 0.0f ? u : u * a->slope[o]) + z;
}

static inline void store_u8(const ConvU8Args *a, int32_t acc, int y, int x, int o)
{
    const float v = value_u8(a, acc, y, x, o);

    if (a->out.data)
        view8_at(&a->out, y, x)[o] = code_from_f32(v);
    else
        view_at(&a->out_f32, y, x)[o] = v;
}

#endif
