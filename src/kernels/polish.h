/* What the versions of the polish share: the layout of the scratch and the constants. */
#ifndef DAIN_KERNELS_POLISH_H
#define DAIN_KERNELS_POLISH_H

#include <stddef.h>

#define POLISH_ROBUST (4.0f / 255.0f) /* e of the robust weight e / (e + |d|) */
#define POLISH_BOX 0.04f              /* 1 / 25 */
#define POLISH_FLOOR 1e-4f            /* added to xx and yy */

enum {
    POLISH_PAD = 16,     /* floats readable and writable on both sides of a scratch row */
    POLISH_PRODUCTS = 5, /* gx gx, gx gy, gy gy, gx d, gy d, each times the robust weight */
    POLISH_ROWS = 3 + 3 + 5 * POLISH_PRODUCTS + POLISH_PRODUCTS + 1
};

/* Rolling rows; element 0 of a row is pixel 0. Row y lives in slot y mod 3 or y mod 5. */
typedef struct PolishRows {
    float *mean[3]; /* g: the blend of the two warped lumas */
    float *diff[3]; /* d: their difference */
    float *product[5][POLISH_PRODUCTS];
    float *column[POLISH_PRODUCTS]; /* sums of five product rows; two zeros on either side */
    float *zero;                    /* a product row outside the picture */
} PolishRows;

static inline size_t polish_row_size(int w)
{
    return (((size_t)w + 15) & ~(size_t)15) + 2 * POLISH_PAD;
}

/* Cuts scratch into rows and clears what must be zero. */
static inline PolishRows polish_rows(float *scratch, int w)
{
    PolishRows s;
    const size_t size = polish_row_size(w);
    float *row = scratch + POLISH_PAD;
    for (int i = 0; i < 3; i++, row += 2 * size) {
        s.mean[i] = row;
        s.diff[i] = row + size;
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < POLISH_PRODUCTS; k++, row += size)
            s.product[i][k] = row;
    for (int k = 0; k < POLISH_PRODUCTS; k++, row += size) {
        s.column[k] = row;
        row[-2] = row[-1] = row[w] = row[w + 1] = 0.0f;
    }
    s.zero = row;
    for (ptrdiff_t i = -POLISH_PAD; i < (ptrdiff_t)size - POLISH_PAD; i++)
        row[i] = 0.0f;
    return s;
}

#endif
