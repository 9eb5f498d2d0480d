/* ncnn networks: a .param text of layers and a .bin of their weights, as far as convolutions and batch
 * norms go. */
#ifndef DAIN_WEIGHTS_NCNN_H
#define DAIN_WEIGHTS_NCNN_H

#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

typedef enum NcnnKind { NCNN_CONVOLUTION, NCNN_DECONVOLUTION, NCNN_BATCH_NORM } NcnnKind;

/* A layer that has weights. */
typedef struct NcnnLayer {
    NcnnKind kind;
    char name[64];
    int outputs, kernel; /* channels; side of the kernel */
    int64_t count;       /* weights of a convolution: outputs * inputs * kernel * kernel */
    float *weights;      /* [output][input][row][column], also for deconvolutions */
    float *bias;         /* outputs, NULL = none; of a batch norm too */
    float *slope, *mean, *variance; /* of a batch norm: outputs each */
} NcnnLayer;

typedef struct NcnnNet {
    NcnnLayer *layers;
    int count, capacity;
} NcnnNet;

/*
 * Reads the two files. Weights are fp32 or fp16, as their flags say; those in 8 bits are refused.
 * Errors: DAIN_EIO, DAIN_ENOMEM, DAIN_EFORMAT, DAIN_EUNSUPPORTED. *net is NULL on failure.
 */
int ncnn_open(NcnnNet **net, const char *param_path, const char *bin_path, Report *report);
/* The same from memory. names is used in messages. */
int ncnn_parse(NcnnNet **net, const char *param, size_t param_size, const void *bin,
               size_t bin_size, const char *name, Report *report);
void ncnn_close(NcnnNet **net);

#endif
