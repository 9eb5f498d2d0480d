/* What the original network's kernels need in one width: pixels of four floats, and eight floats that
 * are four pixels of two channels. For AVX2 and AVX-512. */
#ifndef DAIN_KERNELS_X86_DAIN_OCT_H
#define DAIN_KERNELS_X86_DAIN_OCT_H

#define VEC_INLINE static inline __attribute__((always_inline))
#include "kernels/x86/vec_f4.h"

typedef __m256 oct;

static inline oct oct_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline void oct_store(float *p, oct v)
{
    _mm256_storeu_ps(p, v);
}
/* v0 v1 four times */
static inline oct oct_repeat(f4 v)
{
    return _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(v)));
}
/* a * b + c * d, the second product rounded */
static inline oct oct_mix(oct a, oct b, oct c, oct d)
{
    return _mm256_fmadd_ps(a, b, _mm256_mul_ps(c, d));
}

#endif
