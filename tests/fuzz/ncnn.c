/* Fuzz target: an ncnn network, its text up to the first byte 0 and its weights behind it. */
#include "fuzz.h"

#include "base/mem.h"
#include "weights/ncnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not assert(): it must stop in every kind of build. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void touch(const float *values, int64_t count)
{
    volatile float last = 0;
    for (int64_t i = 0; values && i < count; i++)
        last = values[i];
    (void)last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    const size_t text = zero ? (size_t)(zero - data) : size;
    const uint8_t *bin = data + text + (zero != NULL);
    const size_t bin_size = size - text - (zero != NULL);
    Report report = { 0 };
    NcnnNet *net;
    const int error = ncnn_parse(&net, (const char *)data, text, bin, bin_size, "input", &report);
    MUST((error == 0) == (net != NULL));
    MUST(error == 0 || error == DAIN_EFORMAT || error == DAIN_EUNSUPPORTED);
    MUST((error == 0) == (report.error[0] == '\0'));
    for (int i = 0; net && i < net->count; i++) {
        const NcnnLayer *l = &net->layers[i];
        touch(l->weights, l->count);
        touch(l->bias, l->outputs);
        touch(l->slope, l->outputs);
        touch(l->mean, l->outputs);
        touch(l->variance, l->outputs);
        MUST(l->kind == NCNN_BATCH_NORM ? l->slope && l->bias : l->weights != NULL);
    }
    ncnn_close(&net);

    /* The same once more, with one allocation failing. */
    mem_fail_at(1 + (long)(size % 11));
    const int again = ncnn_parse(&net, (const char *)data, text, bin, bin_size, "input", NULL);
    mem_fail_at(0);
    MUST(again == error || again == DAIN_ENOMEM);
    ncnn_close(&net);
    MUST(mem_live() == 0);
    return 0;
}
