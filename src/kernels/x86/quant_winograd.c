/*
 * conv_u8_winograd for AVX2 and AVX-512 without VNNI, where a product of 16-bit pairs is the best
 * there is for codes: 2.25 times fewer of them than conv_u8 needs.
 *
 * Rows go in pairs, their tiles of 2x2 outputs in batches that the second-level cache holds: the
 * batch is transformed, multiplied position by position (as 16 matrix products), transformed back
 * and finished.
 */
#include "kernels/kernels.h"
#include "kernels/unroll.h"
#include "kernels/vector/quant_vec.h"
#include "kernels/x86/quant_finish.h"

enum {
    POSITIONS = WINOGRAD_POSITIONS,
    BATCH = WINOGRAD_BATCH,
    TILES = 6,   /* of a product; with VECTORS sums each and the weights they fill the registers */
    VECTORS = 2, /* of outputs */
    PAIR_BLOCK = 2 * CONV_LANES /* weights of one pair of channels of 16 outputs */
};

/* One call of the kernel, prepared. */
typedef struct Call {
    const ConvU8Args *args;
    int channels, pairs; /* of the input: as stored, as multiplied */
    int w, oc;
    ptrdiff_t block;    /* weights of 16 outputs at one position */
    ptrdiff_t position; /* weights of one position */
    int16_t *in;        /* [POSITIONS][BATCH][channels] */
    vi *sums;           /* [POSITIONS][BATCH][VECTORS] */
} Call;

/* ---- into the transformed space: B^T d B ---- */

/* Four rows of one column, its vertical transform. */
VEC_INLINE void column(hw out[4], const uint8_t *const row[4], ptrdiff_t at)
{
    const hw d0 = hw_load(row[0] + at), d1 = hw_load(row[1] + at);
    const hw d2 = hw_load(row[2] + at), d3 = hw_load(row[3] + at);

    out[0] = hw_sub(d0, d2);
    out[1] = hw_add(d1, d2);
    out[2] = hw_sub(d2, d1);
    out[3] = hw_sub(d1, d3);
}

/* Tiles first .. first+count-1 of a pair of rows. What lies beyond the last column that an output
 * needs is replaced by it: no result depends on it. */
static void transform(const Call *c, const uint8_t *const row[4], int first, int count)
{
    const ptrdiff_t px = c->args->in.px, step = (ptrdiff_t)BATCH * c->channels;

    for (int k = 0; k < c->channels; k += HW) {
        int16_t *out = c->in + k;
        hw v[4][4];

        column(v[0], row, (2 * first - 1) * px + k);
        column(v[1], row, 2 * first * px + k);
        for (int t = first; t < first + count; t++, out += c->channels) {
            const int last = 2 * t + 2 < c->w ? 2 * t + 2 : c->w;

            column(v[2], row, (2 * t + 1) * px + k);
            column(v[3], row, last * px + k);
            UNROLL
            for (int i = 0; i < 4; i++) {
                hw_store(out + (4 * i) * step, hw_sub(v[0][i], v[2][i]));
                hw_store(out + (4 * i + 1) * step, hw_add(v[1][i], v[2][i]));
                hw_store(out + (4 * i + 2) * step, hw_sub(v[2][i], v[1][i]));
                hw_store(out + (4 * i + 3) * step, hw_sub(v[1][i], v[3][i]));
                v[0][i] = v[2][i];
                v[1][i] = v[3][i];
            }
        }
    }
}

/* ---- products ---- */

/* Sums of T tiles and L vectors of outputs at one position. in: the first tile, w: the first
 * weights. */
VEC_INLINE void multiply(const Call *c, vi *out, const int16_t *in, const int16_t *w, const int T,
                         const int L)
{
    const int16_t *x[(TILES + 2) / 3];
    vi sum[TILES * VECTORS];

    UNROLL
    for (int b = 0; b < (T + 2) / 3; b++)
        x[b] = in + 3 * b * c->channels;
    UNROLL
    for (int i = 0; i < T * L; i++)
        sum[i] = vi_set(0);
    for (int n = c->pairs; n > 0; n--, w += PAIR_BLOCK) {
        vi weights[VECTORS];

        UNROLL
        for (int l = 0; l < L; l++)
            weights[l] =
                vi_load_pairs(w + l * VL / CONV_LANES * c->block + l * VL % CONV_LANES * 2);
        UNROLL
        for (int t = 0; t < T; t++) {
            const vi codes = vi_set_pair(x[t / 3] + t % 3 * c->channels);

            UNROLL
            for (int l = 0; l < L; l++)
                sum[t * L + l] = vi_add(sum[t * L + l], vi_multiply_pairs(codes, weights[l]));
        }
        UNROLL
        for (int b = 0; b < (T + 2) / 3; b++) {
            x[b] += 2;
            KEEP(x[b]);
        }
    }
    UNROLL
    for (int i = 0; i < T * L; i++)
        out[i / L * VECTORS + i % L] = sum[i];
}

