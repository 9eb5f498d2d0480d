/* One vocabulary for both x86 vector widths and for NEON.
 *
 * The files of this folder that include it are compiled twice, with the flags of AVX2 and of
 * AVX-512, and once for NEON, whose instructions are in neon/vec.h; VL is the number of floats in a vector, KERNEL(name) the name of the version being
 * compiled. + - * / work on vf directly. Every operation rounds as its scalar namesake in canon.h
 * does, so a kernel written with these gives the same bits at both widths.
 *
 * "Quads": a vf seen as VQ pixels of 4 channels, pixel l in the lanes 4l .. 4l+3.
 */
#ifndef DAIN_KERNELS_VECTOR_VEC_H
#define DAIN_KERNELS_VECTOR_VEC_H

#include "kernels/canon.h"

#if defined(__aarch64__)
#include "kernels/neon/vec.h"
#else
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#define VEC_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#define KERNEL(name) name##_avx512
enum { VL = 16 };
typedef __m512 vf;
typedef __m512i vi;
#else
#define KERNEL(name) name##_avx2
enum { VL = 8 };
typedef __m256 vf;
typedef __m256i vi;
#endif
typedef __m128 f4;
enum { VQ = VL / 4 };

VEC_INLINE void vec_prefetch(const float *p)
{
    _mm_prefetch(p, _MM_HINT_T0);
}

/* ---- loads, stores, constants; _n: the first n lanes (0 .. VL), the others read as 0 ---- */

#if defined(__AVX512F__)
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
VEC_INLINE void vi_store(int *p, vi v)
{
    _mm512_storeu_si512(p, v);
}
VEC_INLINE vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}
VEC_INLINE vi vi_mul(vi a, vi b)
{
    return _mm512_mullo_epi32(a, b);
}
#else
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
VEC_INLINE void vi_store(int *p, vi v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}
VEC_INLINE vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}
VEC_INLINE vi vi_mul(vi a, vi b)
{
    return _mm256_mullo_epi32(a, b);
}
#endif

VEC_INLINE vf vf_zero(void)
{
    return vf_set(0.0f);
}

/* ---- arithmetic ---- */

#if defined(__AVX512F__)
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
#else
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
#endif

#endif /* __aarch64__ */

/* canon_clamp */
VEC_INLINE vf vf_clamp(vf v, vf lo, vf hi)
{
    return vf_min(vf_max(v, lo), hi);
}

/* canon_exp */
VEC_INLINE vf vf_exp(vf x)
{
    const vf magic = vf_set(CANON_ROUND);
    x = vf_clamp(x, vf_set(CANON_EXP_LO), vf_set(CANON_EXP_HI));
    const vf n = vf_fma(x, vf_set(CANON_LOG2E), magic) - magic;
    vf r = vf_fnma(n, vf_set(CANON_LN2_HI), x);
    r = vf_fnma(n, vf_set(CANON_LN2_LO), r);
    vf p = vf_fma(vf_set(CANON_EXP_C6), r, vf_set(CANON_EXP_C5));
    p = vf_fma(p, r, vf_set(CANON_EXP_C4));
    p = vf_fma(p, r, vf_set(CANON_EXP_C3));
    p = vf_fma(p, r, vf_set(CANON_EXP_C2));
    p = vf_fma(p, r * r, r) + vf_set(1.0f);
    return vf_scale2(p, vi_truncate(n));
}

/* canon_position, for maps of last + 1 pixels */
VEC_INLINE vf vf_position(vf v, vf last, vi *index)
{
    const vf p = vf_clamp(v, vf_zero(), last);
    *index = vi_truncate(p);
    return p - vf_from(*index);
}

/* canon_bilinear */
VEC_INLINE void vf_bilinear(vf ax, vf ay, vf w[4])
{
    const vf ux = vf_set(1.0f) - ax, uy = vf_set(1.0f) - ay;
    w[0] = ux * uy;
    w[1] = ax * uy;
    w[2] = ux * ay;
    w[3] = ax * ay;
}

#if !defined(__aarch64__)
/* ---- one pixel of up to 4 channels ---- */

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

