/* Convolution with AVX-512: tiles of pixels x 16, 24, 32 or 48 outputs. */
#include "kernels/vector/conv_tiles.h"

#include <immintrin.h>
#include <string.h>

/* The sums of a tile, its weights and a broadcast input fill the 32 registers. Each input pointer
 * serves three pixels ([p], [p + step], [p + 2 * step]): that is what the addressing modes give. */
enum { MAX_SUMS = 28, MAX_GROUPS = 3, MAX_BASES = (MAX_SUMS + 2) / 3 };

/* Pointers to pixels 0, 3, 6, ... */
INLINE void set_bases(const float **base, const float *in, ptrdiff_t step, const int pixels)
{
    UNROLL
    for (int b = 0; b < (pixels + 2) / 3; b++)
        base[b] = in + 3 * b * step;
}

INLINE void advance(const float **base, const int by, const int pixels)
{
    UNROLL
    for (int b = 0; b < (pixels + 2) / 3; b++) {
        base[b] += by;
        KEEP(base[b]);
    }
}

/* v > 0 ? v : v * slope */
INLINE __m512 activate(__m512 v, __m512 slope)
{
    return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v, slope);
}

/* ---- 16, 32, 48 outputs: sums[pixel * groups + group] ---- */

INLINE void multiply_add(__m512 *sums, const float *const *base, ptrdiff_t step, const float *w,
                         ptrdiff_t group, const int pixels, const int groups)
{
    __m512 weights[MAX_GROUPS];

    UNROLL
    for (int g = 0; g < groups; g++)
        weights[g] = _mm512_loadu_ps(w + g * group);
    UNROLL
    for (int p = 0; p < pixels; p++) {
        const __m512 x = _mm512_set1_ps(base[p / 3][p % 3 * step]);

        UNROLL
        for (int g = 0; g < groups; g++)
            sums[p * groups + g] = _mm512_fmadd_ps(x, weights[g], sums[p * groups + g]);
    }
}

/* Two steps of a tile of 16 outputs. A load for each multiply-add is more than the two load units
 * give, so every third pixel loads both its inputs at once and spreads them by shuffles. */
INLINE void multiply_add_twice(__m512 *sums, const float *const *base, ptrdiff_t step,
                               const float *w, const int pixels)
{
    const __m512 w0 = _mm512_loadu_ps(w), w1 = _mm512_loadu_ps(w + CONV_LANES);

    UNROLL
    for (int p = 0; p < pixels; p++) {
        const float *x = base[p / 3] + p % 3 * step;

        if (p % 3 == 0) {
            long long pair;
            __m512 both;

            memcpy(&pair, x, sizeof pair);
            both = _mm512_castsi512_ps(_mm512_set1_epi64(pair));
            sums[p] = _mm512_fmadd_ps(_mm512_moveldup_ps(both), w0, sums[p]);
            sums[p] = _mm512_fmadd_ps(_mm512_movehdup_ps(both), w1, sums[p]);
        } else {
            sums[p] = _mm512_fmadd_ps(_mm512_set1_ps(x[0]), w0, sums[p]);
        }
    }
    UNROLL
    for (int p = 0; p < pixels; p++)
        if (p % 3 != 0)
            sums[p] = _mm512_fmadd_ps(_mm512_set1_ps(base[p / 3][p % 3 * step + 1]), w1, sums[p]);
}

/* Residual, activation, store. Masked stores are slow: only tiles with padding lanes use them. */
INLINE void finish(const ConvPlan *plan, const ConvTile *t, __m512 *sums, const int pixels,
                   const int groups)
{
    const int left = t->channels - (groups - 1) * CONV_LANES;
    const __mmask16 last = left >= CONV_LANES ? 0xffff : (1u << left) - 1;

    if (t->add) {
        UNROLL
        for (int i = 0; i < pixels * groups; i++) {
            const float *add = t->add + i / groups * plan->add_px + i % groups * CONV_LANES;
            const __mmask16 mask = i % groups == groups - 1 ? last : 0xffff;

            sums[i] = _mm512_add_ps(sums[i], _mm512_maskz_loadu_ps(mask, add));
        }
    }
    UNROLL
    for (int i = 0; i < pixels * groups; i++)
        sums[i] = activate(sums[i], _mm512_loadu_ps(t->slope + i % groups * CONV_LANES));
    if (left >= CONV_LANES) {
        UNROLL
        for (int i = 0; i < pixels * groups; i++)
            _mm512_storeu_ps(t->out + i / groups * plan->out_px + i % groups * CONV_LANES, sums[i]);
    } else {
        UNROLL
        for (int i = 0; i < pixels * groups; i++)
            _mm512_mask_storeu_ps(t->out + i / groups * plan->out_px + i % groups * CONV_LANES,
                                  i % groups == groups - 1 ? last : 0xffff, sums[i]);
    }
}

