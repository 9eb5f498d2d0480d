/*
 * Networks as data: tensors and operators for one picture size.
 *
 * A model builds three graphs, one for each rate (what depends on a frame, on a pair of frames, on
 * a time between them). network_plan() then rewrites them (concatenations become slices), gives
 * every tensor a halo, a layout and a place in one arena, and network_run() walks the flat list of
 * operators and hands bands of rows to the thread pool.
 *
 * Tensors that outlive a graph are exported under a name and imported by the graphs of slower
 * consumers: features of a frame are kept while the frame belongs to a pair, flows of a pair while
 * times are asked for.
 */
#ifndef DAIN_GRAPH_GRAPH_H
#define DAIN_GRAPH_GRAPH_H

#include "base/log.h"
#include "base/pool.h"
#include "graph/params.h"
#include "kernels/kernels.h"

#include <stdatomic.h>
#include <stdbool.h>

/* ---- description ---- */

/* Where the memory of a tensor lives. */
typedef enum Scope {
    SCOPE_TEMP,   /* arena, for the length of one run */
    SCOPE_FRAME0, /* kept with the older frame (or, in the frame graph, with the frame at hand) */
    SCOPE_FRAME1, /* kept with the newer frame */
    SCOPE_PAIR,   /* kept with the pair */
    SCOPE_BEFORE, /* kept with the pair before, */
    SCOPE_AFTER,  /* and with the one after: their exports are those of SCOPE_PAIR */
    SCOPE_COUNT
} Scope;

/* One row per operator in the table of ops.c, where its inputs, outputs and attributes are listed. */
typedef enum OpKind {
    OP_LOAD,
    OP_SHIFT_RGB,
    OP_LUMA_HALF,
    OP_CONV,
    OP_UP2,
    OP_NORMALISE,
    OP_CORR,
    OP_WARP,
    OP_PEAK,
    OP_SCALE,
    OP_CONSTANT_TIME,
    OP_CLAMP_ADD,
    OP_SPLAT_WEIGHTS,
    OP_SPLAT,
    OP_PROJECT,
    OP_MIX,
    OP_POLISH,
    OP_COMPOSE,
    OP_CONCAT,
    /* the original network: dain_ops.h */
    OP_PAD_LOAD,
    OP_CORR_LEAKY,
    OP_PWC_WARP,
    OP_POOL2,
    OP_NEAREST2,
    OP_UP4,
    OP_DECONV,
    OP_DEPTH_WEIGHT,
    OP_FLOW_SPLAT,
    OP_FLOW_MEAN,
    OP_FILL_HOLES,
    OP_FILTER,
    OP_MIX_TIME,
    OP_WARP_CONV,
    OP_FINISH,
    OP_KINDS
} OpKind;

/* What OP_MIX makes of x and y at the time t. r: how long the neighbouring pair lasts, this one
 * being 1. */
typedef enum MixKind {
    MIX_BEFORE, /* acceleration in the frame between two pairs, x the flow forwards, y the flow back: */
    MIX_AFTER, /* (x r + y) 2 / (r (r + 1)), r that of the pair before or after; 0 where motion is steady */
    MIX_MEAN,  /* (x + y) / 2 */
    MIX_LIMIT, /* limit_f32 of two accelerations */
    MIX_BEND0, /* x - y (1 - t) / 2 */
    MIX_BEND1, /* x - y t / 2 */
    MIX_CURVE  /* x + y t (1 - t) / 2, y for every two channels of x */
} MixKind;

enum { OP_MAX_IN = 8, OP_MAX_OUT = 2, NAME_LENGTH = 40 };

typedef struct Tensor {
    char name[NAME_LENGTH];
    int h, w, c;
    DataType type; /* TYPE_F32, TYPE_BF16 or TYPE_U8 */
    float scale;   /* u8: value = (code - zero) * scale */
    int zero;
    int halo;    /* pixels on every side that consumers read; the plan takes the largest */
    bool motion; /* a flow on its way into a concatenation: float even where features are bytes */
    bool replicate; /* halo repeats the border (only its producer can fill it), else it is zero */
    bool in_place;  /* written over its parent, whose last use that is */
    int parent;     /* tensor that this is a slice of, or -1 */
    int channel;    /* first channel in the parent */
    Scope scope;
    int exported; /* index in Network.exports, or -1 */

    /* filled in by the plan */
    int first, last;   /* operators that write it first and use it last */
    size_t offset;     /* bytes from the base of its scope to pixel (0,0) */
    ptrdiff_t row, px; /* elements */
    size_t zeros;      /* u8 roots: 1 + place of its zero points in Graph.zeros; 0 = all zero */
    int window;        /* rows in memory of a tensor made in strips (roots); 0 = all */
    size_t left;       /* bytes of a row before pixel 0 */

    /* while a run of strips goes on (roots): rows base .. end-1 are in memory; those of the step
     * before */
    int base, end, had, had_end;
    bool banded; /* its window is that of a band: see bands.h */
} Tensor;

