/* Golden files by cases: reading and comparing. */
#include "golden/dain_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

WeightFile *cases_open(const char *dir, const char *name)
{
    char path[4096];
    Report report = { 0 };
    WeightFile *file;
    snprintf(path, sizeof(path), "%s/%s.safetensors", dir, name);
    if (safetensors_open(&file, path, &report) < 0) {
        fprintf(stderr, "%s\n", report.error);
        exit(1);
    }
    return file;
}

int cases_next(const WeightFile *f, int *index, char *buf, size_t size)
{
    if (*index >= weights_count(f))
        return 0;
    const char *name = weights_at(f, *index)->name, *slash = strchr(name, '/');
    const size_t length = slash ? (size_t)(slash - name) : strlen(name);
    if (length >= size) {
        fprintf(stderr, "%s: name is too long\n", name);
        exit(1);
    }
    memcpy(buf, name, length);
    buf[length] = 0;
    while (*index < weights_count(f)) {
        const char *other = weights_at(f, *index)->name;
        if (strncmp(other, buf, length) || other[length] != '/')
            break;
        ++*index;
    }
    return 1;
}

const WeightTensor *cases_tensor(const WeightFile *f, const char *name_of_case, const char *name)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", name_of_case, name);
    const WeightTensor *t = weights_find(f, full);
    if (t && t->type != TYPE_F32) {
        fprintf(stderr, "%s is not float\n", full);
        exit(1);
    }
    return t;
}

const float *cases_item(const WeightTensor *t, int n)
{
    return (const float *)t->data + (t->count / t->shape[0]) * n;
}

void cases_compare(Worst *w, const char *what, const char *detail, const float *got,
                   const float *expected, int64_t count, double absolute, double relative)
{
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(expected[i]))
            continue;
        const double difference = fabs((double)got[i] - (double)expected[i]);
        const double ratio = difference / (absolute + relative * fabs((double)expected[i]));
        w->compared++;
        if (!(ratio <= 1.0)) {
            if (w->failed++ < 5)
                fprintf(stderr, "%s %s: element %lld is %.9g, expected %.9g\n", what, detail,
                        (long long)i, got[i], expected[i]);
        }
        if (ratio > w->ratio)
            w->ratio = ratio;
        if (difference > w->difference)
            w->difference = difference;
    }
}

int cases_result(const Worst *w, const char *what)
{
    printf("%-32s %8ld values, worst difference %.3g (%.2f of the tolerance), %d outside\n", what,
           w->compared, w->difference, w->ratio, w->failed);
    return w->failed || !w->compared;
}
