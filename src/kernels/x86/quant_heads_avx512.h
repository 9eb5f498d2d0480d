/*
 * The AVX-512 low-precision convolutions for heads: up to 4 outputs as floats. A lane per output
 * would leave 12 of 16 idle, so the lanes run over the groups of input channels, 16 at a time, and
 * are added up at the end.
 *
 * The including file defines, before: what quant_tile_avx512.h asks for; Call, with args, groups (of a
 * pixel), walk, w and oc; row_input(call, y), the first tap of the first pixel of row y;
 * head_bits(sum) and head_add(a, b) of such bits; head_values(call, sums, y, x, n), which makes the
 * outputs of n of 4 pixels of 4 sums each, bias not yet added.
 */
#ifndef DAIN_KERNELS_X86_QUANT_HEADS_AVX512_H
#define DAIN_KERNELS_X86_QUANT_HEADS_AVX512_H

enum {
    HEAD_OUTPUTS = 4,
    HEAD_PIXELS = 4,          /* of a tile; its sums fill one vector */
    HEAD_MAX_WEIGHTS = 16384, /* bytes on the stack */
    HEAD_BYTES = 64           /* of 16 groups */
};

/* Vectors of 16 groups in a pixel. */
INLINE int head_vectors(const Call *c)
{
    return (c->groups + 15) / 16;
}

/* Fewer than 6 groups leave too many of the 16 lanes idle. */
INLINE int head_possible(const Call *c)
{
    return c->args->out_f32.data && c->oc <= HEAD_OUTPUTS && c->groups >= 6 &&
           c->args->kh * c->args->kw * head_vectors(c) * c->oc * HEAD_BYTES <= HEAD_MAX_WEIGHTS;
}

/* [kh][kw][vector][oc][16 groups], zero-padded, from the packed weights. */
static void head_weights(const Call *c, char *dst)
{
    const int vectors = head_vectors(c);
    const char *src = (const char *)c->args->weights;

    for (int tap = 0; tap < c->args->kh * c->args->kw; tap++, dst += vectors * c->oc * HEAD_BYTES) {
        memset(dst, 0, (size_t)vectors * c->oc * HEAD_BYTES);
        for (int g = 0; g < c->groups; g++, src += WEIGHT_BYTES)
            for (int o = 0; o < c->oc; o++)
                memcpy(dst + (g / 16 * c->oc + o) * HEAD_BYTES + g % 16 * 4, src + o * 4, 4);
    }
}

/* Lane 4p + o of the result = the sum of the 16 lanes of sum[4p + o]. */
INLINE __m512i head_fold(const __m512i sum[16])
{
    __m512i pixel[4], pair[2];

    UNROLL
    for (int p = 0; p < 4; p++) {
        const __m512i *s = sum + 4 * p;
        __m512i a = head_add(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
        __m512i b = head_add(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));

        pixel[p] = head_add(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    }
    UNROLL
    for (int p = 0; p < 2; p++)
        pair[p] = head_add(_mm512_shuffle_i32x4(pixel[2 * p], pixel[2 * p + 1], 0x88),
                           _mm512_shuffle_i32x4(pixel[2 * p], pixel[2 * p + 1], 0xdd));
    return head_add(_mm512_shuffle_i32x4(pair[0], pair[1], 0x88),
                    _mm512_shuffle_i32x4(pair[0], pair[1], 0xdd));
}

/* Four pixels of O outputs. offset: bytes from the first to each of them. */
INLINE __m512i head_sums(const Call *c, const char *in, const char *w, const ptrdiff_t *offset,
                         const int O)
{
    const int vectors = head_vectors(c);
    Sum sum[HEAD_PIXELS * HEAD_OUTPUTS];
    __m512i bits[HEAD_PIXELS * HEAD_OUTPUTS];

    UNROLL
    for (int i = 0; i < HEAD_PIXELS * HEAD_OUTPUTS; i++)
        sum[i] = (Sum){ 0 };
    for (int ky = 0; ky < c->args->kh; ky++)
        for (int kx = 0; kx < c->args->kw; kx++) {
            const char *x = in + ky * c->walk.line + kx * c->walk.tap;

            for (int n = 0; n < vectors; n++, x += HEAD_BYTES, w += O * HEAD_BYTES) {
                __m512i weights[HEAD_OUTPUTS];

                UNROLL
                for (int o = 0; o < O; o++)
                    weights[o] = _mm512_loadu_si512(w + o * HEAD_BYTES);
                UNROLL
                for (int p = 0; p < HEAD_PIXELS; p++) {
                    const __m512i groups = _mm512_loadu_si512(x + offset[p]);

                    UNROLL
                    for (int o = 0; o < O; o++)
                        sum[4 * p + o] = sum_dot(sum[4 * p + o], groups, weights[o]);
                }
            }
        }
    UNROLL
    for (int i = 0; i < HEAD_PIXELS * HEAD_OUTPUTS; i++)
        bits[i] = head_bits(sum[i]);
    return head_fold(bits);
}

INLINE void head_row(const Call *c, const char *weights, const char *in, int y, const int O)
{
    const View *out = &c->args->out_f32;
    const __mmask8 mask = (__mmask8)((1u << O) - 1);

    for (int x = 0; x < c->w; x += HEAD_PIXELS, in += HEAD_PIXELS * c->walk.step) {
        const int n = c->w - x < HEAD_PIXELS ? c->w - x : HEAD_PIXELS;
        ptrdiff_t offset[HEAD_PIXELS];
        float value[HEAD_PIXELS * HEAD_OUTPUTS];

        UNROLL
        for (int p = 0; p < HEAD_PIXELS; p++)
            offset[p] = (p < n ? p : 0) * c->walk.step;
        _mm512_storeu_ps(value, head_values(c, head_sums(c, in, weights, offset, O), y, x, n));
        for (int p = 0; p < n; p++)
            _mm_mask_storeu_ps(view_at(out, y, x + p), mask,
                               _mm_loadu_ps(value + HEAD_OUTPUTS * p));
    }
}

static __attribute__((noinline)) void head_rows(const Call *c, int y0, int y1)
{
    char weights[HEAD_MAX_WEIGHTS];

    head_weights(c, weights);
    for (int y = y0; y < y1; y++) {
        const char *in = row_input(c, y);

        if (c->oc == 1)
            head_row(c, weights, in, y, 1);
        else if (c->oc == 2)
            head_row(c, weights, in, y, 2);
        else if (c->oc == 3)
            head_row(c, weights, in, y, 3);
        else
            head_row(c, weights, in, y, 4);
    }
}

#endif
