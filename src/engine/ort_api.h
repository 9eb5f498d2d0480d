/*
 * The part of ONNX Runtime's C interface that we call, declared here so that nothing is needed to build.
 *
 * The runtime hands out a table of functions to which later versions only append: the place of a
 * function in it is its identity, for ever. Places between those that we call are left as gaps, and
 * a compile-time check counts them. Source: the list of functions in ONNX Runtime 1.14 (the interface
 * is under the MIT licence, as the runtime).
 *
 * A call returns NULL, or a status to be released that has a sentence.
 */
#ifndef DAIN_ENGINE_ORT_API_H
#define DAIN_ENGINE_ORT_API_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_API_USED = 14 }; /* of the table; the runtime must know it: 1.14 or later */

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtThreadingOptions OrtThreadingOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtIoBinding OrtIoBinding;
typedef struct OrtShape OrtShape;
typedef struct OrtCudaOptions OrtCudaOptions;
typedef struct OrtTensorRtOptions OrtTensorRtOptions;

enum { ORT_LOG_WARNING = 2, ORT_LOG_FATAL = 4 };          /* what is said */
enum { ORT_TENSOR_FLOAT = 1, ORT_TENSOR_INT64 = 7 };      /* element types, as in ONNX */
enum { ORT_OPTIMIZE_ALL = 99 };                           /* of the graph */
enum { ORT_ALLOCATOR_DEVICE = 0, ORT_MEMORY_NORMAL = 0 }; /* for memory infos */

typedef void (*OrtGap)(void);

typedef struct OrtApi {
    OrtGap gap0[2];
    const char *(*GetErrorMessage)(const OrtStatus *);
    OrtGap gap1[4];
    OrtStatus *(*CreateSession)(const OrtEnv *, const char *path, const OrtSessionOptions *,
                                OrtSession **);
    OrtGap gap2[2];
    OrtStatus *(*CreateSessionOptions)(OrtSessionOptions **);
    OrtGap gap3[12];
    OrtStatus *(*SetSessionGraphOptimizationLevel)(OrtSessionOptions *, int level);
    OrtGap gap4[6];
    OrtStatus *(*SessionGetInputCount)(const OrtSession *, size_t *);
    OrtStatus *(*SessionGetOutputCount)(const OrtSession *, size_t *);
    OrtGap gap5[4];
    OrtStatus *(*SessionGetInputName)(const OrtSession *, size_t, OrtAllocator *, char **);
    OrtStatus *(*SessionGetOutputName)(const OrtSession *, size_t, OrtAllocator *, char **);
    OrtGap gap6[11];
    OrtStatus *(*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo *, void *data, size_t bytes,
                                                 const int64_t *shape, size_t dims, int type,
                                                 OrtValue **);
    OrtGap gap7;
    OrtStatus *(*GetTensorMutableData)(OrtValue *, void **);
    OrtGap gap8[8];
    OrtStatus *(*GetTensorElementType)(const OrtShape *, int *);
    OrtStatus *(*GetDimensionsCount)(const OrtShape *, size_t *);
    OrtStatus *(*GetDimensions)(const OrtShape *, int64_t *, size_t);
    OrtGap gap9[2];
    OrtStatus *(*GetTensorTypeAndShape)(const OrtValue *, OrtShape **);
    OrtGap gap10[2];
    OrtStatus *(*CreateMemoryInfo)(const char *name, int allocator, int id, int memory,
                                   OrtMemoryInfo **);
    OrtGap gap11[7];
    OrtStatus *(*AllocatorFree)(OrtAllocator *, void *);
    OrtGap gap12;
    OrtStatus *(*GetAllocatorWithDefaultOptions)(OrtAllocator **);
    OrtGap gap13[13];
    void (*ReleaseEnv)(OrtEnv *);
    void (*ReleaseStatus)(OrtStatus *);
    void (*ReleaseMemoryInfo)(OrtMemoryInfo *);
    void (*ReleaseSession)(OrtSession *);
    void (*ReleaseValue)(OrtValue *);
    OrtGap gap14[2];
    void (*ReleaseTensorTypeAndShapeInfo)(OrtShape *);
    void (*ReleaseSessionOptions)(OrtSessionOptions *);
    OrtGap gap15[18];
    OrtStatus *(*CreateEnvWithGlobalThreadPools)(int log_level, const char *name,
                                                 const OrtThreadingOptions *, OrtEnv **);
    OrtStatus *(*DisablePerSessionThreads)(OrtSessionOptions *);
    OrtStatus *(*CreateThreadingOptions)(OrtThreadingOptions **);
    void (*ReleaseThreadingOptions)(OrtThreadingOptions *);
    OrtGap gap16[2];
    OrtStatus *(*GetAvailableProviders)(char ***, int *);
    OrtStatus *(*ReleaseAvailableProviders)(char **, int);
    OrtGap gap17[3];
    OrtStatus *(*AddSessionConfigEntry)(OrtSessionOptions *, const char *key, const char *value);
    OrtGap gap18[2];
    OrtStatus *(*RunWithBinding)(OrtSession *, const OrtRunOptions *, const OrtIoBinding *);
    OrtStatus *(*CreateIoBinding)(OrtSession *, OrtIoBinding **);
    void (*ReleaseIoBinding)(OrtIoBinding *);
    OrtStatus *(*BindInput)(OrtIoBinding *, const char *, const OrtValue *);
    OrtGap gap19;
    OrtStatus *(*BindOutputToDevice)(OrtIoBinding *, const char *, const OrtMemoryInfo *);
    OrtGap gap20;
    OrtStatus *(*GetBoundOutputValues)(const OrtIoBinding *, OrtAllocator *, OrtValue ***,
                                       size_t *);
    void (*ClearBoundInputs)(OrtIoBinding *);
    void (*ClearBoundOutputs)(OrtIoBinding *);
    OrtGap gap21[4];
    OrtStatus *(*SetGlobalIntraOpNumThreads)(OrtThreadingOptions *, int);
    OrtGap gap22[22];
    OrtStatus *(*AppendTensorRt)(OrtSessionOptions *, const OrtTensorRtOptions *);
    OrtStatus *(*CreateTensorRtOptions)(OrtTensorRtOptions **);
    OrtStatus *(*UpdateTensorRtOptions)(OrtTensorRtOptions *, const char *const *keys,
                                        const char *const *values, size_t);
    OrtGap gap23;
    void (*ReleaseTensorRtOptions)(OrtTensorRtOptions *);
    OrtGap gap24[27];
    OrtStatus *(*SynchronizeBoundInputs)(OrtIoBinding *);
    OrtStatus *(*SynchronizeBoundOutputs)(OrtIoBinding *);
    OrtStatus *(*AppendCuda)(OrtSessionOptions *, const OrtCudaOptions *);
    OrtStatus *(*CreateCudaOptions)(OrtCudaOptions **);
    OrtStatus *(*UpdateCudaOptions)(OrtCudaOptions *, const char *const *keys,
                                    const char *const *values, size_t);
    OrtGap gap25;
    void (*ReleaseCudaOptions)(OrtCudaOptions *);
    OrtGap gap26[7];
    OrtStatus *(*AppendProvider)(OrtSessionOptions *, const char *name, const char *const *keys,
                                 const char *const *values, size_t);
} OrtApi;

