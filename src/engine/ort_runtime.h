/*
 * ONNX Runtime, loaded when it is asked for: the library, the execution provider with its options, and
 * sessions. Nothing of it is needed to build or to run anything else.
 */
#ifndef DAIN_ENGINE_ORT_RUNTIME_H
#define DAIN_ENGINE_ORT_RUNTIME_H

#include "base/log.h"
#include "engine/ort_api.h"

#include <stdbool.h>

enum { ORT_MAX_OPTIONS = 32, ORT_PROVIDER_LENGTH = 48 };

/* Where KEY=VALUE goes: "library" and "cache" are ours, what has a full stop in its key is an entry
 * of the session's configuration, the rest belongs to the provider. Texts are the caller's. */
typedef struct OrtOptions {
    const char
        *library;      /* path of the shared library, NULL = $DAIN_ONNXRUNTIME or its usual name */
    const char *cache; /* folder of exported networks, NULL = $XDG_CACHE_HOME/dain */
    int config_count, provider_count;
    const char *config_key[ORT_MAX_OPTIONS], *config_value[ORT_MAX_OPTIONS];
    const char *provider_key[ORT_MAX_OPTIONS], *provider_value[ORT_MAX_OPTIONS];
    char *text[ORT_MAX_OPTIONS]; /* of the keys and values */
    int text_count;
} OrtOptions;

/* Sorts a list of KEY=VALUE, ended by NULL (which may be NULL itself). Errors: DAIN_EINVAL (no "=", too
 * many), DAIN_ENOMEM. ort_options_free() afterwards in any case. */
int ort_options_parse(OrtOptions *options, const char *const *list, Report *report);
void ort_options_free(OrtOptions *options);

/* Zero-initialised is closed. */
typedef struct OrtRuntime {
    void *library;
    char path[256], version[32];
    const OrtApi *api;
    OrtEnv *env;
    OrtAllocator *allocator;            /* of the runtime */
    OrtMemoryInfo *host, *device;       /* where pictures are, where features stay */
    OrtSessionOptions *session;         /* with the provider */
    char provider[ORT_PROVIDER_LENGTH]; /* as the runtime spells it, without "ExecutionProvider" */
    bool has_cuda;                      /* whether it could run what TensorRT leaves */
    Report *report;
} OrtRuntime;

/*
 * Loads the library and makes everything ready for sessions. provider: "CPU", "CUDA", "TensorRT",
 * "OpenVINO", ... in any case; NULL = CPU. Errors: DAIN_EUNSUPPORTED (no library, a library that is
 * none or too old, no such provider in it), DAIN_ESYSTEM (the provider does not start), DAIN_ENOMEM.
 */
int ort_open(OrtRuntime *runtime, const OrtOptions *options, const char *provider, int threads,
             Report *report);
void ort_close(OrtRuntime *runtime);

/* Turns a status (NULL = all is well) into an error with one line, "WHAT: sentence", and releases it. */
int ort_check(const OrtRuntime *runtime, OrtStatus *status, const char *what);

#endif
