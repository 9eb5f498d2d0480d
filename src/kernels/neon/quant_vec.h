/* The vocabulary of vector/quant_vec.h on NEON. Included there, not on its own. */
#ifndef DAIN_KERNELS_NEON_QUANT_VEC_H
#define DAIN_KERNELS_NEON_QUANT_VEC_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

typedef int16x8_t vw;
typedef int16x8_t hw;
enum { VW = 8, HW = 8 };

/* ---- words ---- */

VEC_INLINE hw hw_set(int v)
{
    return vdupq_n_s16((int16_t)v);
}
VEC_INLINE hw hw_load(const uint8_t *p)
{
    return vreinterpretq_s16_u16(vmovl_u8(vld1_u8(p)));
}
VEC_INLINE hw hw_load_shifted(const uint8_t *p)
{
    return vreinterpretq_s16_u16(vshll_n_u8(vld1_u8(p), 7));
}
VEC_INLINE hw hw_add(hw a, hw b)
{
    return vaddq_s16(a, b);
}
VEC_INLINE hw hw_shift_right7(hw a)
{
    return vreinterpretq_s16_u16(vshrq_n_u16(vreinterpretq_u16_s16(a), 7));
}
/* lerp() of the reference. */
VEC_INLINE hw hw_lerp(hw a, hw b, hw f)
{
    return vaddq_s16(a, vqrdmulhq_s16(vsubq_s16(b, a), f));
}
/* Stores the first n of 8 words, all 0 .. 255, as codes. */
VEC_INLINE void hw_store_n(uint8_t *p, hw v, int n)
{
    const uint8x8_t codes = vmovn_u16(vreinterpretq_u16_s16(v));
    uint8_t bytes[8];

    if (n >= 8) {
        vst1_u8(p, codes);
        return;
    }
    vst1_u8(bytes, codes);
    memcpy(p, bytes, (size_t)n);
}
VEC_INLINE vw vw_set(int v)
{
    return hw_set(v);
}
VEC_INLINE vw vw_load(const uint8_t *p)
{
    return hw_load(p);
}
VEC_INLINE vw vw_add(vw a, vw b)
{
    return hw_add(a, b);
}
VEC_INLINE vw vw_times3(vw a)
{
    return vmulq_n_s16(a, 3);
}
VEC_INLINE vw vw_shift_right4(vw a)
{
    return vreinterpretq_s16_u16(vshrq_n_u16(vreinterpretq_u16_s16(a), 4));
}
VEC_INLINE void vw_store_n(uint8_t *p, vw v, int n)
{
    hw_store_n(p, v, n);
}

/* ---- codes as 32-bit integers ---- */

VEC_INLINE vi vi_load_codes(const uint8_t *p)
{
    uint32_t four;

    memcpy(&four, p, sizeof four);
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}
/* Stores the first n of the bytes in the low half of words. */
VEC_INLINE void bytes_store_n(void *p, int16x4_t words, int n)
{
    const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
    const uint32_t four = vget_lane_u32(vreinterpret_u32_s8(bytes), 0);

    memcpy(p, &four, n >= 4 ? 4 : (size_t)n);
}
/* Stores the first n lanes, all 0 .. 255. */
VEC_INLINE void vi_store_codes_n(uint8_t *p, vi v, int n)
{
    bytes_store_n(p, vmovn_s32(v), n);
}
/* code_from_f32() of the first n lanes: the conversion saturates where that makes 0 of what no
 * 32-bit integer holds. */
VEC_INLINE void vf_store_codes_n(uint8_t *p, vf v, int n)
{
    const uint32x4_t fits = vcltq_f32(v, vdupq_n_f32(0x1p31f));
    const vi q = vandq_s32(vi_round(v), vreinterpretq_s32_u32(fits));

    vi_store_codes_n(p, vminq_s32(vmaxq_s32(q, vi_set(0)), vi_set(255)), n);
}
/* v > 0 ? v : v * slope. */
VEC_INLINE vf vf_activate(vf v, vf slope)
{
    return vbslq_f32(vcgtzq_f32(v), v, v * slope);
}

/* ---- bfloat16 ---- */

VEC_INLINE vf vf_load_bf16(const uint16_t *p)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}
/* bf16_from_f32() of the first n lanes. */
VEC_INLINE void vf_store_bf16_n(uint16_t *p, vf v, int n)
{
    const uint32x4_t bits = vreinterpretq_u32_f32(v), high = vshrq_n_u32(bits, 16);
    const uint32x4_t half = vaddq_u32(vandq_u32(high, vdupq_n_u32(1)), vdupq_n_u32(0x7fff));
    const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(bits, half), 16);
    const uint32x4_t quiet = vorrq_u32(high, vdupq_n_u32(0x40));
    const uint16x4_t elements = vmovn_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet));
    uint16_t some[4];

    if (n >= 4) {
        vst1_u16(p, elements);
        return;
    }
    vst1_u16(some, elements);
    memcpy(p, some, (size_t)n * sizeof *p);
}

/* ---- sums over channels ---- */

/* n (up to 16) bytes, the rest zero. */
VEC_INLINE uint8x16_t bytes_load(const void *p, int n)
{
    static const uint8_t ones[32] = { 255, 255, 255, 255, 255, 255, 255, 255,
                                      255, 255, 255, 255, 255, 255, 255, 255 };
    const uint8x16_t v = vld1q_u8(p);

    return n >= 16 ? v : vandq_u8(v, vld1q_u8(ones + 16 - n));
}

/* Stores the first n lanes as bytes, clamped to -128 .. 127. */
VEC_INLINE void vi_store_signed_n(int8_t *p, vi v, int n)
{
    const int16x4_t words = vqmovn_s32(v);

    bytes_store_n(p, vmin_s16(vmax_s16(words, vdup_n_s16(-128)), vdup_n_s16(127)), n);
}

/* Sums of c codes and of their squares. */
VEC_INLINE void codes_moments(int32_t *s, int32_t *squares, const uint8_t *p, const int c)
{
    uint32x4_t sums = vdupq_n_u32(0), square_sums = sums;

    for (int k = 0; k < c; k += 16) {
        const uint8x16_t q = bytes_load(p + k, c - k);
#if defined(__ARM_FEATURE_DOTPROD)
        sums = vdotq_u32(sums, q, vdupq_n_u8(1));
        square_sums = vdotq_u32(square_sums, q, q);
#else
        sums = vpadalq_u16(sums, vpaddlq_u8(q));
        square_sums = vpadalq_u16(square_sums, vmull_u8(vget_low_u8(q), vget_low_u8(q)));
        square_sums = vpadalq_u16(square_sums, vmull_high_u8(q, q));
#endif
    }
    *s = (int32_t)vaddvq_u32(sums);
    *squares = (int32_t)vaddvq_u32(square_sums);
}

/* Sum of the products of c signed codes. */
VEC_INLINE int32_t codes_dot(const int8_t *p, const int8_t *q, int c)
{
    int32x4_t sum = vdupq_n_s32(0);

    for (int k = 0; k < c; k += 16) {
        const int8x16_t a = vreinterpretq_s8_u8(bytes_load(p + k, c - k)), b = vld1q_s8(q + k);
#if defined(__ARM_FEATURE_DOTPROD)
        sum = vdotq_s32(sum, a, b);
#else
        sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        sum = vpadalq_s16(sum, vmull_high_s8(a, b));
#endif
    }
    return vaddvq_s32(sum);
}

#endif
