/*
 * conv_u8 for heads: up to 4 outputs as floats. A lane per output would leave 12 of 16 idle, so
 * the lanes run over the input channels, 64 at a time, and are added up at the end.
 *
 * Part of quant_conv_avx512vnni.c, whose helpers it uses.
 */
#ifndef DAIN_KERNELS_X86_QUANT_HEADS_AVX512VNNI_H
#define DAIN_KERNELS_X86_QUANT_HEADS_AVX512VNNI_H

enum {
    HEAD_OUTPUTS = 4,
    HEAD_PIXELS = 4,          /* of a tile; its sums fill one vector */
    HEAD_MIN_CHANNELS = 24,   /* below, too many of the 64 lanes would be idle */
    HEAD_MAX_WEIGHTS = 16384, /* bytes on the stack */
    HEAD_GROUP = 64           /* channels */
};

/* Groups of 64 channels. */
INLINE int head_groups(const ConvU8Args *a)
{
    return (a->in.c + HEAD_GROUP - 1) / HEAD_GROUP;
}

INLINE int head_possible(const Call *c)
{
    const ConvU8Args *a = c->args;

    return a->out_f32.data && c->oc <= HEAD_OUTPUTS && a->in.c >= HEAD_MIN_CHANNELS &&
           a->kh * a->kw * head_groups(a) * c->oc * HEAD_GROUP <= HEAD_MAX_WEIGHTS;
}

/* [kh][kw][group][oc][64], zero-padded, from the packed weights. */
static void head_weights(const Call *c, int8_t *dst)
{
    const ConvU8Args *a = c->args;
    const int quads = c->groups, groups = head_groups(a);
    const int8_t *src = a->weights;

    for (int tap = 0; tap < a->kh * a->kw; tap++, dst += groups * c->oc * HEAD_GROUP) {
        memset(dst, 0, (size_t)groups * c->oc * HEAD_GROUP);
        for (int q = 0; q < quads; q++, src += WEIGHT_BYTES)
            for (int o = 0; o < c->oc; o++)
                memcpy(dst + (q / 16 * c->oc + o) * HEAD_GROUP + q % 16 * 4, src + o * 4, 4);
    }
}

/* Lane 4p + o of the result = the sum of the 16 lanes of sum[4p + o]. */
INLINE __m512i head_fold(const __m512i sum[16])
{
    __m512i pixel[4], pair[2];

    UNROLL
    for (int p = 0; p < 4; p++) {
        const __m512i *s = sum + 4 * p;
        __m512i a =
            _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
        __m512i b =
            _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));

        pixel[p] = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    }
    UNROLL
    for (int p = 0; p < 2; p++)
        pair[p] = _mm512_add_epi32(_mm512_shuffle_i32x4(pixel[2 * p], pixel[2 * p + 1], 0x88),
                                   _mm512_shuffle_i32x4(pixel[2 * p], pixel[2 * p + 1], 0xdd));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(pair[0], pair[1], 0x88),
                            _mm512_shuffle_i32x4(pair[0], pair[1], 0xdd));
}

/* Four pixels of O outputs. offset: bytes from the first to each of them. */
INLINE __m512i head_sums(const Call *c, const char *in, const int8_t *w, const ptrdiff_t *offset,
                         const int O)
{
    const ConvU8Args *a = c->args;
    const int groups = head_groups(a);
    __m512i sum[16];

    UNROLL
    for (int i = 0; i < 16; i++)
        sum[i] = _mm512_setzero_si512();
    for (int ky = 0; ky < a->kh; ky++)
        for (int kx = 0; kx < a->kw; kx++) {
            const char *x = in + a->dilation * (ky * a->in.row + kx * a->in.px);

            for (int g = 0; g < groups; g++, x += HEAD_GROUP, w += O * HEAD_GROUP) {
                __m512i weights[4];

                UNROLL
                for (int o = 0; o < O; o++)
                    weights[o] = _mm512_loadu_si512(w + o * HEAD_GROUP);
                UNROLL
                for (int p = 0; p < HEAD_PIXELS; p++) {
                    const __m512i codes = _mm512_loadu_si512(x + offset[p]);

                    UNROLL
                    for (int o = 0; o < O; o++)
                        sum[4 * p + o] = _mm512_dpbusd_epi32(sum[4 * p + o], codes, weights[o]);
                }
            }
        }
    return head_fold(sum);
}

/* Constants repeated for the four pixels. */
INLINE __m512 head_constants(const float *p)
{
    return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
}

/* act(sum * scale + residual) of four pixels, of which n exist. */
INLINE __m512 head_values(const Call *c, __m512i sum, int y, int x, int n)
{
    const ConvU8Args *a = c->args;
    const __m512 scale = head_constants(a->scale), slope = head_constants(a->slope);
    __m512 v = _mm512_cvtepi32_ps(sum);
    float residual[16] = { 0 };

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

INLINE void head_row(const Call *c, const int8_t *weights, int y, const int O)
{
    const ConvU8Args *a = c->args;
    const __m512i bias = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)a->bias));
    const char *in = (const char *)view8_at(&a->in, y * a->stride - a->dilation * (a->kh - 1) / 2,
                                            -(a->dilation * (a->kw - 1) / 2));
    const __mmask8 mask = (__mmask8)((1u << O) - 1);

    for (int x = 0; x < c->w; x += HEAD_PIXELS, in += HEAD_PIXELS * c->walk.step) {
        const int n = c->w - x < HEAD_PIXELS ? c->w - x : HEAD_PIXELS;
        ptrdiff_t offset[HEAD_PIXELS];
        float value[16];

        UNROLL
        for (int p = 0; p < HEAD_PIXELS; p++)
            offset[p] = (p < n ? p : 0) * c->walk.step;
        _mm512_storeu_ps(
            value,
            head_values(c, _mm512_add_epi32(head_sums(c, in, weights, offset, O), bias), y, x, n));
        for (int p = 0; p < n; p++)
            _mm_mask_storeu_ps(view_at(&a->out_f32, y, x + p), mask, _mm_loadu_ps(value + 4 * p));
    }
}

static __attribute__((noinline)) void head_rows(const Call *c, int y0, int y1)
{
    int8_t weights[HEAD_MAX_WEIGHTS];

    head_weights(c, weights);
    for (int y = y0; y < y1; y++)
        if (c->oc == 1)
            head_row(c, weights, y, 1);
        else if (c->oc == 2)
            head_row(c, weights, y, 2);
        else if (c->oc == 3)
            head_row(c, weights, y, 3);
        else
            head_row(c, weights, y, 4);
}

#endif
