/* ONNX Runtime behind the table of backend.h: frames in, the picture at time t out. */
#include "engine/backend_onnxruntime.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "engine/image.h"
#include "engine/ort_parts.h"
#include "engine/ort_pictures.h"
#include "engine/ort_runtime.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { MAX_THREADS = 64, MAX_VALUES = 48 };

/* One of the three networks. */
typedef struct Part {
    OrtSession *session;
    OrtIoBinding *binding;
    int inputs, outputs;
    char *input[MAX_VALUES], *output[MAX_VALUES];
    OrtValue *value[2][MAX_VALUES]; /* its outputs; of the frame part for two frames */
} Part;

typedef struct Runtime {
    Backend backend;
    Report own, *report; /* the same; whoever called says what failed */
    OrtOptions options;
    OrtRuntime ort;
    Model *model;     /* NULL: the files are there */
    const char *file; /* then this one, with the names of the parts in it */
    OnnxSettings export;
    Part part[ORT_PARTS];
    int width, height;
    float *picture[2]; /* planar, of the two frames */
    int newest, frames;
    bool pair_ready;
    atomic_bool cancel;
} Runtime;

/* ---- parts ---- */

static void release_part(Runtime *r, Part *p)
{
    const OrtApi *const api = r->ort.api;
    for (int i = 0; i < MAX_VALUES; i++) {
        for (int k = 0; k < 2; k++)
            if (p->value[k][i])
                api->ReleaseValue(p->value[k][i]);
        mem_free(p->input[i]);
        mem_free(p->output[i]);
    }
    if (p->binding)
        api->ReleaseIoBinding(p->binding);
    if (p->session)
        api->ReleaseSession(p->session);
    memset(p, 0, sizeof *p);
}

static void release_size(Runtime *r)
{
    for (int i = 0; i < ORT_PARTS; i++)
        release_part(r, &r->part[i]);
    for (int i = 0; i < 2; i++) {
        mem_free(r->picture[i]);
        r->picture[i] = NULL;
    }
    r->width = r->height = r->frames = 0;
    r->pair_ready = false;
}

/* A copy of the name of an input or output. */
static int read_name(Runtime *r, const Part *p, size_t i, bool input, char **out)
{
    const OrtApi *const api = r->ort.api;
    char *name = NULL;
    int error = ort_check(&r->ort,
                          (input ? api->SessionGetInputName : api->SessionGetOutputName)(
                              p->session, i, r->ort.allocator, &name),
                          "names");
    if (error)
        return error;
    *out = mem_strdup(name);
    error = ort_check(&r->ort, api->AllocatorFree(r->ort.allocator, name), "memory");
    return *out ? error : report_error(r->report, DAIN_ENOMEM, "out of memory");
}

static int open_part(Runtime *r, OnnxPart which)
{
    const OrtApi *const api = r->ort.api;
    Part *const p = &r->part[which];
    char path[ORT_PATH_LENGTH];
    size_t inputs = 0, outputs = 0;
    int error =
        r->model ? ort_part_export(path, r->options.cache, r->model, which, &r->export, r->report)
                 : ort_part_named(path, r->file, which, r->report);
    if (!error)
        error = ort_check(&r->ort,
                          api->CreateSession(r->ort.env, path, r->ort.session, &p->session), path);
    if (!error)
        error = ort_check(&r->ort, api->CreateIoBinding(p->session, &p->binding), path);
    if (!error)
        error = ort_check(&r->ort, api->SessionGetInputCount(p->session, &inputs), path);
    if (!error)
        error = ort_check(&r->ort, api->SessionGetOutputCount(p->session, &outputs), path);
    if (!error && (inputs > MAX_VALUES || outputs < 1 || outputs > MAX_VALUES))
        error = report_error(r->report, DAIN_EFORMAT, "%s is no part of our network", path);
    for (size_t i = 0; i < inputs && !error; i++, p->inputs = (int)i)
        error = read_name(r, p, i, true, &p->input[i]);
    for (size_t i = 0; i < outputs && !error; i++, p->outputs = (int)i)
        error = read_name(r, p, i, false, &p->output[i]);
    return error;
}

