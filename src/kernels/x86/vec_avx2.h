/* The vocabulary of vector/vec.h on AVX2: 8 floats. Included by vector/vec.h, not on its own. */
#ifndef DAIN_KERNELS_X86_VEC_AVX2_H
#define DAIN_KERNELS_X86_VEC_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL(name) name##_avx2
enum { VL = 8, VQ = VL / 4 };
typedef __m256 vf;
typedef __m256i vi;

/* ---- loads, stores, constants; _n: the first n lanes (0 .. VL), the others read as 0 ---- */

VEC_INLINE __m256i vec_mask(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VEC_INLINE vf vf_set(float v)
{
    return _mm256_set1_ps(v);
}
VEC_INLINE vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
VEC_INLINE vf vf_load_n(const float *p, int n)
{
    return _mm256_maskload_ps(p, vec_mask(n));
}
VEC_INLINE void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}
VEC_INLINE void vf_store_n(float *p, vf v, int n)
{
    _mm256_maskstore_ps(p, vec_mask(n), v);
}
VEC_INLINE vf vf_first(vf a, vf b, int n)
{
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(vec_mask(n)));
}
VEC_INLINE vi vi_set(int v)
{
    return _mm256_set1_epi32(v);
}
VEC_INLINE vi vi_load(const int *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
VEC_INLINE vi vi_load_words(const uint16_t *p)
{
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
}
/* All lanes 0 .. 65535. */
VEC_INLINE void vi_store_words(uint16_t *p, vi v)
{
    _mm_storeu_si128((__m128i *)p,
                     _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}
VEC_INLINE vi vi_min(vi a, vi b)
{
    return _mm256_min_epi32(a, b);
}
VEC_INLINE void vi_store(int *p, vi v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}
VEC_INLINE vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}
VEC_INLINE vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}
VEC_INLINE vi vi_mul(vi a, vi b)
{
    return _mm256_mullo_epi32(a, b);
}

/* ---- arithmetic ---- */

VEC_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
VEC_INLINE vf vf_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
VEC_INLINE vf vf_fms(vf a, vf b, vf c)
{
    return _mm256_fmsub_ps(a, b, c);
}
VEC_INLINE vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
VEC_INLINE vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}
VEC_INLINE vf vf_abs(vf a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
VEC_INLINE vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}
VEC_INLINE vi vi_truncate(vf a)
{
    return _mm256_cvttps_epi32(a);
}
VEC_INLINE vi vi_round(vf a)
{
    return _mm256_cvtps_epi32(a);
}
VEC_INLINE vf vf_from(vi a)
{
    return _mm256_cvtepi32_ps(a);
}
VEC_INLINE vf vf_scale2(vf p, vi n)
{
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(n, 23)));
}
VEC_INLINE vi vi_iota(void)
{
    return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}

/* ---- quads ---- */

VEC_INLINE vf q_join(const f4 quad[VQ])
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(quad[0]), quad[1], 1);
}

/* Quad l of v. l must be a constant after unrolling. */
VEC_INLINE f4 q_get(vf v, int l)
{
    return l ? _mm256_extractf128_ps(v, 1) : _mm256_castps256_ps128(v);
}

/* Lane 4l+i = p[i] for every l. */
VEC_INLINE vf q_repeat(const float *p)
{
    return _mm256_broadcast_ps((const __m128 *)p);
}

/* Lanes 4l .. 4l+3 = the number at p + l step. */
VEC_INLINE vf q_spread(const float *p, ptrdiff_t step)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_set1_ps(p[0])), _mm_set1_ps(p[step]), 1);
}

/* Lane 4l+3 = v for every l. */
VEC_INLINE vf q_set_last(vf quads, float v)
{
    return _mm256_blend_ps(quads, _mm256_set1_ps(v), 0x88);
}

/* Byte k of the result = byte order[k] of the 4 VQ bytes at p, 0 where order[k] < 0. */
VEC_INLINE vi vi_pick_bytes(const uint8_t *p, const int8_t order[4 * VL])
{
    const __m128i raw = _mm_loadl_epi64((const __m128i *)p);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(raw),
                               _mm256_loadu_si256((const __m256i *)order));
}

