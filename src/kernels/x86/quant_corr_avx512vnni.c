/*
 * corr_s8 with AVX-512 VNNI.
 *
 * The 16 lanes are 16 neighbouring pixels of b, so that no sum has to be folded: with radius r,
 * 16 - 2r pixels of a need only these. Their channels are brought into the order [channels / 4]
 * [pixel][4] once for each row of b, which stays on the stack while 2r+1 rows of a use it. The
 * instruction wants one unsigned factor: b + 128; 128 times the sum of a is taken off again.
 */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    MAX_RADIUS = 4,
    MAX_ROWS = 2 * MAX_RADIUS + 1,
    MAX_GROUPS = 32 /* of four channels */
};

typedef __m512i Transposed[MAX_GROUPS];

/* Transposes 16 x 16 integers. */
INLINE void transpose(__m512i r[16])
{
    __m512i t[16];

    UNROLL
    for (int i = 0; i < 16; i += 4) {
        const __m512i a = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        const __m512i b = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        const __m512i c = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]);
        const __m512i d = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);

        t[i] = _mm512_unpacklo_epi64(a, c);
        t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d);
        t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    /* t[4i + j], 128-bit lane k: element 4k + j of rows 4i .. 4i + 3 */
    UNROLL
    for (int j = 0; j < 4; j++) {
        const __m512i a = _mm512_shuffle_i32x4(t[j], t[4 + j], 0x88);
        const __m512i b = _mm512_shuffle_i32x4(t[j], t[4 + j], 0xdd);
        const __m512i c = _mm512_shuffle_i32x4(t[8 + j], t[12 + j], 0x88);
        const __m512i d = _mm512_shuffle_i32x4(t[8 + j], t[12 + j], 0xdd);

        r[j] = _mm512_shuffle_i32x4(a, c, 0x88);
        r[8 + j] = _mm512_shuffle_i32x4(a, c, 0xdd);
        r[4 + j] = _mm512_shuffle_i32x4(b, d, 0x88);
        r[12 + j] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* Channels of n pixels from p on, plus 128; what lies beyond the channels is 0. */
static void transpose_row(__m512i *out, const uint8_t *p, ptrdiff_t px, int n, int channels)
{
    for (int c = 0; c < channels; c += 64) {
        const __mmask64 mask = channels - c >= 64 ? ~0ull : (1ull << (channels - c)) - 1;
        const int groups = channels - c >= 64 ? 16 : (channels - c + 3) / 4;
        __m512i r[16];

        for (int i = 0; i < 16; i++) {
            const __m512i v =
                i < n ? _mm512_maskz_loadu_epi8(mask, p + i * px + c) : _mm512_setzero_si512();

            r[i] = _mm512_maskz_add_epi8(mask, v, _mm512_set1_epi8(-128));
        }
        transpose(r);
        for (int g = 0; g < groups; g++)
            out[c / 4 + g] = r[g];
    }
}

/* -128 times the sum of the channels. */
INLINE int32_t offset_of(const uint8_t *p, int channels)
{
    const __m512i unit = _mm512_set1_epi8(-128);
    __m512i sum = _mm512_setzero_si512();

    for (int c = 0; c < channels; c += 64) {
        const __mmask64 mask = channels - c >= 64 ? ~0ull : (1ull << (channels - c)) - 1;

        sum = _mm512_dpbusd_epi32(sum, unit, _mm512_maskz_loadu_epi8(mask, p + c));
    }
    return -_mm512_reduce_add_epi32(sum);
}

/* One call, prepared. */
typedef struct Call {
    const CorrS8Args *args;
    int groups;
    float f, codes;
} Call;

/* Sums of P pixels of a: lane i + k of pixel i belongs to channel k of the row. offset: lane 0 of
 * each. */
INLINE void window_sums(const Call *c, const __m512i *b, const int32_t *offset,
                        const char *const *p, __m512i *out, const int P)
{
    __m512i sum[14];

    UNROLL
    for (int i = 0; i < P; i++)
        sum[i] = _mm512_set1_epi32(offset[i]);
    for (int g = 0; g < c->groups; g++) {
        UNROLL
        for (int i = 0; i < P; i++) {
            int32_t codes;

            memcpy(&codes, p[i] + 4 * g, sizeof codes);
            sum[i] = _mm512_dpbusd_epi32(sum[i], b[g], _mm512_set1_epi32(codes));
        }
    }
    UNROLL
    for (int i = 0; i < P; i++)
        out[i] = sum[i];
}

/* Four vectors of 16 integers -> 64 codes in order, clamped by saturation. */
INLINE __m512i pack_codes(__m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i words0 = _mm512_packs_epi32(a, b), words1 = _mm512_packs_epi32(c, d);

    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words0, words1));
}

/* Stores side of 16 codes, from the i-th on. */
INLINE void store_codes(uint8_t *out, __m128i codes, int i, int side)
{
    _mm_mask_storeu_epi8(out - i, (__mmask16)(((1u << side) - 1) << i), codes);
}

