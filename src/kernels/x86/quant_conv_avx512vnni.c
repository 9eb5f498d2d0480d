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

/* One call of the kernel, prepared. */
typedef struct Call {
    const ConvU8Args *args;
    Walk walk;
    int groups, oc;
    int shared;                /* tile_sum_shared is possible */
    float m, add_scale, shift; /* m, k and the shift of ConvU8Args */
} Call;

typedef enum Residual { RESIDUAL_NONE, RESIDUAL_U8, RESIDUAL_F32 } Residual;

/* Where a tile lies. */
typedef struct Place {
    const char *in;
    int y, x, o; /* o: first output channel */
} Place;

/* Constants of the outputs o .. of one tile, and where its residual and output begin. */
typedef struct Finish {
    __m512 scale[4], slope[4], shift, add_scale;
    const uint8_t *add;
    const float *add_f32;
    ptrdiff_t add_px;
    __mmask16 mask[4]; /* of the outputs that exist */
} Finish;

INLINE __mmask16 lanes_left(int left)
{
    return left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
}

INLINE Finish finish_new(const Call *c, const Place *at, const int L)
{
    const ConvU8Args *a = c->args;
    Finish f = { .shift = _mm512_set1_ps(c->shift), .add_scale = _mm512_set1_ps(c->add_scale) };

    UNROLL
    for (int l = 0; l < L; l++) {
        f.scale[l] =
            _mm512_mul_ps(_mm512_loadu_ps(a->scale + at->o + l * 16), _mm512_set1_ps(c->m));
        f.slope[l] = _mm512_loadu_ps(a->slope + at->o + l * 16);
        f.mask[l] = lanes_left(c->oc - at->o - l * 16);
    }
    if (a->add.data) {
        f.add = view8_at(&a->add, at->y, at->x) + at->o;
        f.add_px = a->add.px;
    } else if (a->add_f32.data) {
        f.add_f32 = view_at(&a->add_f32, at->y, at->x) + at->o;
        f.add_px = a->add_f32.px;
    }
    return f;
}

/* v = act(sum * scale + residual) for the vector l of outputs of pixel p. */
INLINE __m512 value_of(const Finish *f, __m512i sum, int p, const int l, const Residual residual)
{
    __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), f->scale[l], f->shift);

    if (residual == RESIDUAL_U8) {
        const uint8_t *add = f->add + p * f->add_px + l * 16;
        __m512i q = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)add));

        v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(q), f->add_scale, v);
    } else if (residual == RESIDUAL_F32)
        v = _mm512_add_ps(v, _mm512_loadu_ps(f->add_f32 + p * f->add_px + l * 16));
    return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v,
                              f->slope[l]);
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

INLINE void tile_finish_u8(const Call *c, const __m512i *sum, int pixels, const int L,
                           const Place *at, const Residual residual)
{
    const Finish f = finish_new(c, at, L);
    const __m512 zero = _mm512_set1_ps((float)c->args->out_zero);
    const int left = c->oc - at->o, each = L == 1 ? 4 : L == 2 ? 2 : 1; /* pixels of 64 codes */
    const __mmask64 mask = left >= 64 ? ~0ull : (1ull << left) - 1;
    const ptrdiff_t px = c->args->out.px;
    uint8_t *out = view8_at(&c->args->out, at->y, at->x) + at->o;
    int p = 0;

    if (left >= L * 16)
        for (; p + each <= pixels; p += each, out += each * px) {
            __m512i q[4];

            UNROLL
            for (int j = 0; j < 4; j++) {
                const int n = j < each * L ? j : 0;
                __m512 v = value_of(&f, sum[p * L + n], p + n / L, n % L, residual);

                q[j] = _mm512_cvtps_epi32(_mm512_add_ps(v, zero));
            }
            store_codes(out, px, pack_codes(q), L);
        }
    for (; p < pixels; p++, out += px) {
        __m512i q[4];

        UNROLL
        for (int j = 0; j < 4; j++) {
            const int n = j < L ? j : 0;
            __m512 v = value_of(&f, sum[p * L + n], p, n, residual);

            q[j] = _mm512_cvtps_epi32(_mm512_add_ps(v, zero));
        }
        _mm512_mask_storeu_epi8(out, L == 4 ? mask : mask & ((1ull << L * 16) - 1), pack_codes(q));
    }
}

