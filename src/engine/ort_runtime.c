/* ONNX Runtime, loaded when it is asked for: see ort_runtime.h. */
#include "engine/ort_runtime.h"

#include "base/mem.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- options ---- */

static void sort_option(OrtOptions *o, const char *key, const char *value)
{
    if (!strcmp(key, "library"))
        o->library = value;
    else if (!strcmp(key, "cache"))
        o->cache = value;
    else if (strchr(key, '.')) {
        o->config_key[o->config_count] = key;
        o->config_value[o->config_count++] = value;
    } else {
        o->provider_key[o->provider_count] = key;
        o->provider_value[o->provider_count++] = value;
    }
}

int ort_options_parse(OrtOptions *o, const char *const *list, Report *report)
{
    memset(o, 0, sizeof *o);
    for (; list && *list; list++) {
        const char *const equals = strchr(*list, '=');
        if (!equals || equals == *list)
            return report_error(report, DAIN_EINVAL, "--engine-option is KEY=VALUE, not %s", *list);
        if (o->text_count == ORT_MAX_OPTIONS)
            return report_error(report, DAIN_EINVAL, "more than %d options for the engine",
                                ORT_MAX_OPTIONS);
        char *const text = mem_strdup(*list);
        if (!text)
            return report_error(report, DAIN_ENOMEM, "out of memory");
        o->text[o->text_count++] = text;
        text[equals - *list] = 0;
        sort_option(o, text, text + (equals - *list) + 1);
    }
    return DAIN_OK;
}

void ort_options_free(OrtOptions *o)
{
    for (int i = 0; i < o->text_count; i++)
        mem_free(o->text[i]);
    memset(o, 0, sizeof *o);
}

/* ---- errors ---- */

/* A sentence of the runtime without line ends, paths of its own source, and repeated blanks. */
static void tidy(char *out, size_t size, const char *text)
{
    size_t n = 0;
    for (; *text && n + 1 < size; text++) {
        const char c = isspace((unsigned char)*text) ? ' ' : *text;
        if (c != ' ' || (n && out[n - 1] != ' '))
            out[n++] = c;
    }
    out[n] = 0;
}

int ort_check(const OrtRuntime *r, OrtStatus *status, const char *what)
{
    char sentence[200];
    if (!status)
        return DAIN_OK;
    tidy(sentence, sizeof sentence, r->api->GetErrorMessage(status));
    r->api->ReleaseStatus(status);
    return report_error(r->report, DAIN_ESYSTEM, "ONNX Runtime, %s: %s", what, sentence);
}

/* ---- the library ---- */

static int load_library(OrtRuntime *r, const char *path)
{
    static const char *const usual[] = { "libonnxruntime.so.1", "libonnxruntime.so", NULL };
    if (!path || !*path)
        path = getenv("DAIN_ONNXRUNTIME");
    if (path && *path) {
        r->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!r->library)
            return report_error(r->report, DAIN_EUNSUPPORTED, "ONNX Runtime cannot be loaded: %s",
                                dlerror());
        snprintf(r->path, sizeof r->path, "%s", path);
        return DAIN_OK;
    }
    for (int i = 0; usual[i] && !r->library; i++) {
        r->library = dlopen(usual[i], RTLD_NOW | RTLD_LOCAL);
        snprintf(r->path, sizeof r->path, "%s", usual[i]);
    }
    if (!r->library)
        return report_error(r->report, DAIN_EUNSUPPORTED,
                            "ONNX Runtime is not installed: name its shared library with "
                            "--engine-option library=PATH or in $DAIN_ONNXRUNTIME");
    return DAIN_OK;
}

