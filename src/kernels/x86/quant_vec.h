/* The vocabulary of vector/quant_vec.h on AVX2 and AVX-512. Included there, not on its own. */
#ifndef DAIN_KERNELS_X86_QUANT_VEC_H
#define DAIN_KERNELS_X86_QUANT_VEC_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
typedef __m512i vw;
enum { VW = 32 };
#else
typedef __m256i vw;
enum { VW = 16 };
#endif
typedef __m256i hw;
enum { HW = 16 };

/* ---- words ---- */

VEC_INLINE hw hw_set(int v)
{
    return _mm256_set1_epi16((short)v);
}

/* 16 codes. */
VEC_INLINE hw hw_load(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
}

VEC_INLINE hw hw_add(hw a, hw b)
{
    return _mm256_add_epi16(a, b);
}

VEC_INLINE hw hw_sub(hw a, hw b)
{
    return _mm256_sub_epi16(a, b);
}

VEC_INLINE void hw_store(int16_t *p, hw v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

VEC_INLINE hw hw_shift_right7(hw a)
{
    return _mm256_srli_epi16(a, 7);
}

/* lerp() of the reference. */
VEC_INLINE hw hw_lerp(hw a, hw b, hw f)
{
    return _mm256_add_epi16(a, _mm256_mulhrs_epi16(_mm256_sub_epi16(b, a), f));
}

VEC_INLINE hw hw_load_shifted(const uint8_t *p)
{
    return _mm256_slli_epi16(hw_load(p), 7);
}

/* Stores the first n of 16 words, all 0 .. 255, as codes. */
VEC_INLINE void hw_store_n(uint8_t *p, hw v, int n)
{
    const __m128i codes =
        _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

    if (n >= 16)
        _mm_storeu_si128((__m128i *)p, codes);
    else {
#if defined(__AVX512F__)
        _mm_mask_storeu_epi8(p, (__mmask16)((1u << n) - 1), codes);
#else
        uint8_t bytes[16];

        _mm_storeu_si128((__m128i *)bytes, codes);
        memcpy(p, bytes, (size_t)n);
#endif
    }
}

#if defined(__AVX512F__)
VEC_INLINE vw vw_set(int v)
{
    return _mm512_set1_epi16((short)v);
}
VEC_INLINE vw vw_load(const uint8_t *p)
{
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)p));
}
VEC_INLINE vw vw_add(vw a, vw b)
{
    return _mm512_add_epi16(a, b);
}
VEC_INLINE vw vw_times3(vw a)
{
    return _mm512_add_epi16(a, _mm512_add_epi16(a, a));
}
VEC_INLINE vw vw_shift_right4(vw a)
{
    return _mm512_srli_epi16(a, 4);
}
VEC_INLINE void vw_store_n(uint8_t *p, vw v, int n)
{
    if (n >= 32)
        _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi16_epi8(v));
    else
        _mm256_mask_storeu_epi8(p, (1u << n) - 1, _mm512_cvtepi16_epi8(v));
}
#else
VEC_INLINE vw vw_set(int v)
{
    return hw_set(v);
}
VEC_INLINE vw vw_load(const uint8_t *p)
{
    return hw_load(p);
}
VEC_INLINE vw vw_add(vw a, vw b)
{
    return _mm256_add_epi16(a, b);
}
VEC_INLINE vw vw_times3(vw a)
{
    return _mm256_add_epi16(a, _mm256_add_epi16(a, a));
}
VEC_INLINE vw vw_shift_right4(vw a)
{
    return _mm256_srli_epi16(a, 4);
}
VEC_INLINE void vw_store_n(uint8_t *p, vw v, int n)
{
    hw_store_n(p, v, n);
}
#endif

/* ---- words in pairs, sums of 32 bits ---- */

VEC_INLINE vi vi_load_pairs(const int16_t *p)
{
#if defined(__AVX512F__)
    return _mm512_loadu_si512(p);
#else
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
#endif
}

/* The same pair in every lane. */
VEC_INLINE vi vi_set_pair(const int16_t *p)
{
    int32_t pair;

    memcpy(&pair, p, sizeof pair);
    return vi_set(pair);
}

/* Both products of each pair of words, summed. */
VEC_INLINE vi vi_multiply_pairs(vi a, vi b)
{
#if defined(__AVX512F__)
    return _mm512_madd_epi16(a, b);
#else
    return _mm256_madd_epi16(a, b);
#endif
}

