/* conv_u8 with AVX-512 VNNI. */
#include "kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

typedef __m512i Sum;
typedef __m512i Group;

static inline __attribute__((always_inline)) __m512i group_load(const void *at)
{
    int32_t codes;

    memcpy(&codes, at, sizeof codes);
    return _mm512_set1_epi32(codes);
}

static inline __attribute__((always_inline)) __m512i sum_dot(__m512i sum, __m512i codes, __m512i w)
{
    return _mm512_dpbusd_epi32(sum, codes, w);
}

#include "kernels/x86/quant_tile_avx512.h"

typedef enum Residual { RESIDUAL_NONE, RESIDUAL_U8, RESIDUAL_F32 } Residual;

/* One call of the kernel, prepared. */
typedef struct Call {
    const ConvU8Args *args;
    Walk walk;
    int groups, w, oc;
    int shared;                /* tile_sum_shared is possible */
    float m, add_scale, shift; /* m, k and the shift of ConvU8Args */
    Residual residual;
} Call;

/* Part of a row, outputs o ..: its constants, residual and output. */
typedef struct Finish {
    __m512 scale[4], scale_low[4], slope[4]; /* scale_low: scale * slope */
    __m512 shift, add_scale, zero;
    const uint8_t *add;
    const float *add_f32;
    uint8_t *out;
    float *out_f32;
    ptrdiff_t add_px, out_px;
    int lanes; /* outputs left from o on */
} Finish;

INLINE Finish finish_new(const Call *c, int y, int o, const int L)
{
    const ConvU8Args *a = c->args;
    Finish f = { .shift = _mm512_set1_ps(c->shift),
                 .add_scale = _mm512_set1_ps(c->add_scale),
                 .zero = _mm512_set1_ps((float)a->out_zero),
                 .lanes = c->oc - o };

    UNROLL
    for (int l = 0; l < L; l++) {
        f.slope[l] = _mm512_loadu_ps(a->slope + o + l * 16);
        f.scale[l] = _mm512_mul_ps(_mm512_loadu_ps(a->scale + o + l * 16), _mm512_set1_ps(c->m));
        f.scale_low[l] = _mm512_mul_ps(f.scale[l], f.slope[l]);
    }
    if (c->residual == RESIDUAL_U8) {
        f.add = view8_at(&a->add, y, 0) + o;
        f.add_px = a->add.px;
    } else if (c->residual == RESIDUAL_F32) {
        f.add_f32 = view_at(&a->add_f32, y, 0) + o;
        f.add_px = a->add_f32.px;
    }
    if (a->out.data) {
        f.out = view8_at(&a->out, y, 0) + o;
        f.out_px = a->out.px;
    } else {
        f.out_f32 = view_at(&a->out_f32, y, 0) + o;
        f.out_px = a->out_f32.px;
    }
    return f;
}

/* act(sum * scale + residual) + zero for the vector l of outputs of pixel x. */
INLINE __m512 value_of(const Finish *f, __m512i sum, int x, const int l, const Residual residual,
                       __m512 zero)
{
    __m512 v = _mm512_cvtepi32_ps(sum);

    if (residual == RESIDUAL_NONE) {
        __m512 scale = _mm512_mask_mov_ps(f->scale[l], _mm512_movepi32_mask(sum), f->scale_low[l]);

        return _mm512_fmadd_ps(v, scale, zero);
    }
    v = _mm512_fmadd_ps(v, f->scale[l], f->shift);
    if (residual == RESIDUAL_U8) {
        const uint8_t *add = f->add + x * f->add_px + l * 16;
        __m512i q = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)add));

        v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(q), f->add_scale, v);
    } else
        v = _mm512_add_ps(v, _mm512_loadu_ps(f->add_f32 + x * f->add_px + l * 16));
    v = _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v,
                           f->slope[l]);
    return _mm512_add_ps(v, zero);
}

/* Four vectors of 16 integers -> 64 codes in order, clamped by saturation. */
INLINE __m512i pack_codes(const __m512i q[4])
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i words0 = _mm512_packs_epi32(q[0], q[1]), words1 = _mm512_packs_epi32(q[2], q[3]);

    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words0, words1));
}

/* Stores 64 codes: all outputs of 4, 2 or 1 pixels. */
INLINE void store_codes(uint8_t *out, ptrdiff_t px, __m512i codes, const int L)
{
    if (L == 1) {
        _mm_storeu_si128((__m128i *)out, _mm512_castsi512_si128(codes));
        _mm_storeu_si128((__m128i *)(out + px), _mm512_extracti32x4_epi32(codes, 1));
        _mm_storeu_si128((__m128i *)(out + 2 * px), _mm512_extracti32x4_epi32(codes, 2));
        _mm_storeu_si128((__m128i *)(out + 3 * px), _mm512_extracti32x4_epi32(codes, 3));
    } else if (L == 2) {
        _mm256_storeu_si256((__m256i *)out, _mm512_castsi512_si256(codes));
        _mm256_storeu_si256((__m256i *)(out + px), _mm512_extracti64x4_epi64(codes, 1));
    } else if (L == 3) {
        _mm256_storeu_si256((__m256i *)out, _mm512_castsi512_si256(codes));
        _mm_storeu_si128((__m128i *)(out + 32), _mm512_extracti32x4_epi32(codes, 2));
    } else
        _mm512_storeu_si512(out, codes);
}