INLINE void tile_finish_f32(const Call *c, const __m512i *sum, int pixels, const int L,
                            const Place *at, const Residual residual)
{
    const Finish f = finish_new(c, at, L);
    const ptrdiff_t px = c->args->out_f32.px;
    float *out = view_at(&c->args->out_f32, at->y, at->x) + at->o;

    for (int p = 0; p < pixels; p++, out += px) {
        UNROLL
        for (int l = 0; l < L; l++)
            _mm512_mask_storeu_ps(out + l * 16, f.mask[l],
                                  value_of(&f, sum[p * L + l], p, l, residual));
    }
}

#define FINISH(L)                                                                                  \
    static __attribute__((noinline)) void finish_##L(const Call *c, const __m512i *sum, int p,     \
                                                     const Place *at)                              \
    {                                                                                              \
        const ConvU8Args *a = c->args;                                                             \
        if (a->out.data && !a->add.data)                                                           \
            tile_finish_u8(c, sum, p, L, at, RESIDUAL_NONE);                                       \
        else if (a->out.data)                                                                      \
            tile_finish_u8(c, sum, p, L, at, RESIDUAL_U8);                                         \
        else if (a->add.data)                                                                      \
            tile_finish_f32(c, sum, p, L, at, RESIDUAL_U8);                                        \
        else if (a->add_f32.data)                                                                  \
            tile_finish_f32(c, sum, p, L, at, RESIDUAL_F32);                                       \
        else                                                                                       \
            tile_finish_f32(c, sum, p, L, at, RESIDUAL_NONE);                                      \
    }

FINISH(1)
FINISH(2)
FINISH(3)
FINISH(4)

static void tile_finish(const Call *c, const __m512i *sum, int pixels, int vectors, const Place *at)
{
    if (vectors == 1)
        finish_1(c, sum, pixels, at);
    else if (vectors == 2)
        finish_2(c, sum, pixels, at);
    else if (vectors == 3)
        finish_3(c, sum, pixels, at);
    else
        finish_4(c, sum, pixels, at);
}

/* The sums go through memory: with the finish in the same function compilers run out of registers
 * within the loop. */
INLINE void tile_run(const Call *c, const Place *at, const int P, const int L, __m512i *out)
{
    const ConvU8Args *a = c->args;
    const char *weights = (const char *)a->weights + at->o / CONV_LANES * c->walk.block;
    __m512i sum[24];

    UNROLL
    for (int i = 0; i < P * L; i++)
        sum[i] = _mm512_loadu_si512(a->bias + at->o + i % L * 16);
    if (L == 1 && c->shared)
        tile_sum_shared(sum, P, &c->walk, c->groups, at->in, weights);
    else
        tile_sum(sum, P, L, &c->walk, at->in, weights);
    UNROLL
    for (int i = 0; i < P * L; i++)
        out[i] = sum[i];
}

#define TILE(P, L)                                                                                 \
    static __attribute__((noinline)) void tile_##P##x##L(const Call *c, const Place *at,           \
                                                         __m512i *sum)                             \
    {                                                                                              \
        tile_run(c, at, P, L, sum);                                                                \
    }