/* Byte k of the result = lane order[k] of v, all 0 .. 255; 0 where order[k] < 0. */
VEC_INLINE void vi_store_bytes(uint8_t bytes[16], vi v, const int8_t order[16])
{
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128((__m128i *)bytes, _mm_shuffle_epi8(_mm_packus_epi16(words, words),
                                                        _mm_loadu_si128((const __m128i *)order)));
}

/* Of every quad of a and b, the even and the odd lanes: a0 a2 b0 b2, a1 a3 b1 b3. */
VEC_INLINE vf vf_even(vf a, vf b)
{
    return _mm256_shuffle_ps(a, b, 0x88);
}

VEC_INLINE vf vf_odd(vf a, vf b)
{
    return _mm256_shuffle_ps(a, b, 0xdd);
}

/* Transposes the 4x4 matrix whose rows are the lanes 4l .. 4l+3 of r[0] .. r[3], for every l. */
VEC_INLINE void vf_transpose4(vf r[4])
{
    const vf a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    const vf c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    r[0] = _mm256_shuffle_ps(a, c, 0x44);
    r[1] = _mm256_shuffle_ps(a, c, 0xee);
    r[2] = _mm256_shuffle_ps(b, d, 0x44);
    r[3] = _mm256_shuffle_ps(b, d, 0xee);
}

/* ---- vectors over pixels from interleaved channels ---- */

/* Lane VQ k + l of the result = lane 4l + k of v, and back: between transposed quads of neighbours
 * and the order of pixels. */
VEC_INLINE vf vf_deal(vf v)
{
    return _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

VEC_INLINE vf vf_collect(vf v)
{
    return _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
}

/* ---- sums of 16 partial sums ---- */

/* Lane i of the result = canon_fold16 of s[i] (folded by vf_fold_parts already). */
VEC_INLINE vf vf_fold(const vf s[VL])
{
    vf t[4], u[2];
    for (int e = 0; e < 4; e++) /* 8 -> 4: quads belong to s[e], s[4+e] */
        t[e] = _mm256_permute2f128_ps(s[e], s[4 + e], 0x20) +
               _mm256_permute2f128_ps(s[e], s[4 + e], 0x31);
    for (int e = 0; e < 2; e++)
        u[e] = _mm256_shuffle_ps(t[2 * e], t[2 * e + 1], 0x44) +
               _mm256_shuffle_ps(t[2 * e], t[2 * e + 1], 0xee);
    return _mm256_shuffle_ps(u[0], u[1], 0x88) + _mm256_shuffle_ps(u[0], u[1], 0xdd);
}

/* canon_fold16 of one vector. */
VEC_INLINE float vf_fold_one(vf s)
{
    return f8_fold(s);
}

/* The largest lane. */
VEC_INLINE float vf_largest(vf s)
{
    return f8_largest(s);
}

/* ---- comparisons; bits: bit i for lane i ---- */

typedef __m256 vm; /* all bits of a lane */

VEC_INLINE vm vf_gt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
VEC_INLINE vf vf_select(vm m, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, m);
}
VEC_INLINE unsigned vf_within(vf a, float lo, float hi)
{
    return (unsigned)_mm256_movemask_ps(_mm256_and_ps(_mm256_cmp_ps(a, vf_set(lo), _CMP_GE_OQ),
                                                      _mm256_cmp_ps(a, vf_set(hi), _CMP_LE_OQ)));
}
VEC_INLINE unsigned vf_nonzero(vf a)
{
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NEQ_UQ));
}
VEC_INLINE unsigned vf_not_positive(vf a)
{
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_LE_OQ));
}
VEC_INLINE vi vi_where_nonzero(vf a, vi b, vi c)
{
    const vm m = _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NEQ_UQ);
    return _mm256_blendv_epi8(c, b, _mm256_castps_si256(m));
}

/* ---- what the original network needs besides ---- */

VEC_INLINE vf vf_gather(const float *p, int step)
{
    return step == 1 ? vf_load(p) : _mm256_i32gather_ps(p, vi_mul(vi_iota(), vi_set(step)), 4);
}
VEC_INLINE vf vf_sub_double(vf a, double d)
{
    const __m256d s = _mm256_set1_pd(d);
    const __m128 lo = _mm256_cvtpd_ps(_mm256_cvtps_pd(_mm256_castps256_ps128(a)) - s);
    const __m128 hi = _mm256_cvtpd_ps(_mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)) - s);
    return _mm256_insertf128_ps(_mm256_castps128_ps256(lo), hi, 1);
}

#endif
