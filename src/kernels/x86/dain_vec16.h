/* Sixteen floats at a time (AVX-512), for the sources that are compiled for both widths. */
#ifndef DAIN_KERNELS_X86_DAIN_VEC16_H
#define DAIN_KERNELS_X86_DAIN_VEC16_H

#include "kernels/x86/dain_oct.h"

#include <immintrin.h>

#define KERNEL(name) name##_avx512
enum { VEC = 16 };
typedef __m512 vec;
typedef __m512i veci;
typedef __mmask16 vecmask;

static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
static inline void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}
/* The first n lanes, 1 .. VEC. */
static inline void vec_store_n(float *p, vec v, int n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1u), v);
}
static inline vec vec_load_n(const float *p, int n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), p);
}
static inline vec vec_set(float f)
{
    return _mm512_set1_ps(f);
}
static inline vec vec_zero(void)
{
    return _mm512_setzero_ps();
}
static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}
static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}
static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}
/* a * b + c, one rounding */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
/* c - a * b, one rounding */
static inline vec vec_fnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
/* a > b ? a : b, b if not comparable */
static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}
static inline vecmask vec_gt(vec a, vec b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}
static inline vec vec_select(vecmask m, vec a, vec b)
{
    return _mm512_mask_blend_ps(m, b, a);
}
static inline vec vec_abs(vec a)
{
    return _mm512_abs_ps(a);
}
/* p * 2^n through the exponent bits, n whole */
static inline vec vec_scale_exp2(vec p, vec n)
{
    const veci shift = _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), shift));
}
/* (float)((double)a - d) */
static inline vec vec_sub_double(vec a, double d)
{
    const __m512d s = _mm512_set1_pd(d);
    const __m256 low = _mm512_castps512_ps256(a), high = _mm512_extractf32x8_ps(a, 1);
    const __m256 lo = _mm512_cvtpd_ps(_mm512_sub_pd(_mm512_cvtps_pd(low), s));
    const __m256 hi = _mm512_cvtpd_ps(_mm512_sub_pd(_mm512_cvtps_pd(high), s));
    return _mm512_insertf32x8(_mm512_castps256_ps512(lo), hi, 1);
}
/* Bit i set: lane i of a accepted, lo <= a <= hi. */
static inline unsigned vec_within(vec a, float lo, float hi)
{
    return _mm512_cmp_ps_mask(a, _mm512_set1_ps(lo), _CMP_GE_OQ) &
           _mm512_cmp_ps_mask(a, _mm512_set1_ps(hi), _CMP_LE_OQ);
}
/* Bit i set: lane i is not 0 (a lane that is not a number counts as not 0). */
static inline unsigned vec_nonzero(vec a)
{
    return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NEQ_UQ);
}
/* Bit i set: lane i <= 0. */
static inline unsigned vec_not_positive(vec a)
{
    return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LE_OQ);
}
/* where a is not 0: n, else old; whole numbers */
static inline void veci_store_nonzero(int *p, vec a, int n, const int *old)
{
    const __mmask16 m = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_si512(p,
                        _mm512_mask_blend_epi32(m, _mm512_loadu_si512(old), _mm512_set1_epi32(n)));
}
static inline void veci_store_truncated(int *p, vec a)
{
    _mm512_storeu_si512(p, _mm512_cvttps_epi32(a));
}
static inline vec vec_iota(void)
{
    return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
/* Lane i = p[i * step] */
static inline vec vec_gather(const float *p, int step)
{
    if (step == 1)
        return _mm512_loadu_ps(p);
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_i32gather_ps(_mm512_mullo_epi32(lanes, _mm512_set1_epi32(step)), p, 4);
}

#endif
