/* How a tile of a low-precision convolution walks through its inputs, in elements of the input.
 *
 * The including file defines, before: Args, the kernel's arguments; GROUP, channels that meet one
 * instruction; STEP, groups of an input vector.
 */
#ifndef DAIN_KERNELS_NEON_QUANT_WALK_H
#define DAIN_KERNELS_NEON_QUANT_WALK_H

typedef struct Walk {
    ptrdiff_t step;      /* from the input of one output pixel to the next */
    ptrdiff_t tap, line; /* from run to run, from kernel row to kernel row */
    int lines, runs;
    int steps, ones; /* groups of a run: so many times STEP, and the rest */
} Walk;

static Walk walk_new(const Args *a)
{
    /* Pixels without a gap between them make one run of each kernel row. */
    const int joined = a->in.px == a->in.c && a->in.c % GROUP == 0 && a->dilation == 1;
    const int groups = (a->in.c + GROUP - 1) / GROUP * (joined ? a->kw : 1);

    return (Walk){ .step = a->in.px * a->stride,
                   .tap = a->in.px * a->dilation,
                   .line = a->in.row * a->dilation,
                   .lines = a->kh,
                   .runs = joined ? 1 : a->kw,
                   .steps = groups / STEP,
                   .ones = groups % STEP };
}

#endif
