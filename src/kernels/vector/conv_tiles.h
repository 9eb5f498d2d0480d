/* Convolution: how a layer is cut into register tiles. Included by each instruction set. */
#ifndef DAIN_KERNELS_VECTOR_CONV_TILES_H
#define DAIN_KERNELS_VECTOR_CONV_TILES_H

#include "kernels/kernels.h"
#include "kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))

/* What a tile needs to know about the layer. Distances in floats. */
typedef struct ConvPlan {
    ptrdiff_t step;    /* in the input, from an output pixel to its right neighbour */
    ptrdiff_t tap_row; /* in the input, from a kernel row to the next */
    ptrdiff_t tap;     /* in the input, from a run to the next of the same kernel row */
    ptrdiff_t group;   /* in the weights, from CONV_LANES outputs to the next */
    ptrdiff_t out_px, add_px;
    int rows, runs, run; /* kernel rows, runs in each, multiply-adds in each run */
} ConvPlan;

/* One call of a tile: pointers to its first pixel and its first output channel. */
typedef struct ConvTile {
    const float *in, *weights, *bias, *slope, *add; /* add may be NULL */
    float *out;
    int channels; /* outputs to write; the other lanes of the tile are padding */
} ConvTile;

/* Computes one tile: all of its sums in registers. */
typedef void (*ConvTileFn)(const ConvPlan *plan, const ConvTile *tile);

/* Tiles of one number of outputs. */
typedef struct ConvTileSet {
    int lanes;             /* outputs of a tile */
    int pixels;            /* of the widest tile */
    const ConvTileFn *fns; /* fns[p] for p pixels, 1 <= p <= pixels */
} ConvTileSet;

static inline ConvPlan conv_plan(const ConvArgs *a)
{
    /* Pixels without a gap between them make one run of each kernel row. */
    const int joined = a->in.px == a->in.c && a->dilation == 1;

    return (ConvPlan){ .step = a->stride * a->in.px,
                       .tap_row = a->dilation * a->in.row,
                       .tap = a->dilation * a->in.px,
                       .group = (ptrdiff_t)a->in.c * a->kh * a->kw * CONV_LANES,
                       .out_px = a->out.px,
                       .add_px = a->add.px,
                       .rows = a->kh,
                       .runs = joined ? 1 : a->kw,
                       .run = joined ? a->kw * a->in.c : a->in.c };
}

/* Input of the first tap of output pixel (x, y). */
static inline const float *conv_input(const ConvArgs *a, int y, int x)
{
    return view_at(&a->in, y * a->stride - a->dilation * (a->kh - 1) / 2,
                   x * a->stride - a->dilation * (a->kw - 1) / 2);
}

/* Asks for input of the tile to the right: the rows that the row of tiles above has not read. in:
 * first tap of this tile. Inlined by force, because a function that only prefetches has no effect
 * in gcc's eyes and its calls are dropped. */
INLINE void prefetch_next(const ConvArgs *a, const float *in, int pixels)
{
    const int columns = pixels * a->stride;

    for (int r = a->stride < a->kh ? a->stride : a->kh; r > 0; r--) {
        const float *p = in + (a->kh - r) * a->dilation * a->in.row + columns * a->in.px;
        const float *end = p + columns * a->in.px;

        if (a->in.px < a->in.c + 16) { /* hardly a gap: line by line */
            for (; p < end; p += 16)
                __builtin_prefetch(p);
            continue;
        }
        for (; p < end; p += a->in.px)
            for (int c = 0; c < a->in.c; c += 16)
                __builtin_prefetch(p + c);
    }
}

/* Rows y0 .. y1-1 by tiles. pick(n) names the set to use where n outputs are left. A row is cut
 * into tiles of almost equal width, because narrow ones are slow; each tile makes all its outputs
 * before the next, so that its input stays in the first cache. */
static inline void conv_by_tiles(const ConvArgs *a, int y0, int y1,
                                 const ConvTileSet *(*pick)(int outputs))
{
    const ConvPlan plan = conv_plan(a);
    const int w = a->out.w, oc = a->out.c;
    int widest = w, tiles;

    for (int o = 0; o < oc; o += pick(oc - o)->lanes)
        widest = pick(oc - o)->pixels < widest ? pick(oc - o)->pixels : widest;
    tiles = (w + widest - 1) / widest;

    for (int y = y0; y < y1; y++)
        for (int i = 0, x = 0, end; i < tiles; i++, x = end) {
            end = (int)((long long)w * (i + 1) / tiles);
            const int pixels = end - x;
            const float *in = conv_input(a, y, x);
            const float *add = a->add.data ? view_at(&a->add, y, x) : NULL;
            float *out = view_at(&a->out, y, x);

            prefetch_next(a, in, pixels);
            for (int o = 0; o < oc;) {
                const ConvTileSet *set = pick(oc - o);
                const ConvTile tile = { .in = in,
                                        .weights = a->weights + o / CONV_LANES * plan.group +
                                                   o % CONV_LANES,
                                        .bias = a->bias + o,
                                        .slope = a->slope + o,
                                        .add = add ? add + o : NULL,
                                        .out = out + o,
                                        .channels = oc - o < set->lanes ? oc - o : set->lanes };

                set->fns[pixels](&plan, &tile);
                o += set->lanes;
            }
        }
}

#endif