typedef struct Op {
    OpKind kind;
    char name[NAME_LENGTH];
    int in[OP_MAX_IN], out[OP_MAX_OUT]; /* tensors, -1 = none */
    int inputs, outputs;
    const ConvParam *conv;
    int stride, dilation, radius; /* convolution; correlation */
    int motion_first; /* 8-bit convolution with a third input: channel where that was taken out */
    float a, b;       /* scale, limits: see ops.c */
    MixKind mix;

    int zero_halo; /* plan: tensor whose halo this operator zeroes first, or -1 */
    bool settles;  /* plan: copies a result over an input, behind those that read it */
    bool banded;   /* makes only rows of the band at hand: see bands.h */
    int lo, hi;    /* rows of the band at hand, or all */
    int from, to;  /* while a run of strips goes on: rows that this step makes */
    int64_t runs;
    double seconds;
} Op;

/* Operators that run strip by strip, each only so far as the ones after it need: see strips.h. */
typedef struct Segment {
    int first, last; /* operators */
    int steps;
    int flow, flow_end; /* its part of Graph.flow */
} Segment;

/* Within a segment: one operator reads what another writes. */
typedef struct DataFlow {
    int from, to, tensor;        /* operators; the root of what goes between them */
    int mul, div, before, after; /* rows of it that are read: see Reach in ops.h */
} DataFlow;

typedef struct Network Network;

typedef struct Graph {
    Network *network;
    DainRate rate;
    Tensor *tensors;
    int tensor_count, tensor_capacity;
    Op *ops;
    int op_count, op_capacity;
    Segment *segments; /* in order, without overlap */
    int segment_count;
    DataFlow *flow; /* of all segments, the last writers of each first */
    int flow_count;
    int bands; /* how often operators from `tail` on run, each time for a part of the rows */
    int tail;
    Segment whole;  /* those operators, and what goes between them */
    uint8_t *zeros; /* zero points of the channels of u8 tensors, for their halos */
    size_t zeros_size;
    int error; /* the first failure while building; later calls return -1 at once */
} Graph;

/* A tensor that outlives its graph. */
typedef struct Export {
    char name[NAME_LENGTH];
    Scope scope; /* SCOPE_FRAME0 for frames, SCOPE_PAIR for pairs */
    int h, w, c, halo;
    DataType type;
    float scale;
    int zero;
    bool replicate;
    size_t offset; /* as in Tensor */
    ptrdiff_t row, px;
} Export;

enum { NETWORK_MAX_EXPORTS = 32 };

struct Network {
    int w, h;               /* size of the picture */
    int padded_w, padded_h; /* size the graphs work at */
    int pad_left, pad_top;  /* where the picture begins in it */
    Graph graph[3];         /* by DainRate */
    Export exports[NETWORK_MAX_EXPORTS];
    int export_count;
    size_t arena_bytes, frame_bytes, pair_bytes; /* one arena serves all three graphs */
    size_t scratch_floats;                       /* one worker */
    int strip_rows;  /* rows of the picture in one strip; 0 = whole tensors only */
    int strip_level; /* layers down to this part of the picture's height run in strips */
    int bands;       /* of the graph of times; 0 and 1 = one */
    bool keep_all; /* tests: no memory is reused within a graph, so that every tensor can be read */
    Report *report;
};

/* ---- building ---- */

/* Prepares an empty network for pictures of w x h, padded right and below to multiples of align. */
void network_init(Network *network, int w, int h, int align, Report *report);
void network_free(Network *network);

/* Builders add one operator and return its output tensor, -1 after an error (which g->error keeps,
 * with the sentence in the report). A name is for people, tests and the stage table; "" takes the
 * operator's. */
