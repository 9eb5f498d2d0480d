/* `dain quantize`: a model in 8 bits, calibrated on the user's pictures, with as many layers in higher precision as
 * the allowed loss asks for. */
#include "base/cpu.h"
#include "base/mem.h"
#include "media/outfile.h"
#include "tool/common.h"
#include "tool/quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const Command command_quantize;

typedef struct QuantizeOptions {
    CommonOptions common;
    const char *output, *method, *report;
    TextList calib;
    double loss;
    int samples;
    bool overwrite;
} QuantizeOptions;

static const Option options[] = {
    { 'o', "output", OPTION_TEXT, offsetof(QuantizeOptions, output), "FILE",
      "the model to write, a .safetensors file", 0, 0 },
    { 0, "calib", OPTION_LIST, offsetof(QuantizeOptions, calib), "PATH",
      "video, or folder of triplets, to calibrate on; may be repeated", 0, 0 },
    { 0, "loss", OPTION_REAL, offsetof(QuantizeOptions, loss), "DB",
      "PSNR that may be lost on the calibration pictures [0.1]", 0, 100 },
    { 0, "method", OPTION_TEXT, offsetof(QuantizeOptions, method), "NAME",
      "how ranges are chosen: mse, minmax or percentile [mse]", 0, 0 },
    { 0, "samples", OPTION_INT, offsetof(QuantizeOptions, samples), "N",
      "triplets to calibrate on, spread over what was given [16]", 1, 256 },
    { 0, "report", OPTION_TEXT, offsetof(QuantizeOptions, report), "FILE",
      "write the table of layers as JSON too", 0, 0 },
    { 'y', "overwrite", OPTION_FLAG, offsetof(QuantizeOptions, overwrite), NULL,
      "replace the output file if it exists", 0, 0 },
    COMMON_OPTIONS(QuantizeOptions, common),
};

static const QuantizeOptions defaults = {
    .common.precision = "mixed", .method = "mse", .loss = 0.1, .samples = 16
};

static int find_method(const char *name, RangeMethod *method)
{
    for (int i = 0; i < RANGE_METHODS; i++)
        if (!strcmp(name, range_method_name((RangeMethod)i))) {
            *method = (RangeMethod)i;
            return 1;
        }
    return 0;
}

static void print_table(const Quantizer *q)
{
    printf("%-10s %7s %9s  %10s %10s  %s\n", "layer", "MAC/px", "precision", "range low", "high",
           "dB lost by this layer alone");
    for (int i = 0; i < q->layers; i++) {
        const QuantizedLayer *l = &q->layer[i];
        printf("%-10s %7.0f %9s  %10.3f %10.3f  %+.3f\n", l->conv->name, l->macs,
               precision_name(l->conv->precision), l->lo, l->hi, -l->alone);
    }
    printf("\n%d triplets: %.3f dB in f32, %.3f dB expected now: %+.3f dB\n", q->samples,
           q->psnr_f32, q->psnr_f32 - q->loss, -q->loss);
}

static int write_report(const Quantizer *q, const char *path, Report *report)
{
    OutFile file = { 0 };
    FILE *f = NULL;
    int error = outfile_open_text(&f, &file, path, report);
    if (error) {
        outfile_close_text(&f, &file);
        return error;
    }
    fprintf(f, "{\"triplets\": %d, \"psnr_f32\": %.4f, \"psnr\": %.4f, \"layers\": [", q->samples,
            q->psnr_f32, q->psnr_f32 - q->loss);
    for (int i = 0; i < q->layers; i++) {
        const QuantizedLayer *l = &q->layer[i];
        fprintf(f, "%s\n  {\"name\": \"%s\", \"macs_per_pixel\": %.1f, \"precision\": \"%s\", ",
                i ? "," : "", l->conv->name, l->macs, precision_name(l->conv->precision));
        fprintf(f, "\"range\": [%.6g, %.6g], \"loss_alone\": %.4f}", l->lo, l->hi, l->alone);
    }
    fprintf(f, "\n]}\n");
    error = outfile_finish_text(&f, &file, path, report);
    outfile_close_text(&f, &file);
    return error;
}