TILE(24, 1)
TILE(20, 1)
TILE(16, 1)
TILE(12, 1)
TILE(8, 1)
TILE(6, 1)
TILE(4, 1)
TILE(3, 1)
TILE(2, 1)
TILE(1, 1)
TILE(12, 2)
TILE(10, 2)
TILE(8, 2)
TILE(6, 2)
TILE(4, 2)
TILE(3, 2)
TILE(2, 2)
TILE(1, 2)
TILE(8, 3)
TILE(6, 3)
TILE(4, 3)
TILE(3, 3)
TILE(2, 3)
TILE(1, 3)
TILE(6, 4)
TILE(5, 4)
TILE(4, 4)
TILE(3, 4)
TILE(2, 4)
TILE(1, 4)

typedef struct TileSize {
    int pixels;
    void (*run)(const Call *c, const Place *at, __m512i *sum);
} TileSize;

/* By vectors of outputs; widest first. */
static const TileSize tiles[4][10] = {
    { { 24, tile_24x1 },
      { 20, tile_20x1 },
      { 16, tile_16x1 },
      { 12, tile_12x1 },
      { 8, tile_8x1 },
      { 6, tile_6x1 },
      { 4, tile_4x1 },
      { 3, tile_3x1 },
      { 2, tile_2x1 },
      { 1, tile_1x1 } },
    { { 12, tile_12x2 },
      { 10, tile_10x2 },
      { 8, tile_8x2 },
      { 6, tile_6x2 },
      { 4, tile_4x2 },
      { 3, tile_3x2 },
      { 2, tile_2x2 },
      { 1, tile_1x2 } },
    { { 8, tile_8x3 },
      { 6, tile_6x3 },
      { 4, tile_4x3 },
      { 3, tile_3x3 },
      { 2, tile_2x3 },
      { 1, tile_1x3 } },
    { { 6, tile_6x4 },
      { 5, tile_5x4 },
      { 4, tile_4x4 },
      { 3, tile_3x4 },
      { 2, tile_2x4 },
      { 1, tile_1x4 } },
};

/* The next tile of a row of which left pixels are to do: the widest, unless that leaves a rest too
 * narrow to keep the multipliers busy; then about half. */
static const TileSize *tile_next(const TileSize *sizes, int left)
{
    const int widest = sizes->pixels;
    const int wanted = left > widest && left < widest + widest / 2 ? (left + 1) / 2 : left;

    while (sizes->pixels > wanted)
        sizes++;
    return sizes;
}

/* Vectors of outputs of the next tile when blocks of 16 are to do. */
static int vectors_next(int blocks)
{
    return blocks <= 4 ? blocks : blocks <= 6 ? 3 : 4;
}

static void row_run(const Call *c, int y)
{
    const ConvU8Args *a = c->args;
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;
    const int w = a->out.data ? a->out.w : a->out_f32.w;
    __m512i sum[24];
    int vectors;

    for (int o = 0; o < c->oc; o += vectors * 16) {
        const TileSize *tile;

        vectors = vectors_next((c->oc - o + 15) / 16);
        for (int x = 0; x < w; x += tile->pixels) {
            Place at = { (const char *)view8_at(&a->in, y * a->stride - pad_y,
                                                x * a->stride - pad_x),
                         y, x, o };

            tile = tile_next(tiles[vectors - 1], w - x);
            tile->run(c, &at, sum);
            tile_finish(c, sum, tile->pixels, vectors, &at);
        }
    }
}

void conv_u8_avx512vnni(const ConvU8Args *a, int y0, int y1)
{
    const float m = a->out.data ? a->out_inv_scale : 1.0f, k = a->add_scale * m;
    const int groups = (a->in.c + 3) / 4;
    const Call c = { .args = a,
                     .walk = walk_new(a->in.px, a->in.row, groups, a->kh, a->kw, a->stride,
                                      a->dilation),
                     .groups = groups,
                     .oc = a->out.data ? a->out.c : a->out_f32.c,
                     .shared = a->kw == 3 && a->stride == a->dilation,
                     .m = m,
                     .add_scale = k,
                     .shift = a->add.data ? -((float)a->add_zero * k) : 0.0f };

    for (int y = y0; y < y1; y++)
        row_run(&c, y);
}
