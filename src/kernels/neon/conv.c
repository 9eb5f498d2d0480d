/* Convolution with NEON: tiles of pixels x 4, 8 or 16 outputs, a quad of outputs to a vector. */
#include "kernels/vector/conv_tiles.h"

#include <arm_neon.h>
#include <string.h>

/* 6 pixels of 16 outputs are 24 sums; beside them 6 vectors of input and two of weights fill the 32
 * registers. Each load of input brings 4 channels, which the multiplication by element takes one by
 * one. */
enum { QUAD = 4, MAX_SUMS = 24, MAX_QUADS = 4, MAX_PIXELS = 12 };

/* Channel `lane` of x times a quad of weights onto each sum. */
#define MULTIPLY_ADD(lane)                                                                         \
    UNROLL                                                                                         \
    for (int q = 0; q < quads; q++) {                                                              \
        const float32x4_t weights = vld1q_f32(w + (lane)*CONV_LANES + q * QUAD);                   \
                                                                                                   \
        UNROLL                                                                                     \
        for (int p = 0; p < pixels; p++)                                                           \
            sums[p * quads + q] = vfmaq_laneq_f32(sums[p * quads + q], weights, x[p], lane);       \
    }

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
INLINE void finish_partly(const ConvTile *t, const float32x4_t *sums, float *out, const float *add,
                          const int quads)
{
    float v[MAX_QUADS * QUAD], r[MAX_QUADS * QUAD] = { 0 };

    if (add)
        memcpy(r, add, (size_t)t->channels * sizeof *r);
    UNROLL
    for (int q = 0; q < quads; q++) {
        float32x4_t sum = sums[q];

        if (add)
            sum = vaddq_f32(sum, vld1q_f32(r + q * QUAD));
        vst1q_f32(v + q * QUAD, activate(sum, vld1q_f32(t->slope + q * QUAD)));
    }
    memcpy(out, v, (size_t)t->channels * sizeof *v);
}

INLINE void finish(const ConvPlan *plan, const ConvTile *t, const float32x4_t *sums,
                   const int pixels, const int quads)
{
    if (t->channels < quads * QUAD) {
        UNROLL
        for (int p = 0; p < pixels; p++)
            finish_partly(t, sums + p * quads, t->out + p * plan->out_px,
                          t->add ? t->add + p * plan->add_px : NULL, quads);
        return;
    }
    UNROLL
    for (int i = 0; i < pixels * quads; i++) {
        float32x4_t sum = sums[i];

        if (t->add)
            sum = vaddq_f32(sum, vld1q_f32(t->add + i / quads * plan->add_px + i % quads * QUAD));
        vst1q_f32(t->out + i / quads * plan->out_px + i % quads * QUAD,
                  activate(sum, vld1q_f32(t->slope + i % quads * QUAD)));
    }
}

INLINE void tile(const ConvPlan *plan, const ConvTile *t, const int pixels, const int quads)
{
    const ptrdiff_t step = plan->step;
    const float *w = t->weights;
    float32x4_t sums[MAX_SUMS];

    UNROLL
    for (int i = 0; i < pixels * quads; i++)
        sums[i] = vld1q_f32(t->bias + i % quads * QUAD);
    for (int ky = 0; ky < plan->rows; ky++)
        for (int kx = 0; kx < plan->runs; kx++) {
            const float *in = t->in + ky * plan->tap_row + kx * plan->tap;
            int k = plan->run;

            for (; k >= 4; k -= 4, in += 4, w += 4 * CONV_LANES)
                multiply_add4(sums, in, step, w, pixels, quads);
            for (; k > 0; k--, in++, w += CONV_LANES)
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

#define TO_6(T, q) T(1, q) T(2, q) T(3, q) T(4, q) T(5, q) T(6, q)
#define TO_8(T, q) TO_6(T, q) T(7, q) T(8, q)
#define TO_12(T, q) TO_8(T, q) T(9, q) T(10, q) T(11, q) T(12, q)

TO_12(TILE, 1)
TO_8(TILE, 2)
TO_6(TILE, 4)

static const ConvTileFn tiles4[] = { NULL, TO_12(NAME, 1) };
static const ConvTileFn tiles8[] = { NULL, TO_8(NAME, 2) };
static const ConvTileFn tiles16[] = { NULL, TO_6(NAME, 4) };

static const ConvTileSet set4 = { 4, 12, tiles4 };
static const ConvTileSet set8 = { 8, 8, tiles8 };
static const ConvTileSet set16 = { 16, 6, tiles16 };

static const ConvTileSet *pick(int outputs)
{
    return outputs <= 4 ? &set4 : outputs <= 8 ? &set8 : &set16;
}

void conv_f32_neon(const ConvArgs *a, int y0, int y1)
{
    conv_by_tiles(a, y0, y1, pick);
}