#define MULTIPLY(T, L)                                                                             \
    static __attribute__((noinline)) void multiply_##T##x##L(const Call *c, vi *out,               \
                                                             const int16_t *in, const int16_t *w)  \
    {                                                                                              \
        multiply(c, out, in, w, T, L);                                                             \
    }

#define NAME(T, L) multiply_##T##x##L,
#define TO_TILES(M, L) M(1, L) M(2, L) M(3, L) M(4, L) M(5, L) M(6, L)

TO_TILES(MULTIPLY, 1)
TO_TILES(MULTIPLY, 2)

typedef void (*MultiplyFn)(const Call *c, vi *out, const int16_t *in, const int16_t *w);

static const MultiplyFn multiplies[VECTORS][TILES + 1] = { { NULL, TO_TILES(NAME, 1) },
                                                           { NULL, TO_TILES(NAME, 2) } };

/* The sums of `count` tiles and the vectors from output o on. */
static void products(const Call *c, int o, int vectors, int count)
{
    const int16_t *w = c->args->winograd + o / CONV_LANES * c->block + o % CONV_LANES * 2;

    for (int p = 0; p < POSITIONS; p++, w += c->position) {
        const int16_t *in = c->in + (ptrdiff_t)p * BATCH * c->channels;
        vi *sums = c->sums + p * BATCH * VECTORS;

        for (int t = 0, n, parts = (count + TILES - 1) / TILES; t < count; t += n, parts--) {
            n = (count - t + parts - 1) / parts;
            multiplies[vectors - 1][n](c, sums + t * VECTORS, in + (ptrdiff_t)t * c->channels, w);
        }
    }
}

/* ---- back, A^T m A, and out ---- */

/* A^T m A of one tile and vector: four times the sums of 2x2 outputs. */
VEC_INLINE void back(vi out[2][2], const vi *m)
{
    const ptrdiff_t position = BATCH * VECTORS;
    vi s[2][4];

    UNROLL
    for (int j = 0; j < 4; j++) {
        const vi m1 = m[(4 + j) * position], m2 = m[(8 + j) * position];

        s[0][j] = vi_add(vi_add(m[j * position], m1), m2);
        s[1][j] = vi_sub(vi_sub(m1, m2), m[(12 + j) * position]);
    }
    UNROLL
    for (int i = 0; i < 2; i++) {
        out[i][0] = vi_add(vi_add(s[i][0], s[i][1]), s[i][2]);
        out[i][1] = vi_sub(vi_sub(s[i][1], s[i][2]), s[i][3]);
    }
}

/* Vector l of tiles first .. first+count-1 of the rows y .., whose first output is o. */
static void finish_tiles(const Call *c, int y, int rows, int first, int count, int l, int o)
{
    const Finish f = finish_new(c->args, o, c->oc);
    const vi bias = vi_load(c->args->bias + o);
    const vi *m = c->sums + l;

    for (int x = 2 * first; x < 2 * (first + count); x += 2, m += VECTORS) {
        vi sum[2][2];

        back(sum, m);
        for (int i = 0; i < rows; i++) {
            finish(&f, vi_add(vi_quarter(sum[i][0]), bias), y + i, x);
            if (x + 1 < c->w)
                finish(&f, vi_add(vi_quarter(sum[i][1]), bias), y + i, x + 1);
        }
    }
}

static void row_pair(const Call *c, int y, int rows)
{
    const int tiles = (c->w + 1) / 2, batches = (tiles + BATCH - 1) / BATCH;
    const uint8_t *row[4];

    for (int i = 0; i < 4; i++) /* the last one of a single row is needed by nothing */
        row[i] = view8_at(&c->args->in, y - 1 + (i < rows + 2 ? i : rows + 1), 0);
    for (int b = 0, first = 0; b < batches; b++) {
        const int count = (tiles - first + batches - b - 1) / (batches - b);

        transform(c, row, first, count);
        for (int o = 0; o < c->oc; o += VECTORS * VL) {
            const int vectors = c->oc - o > VL ? VECTORS : 1;

            products(c, o, vectors, count);
            for (int l = 0; l < vectors; l++)
                finish_tiles(c, y, rows, first, count, l, o + l * VL);
        }
        first += count;
    }
}

void KERNEL(conv_u8_winograd)(const ConvU8Args *a, void *scratch, int y0, int y1)
{
    const int oc = a->out.data ? a->out.c : a->out_f32.c;
    Call c = { .args = a,
               .channels = (a->in.c + HW - 1) / HW * HW,
               .pairs = (a->in.c + 1) / 2,
               .w = a->out.data ? a->out.w : a->out_f32.w,
               .oc = oc,
               .sums = scratch };

    c.in = (int16_t *)(void *)(c.sums + POSITIONS * BATCH * VECTORS);
    c.block = (ptrdiff_t)PAIR_BLOCK * c.pairs;
    c.position = c.block * ((oc + CONV_LANES - 1) / CONV_LANES);
    for (int y = y0; y < y1; y += 2)
        row_pair(&c, y, y1 - y < 2 ? 1 : 2);
}
