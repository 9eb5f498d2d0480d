/* The vocabulary of vector/vec.h on NEON: 4 floats, so that a vector is one quad. Included by
 * vector/vec.h, not on its own. */
#ifndef DAIN_KERNELS_NEON_VEC_H
#define DAIN_KERNELS_NEON_VEC_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DOTPROD)
#define KERNEL(name) name##_dotprod
#else
#define KERNEL(name) name##_neon
#endif
enum { VL = 4, VQ = VL / 4 };
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef float32x4_t f4;

VEC_INLINE void vec_prefetch(const float *p)
{
    __builtin_prefetch(p);
}

/* ---- loads, stores, constants ---- */

VEC_INLINE vf vf_set(float v)
{
    return vdupq_n_f32(v);
}
VEC_INLINE vf vf_load(const float *p)
{
    return vld1q_f32(p);
}
VEC_INLINE vf vf_load_n(const float *p, int n)
{
    const float32x2_t none = vdup_n_f32(0.0f);
    switch (n) {
    case 0:
        return vcombine_f32(none, none);
    case 1:
        return vcombine_f32(vld1_lane_f32(p, none, 0), none);
    case 2:
        return vcombine_f32(vld1_f32(p), none);
    case 3:
        return vcombine_f32(vld1_f32(p), vld1_lane_f32(p + 2, none, 0));
    default:
        return vld1q_f32(p);
    }
}
VEC_INLINE void vf_store(float *p, vf v)
{
    vst1q_f32(p, v);
}
VEC_INLINE void vf_store_n(float *p, vf v, int n)
{
    if (n >= 4) {
        vst1q_f32(p, v);
        return;
    }
    if (n & 2)
        vst1_f32(p, vget_low_f32(v));
    if (n == 1)
        vst1q_lane_f32(p, v, 0);
    else if (n == 3)
        vst1q_lane_f32(p + 2, v, 2);
}
VEC_INLINE vi vi_set(int v)
{
    return vdupq_n_s32(v);
}
VEC_INLINE vi vi_load(const int *p)
{
    return vld1q_s32(p);
}
VEC_INLINE vi vi_load_words(const uint16_t *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p)));
}
VEC_INLINE void vi_store_words(uint16_t *p, vi v)
{
    vst1_u16(p, vmovn_u32(vreinterpretq_u32_s32(v)));
}
VEC_INLINE vi vi_min(vi a, vi b)
{
    return vminq_s32(a, b);
}
VEC_INLINE void vi_store(int *p, vi v)
{
    vst1q_s32(p, v);
}
VEC_INLINE vi vi_add(vi a, vi b)
{
    return vaddq_s32(a, b);
}
VEC_INLINE vi vi_mul(vi a, vi b)
{
    return vmulq_s32(a, b);
}
VEC_INLINE vi vi_iota(void)
{
    static const int lanes[VL] = { 0, 1, 2, 3 };
    return vld1q_s32(lanes);
}
VEC_INLINE vf vf_first(vf a, vf b, int n)
{
    return vbslq_f32(vcgtq_s32(vi_set(n), vi_iota()), a, b);
}

/* ---- arithmetic ---- */

VEC_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
VEC_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return vfmsq_f32(c, a, b);
}
VEC_INLINE vf vf_fms(vf a, vf b, vf c)
{
    return vfmaq_f32(vnegq_f32(c), a, b);
}
/* As canon_max and canon_min choose; the instructions of these names treat NaN and -0 otherwise. */
VEC_INLINE vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
VEC_INLINE vf vf_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}
VEC_INLINE vf vf_abs(vf a)
{
    return vabsq_f32(a);
}
VEC_INLINE vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}
/* Out of range these saturate, and NaN gives 0, where x86 gives INT_MIN. */
VEC_INLINE vi vi_truncate(vf a)
{
    return vcvtq_s32_f32(a);
}
VEC_INLINE vi vi_round(vf a)
{
    return vcvtnq_s32_f32(a);
}
VEC_INLINE vf vf_from(vi a)
{
    return vcvtq_f32_s32(a);
}
VEC_INLINE vf vf_scale2(vf p, vi n)
{
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(n, 23)));
}

/* ---- one pixel of up to 4 channels ---- */

VEC_INLINE f4 f4_set(float v)
{
    return vdupq_n_f32(v);
}
VEC_INLINE f4 f4_fma(f4 a, f4 b, f4 c)
{
    return vfmaq_f32(c, a, b);
}
VEC_INLINE f4 f4_load(const float *p)
{
    return vld1q_f32(p);
}
VEC_INLINE void f4_store(float *p, f4 v)
{
    vst1q_f32(p, v);
}
VEC_INLINE void f4_store_n(float *p, f4 v, int n)
{
    vf_store_n(p, v, n);
}
VEC_INLINE f4 f4_floor(f4 v)
{
    return vrndmq_f32(v);
}
VEC_INLINE f4 f4_low_pairs(f4 a, f4 b)
{
    return vcombine_f32(vget_low_f32(a), vget_low_f32(b));
}
VEC_INLINE f4 f4_high_pairs(f4 a, f4 b)
{
    return vcombine_f32(vget_high_f32(a), vget_high_f32(b));
}
VEC_INLINE f4 f4_even(f4 a, f4 b)
{
    return vuzp1q_f32(a, b);
}
VEC_INLINE f4 f4_odd(f4 a, f4 b)
{
    return vuzp2q_f32(a, b);
}
VEC_INLINE f4 f4_pair(const float *p)
{
    return vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
}
VEC_INLINE f4 f4_two_pairs(const float *p, const float *q)
{
    return vcombine_f32(vld1_f32(p), vld1_f32(q));
}