#define ORT_PLACE(function, place)                                                                 \
    _Static_assert(offsetof(OrtApi, function) == (place) * sizeof(OrtGap), "place of " #function)
ORT_PLACE(CreateSession, 7);
ORT_PLACE(SetSessionGraphOptimizationLevel, 23);
ORT_PLACE(SessionGetInputCount, 30);
ORT_PLACE(SessionGetInputName, 36);
ORT_PLACE(CreateTensorWithDataAsOrtValue, 49);
ORT_PLACE(GetTensorElementType, 60);
ORT_PLACE(GetDimensionsCount, 61);
ORT_PLACE(GetTensorTypeAndShape, 65);
ORT_PLACE(CreateMemoryInfo, 68);
ORT_PLACE(GetAllocatorWithDefaultOptions, 78);
ORT_PLACE(ReleaseEnv, 92);
ORT_PLACE(ReleaseTensorTypeAndShapeInfo, 99);
ORT_PLACE(CreateEnvWithGlobalThreadPools, 119);
ORT_PLACE(GetAvailableProviders, 125);
ORT_PLACE(AddSessionConfigEntry, 130);
ORT_PLACE(RunWithBinding, 133);
ORT_PLACE(GetBoundOutputValues, 140);
ORT_PLACE(SetGlobalIntraOpNumThreads, 147);
ORT_PLACE(AppendTensorRt, 170);
ORT_PLACE(SynchronizeBoundInputs, 202);
ORT_PLACE(AppendCuda, 204);
ORT_PLACE(AppendProvider, 216);

typedef struct OrtApiBase {
    const OrtApi *(*GetApi)(uint32_t version); /* NULL for a version it does not know */
    const char *(*GetVersionString)(void);
} OrtApiBase;

/* The only symbol of the library that is looked up: "OrtGetApiBase". */
typedef const OrtApiBase *(*OrtGetApiBaseFn)(void);

#endif
