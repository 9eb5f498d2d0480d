/* Vectors of codes and of bfloat16, in the manner of vec.h.
 *
 * hw: HW words of 16 bits, vw: VW of them. Reads of codes may go past the last channel (View8); _n: the
 * first n elements only. vi_round_codes() is code_from_f32() before it is narrowed.
 */
#ifndef DAIN_KERNELS_VECTOR_QUANT_VEC_H
#define DAIN_KERNELS_VECTOR_QUANT_VEC_H

#include "kernels/vector/vec.h"

#if defined(__aarch64__)
#include "kernels/neon/quant_vec.h"
#else
#include "kernels/x86/quant_vec.h"
#endif

#endif
