/* conv_bf16 in float arithmetic, in the order of the reference, for AVX2 and AVX-512. */
#include "kernels/kernels.h"
#include "kernels/vector/quant_vec.h"

typedef ConvBf16Args Args;
typedef vf Sum;

/* A pair of channels as floats. */
typedef struct Group {
    vf even, odd;
} Group;
typedef Group Weights;

VEC_INLINE vf sum_first(const Args *a, int o)
{
    return vf_load(a->bias + o);
}

VEC_INLINE void sum_store(vf *p, vf sum)
{
    *p = sum;
}

VEC_INLINE Group pair_split(vi pair)
{
#if defined(__AVX512F__)
    return (Group){ _mm512_castsi512_ps(_mm512_slli_epi32(pair, 16)),
                    _mm512_castsi512_ps(_mm512_and_si512(pair, vi_set((int)0xffff0000u))) };
#else
    return (Group){ _mm256_castsi256_ps(_mm256_slli_epi32(pair, 16)),
                    _mm256_castsi256_ps(_mm256_and_si256(pair, vi_set((int)0xffff0000u))) };
#endif
}

VEC_INLINE Group group_load(const char *p)
{
    int32_t pair;

    memcpy(&pair, p, sizeof pair);
    return pair_split(vi_set(pair));
}

VEC_INLINE Weights weights_load(const char *p)
{
#if defined(__AVX512F__)
    return pair_split(_mm512_loadu_si512(p));
#else
    return pair_split(_mm256_loadu_si256((const __m256i *)(const void *)p));
#endif
}

VEC_INLINE vf sum_dot(vf sum, Group x, Weights w)
{
    return vf_fma(x.odd, w.odd, vf_fma(x.even, w.even, sum));
}

#include "kernels/x86/quant_tile.h"

void KERNEL(conv_bf16)(const ConvBf16Args *a, int y0, int y1)
{
    const int w = a->out.data ? a->out.w : a->out_f32.w, oc = a->out.data ? a->out.c : a->out_f32.c;
    const Walk walk = walk_new(a, a->in.px * 2, a->in.row * 2, (a->in.c + 1) / 2);
    const int pad_y = a->dilation * (a->kh - 1) / 2, pad_x = a->dilation * (a->kw - 1) / 2;
    vf sum[TILE_PIXELS * TILE_VECTORS];

    for (int y = y0; y < y1; y++)
        for (int o = 0; o < oc; o += TILE_VECTORS * VL) {
            const int vectors = oc - o > VL ? 2 : 1;
            const TileSize *tile;

            for (int x = 0; x < w; x += tile->pixels) {
                const uint16_t *in =
                    view16_at(&a->in, y * a->stride - pad_y, x * a->stride - pad_x);

                tile = tile_next(vectors, w - x);
                tile->run(a, &walk, (const char *)in, o, sum);
                for (int i = 0; i < tile->pixels * vectors; i++)
                    conv_bf16_finish(a, sum[i], y, x + i / vectors, o + i % vectors * VL, oc);
            }
        }
}
