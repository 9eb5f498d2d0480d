/*
 * Models as ONNX files, for other engines. Standard operators only, set 16; docs/onnx.md says what goes
 * in and what comes out.
 */
#ifndef DAIN_MODEL_ONNX_H
#define DAIN_MODEL_ONNX_H

#include "model/model.h"
#include "weights/onnx_write.h"

/* Which part of the network a file holds: all of it, or what runs at one rate. */
typedef enum OnnxPart {
    ONNX_PART_FRAME, /* as DainRate */
    ONNX_PART_PAIR,
    ONNX_PART_TIME,
    ONNX_PART_ALL
} OnnxPart;

typedef struct OnnxSettings {
    int w, h;   /* size of the pictures; 0 = any size, known when the file runs */
    bool half;  /* weights and convolutions in half precision, motion in floats */
    bool bytes; /* convolutions that the model's precision has in 8 bits are quantised: QDQ */
} OnnxSettings;

/* "frame", "pair", "time", "". */
const char *onnx_part_name(OnnxPart part);

/*
 * The file, in memory that the caller frees with mem_free(file->data).
 * Errors: DAIN_EUNSUPPORTED (bytes, and a network other than edge), DAIN_EFORMAT (bytes, and a layer without a range),
 * DAIN_ENOMEM.
 */
int model_export_onnx(const Model *model, OnnxPart part, const OnnxSettings *settings, Bytes *file,
                      Report *report);

#endif
