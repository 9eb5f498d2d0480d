/*
 * Writing ONNX models: nodes, constants, inputs and outputs are collected as protocol-buffer bytes, and
 * assembled into a ModelProto at the end. Only what an exporter needs: no reader, one graph, one operator
 * set, tensors of at most ONNX_MAX_DIMS axes.
 *
 * Source of the field numbers: onnx.proto of ONNX, IR version 8.
 */
#ifndef DAIN_WEIGHTS_ONNX_WRITE_H
#define DAIN_WEIGHTS_ONNX_WRITE_H

#include "base/log.h"
#include "weights/bytes.h"

#include <stdint.h>

enum {
    ONNX_NAME_LENGTH = 96,
    ONNX_MAX_DIMS = 8,
    ONNX_IR_VERSION = 8, /* the first with operator set 16 */
    ONNX_OPSET = 16      /* the first with GridSample and with adding scatters */
};

/* As TensorProto.DataType numbers them. */
typedef enum OnnxType {
    ONNX_FLOAT = 1,
    ONNX_UINT8 = 2,
    ONNX_INT8 = 3,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_HALF = 10
} OnnxType;

/* An edge of the graph. An empty name is an optional input that is left out. */
typedef struct OnnxValue {
    char name[ONNX_NAME_LENGTH];
    OnnxType type;
} OnnxValue;

/* One attribute of a node: text, else a float if is_float, else integers (a list if count >= 0). */
typedef struct OnnxAttr {
    const char *name;
    const char *text;
    float f;
    int is_float;
    int count; /* -1 = a single integer */
    int64_t i[ONNX_MAX_DIMS];
} OnnxAttr;

/* One axis of an input or output: a size, or the name of one that is known at run time only. */
typedef struct OnnxDim {
    int64_t size;
    const char *name; /* NULL: size counts */
} OnnxDim;

/* Zero-initialised is empty. */
typedef struct OnnxWriter {
    Bytes node, initializer, input, output, meta;
    char scope[64]; /* beginning of the names of new nodes */
    int nodes;
    char (*constant)[ONNX_NAME_LENGTH]; /* names of the constants so far */
    int constants, constant_capacity;
} OnnxWriter;

OnnxAttr onnx_attr_int(const char *name, int64_t value);
OnnxAttr onnx_attr_ints(const char *name, int count, const int64_t *values);
OnnxAttr onnx_attr_float(const char *name, float value);
OnnxAttr onnx_attr_text(const char *name, const char *value);

/* Adds a node with one output; its type is that of the first input. */
OnnxValue onnx_node(OnnxWriter *w, const char *op, const OnnxValue *in, int inputs,
                    const OnnxAttr *attr, int attrs);
/* Gives a value the name by which an output is known. */
void onnx_rename(OnnxWriter *w, OnnxValue value, const char *name);

/* Constants that are equal are stored once. */
OnnxValue onnx_scalar(OnnxWriter *w, float value);
OnnxValue onnx_ints(OnnxWriter *w, int count, const int64_t *values); /* one axis */
/* A tensor of floats, stored in `type` (ONNX_FLOAT or ONNX_HALF, rounded to nearest even). A second one
 * of that name is the first. */
OnnxValue onnx_tensor(OnnxWriter *w, const char *name, OnnxType type, int dims,
                      const int64_t *shape, const float *values);

/* The same with integers of at most 32 bits: ONNX_UINT8, ONNX_INT8, ONNX_INT32. */
OnnxValue onnx_integers(OnnxWriter *w, const char *name, OnnxType type, int dims,
                        const int64_t *shape, const int32_t *values);

OnnxValue onnx_input(OnnxWriter *w, const char *name, OnnxType type, int dims, const OnnxDim *dim);
void onnx_output(OnnxWriter *w, const char *name, OnnxType type, int dims, const OnnxDim *dim);
void onnx_metadata(OnnxWriter *w, const char *key, const char *value);

/*
 * Assembles everything into *file, whose data the caller frees with mem_free().
 * Errors: DAIN_ENOMEM (also for all that was added before).
 */
int onnx_finish(const OnnxWriter *w, const char *graph_name, const char *doc, Bytes *file,
                Report *report);
void onnx_free(OnnxWriter *w);

#endif