/* Of multiples of four. */
VEC_INLINE vi vi_quarter(vi v)
{
#if defined(__AVX512F__)
    return _mm512_srai_epi32(v, 2);
#else
    return _mm256_srai_epi32(v, 2);
#endif
}

/* ---- codes as 32-bit integers ---- */

VEC_INLINE vi vi_load_codes(const uint8_t *p)
{
#if defined(__AVX512F__)
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
#else
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
#endif
}

/* Stores the first n lanes, all 0 .. 255. */
VEC_INLINE void vi_store_codes_n(uint8_t *p, vi v, int n)
{
#if defined(__AVX512F__)
    if (n >= 16)
        _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(v));
    else
        _mm_mask_storeu_epi8(p, vec_mask(n), _mm512_cvtepi32_epi8(v));
#else
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const uint64_t codes = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));

    memcpy(p, &codes, n >= 8 ? 8 : (size_t)n);
#endif
}

/* code_from_f32() of the first n lanes: what became INT_MIN in the conversion is 0. */
VEC_INLINE void vf_store_codes_n(uint8_t *p, vf v, int n)
{
#if defined(__AVX512F__)
    const __m128i codes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(vi_round(v), vi_set(0)));

    if (n >= 16)
        _mm_storeu_si128((__m128i *)p, codes);
    else
        _mm_mask_storeu_epi8(p, vec_mask(n), codes);
#else
    const __m256i q = vi_round(v);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    const __m128i codes = _mm_packus_epi16(words, words);

    if (n >= 8)
        _mm_storel_epi64((__m128i *)(void *)p, codes);
    else {
        const uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(codes);

        memcpy(p, &bytes, (size_t)n);
    }
#endif
}

/* v > 0 ? v : v * slope. */
VEC_INLINE vf vf_activate(vf v, vf slope)
{
#if defined(__AVX512F__)
    return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, vf_zero(), _CMP_NGT_UQ), v, slope);
#else
    return _mm256_blendv_ps(v * slope, v, _mm256_cmp_ps(v, vf_zero(), _CMP_GT_OQ));
#endif
}

/* ---- bfloat16 ---- */

VEC_INLINE vf vf_load_bf16(const uint16_t *p)
{
#if defined(__AVX512F__)
    const vi wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));

    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
#else
    const vi wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));

    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
#endif
}

/* bf16_from_f32() of the first n lanes. */
VEC_INLINE void vf_store_bf16_n(uint16_t *p, vf v, int n)
{
#if defined(__AVX512F__)
    const vi bits = _mm512_castps_si512(v), high = _mm512_srli_epi32(bits, 16);
    const vi odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    const vi up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const vi rounded =
        _mm512_mask_or_epi32(_mm512_srli_epi32(up, 16), _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q),
                             high, _mm512_set1_epi32(0x40));

    if (n >= 16)
        _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(rounded));
    else
        _mm256_mask_storeu_epi16(p, vec_mask(n), _mm512_cvtepi32_epi16(rounded));
#else
    const vi bits = _mm256_castps_si256(v), high = _mm256_srli_epi32(bits, 16);
    const vi odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const vi up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const vi quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const vi nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const vi rounded = _mm256_blendv_epi8(_mm256_srli_epi32(up, 16), quiet, nan);
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));

    if (n >= 8)
        _mm_storeu_si128((__m128i *)(void *)p, words);
    else {
        uint16_t elements[8];

        _mm_storeu_si128((__m128i *)(void *)elements, words);
        memcpy(p, elements, (size_t)n * sizeof *p);
    }
#endif
}

/* ---- sums over channels ---- */

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

/* Sums of c codes and of their squares. */
VEC_INLINE void codes_moments(int32_t *s, int32_t *squares, const uint8_t *p, const int c)
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

/* Sum of the products of c signed codes. */
VEC_INLINE int32_t codes_dot(const int8_t *p, const int8_t *q, int c)
{
    __m256i sum = _mm256_setzero_si256();

    for (int k = 0; k < c; k += 16) {
        const hw a = _mm256_cvtepi8_epi16(bytes_load(p + k, c - k));
        const hw b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(q + k)));

        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
    return sum_lanes(sum);
}

#endif
