/* Weight files from one format to another. */
#ifndef DAIN_MODEL_CONVERT_H
#define DAIN_MODEL_CONVERT_H

#include "base/log.h"

#include <stdbool.h>

/* What convert_run() did. */
typedef struct Converted {
    const char *from, *to; /* formats, for people */
    int tensors;
    int64_t elements;
} Converted;

/*
 * Reads the weights at input and writes them to output.
 *
 * Input is a PyTorch checkpoint in either form, a safetensors file, or a folder with the ncnn networks of
 * dain-ncnn-vulkan (depthnet, flownet, ctxnet and interpolation, each .param and .bin); which one is seen
 * from its content. Output is safetensors, or a PyTorch checkpoint if the name ends in .pth or .pt.
 *
 * Safetensors made from the other formats say that they are the original network ("format": "dain"), and
 * are opened as such before they get their name: a checkpoint of something else, with missing or
 * misshapen tensors or values that are not numbers is refused, and nothing is left behind. any: do not
 * check, and say nothing about the network.
 *
 * Errors: DAIN_EIO, DAIN_ENOMEM, DAIN_EFORMAT, DAIN_EUNSUPPORTED, DAIN_EINVAL (the output's name has
 * another ending).
 */
int convert_run(const char *input, const char *output, bool any, Converted *done, Report *report);

#endif