/* n of the pixels; out is the first channel of the row. */
INLINE void window_codes(const Call *c, const __m512i *sum, uint8_t *out, int n, const int side)
{
    const __m512 factor = _mm512_set1_ps(c->codes);
    const __m512 zero = _mm512_set1_ps((float)c->args->out_zero);
    const ptrdiff_t px = c->args->out.px;

    for (int i = 0; i < n; i += 4, out += 4 * px) {
        __m512i q[4], codes;

        UNROLL
        for (int j = 0; j < 4; j++)
            q[j] =
                _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[i + j]), factor, zero));
        codes = pack_codes(q[0], q[1], q[2], q[3]);
        store_codes(out, _mm512_castsi512_si128(codes), i, side);
        if (i + 1 < n)
            store_codes(out + px, _mm512_extracti32x4_epi32(codes, 1), i + 1, side);
        if (i + 2 < n)
            store_codes(out + 2 * px, _mm512_extracti32x4_epi32(codes, 2), i + 2, side);
        if (i + 3 < n)
            store_codes(out + 3 * px, _mm512_extracti32x4_epi32(codes, 3), i + 3, side);
    }
}

INLINE void window_floats(const Call *c, const __m512i *sum, float *out, int n, const int side)
{
    const __m512 factor = _mm512_set1_ps(c->f);

    for (int i = 0; i < n; i++, out += c->args->out_f32.px)
        _mm512_mask_storeu_ps(out - i, (__mmask16)(((1u << side) - 1) << i),
                              _mm512_mul_ps(_mm512_cvtepi32_ps(sum[i]), factor));
}

/* The windows of P pixels of a, of which n exist, from (y,x) on; b: the rows of the windows, from
 * number first on and around. */
INLINE void windows(const Call *c, Transposed *b, int first, int y, int x, int n, const int P)
{
    const CorrS8Args *a = c->args;
    const int side = 17 - P;
    const char *p[14];
    int32_t offset[14];
    __m512i sum[16];

    for (int i = 0; i < P; i++) {
        const uint8_t *at = view8_at(&a->a, y, x + (i < n ? i : 0));

        p[i] = (const char *)at;
        offset[i] = offset_of(at, a->a.c);
    }
    for (int i = P; i < 16; i++)
        sum[i] = _mm512_setzero_si512();
    for (int row = 0; row < side; row++) {
        const int at = first + row;

        window_sums(c, b[at < side ? at : at - side], offset, p, sum, P);
        if (a->out.data)
            window_codes(c, sum, view8_at(&a->out, y, x) + row * side, n, side);
        if (a->out_f32.data)
            window_floats(c, sum, view_at(&a->out_f32, y, x) + row * side, n, side);
    }
}

/* The columns x .. x+P-1 of rows y0 .. y1-1. */
INLINE void columns(const Call *c, int x, int y0, int y1, const int P)
{
    const CorrS8Args *a = c->args;
    const int side = 17 - P, r = side / 2, left = a->a.w - x;
    const int pixels = left + 2 * r < 16 ? left + 2 * r : 16;
    Transposed b[MAX_ROWS];
    int last = side - 1; /* where the newest row is */

    for (int y = y0 - r; y < y1 + r; y++) {
        last = last + 1 < side ? last + 1 : 0;
        transpose_row(b[last], view8_at(&a->b, y, x - r), a->b.px, pixels, a->b.c);
        if (y - r >= y0)
            windows(c, b, last + 1 < side ? last + 1 : 0, y - r, x, left < P ? left : P, P);
    }
}

static __attribute__((noinline)) void columns_r1(const Call *c, int x, int y0, int y1)
{
    columns(c, x, y0, y1, 14);
}

static __attribute__((noinline)) void columns_r2(const Call *c, int x, int y0, int y1)
{
    columns(c, x, y0, y1, 12);
}

static __attribute__((noinline)) void columns_r3(const Call *c, int x, int y0, int y1)
{
    columns(c, x, y0, y1, 10);
}

static __attribute__((noinline)) void columns_r4(const Call *c, int x, int y0, int y1)
{
    columns(c, x, y0, y1, 8);
}

void corr_s8_avx512vnni(const CorrS8Args *a, int y0, int y1)
{
    static void (*const run[MAX_RADIUS])(
        const Call *c, int x, int y0, int y1) = { columns_r1, columns_r2, columns_r3, columns_r4 };
    const float f = 1.0f / (float)(NORMALISED_UNIT * NORMALISED_UNIT * a->a.c);
    const Call c = { a, (a->a.c + 3) / 4, f, f * a->out_inv_scale };

    if (a->r < 1 || a->r > MAX_RADIUS || c.groups > MAX_GROUPS) {
        corr_s8_avx512(a, y0, y1);
        return;
    }
    for (int x = 0; x < a->a.w; x += 16 - 2 * a->r)
        run[a->r - 1](&c, x, y0, y1);
}