int graph_load(Graph *g);             /* the caller's picture: 4 channels, replicated halo */
int graph_shift_rgb(Graph *g, int x); /* first three channels - 0.5 */
int graph_luma_half(Graph *g, int x); /* 1 channel, half size */
int graph_conv(Graph *g, int x, const ConvParam *conv, int stride, int dilation, int add);
int graph_up2(Graph *g, int x, float scale);       /* scale * bilinear x2 */
int graph_corr(Graph *g, int a, int b, int r);     /* of the normalised features */
int graph_warp(Graph *g, int x, int flow);         /* backward, bilinear */
int graph_peak(Graph *g, int base, int c, int r);  /* base (may be -1) + soft arg-max of c */
int graph_scale(Graph *g, int x, float scale);     /* scale * x: also a copy into a slice */
int graph_motion(Graph *g, int flow, float scale); /* the same for a flow: see Tensor.motion */
int graph_time_plane(Graph *g, int like);          /* 1 channel, the time t everywhere */
int graph_clamp_add(Graph *g, int a, int b, float lo, float hi); /* b may be -1 */
/* Splat of (sign*flow*e, e, 1), e = exp(w), by t*way, or by (1-t)*way if from_end. way is the flow,
 * but where motion is not steady. 4 channels. */
int graph_splat(Graph *g, int flow, int w, int way, float sign, bool from_end);
int graph_mix(Graph *g, MixKind kind, int x, int y);
int graph_project(Graph *g, int s0, int s1); /* 6 channels: F_t0 F_t1 c0 c1 */
int graph_polish(Graph *g, int flow, int y0, int y1);
/* The new picture: img0, img1 (4 channels, full size), flow (4) and s (20) at half size. */
int graph_compose(Graph *g, int img0, int img1, int flow, int s);
int graph_concat(Graph *g, const char *name, const int *x, int n);
/* Channels first .. first+count-1 of x, no copy. */
int graph_slice(Graph *g, int x, int first, int count);
void graph_name(Graph *g, int tensor, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds an operator for pieces of a network that have a file of their own; outputs are new tensors
 * of the given shape. */
Op *graph_add(Graph *g, OpKind kind, const char *name, const int *in, int inputs);
int graph_tensor(Graph *g, const char *name, int h, int w, int c);
int graph_fail(Graph *g, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Keeps a tensor beyond its graph: with the frame in the frame graph, with the pair in the pair
 * graph. */
void graph_export(Graph *g, int tensor, const char *name);
/* scope: which frame, or which pair. */
int graph_import(Graph *g, Scope scope, const char *name);

/* ---- planning and running ---- */

/*
 * Gives every tensor a type, rewrites, lays out and places everything.
 *
 * A convolution reads its input in its own precision (ConvParam.precision); what feeds it is
 * produced in that type, motion stays in float, and conversions are inserted where that does not
 * meet. Convolutions are prepared for their type, once for all sizes. Errors: DAIN_ENOMEM,
 * DAIN_EINVAL (sizes overflow), DAIN_EFORMAT (an 8-bit layer without a range).
 */
int network_plan(Network *network, Params *params);

/* Memory and machinery for a run. */
typedef struct Run {
    const Kernels *kernels;
    Pool *pool;
    unsigned char
        *base[SCOPE_COUNT]; /* arena, frames, pairs: MEM_ALIGN aligned, sizes of the plan */
    float *scratch;         /* pool_threads() times Network.scratch_floats */
    int64_t num, den;       /* the time t */
    float before, after;    /* see MixKind; 0 = motion is steady */
    const ImageView *input, *output;
    atomic_bool *cancel;
} Run;

/* Runs one graph. Errors: DAIN_ECANCELED. */
int network_run(Network *network, DainRate rate, const Run *run);
/* Reads run->input over the picture that the frame graph kept, and leaves what was made of that as
 * it is. Errors: DAIN_ECANCELED. */
int network_reload(Network *network, const Run *run);

/* Name under which the range of an operator's output is calibrated; NULL if it needs none. */
const char *op_range_name(const Op *op);

/* What values a tensor takes: known by construction, or calibrated. 0 if it is not known. */
int graph_range(const Graph *g, const Params *params, int tensor, Range *range);

/* The memory of a tensor during or after a run; data points to elements of the tensor's type, which
 * strides count. */
View graph_view(const Graph *g, int tensor, const Run *run);
/* Tensor of that name, -1 if there is none. */
int graph_find(const Graph *g, const char *name);

/* Multiply-adds of one run of an operator, of a graph. */
double op_macs(const Graph *g, const Op *op);
double graph_macs(const Graph *g);

#endif
