/* Convolution with few outputs on x86: neighbouring pixels in the lanes. Included by each
 * instruction set, which defines before it:
 *
 *     Vec, VEC_LANES, vec_load(p), vec_set1(f), vec_fma(a, b, c) = a * b + c, vec_store(p, v)
 *     activate(v, slope) = v > 0 ? v : v * slope
 *     PLANAR_OUTPUTS   the most outputs it takes
 *
 * Lanes of outputs would be mostly empty. Instead a strip of columns is turned from pixels of
 * channels into channels of pixels, a ring of as many rows as the kernel has, each row once; then
 * one load serves all outputs. The order of each sum is the reference's.
 */
#ifndef DAIN_KERNELS_X86_CONV_PLANAR_H
#define DAIN_KERNELS_X86_CONV_PLANAR_H

#include "kernels/vector/conv_tiles.h"

#include <immintrin.h>

enum {
    PLANAR_COLUMNS = 48,   /* input columns of a strip */
    PLANAR_VECTORS = 3,    /* of a block: PLANAR_OUTPUTS * PLANAR_VECTORS sums in registers */
    PLANAR_FLOATS = 20480, /* scratch on the stack */
    PLANAR_SLACK = 16      /* read past the last column of the last channel, and ignored */
};

typedef struct Planar {
    const ConvArgs *args;
    int channels;         /* of the input, rounded up to 8 */
    ptrdiff_t row_floats; /* of a row of the ring: [channels][PLANAR_COLUMNS] */
    float *rows;
    float *weights; /* [kh][kw][ci][oc] */
} Planar;

/* Eight channels of eight pixels to rows of PLANAR_COLUMNS. */
INLINE void transpose_8x8(float *dst, const float *src, ptrdiff_t px)
{
    UNROLL
    for (int c = 0; c < 8; c += 4, src += 4, dst += 4 * PLANAR_COLUMNS) {
        __m256 r[4], t[4];

        UNROLL
        for (int i = 0; i < 4; i++)
            r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(src + i * px)),
                                        _mm_loadu_ps(src + (i + 4) * px), 1);
        t[0] = _mm256_unpacklo_ps(r[0], r[1]);
        t[1] = _mm256_unpackhi_ps(r[0], r[1]);
        t[2] = _mm256_unpacklo_ps(r[2], r[3]);
        t[3] = _mm256_unpackhi_ps(r[2], r[3]);
        _mm256_storeu_ps(dst, _mm256_shuffle_ps(t[0], t[2], 0x44));
        _mm256_storeu_ps(dst + PLANAR_COLUMNS, _mm256_shuffle_ps(t[0], t[2], 0xee));
        _mm256_storeu_ps(dst + 2 * PLANAR_COLUMNS, _mm256_shuffle_ps(t[1], t[3], 0x44));
        _mm256_storeu_ps(dst + 3 * PLANAR_COLUMNS, _mm256_shuffle_ps(t[1], t[3], 0xee));
    }
}

/* Turns columns pixels from src on. The last block of eight overlaps the one before it, so that no
 * pixel is read that need not exist. */
static void planar_turn(const Planar *s, float *dst, const float *src, int columns)
{
    const ptrdiff_t px = s->args->in.px;

    if (columns < 8) {
        for (int x = 0; x < columns; x++)
            for (int c = 0; c < s->args->in.c; c++)
                dst[c * PLANAR_COLUMNS + x] = src[x * px + c];
        return;
    }
    for (int x = 0; x < columns; x += 8) {
        const int from = x + 8 <= columns ? x : columns - 8;

        for (int c = 0; c < s->channels; c += 8) {
            UNROLL
            for (int i = 0; i < 8; i++) /* what the next row will need, while this one is summed */
                _mm_prefetch((const char *)(src + (from + i) * px + c + s->args->in.row),
                             _MM_HINT_T1);
            transpose_8x8(dst + c * PLANAR_COLUMNS + from, src + from * px + c, px);
        }
    }
}

/* Sums of vectors * VEC_LANES columns of one row: sums[output * PLANAR_COLUMNS + column]. row is
 * the ring's row of the first kernel row. */