/* ---- quads ---- */

VEC_INLINE vf q_join(const f4 quad[VQ])
{
    return quad[0];
}
VEC_INLINE f4 q_get(vf v, int l)
{
    (void)l;
    return v;
}
VEC_INLINE vf q_repeat(const float *p)
{
    return vld1q_f32(p);
}
VEC_INLINE vf q_spread(const float *p, ptrdiff_t step)
{
    (void)step;
    return vld1q_dup_f32(p);
}
VEC_INLINE vf q_set_last(vf quads, float v)
{
    return vsetq_lane_f32(v, quads, 3);
}
VEC_INLINE vi vi_pick_bytes(const uint8_t *p, const int8_t order[4 * VL])
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vreinterpretq_s32_u8(vqtbl1q_u8(vcombine_u8(vcreate_u8(four), vcreate_u8(0)),
                                           vreinterpretq_u8_s8(vld1q_s8(order))));
}
VEC_INLINE void vi_store_bytes(uint8_t bytes[16], vi v, const int8_t order[16])
{
    const int16x4_t words = vmovn_s32(v);
    const uint8x8_t codes = vreinterpret_u8_s8(vmovn_s16(vcombine_s16(words, words)));
    vst1_u8(bytes, vtbl1_u8(codes, vreinterpret_u8_s8(vld1_s8(order))));
}
VEC_INLINE vf vf_even(vf a, vf b)
{
    return vuzp1q_f32(a, b);
}
VEC_INLINE vf vf_odd(vf a, vf b)
{
    return vuzp2q_f32(a, b);
}
VEC_INLINE void vf_transpose4(vf r[4])
{
    const vf a = vzip1q_f32(r[0], r[2]), b = vzip2q_f32(r[0], r[2]);
    const vf c = vzip1q_f32(r[1], r[3]), d = vzip2q_f32(r[1], r[3]);
    r[0] = vzip1q_f32(a, c);
    r[1] = vzip2q_f32(a, c);
    r[2] = vzip1q_f32(b, d);
    r[3] = vzip2q_f32(b, d);
}
VEC_INLINE vf vf_deal(vf v)
{
    return v;
}
VEC_INLINE vf vf_collect(vf v)
{
    return v;
}

/* ---- sums of 16 partial sums, see vector/vec.h ---- */

VEC_INLINE vf vf_fold(const vf s[VL])
{
    vf t[4] = { s[0], s[1], s[2], s[3] };
    vf_transpose4(t);
    return (t[0] + t[2]) + (t[1] + t[3]);
}

VEC_INLINE float vf_fold_one(vf s)
{
    const float32x2_t pair = vadd_f32(vget_low_f32(s), vget_high_f32(s));
    return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
}

VEC_INLINE float vf_largest(vf s)
{
    return vmaxvq_f32(s);
}

/* ---- comparisons ---- */

typedef uint32x4_t vm; /* all bits of a lane */

VEC_INLINE vm vf_gt(vf a, vf b)
{
    return vcgtq_f32(a, b);
}
VEC_INLINE vf vf_select(vm m, vf a, vf b)
{
    return vbslq_f32(m, a, b);
}
VEC_INLINE unsigned vm_bits(vm m)
{
    static const uint32_t bits[VL] = { 1, 2, 4, 8 };
    return vaddvq_u32(vandq_u32(m, vld1q_u32(bits)));
}
VEC_INLINE unsigned vf_within(vf a, float lo, float hi)
{
    return vm_bits(vandq_u32(vcgeq_f32(a, vf_set(lo)), vcleq_f32(a, vf_set(hi))));
}
VEC_INLINE unsigned vf_nonzero(vf a)
{
    return vm_bits(vmvnq_u32(vceqzq_f32(a)));
}
VEC_INLINE unsigned vf_not_positive(vf a)
{
    return vm_bits(vclezq_f32(a));
}
VEC_INLINE vi vi_where_nonzero(vf a, vi b, vi c)
{
    return vbslq_s32(vceqzq_f32(a), c, b);
}

/* ---- what the original network needs besides ---- */

VEC_INLINE vf vf_gather(const float *p, int step)
{
    if (step == 1)
        return vf_load(p);
    const float lanes[VL] = { p[0], p[step], p[2 * (ptrdiff_t)step], p[3 * (ptrdiff_t)step] };
    return vf_load(lanes);
}
VEC_INLINE vf vf_sub_double(vf a, double d)
{
    const float64x2_t s = vdupq_n_f64(d);
    const float32x2_t lo = vcvt_f32_f64(vcvt_f64_f32(vget_low_f32(a)) - s);
    return vcvt_high_f32_f64(lo, vcvt_high_f64_f32(a) - s);
}

/* ---- eight floats: four pixels of two channels ---- */

typedef struct oct {
    f4 low, high;
} oct;

VEC_INLINE oct oct_load(const float *p)
{
    return (oct){ f4_load(p), f4_load(p + 4) };
}
VEC_INLINE void oct_store(float *p, oct v)
{
    f4_store(p, v.low);
    f4_store(p + 4, v.high);
}
VEC_INLINE oct oct_repeat(f4 v)
{
    const f4 pairs = f4_low_pairs(v, v);
    return (oct){ pairs, pairs };
}
VEC_INLINE oct oct_mix(oct a, oct b, oct c, oct d)
{
    return (oct){ f4_fma(a.low, b.low, c.low * d.low), f4_fma(a.high, b.high, c.high * d.high) };
}

#endif
