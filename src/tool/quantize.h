/* The work behind `dain quantize`. */
#ifndef DAIN_TOOL_QUANTIZE_H
#define DAIN_TOOL_QUANTIZE_H

#include "model/calibrate.h"

enum { QUANTIZE_MAX_LAYERS = 512 };

/* A triplet kept in memory: first, truth and second frame, packed RGB24, one after the other. */
typedef struct QuantizeSample {
    uint8_t *rgb;
    int w, h;
    uint8_t *f32; /* the frame as it is made in f32, behind the others */
    double error; /* of that, mean square, 8-bit levels */
} QuantizeSample;

typedef struct QuantizedLayer {
    ConvParam *conv;
    double macs;  /* per pixel of a new frame */
    float lo, hi; /* range of the output */
    double alone; /* dB lost when only this layer is in 8 bits */
} QuantizedLayer;

typedef struct Quantizer {
    Report *report;
    Model *model;
    Kernels kernels;
    Pool *pool;
    QuantizeSample *sample;
    int samples;
    QuantizedLayer layer[QUANTIZE_MAX_LAYERS];
    int layers;
    double psnr_f32; /* mean over the samples */
    double loss;     /* dB expected to be lost in the present precisions and ranges */
    bool progress;
} Quantizer;

/* "f32", "bf16", "int8". */
const char *precision_name(DataType type);

/* All of these: a sentence in the report on failure. DAIN_ECANCELED after Ctrl-C. */
int quantizer_open(Quantizer *q, const char *model, int threads, Report *report);
/* Keeps `wanted` triplets at most, spread over the paths (ended by NULL). */
int quantizer_load(Quantizer *q, const char *const *paths, int wanted);
/* Evens out channels, then chooses ranges. */
int quantizer_calibrate(Quantizer *q, RangeMethod method);
/* PSNR in f32 and with all layers in 8 bits, and what each layer loses alone. */
int quantizer_measure(Quantizer *q);
/* Tries other widths of the ranges, one after the other, until no more than `loss` dB are lost. */
int quantizer_adjust(Quantizer *q, double loss);
/* Raises layers to bfloat16 until no more than `loss` dB are lost or nothing helps any more. */
int quantizer_raise(Quantizer *q, double loss);
int quantizer_write(Quantizer *q, const char *path, const char *precision);
void quantizer_close(Quantizer *q);

#endif
