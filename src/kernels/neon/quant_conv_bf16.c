/*
 * conv_bf16 on AArch64, compiled twice: in float arithmetic in the order of the reference (armv8-a), and
 * with dot products of bfloat16 pairs (bf16), which round otherwise (kernels/quant.h).
 */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"
#include "kernels/unroll.h"

/* A tile: PIXELS pixels times 16 outputs, QUADS vectors of 4 sums to a pixel. A group is a pair of
 * channels; BLOCK elements of weights meet it, pairs for each output. */
typedef ConvBf16Args Args;
enum { QUADS = 4, PIXELS = 5, GROUP = 2, BLOCK = CONV_LANES * GROUP };

#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#undef KERNEL
#define KERNEL(name) name##_bf16
enum { STEP = 4 }; /* groups of an input vector */
typedef bfloat16x8_t Input;

VEC_INLINE Input input_load(const uint16_t *p)
{
    return vreinterpretq_bf16_u16(vld1q_u16(p));
}

VEC_INLINE Input input_load_pair(const uint16_t *p)
{
    uint32_t pair;

    memcpy(&pair, p, sizeof pair);
    return vreinterpretq_bf16_u32(vdupq_n_u32(pair));
}

/* Group `lane` of x. */
#define GROUP_SUM(lane)                                                                            \
    UNROLL                                                                                         \
    for (int q = 0; q < QUADS; q++) {                                                              \
        const Input weights = input_load(w + (lane)*BLOCK + q * 8);                                \
                                                                                                   \
        UNROLL                                                                                     \
        for (int p = 0; p < pixels; p++)                                                           \
            sum[p * QUADS + q] = vbfdotq_laneq_f32(sum[p * QUADS + q], weights, x[p], lane);       \
    }
#define STEP_SUM GROUP_SUM(0) GROUP_SUM(1) GROUP_SUM(2) GROUP_SUM(3)
#else
enum { STEP = 2 };
typedef float32x4_t Input;

VEC_INLINE Input input_load(const uint16_t *p)
{
    return vf_load_bf16(p);
}

VEC_INLINE Input input_load_pair(const uint16_t *p)
{
    uint32_t pair;

    memcpy(&pair, p, sizeof pair);
    return vreinterpretq_f32_u32(vshll_n_u16(vcreate_u16(pair), 16));
}

/* Group `lane` of x: the even channel, then the odd one. */
#define GROUP_SUM(lane)                                                                            \
    UNROLL                                                                                         \
    for (int q = 0; q < QUADS; q++) {                                                              \
        const uint32x4_t pairs = vreinterpretq_u32_u16(vld1q_u16(w + (lane)*BLOCK + q * 8));       \
        const vf even = vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));                             \
        const vf odd = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000u)));          \
                                                                                                   \
        UNROLL                                                                                     \
        for (int p = 0; p < pixels; p++)                                                           \
            sum[p * QUADS + q] = vfmaq_laneq_f32(sum[p * QUADS + q], even, x[p], 2 * (lane));      \
        UNROLL                                                                                     \
        for (int p = 0; p < pixels; p++)                                                           \
            sum[p * QUADS + q] = vfmaq_laneq_f32(sum[p * QUADS + q], odd, x[p], 2 * (lane) + 1);   \
    }
#define STEP_SUM GROUP_SUM(0) GROUP_SUM(1)
#endif

#include "kernels/neon/quant_walk.h"

VEC_INLINE const uint16_t *run_sums(vf *sum, const uint16_t *in, ptrdiff_t step, const uint16_t *w,
                                    int steps, int ones, const int pixels)
{
    Input x[PIXELS];

    for (; steps > 0; steps--, in += STEP * GROUP, w += STEP * BLOCK) {
        UNROLL
        for (int p = 0; p < pixels; p++)
            x[p] = input_load(in + p * step);
        STEP_SUM
    }
    for (; ones > 0; ones--, in += GROUP, w += BLOCK) {
        UNROLL
        for (int p = 0; p < pixels; p++)
            x[p] = input_load_pair(in + p * step);
        GROUP_SUM(0)
    }
    return w;
}

/* Sums of 16 outputs of some pixels; in: first tap of the first one. */
VEC_INLINE void tile(const Walk *k, const uint16_t *in, const uint16_t *w, const float *bias,
                     vf *out, const int pixels)
{
    vf sum[PIXELS * QUADS];
    const ptrdiff_t step = k->step, line = k->line, tap = k->tap;
    const int runs = k->runs, steps = k->steps, ones = k->ones;

    UNROLL
    for (int i = 0; i < pixels * QUADS; i++)
        sum[i] = vf_load(bias + i % QUADS * VL);
    for (int ky = k->lines; ky > 0; ky--, in += line)
        for (int kx = 0; kx < runs; kx++)
            w = run_sums(sum, in + kx * tap, step, w, steps, ones, pixels);
    UNROLL
    for (int i = 0; i < pixels * QUADS; i++)
        out[i] = sum[i];
}

#define TILE(p)                                                                                    \
    static void tile_##p(const Walk *k, const uint16_t *in, const uint16_t *w, const float *bias,  \
                         vf *out)                                                                  \
    {                                                                                              \
        tile(k, in, w, bias, out, p);                                                              \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)

static void (*const tiles[])(const Walk *k, const uint16_t *in, const uint16_t *w,
                             const float *bias,
                             vf *out) = { NULL, tile_1, tile_2, tile_3, tile_4, tile_5 };

void KERNEL(conv_bf16)(const Args *a, int y0, int y1)
{
    const int w = a->out.data ? a->out.w : a->out_f32.w, oc = a->out.data ? a->out.c : a->out_f32.c;
    const Walk walk = walk_new(a);
    const ptrdiff_t block = (ptrdiff_t)BLOCK * ((a->in.c + GROUP - 1) / GROUP) * a->kh * a->kw;
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;
    const int count = (w + PIXELS - 1) / PIXELS; /* tiles of a row, of almost equal width */
    vf sum[PIXELS * QUADS];

    for (int o = 0; o < oc; o += CONV_LANES)
        for (int y = y0; y < y1; y++)
            for (int i = 0, x = 0, end; i < count; i++, x = end) {
                const uint16_t *in =
                    view16_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x);

                end = (int)((long long)w * (i + 1) / count);
                tiles[end - x](&walk, in, a->weights + o / CONV_LANES * block, a->bias + o, sum);
                for (int p = 0; p < end - x; p++)
                    for (int q = 0; q < QUADS && o + q * VL < oc; q++)
                        conv_bf16_finish(a, sum[p * QUADS + q], y, x + p, o + q * VL, oc);
            }
}
