/* Before a loop of a constant number of turns, at most 32: unroll it whole, so that an array it
 * walks over is in registers. */
#ifndef DAIN_KERNELS_UNROLL_H
#define DAIN_KERNELS_UNROLL_H

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* The compiler forgets how a pointer was made, so that it keeps that one instead of deriving a
 * pointer for each pixel, for which there are not enough registers. */
#define KEEP(p) __asm__("" : "+r"(p))

#endif
