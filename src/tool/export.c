/* dain export: the network as an ONNX file, for other engines. */
#include "base/mem.h"
#include "media/outfile.h"
#include "model/onnx.h"
#include "tool/common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

extern const Command command_export;

typedef struct ExportOptions {
    CommonOptions common; /* the model and what is said */
    const char *output;
    PictureSize size;
    bool dynamic, split, overwrite;
} ExportOptions;

#define AT(member) offsetof(ExportOptions, member)

static const Option options[] = {
    { 'o', "output", OPTION_TEXT, AT(output), "FILE", "the file to write, .onnx", 0, 0 },
    { 0, "size", OPTION_SIZE, AT(size), "WxH", "for pictures of this size only [any size]", 0, 0 },
    { 0, "dynamic", OPTION_FLAG, AT(dynamic), NULL, "for pictures of any size; the default", 0, 0 },
    { 0, "precision", OPTION_TEXT, AT(common.precision), "NAME",
      "of the convolutions: f32; f16 or int8 (QDQ, from a calibrated model), with motion in f32 "
      "[f32]",
      0, 0 },
    { 0, "split", OPTION_FLAG, AT(split), NULL,
      "three files for what runs once a frame, once a pair, once a new picture", 0, 0 },
    { 'm', "model", OPTION_MODEL, AT(common.model), "FILE",
      "network weights, a .safetensors file [the installed model, or $DAIN_MODEL]", 0, 0 },
    { 'y', "overwrite", OPTION_FLAG, AT(overwrite), NULL, "replace the output file if it exists", 0,
      0 },
    { 'q', "quiet", OPTION_FLAG, AT(common.quiet), NULL, "only errors", 0, 0 },
    { 'v', "verbose", OPTION_COUNT_UP, AT(common.verbose), NULL, "say more", 0, 0 },
};

static const ExportOptions defaults = { .common.precision = "f32" };

/* out.onnx -> out-frame.onnx. NULL if there is no memory. */
static char *part_path(const char *path, OnnxPart part)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    const size_t length = strlen(path);
    const size_t stem =
        dot && (!slash || dot > slash + 1) && dot > path ? (size_t)(dot - path) : length;
    char *out = mem_alloc(length + 16);
    if (out && part == ONNX_PART_ALL)
        snprintf(out, length + 16, "%s", path);
    else if (out)
        snprintf(out, length + 16, "%.*s-%s%s", (int)stem, path, onnx_part_name(part), path + stem);
    return out;
}

static int write_bytes(const char *path, const Bytes *file, Report *report)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    const int written = fwrite(file->data, 1, file->size, f) == file->size;
    if (fclose(f) || !written)
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    return DAIN_OK;
}

static int export_part(const ExportOptions *o, const Model *model, OnnxPart part, Report *report)
{
    const char *const inputs[] = { model->path, NULL };
    const OnnxSettings settings = { o->size.width, o->size.height,
                                    !strcmp(o->common.precision, "f16"),
                                    !strcmp(o->common.precision, "int8") };
    OutFile out = { 0 };
    Bytes file = { 0 };
    char *path = part_path(o->output, part);
    int error = path ? DAIN_OK : report_error(report, DAIN_ENOMEM, "out of memory");
    if (!error)
        error = outfile_open(&out, path, inputs, o->overwrite, report);
    if (!error)
        error = model_export_onnx(model, part, &settings, &file, report);
    if (!error)
        error = write_bytes(outfile_path(&out), &file, report);
    if (!error)
        error = outfile_commit(&out, report);
    if (!error && !o->common.quiet)
        fprintf(stderr, "%s: %.1f MB\n", path, (double)file.size / 1e6);
    outfile_abandon(&out);
    mem_free(file.data);
    mem_free(path);
    return error;
}

static int run(const void *values, int count, char **operands)
{
    const ExportOptions *const o = values;
    if (count > 1)
        return options_wrong(&command_export, "one model at a time: %s", operands[1]);
    if (!o->output)
        return options_wrong(&command_export, "-o FILE is missing");
    if (o->dynamic && o->size.width)
        return options_wrong(&command_export, "--size and --dynamic exclude each other");
    if (strcmp(o->common.precision, "f32") && strcmp(o->common.precision, "f16") &&
        strcmp(o->common.precision, "int8"))
        return options_wrong(&command_export, "--precision is f32, f16 or int8, not %s",
                             o->common.precision);
    if (o->size.width && (o->size.width < 16 || o->size.height < 16 || o->size.width > 16384 ||
                          o->size.height > 16384))
        return options_wrong(&command_export, "--size is 16 to 16384 pixels each way");
    Report report;
    Model *model;
    messages_start(&report, &o->common);
    const char *path = count             ? operands[0]
                       : o->common.model ? o->common.model
                                         : dain_default_model();
    if (!path) {
        report_error(&report, DAIN_EIO, "there is no model: name one with --model");
        return EXIT_FAILED;
    }
    int error = model_open(&model, path, &report);
    if (!error && !strcmp(o->common.precision, "int8"))
        error = model_set_precision(model, DAIN_PRECISION_INT8);
    if (error) {
        model_close(&model);
        return EXIT_FAILED;
    }
    interruption_start(NULL);
    for (int part = o->split ? ONNX_PART_FRAME : ONNX_PART_ALL;
         part <= (o->split ? ONNX_PART_TIME : ONNX_PART_ALL) && !error; part++)
        error = export_part(o, model, (OnnxPart)part, &report);
    interruption_stop();
    model_close(&model);
    return error ? EXIT_FAILED : EXIT_DONE;
}

const Command command_export = {
    "export",
    "the network as an ONNX file, for other engines",
    "[options] [MODEL] -o OUT.onnx",
    "Writes the network with standard operators of ONNX (set 16): inputs frame0, frame1 "
    "(1 x 3 x height x width, RGB, 0 .. 1) and t (one number between 0 and 1), output frame. "
    "Padding "
    "and cropping are inside, so that one file serves pictures of every size.\n\n"
    "--split writes OUT-frame.onnx, OUT-pair.onnx and OUT-time.onnx: outputs of the first two are "
    "inputs of the later ones, with _0 and _1 behind the names of what belongs to the older and "
    "the "
    "newer frame. Several pictures of a pair then share the work that they have in common.",
    options,
    OPTION_COUNT(options),
    sizeof(ExportOptions),
    &defaults,
    run,
};
