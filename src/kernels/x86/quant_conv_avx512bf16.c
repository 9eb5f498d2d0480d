/* conv_bf16 with the dot products of AVX-512 BF16. */
#include "kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

typedef __m512 Sum;
typedef __m512i Group;

static inline __attribute__((always_inline)) __m512i group_load(const void *at)
{
    int32_t pair;

    memcpy(&pair, at, sizeof pair);
    return _mm512_set1_epi32(pair);
}

static inline __attribute__((always_inline)) __m512 sum_dot(__m512 sum, __m512i pair, __m512i w)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)w, (__m512bh)pair);
}

#include "kernels/x86/quant_tile_avx512.h"

typedef enum Residual { RESIDUAL_NONE, RESIDUAL_BF16, RESIDUAL_F32 } Residual;

/* One call of the kernel, prepared. */
typedef struct Call {
    const ConvBf16Args *args;
    Walk walk;
    int groups, w, oc;
    int shared; /* tile_sum_shared is possible */
    Residual residual;
} Call;

/* Part of a row, outputs o ..: its constants, residual and output. */
typedef struct Finish {
    __m512 slope[4];
    const uint16_t *add;
    const float *add_f32;
    uint16_t *out;
    float *out_f32;
    ptrdiff_t add_px, out_px;
    __mmask16 mask[4]; /* outputs that exist */
} Finish;

INLINE __mmask16 lanes_left(int left)
{
    return left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
}

INLINE Finish finish_new(const Call *c, int y, int o, const int L)
{
    const ConvBf16Args *a = c->args;
    Finish f = { .add = NULL };

    UNROLL
    for (int l = 0; l < L; l++) {
        f.slope[l] = _mm512_loadu_ps(a->slope + o + l * 16);
        f.mask[l] = lanes_left(c->oc - o - l * 16);
    }
    if (c->residual == RESIDUAL_BF16) {
        f.add = view16_at(&a->add, y, 0) + o;
        f.add_px = a->add.px;
    } else if (c->residual == RESIDUAL_F32) {
        f.add_f32 = view_at(&a->add_f32, y, 0) + o;
        f.add_px = a->add_f32.px;
    }
    if (a->out.data) {
        f.out = view16_at(&a->out, y, 0) + o;
        f.out_px = a->out.px;
    } else {
        f.out_f32 = view_at(&a->out_f32, y, 0) + o;
        f.out_px = a->out_f32.px;
    }
    return f;
}

/* act(sum + residual) for the vector l of outputs of pixel x. */
INLINE __m512 value_of(const Finish *f, __m512 v, int x, const int l, const Residual residual)
{
    if (residual == RESIDUAL_BF16) {
        const uint16_t *add = f->add + x * f->add_px + l * 16;
        __m512i wide =
            _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)add));

        v = _mm512_add_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16)));
    } else if (residual == RESIDUAL_F32)
        v = _mm512_add_ps(v, _mm512_loadu_ps(f->add_f32 + x * f->add_px + l * 16));
    return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v,
                              f->slope[l]);
}

INLINE void finish_pixels(const Finish *f, const __m512 *sum, int x, int pixels, const int L,
                          const int f32, const Residual residual)
{
    for (int p = 0; p < pixels; p++) {
        UNROLL
        for (int l = 0; l < L; l++) {
            __m512 v = value_of(f, sum[p * L + l], x + p, l, residual);

            if (f32)
                _mm512_mask_storeu_ps(f->out_f32 + (x + p) * f->out_px + l * 16, f->mask[l], v);
            else if (f->mask[l] == 0xffff)
                _mm256_storeu_si256((__m256i *)(void *)(f->out + (x + p) * f->out_px + l * 16),
                                    (__m256i)_mm512_cvtneps_pbh(v));
            else
                _mm256_mask_storeu_epi16(f->out + (x + p) * f->out_px + l * 16, f->mask[l],
                                         (__m256i)_mm512_cvtneps_pbh(v));
        }
    }
}

/* ---- sums ---- */

/* The sums go through memory, see quant_conv_avx512vnni.c. */
INLINE void tile_run(const Call *c, const char *in, int o, const int P, const int L, __m512 *out)
{
    const ConvBf16Args *a = c->args;
    const char *weights = (const char *)a->weights + o / CONV_LANES * c->walk.block;
    __m512 sum[24];

    UNROLL
    for (int i = 0; i < P * L; i++)
        sum[i] = _mm512_loadu_ps(a->bias + o + i % L * 16);
    if (L == 1 && c->shared)
        tile_sum_shared(sum, P, &c->walk, c->groups, in, weights);
    else
        tile_sum(sum, P, L, &c->walk, in, weights);
    UNROLL
    for (int i = 0; i < P * L; i++)
        out[i] = sum[i];
}

/* 17 to 24 outputs; the halves of a pair of pixels become the second vector of each, whose upper
 * lanes stay as they are. */
INLINE void tile_run_half(const Call *c, const char *in, int o, const int P, __m512 *out)
{
    const ConvBf16Args *a = c->args;
    const char *weights = (const char *)a->weights + o / CONV_LANES * c->walk.block;
    const __m512 half = _mm512_broadcast_f32x8(_mm256_loadu_ps(a->bias + o + 16));
    __m512 sum[24];

    UNROLL
    for (int p = 0; p < P; p++) {
        sum[p] = _mm512_loadu_ps(a->bias + o);
        sum[P + p / 2] = half;
    }
    tile_sum_half(sum, P, &c->walk, in, weights);
    UNROLL
    for (int p = 0; p < P; p += 2) {
        const __m512 pair = sum[P + p / 2];

        out[2 * p] = sum[p];
        _mm256_storeu_ps((float *)(out + 2 * p + 1), _mm512_castps512_ps256(pair));
        out[2 * p + 2] = sum[p + 1];
        _mm256_storeu_ps((float *)(out + 2 * p + 3), _mm512_extractf32x8_ps(pair, 1));
    }
}

