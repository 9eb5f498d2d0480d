/* Fuzz target: any bytes as a PyTorch checkpoint. What is accepted must be whole tensors. */
#include "fuzz.h"

#include "base/mem.h"
#include "weights/pth.h"

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

/* Every tensor readable to its end, sorted, of a shape that matches its bytes. */
static void check_file(const PthFile *file, size_t size)
{
    volatile unsigned sum = 0;
    size_t total = 0;
    for (int i = 0; i < pth_count(file); i++) {
        const WeightTensor *tensor = pth_at(file, i);
        MUST(tensor->name[0] && tensor->dims >= 0 && tensor->dims <= WEIGHTS_MAX_DIMS);
        MUST(i == 0 || strcmp(pth_at(file, i - 1)->name, tensor->name) < 0);
        int64_t count = 1;
        for (int k = 0; k < tensor->dims; k++)
            count *= tensor->shape[k];
        MUST(count == tensor->count && tensor->count <= (int64_t)tensor->bytes);
        for (size_t k = 0; k < tensor->bytes; k++)
            sum = sum + ((const unsigned char *)tensor->data)[k];
        total += tensor->bytes;
    }
    MUST(total <= 4 * size);
    (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Report report = { 0 };
    PthFile *file;
    const int error = pth_parse(&file, data, size, "input", &report);
    MUST((error == 0) == (file != NULL));
    MUST(error == 0 || error == DAIN_EFORMAT || error == DAIN_EUNSUPPORTED);
    MUST((error == 0) == (report.error[0] == '\0'));
    if (file)
        check_file(file, size);
    pth_close(&file);

    /* The same once more, with one allocation failing. */
    mem_fail_at(1 + (long)(size % 23));
    const int again = pth_parse(&file, data, size, "input", NULL);
    mem_fail_at(0);
    MUST(again == error || again == DAIN_ENOMEM);
    pth_close(&file);
    MUST(mem_live() == 0);
    return 0;
}
