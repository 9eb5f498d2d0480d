/*
 * conv_u8 on AArch64, compiled three times: products of bytes summed in pairs (armv8-a), signed dot
 * products (dotprod), mixed dot products (i8mm).
 *
 * The first two know signed bytes only: codes are taken minus 128, which is a flipped top bit, and
 * 128 times the sum of an output's weights joins its bias. All arithmetic wraps, so the sum is the same.
 */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <arm_neon.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* A tile: PIXELS pixels times 16 outputs, QUADS vectors of 4 sums to a pixel. PARTS vectors make
 * one. Codes, weights and sums fill the 32 registers. */
typedef ConvU8Args Args;
enum { QUADS = 4, GROUP = 4, STEP = 4, BLOCK = CONV_LANES * GROUP };

#if defined(__ARM_FEATURE_MATMUL_INT8)
#define KERNEL(name) name##_i8mm
enum { PARTS = 1, PIXELS = 5, OFFSET = 0 };
#elif defined(__ARM_FEATURE_DOTPROD)
#define KERNEL(name) name##_dotprod
enum { PARTS = 1, PIXELS = 5, OFFSET = 128 };
#else
#define KERNEL(name) name##_neon
enum { PARTS = 2, PIXELS = 3, OFFSET = 128 };
#endif

#include "kernels/neon/quant_walk.h"

/* ---- products ---- */

/* 16 codes, or 4 four times, as the multiplication wants them. */
INLINE uint8x16_t codes_ready(uint8x16_t codes)
{
    return OFFSET ? veorq_u8(codes, vdupq_n_u8(OFFSET)) : codes;
}

#if defined(__ARM_FEATURE_MATMUL_INT8)
#define DOT(sum, weights, codes, lane) vsudotq_laneq_s32(sum, weights, codes, lane)
#elif defined(__ARM_FEATURE_DOTPROD)
#define DOT(sum, weights, codes, lane)                                                             \
    vdotq_laneq_s32(sum, weights, vreinterpretq_s8_u8(codes), lane)
#endif

#if defined(__ARM_FEATURE_DOTPROD)
/* One group (4 channels) of all pixels: lane `lane` of each x. Weights come two vectors at a time, for
 * which there is one instruction. */
#define GROUP_DOT(lane)                                                                            \
    UNROLL                                                                                         \
    for (int q = 0; q < QUADS; q += 2) {                                                           \
        const int8x16_t w0 = vld1q_s8(w + (lane)*BLOCK + 16 * q);                                  \
        const int8x16_t w1 = vld1q_s8(w + (lane)*BLOCK + 16 * q + 16);                             \
                                                                                                   \
        UNROLL                                                                                     \
        for (int p = 0; p < pixels; p++)                                                           \
            sum[p * QUADS + q] = DOT(sum[p * QUADS + q], w0, x[p], lane);                          \
        UNROLL                                                                                     \
        for (int p = 0; p < pixels; p++)                                                           \
            sum[p * QUADS + q + 1] = DOT(sum[p * QUADS + q + 1], w1, x[p], lane);                  \
    }

INLINE const int8_t *run_sums(int32x4_t *sum, const uint8_t *in, ptrdiff_t step, const int8_t *w,
                              int steps, int ones, const int pixels)
{
    uint8x16_t x[PIXELS];

    for (; steps > 0; steps--, in += 4 * GROUP, w += 4 * BLOCK) {
        UNROLL
        for (int p = 0; p < pixels; p++)
            x[p] = codes_ready(vld1q_u8(in + p * step));
        GROUP_DOT(0)
        GROUP_DOT(1)
        GROUP_DOT(2)
        GROUP_DOT(3)
    }
    for (; ones > 0; ones--, in += GROUP, w += BLOCK) {
        UNROLL
        for (int p = 0; p < pixels; p++) {
            uint32_t four;

            memcpy(&four, in + p * step, sizeof four);
            x[p] = codes_ready(vreinterpretq_u8_u32(vdupq_n_u32(four)));
        }
        GROUP_DOT(0)
    }
    return w;
}

