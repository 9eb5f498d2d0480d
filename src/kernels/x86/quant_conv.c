/*
 * conv_u8 for AVX2, AVX-VNNI and AVX-512 without VNNI.
 *
 * Without VNNI products are summed as 16-bit pairs: codes of even channels in the low, of odd
 * channels in the high bytes of words, weights extended likewise. A pair of products of 8-bit
 * numbers fits 32 bits always, so that nothing saturates, unlike the unsigned-signed multiplication
 * of bytes.
 */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

typedef ConvU8Args Args;
typedef vi Sum;

VEC_INLINE vi sum_first(const Args *a, int o)
{
#if defined(__AVX512F__)
    return _mm512_loadu_si512(a->bias + o);
#else
    return _mm256_loadu_si256((const __m256i *)(a->bias + o));
#endif
}

VEC_INLINE void sum_store(vi *p, vi sum)
{
    *p = sum;
}

VEC_INLINE int32_t codes_load(const char *p)
{
    int32_t codes;

    memcpy(&codes, p, sizeof codes);
    return codes;
}

#if defined(__AVXVNNI__) && !defined(__AVX512F__)
#undef KERNEL
#define KERNEL(name) name##_avxvnni

typedef vi Group;
typedef vi Weights;

VEC_INLINE vi group_load(const char *p)
{
    return vi_set(codes_load(p));
}

VEC_INLINE vi weights_load(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

VEC_INLINE vi sum_dot(vi sum, vi codes, vi weights)
{
    return _mm256_dpbusd_avx_epi32(sum, codes, weights);
}
#else
typedef struct Group {
    vi even, odd;
} Group;
typedef Group Weights;

#if defined(__AVX512F__)
VEC_INLINE Group group_load(const char *p)
{
    const vi codes = vi_set(codes_load(p)), low = vi_set(0x00ff00ff);

    return (Group){ _mm512_and_si512(codes, low),
                    _mm512_and_si512(_mm512_srli_epi16(codes, 8), low) };
}

VEC_INLINE Weights weights_load(const char *p)
{
    const vi w = _mm512_loadu_si512(p);

    return (Weights){ _mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8), _mm512_srai_epi16(w, 8) };
}

VEC_INLINE vi sum_dot(vi sum, Group x, Weights w)
{
    return _mm512_add_epi32(
        sum, _mm512_add_epi32(_mm512_madd_epi16(x.even, w.even), _mm512_madd_epi16(x.odd, w.odd)));
}
#else
VEC_INLINE Group group_load(const char *p)
{
    const vi codes = vi_set(codes_load(p));

    return (Group){ _mm256_and_si256(codes, vi_set(0x00ff00ff)), _mm256_srli_epi16(codes, 8) };
}

VEC_INLINE Weights weights_load(const char *p)
{
    const vi w = _mm256_loadu_si256((const __m256i *)(const void *)p);

    return (Weights){ _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), _mm256_srai_epi16(w, 8) };
}

VEC_INLINE vi sum_dot(vi sum, Group x, Weights w)
{
    return _mm256_add_epi32(
        sum, _mm256_add_epi32(_mm256_madd_epi16(x.even, w.even), _mm256_madd_epi16(x.odd, w.odd)));
}
#endif
#endif

#include "kernels/x86/quant_finish.h"
#include "kernels/x86/quant_tile.h"

void KERNEL(conv_u8)(const ConvU8Args *a, int y0, int y1)
{
    const int w = a->out.data ? a->out.w : a->out_f32.w, oc = a->out.data ? a->out.c : a->out_f32.c;
    const Walk walk = walk_new(a, a->in.px, a->in.row, (a->in.c + 3) / 4);
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;
    vi sum[TILE_PIXELS * TILE_VECTORS];

    for (int y = y0; y < y1; y++)
        for (int o = 0; o < oc; o += TILE_VECTORS * VL) {
            const int vectors = oc - o > VL ? 2 : 1;
            const Finish f[2] = { finish_new(a, o, oc),
                                  vectors > 1 ? finish_new(a, o + VL, oc) : (Finish){ 0 } };
            const TileSize *tile;

            for (int x = 0; x < w; x += tile->pixels) {
                const uint8_t *in = view8_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x);

                tile = tile_next(vectors, w - x);
                tile->run(a, &walk, (const char *)in, o, sum);
                for (int i = 0; i < tile->pixels * vectors; i++)
                    finish(&f[i % vectors], sum[i], y, x + i / vectors);
            }
        }
}