static int work(const QuantizeOptions *o, Quantizer *q, RangeMethod method, Report *report)
{
    const char *path = o->common.model ? o->common.model : dain_default_model();
    if (!path)
        return report_error(report, DAIN_EIO, "there is no model: name one with --model");
    int error = quantizer_open(q, path, o->common.threads, report);
    if (!error && strcmp(o->common.precision, "bf16")) {
        error = quantizer_load(q, o->calib.text, o->samples);
        if (!error)
            error = quantizer_calibrate(q, method);
        if (!error)
            error = quantizer_measure(q);
        if (!error)
            error = quantizer_adjust(q, o->loss);
        if (!error && !strcmp(o->common.precision, "mixed"))
            error = quantizer_raise(q, o->loss);
    }
    if (!error)
        error =
            quantizer_write(q, o->output, strcmp(o->common.precision, "bf16") ? "int8" : "bf16");
    if (!error && q->samples)
        print_table(q);
    if (!error && q->samples && q->loss > o->loss)
        report_log(report, DAIN_LOG_WARNING, "%.3f dB are lost, more than the %.3f allowed",
                   q->loss, o->loss);
    if (!error && o->report && q->samples)
        error = write_report(q, o->report, report);
    return error;
}

static int run(const void *values, int count, char **operands)
{
    QuantizeOptions o = *(const QuantizeOptions *)values;
    RangeMethod method;
    if (count > 1)
        return options_wrong(&command_quantize, "one model at a time: %s", operands[1]);
    if (count == 1)
        o.common.model = model_named(operands[0]);
    if (!o.output)
        return options_wrong(&command_quantize, "-o FILE is missing");
    if (!find_method(o.method, &method))
        return options_wrong(&command_quantize, "--method is mse, minmax or percentile, not %s",
                             o.method);
    if (strcmp(o.common.precision, "int8") && strcmp(o.common.precision, "mixed") &&
        strcmp(o.common.precision, "bf16"))
        return options_wrong(&command_quantize, "--precision is int8, mixed or bf16, not %s",
                             o.common.precision);
    if (!o.calib.count && strcmp(o.common.precision, "bf16"))
        return options_wrong(&command_quantize,
                             "--calib PATH is missing: 8 bits need pictures to calibrate on");
    FILE *exists = o.overwrite ? NULL : fopen(o.output, "rb");
    if (exists) {
        fclose(exists);
        return options_wrong(&command_quantize, "the output exists (-y replaces it): %s", o.output);
    }
    Report report;
    messages_start(&report, &o.common);
    interruption_start(NULL);
    Quantizer q = { 0 };
    q.progress = !o.common.quiet && isatty(STDERR_FILENO);
    const int error = work(&o, &q, method, &report);
    quantizer_close(&q);
    messages_status("");
    interruption_stop();
    if (interruption_code())
        return interruption_code();
    return error ? EXIT_FAILED : EXIT_DONE;
}

const Command command_quantize = {
    "quantize",
    "make a model that computes in 8 bits or bfloat16",
    "[MODEL] -o OUT --calib PATH",
    "Runs MODEL on pictures (every second frame is made from its neighbours and compared), evens "
    "out "
    "channels of different strength, chooses the ranges of all activations and writes a model that "
    "computes in 8 bits. While more than --loss is lost in PSNR, other widths of the ranges are "
    "tried, and "
    "then "
    "layers are raised to bfloat16. --precision int8 raises none; --precision bf16 puts all layers "
    "in "
    "bfloat16 and needs no pictures.\n\nThe new file holds all that is needed: dain runs it as it "
    "is, "
    "and with --precision f32 as before.",
    options,
    OPTION_COUNT(options),
    sizeof(QuantizeOptions),
    &defaults,
    run
};
