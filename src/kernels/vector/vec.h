/* One vocabulary for the vectors of AVX2, AVX-512 and NEON.
 *
 * The files of this folder that include it are compiled once for each instruction set, whose part
 * of the vocabulary is in x86/vec_avx2.h, x86/vec_avx512.h or neon/vec.h. VL is the number of floats
 * in a vector, KERNEL(name) the name of the version being compiled. + - * / work on vf directly.
 * Every operation rounds as its scalar namesake in canon.h does, so a kernel written with these
 * gives the same bits at every width.
 *
 * "Quads": a vf seen as VQ pixels of 4 channels, pixel l in the lanes 4l .. 4l+3. VQ is VL / 4.
 *
 * Names: vf floats, vi 32-bit integers, f4 four floats. _n: the first n lanes (0 .. VL), the others
 * read as 0. Sums of 16 partial sums (canon_fold16) are PARTS vectors.
 */
#ifndef DAIN_KERNELS_VECTOR_VEC_H
#define DAIN_KERNELS_VECTOR_VEC_H

#include "kernels/canon.h"

#define VEC_INLINE static inline __attribute__((always_inline))

#if defined(__aarch64__)
#include "kernels/neon/vec.h"
#else
#include "kernels/x86/vec_f4.h"
#if defined(__AVX512F__)
#include "kernels/x86/vec_avx512.h"
#else
#include "kernels/x86/vec_avx2.h"
#endif
#endif

/* 16 partial sums: with AVX2 the lanes 0-7 and 8-15, with NEON four times four. */
enum { PARTS = 16 / VL };

/* canon_fold16's steps between vectors. */
VEC_INLINE vf vf_fold_parts(const vf part[PARTS])
{
    vf s[PARTS];
    for (int k = 0; k < PARTS; k++)
        s[k] = part[k];
    for (int half = PARTS / 2; half; half /= 2)
        for (int k = 0; k < half; k++)
            s[k] = s[k] + s[k + half];
    return s[0];
}

VEC_INLINE vf vf_zero(void)
{
    return vf_set(0.0f);
}

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

#endif