INLINE void finish_u8(const Finish *f, const __m512i *sum, int x, int pixels, const int L,
                      const Residual residual)
{
    const int each = L == 1 ? 4 : L == 2 ? 2 : 1; /* pixels in 64 codes */
    const __mmask64 mask = f->lanes >= 64 ? ~0ull : (1ull << f->lanes) - 1;
    uint8_t *out = f->out + x * f->out_px;
    int p = 0;

    if (f->lanes >= L * 16)
        for (; p + each <= pixels; p += each, out += each * f->out_px) {
            __m512i q[4];

            UNROLL
            for (int j = 0; j < 4; j++) {
                const int n = j < each * L ? j : 0;

                q[j] = _mm512_cvtps_epi32(
                    value_of(f, sum[p * L + n], x + p + n / L, n % L, residual, f->zero));
            }
            store_codes(out, f->out_px, pack_codes(q), L);
        }
    for (; p < pixels; p++, out += f->out_px) {
        __m512i q[4];

        UNROLL
        for (int j = 0; j < 4; j++) {
            const int n = j < L ? j : 0;

            q[j] = _mm512_cvtps_epi32(value_of(f, sum[p * L + n], x + p, n, residual, f->zero));
        }
        _mm512_mask_storeu_epi8(out, L == 4 ? mask : mask & ((1ull << L * 16) - 1), pack_codes(q));
    }
}

INLINE __mmask16 lanes_left(int left)
{
    return left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
}

INLINE void finish_f32(const Finish *f, const __m512i *sum, int x, int pixels, const int L,
                       const Residual residual)
{
    float *out = f->out_f32 + x * f->out_px;

    for (int p = 0; p < pixels; p++, out += f->out_px) {
        UNROLL
        for (int l = 0; l < L; l++)
            _mm512_mask_storeu_ps(
                out + l * 16, lanes_left(f->lanes - l * 16),
                value_of(f, sum[p * L + l], x + p, l, residual, _mm512_setzero_ps()));
    }
}

/* ---- sums ---- */

/* The sums go through memory: with the finish in the same function compilers run out of registers
 * within the loop. */
INLINE void tile_run(const Call *c, const char *in, int o, const int P, const int L, __m512i *out)
{
    const ConvU8Args *a = c->args;
    const char *weights = (const char *)a->weights + o / CONV_LANES * c->walk.block;
    __m512i sum[24];

    UNROLL
    for (int i = 0; i < P * L; i++)
        sum[i] = _mm512_loadu_si512(a->bias + o + i % L * 16);
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
INLINE void tile_run_half(const Call *c, const char *in, int o, const int P, __m512i *out)
{
    const ConvU8Args *a = c->args;
    const char *weights = (const char *)a->weights + o / CONV_LANES * c->walk.block;
    const __m512i half =
        _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(a->bias + o + 16)));
    __m512i sum[24];

    UNROLL
    for (int p = 0; p < P; p++) {
        sum[p] = _mm512_loadu_si512(a->bias + o);
        sum[P + p / 2] = half;
    }
    tile_sum_half(sum, P, &c->walk, in, weights);
    UNROLL
    for (int p = 0; p < P; p += 2) {
        const __m512i pair = sum[P + p / 2];

        out[2 * p] = sum[p];
        _mm256_storeu_si256((__m256i *)(out + 2 * p + 1), _mm512_castsi512_si256(pair));
        out[2 * p + 2] = sum[p + 1];
        _mm256_storeu_si256((__m256i *)(out + 2 * p + 3), _mm512_extracti64x4_epi64(pair, 1));
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
    const ConvU8Args *a = c->args;

    return (const char *)view8_at(&a->in, y * a->stride - a->dilation * (a->kh - 1) / 2,
                                  -(a->dilation * (a->kw - 1) / 2));
}

/* L vectors of outputs from o on of row y. */
INLINE void row_run(const Call *c, int y, int o, const int L, const int f32,
                    const Residual residual)
{
    const Finish f = finish_new(c, y, o, L);
    const char *in = row_input(c, y);
    const TileSize *sizes = tiles_for(L, c->oc - o);
    __m512i sum[32];

    memset(sum, 0, sizeof sum); /* what the half tiles leave */

    for (int x = 0; x < c->w;) {
        const TileSize *tile = tile_next(sizes, c->w - x);

        tile->run(c, in, o, sum);
        if (f32)
            finish_f32(&f, sum, x, tile->pixels, L, residual);
        else
            finish_u8(&f, sum, x, tile->pixels, L, residual);
        x += tile->pixels;
        in += tile->pixels * c->walk.step;
    }
}

