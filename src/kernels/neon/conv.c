/* Convolution with NEON: tiles of pixels x 4, 8 or 16 outputs, a quad of outputs to a vector. */
#include "kernels/vector/conv_tiles.h"

#include <arm_neon.h>
#include <string.h>

/* 5 pixels of 16 outputs are 20 sums; beside them 5 vectors of input and some of weights fill the 32
 * registers (with 6 pixels compilers move sums to memory and back). Each load of input brings 4
 * channels, which the multiplication by element takes one by one. */
enum { QUAD = 4, MAX_SUMS = 20, MAX_QUADS = 4, MAX_PIXELS = 12 };

/* Channel `lane` of x times some quads of weights, from q on, onto each sum. */
#define MULTIPLY_ADD_QUADS(lane, q, count)                                                         \
    {                                                                                              \
        float32x4_t weights[count];                                                                \
                                                                                                   \
        UNROLL                                                                                     \
        for (int i = 0; i < count; i++)                                                            \
            weights[i] = vld1q_f32(w + (lane)*CONV_LANES + ((q) + i) * QUAD);                      \
        UNROLL                                                                                     \
        for (int i = 0; i < count; i++)                                                            \
            UNROLL                                                                                 \
        for (int p = 0; p < pixels; p++)                                                           \
            sums[p * quads + (q) + i] =                                                            \
                vfmaq_laneq_f32(sums[p * quads + (q) + i], weights[i], x[p], lane);                \
    }

/* Two quads at a time, for which one instruction loads the weights. */
#define MULTIPLY_ADD(lane)                                                                         \
    if (quads == 1)                                                                                \
        MULTIPLY_ADD_QUADS(lane, 0, 1)                                                             \
    if (quads >= 2)                                                                                \
        MULTIPLY_ADD_QUADS(lane, 0, 2)                                                             \
    if (quads == 4)                                                                                \
    MULTIPLY_ADD_QUADS(lane, 2, 2)

/* Four channels of every pixel, one after the other. */
INLINE void multiply_add4(float32x4_t *sums, const float *in, ptrdiff_t step, const float *w,
                          const int pixels, const int quads)
{
    float32x4_t x[MAX_PIXELS];

    UNROLL
    for (int p = 0; p < pixels; p++)
        x[p] = vld1q_f32(in + p * step);
    MULTIPLY_ADD(0)
    MULTIPLY_ADD(1)
    MULTIPLY_ADD(2)
    MULTIPLY_ADD(3)
}

INLINE void multiply_add1(float32x4_t *sums, const float *in, ptrdiff_t step, const float *w,
                          const int pixels, const int quads)
{
    float32x4_t x[MAX_PIXELS];

    UNROLL
    for (int p = 0; p < pixels; p++)
        x[p] = vdupq_n_f32(in[p * step]);
    MULTIPLY_ADD(0)
}

/* v > 0 ? v : v * slope */
INLINE float32x4_t activate(float32x4_t v, float32x4_t slope)
{
    return vbslq_f32(vcgtzq_f32(v), v, vmulq_f32(v, slope));
}

/* Residual, activation and store of one pixel whose last quads may have only some outputs. */
static __attribute__((noinline)) void finish_partly(const ConvTile *t, const float32x4_t *sums,
                                                    float *out, const float *add, const int quads)
{
    float v[MAX_QUADS * QUAD], r[MAX_QUADS * QUAD] = { 0 };

    if (add)
        memcpy(r, add, (size_t)t->channels * sizeof *r);
    for (int q = 0; q < quads; q++) {
        float32x4_t sum = sums[q];

        if (add)
            sum = vaddq_f32(sum, vld1q_f32(r + q * QUAD));
        vst1q_f32(v + q * QUAD, activate(sum, vld1q_f32(t->slope + q * QUAD)));
    }
    memcpy(out, v, (size_t)t->channels * sizeof *v);
}

