/*
 * A library that looks like ONNX Runtime, for tests of the engine that loads it: gray pictures, one
 * provider more than the real one, and failures on demand.
 *
 * FAKE_ORT_OLD=1: too old for us. FAKE_ORT_FAIL=n: the n-th call that can fail does. FAKE_ORT_ODD=1: the
 * result is one row short. FAKE_ORT_HALF=1: it is in half precision, and in half the memory. At the end of
 * the program, what was not released is said on standard error.
 */
#include "engine/ort_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct OrtStatus {
    char text[80];
};
struct OrtValue {
    void *data;
    int64_t shape[4];
    size_t dims;
};
struct OrtSession {
    char part; /* 'f', 'p', 't' */
};
struct OrtIoBinding {
    OrtSession *session;
    int64_t shape[4]; /* of the last picture */
};
struct OrtShape {
    const OrtValue *value;
};

static long calls, live;
static int64_t picture[4]; /* shape of the last one that went in */

static void *new_object(size_t size)
{
    live++;
    return calloc(1, size);
}

static void release(void *object)
{
    live--;
    free(object);
}

static OrtStatus *fail(const char *why)
{
    OrtStatus *const s = new_object(sizeof *s);
    snprintf(s->text, sizeof s->text, "%s\nsecond line", why);
    return s;
}

static OrtStatus *result(const char *function)
{
    const char *const at = getenv("FAKE_ORT_FAIL");
    return at && atol(at) == ++calls ? fail(function) : NULL;
}

__attribute__((destructor)) static void say_what_is_left(void)
{
    if (live)
        fprintf(stderr, "fake ONNX Runtime: %ld objects were not released\n", live);
}

#define NEW(out, size)                                                                             \
    OrtStatus *const status = result(__func__);                                                    \
    if (!status)                                                                                   \
        *(out) = new_object(size);                                                                 \
    return status

static const char *message(const OrtStatus *s)
{
    return s->text;
}

static OrtStatus *create_session(const OrtEnv *env, const char *path, const OrtSessionOptions *o,
                                 OrtSession **out)
{
    OrtStatus *const status = result(__func__);
    if (status)
        return status;
    *out = new_object(sizeof **out);
    (*out)->part = strstr(path, "-frame") ? 'f' : strstr(path, "-pair") ? 'p' : 't';
    return NULL;
}

static OrtStatus *create_session_options(OrtSessionOptions **out)
{
    NEW(out, 1);
}

static OrtStatus *set_level(OrtSessionOptions *o, int level)
{
    return result(__func__);
}

static const char *const names[3][2][6] = {
    { { "frame" }, { "f1", "img" } },
    { { "f1_0", "f1_1" }, { "flow" } },
    { { "f1_0", "f1_1", "img_0", "img_1", "flow", "t" }, { "frame" } },
};

static const char *const *names_of(const OrtSession *s, int outputs)
{
    return names[s->part == 'f' ? 0 : s->part == 'p' ? 1 : 2][outputs];
}

static OrtStatus *input_count(const OrtSession *s, size_t *n)
{
    for (*n = 0; *n < 6 && names_of(s, 0)[*n];)
        ++*n;
    return result(__func__);
}

static OrtStatus *output_count(const OrtSession *s, size_t *n)
{
    *n = s->part == 'f' ? 2 : 1;
    return result(__func__);
}

static OrtStatus *name(const OrtSession *s, int outputs, size_t i, char **out)
{
    OrtStatus *const status = result(__func__);
    if (!status) {
        *out = new_object(16);
        strcpy(*out, names_of(s, outputs)[i]);
    }
    return status;
}

static OrtStatus *input_name(const OrtSession *s, size_t i, OrtAllocator *a, char **out)
{
    return name(s, 0, i, out);
}

static OrtStatus *output_name(const OrtSession *s, size_t i, OrtAllocator *a, char **out)
{
    return name(s, 1, i, out);
}

static OrtStatus *create_tensor(const OrtMemoryInfo *m, void *data, size_t bytes,
                                const int64_t *shape, size_t dims, int type, OrtValue **out)
{
    OrtStatus *const status = result(__func__);
    if (status)
        return status;
    *out = new_object(sizeof **out);
    if (dims == 4)
        memcpy(picture, shape, sizeof picture);
    return NULL;
}