/* Two neighbours at each of p and q. */
VEC_INLINE f4 f4_two_pairs(const float *p, const float *q)
{
    double pair; /* p is aligned for floats only */
    memcpy(&pair, p, sizeof pair);
    const f4 low = _mm_castpd_ps(_mm_set_sd(pair));
    return _mm_loadh_pi(low, (const __m64 *)q);
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

/* ---- quads ---- */

VEC_INLINE vf q_join(const f4 quad[VQ])
{
#if defined(__AVX512F__)
    __m512 v = _mm512_castps128_ps512(quad[0]);
    v = _mm512_insertf32x4(v, quad[1], 1);
    v = _mm512_insertf32x4(v, quad[2], 2);
    return _mm512_insertf32x4(v, quad[3], 3);
#else
    return _mm256_insertf128_ps(_mm256_castps128_ps256(quad[0]), quad[1], 1);
#endif
}

/* Quad l of v. l must be a constant after unrolling. */
VEC_INLINE f4 q_get(vf v, int l)
{
#if defined(__AVX512F__)
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
#else
    return l ? _mm256_extractf128_ps(v, 1) : _mm256_castps256_ps128(v);
#endif
}

/* Lane 4l+i = p[i] for every l. */
VEC_INLINE vf q_repeat(const float *p)
{
#if defined(__AVX512F__)
    return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
#else
    return _mm256_broadcast_ps((const __m128 *)p);
#endif
}

/* Lanes 4l .. 4l+3 = the number at p + l step. */
VEC_INLINE vf q_spread(const float *p, ptrdiff_t step)
{
#if defined(__AVX512F__)
    const __m128 v =
        step == 1 ? _mm_loadu_ps(p) : _mm_setr_ps(p[0], p[step], p[2 * step], p[3 * step]);
    const __m512i index = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return _mm512_permutexvar_ps(index, _mm512_castps128_ps512(v));
#else
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_set1_ps(p[0])), _mm_set1_ps(p[step]), 1);
#endif
}

/* Of every quad of a and b, the even and the odd lanes: a0 a2 b0 b2, a1 a3 b1 b3. */
VEC_INLINE vf vf_even(vf a, vf b)
{
#if defined(__AVX512F__)
    return _mm512_shuffle_ps(a, b, 0x88);
#else
    return _mm256_shuffle_ps(a, b, 0x88);
#endif
}

VEC_INLINE vf vf_odd(vf a, vf b)
{
#if defined(__AVX512F__)
    return _mm512_shuffle_ps(a, b, 0xdd);
#else
    return _mm256_shuffle_ps(a, b, 0xdd);
#endif
}

/* Transposes the 4x4 matrix whose rows are the lanes 4l .. 4l+3 of r[0] .. r[3], for every l. */
VEC_INLINE void vf_transpose4(vf r[4])
{
#if defined(__AVX512F__)
    const vf a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
    const vf c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
    r[0] = _mm512_shuffle_ps(a, c, 0x44);
    r[1] = _mm512_shuffle_ps(a, c, 0xee);
    r[2] = _mm512_shuffle_ps(b, d, 0x44);
    r[3] = _mm512_shuffle_ps(b, d, 0xee);
#else
    const vf a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    const vf c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    r[0] = _mm256_shuffle_ps(a, c, 0x44);
    r[1] = _mm256_shuffle_ps(a, c, 0xee);
    r[2] = _mm256_shuffle_ps(b, d, 0x44);
    r[3] = _mm256_shuffle_ps(b, d, 0xee);
#endif
}

/* ---- vectors over pixels from interleaved channels ---- */

/* Lane VQ k + l of the result = lane 4l + k of v, and back: between transposed quads of neighbours
 * and the order of pixels. */
VEC_INLINE vf vf_deal(vf v)
{
#if defined(__AVX512F__)
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v);
#else
    return _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
#endif
}

VEC_INLINE vf vf_collect(vf v)
{
#if defined(__AVX512F__)
    return vf_deal(v); /* its own inverse at this width */
#else
    return _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
#endif
}

#endif /* !__aarch64__ */

/* Lanes 4l .. 4l+3 from p + l step. */
VEC_INLINE vf q_load(const float *p, ptrdiff_t step)
{
    f4 quad[VQ];
    for (int l = 0; l < VQ; l++)
        quad[l] = f4_load(p + l * step);
    return q_join(quad);
}

VEC_INLINE void q_store(float *p, ptrdiff_t step, vf v)
{
    for (int l = 0; l < VQ; l++)
        f4_store(p + l * step, q_get(v, l));
}

/*
 * v[c] lane i = channel c of pixel i, for 4 channels; with fewer than VL pixels the last one is
 * repeated. Maps of fewer than 4 channels may be read too (within the slack of a view); what lies
 * behind their channels comes along and is ignored.
 */
