/* checkasm for the low-precision kernels: guarded buffers of bytes and of 16-bit elements. */
#ifndef DAIN_TESTS_CHECKASM_QUANT_H
#define DAIN_TESTS_CHECKASM_QUANT_H

#include "checkasm.h"

/* As Buffer, for View8 and View16; size is that of an element. The 64 bytes after the last element
 * are readable, what follows is not. Guards are random bytes: what a kernel reads between pixels
 * changes its results, what it writes there is found. */
typedef struct Codes {
    View8 v8;   /* set if size is 1 */
    View16 v16; /* set if size is 2 */
    int size, w, h, c, halo;
    ptrdiff_t row, px;     /* elements */
    uint8_t *mem, *origin; /* the whole allocation; pixel (0,0) */
    size_t count;          /* bytes in mem */
    void *map;
    size_t map_size;
} Codes;

/* w x h pixels of c channels with a halo; at least slack elements between the last channel of a
 * pixel and the next pixel. Strides and offsets are random, or tight: px = c + slack, no gap between
 * rows, 64-byte aligned. Filled with random bytes; 16-bit elements are then finite. */
Codes codes_new(int size, int w, int h, int c, int halo, int slack);
Codes codes_tight(int size, int w, int h, int c, int halo, int slack);
Codes codes_clone(const Codes *b);
void codes_free(Codes *b);
/* Sets every element of the pixels / of the halo to one byte (size 1). */
void codes_fill_u8(Codes *b, int value);
void codes_fill_halo_u8(Codes *b, int value);
/* Random bfloat16 between -range and range (size 2), halo included. */
void codes_fill_bf16(Codes *b, float range);
/* Fails the check if the allocations differ. */
void codes_same(const Codes *ref, const Codes *tested, const char *what);
/* Fails the check if anything outside the pixels differs from before. */
void codes_check(const Codes *before, const Codes *after, const char *what);

#endif