INLINE void planar_block(const Planar *s, float *sums, int row, int column, const int outputs,
                         const int vectors)
{
    const ConvArgs *a = s->args;
    const float *w = s->weights;
    Vec acc[PLANAR_OUTPUTS * PLANAR_VECTORS];

    UNROLL
    for (int i = 0; i < outputs * vectors; i++)
        acc[i] = vec_set1(a->bias[i / vectors]);
    for (int ky = 0; ky < a->kh; ky++) {
        const float *plane = s->rows + (row + ky) % a->kh * s->row_floats + column;

        for (int kx = 0; kx < a->kw; kx++) {
            const float *in = plane + kx;

            for (int c = a->in.c; c > 0; c--, in += PLANAR_COLUMNS, w += outputs) {
                Vec x[PLANAR_VECTORS];

                UNROLL
                for (int v = 0; v < vectors; v++) {
                    x[v] = vec_load(in + v * VEC_LANES);
                    __asm__("" : "+v"(x[v])); /* one load, not one for each output */
                }
                UNROLL
                for (int i = 0; i < outputs * vectors; i++)
                    acc[i] = vec_fma(x[i % vectors], vec_set1(w[i / vectors]), acc[i]);
            }
        }
    }
    UNROLL
    for (int i = 0; i < outputs * vectors; i++)
        vec_store(sums + i / vectors * PLANAR_COLUMNS + column + i % vectors * VEC_LANES, acc[i]);
}

/* One row of a strip: sums, then residual, activation and store. */
INLINE void planar_row(const Planar *s, int row, int y, int x, int pixels, const int outputs)
{
    const ConvArgs *a = s->args;
    float sums[PLANAR_OUTPUTS * PLANAR_COLUMNS] __attribute__((aligned(64)));
    int column = 0;

    for (; column + 2 * VEC_LANES < pixels; column += 3 * VEC_LANES)
        planar_block(s, sums, row, column, outputs, 3);
    if (column + VEC_LANES < pixels)
        planar_block(s, sums, row, column, outputs, 2);
    else if (column < pixels)
        planar_block(s, sums, row, column, outputs, 1);

    if (a->add.data)
        for (int i = 0; i < pixels; i++)
            for (int o = 0; o < outputs; o++)
                sums[o * PLANAR_COLUMNS + i] += view_at(&a->add, y, x + i)[o];
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < pixels; i += VEC_LANES) {
            float *v = sums + o * PLANAR_COLUMNS + i;

            vec_store(v, activate(vec_load(v), vec_set1(a->slope[o])));
        }
    for (int i = 0; i < pixels; i++) {
        float *out = view_at(&a->out, y, x + i);

        UNROLL
        for (int o = 0; o < outputs; o++)
            out[o] = sums[o * PLANAR_COLUMNS + i];
    }
}

typedef void (*PlanarRowFn)(const Planar *s, int row, int y, int x, int pixels);

/* Whether the layer is one for conv_planar. */
static inline int planar_takes(const ConvArgs *a)
{
    const int channels = (a->in.c + 7) / 8 * 8;
    const long long floats = (long long)a->kh * channels * PLANAR_COLUMNS +
                             (long long)a->kh * a->kw * a->in.c * a->out.c + PLANAR_SLACK;

    /* A 1x1 kernel uses each turned pixel once: not worth the turning. */
    return a->out.c <= PLANAR_OUTPUTS && a->stride == 1 && a->dilation == 1 && a->kh * a->kw > 1 &&
           a->kw <= PLANAR_COLUMNS / 3 && floats <= PLANAR_FLOATS;
}

/* Rows y0 .. y1-1; row computes one row of a strip for the layer's number of outputs. */
static inline void conv_planar(const ConvArgs *a, int y0, int y1, PlanarRowFn row)
{
    float scratch[PLANAR_FLOATS] __attribute__((aligned(64)));
    Planar s = { .args = a, .channels = (a->in.c + 7) / 8 * 8, .rows = scratch };
    const int taps = a->kh * a->kw * a->in.c, oc = a->out.c, w = a->out.w;
    const int strips = (w + PLANAR_COLUMNS - a->kw) / (PLANAR_COLUMNS - a->kw + 1);

    s.row_floats = (ptrdiff_t)s.channels * PLANAR_COLUMNS;
    s.weights = scratch + a->kh * s.row_floats + PLANAR_SLACK;
    for (int i = 0; i < taps; i++)
        for (int o = 0; o < oc; o++)
            s.weights[i * oc + o] = a->weights[i * CONV_LANES + o];
    for (int i = 0; i < strips; i++) {
        const int x = (int)((long long)w * i / strips);
        const int pixels = (int)((long long)w * (i + 1) / strips) - x;
        int filled = 0; /* input rows turned so far */

        for (int y = y0; y < y1; y++) {
            for (; filled < y - y0 + a->kh; filled++)
                planar_turn(&s, s.rows + filled % a->kh * s.row_floats,
                            conv_input(a, y0, x) + filled * a->in.row, pixels + a->kw - 1);
            row(&s, (y - y0) % a->kh, y, x, pixels);
        }
    }
}

#endif
