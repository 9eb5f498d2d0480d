/* checkasm: how fast this core can multiply and add at most. */
#include "checkasm.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 20")
#endif

/* Latency 4 and two per cycle need 8 chains; bfloat16 dot products take up to 8 cycles. */
enum { CHAINS = 12, BF16_CHAINS = 16, STEPS = 40000 };

static volatile float peak_sink, peak_source = 0.5f;

__attribute__((target("avx2,fma"), noinline)) static double peak_avx2(void)
{
    __m256 sum[CHAINS], a = _mm256_set1_ps(peak_source), b = a;

    UNROLL
    for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm256_set1_ps(peak_source * (float)i);
    for (int n = 0; n < STEPS; n++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm256_fmadd_ps(sum[i], a, b);
    }
    UNROLL
    for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm256_add_ps(sum[0], sum[i]);
    peak_sink = _mm256_cvtss_f32(sum[0]);
    return 2.0 * 8 * CHAINS * STEPS;
}

__attribute__((target("avx512f"), noinline)) static double peak_avx512(void)
{
    __m512 sum[CHAINS], a = _mm512_set1_ps(peak_source), b = a;

    UNROLL
    for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm512_set1_ps(peak_source * (float)i);
    for (int n = 0; n < STEPS; n++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm512_fmadd_ps(sum[i], a, b);
    }
    UNROLL
    for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    peak_sink = _mm512_cvtss_f32(sum[0]);
    return 2.0 * 16 * CHAINS * STEPS;
}

/* 8-bit dot products: 64 multiply-adds each. */
__attribute__((target("avx512f,avx512vnni"), noinline)) static double peak_avx512vnni(void)
{
    const __m512i a = _mm512_set1_epi32((int)(peak_source * 1e6f)), b = a;
    __m512i sum[CHAINS];

    UNROLL
    for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm512_set1_epi32(i);
    for (int n = 0; n < STEPS; n++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm512_dpbusd_epi32(sum[i], a, b);
    }
    UNROLL
    for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    peak_sink = (float)_mm512_reduce_add_epi32(sum[0]);
    return 2.0 * 64 * CHAINS * STEPS;
}

/* bfloat16 dot products: 32 multiply-adds each. */
__attribute__((target("avx512f,avx512bf16"), noinline)) static double peak_avx512bf16(void)
{
    const __m512i a = _mm512_set1_epi32((int)(peak_source * 0x7f007f00)), b = a;
    __m512 sum[BF16_CHAINS];

    UNROLL
    for (int i = 0; i < BF16_CHAINS; i++)
        sum[i] = _mm512_set1_ps(peak_source * (float)i);
    for (int n = 0; n < STEPS; n++) {
        UNROLL
        for (int i = 0; i < BF16_CHAINS; i++)
            sum[i] = _mm512_dpbf16_ps(sum[i], (__m512bh)a, (__m512bh)b);
    }
    UNROLL
    for (int i = 1; i < BF16_CHAINS; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    peak_sink = _mm512_cvtss_f32(sum[0]);
    return 2.0 * 32 * BF16_CHAINS * STEPS;
}
#endif

double peak_run(const char *isa)
{
#if defined(__x86_64__)
    if (strcmp(isa, "avx2") == 0)
        return peak_avx2();
    if (strcmp(isa, "avx512") == 0)
        return peak_avx512();
    if (strcmp(isa, "avx512vnni") == 0)
        return peak_avx512vnni();
    if (strcmp(isa, "avx512bf16") == 0)
        return peak_avx512bf16();
#endif
    return 0.0;
}