/* The sums of four outputs. */
INLINE int32x4_t sums_of(const int32x4_t *sum)
{
    return sum[0];
}
#else
INLINE const int8_t *run_sums(int32x4_t *sum, const uint8_t *in, ptrdiff_t step, const int8_t *w,
                              int steps, int ones, const int pixels)
{
    for (int n = 4 * steps + ones; n > 0; n--, in += GROUP, w += BLOCK) {
        int8x16_t x[PIXELS];

        UNROLL
        for (int p = 0; p < pixels; p++) {
            uint32_t four;

            memcpy(&four, in + p * step, sizeof four);
            x[p] = vreinterpretq_s8_u8(codes_ready(vreinterpretq_u8_u32(vdupq_n_u32(four))));
        }
        /* Four outputs to 16 bytes: products of 16 bits, summed by neighbours. */
        UNROLL
        for (int q = 0; q < QUADS; q++) {
            const int8x16_t weights = vld1q_s8(w + 16 * q);

            UNROLL
            for (int p = 0; p < pixels; p++) {
                int32x4_t *s = sum + (p * QUADS + q) * PARTS;

                s[0] = vpadalq_s16(s[0], vmull_s8(vget_low_s8(weights), vget_low_s8(x[p])));
                s[1] = vpadalq_s16(s[1], vmull_high_s8(weights, x[p]));
            }
        }
    }
    return w;
}

INLINE int32x4_t sums_of(const int32x4_t *sum)
{
    return vpaddq_s32(sum[0], sum[1]);
}
#endif

/* What 16 sums start from: the bias, and what the codes' offset adds. bytes: of the block's weights. */
INLINE void first_sums(int32_t first[CONV_LANES], const int32_t *bias, const int8_t *w,
                       ptrdiff_t bytes)
{
    for (int q = 0; q < QUADS; q++) {
        int32x4_t sum = vdupq_n_s32(0);

        for (ptrdiff_t i = OFFSET ? 16 * q : bytes; i < bytes; i += BLOCK)
            sum = vaddq_s32(sum, vpaddlq_s16(vpaddlq_s8(vld1q_s8(w + i))));
        vst1q_s32(first + 4 * q, vmlaq_n_s32(vld1q_s32(bias + 4 * q), sum, OFFSET));
    }
}

/* ---- from sums to outputs ---- */

/* The constants of a call, see ConvU8Args, and of 16 outputs. */
typedef struct Finish {
    const Args *args;
    float m, k, shift, z;
    float positive[CONV_LANES], negative[CONV_LANES]; /* factors of sums, by their sign */
} Finish;

static void finish_block(Finish *f, int o)
{
    for (int q = 0; q < CONV_LANES; q += 4) {
        const float32x4_t scale = vmulq_n_f32(vld1q_f32(f->args->scale + o + q), f->m);

        vst1q_f32(f->positive + q, scale);
        vst1q_f32(f->negative + q, vmulq_f32(scale, vld1q_f32(f->args->slope + o + q)));
    }
}

/* code_from_f32() before it is narrowed: what no 32-bit integer holds becomes 0. */
INLINE int32x4_t rounded(float32x4_t v)
{
    const uint32x4_t fits = vcltq_f32(v, vdupq_n_f32(0x1p31f));

    return vandq_s32(vcvtnq_s32_f32(v), vreinterpretq_s32_u32(fits));
}

/* Outputs without a residual. */
INLINE float32x4_t value_alone(int32x4_t sum, float32x4_t positive, float32x4_t negative,
                               float32x4_t z)
{
    return vfmaq_f32(z, vcvtq_f32_s32(sum), vbslq_f32(vcltzq_s32(sum), negative, positive));
}

/* Four outputs, the q-th of the 16 from o on and the next; the residuals' values are in add_codes or
 * add, or neither. */
