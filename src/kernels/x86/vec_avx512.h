/* The vocabulary of vector/vec.h on AVX-512: 16 floats. Included by vector/vec.h, not on its own. */
#ifndef DAIN_KERNELS_X86_VEC_AVX512_H
#define DAIN_KERNELS_X86_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL(name) name##_avx512
enum { VL = 16, VQ = VL / 4 };
typedef __m512 vf;
typedef __m512i vi;

/* ---- loads, stores, constants; _n: the first n lanes (0 .. VL), the others read as 0 ---- */

VEC_INLINE __mmask16 vec_mask(int n)
{
    return (__mmask16)((1u << n) - 1);
}
VEC_INLINE vf vf_set(float v)
{
    return _mm512_set1_ps(v);
}
VEC_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
VEC_INLINE vf vf_load_n(const float *p, int n)
{
    return _mm512_maskz_loadu_ps(vec_mask(n), p);
}
VEC_INLINE void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}
VEC_INLINE void vf_store_n(float *p, vf v, int n)
{
    _mm512_mask_storeu_ps(p, vec_mask(n), v);
}
/* Lanes below n from a, the others from b. */
VEC_INLINE vf vf_first(vf a, vf b, int n)
{
    return _mm512_mask_blend_ps(vec_mask(n), b, a);
}
VEC_INLINE vi vi_set(int v)
{
    return _mm512_set1_epi32(v);
}
VEC_INLINE vi vi_load(const int *p)
{
    return _mm512_loadu_si512(p);
}
VEC_INLINE vi vi_load_words(const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
}
/* All lanes 0 .. 65535. */
VEC_INLINE void vi_store_words(uint16_t *p, vi v)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(v));
}
VEC_INLINE vi vi_min(vi a, vi b)
{
    return _mm512_min_epi32(a, b);
}
VEC_INLINE void vi_store(int *p, vi v)
{
    _mm512_storeu_si512(p, v);
}
VEC_INLINE vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}
VEC_INLINE vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}
VEC_INLINE vi vi_mul(vi a, vi b)
{
    return _mm512_mullo_epi32(a, b);
}

/* ---- arithmetic ---- */

VEC_INLINE vf vf_fma(vf a, vf b, vf c) /* a b + c */
{
    return _mm512_fmadd_ps(a, b, c);
}
VEC_INLINE vf vf_fnma(vf a, vf b, vf c) /* -a b + c */
{
    return _mm512_fnmadd_ps(a, b, c);
}
VEC_INLINE vf vf_fms(vf a, vf b, vf c) /* a b - c */
{
    return _mm512_fmsub_ps(a, b, c);
}
VEC_INLINE vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
VEC_INLINE vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}
VEC_INLINE vf vf_abs(vf a)
{
    return _mm512_abs_ps(a);
}
VEC_INLINE vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}
VEC_INLINE vi vi_truncate(vf a)
{
    return _mm512_cvttps_epi32(a);
}
VEC_INLINE vi vi_round(vf a) /* ties to even */
{
    return _mm512_cvtps_epi32(a);
}
VEC_INLINE vf vf_from(vi a)
{
    return _mm512_cvtepi32_ps(a);
}
/* p times 2^n through the exponent bits. */
VEC_INLINE vf vf_scale2(vf p, vi n)
{
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(n, 23)));
}
VEC_INLINE vi vi_iota(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* ---- quads ---- */

VEC_INLINE vf q_join(const f4 quad[VQ])
{
    __m512 v = _mm512_castps128_ps512(quad[0]);
    v = _mm512_insertf32x4(v, quad[1], 1);
    v = _mm512_insertf32x4(v, quad[2], 2);
    return _mm512_insertf32x4(v, quad[3], 3);
}

/* Quad l of v. l must be a constant after unrolling. */
VEC_INLINE f4 q_get(vf v, int l)
{
    switch (l) {
    case 0:
        return _mm512_castps512_ps128(v);
    case 1:
        return _mm512_extractf32x4_ps(v, 1);
    case 2:
        return _mm512_extractf32x4_ps(v, 2);
    default:
        return _mm512_extractf32x4_ps(v, 3);
    }
}

/* Lane 4l+i = p[i] for every l. */
VEC_INLINE vf q_repeat(const float *p)
{
    return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
}

/* Lanes 4l .. 4l+3 = the number at p + l step. */
VEC_INLINE vf q_spread(const float *p, ptrdiff_t step)
{
    const __m128 v =
        step == 1 ? _mm_loadu_ps(p) : _mm_setr_ps(p[0], p[step], p[2 * step], p[3 * step]);
    const __m512i index = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return _mm512_permutexvar_ps(index, _mm512_castps128_ps512(v));
}

/* Lane 4l+3 = v for every l. */
VEC_INLINE vf q_set_last(vf quads, float v)
{
    return _mm512_mask_blend_ps(0x8888, quads, _mm512_set1_ps(v));
}

/* Byte k of the result = byte order[k] of the 4 VQ bytes at p, 0 where order[k] < 0. */
VEC_INLINE vi vi_pick_bytes(const uint8_t *p, const int8_t order[4 * VL])
{
    const __m128i raw = _mm_loadu_si128((const __m128i *)p);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(raw), _mm512_loadu_si512(order));
}

