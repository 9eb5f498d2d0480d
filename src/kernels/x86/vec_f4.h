/* What AVX2 and AVX-512 have in common: one pixel of up to 4 channels, and eight floats. Included by
 * vector/vec.h, not on its own. */
#ifndef DAIN_KERNELS_X86_VEC_F4_H
#define DAIN_KERNELS_X86_VEC_F4_H

#include <immintrin.h>
#include <string.h>

typedef __m128 f4;

VEC_INLINE void vec_prefetch(const float *p)
{
    _mm_prefetch(p, _MM_HINT_T0);
}

VEC_INLINE f4 f4_set(float v)
{
    return _mm_set1_ps(v);
}

VEC_INLINE f4 f4_fma(f4 a, f4 b, f4 c) /* a b + c */
{
    return _mm_fmadd_ps(a, b, c);
}

VEC_INLINE f4 f4_floor(f4 v)
{
    return _mm_floor_ps(v);
}

/* a0 a1 b0 b1 */
VEC_INLINE f4 f4_low_pairs(f4 a, f4 b)
{
    return _mm_movelh_ps(a, b);
}

/* a2 a3 b2 b3 */
VEC_INLINE f4 f4_high_pairs(f4 a, f4 b)
{
    return _mm_movehl_ps(b, a);
}

/* a0 a2 b0 b2 */
VEC_INLINE f4 f4_even(f4 a, f4 b)
{
    return _mm_shuffle_ps(a, b, 0x88);
}

/* a1 a3 b1 b3 */
VEC_INLINE f4 f4_odd(f4 a, f4 b)
{
    return _mm_shuffle_ps(a, b, 0xdd);
}

/* Two neighbours at p, then zeros. */
VEC_INLINE f4 f4_pair(const float *p)
{
    double pair; /* p is aligned for floats only */
    memcpy(&pair, p, sizeof pair);
    return _mm_castpd_ps(_mm_set_sd(pair));
}

/* Two neighbours at each of p and q. */
VEC_INLINE f4 f4_two_pairs(const float *p, const float *q)
{
    return _mm_loadh_pi(f4_pair(p), (const __m64 *)q);
}

VEC_INLINE f4 f4_load(const float *p)
{
    return _mm_loadu_ps(p);
}

VEC_INLINE void f4_store(float *p, f4 v)
{
    _mm_storeu_ps(p, v);
}

/* Stores the first n of 4 lanes. */
VEC_INLINE void f4_store_n(float *p, f4 v, int n)
{
    if (n == 4) {
        _mm_storeu_ps(p, v);
        return;
    }
    if (n & 2)
        _mm_storel_pi((__m64 *)p, v);
    if (n & 1)
        _mm_store_ss(p + (n & 2), n & 2 ? _mm_movehl_ps(v, v) : v);
}

/* canon_fold16 from 8 sums on. */
VEC_INLINE float f8_fold(__m256 h)
{
    f4 q = _mm256_castps256_ps128(h) + _mm256_extractf128_ps(h, 1);
    q = q + _mm_movehl_ps(q, q);
    return _mm_cvtss_f32(q) + _mm_cvtss_f32(_mm_movehdup_ps(q));
}

/* The largest of 8. */
VEC_INLINE float f8_largest(__m256 h)
{
    f4 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

/* ---- eight floats: four pixels of two channels ---- */

typedef __m256 oct;

VEC_INLINE oct oct_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

VEC_INLINE void oct_store(float *p, oct v)
{
    _mm256_storeu_ps(p, v);
}

/* v0 v1 four times */
VEC_INLINE oct oct_repeat(f4 v)
{
    return _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(v)));
}

/* a * b + c * d, the second product rounded */
VEC_INLINE oct oct_mix(oct a, oct b, oct c, oct d)
{
    return _mm256_fmadd_ps(a, b, c * d);
}

#endif
