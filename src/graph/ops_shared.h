/* What files of operators share. */
#ifndef DAIN_GRAPH_OPS_SHARED_H
#define DAIN_GRAPH_OPS_SHARED_H

#include "graph/ops.h"

static inline const Kernels *kernels(const OpRun *r)
{
    return r->run->kernels;
}

/* Some of the channels of a view. */
static inline View with_channels(View v, int first, int count)
{
    v.data += first;
    v.c = count;
    return v;
}

/* Floats of a row in scratch memory, with what kernels may read behind it. What follows is aligned to 64
 * bytes, as scratch memory is from its beginning. */
static inline size_t row_floats(int w, int c)
{
    return ((size_t)w * c + 31) / 16 * 16;
}

/* One row in the scratch memory of a worker, which moves behind it. */
static inline View row_buffer(float **scratch, int w, int c)
{
    const View v = { *scratch, 0, c, w, 1, c };
    *scratch += row_floats(w, c);
    return v;
}

/* The same rows and some on either side. */
static inline Reach around(int rows)
{
    return (Reach){ .mul = 1, .div = 1, .before = rows, .after = rows };
}

static inline Reach any_row(void)
{
    return (Reach){ .whole = true };
}

#endif
