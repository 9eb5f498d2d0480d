/*
 * ONNX Runtime behind the table of backend.h: our networks on graphics cards and other accelerators.
 * Features belong to a frame, flows to a pair, as in our own engine, and stay where the provider has
 * them.
 */
#ifndef DAIN_ENGINE_BACKEND_ONNXRUNTIME_H
#define DAIN_ENGINE_BACKEND_ONNXRUNTIME_H

#include "base/log.h"
#include "engine/backend.h"

typedef struct OnnxRuntimeSettings {
    const char *model;    /* .safetensors, exported into the cache; or the FILE.onnx of `dain export
                          --split -o FILE.onnx`; NULL = the default model */
    const char *provider; /* "CPU", "CUDA", "TensorRT", "OpenVINO", ...; NULL = CPU */
    const char *const *options; /* KEY=VALUE, see ort_runtime.h; ended by NULL, or NULL */
    const char *precision;      /* of the exported network: "f32", "f16", "int8"; NULL = f32 */
    int threads;                /* 1 .. 64; 0 = one per processor */
    Report *report;             /* gets the sentence if opening fails */
} OnnxRuntimeSettings;

/* Loads the runtime; the network is exported when the size of the frames is known. *backend is NULL on
 * failure. Errors: as ort_open() and model_open(). */
int backend_onnxruntime_open(Backend **backend, const OnnxRuntimeSettings *settings);

#endif
