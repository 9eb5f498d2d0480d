/* conv_u8_winograd: reference, and its weights. */
#include "kernels/c/quant_store.h"
#include "kernels/kernels.h"

#include <string.h>

/* For size: packing happens once, and where this kernel is used there are faster ones. */
#define COLD __attribute__((cold))

size_t conv_packed_size_winograd(int oc, int ci)
{
    const size_t lanes = (size_t)(oc + CONV_LANES - 1) / CONV_LANES * CONV_LANES;

    return WINOGRAD_POSITIONS * lanes * ((size_t)(ci + 1) / 2 * 2);
}

/* 2 G g: four values of three. */
static COLD void spread(int out[4], int g0, int g1, int g2)
{
    out[0] = 2 * g0;
    out[1] = g0 + g1 + g2;
    out[2] = g0 - g1 + g2;
    out[3] = 2 * g2;
}

COLD void conv_pack_winograd(int16_t *dst, const int8_t *oihw, int oc, int ci)
{
    const size_t padded = (size_t)(ci + 1) / 2 * 2,
                 blocks = (size_t)(oc + CONV_LANES - 1) / CONV_LANES;

    memset(dst, 0, conv_packed_size_winograd(oc, ci) * sizeof *dst);
    for (int o = 0; o < oc; o++)
        for (int i = 0; i < ci; i++, oihw += 9) {
            int rows[3][4], columns[4];

            for (int ky = 0; ky < 3; ky++)
                spread(rows[ky], oihw[3 * ky], oihw[3 * ky + 1], oihw[3 * ky + 2]);
            for (int x = 0; x < 4; x++) {
                spread(columns, rows[0][x], rows[1][x], rows[2][x]);
                for (int y = 0; y < 4; y++) {
                    const size_t block = (size_t)(4 * y + x) * blocks + o / CONV_LANES;

                    dst[(block * padded + i / 2 * 2) * CONV_LANES + o % CONV_LANES * 2 + i % 2] =
                        (int16_t)columns[y];
                }
            }
        }
}

size_t conv_winograd_scratch(int ci)
{
    const size_t padded = (size_t)(ci + 31) / 32 * 32;
    const size_t sums = 2 * CONV_LANES * sizeof(int32_t), in = padded * sizeof(int16_t);

    return WINOGRAD_POSITIONS * WINOGRAD_BATCH * (sums + in);
}

/* B^T d B of channel i of the tile whose first output is (y,x): the last row and column stand in
 * for what lies beyond them, which no output inside depends on. */
static COLD void transform(int out[4][4], const ConvU8Args *a, int y, int x, int rows, int columns,
                           int i)
{
    int d[4][4], v[4][4];

    for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++) {
            const int down = r < rows + 2 ? r : rows + 1, right = c < columns + 2 ? c : columns + 1;

            d[r][c] = view8_at(&a->in, y - 1 + down, x - 1 + right)[i];
        }
    for (int c = 0; c < 4; c++) {
        v[0][c] = d[0][c] - d[2][c];
        v[1][c] = d[1][c] + d[2][c];
        v[2][c] = d[2][c] - d[1][c];
        v[3][c] = d[1][c] - d[3][c];
    }
    for (int r = 0; r < 4; r++) {
        out[r][0] = v[r][0] - v[r][2];
        out[r][1] = v[r][1] + v[r][2];
        out[r][2] = v[r][2] - v[r][1];
        out[r][3] = v[r][1] - v[r][3];
    }
}

/* Four times the sums of output o, A^T m A, as numbers that wrap. w: its weights at the first
 * position. */
static COLD void sums_of(uint32_t out[2][2], const int16_t *in, const ConvU8Args *a,
                         const int16_t *w, size_t position)
{
    const int padded = (a->in.c + 1) / 2 * 2;
    uint32_t m[4][4] = { { 0 } }, s[2][4];

    for (int p = 0; p < WINOGRAD_POSITIONS; p++, w += position)
        for (int i = 0; i < a->in.c; i++)
            m[p / 4][p % 4] += (uint32_t)(in[p * padded + i] * w[i / 2 * 2 * CONV_LANES + i % 2]);
    for (int c = 0; c < 4; c++) {
        s[0][c] = m[0][c] + m[1][c] + m[2][c];
        s[1][c] = m[1][c] - m[2][c] - m[3][c];
    }
    for (int r = 0; r < 2; r++) {
        out[r][0] = s[r][0] + s[r][1] + s[r][2];
        out[r][1] = s[r][1] - s[r][2] - s[r][3];
    }
}

COLD void conv_u8_winograd_c(const ConvU8Args *a, void *scratch, int y0, int y1)
{
    const int oc = a->out.data ? a->out.c : a->out_f32.c, w = a->out.data ? a->out.w : a->out_f32.w;
    const int padded = (a->in.c + 1) / 2 * 2;
    const size_t block = (size_t)padded * CONV_LANES,
                 position = conv_packed_size_winograd(oc, a->in.c) / WINOGRAD_POSITIONS;
    int16_t *in = scratch; /* [position][channel] */

    for (int y = y0; y < y1; y += 2)
        for (int x = 0; x < w; x += 2) {
            const int rows = y1 - y < 2 ? 1 : 2, columns = w - x < 2 ? 1 : 2;

            for (int i = 0; i < a->in.c; i++) {
                int v[4][4];

                transform(v, a, y, x, rows, columns, i);
                for (int p = 0; p < WINOGRAD_POSITIONS; p++)
                    in[p * padded + i] = (int16_t)v[p / 4][p % 4];
            }
            for (int o = 0; o < oc; o++) {
                uint32_t sum[2][2];

                sums_of(sum, in, a, a->winograd + o / CONV_LANES * block + o % CONV_LANES * 2,
                        position);
                for (int k = 0; k < rows * columns; k++) {
                    const int r = k / columns, c = k % columns;
                    const uint32_t acc = (uint32_t)((int32_t)sum[r][c] / 4) + (uint32_t)a->bias[o];

                    store_u8(a, (int32_t)acc, y + r, x + c, o);
                }
            }
        }
}
