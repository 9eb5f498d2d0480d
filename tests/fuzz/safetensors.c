/* Fuzz target: any bytes as a safetensors file. What is accepted must keep the format's promises. */
#include "fuzz.h"

#include "base/mem.h"
#include "weights/safetensors.h"

#include <math.h>
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

/* Every tensor inside the bytes, all of them together as large as the data, sorted, found. */
static void check_file(const WeightFile *file, const uint8_t *data, size_t size)
{
    size_t total = 0;
    for (int i = 0; i < weights_count(file); i++) {
        const WeightTensor *tensor = weights_at(file, i);
        const uint8_t *start = tensor->data;
        MUST(start >= data && tensor->bytes <= size && start <= data + size - tensor->bytes);
        MUST(tensor->dims >= 0 && tensor->dims <= WEIGHTS_MAX_DIMS);
        MUST(weights_find(file, tensor->name) == tensor);
        MUST(i == 0 || strcmp(weights_at(file, i - 1)->name, tensor->name) < 0);
        int64_t count = 1;
        for (int k = 0; k < tensor->dims; k++)
            count *= tensor->shape[k];
        MUST(count == tensor->count);
        float last = 0;
        for (int64_t k = 0; k < count; k++)
            last = weights_value(tensor, k);
        MUST(count > 0 || last == 0);
        total += tensor->bytes;
    }
    uint64_t header = 0;
    for (int i = 0; i < 8; i++)
        header |= (uint64_t)data[i] << (8 * i);
    MUST(total + header + 8 == size);
    for (int i = 0; i < weights_meta_count(file); i++) {
        const WeightMeta meta = weights_meta_at(file, i);
        MUST(weights_meta(file, meta.key) == meta.value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Report report = { 0 };
    WeightFile *file;
    const int error = safetensors_parse(&file, data, size, "input", &report);
    MUST((error == 0) == (file != NULL));
    MUST(error == 0 || error == DAIN_EFORMAT);
    MUST((error == 0) == (report.error[0] == '\0'));
    if (file)
        check_file(file, data, size);
    weights_close(&file);

    /* The same once more, with one allocation failing. */
    mem_fail_at(1 + (long)(size % 5));
    const int again = safetensors_parse(&file, data, size, "input", NULL);
    mem_fail_at(0);
    MUST(again == error || again == DAIN_ENOMEM);
    weights_close(&file);
    MUST(mem_live() == 0);
    return 0;
}
