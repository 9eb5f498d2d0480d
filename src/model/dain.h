/* The parts of the original network: what each takes from the weight file and which graph it builds.
 * Section numbers in the sources are those of docs/dain.md. */
#ifndef DAIN_MODEL_DAIN_H
#define DAIN_MODEL_DAIN_H

#include "graph/dain_ops.h"
#include "model/model.h"

/* A layer of the published program. */
typedef struct DainLayer {
    const char *name;
    int ci, oc, k;
    bool bias, transposed; /* transposed: weights are IOHW */
    const char *norm;      /* of the batch norm behind it, NULL = none */
    bool affine;           /* the norm has weight and bias */
} DainLayer;

/* Taking parameters; the first failure is kept and later calls do nothing. */
typedef struct DainLoader {
    Params *params;
    const WeightFile *file;
    Report *report;
    int error;
    bool pruned; /* widths are those of the file, at most the published ones */
    /* If set, every layer is only shown to it, in the order of the published program. */
    void (*visit)(void *opaque, const DainLayer *layer);
    void *opaque;
} DainLoader;

/* A convolution of this shape under its name in the file: NAME.weight and, if bias is set, NAME.bias. */
void dain_load_conv(DainLoader *l, const char *name, int ci, int oc, int k, float slope, bool bias);
/* A convolution followed by the batch norm NORM, folded into it; affine: NORM has weight and bias. */
void dain_load_norm_conv(DainLoader *l, const char *name, const char *norm, int ci, int oc, int k,
                         float slope, bool affine);
/* The four phases of a transposed 4x4 convolution, as NAME/0 .. NAME/3. */
void dain_load_deconv(DainLoader *l, const char *name, int ci, int oc);
/* A tensor as floats, checked to have this shape and finite values; NULL after an error. For
 * mem_free(). */
float *dain_load_values(DainLoader *l, const char *name, int dims, const int64_t *shape);

/* Shows every layer of the published program to visit. */
void dain_layers(void (*visit)(void *opaque, const DainLayer *layer), void *opaque);

/* A graph under construction, with the weights it draws from. */
typedef struct DainBuilder {
    Graph *g;
    const Params *params;
    int reduce; /* flow is estimated at 1/reduce of the resolution: 1, 2, 4; elsewhere unused */
} DainBuilder;

int dain_conv(DainBuilder *b, const char *name, int x);
int dain_conv_full(DainBuilder *b, const char *name, int x, int stride, int dilation, int add);
int dain_deconv(DainBuilder *b, const char *name, int x);
/* a + b, written over a, whose last use this is. */
int dain_add_to(DainBuilder *b, int a, int x);
int dain_concat(DainBuilder *b, const char *name, int n, const int *x);

/* Picture (4 channels) -> log depth, 1 channel. */
void dain_depth_load(DainLoader *l);
int dain_depth_build(DainBuilder *b, int image);
/* Picture -> features c[2] .. c[6] at 1/4 .. 1/64; then the flow from the frame of a to that of b at 1/4,
 * 2 channels in units of 20 pixels. */
void dain_flow_load(DainLoader *l);
void dain_pyramid_build(DainBuilder *b, int image, int c[7]);
int dain_flow_build(DainBuilder *b, const int a[7], const int c[7]);
/* Two pictures -> the kernels of both, 32 channels. */
void dain_filter_load(DainLoader *l);
int dain_filter_build(DainBuilder *b, int image0, int image1);
/* Picture -> block 1 of the context features, 64 channels; then blocks 2 and 3, each written over the
 * one before. */
void dain_context_load(DainLoader *l);
int dain_context_first(DainBuilder *b, int image);
int dain_context_next(DainBuilder *b, int block, int x);
/* Synthesis. The first convolution reads 437 channels of which most are warped features; it is cut
 * into parts along them: dain_rectify_part() of the tensors that are not context, and one part for each
 * frame k and block. */
void dain_rectify_load(DainLoader *l);
/* Which input channels of rectifyNet.block1.0 in the file belong to channel i of a part of it; width is that
 * of the context features. Returns how many (0 to 2). */
int dain_rectify_columns(const char *part, int i, int width, int columns[2]);
/* The inputs beside the context features, in the order of `dain_rectify_base`: 50 channels. */
int dain_rectify_base(DainBuilder *b, const int inputs[8]);
/* Adds the part of block 1 .. 3 of frame k, warped, to sum. */
int dain_rectify_context(DainBuilder *b, int k, int block, int features, int flow, int kern,
                         int sum);
/* The rest: residual of the picture, 3 channels. */
int dain_rectify_rest(DainBuilder *b, int sum);

#endif