INLINE void tile(const ConvPlan *plan, const ConvTile *t, const int pixels, const int groups)
{
    const ptrdiff_t step = plan->step, group = plan->group;
    const float *w = t->weights;
    __m512 sums[MAX_SUMS];

    UNROLL
    for (int i = 0; i < pixels * groups; i++)
        sums[i] = _mm512_loadu_ps(t->bias + i % groups * CONV_LANES);
    for (int ky = 0; ky < plan->rows; ky++)
        for (int kx = 0; kx < plan->runs; kx++) {
            const float *base[MAX_BASES];
            int k = plan->run;

            set_bases(base, t->in + ky * plan->tap_row + kx * plan->tap, step, pixels);
            if (groups == 1)
                for (; k > 1; k -= 2, w += 2 * CONV_LANES) {
                    multiply_add_twice(sums, base, step, w, pixels);
                    advance(base, 2, pixels);
                }
            for (; k > 0; k--, w += CONV_LANES) {
                multiply_add(sums, base, step, w, group, pixels, groups);
                advance(base, 1, pixels);
            }
        }
    finish(plan, t, sums, pixels, groups);
}

/* ---- 24 outputs: the last 8 of two pixels share a register ---- */

enum { MAX_PIXELS24 = 16 };

INLINE void multiply_add24(__m512 *low, __m512 *high, const float *const *base, ptrdiff_t step,
                           const float *w, ptrdiff_t group, const int pixels)
{
    const __m512 w_low = _mm512_loadu_ps(w);
    const __m512 w_high = _mm512_broadcast_f32x8(_mm256_loadu_ps(w + group));

    UNROLL
    for (int p = 0; p < pixels; p += 2) {
        const int q = p + 1 < pixels ? p + 1 : p;
        const __m512 x = _mm512_set1_ps(base[p / 3][p % 3 * step]);
        const __m512 y = _mm512_set1_ps(base[q / 3][q % 3 * step]);

        low[p] = _mm512_fmadd_ps(x, w_low, low[p]);
        if (q > p)
            low[q] = _mm512_fmadd_ps(y, w_low, low[q]);
        high[p / 2] = _mm512_fmadd_ps(_mm512_mask_blend_ps(0xff00, x, y), w_high, high[p / 2]);
    }
}

INLINE void finish24(const ConvPlan *plan, const ConvTile *t, const __m512 *low, const __m512 *high,
                     const int pixels)
{
    const __mmask8 mask = t->channels >= 24 ? 0xff : (1u << (t->channels - CONV_LANES)) - 1;
    const __m512 s_low = _mm512_loadu_ps(t->slope);
    const __m512 s_high = _mm512_castps256_ps512(_mm256_loadu_ps(t->slope + CONV_LANES));

    UNROLL
    for (int p = 0; p < pixels; p++) {
        float *out = t->out + p * plan->out_px;
        __m512 a = low[p];
        __m512 b = _mm512_castps256_ps512(p % 2 ? _mm512_extractf32x8_ps(high[p / 2], 1)
                                                : _mm512_castps512_ps256(high[p / 2]));

        if (t->add) {
            const float *add = t->add + p * plan->add_px;

            a = _mm512_add_ps(a, _mm512_loadu_ps(add));
            b = _mm512_add_ps(
                b, _mm512_castps256_ps512(_mm256_maskz_loadu_ps(mask, add + CONV_LANES)));
        }
        b = activate(b, s_high);
        _mm512_storeu_ps(out, activate(a, s_low));
        if (mask == 0xff)
            _mm256_storeu_ps(out + CONV_LANES, _mm512_castps512_ps256(b));
        else
            _mm256_mask_storeu_ps(out + CONV_LANES, mask, _mm512_castps512_ps256(b));
    }
}

