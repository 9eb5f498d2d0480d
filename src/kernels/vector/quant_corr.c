/* Normalisation of codes and correlation of signed codes for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

/* Sum of the 8 lanes. */
VEC_INLINE int32_t sum_lanes(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

/* n (up to 16) bytes, the rest zero. */
VEC_INLINE __m128i bytes_load(const void *p, int n)
{
    static const int8_t ones[32] = {
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1
    };
    const __m128i v = _mm_loadu_si128((const __m128i *)p);

    return n >= 16 ? v : _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(ones + 16 - n)));
}

/* Stores the first n lanes as bytes, clamped to -128 .. 127. */
VEC_INLINE void vi_store_signed_n(int8_t *p, vi v, int n)
{
#if defined(__AVX512F__)
    if (n >= 16)
        _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(v));
    else
        _mm_mask_storeu_epi8(p, vec_mask(n), _mm512_cvtsepi32_epi8(v));
#else
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const uint64_t codes = (uint64_t)_mm_cvtsi128_si64(_mm_packs_epi16(words, words));

    memcpy(p, &codes, n >= 8 ? 8 : (size_t)n);
#endif
}

/* Sums of the channels and of their squares. */
VEC_INLINE void moments(int32_t *s, int32_t *squares, const uint8_t *p, const int c)
{
    __m256i sums = _mm256_setzero_si256(), square_sums = sums;

    for (int k = 0; k < c; k += 16) {
        const hw q = _mm256_cvtepu8_epi16(bytes_load(p + k, c - k));

        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(q, hw_set(1)));
        square_sums = _mm256_add_epi32(square_sums, _mm256_madd_epi16(q, q));
    }
    *s = sum_lanes(sums);
    *squares = sum_lanes(square_sums);
}

/* VL pixels, of which n exist; c is a constant for the widths of the network. */
VEC_INLINE void normalise_pixels(int8_t *o, ptrdiff_t opx, const uint8_t *p, ptrdiff_t px, int n,
                                 float epsilon, const int c)
{
    const float channels = (float)c, rc = 1.0f / channels;
    const vf factor = vf_set(channels);
    float shift[VL], d[VL] = { 0 }, gain[VL];

    for (int i = 0; i < n; i++) {
        int32_t s, squares;

        moments(&s, &squares, p + i * px, c);
        shift[i] = -(float)s;
        d[i] = (float)((uint32_t)c * (uint32_t)squares - (uint32_t)s * (uint32_t)s);
    }
    const vf root = vf_sqrt(vf_fma(vf_load(d), vf_set(rc * rc), vf_set(epsilon)));
    vf_store(gain, vf_set((float)NORMALISED_UNIT * rc) / root);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < c; k += VL) {
            const vf q = vf_from(vi_load_codes(p + i * px + k));

            vi_store_signed_n(o + i * opx + k,
                              vi_round(vf_fma(q, factor, vf_set(shift[i])) * vf_set(gain[i])),
                              c - k);
        }
}

VEC_INLINE void normalise_row(int8_t *o, ptrdiff_t opx, const uint8_t *p, ptrdiff_t px, int w,
                              float scale, const int c)
{
    const float epsilon = 1e-4f / (scale * scale);

    for (int i = 0; i < w; i += VL)
        normalise_pixels(o + i * opx, opx, p + i * px, px, w - i < VL ? w - i : VL, epsilon, c);
}

void KERNEL(normalise_u8_s8)(const View8 *out, const View8 *x, float scale, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        int8_t *o = (int8_t *)view8_at(out, y, 0);
        const uint8_t *p = view8_at(x, y, 0);

        if (x->c == 32)
            normalise_row(o, out->px, p, x->px, x->w, scale, 32);
        else if (x->c == 48)
            normalise_row(o, out->px, p, x->px, x->w, scale, 48);
        else
            normalise_row(o, out->px, p, x->px, x->w, scale, x->c);
    }
}

VEC_INLINE int32_t dot(const int8_t *p, const int8_t *q, int c)
{
    __m256i sum = _mm256_setzero_si256();

    for (int k = 0; k < c; k += 16) {
        const hw a = _mm256_cvtepi8_epi16(bytes_load(p + k, c - k));
        const hw b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(q + k)));

        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    return sum_lanes(sum);
}

/* The sums of VL channels to the outputs. */
VEC_INLINE void corr_store(const CorrS8Args *a, int y, int i, int k, const int32_t *sum, int n)
{
    const float f = 1.0f / (float)(NORMALISED_UNIT * NORMALISED_UNIT * a->a.c);
#if defined(__AVX512F__)
    const vf v = vf_from(_mm512_loadu_si512(sum));
#else
    const vf v = vf_from(_mm256_loadu_si256((const __m256i *)sum));
#endif

    if (a->out_f32.data)
        vf_store_n(view_at(&a->out_f32, y, i) + k, v * vf_set(f), n < VL ? n : VL);
    if (a->out.data) {
        const vf q = vf_fma(v, vf_set(f * a->out_inv_scale), vf_set((float)a->out_zero));

        vi_store_codes_n(view8_at(&a->out, y, i) + k, vi_clamp_codes(vi_round(q)), n);
    }
}

void KERNEL(corr_s8)(const CorrS8Args *a, int y0, int y1)
{
    const int side = 2 * a->r + 1, count = side * side;

    for (int y = y0; y < y1; y++)
        for (int i = 0; i < a->a.w; i++) {
            const int8_t *p = (const int8_t *)view8_at(&a->a, y, i);
            const int8_t *q = (const int8_t *)view8_at(&a->b, y - a->r, i - a->r);

            for (int k = 0; k < count; k += VL) {
                int32_t sum[VL] = { 0 };

                for (int l = 0; l < VL && k + l < count; l++)
                    sum[l] =
                        dot(p, q + (k + l) / side * a->b.row + (k + l) % side * a->b.px, a->a.c);
                corr_store(a, y, i, k, sum, count - k);
            }
        }
}