static OrtStatus *tensor_data(OrtValue *v, void **out)
{
    *out = v->data;
    return result(__func__);
}

static OrtStatus *element_type(const OrtShape *s, int *type)
{
    enum { HALF = 10 };
    *type = getenv("FAKE_ORT_HALF") ? HALF : ORT_TENSOR_FLOAT;
    return result(__func__);
}

static OrtStatus *dimensions_count(const OrtShape *s, size_t *n)
{
    *n = s->value->dims;
    return result(__func__);
}

static OrtStatus *dimensions(const OrtShape *s, int64_t *out, size_t n)
{
    memcpy(out, s->value->shape, n * sizeof *out);
    return result(__func__);
}

static OrtStatus *tensor_shape(const OrtValue *v, OrtShape **out)
{
    OrtStatus *const status = result(__func__);
    if (!status) {
        *out = new_object(sizeof **out);
        (*out)->value = v;
    }
    return status;
}

static OrtStatus *create_memory_info(const char *n, int a, int id, int m, OrtMemoryInfo **out)
{
    NEW(out, 1);
}

static OrtStatus *allocator_free(OrtAllocator *a, void *p)
{
    release(p);
    return result(__func__);
}

static OrtStatus *default_allocator(OrtAllocator **out)
{
    *out = NULL;
    return result(__func__);
}

static void release_value(OrtValue *v)
{
    free(v->data);
    release(v);
}

static OrtStatus *create_env(int level, const char *n, const OrtThreadingOptions *t, OrtEnv **out)
{
    NEW(out, 1);
}

static OrtStatus *no_own_threads(OrtSessionOptions *o)
{
    return result(__func__);
}

static OrtStatus *create_threads(OrtThreadingOptions **out)
{
    NEW(out, 1);
}

static OrtStatus *set_threads(OrtThreadingOptions *o, int n)
{
    return result(__func__);
}

static OrtStatus *providers(char ***out, int *count)
{
    static char *list[] = { "FakeExecutionProvider", "TensorrtExecutionProvider",
                            "CUDAExecutionProvider", "CPUExecutionProvider" };
    *out = list;
    *count = 4;
    return result(__func__);
}

static OrtStatus *release_providers(char **list, int count)
{
    return result(__func__);
}

static OrtStatus *config_entry(OrtSessionOptions *o, const char *key, const char *value)
{
    return result(__func__);
}

static OrtStatus *run(OrtSession *s, const OrtRunOptions *o, const OrtIoBinding *b)
{
    return result(__func__);
}

static OrtStatus *create_binding(OrtSession *s, OrtIoBinding **out)
{
    OrtStatus *const status = result(__func__);
    if (!status) {
        *out = new_object(sizeof **out);
        (*out)->session = s;
    }
    return status;
}

static OrtStatus *bind_input(OrtIoBinding *b, const char *n, const OrtValue *v)
{
    return result(__func__);
}

static OrtStatus *bind_output(OrtIoBinding *b, const char *n, const OrtMemoryInfo *m)
{
    return result(__func__);
}

/* A gray picture of the last one's size. */
static OrtValue *gray(void)
{
    OrtValue *const v = new_object(sizeof *v);
    memcpy(v->shape, picture, sizeof picture);
    v->shape[2] -= getenv("FAKE_ORT_ODD") != NULL;
    v->dims = 4;
    const size_t count = (size_t)(picture[1] * picture[2] * picture[3]);
    const size_t floats = getenv("FAKE_ORT_HALF") ? count / 2 : count;
    float *const data = malloc(floats * sizeof *data);
    for (size_t i = 0; data && i < floats; i++)
        data[i] = 0.5f;
    v->data = data;
    return v;
}

