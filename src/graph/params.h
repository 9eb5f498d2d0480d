/* Parameters of a network, prepared for the kernels once and shared by the graphs of every size. */
#ifndef DAIN_GRAPH_PARAMS_H
#define DAIN_GRAPH_PARAMS_H

#include "base/log.h"
#include "weights/safetensors.h"

#include <stdbool.h>

/*
 * A convolution prepared for bytes: see ConvU8Args. It belongs to the scales of its input channels.
 *
 * Channels that carry motion are taken out: codes of a flow that reaches far are too coarse for its
 * edges, and their large scale would leave few bits to the weights beside them. They have float
 * weights of their own, in units of the output's codes.
 */
typedef struct ConvU8Param {
    int8_t *weights;
    int16_t *winograd; /* in the place of weights, for conv_u8_winograd */
    int32_t *bias;
    float *scale;
    float *motion_weights; /* NULL if no channel was taken out; packed as conv_pack_f32() does */
    float *motion_bias;    /* zeros */
    float *motion_slope;   /* ones */
} ConvU8Param;

/* What params_prepare_u8() has to know. */
typedef struct ConvU8Input {
    const float *scale; /* of each channel that stays: value = (code - zero) * scale */
    const int *zero;
    int motion_first, motion_count; /* channels taken out, in the order of the weights */
    float motion_gain;              /* codes per unit of the output, 1 if it is float */
    bool winograd;                  /* the kernel is one for conv_u8_winograd */
} ConvU8Input;

/* One convolution. */
typedef struct ConvParam {
    char name[64]; /* name in the weight file */
    int oc, ci, kh, kw;
    float *weights; /* packed, see conv_pack_f32() */
    float *bias;    /* oc rounded up to CONV_LANES, zero-filled */
    float *slope;   /* of the activation that follows: 1 = linear, 0.1 = leaky, 0 = ReLU */

    DataType precision;     /* TYPE_F32, TYPE_BF16 or TYPE_U8: what its input is read as */
    ConvU8Param u8;         /* NULL members until prepared */
    uint16_t *bf16_weights; /* likewise */
} ConvParam;

/* Calibrated range of an activation. */
typedef struct Range {
    char name[64];
    float lo, hi;
} Range;

typedef struct Params {
    ConvParam **conv;
    int count, capacity;
    Range *ranges;
    int range_count, range_capacity;
    int64_t elements; /* weights and biases */
    size_t bytes;     /* in memory */
    size_t prepared;  /* of these, what params_unprepare() gives back */
    bool winograd;    /* conv_u8_winograd is to be used where it can be, see Kernels */
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

/* Remembers a range, replacing one of that name. lo <= hi; one too narrow for a scale is widened.
 * Errors: DAIN_EFORMAT (not finite), DAIN_ENOMEM. */
int params_set_range(Params *params, const char *name, float lo, float hi);
/* NULL if there is none. */
const Range *params_range(const Params *params, const char *name);

/* Prepares a convolution for 8-bit input; once only: all that share it have one stride and
 * dilation. Errors: DAIN_ENOMEM, DAIN_EFORMAT (weights times scales are beyond floats). */
int params_prepare_u8(Params *params, ConvParam *conv, const ConvU8Input *input);
/* The same for bfloat16. Errors: DAIN_ENOMEM. */
int params_prepare_bf16(Params *params, ConvParam *conv);

/* Forgets what was prepared, after ranges or precisions have changed. */
void params_unprepare(Params *params);

/* The weights as OIHW floats, out holds oc*ci*kh*kw. */
void params_unpack_conv(const ConvParam *conv, float *out);

/* NULL if there is none. */
ConvParam *params_find(const Params *params, const char *name);

#endif