static int prepare_size(Runtime *r, int w, int h)
{
    release_size(r);
    int error = DAIN_OK;
    r->export.w = w;
    r->export.h = h;
    for (int i = 0; i < 2; i++) {
        r->picture[i] = mem_calloc(3 * (size_t)w * (size_t)h, sizeof(float));
        if (!r->picture[i])
            error = report_error(r->report, DAIN_ENOMEM, "out of memory");
    }
    for (int i = 0; i < ORT_PARTS && !error; i++)
        error = open_part(r, (OnnxPart)i);
    if (error) {
        release_size(r);
        return error;
    }
    r->width = w;
    r->height = h;
    return DAIN_OK;
}

/* ---- running ---- */

static OrtValue *output_named(const Part *p, int slot, const char *name, size_t length)
{
    for (int i = 0; i < p->outputs; i++)
        if (strlen(p->output[i]) == length && !memcmp(p->output[i], name, length))
            return p->value[slot][i];
    return NULL;
}

/* What an input is called says what it is: NAME_0 and NAME_1 belong to the older and the newer
 * frame, other names to the pair. */
static OrtValue *input_value(const Runtime *r, const char *name)
{
    const size_t length = strlen(name);
    if (length > 2 && name[length - 2] == '_') {
        const int slot = name[length - 1] == '1' ? r->newest : !r->newest;
        return output_named(&r->part[ONNX_PART_FRAME], slot, name, length - 2);
    }
    return output_named(&r->part[ONNX_PART_PAIR], 0, name, length);
}

static int take_outputs(Runtime *r, Part *p, int slot)
{
    const OrtApi *const api = r->ort.api;
    OrtValue **values = NULL;
    size_t count = 0;
    int error =
        ort_check(&r->ort, api->GetBoundOutputValues(p->binding, r->ort.allocator, &values, &count),
                  "results");
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (i >= (size_t)p->outputs) {
            api->ReleaseValue(values[i]);
            continue;
        }
        if (p->value[slot][i])
            api->ReleaseValue(p->value[slot][i]);
        p->value[slot][i] = values[i];
    }
    return ort_check(&r->ort, api->AllocatorFree(r->ort.allocator, values), "memory");
}

/* Runs one part. own: the input that is no result of another part, by this name. */
static int run_part(Runtime *r, OnnxPart which, int slot, const char *own_name, OrtValue *own)
{
    const OrtApi *const api = r->ort.api;
    Part *const p = &r->part[which];
    int error = DAIN_OK;
    if (atomic_load(&r->cancel))
        return DAIN_ECANCELED;
    for (int i = 0; i < p->inputs && !error; i++) {
        OrtValue *const v =
            own_name && !strcmp(p->input[i], own_name) ? own : input_value(r, p->input[i]);
        error =
            v ? ort_check(&r->ort, api->BindInput(p->binding, p->input[i], v), p->input[i])
              : report_error(r->report, DAIN_EFORMAT,
                             "the parts of the network do not belong together: nothing gives %s",
                             p->input[i]);
    }
    const OrtMemoryInfo *const where = which == ONNX_PART_TIME ? r->ort.host : r->ort.device;
    for (int i = 0; i < p->outputs && !error; i++)
        error = ort_check(&r->ort, api->BindOutputToDevice(p->binding, p->output[i], where),
                          p->output[i]);
    if (!error)
        error = ort_check(&r->ort, api->SynchronizeBoundInputs(p->binding), "inputs");
    if (!error)
        error = ort_check(&r->ort, api->RunWithBinding(p->session, NULL, p->binding),
                          onnx_part_name(which));
    if (!error)
        error = ort_check(&r->ort, api->SynchronizeBoundOutputs(p->binding), "outputs");
    if (!error)
        error = take_outputs(r, p, slot);
    api->ClearBoundInputs(p->binding);
    api->ClearBoundOutputs(p->binding);
    return error;
}

static int host_tensor(Runtime *r, float *data, int dims, const int64_t *shape, OrtValue **out)
{
    size_t count = 1;
    for (int i = 0; i < dims; i++)
        count *= (size_t)shape[i];
    return ort_check(
        &r->ort,
        r->ort.api->CreateTensorWithDataAsOrtValue(r->ort.host, data, count * sizeof(float), shape,
                                                   (size_t)dims, ORT_TENSOR_FLOAT, out),
        "input");
}

/* ---- pictures ---- */

/* The exported networks are without it. */
static int check_alpha(const Runtime *r, const DainImage *p)
{
    return p->plane[3] ? report_error(r->report, DAIN_EUNSUPPORTED,
                                      "pictures with transparency need --engine native")
                       : DAIN_OK;
}

