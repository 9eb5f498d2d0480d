/* Weight files from one format to another: read, write beside the target, check, rename. */
#include "model/convert.h"

#include "base/mem.h"
#include "base/replace.h"
#include "model/convert_ncnn.h"
#include "model/model.h"
#include "weights/pth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An opened input, whatever its format. */
typedef struct Source {
    PthFile *pth;
    WeightFile *file;
    TensorList list;
    WeightTensor *tensors; /* all of them; data belongs to the above */
    int count;
    const char *format; /* for people */
} Source;

static int ends_with(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);
    return n > m && !strcmp(name + n - m, ending);
}

static void source_close(Source *s)
{
    pth_close(&s->pth);
    weights_close(&s->file);
    tensor_list_free(&s->list);
    mem_free(s->tensors);
}

static int source_open(Source *s, const char *path, Report *report)
{
    struct stat status;
    int error;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        s->format = "ncnn";
        error = convert_ncnn_folder(&s->list, path, report);
        s->count = s->list.count;
    } else if (pth_is_file(path)) {
        s->format = "PyTorch checkpoint";
        error = pth_open(&s->pth, path, report);
        s->count = error ? 0 : pth_count(s->pth);
    } else {
        s->format = "safetensors";
        error = safetensors_open(&s->file, path, report);
        s->count = error ? 0 : weights_count(s->file);
    }
    if (error)
        return error;
    s->tensors = mem_calloc((size_t)s->count, sizeof *s->tensors);
    if (!s->tensors)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for its tensors", path);
    for (int i = 0; i < s->count; i++)
        s->tensors[i] = s->pth    ? *pth_at(s->pth, i)
                        : s->file ? *weights_at(s->file, i)
                                  : s->list.tensors[i];
    return DAIN_OK;
}

/* What the new safetensors file says about itself: what the old one said, or that it is the original. */
static int write_safetensors(const Source *s, const char *path, bool any, Report *report)
{
    static const WeightMeta original[] = { { "format", "dain" }, { "version", "1" } };
    if (!s->file)
        return safetensors_write(path, s->tensors, s->count, original, any ? 0 : 2, report);
    const int n = weights_meta_count(s->file);
    WeightMeta *meta = mem_calloc((size_t)n + 1, sizeof *meta);
    if (!meta)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for its metadata", path);
    for (int i = 0; i < n; i++)
        meta[i] = weights_meta_at(s->file, i);
    const int error = safetensors_write(path, s->tensors, s->count, meta, n, report);
    mem_free(meta);
    return error;
}

/* Opens the file as the engine would. The sentence of a failure names the input, not the file that will
 * be gone. */
static int check_model(const char *path, const char *input, Report *report)
{
    Report quiet = { 0 };
    Model *model;
    const int error = model_open(&model, path, &quiet);
    model_close(&model);
    if (!error)
        return DAIN_OK;
    const size_t n = strlen(path);
    const char *sentence = quiet.error;
    if (!strncmp(sentence, path, n) && !strncmp(sentence + n, ": ", 2))
        sentence += n + 2;
    return report_error(report, error, "%s: %s", input, sentence);
}

int convert_run(const char *input, const char *output, bool any, Converted *done, Report *report)
{
    Source s = { 0 };
    char *temporary = NULL;
    const bool checkpoint = ends_with(output, ".pth") || ends_with(output, ".pt");
    *done = (Converted){ 0 };
    if (!checkpoint && !ends_with(output, ".safetensors"))
        return report_error(report, DAIN_EINVAL,
                            "%s: the name of the output must end in .safetensors or .pth", output);
    int error = source_open(&s, input, report);
    if (error)
        goto end;
    const size_t room = strlen(output) + 40;
    temporary = mem_alloc(room);
    if (!temporary) {
        error = report_error(report, DAIN_ENOMEM, "%s: no memory for its name", output);
        goto end;
    }
    /* What is written to a checkpoint is checked in the form that can be opened. */
    snprintf(temporary, room, "%s.%ld.check", output, (long)getpid());
    const bool check = !any && !s.file;
    if (check || !checkpoint)
        error = write_safetensors(&s, temporary, any, report);
    if (!error && check)
        error = check_model(temporary, input, report);
    if (!error && checkpoint)
        error = pth_write(output, s.tensors, s.count, report);
    else if (!error && replace_file(temporary, output) < 0)
        error = report_error(report, DAIN_EIO, "%s: %s", output, strerror(errno));
    if (error || checkpoint)
        unlink(temporary);
    if (!error) {
        *done = (Converted){ .from = s.format,
                             .to = checkpoint ? "PyTorch checkpoint" : "safetensors",
                             .tensors = s.count };
        for (int i = 0; i < s.count; i++)
            done->elements += s.tensors[i].count;
    }
end:
    source_close(&s);
    mem_free(temporary);
    return error;
}
