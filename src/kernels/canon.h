/* Canonical scalar arithmetic: what every version of a kernel must repeat, bit for bit.
 *
 * Each function here is a fixed sequence of IEEE 754 single precision operations, so that a vector
 * version that performs the same sequence in every lane gives the same bits. max and min are the
 * ordered selections of the x86 instructions: when a comparison fails because of a NaN the second
 * operand wins, which is how a position that is not a number becomes 0.
 */
#ifndef DAIN_KERNELS_CANON_H
#define DAIN_KERNELS_CANON_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float canon_max(float a, float b)
{
    return a > b ? a : b;
}

static inline float canon_min(float a, float b)
{
    return a < b ? a : b;
}

/* v in [lo, hi]; NaN becomes lo. */
static inline float canon_clamp(float v, float lo, float hi)
{
    return canon_min(canon_max(v, lo), hi);
}

/*
 * exp. The argument is clamped to [-87, 88], where the result is a normal number; NaN counts as
 * -87. x = n ln 2 + r with |r| <= ln 2 / 2, exp r by a polynomial of degree 6 (minimax, fitted for
 * this file: 3.1e-9 relative before rounding), times 2^n through the exponent bits. Error against
 * the exact value below 1e-7 relative.
 */
#define CANON_EXP_LO (-87.0f)
#define CANON_EXP_HI 88.0f
#define CANON_LOG2E 1.44269502f
#define CANON_ROUND 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, ties to even */
#define CANON_LN2_HI 0.693359375f
#define CANON_LN2_LO (-2.12194440e-4f)
#define CANON_EXP_C2 0.4999999403953552f
#define CANON_EXP_C3 0.1666652113199234f
#define CANON_EXP_C4 0.04166838899254799f
#define CANON_EXP_C5 0.00836874544620514f
#define CANON_EXP_C6 0.0013814540579915047f

static inline float canon_exp(float x)
{
    x = canon_clamp(x, CANON_EXP_LO, CANON_EXP_HI);
    const float n = fmaf(x, CANON_LOG2E, CANON_ROUND) - CANON_ROUND;
    float r = fmaf(-n, CANON_LN2_HI, x);
    r = fmaf(-n, CANON_LN2_LO, r);
    float p = fmaf(CANON_EXP_C6, r, CANON_EXP_C5);
    p = fmaf(p, r, CANON_EXP_C4);
    p = fmaf(p, r, CANON_EXP_C3);
    p = fmaf(p, r, CANON_EXP_C2);
    p = fmaf(p, r * r, r) + 1.0f;
    int32_t bits;
    memcpy(&bits, &p, sizeof(bits));
    bits += (int32_t)n * (1 << 23);
    memcpy(&p, &bits, sizeof(p));
    return p;
}

/* Natural logarithm of a positive, normal, finite x; error below 1.5e-7 relative. */
static inline float canon_log(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    /* m in [sqrt(1/2), sqrt(2)): 0x3f3504f3 are the bits of sqrt(1/2) */
    const uint32_t shifted = bits - 0x3f3504f3u;
    const int32_t e = (int32_t)shifted >> 23;
    const uint32_t mantissa = (shifted & 0x007fffffu) + 0x3f3504f3u;
    float m;
    memcpy(&m, &mantissa, sizeof(m));
    const float f = m - 1.0f;
    float p = fmaf(-0.07634499669075012f, f, 0.1276157796382904f);
    p = fmaf(p, f, -0.13160182535648346f);
    p = fmaf(p, f, 0.14201757311820984f);
    p = fmaf(p, f, -0.16623356938362122f);
    p = fmaf(p, f, 0.20001226663589478f);
    p = fmaf(p, f, -0.2500081956386566f);
    p = fmaf(p, f, 0.3333333134651184f);
    const float f2 = f * f;
    float r = fmaf(p * f, f2, (float)e * CANON_LN2_LO);
    r = fmaf(-0.5f, f2, r);
    return fmaf((float)e, CANON_LN2_HI, f + r);
}

/* 1 / (1 + exp(-x)) */
static inline float canon_sigmoid(float x)
{
    return 1.0f / (1.0f + canon_exp(-x));
}

/* The sum of 16 partial sums, folded 16 -> 8 -> 4 -> 2 -> 1; s is overwritten. */
static inline float canon_fold16(float s[16])
{
    for (int n = 8; n > 0; n /= 2)
        for (int i = 0; i < n; i++)
            s[i] += s[i + n];
    return s[0];
}

/*
 * A position on one axis of a map of `size` pixels: clamped to 0 .. size-1, NaN to 0; *index is its
 * integer part and the return value its fraction in [0, 1).
 */
static inline float canon_position(float v, int size, int *index)
{
    const float p = canon_clamp(v, 0.0f, (float)(size - 1));
    *index = (int)p;
    return p - (float)*index;
}

/* Weights of the four samples around a bilinear position: (x0,y0), (x0+1,y0), (x0,y0+1),
 * (x0+1,y0+1). */
static inline void canon_bilinear(float ax, float ay, float w[4])
{
    const float ux = 1.0f - ax, uy = 1.0f - ay;
    w[0] = ux * uy;
    w[1] = ax * uy;
    w[2] = ux * ay;
    w[3] = ax * ay;
}

#endif