INLINE float32x4_t value(const Finish *f, int32x4_t sum, int o, int q, const uint8_t *add_codes,
                         const float *add)
{
    const float32x4_t scale = vld1q_f32(f->positive + q);
    const float32x4_t slope = vld1q_f32(f->args->slope + o + q);
    float32x4_t v = vcvtq_f32_s32(sum);

    if (!add_codes && !add)
        return value_alone(sum, scale, vld1q_f32(f->negative + q), vdupq_n_f32(f->z));
    v = vfmaq_f32(vdupq_n_f32(f->shift), v, scale);
    if (add_codes) {
        uint32_t four;

        memcpy(&four, add_codes, sizeof four);
        const uint16x4_t wide = vget_low_u16(vmovl_u8(vcreate_u8(four)));
        v = vfmaq_f32(v, vcvtq_f32_u32(vmovl_u16(wide)), vdupq_n_f32(f->k));
    } else
        v = vaddq_f32(v, vld1q_f32(add));
    return vaddq_f32(vbslq_f32(vcgtzq_f32(v), v, vmulq_f32(v, slope)), vdupq_n_f32(f->z));
}

/* All 16 outputs of a tile as codes, without a residual: factors are loaded once. out: of its first
 * pixel. */
INLINE void finish_codes(const Finish *f, const int32x4_t *sum, uint8_t *out, const int pixels)
{
    const float32x4_t z = vdupq_n_f32(f->z);
    const ptrdiff_t px = f->args->out.px;
    uint8x8_t low[PIXELS];

    UNROLL
    for (int h = 0; h < QUADS; h += 2) {
        const float32x4_t p0 = vld1q_f32(f->positive + 4 * h), n0 = vld1q_f32(f->negative + 4 * h);
        const float32x4_t p1 = vld1q_f32(f->positive + 4 * h + 4);
        const float32x4_t n1 = vld1q_f32(f->negative + 4 * h + 4);

        UNROLL
        for (int p = 0; p < pixels; p++) {
            const int32x4_t *s = sum + (p * QUADS + h) * PARTS;
            const uint16x4_t a = vqmovun_s32(rounded(value_alone(sums_of(s), p0, n0, z)));
            const uint16x8_t words =
                vqmovun_high_s32(a, rounded(value_alone(sums_of(s + PARTS), p1, n1, z)));

            if (h == 0)
                low[p] = vqmovn_u16(words);
            else
                vst1q_u8(out + p * px, vqmovn_high_u16(low[p], words));
        }
    }
}

/* n outputs from o on of pixel (y,x). */
static __attribute__((noinline)) void finish(const Finish *f, const int32x4_t *sum, int y, int x,
                                             int o, int n)
{
    const Args *a = f->args;
    const uint8_t *add_codes = a->add.data ? view8_at(&a->add, y, x) + o : NULL;
    const float *add = a->add_f32.data ? view_at(&a->add_f32, y, x) + o : NULL;
    float32x4_t v[QUADS];
    float some[CONV_LANES] = { 0 };
    uint8_t bytes[CONV_LANES];

    if (n < CONV_LANES) { /* nothing is read that may not be there */
        if (add)
            add = memcpy(some, add, (size_t)n * sizeof *some);
        if (add_codes)
            add_codes = memcpy(bytes, add_codes, (size_t)n);
    }
    UNROLL
    for (int q = 0; q < QUADS; q++)
        v[q] = value(f, sums_of(sum + q * PARTS), o, 4 * q, add_codes ? add_codes + 4 * q : NULL,
                     add ? add + 4 * q : NULL);
    if (!a->out.data) {
        float *out = view_at(&a->out_f32, y, x) + o;

        UNROLL
        for (int q = 0; q < QUADS; q++)
            vst1q_f32((n < CONV_LANES ? some : out) + 4 * q, v[q]);
        if (n < CONV_LANES)
            memcpy(out, some, (size_t)n * sizeof *out);
        return;
    }
    uint8_t *out = view8_at(&a->out, y, x) + o;
    const uint16x8_t low = vcombine_u16(vqmovun_s32(rounded(v[0])), vqmovun_s32(rounded(v[1])));
    const uint16x8_t high = vcombine_u16(vqmovun_s32(rounded(v[2])), vqmovun_s32(rounded(v[3])));

    vst1q_u8(n < CONV_LANES ? bytes : out, vcombine_u8(vqmovn_u16(low), vqmovn_u16(high)));
    if (n < CONV_LANES)
        memcpy(out, bytes, (size_t)n);
}

/* ---- tiles ---- */