static int load_api(OrtRuntime *r)
{
    OrtGetApiBaseFn get_base;
    *(void **)&get_base = dlsym(r->library, "OrtGetApiBase");
    const OrtApiBase *const base = get_base ? get_base() : NULL;
    if (!base || !base->GetVersionString || !base->GetApi)
        return report_error(r->report, DAIN_EUNSUPPORTED, "%s is not ONNX Runtime", r->path);
    snprintf(r->version, sizeof r->version, "%s", base->GetVersionString());
    r->api = base->GetApi(ORT_API_USED);
    if (!r->api)
        return report_error(r->report, DAIN_EUNSUPPORTED,
                            "%s is ONNX Runtime %s, 1.%d or later is needed", r->path, r->version,
                            ORT_API_USED);
    return DAIN_OK;
}

/* ---- provider ---- */

static const char ending[] = "ExecutionProvider";

/* Length of a provider's name as people say it. */
static size_t short_length(const char *name)
{
    const size_t length = strlen(name), rest = strlen(ending);
    return length > rest && !strcmp(name + length - rest, ending) ? length - rest : length;
}

static int find_provider(OrtRuntime *r, const char *wanted)
{
    char **names = NULL, list[160] = "";
    int count = 0;
    const int error =
        ort_check(r, r->api->GetAvailableProviders(&names, &count), "list of providers");
    if (error)
        return error;
    for (int i = 0; i < count; i++) {
        const int length = (int)short_length(names[i]);
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%.*s", used ? ", " : "", length, names[i]);
        r->has_cuda |= !strcmp(names[i], "CUDAExecutionProvider");
        if (strlen(wanted) == (size_t)length && !strncasecmp(wanted, names[i], (size_t)length))
            snprintf(r->provider, sizeof r->provider, "%.*s", length, names[i]);
    }
    const int released = ort_check(r, r->api->ReleaseAvailableProviders(names, count), "providers");
    if (!r->provider[0])
        return report_error(r->report, DAIN_EUNSUPPORTED,
                            "ONNX Runtime %s (%s) has no provider %s; it has %s", r->version,
                            r->path, wanted, list);
    return released;
}

static int append_cuda(OrtRuntime *r, const OrtOptions *o)
{
    OrtCudaOptions *options = NULL;
    int error = ort_check(r, r->api->CreateCudaOptions(&options), r->provider);
    if (!error && o->provider_count)
        error = ort_check(r,
                          r->api->UpdateCudaOptions(options, o->provider_key, o->provider_value,
                                                    (size_t)o->provider_count),
                          r->provider);
    if (!error)
        error = ort_check(r, r->api->AppendCuda(r->session, options), r->provider);
    if (options)
        r->api->ReleaseCudaOptions(options);
    return error;
}

static int append_tensorrt(OrtRuntime *r, const OrtOptions *o)
{
    OrtTensorRtOptions *options = NULL;
    int error = ort_check(r, r->api->CreateTensorRtOptions(&options), r->provider);
    if (!error && o->provider_count)
        error = ort_check(r,
                          r->api->UpdateTensorRtOptions(options, o->provider_key, o->provider_value,
                                                        (size_t)o->provider_count),
                          r->provider);
    if (!error)
        error = ort_check(r, r->api->AppendTensorRt(r->session, options), r->provider);
    if (options)
        r->api->ReleaseTensorRtOptions(options);
    /* What it cannot compile (sums that scatter) stays on the card. */
    const OrtOptions none = { 0 };
    return !error && r->has_cuda ? append_cuda(r, &none) : error;
}

static int append_openvino(OrtRuntime *r, OrtOptions *o, int threads)
{
    /* Its own threads, not those of the runtime. */
    char count[16];
    bool said = false;
    for (int i = 0; i < o->provider_count; i++)
        said |= !strcmp(o->provider_key[i], "num_of_threads") ||
                !strcmp(o->provider_key[i], "load_config");
    if (!said && o->provider_count < ORT_MAX_OPTIONS) {
        snprintf(count, sizeof count, "%d", threads);
        o->provider_key[o->provider_count] = "num_of_threads";
        o->provider_value[o->provider_count++] = count;
    }
    return ort_check(r,
                     r->api->AppendProvider(r->session, r->provider, o->provider_key,
                                            o->provider_value, (size_t)o->provider_count),
                     r->provider);
}

