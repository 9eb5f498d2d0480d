/* Parameters of a network, prepared for the kernels once and shared by the graphs of every size. */
#ifndef DAIN_GRAPH_PARAMS_H
#define DAIN_GRAPH_PARAMS_H

#include "base/log.h"
#include "weights/safetensors.h"

/* One convolution. */
typedef struct ConvParam {
    char name[64]; /* name in the weight file */
    int oc, ci, kh, kw;
    float *weights; /* packed, see conv_pack_f32() */
    float *bias;    /* oc rounded up to CONV_LANES, zero-filled */
    float *slope;   /* of the activation that follows: 1 = linear, 0.1 = leaky, 0 = ReLU */
} ConvParam;

typedef struct Params {
    ConvParam **conv;
    int count, capacity;
    int64_t elements; /* weights and biases */
    size_t bytes;     /* in memory */
    Report *report;
} Params;

void params_free(Params *params);

/*
 * Takes NAME.weight (OIHW) and NAME.bias (may be missing if bias_optional) from the file. The
 * shapes of the file are taken as they are, whoever builds the graph finds out whether they fit.
 * Errors: DAIN_EFORMAT (missing, not four axes, axis out of range, bias of another length, value
 * not finite), DAIN_ENOMEM.
 */
int params_load_conv(Params *params, const WeightFile *file, const char *name, float slope,
                     int bias_optional, ConvParam **out);

/* The same from memory: oihw holds oc*ci*kh*kw floats, bias oc floats or NULL (0). */
int params_add_conv(Params *params, const char *name, const float *oihw, const float *bias, int oc,
                    int ci, int kh, int kw, float slope, ConvParam **out);

/* NULL if there is none. */
ConvParam *params_find(const Params *params, const char *name);

#endif