#define TILE_HALF(P)                                                                               \
    static __attribute__((noinline)) void tile_half_##P(const Call *c, const char *in, int o,      \
                                                        Sum *sum)                                  \
    {                                                                                              \
        tile_run_half(c, in, o, P, sum);                                                           \
    }

#define TILE(P, L)                                                                                 \
    static __attribute__((noinline)) void tile_##P##x##L(const Call *c, const char *in, int o,     \
                                                         Sum *sum)                                 \
    {                                                                                              \
        tile_run(c, in, o, P, L, sum);                                                             \
    }

#include "kernels/x86/quant_tiles_avx512.h"

/* ---- rows ---- */

/* The first tap of the first pixel of output row y. */
INLINE const char *row_input(const Call *c, int y)
{
    const ConvBf16Args *a = c->args;

    return (const char *)view16_at(&a->in, y * a->stride - a->dilation * (a->kh - 1) / 2,
                                   -(a->dilation * (a->kw - 1) / 2));
}

/* L vectors of outputs from o on of row y. */
INLINE void row_run(const Call *c, int y, int o, const int L, const int f32,
                    const Residual residual)
{
    const Finish f = finish_new(c, y, o, L);
    const char *in = row_input(c, y);
    const TileSize *sizes = tiles_for(L, c->oc - o);
    __m512 sum[32];

    memset(sum, 0, sizeof sum); /* what the half tiles leave */

    for (int x = 0; x < c->w;) {
        const TileSize *tile = tile_next(sizes, c->w - x);

        tile->run(c, in, o, sum);
        finish_pixels(&f, sum, x, tile->pixels, L, f32, residual);
        x += tile->pixels;
        in += tile->pixels * c->walk.step;
    }
}

#define ROW(L)                                                                                     \
    static __attribute__((noinline)) void row_##L(const Call *c, int y, int o)                     \
    {                                                                                              \
        if (c->args->out.data && c->residual == RESIDUAL_NONE)                                     \
            row_run(c, y, o, L, 0, RESIDUAL_NONE);                                                 \
        else if (c->args->out.data && c->residual == RESIDUAL_BF16)                                \
            row_run(c, y, o, L, 0, RESIDUAL_BF16);                                                 \
        else if (c->args->out.data)                                                                \
            row_run(c, y, o, L, 0, RESIDUAL_F32);                                                  \
        else if (c->residual == RESIDUAL_NONE)                                                     \
            row_run(c, y, o, L, 1, RESIDUAL_NONE);                                                 \
        else if (c->residual == RESIDUAL_BF16)                                                     \
            row_run(c, y, o, L, 1, RESIDUAL_BF16);                                                 \
        else                                                                                       \
            row_run(c, y, o, L, 1, RESIDUAL_F32);                                                  \
    }

ROW(1)
ROW(2)
ROW(3)
ROW(4)

static void (*const rows[4])(const Call *c, int y, int o) = { row_1, row_2, row_3, row_4 };

/* ---- heads ---- */

INLINE __m512i head_bits(__m512 sum)
{
    return _mm512_castps_si512(sum);
}

INLINE __m512i head_add(__m512i a, __m512i b)
{
    return _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
}

INLINE __m512 head_constants(const float *p)
{
    return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
}

/* act(sum + bias + residual) of four pixels, of which n exist. */
INLINE __m512 head_values(const Call *c, __m512i sum, int y, int x, int n)
{
    const ConvBf16Args *a = c->args;
    __m512 v = _mm512_add_ps(_mm512_castsi512_ps(sum), head_constants(a->bias));
    float residual[16] = { 0 };

    if (c->residual != RESIDUAL_NONE) {
        for (int p = 0; p < n; p++)
            for (int o = 0; o < c->oc; o++)
                residual[4 * p + o] = c->residual == RESIDUAL_BF16
                                          ? f32_from_bf16(view16_at(&a->add, y, x + p)[o])
                                          : view_at(&a->add_f32, y, x + p)[o];
        v = _mm512_add_ps(v, _mm512_loadu_ps(residual));
    }
    return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v,
                              head_constants(a->slope));
}

#include "kernels/x86/quant_heads_avx512.h"

void conv_bf16_avx512bf16(const ConvBf16Args *a, int y0, int y1)
{
    const int groups = (a->in.c + 1) / 2;
    const Call c = { .args = a,
                     .walk = walk_new(a->in.px * 2, a->in.row * 2, groups, a->kh, a->kw, a->stride,
                                      a->dilation),
                     .groups = groups,
                     .shared = a->kw == 3 && a->stride == a->dilation,
                     .w = a->out.data ? a->out.w : a->out_f32.w,
                     .oc = a->out.data ? a->out.c : a->out_f32.c,
                     .residual = a->add.data       ? RESIDUAL_BF16
                                 : a->add_f32.data ? RESIDUAL_F32
                                                   : RESIDUAL_NONE };
    int vectors;

    /* what follows the last channel may not be a number */
    if (head_possible(&c) && c.args->in.c % 32 == 0) {
        head_rows(&c, y0, y1);
        return;
    }
    for (int y = y0; y < y1; y++)
        for (int o = 0; o < c.oc; o += vectors * 16) {
            vectors = vectors_next((c.oc - o + 15) / 16);
            rows[vectors - 1](&c, y, o);
        }
}
