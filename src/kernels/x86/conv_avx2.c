/* Convolution with AVX2 and FMA: tiles of pixels x 8, 16 or 24 outputs. */
#include "kernels/vector/conv_tiles.h"

#include <immintrin.h>
#include <string.h>

/* 12 sums, at most 3 weights and a broadcast input fill the 16 registers. A half is 8 outputs. Each
 * input pointer serves three pixels ([p], [p + step], [p + 2 * step]): that is what the addressing
 * modes give. */
enum { HALF = 8, MAX_SUMS = 12, MAX_HALVES = 3, MAX_BASES = (MAX_SUMS + 2) / 3 };

INLINE void multiply_add(__m256 *sums, const float *const *base, ptrdiff_t step, const float *w,
                         ptrdiff_t group, const int pixels, const int halves)
{
    __m256 weights[MAX_HALVES];

    UNROLL
    for (int h = 0; h < halves; h++)
        weights[h] = _mm256_loadu_ps(w + h / 2 * group + h % 2 * HALF);
    UNROLL
    for (int p = 0; p < pixels; p++) {
        const __m256 x = _mm256_broadcast_ss(&base[p / 3][p % 3 * step]);

        UNROLL
        for (int h = 0; h < halves; h++)
            sums[p * halves + h] = _mm256_fmadd_ps(x, weights[h], sums[p * halves + h]);
    }
}

/* v > 0 ? v : v * slope */
INLINE __m256 activate(__m256 v, __m256 slope)
{
    const __m256 positive = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ);

    return _mm256_blendv_ps(_mm256_mul_ps(v, slope), v, positive);
}

/* Residual, activation, store of one pixel whose last half has only some outputs. */
INLINE void finish_partly(const ConvTile *t, const __m256 *sums, float *out, const float *add,
                          const int halves)
{
    float v[MAX_HALVES * HALF], r[MAX_HALVES * HALF] = { 0 };

    if (add)
        memcpy(r, add, (size_t)t->channels * sizeof *r);
    UNROLL
    for (int h = 0; h < halves; h++) {
        __m256 sum = sums[h];

        if (add)
            sum = _mm256_add_ps(sum, _mm256_loadu_ps(r + h * HALF));
        _mm256_storeu_ps(v + h * HALF, activate(sum, _mm256_loadu_ps(t->slope + h * HALF)));
    }
    memcpy(out, v, (size_t)t->channels * sizeof *v);
}

INLINE void finish(const ConvPlan *plan, const ConvTile *t, __m256 *sums, const int pixels,
                   const int halves)
{
    if (t->channels < halves * HALF) {
        UNROLL
        for (int p = 0; p < pixels; p++)
            finish_partly(t, sums + p * halves, t->out + p * plan->out_px,
                          t->add ? t->add + p * plan->add_px : NULL, halves);
        return;
    }
    if (t->add) {
        UNROLL
        for (int i = 0; i < pixels * halves; i++)
            sums[i] = _mm256_add_ps(
                sums[i], _mm256_loadu_ps(t->add + i / halves * plan->add_px + i % halves * HALF));
    }
    UNROLL
    for (int i = 0; i < pixels * halves; i++)
        _mm256_storeu_ps(t->out + i / halves * plan->out_px + i % halves * HALF,
                         activate(sums[i], _mm256_loadu_ps(t->slope + i % halves * HALF)));
}

INLINE void tile(const ConvPlan *plan, const ConvTile *t, const int pixels, const int halves)
{
    const ptrdiff_t step = plan->step, group = plan->group;
    const float *w = t->weights;
    __m256 sums[MAX_SUMS];

    UNROLL
    for (int i = 0; i < pixels * halves; i++)
        sums[i] = _mm256_loadu_ps(t->bias + i % halves * HALF);
    for (int ky = 0; ky < plan->rows; ky++)
        for (int kx = 0; kx < plan->runs; kx++) {
            const float *in = t->in + ky * plan->tap_row + kx * plan->tap;
            const float *base[MAX_BASES];

            UNROLL
            for (int b = 0; b < (pixels + 2) / 3; b++)
                base[b] = in + 3 * b * step;
            for (int k = plan->run; k > 0; k--, w += CONV_LANES) {
                multiply_add(sums, base, step, w, group, pixels, halves);
                UNROLL
                for (int b = 0; b < (pixels + 2) / 3; b++) {
                    base[b]++;
                    KEEP(base[b]);
                }
            }
        }
    finish(plan, t, sums, pixels, halves);
}

/* ---- the tiles: tile_PIXELSxHALVES ---- */

#define TILE(p, h)                                                                                 \
    static void tile_##p##x##h(const ConvPlan *plan, const ConvTile *t)                            \
    {                                                                                              \
        tile(plan, t, p, h);                                                                       \
    }
#define NAME(p, h) tile_##p##x##h,

#define TO_4(T, h) T(1, h) T(2, h) T(3, h) T(4, h)
#define TO_6(T, h) TO_4(T, h) T(5, h) T(6, h)
#define TO_12(T, h) TO_6(T, h) T(7, h) T(8, h) T(9, h) T(10, h) T(11, h) T(12, h)

TO_12(TILE, 1)
TO_6(TILE, 2)
TO_4(TILE, 3)

static const ConvTileFn tiles8[] = { NULL, TO_12(NAME, 1) };
static const ConvTileFn tiles16[] = { NULL, TO_6(NAME, 2) };
static const ConvTileFn tiles24[] = { NULL, TO_4(NAME, 3) };

static const ConvTileSet set8 = { 8, 12, tiles8 };
static const ConvTileSet set16 = { 16, 6, tiles16 };
static const ConvTileSet set24 = { 24, 4, tiles24 };

static const ConvTileSet *pick(int outputs)
{
    if (outputs <= 8)
        return &set8;
    if (outputs > 16 && outputs <= 24)
        return &set24;
    return &set16;
}

/* ---- up to 4 outputs: pixels in the lanes ---- */

typedef __m256 Vec;

enum { VEC_LANES = 8, PLANAR_OUTPUTS = 4 };

INLINE Vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

INLINE Vec vec_set1(float f)
{
    return _mm256_set1_ps(f);
}

INLINE Vec vec_fma(Vec a, Vec b, Vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

INLINE void vec_store(float *p, Vec v)
{
    _mm256_storeu_ps(p, v);
}

#include "kernels/x86/conv_planar.h"

#define PLANAR_ROW(n, h)                                                                           \
    static void planar_row_##n(const Planar *s, int row, int y, int x, int pixels)                 \
    {                                                                                              \
        planar_row(s, row, y, x, pixels, n);                                                       \
    }
#define PLANAR_NAME(n, h) planar_row_##n,

TO_4(PLANAR_ROW, )

static const PlanarRowFn planar_rows[] = { NULL, TO_4(PLANAR_NAME, ) };

void conv_f32_avx2(const ConvArgs *a, int y0, int y1)
{
    if (planar_takes(a)) {
        conv_planar(a, y0, y1, planar_rows[a->out.c]);
        return;
    }
    conv_by_tiles(a, y0, y1, pick);
}