typedef struct Tile {
    const Finish *finish;
    const uint8_t *in;
    const int8_t *weights;
    const int32_t *first;
    int y, x, o, n;
    int simple; /* 16 outputs as codes, no residual */
} Tile;

INLINE void tile(const Walk *k, const Tile *t, const int pixels)
{
    const int8_t *w = t->weights;
    int32x4_t sum[PIXELS * QUADS * PARTS];

    UNROLL
    for (int i = 0; i < pixels * QUADS; i++) {
        const int32x4_t first = vld1q_s32(t->first + i % QUADS * 4);

        sum[i * PARTS] = PARTS > 1 ? vzip1q_s32(first, vdupq_n_s32(0)) : first;
        if (PARTS > 1)
            sum[i * PARTS + PARTS - 1] = vzip2q_s32(first, vdupq_n_s32(0));
    }
    const ptrdiff_t step = k->step, line = k->line, tap = k->tap;
    const int runs = k->runs, steps = k->steps, ones = k->ones;
    const uint8_t *in = t->in;

    for (int ky = k->lines; ky > 0; ky--, in += line)
        for (int kx = 0; kx < runs; kx++)
            w = run_sums(sum, in + kx * tap, step, w, steps, ones, pixels);
    if (t->simple) {
        finish_codes(t->finish, sum, view8_at(&t->finish->args->out, t->y, t->x) + t->o, pixels);
        return;
    }
    int32x4_t
        stored[PIXELS * QUADS * PARTS]; /* the other sums have no address and stay in registers */
    UNROLL
    for (int i = 0; i < pixels * QUADS * PARTS; i++)
        stored[i] = sum[i];
    for (int p = 0; p < pixels; p++)
        finish(t->finish, stored + p * QUADS * PARTS, t->y, t->x + p, t->o, t->n);
}

#define TILE(p)                                                                                    \
    static void tile_##p(const Walk *k, const Tile *t)                                             \
    {                                                                                              \
        tile(k, t, p);                                                                             \
    }
TILE(1)
TILE(2)
TILE(3)
#if defined(__ARM_FEATURE_DOTPROD)
TILE(4)
TILE(5)
#endif

static void (*const tiles[])(const Walk *k, const Tile *t) = {
    NULL,   tile_1, tile_2, tile_3,
#if defined(__ARM_FEATURE_DOTPROD)
    tile_4, tile_5,
#endif
};

void KERNEL(conv_u8)(const Args *a, int y0, int y1)
{
    const int w = a->out.data ? a->out.w : a->out_f32.w, oc = a->out.data ? a->out.c : a->out_f32.c;
    const float m = a->out.data ? a->out_inv_scale : 1.0f, k = a->add_scale * m;
    const int simple = a->out.data && !a->add.data && !a->add_f32.data;
    Finish f = { .args = a,
                 .m = m,
                 .k = k,
                 .shift = a->add.data ? -((float)a->add_zero * k) : 0.0f,
                 .z = a->out.data ? (float)a->out_zero : 0.0f };
    const Walk walk = walk_new(a);
    const ptrdiff_t block = (ptrdiff_t)BLOCK * ((a->in.c + GROUP - 1) / GROUP) * a->kh * a->kw;
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;
    const int count = (w + PIXELS - 1) / PIXELS; /* tiles of a row, of almost equal width */

    for (int o = 0; o < oc; o += CONV_LANES) {
        const int8_t *weights = a->weights + o / CONV_LANES * block;
        int32_t first[CONV_LANES];

        first_sums(first, a->bias + o, weights, block);
        finish_block(&f, o);
        for (int y = y0; y < y1; y++)
            for (int i = 0; i < count; i++) {
                const int x = (int)((long long)w * i / count);
                const int pixels = (int)((long long)w * (i + 1) / count) - x;
                const Tile t = { .finish = &f,
                                 .in =
                                     view8_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x),
                                 .weights = weights,
                                 .first = first,
                                 .y = y,
                                 .x = x,
                                 .o = o,
                                 .n = oc - o < CONV_LANES ? oc - o : CONV_LANES,
                                 .simple = simple && oc - o >= CONV_LANES };

                tiles[pixels](&walk, &t);
            }
    }
}
