/* dain convert IN OUT: weight files from one format to another. */
#include "model/convert.h"
#include "tool/common.h"

#include <inttypes.h>
#include <unistd.h>

extern const Command command_convert;

typedef struct ConvertOptions {
    CommonOptions common; /* only what is said about messages */
    bool any, overwrite;
} ConvertOptions;

static int run(const void *values, int count, char **operands)
{
    const ConvertOptions *const o = values;
    Report report;
    Converted done;
    messages_start(&report, &o->common);
    if (count < 2)
        return options_wrong(&command_convert, count ? "no output file" : "no input file");
    if (count > 2)
        return options_wrong(&command_convert, "one file too many");
    if (!o->overwrite && access(operands[1], F_OK) == 0) {
        report_error(&report, DAIN_EIO, "%s exists; -y replaces it", operands[1]);
        return EXIT_FAILED;
    }
    if (convert_run(operands[0], operands[1], o->any, &done, &report) < 0)
        return EXIT_FAILED;
    if (!o->common.quiet)
        fprintf(stderr, "%s: %d tensors, %" PRId64 " values, %s -> %s\n", operands[1], done.tensors,
                done.elements, done.from, done.to);
    return EXIT_DONE;
}

#define AT(member) offsetof(ConvertOptions, member)

static const Option options[] = {
    { 0, "any", OPTION_FLAG, AT(any), NULL,
      "take a checkpoint of whatever network, unchecked; the result says nothing about what it is",
      0, 0 },
    { 'y', "overwrite", OPTION_FLAG, AT(overwrite), NULL, "replace the output file if it exists", 0,
      0 },
    { 'q', "quiet", OPTION_FLAG, AT(common.quiet), NULL, "only errors", 0, 0 },
    { 'v', "verbose", OPTION_COUNT_UP, AT(common.verbose), NULL, "say more", 0, 0 },
};

const Command command_convert = {
    "convert",
    "weights from PyTorch or ncnn to the format that dain reads, and back",
    "[options] IN OUT",
    "IN is best.pth of the original DAIN (either form of PyTorch checkpoints), a folder with the "
    "ncnn networks of dain-ncnn-vulkan (depthnet, flownet, ctxnet, interpolation), or a "
    "safetensors "
    "file. OUT ends in .safetensors, or in .pth for a checkpoint that torch.load() reads.\n\n"
    "Nothing in a checkpoint is executed. Every tensor is compared with what the original network "
    "needs, and values that are not numbers are refused; then no OUT is left behind.",
    options,
    OPTION_COUNT(options),
    sizeof(ConvertOptions),
    NULL,
    run,
};