VEC_INLINE void channels_load(vf v[4], const float *p, ptrdiff_t px, int n)
{
    if (n >= VL && px == 4) {
        for (int k = 0; k < 4; k++)
            v[k] = vf_load(p + k * VL);
        vf_transpose4(v);
        for (int k = 0; k < 4; k++)
            v[k] = vf_deal(v[k]);
        return;
    }
    if (n >= VL)
        for (int k = 0; k < 4; k++)
            v[k] = q_load(p + k * px, 4 * px);
    else {
        float pixels[4][VL];
        for (int i = 0; i < VL; i++)
            f4_store(pixels[i & 3] + (i & ~3), f4_load(p + (i < n ? i : n - 1) * px));
        for (int k = 0; k < 4; k++)
            v[k] = vf_load(pixels[k]);
    }
    vf_transpose4(v);
}

/* Stores the first c channels of n pixels. */
VEC_INLINE void channels_store(float *p, ptrdiff_t px, const vf v[4], int c, int n)
{
    vf r[4] = { v[0], v[1], v[2], v[3] };
    if (n >= VL && px == 4 && c == 4) {
        for (int k = 0; k < 4; k++)
            r[k] = vf_collect(r[k]);
        vf_transpose4(r);
        for (int k = 0; k < 4; k++)
            vf_store(p + k * VL, r[k]);
        return;
    }
    vf_transpose4(r);
    if (n >= VL)
        for (int l = 0; l < VQ; l++)
            for (int k = 0; k < 4; k++)
                f4_store_n(p + (4 * l + k) * px, q_get(r[k], l), c);
    else {
        float pixels[4][VL];
        for (int k = 0; k < 4; k++)
            vf_store(pixels[k], r[k]);
        for (int i = 0; i < n; i++)
            f4_store_n(p + i * px, f4_load(pixels[i & 3] + (i & ~3)), c);
    }
}

/* Lane i = p[i px] for the first n lanes; the others are one of these numbers or 0. */
VEC_INLINE vf plane_load(const float *p, ptrdiff_t px, int n)
{
    if (px == 1)
        return n >= VL ? vf_load(p) : vf_load_n(p, n);
    vf v[4];
    channels_load(v, p, px, n);
    return v[0];
}

VEC_INLINE void plane_store(float *p, ptrdiff_t px, vf v, int n)
{
    if (px == 1) {
        if (n >= VL)
            vf_store(p, v);
        else
            vf_store_n(p, v, n);
        return;
    }
    float lanes[VL];
    vf_store(lanes, v);
    for (int i = 0; i < n; i++)
        p[i * px] = lanes[i];
}

#if !defined(__aarch64__)
/* ---- sums of 16 partial sums ---- */

/* 16 partial sums; with AVX2 the lanes 0-7 and 8-15. */
enum { PARTS = 16 / VL };

/* canon_fold16's first step where it is not part of a vector. */
VEC_INLINE vf vf_fold_parts(const vf part[PARTS])
{
    vf s = part[0];
    for (int k = 1; k < PARTS; k++)
        s = s + part[k];
    return s;
}

/* Lane i of the result = canon_fold16 of s[i] (folded by vf_fold_parts already). */
VEC_INLINE vf vf_fold(const vf s[VL])
{
#if defined(__AVX512F__)
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
#else
    vf t[4], u[2];
    for (int e = 0; e < 4; e++) /* 8 -> 4: quads belong to s[e], s[4+e] */
        t[e] = _mm256_permute2f128_ps(s[e], s[4 + e], 0x20) +
               _mm256_permute2f128_ps(s[e], s[4 + e], 0x31);
    for (int e = 0; e < 2; e++)
        u[e] = _mm256_shuffle_ps(t[2 * e], t[2 * e + 1], 0x44) +
               _mm256_shuffle_ps(t[2 * e], t[2 * e + 1], 0xee);
    return _mm256_shuffle_ps(u[0], u[1], 0x88) + _mm256_shuffle_ps(u[0], u[1], 0xdd);
#endif
}

/* canon_fold16 of one vector. */
VEC_INLINE float vf_fold_one(vf s)
{
#if defined(__AVX512F__)
    const __m256 h = _mm512_castps512_ps256(s) + _mm512_extractf32x8_ps(s, 1);
#else
    const __m256 h = s;
#endif
    __m128 q = _mm256_castps256_ps128(h) + _mm256_extractf128_ps(h, 1);
    q = q + _mm_movehl_ps(q, q);
    return _mm_cvtss_f32(q) + _mm_cvtss_f32(_mm_movehdup_ps(q));
}

/* The largest lane. */
VEC_INLINE float vf_largest(vf s)
{
#if defined(__AVX512F__)
    const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
#else
    const __m256 h = s;
#endif
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

#endif /* !__aarch64__ */

#endif
