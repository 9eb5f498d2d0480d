/*
 * A network on its way into an ONNX file: short-hands for the nodes that its operators become, and the
 * things that depend on the size of the picture, which may be unknown until the file runs.
 *
 * Axes are those of ONNX: batch (always 1), channel, row, column. Values are floats unless said
 * otherwise; features may be halves, and emit_f32() makes floats of them.
 */
#ifndef DAIN_MODEL_ONNX_EMIT_H
#define DAIN_MODEL_ONNX_EMIT_H

#include "graph/graph.h"
#include "weights/onnx_write.h"

enum { EMIT_LEVELS = 6 }; /* 1/1 .. 1/32 */

/* What is known about the maps of one level. */
typedef struct EmitLevel {
    bool made;
    OnnxValue h, w;        /* integers, one axis of length 1 */
    OnnxValue base;        /* 1 x 2 x h x w: x and y of every pixel */
    OnnxValue last;        /* 1 x 2 x 1 x 1: w - 1, h - 1 */
    OnnxValue two_by_last; /* 2 / last */
} EmitLevel;

enum { EMIT_TAPS = 16, EMIT_FILTERS = 2 };

/* The adaptive warp of the original network by one flow: what does not depend on what is warped. */
typedef struct EmitFilter {
    bool made;
    int flow;     /* tensor */
    OnnxValue ok; /* where it is not copied through */
    OnnxValue grid[EMIT_TAPS], weight[EMIT_TAPS];
} EmitFilter;

typedef struct Emitter {
    OnnxWriter w;
    const Network *network; /* built, not planned; where sizes are dynamic, of any size */
    const Params *params;
    int align;     /* of the padded picture */
    bool original; /* the network is DAIN */
    bool dynamic, half, bytes;
    const char *prefix; /* of the names of nodes: which frame, which part */
    OnnxValue picture;  /* what the frame graph loads, 1 x 3 x H x W */
    OnnxValue size;     /* integers H, W of the picture, where it is cropped in the end */
    OnnxValue t, rest;  /* 1 x 1 x 1 x 1: the time, 1 - the time */
    EmitLevel level[EMIT_LEVELS];
    EmitFilter filter[EMIT_FILTERS];
    OnnxValue kept[SCOPE_COUNT][NETWORK_MAX_EXPORTS]; /* what outlives its graph */
    OnnxValue *value;                                 /* of the graph at hand, by tensor */
    OnnxValue *coded; /* the same through 8 bits, where a convolution reads it so */
    Report *report;
} Emitter;

OnnxValue emit_unary(Emitter *e, const char *op, OnnxValue a);
OnnxValue emit_binary(Emitter *e, const char *op, OnnxValue a, OnnxValue b);
OnnxValue emit_three(Emitter *e, const char *op, OnnxValue a, OnnxValue b, OnnxValue c);
OnnxValue emit_add(Emitter *e, OnnxValue a, OnnxValue b);
OnnxValue emit_sub(Emitter *e, OnnxValue a, OnnxValue b);
OnnxValue emit_mul(Emitter *e, OnnxValue a, OnnxValue b);
OnnxValue emit_div(Emitter *e, OnnxValue a, OnnxValue b);
/* With a constant on the right. */
OnnxValue emit_plus(Emitter *e, OnnxValue a, float b);
OnnxValue emit_times(Emitter *e, OnnxValue a, float b);
OnnxValue emit_clip(Emitter *e, OnnxValue x, float lo, float hi);
OnnxValue emit_cast(Emitter *e, OnnxValue x, OnnxType type);
OnnxValue emit_f32(Emitter *e, OnnxValue x);
OnnxValue emit_concat(Emitter *e, int axis, const OnnxValue *x, int n);
/* Elements first .. end-1 of an axis; INT64_MAX: to its end; negative: counted from there. */
OnnxValue emit_slice(Emitter *e, OnnxValue x, int axis, int64_t first, int64_t end);
OnnxValue emit_channels(Emitter *e, OnnxValue x, int first, int count);
/* shape: integers of the new shape, at most ONNX_MAX_DIMS; -1 = what is left. */
OnnxValue emit_reshape(Emitter *e, OnnxValue x, int dims, const int64_t *shape);
/* Mean over the channels. */
OnnxValue emit_channel_mean(Emitter *e, OnnxValue x);
/* Mean over (2r+1) x (2r+1), zeros outside taken along. */
OnnxValue emit_box(Emitter *e, OnnxValue x, int r);
/* n pixels more on every side, zeros or the border repeated. */
OnnxValue emit_border(Emitter *e, OnnxValue x, int n, bool replicate);
/* Convolution with constants of the caller's, no padding. */
OnnxValue emit_small_conv(Emitter *e, OnnxValue x, const char *name, const float *weights, int oc,
                          int ci, int k, int stride);
OnnxValue emit_up2(Emitter *e, OnnxValue x);

/* Integers H, W of a 4-axis value as given by the network, or asked for when the file runs. */
OnnxValue emit_size_of(Emitter *e, OnnxValue x, int h, int w);
/* The level of maps of h rows. like: a map of that size, for the first time that it is needed. */
const EmitLevel *emit_level(Emitter *e, int h, int w, OnnxValue like);
/* Where the samples of a warp lie, for GridSample: every pixel moved by flow, kept in the map. */
OnnxValue emit_grid(Emitter *e, const EmitLevel *level, OnnxValue flow);
OnnxValue emit_sample(Emitter *e, OnnxValue x, OnnxValue grid, const char *mode);

/* The picture, extended to multiples of align by repeating its border. */
OnnxValue emit_padded_picture(Emitter *e);
/* Mean over the channels of a(p) b(p + d), for all |d| <= r, zeros outside. */
OnnxValue emit_corr(Emitter *e, OnnxValue a, OnnxValue b, int r);

/* onnx_edge.c: the nodes of one operator. Errors: DAIN_EUNSUPPORTED for one that has none. */
int emit_edge_op(Emitter *e, const Graph *g, const Op *op);
/* onnx_bytes.c: a convolution with 8-bit input and weights, before its sum and activation. Channels
 * that carry motion are taken out and convolved in floats, as in our engine. Errors: DAIN_EFORMAT (no
 * range), DAIN_ENOMEM. */
int emit_bytes_conv(Emitter *e, const Graph *g, const Op *op, const OnnxAttr *attr, int attrs,
                    OnnxValue *out);
/* Whether an input of this concatenation is left to emit_bytes_conv(). */
bool emit_takes_motion(const Emitter *e, const Graph *g, const Op *concat, int i);
/* The value of a tensor: what was computed, a slice of it, or what another graph kept. */
OnnxValue emit_tensor(Emitter *e, const Graph *g, int tensor);

#endif