INLINE void tile24(const ConvPlan *plan, const ConvTile *t, const int pixels)
{
    const __m512 b_high = _mm512_broadcast_f32x8(_mm256_loadu_ps(t->bias + CONV_LANES));
    const ptrdiff_t step = plan->step, group = plan->group;
    const float *w = t->weights;
    __m512 low[MAX_PIXELS24], high[MAX_PIXELS24 / 2];

    UNROLL
    for (int p = 0; p < pixels; p++) {
        low[p] = _mm512_loadu_ps(t->bias);
        high[p / 2] = b_high;
    }
    for (int ky = 0; ky < plan->rows; ky++)
        for (int kx = 0; kx < plan->runs; kx++) {
            const float *base[MAX_BASES];

            set_bases(base, t->in + ky * plan->tap_row + kx * plan->tap, step, pixels);
            for (int k = plan->run; k > 0; k--, w += CONV_LANES) {
                multiply_add24(low, high, base, step, w, group, pixels);
                advance(base, 1, pixels);
            }
        }
    finish24(plan, t, low, high, pixels);
}

/* ---- the tiles: tile_PIXELSxGROUPS ---- */

#define TILE(p, g)                                                                                 \
    static void tile_##p##x##g(const ConvPlan *plan, const ConvTile *t)                            \
    {                                                                                              \
        tile(plan, t, p, g);                                                                       \
    }
#define TILE24(p, g)                                                                               \
    static void tile24_##p(const ConvPlan *plan, const ConvTile *t)                                \
    {                                                                                              \
        tile24(plan, t, p);                                                                        \
    }
#define NAME(p, g) tile_##p##x##g,
#define NAME24(p, g) tile24_##p,

/* clang-format off */
#define TO_8(T, g) T(1, g) T(2, g) T(3, g) T(4, g) T(5, g) T(6, g) T(7, g) T(8, g)
#define TO_14(T, g) TO_8(T, g) T(9, g) T(10, g) T(11, g) T(12, g) T(13, g) T(14, g)
#define TO_16(T, g) TO_14(T, g) T(15, g) T(16, g)
#define TO_24(T, g) TO_16(T, g) T(17, g) T(18, g) T(19, g) T(20, g) T(21, g) T(22, g) T(23, g) T(24, g)
#define TO_28(T, g) TO_24(T, g) T(25, g) T(26, g) T(27, g) T(28, g)
/* clang-format on */

TO_28(TILE, 1)
TO_14(TILE, 2)
TO_8(TILE, 3)
TO_16(TILE24, )

static const ConvTileFn tiles16[] = { NULL, TO_28(NAME, 1) };
static const ConvTileFn tiles24[] = { NULL, TO_16(NAME24, ) };
static const ConvTileFn tiles32[] = { NULL, TO_14(NAME, 2) };
static const ConvTileFn tiles48[] = { NULL, TO_8(NAME, 3) };

static const ConvTileSet set16 = { 16, 28, tiles16 };
static const ConvTileSet set24 = { 24, 16, tiles24 };
static const ConvTileSet set32 = { 32, 14, tiles32 };
static const ConvTileSet set48 = { 48, 8, tiles48 };

static const ConvTileSet *pick(int outputs)
{
    if (outputs <= 16 || (outputs > 32 && outputs <= 40)) /* 40 = 16 + 24 */
        return &set16;
    if (outputs <= 24)
        return &set24;
    if (outputs > 40 && outputs <= 48)
        return &set48;
    return &set32;
}

/* ---- up to 8 outputs: pixels in the lanes ---- */

typedef __m512 Vec;

enum { VEC_LANES = 16, PLANAR_OUTPUTS = 8 };

INLINE Vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

INLINE Vec vec_set1(float f)
{
    return _mm512_set1_ps(f);
}

INLINE Vec vec_fma(Vec a, Vec b, Vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

INLINE void vec_store(float *p, Vec v)
{
    _mm512_storeu_ps(p, v);
}

#include "kernels/x86/conv_planar.h"

#define PLANAR_ROW(n, g)                                                                           \
    static void planar_row_##n(const Planar *s, int row, int y, int x, int pixels)                 \
    {                                                                                              \
        planar_row(s, row, y, x, pixels, n);                                                       \
    }
#define PLANAR_NAME(n, g) planar_row_##n,

TO_8(PLANAR_ROW, )

static const PlanarRowFn planar_rows[] = { NULL, TO_8(PLANAR_NAME, ) };

void conv_f32_avx512(const ConvArgs *a, int y0, int y1)
{
    if (planar_takes(a)) {
        conv_planar(a, y0, y1, planar_rows[a->out.c]);
        return;
    }
    conv_by_tiles(a, y0, y1, pick);
}
