/* What the versions of the polish share: the layout of the scratch, the constants, the order of rows. */
#ifndef DAIN_KERNELS_POLISH_H
#define DAIN_KERNELS_POLISH_H

#include "kernels/kernels.h"

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

/* What one version makes of a row. */
typedef struct PolishSteps {
    /* d = b - a and g = t a + (1 - t) b = b - t d of row y */
    void (*warp_row)(const PolishArgs *a, float *mean, float *diff, int y);
    /* the robustly weighted products of one row; above and below repeat at the border */
    void (*product_row)(float *const product[POLISH_PRODUCTS], const float *above,
                        const float *here, const float *below, const float *diff, int w);
    /* the sums of five rows of one product */
    void (*column_row)(float *column, const float *const rows[5], int w);
    /* the step of row y from the sums of all products */
    void (*step_row)(const PolishArgs *a, float *const column[POLISH_PRODUCTS], int y);
} PolishSteps;

/* Rows y0 .. y1-1; every row that several of them need is made once. */
static inline __attribute__((always_inline)) void
polish_run(const PolishArgs *a, float *scratch, int y0, int y1, const PolishSteps steps)
{
    const int h = a->out.h, w = a->out.w;
    PolishRows s = polish_rows(scratch, w);
    int product = y0 > 2 ? y0 - 2 : 0; /* next row of products, of g and d, to be made */
    int mean = product > 0 ? product - 1 : 0;
    for (int y = y0; y < y1; y++) {
        for (; product <= y + 2 && product < h; product++) {
            for (; mean <= product + 1 && mean < h; mean++)
                steps.warp_row(a, s.mean[mean % 3], s.diff[mean % 3], mean);
            const int above = product > 0 ? product - 1 : 0;
            const int below = product < h - 1 ? product + 1 : product;
            steps.product_row(s.product[product % 5], s.mean[above % 3], s.mean[product % 3],
                              s.mean[below % 3], s.diff[product % 3], w);
        }
        for (int k = 0; k < POLISH_PRODUCTS; k++) {
            const float *rows[5];
            for (int j = 0; j < 5; j++) {
                const int r = y - 2 + j;
                rows[j] = r < 0 || r >= h ? s.zero : s.product[r % 5][k];
            }
            steps.column_row(s.column[k], rows, w);
        }
        steps.step_row(a, s.column, y);
    }
}

#endif