#define ROW(L)                                                                                     \
    static __attribute__((noinline)) void row_##L(const Call *c, int y, int o)                     \
    {                                                                                              \
        if (c->args->out.data && c->residual == RESIDUAL_NONE)                                     \
            row_run(c, y, o, L, 0, RESIDUAL_NONE);                                                 \
        else if (c->args->out.data && c->residual == RESIDUAL_U8)                                  \
            row_run(c, y, o, L, 0, RESIDUAL_U8);                                                   \
        else if (c->args->out.data)                                                                \
            row_run(c, y, o, L, 0, RESIDUAL_F32);                                                  \
        else if (c->residual == RESIDUAL_NONE)                                                     \
            row_run(c, y, o, L, 1, RESIDUAL_NONE);                                                 \
        else if (c->residual == RESIDUAL_U8)                                                       \
            row_run(c, y, o, L, 1, RESIDUAL_U8);                                                   \
        else                                                                                       \
            row_run(c, y, o, L, 1, RESIDUAL_F32);                                                  \
    }

ROW(1)
ROW(2)
ROW(3)
ROW(4)

static void (*const rows[4])(const Call *c, int y, int o) = { row_1, row_2, row_3, row_4 };

/* ---- heads ---- */

INLINE __m512i head_bits(__m512i sum)
{
    return sum;
}

INLINE __m512i head_add(__m512i a, __m512i b)
{
    return _mm512_add_epi32(a, b);
}

/* Constants repeated for the four pixels. */
INLINE __m512 head_constants(const float *p)
{
    return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
}

/* act((sum + bias) * scale + residual) of four pixels, of which n exist. */
INLINE __m512 head_values(const Call *c, __m512i sum, int y, int x, int n)
{
    const ConvU8Args *a = c->args;
    const __m512 scale = head_constants(a->scale), slope = head_constants(a->slope);
    float residual[16] = { 0 };
    __m512 v;

    sum = _mm512_add_epi32(sum, _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)a->bias)));
    v = _mm512_cvtepi32_ps(sum);

    if (c->residual == RESIDUAL_NONE) {
        const __m512 low = _mm512_mul_ps(scale, slope);

        return _mm512_fmadd_ps(v, _mm512_mask_mov_ps(scale, _mm512_movepi32_mask(sum), low),
                               _mm512_setzero_ps());
    }
    v = _mm512_fmadd_ps(v, scale, _mm512_set1_ps(c->shift));
    for (int p = 0; p < n; p++)
        for (int o = 0; o < c->oc; o++)
            residual[4 * p + o] = c->residual == RESIDUAL_U8 ? (float)view8_at(&a->add, y, x + p)[o]
                                                             : view_at(&a->add_f32, y, x + p)[o];
    if (c->residual == RESIDUAL_U8)
        v = _mm512_fmadd_ps(_mm512_loadu_ps(residual), _mm512_set1_ps(c->add_scale), v);
    else
        v = _mm512_add_ps(v, _mm512_loadu_ps(residual));
    v = _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v, slope);
    return _mm512_add_ps(v, _mm512_setzero_ps());
}

#include "kernels/x86/quant_heads_avx512.h"

void conv_u8_avx512vnni(const ConvU8Args *a, int y0, int y1)
{
    const float m = a->out.data ? a->out_inv_scale : 1.0f, k = a->add_scale * m;
    const int groups = (a->in.c + 3) / 4;
    const Call c = { .args = a,
                     .walk = walk_new(a->in.px, a->in.row, groups, a->kh, a->kw, a->stride,
                                      a->dilation),
                     .groups = groups,
                     .w = a->out.data ? a->out.w : a->out_f32.w,
                     .oc = a->out.data ? a->out.c : a->out_f32.c,
                     .shared = a->kw == 3 && a->stride == a->dilation,
                     .m = m,
                     .add_scale = k,
                     .shift = a->add.data ? -((float)a->add_zero * k) : 0.0f,
                     .residual = a->add.data       ? RESIDUAL_U8
                                 : a->add_f32.data ? RESIDUAL_F32
                                                   : RESIDUAL_NONE };
    int vectors;

    if (head_possible(&c)) {
        head_rows(&c, y0, y1);
        return;
    }
    for (int y = y0; y < y1; y++)
        for (int o = 0; o < c.oc; o += vectors * 16) {
            vectors = vectors_next((c.oc - o + 15) / 16);
            rows[vectors - 1](&c, y, o);
        }
}