/* Files from elsewhere may give another type or shape than ours. */
static int check_result(Runtime *r, const OrtValue *v, const DainImage *out)
{
    const OrtApi *const api = r->ort.api;
    OrtShape *shape = NULL;
    size_t dims = 0;
    int64_t side[4] = { 0 };
    int type = 0;
    int error = ort_check(&r->ort, api->GetTensorTypeAndShape(v, &shape), "result");
    if (!error)
        error = ort_check(&r->ort, api->GetTensorElementType(shape, &type), "result");
    if (!error)
        error = ort_check(&r->ort, api->GetDimensionsCount(shape, &dims), "result");
    if (!error && dims == 4)
        error = ort_check(&r->ort, api->GetDimensions(shape, side, 4), "result");
    if (shape)
        api->ReleaseTensorTypeAndShapeInfo(shape);
    if (!error && type != ORT_TENSOR_FLOAT)
        error = report_error(r->report, DAIN_EFORMAT,
                             "the network made a picture of another type than 32-bit floats");
    if (!error && (side[0] != 1 || side[1] != 3 || side[2] != out->height || side[3] != out->width))
        error = report_error(r->report, DAIN_EFORMAT,
                             "the network made a picture of another size than %dx%d", out->width,
                             out->height);
    return error;
}

/* The picture that the last part made. */
static int store_result(Runtime *r, const DainImage *out)
{
    OrtValue *const v = r->part[ONNX_PART_TIME].value[0][0];
    void *data = NULL;
    int error = check_result(r, v, out);
    if (!error)
        error = ort_check(&r->ort, r->ort.api->GetTensorMutableData(v, &data), "result");
    if (!error)
        ort_store_picture(out, data, true);
    return error;
}

/* ---- the table ---- */

/* Runs the part of a frame on a picture. */
static int run_frame(Runtime *r, int slot, const DainImage *image)
{
    const int64_t shape[4] = { 1, 3, r->height, r->width };
    OrtValue *picture = NULL;
    ort_load_picture(r->picture[slot], image);
    int error = host_tensor(r, r->picture[slot], 4, shape, &picture);
    if (!error)
        error = run_part(r, ONNX_PART_FRAME, slot, "frame", picture);
    if (picture)
        r->ort.api->ReleaseValue(picture);
    return error;
}

/* Runs it on the guide, and then on the frame for what new pictures are composed of. */
static int run_guided(Runtime *r, int slot, const DainImage *frame, const DainImage *guide)
{
    static const char kept[] = "img";
    Part *const p = &r->part[ONNX_PART_FRAME];
    int image = 0;
    while (image < p->outputs && strcmp(p->output[image], kept))
        image++;
    if (image == p->outputs)
        return report_error(r->report, DAIN_EUNSUPPORTED,
                            "this network cannot take the motion from another picture");
    int error = run_frame(r, slot, guide);
    OrtValue *of_guide[MAX_VALUES];
    memcpy(of_guide, p->value[slot], sizeof of_guide);
    memset(p->value[slot], 0, sizeof p->value[slot]);
    if (!error)
        error = run_frame(r, slot, frame);
    for (int i = 0; i < p->outputs; i++) {
        OrtValue *const left_over = i == image ? of_guide[i] : p->value[slot][i];
        if (i != image)
            p->value[slot][i] = of_guide[i];
        if (left_over)
            r->ort.api->ReleaseValue(left_over);
    }
    return error;
}

/* As in engine.c: a call that failed, whatever for, takes the wish to cancel with it. */
static int finish(Runtime *r, int error)
{
    if (error == DAIN_ECANCELED)
        report_error(r->report, error, "cancelled");
    if (error)
        atomic_store(&r->cancel, false);
    return error;
}

static int push(Backend *backend, const DainImage *frame, const DainImage *guide)
{
    Runtime *const r = (Runtime *)backend;
    int error = image_check_frame(frame, guide, r->frames, r->width, r->height, r->report);
    if (!error)
        error = check_alpha(r, frame);
    if (!error && (frame->width != r->width || frame->height != r->height))
        error = prepare_size(r, frame->width, frame->height);
    if (error)
        return finish(r, error);
    const int slot = !r->newest;
    r->pair_ready = false;
    error = guide ? run_guided(r, slot, frame, guide) : run_frame(r, slot, frame);
    if (error) { /* what is left of the older one is no frame */
        r->frames = r->frames > 0;
        return finish(r, error);
    }
    r->newest = slot;
    r->frames = r->frames ? 2 : 1;
    return DAIN_OK;
}

