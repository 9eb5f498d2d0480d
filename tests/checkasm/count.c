/*
 * One 3x3 convolution and nothing else, for counting instructions (tools/count-instructions.sh).
 *
 *     count f32|u8 CHANNELS WIDTH ROWS
 *
 * CHANNELS in and out, WIDTH columns, the best kernel of this processor. Counts with different ROWS are
 * subtracted, so that what happens once does not matter.
 */
#include "base/cpu.h"
#include "base/mem.h"
#include "kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HALO = 1, SLACK = 64 };

static void *need(size_t size)
{
    void *p = mem_calloc(1, size);
    if (!p) {
        fprintf(stderr, "count: out of memory\n");
        exit(1);
    }
    return p;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: count f32|u8 CHANNELS WIDTH ROWS\n");
        return 2;
    }
    const int c = atoi(argv[2]), w = atoi(argv[3]), rows = atoi(argv[4]);
    if (c < 1 || c > 256 || w < 1 || w > 4096 || rows < 0 || rows > 4096)
        return 2;
    const size_t in_row = (size_t)(w + 2 * HALO) * c, in_size = in_row * (rows + 2 * HALO) + SLACK;
    const size_t padded = (size_t)(c + 15) / 16 * 16;
    float *line = need(padded * sizeof *line);
    Kernels kernels;
    kernels_init(&kernels, cpu_flags());
    for (size_t i = 0; i < padded; i++)
        line[i] = 1;
    if (!strcmp(argv[1], "f32")) {
        float *in = need(in_size * sizeof *in),
              *out = need(((size_t)w * rows + 1) * c * sizeof *out);
        float *weights = need(conv_packed_size(c, c, 3, 3) * sizeof *weights);
        const ConvArgs a = { .in = { in + in_row + c, (ptrdiff_t)in_row, c, w, rows, c },
                             .out = { out, (ptrdiff_t)w * c, c, w, rows, c },
                             .weights = weights,
                             .bias = line,
                             .slope = line,
                             .kh = 3,
                             .kw = 3,
                             .stride = 1,
                             .dilation = 1 };
        kernels.conv_f32(&a, 0, rows);
    } else {
        uint8_t *in = need(in_size), *out = need(((size_t)w * rows + 1) * c + SLACK);
        int8_t *weights = need(conv_packed_size_u8(c, c, 3, 3));
        int32_t *bias = need(padded * sizeof *bias);
        const ConvU8Args a = { .in = { in + in_row + c, (ptrdiff_t)in_row, c, w, rows, c },
                               .out = { out, (ptrdiff_t)w * c, c, w, rows, c },
                               .weights = weights,
                               .bias = bias,
                               .scale = line,
                               .slope = line,
                               .out_inv_scale = 1,
                               .kh = 3,
                               .kw = 3,
                               .stride = 1,
                               .dilation = 1 };
        kernels.conv_u8(&a, 0, rows);
    }
    return 0; /* the system frees what is left: only instructions are of interest */
}
