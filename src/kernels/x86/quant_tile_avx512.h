/*
 * The loop of the AVX-512 low-precision convolutions, for any element of which a few make 32 bits.
 *
 * A group is the 32 bits of an input pixel that one dot-product instruction takes for each of 16
 * outputs: 4 codes or 2 bfloat16. A tile is P pixels of a row times L vectors of 16 outputs, all in
 * registers; per group it costs L loads of weights and P broadcasts for P * L dot products.
 *
 * The including file defines, before: Sum (vector of 16 sums), Group (vector of 16 equal groups),
 * sum_dot(sum, group, weights).
 */
#ifndef DAIN_KERNELS_X86_QUANT_TILE_AVX512_H
#define DAIN_KERNELS_X86_QUANT_TILE_AVX512_H

#include "kernels/unroll.h"

#include <immintrin.h>
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))

enum { WEIGHT_BYTES = 64 }; /* of one group for 16 outputs */

/* How a tile walks through its inputs; everything in bytes. */
typedef struct Walk {
    ptrdiff_t step;      /* from the input of one output pixel to the next */
    ptrdiff_t tap, line; /* from tap to tap, and from the first tap of a row to that of the next */
    ptrdiff_t block;     /* weights of 16 outputs */
    int lines, taps, groups;
} Walk;

/* px: bytes between pixels, row: between rows, groups: of a pixel. Taps that follow each other
 * without a gap become one. */
INLINE Walk walk_new(ptrdiff_t px, ptrdiff_t row, int groups, int kh, int kw, int stride,
                     int dilation)
{
    Walk k = { .step = px * stride,
               .tap = px * dilation,
               .line = row * dilation,
               .block = (ptrdiff_t)WEIGHT_BYTES * groups * kh * kw,
               .lines = kh,
               .taps = kw,
               .groups = groups };

    if (k.tap == groups * 4) {
        k.groups *= k.taps;
        k.taps = 1;
    }
    return k;
}

/* Adds the products of all taps to the P * L sums; in is the first tap of the first pixel. Bases
 * three pixels apart keep every address one register plus at most another, times 1 or 2. */
INLINE void tile_sum(Sum *sum, const int P, const int L, const Walk *k, const char *in,
                     const char *weights)
{
    const ptrdiff_t step = k->step;

    for (int ky = 0; ky < k->lines; ky++, in += k->line) {
        const char *tap = in;

        for (int kx = 0; kx < k->taps; kx++, tap += k->tap) {
            const char *base[8];

            UNROLL
            for (int i = 0; i * 3 < P; i++)
                base[i] = tap + 3 * i * step;
            for (int n = k->groups; n > 0; n--, weights += WEIGHT_BYTES) {
                __m512i w[4];

                UNROLL
                for (int l = 0; l < L; l++)
                    w[l] = _mm512_loadu_si512(weights + l * k->block);
                UNROLL
                for (int p = 0; p < P; p++) {
                    Group x = group_load(base[p / 3] + p % 3 * step);

                    UNROLL
                    for (int l = 0; l < L; l++)
                        sum[p * L + l] = sum_dot(sum[p * L + l], x, w[l]);
                }
                UNROLL
                for (int i = 0; i * 3 < P; i++)
                    base[i] += 4;
            }
        }
    }
}

/* The same for L = 1 and rows of three taps one pixel apart, where output pixels are one apart too:
 * each input is loaded once for the three outputs that use it, since one load per dot product is
 * more than the load units give. */
INLINE void tile_sum_shared(Sum *sum, const int P, const Walk *k, int groups, const char *in,
                            const char *weights)
{
    const ptrdiff_t step = k->step, step3 = 3 * step, next = (ptrdiff_t)groups * WEIGHT_BYTES;

    for (int ky = 0; ky < k->lines; ky++, in += k->line, weights += 2 * next) {
        const char *base[6];

        UNROLL
        for (int i = 0; i * 5 < P + 2; i++)
            base[i] = in + 5 * i * step;
        for (int n = groups; n > 0; n--, weights += WEIGHT_BYTES) {
            const __m512i w0 = _mm512_loadu_si512(weights);
            const __m512i w1 = _mm512_loadu_si512(weights + next);
            const __m512i w2 = _mm512_loadu_si512(weights + 2 * next);

            UNROLL
            for (int j = 0; j < P + 2; j++) {
                const char *at = base[j / 5] + (j % 5 == 3 ? step3 : j % 5 * step);
                Group x = group_load(at);

                if (j < P)
                    sum[j] = sum_dot(sum[j], x, w0);
                if (j >= 1 && j <= P)
                    sum[j - 1] = sum_dot(sum[j - 1], x, w1);
                if (j >= 2)
                    sum[j - 2] = sum_dot(sum[j - 2], x, w2);
            }
            UNROLL
            for (int i = 0; i * 5 < P + 2; i++)
                base[i] += 4;
        }
    }
}

/* The same for 16 outputs and up to 8 of the next block, P even: two pixels share a vector for the
 * latter, which saves a quarter of the work. sum: P vectors, then P / 2. */
INLINE void tile_sum_half(Sum *sum, const int P, const Walk *k, const char *in, const char *weights)
{
    const ptrdiff_t step = k->step;

    for (int ky = 0; ky < k->lines; ky++, in += k->line) {
        const char *tap = in;

        for (int kx = 0; kx < k->taps; kx++, tap += k->tap) {
            const char *base[8];

            UNROLL
            for (int i = 0; i * 3 < P; i++)
                base[i] = tap + 3 * i * step;
            for (int n = k->groups; n > 0; n--, weights += WEIGHT_BYTES) {
                const __m512i w = _mm512_loadu_si512(weights);
                const __m512i half = _mm512_broadcast_i64x4(
                    _mm256_loadu_si256((const __m256i *)(const void *)(weights + k->block)));

                UNROLL
                for (int p = 0; p < P; p += 2) {
                    Group x = group_load(base[p / 3] + p % 3 * step);
                    Group next = group_load(base[(p + 1) / 3] + (p + 1) % 3 * step);

                    sum[p] = sum_dot(sum[p], x, w);
                    sum[p + 1] = sum_dot(sum[p + 1], next, w);
                    sum[P + p / 2] =
                        sum_dot(sum[P + p / 2], _mm512_mask_mov_epi32(x, 0xff00, next), half);
                }
                UNROLL
                for (int i = 0; i * 3 < P; i++)
                    base[i] += 4;
            }
        }
    }
}

#endif