static int interpolate(Backend *backend, int64_t num, int64_t den, const DainImage *out)
{
    Runtime *const r = (Runtime *)backend;
    int error = image_check_output(out, num, den, r->frames, r->width, r->height, r->report);
    if (!error)
        error = check_alpha(r, out);
    if (!error && atomic_load(&r->cancel))
        error = DAIN_ECANCELED;
    if (error)
        return finish(r, error);
    if (num == 0 || num == den) {
        ort_store_picture(out, r->picture[num ? r->newest : !r->newest], false);
        return DAIN_OK;
    }
    if (!r->pair_ready) {
        error = run_part(r, ONNX_PART_PAIR, 0, NULL, NULL);
        if (error)
            return finish(r, error);
        r->pair_ready = true;
    }
    float t = (float)((double)num / (double)den);
    OrtValue *time = NULL;
    error = host_tensor(r, &t, 1, (int64_t[]){ 1 }, &time);
    if (!error)
        error = run_part(r, ONNX_PART_TIME, 0, "t", time);
    if (!error)
        error = store_result(r, out);
    if (time)
        r->ort.api->ReleaseValue(time);
    return finish(r, error);
}

static void reset(Backend *backend)
{
    Runtime *const r = (Runtime *)backend;
    r->frames = 0;
    r->pair_ready = false;
    atomic_store(&r->cancel, false);
}

/* The part that runs comes to its end first. */
static void cancel(Backend *backend)
{
    atomic_store(&((Runtime *)backend)->cancel, true);
}

static const char *last_error(const Backend *backend)
{
    return ((const Runtime *)backend)->report->error;
}

static void close_runtime(Backend *backend)
{
    Runtime *const r = (Runtime *)backend;
    release_size(r);
    ort_close(&r->ort);
    model_close(&r->model);
    ort_options_free(&r->options);
    mem_free(r);
}

static const BackendMethods methods = {
    .name = "onnxruntime",
    .push = push,
    .interpolate = interpolate,
    .reset = reset,
    .cancel = cancel,
    .last_error = last_error,
    .close = close_runtime,
};

/* ---- opening ---- */

static int open_model(Runtime *r, const char *path)
{
    char part[ORT_PATH_LENGTH];
    int error = DAIN_OK;
    path = path ? path : dain_default_model();
    if (!path)
        return report_error(r->report, DAIN_EIO, "there is no model: name one with --model");
    const size_t length = strlen(path);
    if (length <= 5 || strcmp(path + length - 5, ".onnx"))
        return model_open(&r->model, path, r->report);
    r->file = path;
    for (int i = 0; i < ORT_PARTS && !error; i++)
        error = ort_part_named(part, path, (OnnxPart)i, r->report);
    return error;
}

static int set_precision(Runtime *r, const char *name)
{
    if (!name || !strcmp(name, "f32"))
        return DAIN_OK;
    if (strcmp(name, "f16") && strcmp(name, "int8"))
        return report_error(r->report, DAIN_EINVAL,
                            "--precision of the engine onnxruntime is f32, f16 or int8, not %s",
                            name);
    if (!r->model)
        return report_error(r->report, DAIN_EINVAL,
                            "the precision of %s was chosen when it was exported", r->file);
    r->export.half = !strcmp(name, "f16");
    r->export.bytes = !r->export.half;
    return r->export.bytes ? model_set_precision(r->model, DAIN_PRECISION_INT8) : DAIN_OK;
}

int backend_onnxruntime_open(Backend **backend, const OnnxRuntimeSettings *settings)
{
    const int threads = settings->threads ? settings->threads : cpu_count();
    Runtime *r = mem_calloc(1, sizeof *r);
    *backend = NULL;
    if (!r)
        return report_error(settings->report, DAIN_ENOMEM, "out of memory");
    r->backend.methods = &methods;
    r->report = &r->own;
    int error = ort_options_parse(&r->options, settings->options, r->report);
    if (!error)
        error = open_model(r, settings->model);
    if (!error)
        error = set_precision(r, settings->precision);
    if (!error)
        error = ort_open(&r->ort, &r->options, settings->provider,
                         threads < MAX_THREADS ? threads : MAX_THREADS, r->report);
    if (error) {
        report_error(settings->report, error, "%s", r->own.error);
        close_runtime(&r->backend);
        return error;
    }
    *backend = &r->backend;
    return DAIN_OK;
}