static OrtStatus *bound_values(const OrtIoBinding *b, OrtAllocator *a, OrtValue ***out, size_t *n)
{
    OrtStatus *const status = result(__func__);
    if (status)
        return status;
    *n = b->session->part == 'f' ? 2 : 1;
    *out = new_object(*n * sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = gray();
    return NULL;
}

static void clear(OrtIoBinding *b)
{
}

static OrtStatus *synchronize(OrtIoBinding *b)
{
    return result(__func__);
}

static OrtStatus *create_cuda(OrtCudaOptions **out)
{
    NEW(out, 1);
}

static OrtStatus *create_tensorrt(OrtTensorRtOptions **out)
{
    NEW(out, 1);
}

/* Takes trt_fp16_enable and device_id. */
static OrtStatus *update(const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(keys[i], "trt_fp16_enable") && strcmp(keys[i], "device_id"))
            return fail("unknown option");
    return result(__func__);
}

static OrtStatus *update_cuda(OrtCudaOptions *o, const char *const *keys, const char *const *v,
                              size_t n)
{
    return update(keys, n);
}

static OrtStatus *update_tensorrt(OrtTensorRtOptions *o, const char *const *keys,
                                  const char *const *v, size_t n)
{
    return update(keys, n);
}

static OrtStatus *append_cuda(OrtSessionOptions *s, const OrtCudaOptions *o)
{
    return result(__func__);
}

static OrtStatus *append_tensorrt(OrtSessionOptions *s, const OrtTensorRtOptions *o)
{
    return result(__func__);
}

static OrtStatus *append(OrtSessionOptions *s, const char *n, const char *const *keys,
                         const char *const *values, size_t count)
{
    return result(__func__);
}

#define RELEASE(member) .member = (void *)release

static const OrtApi api = {
    .GetErrorMessage = message,
    .CreateSession = create_session,
    .CreateSessionOptions = create_session_options,
    .SetSessionGraphOptimizationLevel = set_level,
    .SessionGetInputCount = input_count,
    .SessionGetOutputCount = output_count,
    .SessionGetInputName = input_name,
    .SessionGetOutputName = output_name,
    .CreateTensorWithDataAsOrtValue = create_tensor,
    .GetTensorMutableData = tensor_data,
    .GetTensorElementType = element_type,
    .GetDimensionsCount = dimensions_count,
    .GetDimensions = dimensions,
    .GetTensorTypeAndShape = tensor_shape,
    .CreateMemoryInfo = create_memory_info,
    .AllocatorFree = allocator_free,
    .GetAllocatorWithDefaultOptions = default_allocator,
    RELEASE(ReleaseEnv),
    RELEASE(ReleaseStatus),
    RELEASE(ReleaseMemoryInfo),
    RELEASE(ReleaseSession),
    .ReleaseValue = release_value,
    RELEASE(ReleaseTensorTypeAndShapeInfo),
    RELEASE(ReleaseSessionOptions),
    .CreateEnvWithGlobalThreadPools = create_env,
    .DisablePerSessionThreads = no_own_threads,
    .CreateThreadingOptions = create_threads,
    RELEASE(ReleaseThreadingOptions),
    .GetAvailableProviders = providers,
    .ReleaseAvailableProviders = release_providers,
    .AddSessionConfigEntry = config_entry,
    .RunWithBinding = run,
    .CreateIoBinding = create_binding,
    RELEASE(ReleaseIoBinding),
    .BindInput = bind_input,
    .BindOutputToDevice = bind_output,
    .GetBoundOutputValues = bound_values,
    .ClearBoundInputs = clear,
    .ClearBoundOutputs = clear,
    .SetGlobalIntraOpNumThreads = set_threads,
    .AppendTensorRt = append_tensorrt,
    .CreateTensorRtOptions = create_tensorrt,
    .UpdateTensorRtOptions = update_tensorrt,
    RELEASE(ReleaseTensorRtOptions),
    .SynchronizeBoundInputs = synchronize,
    .SynchronizeBoundOutputs = synchronize,
    .AppendCuda = append_cuda,
    .CreateCudaOptions = create_cuda,
    .UpdateCudaOptions = update_cuda,
    RELEASE(ReleaseCudaOptions),
    .AppendProvider = append,
};

static const OrtApi *get_api(uint32_t version)
{
    return getenv("FAKE_ORT_OLD") ? NULL : &api;
}

static const char *get_version(void)
{
    return "1.0.0-fake";
}

__attribute__((visibility("default"))) const OrtApiBase *OrtGetApiBase(void);

const OrtApiBase *OrtGetApiBase(void)
{
    static const OrtApiBase base = { get_api, get_version };
    return &base;
}
