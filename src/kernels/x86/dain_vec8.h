/* Eight floats at a time (AVX2), for the sources that are compiled for both widths. */
#ifndef DAIN_KERNELS_X86_DAIN_VEC8_H
#define DAIN_KERNELS_X86_DAIN_VEC8_H

#include "kernels/x86/dain_oct.h"

#include <immintrin.h>

#define KERNEL(name) name##_avx2
enum { VEC = 8 };
typedef __m256 vec;
typedef __m256i veci;
typedef __m256 vecmask; /* all bits of a lane */

static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}
/* The first n lanes, 1 .. VEC. */
static inline void vec_store_n(float *p, vec v, int n)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lanes), v);
}
static inline vec vec_load_n(const float *p, int n)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lanes));
}
static inline vec vec_set(float f)
{
    return _mm256_set1_ps(f);
}
static inline vec vec_zero(void)
{
    return _mm256_setzero_ps();
}
static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}
static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}
static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}
/* a * b + c, one rounding */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
/* c - a * b, one rounding */
static inline vec vec_fnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
/* a > b ? a : b, b if not comparable */
static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}
static inline vecmask vec_gt(vec a, vec b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}
static inline vec vec_select(vecmask m, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, m);
}
static inline vec vec_abs(vec a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
/* p * 2^n through the exponent bits, n whole */
static inline vec vec_scale_exp2(vec p, vec n)
{
    const veci shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shift));
}
/* (float)((double)a - d) */
static inline vec vec_sub_double(vec a, double d)
{
    const __m256d s = _mm256_set1_pd(d);
    const __m128 lo = _mm256_cvtpd_ps(_mm256_sub_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(a)), s));
    const __m128 hi =
        _mm256_cvtpd_ps(_mm256_sub_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)), s));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(lo), hi, 1);
}
/* Bit i set: lane i of a accepted, lo <= a <= hi. */
static inline unsigned vec_within(vec a, float lo, float hi)
{
    return (unsigned)_mm256_movemask_ps(
        _mm256_and_ps(_mm256_cmp_ps(a, _mm256_set1_ps(lo), _CMP_GE_OQ),
                      _mm256_cmp_ps(a, _mm256_set1_ps(hi), _CMP_LE_OQ)));
}
/* Bit i set: lane i is not 0 (a lane that is not a number counts as not 0). */
static inline unsigned vec_nonzero(vec a)
{
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NEQ_UQ));
}
/* Bit i set: lane i <= 0. */
static inline unsigned vec_not_positive(vec a)
{
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_LE_OQ));
}
/* where a is not 0: n, else old; whole numbers */
static inline void veci_store_nonzero(int *p, vec a, int n, const int *old)
{
    const __m256 m = _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NEQ_UQ);
    const __m256 o = _mm256_loadu_ps((const float *)(const void *)old);
    const __m256 v = _mm256_castsi256_ps(_mm256_set1_epi32(n));
    _mm256_storeu_ps((float *)(void *)p, _mm256_blendv_ps(o, v, m));
}
static inline void veci_store_truncated(int *p, vec a)
{
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_cvttps_epi32(a));
}
static inline vec vec_iota(void)
{
    return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
}
/* Lane i = p[i * step] */
static inline vec vec_gather(const float *p, int step)
{
    if (step == 1)
        return _mm256_loadu_ps(p);
    const __m256i index =
        _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(step));
    return _mm256_i32gather_ps(p, index, 4);
}

#endif