/* Byte k of the result = lane order[k] of v, all 0 .. 255; 0 where order[k] < 0. */
VEC_INLINE void vi_store_bytes(uint8_t bytes[16], vi v, const int8_t order[16])
{
    _mm_storeu_si128((__m128i *)bytes, _mm_shuffle_epi8(_mm512_cvtepi32_epi8(v),
                                                        _mm_loadu_si128((const __m128i *)order)));
}

/* Of every quad of a and b, the even and the odd lanes: a0 a2 b0 b2, a1 a3 b1 b3. */
VEC_INLINE vf vf_even(vf a, vf b)
{
    return _mm512_shuffle_ps(a, b, 0x88);
}

VEC_INLINE vf vf_odd(vf a, vf b)
{
    return _mm512_shuffle_ps(a, b, 0xdd);
}

/* Transposes the 4x4 matrix whose rows are the lanes 4l .. 4l+3 of r[0] .. r[3], for every l. */
VEC_INLINE void vf_transpose4(vf r[4])
{
    const vf a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
    const vf c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
    r[0] = _mm512_shuffle_ps(a, c, 0x44);
    r[1] = _mm512_shuffle_ps(a, c, 0xee);
    r[2] = _mm512_shuffle_ps(b, d, 0x44);
    r[3] = _mm512_shuffle_ps(b, d, 0xee);
}

/* ---- vectors over pixels from interleaved channels ---- */

/* Lane VQ k + l of the result = lane 4l + k of v, and back: between transposed quads of neighbours
 * and the order of pixels. */
VEC_INLINE vf vf_deal(vf v)
{
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v);
}

VEC_INLINE vf vf_collect(vf v)
{
    return vf_deal(v); /* its own inverse at this width */
}

/* ---- sums of 16 partial sums ---- */

/* Lane i of the result = canon_fold16 of s[i] (folded by vf_fold_parts already). */
VEC_INLINE vf vf_fold(const vf s[VL])
{
    vf t[4], u[2];
    for (int e = 0; e < 4; e++) {
        /* 16 -> 8 -> 4: quads of the result belong to s[e], s[4+e], s[8+e], s[12+e] */
        const vf a = s[e], b = s[4 + e], c = s[8 + e], d = s[12 + e];
        const vf ab = _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xee);
        const vf cd = _mm512_shuffle_f32x4(c, d, 0x44) + _mm512_shuffle_f32x4(c, d, 0xee);
        t[e] = _mm512_shuffle_f32x4(ab, cd, 0x88) + _mm512_shuffle_f32x4(ab, cd, 0xdd);
    }
    for (int e = 0; e < 2; e++) /* 4 -> 2 */
        u[e] = _mm512_shuffle_ps(t[2 * e], t[2 * e + 1], 0x44) +
               _mm512_shuffle_ps(t[2 * e], t[2 * e + 1], 0xee);
    return _mm512_shuffle_ps(u[0], u[1], 0x88) + _mm512_shuffle_ps(u[0], u[1], 0xdd);
}

/* canon_fold16 of one vector. */
VEC_INLINE float vf_fold_one(vf s)
{
    return f8_fold(_mm512_castps512_ps256(s) + _mm512_extractf32x8_ps(s, 1));
}

/* The largest lane. */
VEC_INLINE float vf_largest(vf s)
{
    return f8_largest(_mm256_max_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1)));
}

/* ---- comparisons; bits: bit i for lane i ---- */

typedef __mmask16 vm;

VEC_INLINE vm vf_gt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
VEC_INLINE vf vf_select(vm m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}
VEC_INLINE unsigned vf_within(vf a, float lo, float hi)
{
    return _mm512_cmp_ps_mask(a, vf_set(lo), _CMP_GE_OQ) &
           _mm512_cmp_ps_mask(a, vf_set(hi), _CMP_LE_OQ);
}
VEC_INLINE unsigned vf_nonzero(vf a)
{
    return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NEQ_UQ);
}
VEC_INLINE unsigned vf_not_positive(vf a)
{
    return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LE_OQ);
}
VEC_INLINE vi vi_where_nonzero(vf a, vi b, vi c)
{
    return _mm512_mask_blend_epi32((__mmask16)vf_nonzero(a), c, b);
}

/* ---- what the original network needs besides ---- */

VEC_INLINE vf vf_gather(const float *p, int step)
{
    return step == 1 ? vf_load(p) : _mm512_i32gather_ps(vi_mul(vi_iota(), vi_set(step)), p, 4);
}
VEC_INLINE vf vf_sub_double(vf a, double d)
{
    const __m512d s = _mm512_set1_pd(d);
    const __m256 low = _mm512_castps512_ps256(a), high = _mm512_extractf32x8_ps(a, 1);
    const __m256 lo = _mm512_cvtpd_ps(_mm512_cvtps_pd(low) - s);
    const __m256 hi = _mm512_cvtpd_ps(_mm512_cvtps_pd(high) - s);
    return _mm512_insertf32x8(_mm512_castps256_ps512(lo), hi, 1);
}

#endif
