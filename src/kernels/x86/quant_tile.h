/*
 * Low-precision convolutions where the dot products of AVX-512 are missing: the loop, for vectors
 * of VL outputs (vec.h).
 *
 * As in quant_tile_avx512.h, a group is the 32 bits of an input pixel that meet 32 bits of weights
 * of each output; a tile is P pixels times L vectors of outputs, and its sums go through memory.
 *
 * The including file includes quant_vec.h and defines, before: Args, the kernel's arguments; Sum,
 * Group and Weights; sum_first(args, o), sum_dot(sum, group, weights), sum_store(memory, sum);
 * group_load(bytes), weights_load(bytes).
 */
#ifndef DAIN_KERNELS_X86_QUANT_TILE_H
#define DAIN_KERNELS_X86_QUANT_TILE_H

#include "kernels/unroll.h"

enum {
    GROUP_BYTES = 4,
    BLOCK_BYTES = CONV_LANES * GROUP_BYTES, /* weights of one group of 16 outputs */
    TILE_VECTORS = 2,
    TILE_PIXELS = 8
};

/* How a tile walks through its inputs; everything in bytes. */
typedef struct Walk {
    ptrdiff_t step;      /* from the input of one output pixel to the next */
    ptrdiff_t tap, line; /* from tap to tap, from row to row */
    ptrdiff_t block;     /* weights of 16 outputs */
    int lines, taps, groups;
} Walk;

/* px, row: bytes between pixels and rows of the input; groups: of a pixel. */
VEC_INLINE Walk walk_new(const Args *a, ptrdiff_t px, ptrdiff_t row, int groups)
{
    return (Walk){ .step = px * a->stride,
                   .tap = px * a->dilation,
                   .line = row * a->dilation,
                   .block = (ptrdiff_t)BLOCK_BYTES * groups * a->kh * a->kw,
                   .lines = a->kh,
                   .taps = a->kw,
                   .groups = groups };
}

/* Sums of the outputs o .. of P pixels; in is the first tap of the first one. */
VEC_INLINE void tile_run(const Args *a, const Walk *k, const char *in, int o, Sum *out, const int P,
                         const int L)
{
    const char *w[TILE_VECTORS];
    Sum sum[TILE_PIXELS * TILE_VECTORS];

    UNROLL
    for (int l = 0; l < L; l++)
        w[l] = (const char *)a->weights + (o + l * VL) / CONV_LANES * k->block +
               (o + l * VL) % CONV_LANES * GROUP_BYTES;
    UNROLL
    for (int i = 0; i < P * L; i++)
        sum[i] = sum_first(a, o + i % L * VL);
    for (int ky = 0; ky < k->lines; ky++, in += k->line)
        for (int kx = 0; kx < k->taps; kx++) {
            const char *x = in + kx * k->tap;

            for (int n = k->groups; n > 0; n--, x += GROUP_BYTES) {
                Weights weights[TILE_VECTORS];

                UNROLL
                for (int l = 0; l < L; l++, w[l - 1] += BLOCK_BYTES)
                    weights[l] = weights_load(w[l]);
                UNROLL
                for (int p = 0; p < P; p++) {
                    const Group group = group_load(x + p * k->step);

                    UNROLL
                    for (int l = 0; l < L; l++)
                        sum[p * L + l] = sum_dot(sum[p * L + l], group, weights[l]);
                }
            }
        }
    UNROLL
    for (int i = 0; i < P * L; i++)
        sum_store(out + i, sum[i]);
}

#define TILE(P, L)                                                                                 \
    static __attribute__((noinline)) void tile_##P##x##L(const Args *a, const Walk *k,             \
                                                         const char *in, int o, Sum *sum)          \
    {                                                                                              \
        tile_run(a, k, in, o, sum, P, L);                                                          \
    }

TILE(1, 1)
TILE(2, 1)
TILE(4, 1)
TILE(8, 1)
TILE(1, 2)
TILE(2, 2)
TILE(4, 2)
/* The widest that the registers hold, beside weights and a group. */
#if defined(__AVX512F__)
TILE(8, 2)
#define WIDEST { 8, tile_8x2 },
#elif defined(__AVXVNNI__)
TILE(6, 2)
#define WIDEST { 6, tile_6x2 },
#else
#define WIDEST
#endif

typedef struct TileSize {
    int pixels;
    void (*run)(const Args *a, const Walk *k, const char *in, int o, Sum *sum);
} TileSize;

static const TileSize tiles[TILE_VECTORS][4] = {
    { { 8, tile_8x1 }, { 4, tile_4x1 }, { 2, tile_2x1 }, { 1, tile_1x1 } },
    { WIDEST{ 4, tile_4x2 }, { 2, tile_2x2 }, { 1, tile_1x2 } },
};

/* The widest tile for the pixels left of a row. */
static const TileSize *tile_next(int vectors, int left)
{
    const TileSize *size = tiles[vectors - 1];

    while (size->pixels > left)
        size++;
    return size;
}

#endif
