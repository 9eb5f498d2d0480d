/* Four floats at a time (NEON), for the original network's sources (vector/dain_*.h); see
 * x86/dain_vec8.h. */
#ifndef DAIN_KERNELS_NEON_DAIN_VEC4_H
#define DAIN_KERNELS_NEON_DAIN_VEC4_H

#include "kernels/vector/vec.h"

enum { VEC = VL };
typedef vf vec;
typedef uint32x4_t vecmask; /* all bits of a lane */

static inline vec vec_load(const float *p)
{
    return vf_load(p);
}
static inline void vec_store(float *p, vec v)
{
    vf_store(p, v);
}
static inline void vec_store_n(float *p, vec v, int n)
{
    vf_store_n(p, v, n);
}
static inline vec vec_load_n(const float *p, int n)
{
    return vf_load_n(p, n);
}
static inline vec vec_set(float f)
{
    return vf_set(f);
}
static inline vec vec_zero(void)
{
    return vf_zero();
}
static inline vec vec_add(vec a, vec b)
{
    return a + b;
}
static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}
static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}
static inline vec vec_div(vec a, vec b)
{
    return a / b;
}
static inline vec vec_fma(vec a, vec b, vec c)
{
    return vf_fma(a, b, c);
}
static inline vec vec_fnma(vec a, vec b, vec c)
{
    return vf_fnma(a, b, c);
}
static inline vec vec_max(vec a, vec b)
{
    return vf_max(a, b);
}
static inline vec vec_min(vec a, vec b)
{
    return vf_min(a, b);
}
static inline vecmask vec_gt(vec a, vec b)
{
    return vcgtq_f32(a, b);
}
static inline vec vec_select(vecmask m, vec a, vec b)
{
    return vbslq_f32(m, a, b);
}
static inline vec vec_abs(vec a)
{
    return vf_abs(a);
}
static inline vec vec_scale_exp2(vec p, vec n)
{
    return vf_scale2(p, vi_round(n));
}
static inline vec vec_sub_double(vec a, double d)
{
    const float64x2_t s = vdupq_n_f64(d);
    const float32x2_t lo = vcvt_f32_f64(vcvt_f64_f32(vget_low_f32(a)) - s);
    return vcvt_high_f32_f64(lo, vcvt_high_f64_f32(a) - s);
}
/* Bit i = lane i of m. */
static inline unsigned vec_bits(vecmask m)
{
    static const uint32_t bits[VL] = { 1, 2, 4, 8 };
    return vaddvq_u32(vandq_u32(m, vld1q_u32(bits)));
}
static inline unsigned vec_within(vec a, float lo, float hi)
{
    return vec_bits(vandq_u32(vcgeq_f32(a, vf_set(lo)), vcleq_f32(a, vf_set(hi))));
}
static inline unsigned vec_nonzero(vec a)
{
    return vec_bits(vmvnq_u32(vceqzq_f32(a)));
}
static inline unsigned vec_not_positive(vec a)
{
    return vec_bits(vclezq_f32(a));
}
static inline void veci_store_nonzero(int *p, vec a, int n, const int *old)
{
    vi_store(p, vbslq_s32(vceqzq_f32(a), vi_load(old), vi_set(n)));
}
static inline void veci_store_truncated(int *p, vec a)
{
    vi_store(p, vi_truncate(a));
}
static inline vec vec_iota(void)
{
    return vf_from(vi_iota());
}
static inline vec vec_gather(const float *p, int step)
{
    if (step == 1)
        return vf_load(p);
    const float lanes[VL] = { p[0], p[step], p[2 * step], p[3 * (ptrdiff_t)step] };
    return vf_load(lanes);
}

/* ---- eight floats: four pixels of two channels ---- */

typedef struct oct {
    f4 low, high;
} oct;

static inline oct oct_load(const float *p)
{
    return (oct){ f4_load(p), f4_load(p + 4) };
}
static inline void oct_store(float *p, oct v)
{
    f4_store(p, v.low);
    f4_store(p + 4, v.high);
}
/* v0 v1 four times */
static inline oct oct_repeat(f4 v)
{
    const f4 pairs = f4_low_pairs(v, v);
    return (oct){ pairs, pairs };
}
/* a * b + c * d, the second product rounded */
static inline oct oct_mix(oct a, oct b, oct c, oct d)
{
    return (oct){ f4_fma(a.low, b.low, c.low * d.low), f4_fma(a.high, b.high, c.high * d.high) };
}

#endif