static int append_provider(OrtRuntime *r, const OrtOptions *options, int threads)
{
    OrtOptions o = *options;
    if (!strcmp(r->provider, "CPU"))
        return o.provider_count
                   ? report_error(r->report, DAIN_EINVAL, "the provider CPU has no option %s",
                                  o.provider_key[0])
                   : DAIN_OK;
    if (!strcasecmp(r->provider, "Tensorrt"))
        return append_tensorrt(r, &o);
    if (!strcasecmp(r->provider, "CUDA"))
        return append_cuda(r, &o);
    if (!strcasecmp(r->provider, "OpenVINO"))
        return append_openvino(r, &o, threads);
    return ort_check(r,
                     r->api->AppendProvider(r->session, r->provider, o.provider_key,
                                            o.provider_value, (size_t)o.provider_count),
                     r->provider);
}

/* ---- all together ---- */

/* Features stay on the graphics card where there is one. */
static bool on_cuda(const OrtRuntime *r)
{
    return !strcasecmp(r->provider, "CUDA") || !strcasecmp(r->provider, "Tensorrt");
}

static int open_environment(OrtRuntime *r, int threads)
{
    /* One pool for all sessions: those of three would spin against each other. */
    const OrtApi *const api = r->api;
    OrtThreadingOptions *t = NULL;
    int error = ort_check(r, api->CreateThreadingOptions(&t), "threads");
    if (!error)
        error = ort_check(r, api->SetGlobalIntraOpNumThreads(t, threads), "threads");
    if (!error)
        error = ort_check(r, api->CreateEnvWithGlobalThreadPools(ORT_LOG_FATAL, "dain", t, &r->env),
                          "start");
    if (t)
        api->ReleaseThreadingOptions(t);
    if (!error)
        error = ort_check(r, api->GetAllocatorWithDefaultOptions(&r->allocator), "memory");
    if (!error)
        error = ort_check(
            r, api->CreateMemoryInfo("Cpu", ORT_ALLOCATOR_DEVICE, 0, ORT_MEMORY_NORMAL, &r->host),
            "memory");
    if (!error)
        error = ort_check(r,
                          api->CreateMemoryInfo(on_cuda(r) ? "Cuda" : "Cpu", ORT_ALLOCATOR_DEVICE,
                                                0, ORT_MEMORY_NORMAL, &r->device),
                          "memory");
    return error;
}

static int open_options(OrtRuntime *r, const OrtOptions *o, int threads)
{
    const OrtApi *const api = r->api;
    int error = ort_check(r, api->CreateSessionOptions(&r->session), "session");
    if (!error)
        error = ort_check(r, api->DisablePerSessionThreads(r->session), "threads");
    if (!error)
        error = ort_check(r, api->SetSessionGraphOptimizationLevel(r->session, ORT_OPTIMIZE_ALL),
                          "session");
    for (int i = 0; i < o->config_count && !error; i++)
        error = ort_check(
            r, api->AddSessionConfigEntry(r->session, o->config_key[i], o->config_value[i]),
            o->config_key[i]);
    return error ? error : append_provider(r, o, threads);
}

int ort_open(OrtRuntime *r, const OrtOptions *options, const char *provider, int threads,
             Report *report)
{
    memset(r, 0, sizeof *r);
    r->report = report;
    int error = load_library(r, options->library);
    if (!error)
        error = load_api(r);
    if (!error)
        error = find_provider(r, provider ? provider : "CPU");
    if (!error)
        error = open_environment(r, threads);
    if (!error)
        error = open_options(r, options, threads);
    return error;
}

void ort_close(OrtRuntime *r)
{
    if (r->session)
        r->api->ReleaseSessionOptions(r->session);
    if (r->device)
        r->api->ReleaseMemoryInfo(r->device);
    if (r->host)
        r->api->ReleaseMemoryInfo(r->host);
    if (r->env)
        r->api->ReleaseEnv(r->env);
    /* The library stays loaded: threads of providers may still be in it. */
    memset(r, 0, sizeof *r);
}