INLINE void finish(const ConvPlan *plan, const ConvTile *t, float32x4_t *sums, const int pixels,
                   const int quads)
{
    if (t->channels < quads * QUAD) {
        float32x4_t stored[MAX_SUMS]; /* the other sums have no address and stay in registers */

        UNROLL
        for (int i = 0; i < pixels * quads; i++)
            stored[i] = sums[i];
        for (int p = 0; p < pixels; p++)
            finish_partly(t, stored + p * quads, t->out + p * plan->out_px,
                          t->add ? t->add + p * plan->add_px : NULL, quads);
        return;
    }
    if (t->add) {
        UNROLL
        for (int i = 0; i < pixels * quads; i++)
            sums[i] =
                vaddq_f32(sums[i], vld1q_f32(t->add + i / quads * plan->add_px + i % quads * QUAD));
    }
    const ptrdiff_t px = plan->out_px;
    float *out = t->out;
    float32x4_t slope[MAX_QUADS];

    UNROLL
    for (int q = 0; q < quads; q++)
        slope[q] = vld1q_f32(t->slope + q * QUAD);
    UNROLL
    for (int p = 0; p < pixels; p++, out += px)
        UNROLL
    for (int q = 0; q < quads; q++)
        vst1q_f32(out + q * QUAD, activate(sums[p * quads + q], slope[q]));
}

INLINE void tile(const ConvPlan *plan, const ConvTile *t, const int pixels, const int quads)
{
    const ptrdiff_t step = plan->step, tap = plan->tap, tap_row = plan->tap_row;
    const int runs = plan->runs, fours = plan->run / 4, ones = plan->run % 4;
    const float *w = t->weights, *row = t->in;
    float32x4_t sums[MAX_SUMS];

    UNROLL
    for (int i = 0; i < pixels * quads; i++)
        sums[i] = vld1q_f32(t->bias + i % quads * QUAD);
    for (int ky = plan->rows; ky > 0; ky--, row += tap_row)
        for (int kx = 0; kx < runs; kx++) {
            const float *in = row + kx * tap;

            for (int n = fours; n > 0; n--, in += 4, w += 4 * CONV_LANES)
                multiply_add4(sums, in, step, w, pixels, quads);
            for (int n = ones; n > 0; n--, in++, w += CONV_LANES)
                multiply_add1(sums, in, step, w, pixels, quads);
        }
    finish(plan, t, sums, pixels, quads);
}

/* ---- the tiles: tile_PIXELSxQUADS ---- */

#define TILE(p, q)                                                                                 \
    static void tile_##p##x##q(const ConvPlan *plan, const ConvTile *t)                            \
    {                                                                                              \
        tile(plan, t, p, q);                                                                       \
    }
#define NAME(p, q) tile_##p##x##q,

#define TO_5(T, q) T(1, q) T(2, q) T(3, q) T(4, q) T(5, q)
#define TO_10(T, q) TO_5(T, q) T(6, q) T(7, q) T(8, q) T(9, q) T(10, q)
#define TO_12(T, q) TO_10(T, q) T(11, q) T(12, q)

TO_12(TILE, 1)
TO_10(TILE, 2)
TO_5(TILE, 4)

static const ConvTileFn tiles4[] = { NULL, TO_12(NAME, 1) };
static const ConvTileFn tiles8[] = { NULL, TO_10(NAME, 2) };
static const ConvTileFn tiles16[] = { NULL, TO_5(NAME, 4) };

static const ConvTileSet set4 = { 4, 12, tiles4 };
static const ConvTileSet set8 = { 8, 10, tiles8 };
static const ConvTileSet set16 = { 16, 5, tiles16 };

static const ConvTileSet *pick(int outputs)
{
    return outputs <= 4 ? &set4 : outputs <= 8 ? &set8 : &set16;
}

void conv_f32_neon(const ConvArgs *a, int y0, int y1)
{
    conv_by_tiles(a, y0, y1, pick);
}
