/* Writing the result of `dain quantize`: weights, ranges, and what each layer computes in. */
#include "tool/quantize.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A float as half precision, if that is exact. */
static int to_half(float value, uint16_t *half)
{
    union {
        float f;
        uint32_t u;
    } bits = { value };
    const uint32_t sign = bits.u >> 16 & 0x8000;
    int e;
    const float m = frexpf(fabsf(value), &e); /* [0.5, 1) */
    if (value == 0) {
        *half = (uint16_t)sign;
        return 1;
    }
    if (!isfinite(value) || e > 16 || e < -24)
        return 0;
    /* normal halves have exponents -13 .. 16 and 11 bits; below that one bit less each */
    const int digits = e >= -13 ? 11 : 24 + e;
    const float scaled = ldexpf(m, digits);
    if (digits < 1 || scaled != rintf(scaled))
        return 0;
    const uint32_t mantissa = (uint32_t)scaled;
    *half =
        (uint16_t)(sign | (e >= -13 ? (uint32_t)(e + 14) << 10 | (mantissa & 0x3ff) : mantissa));
    return 1;
}

typedef struct Writer {
    WeightTensor *tensor;
    int count, capacity;
    char (*name)[96];
    WeightMeta *meta;
    int meta_count;
    char (*text)[96];
    int text_count;
} Writer;

/* Adds a tensor: half precision where that is exact, else float. */
static int add(Writer *w, const char *name, const float *values, int dims, const int64_t *shape)
{
    int64_t n = 1;
    for (int i = 0; i < dims; i++)
        n *= shape[i];
    uint16_t *half = mem_alloc(n * sizeof *half);
    int exact = half != NULL;
    for (int64_t i = 0; i < n && exact; i++)
        exact = to_half(values[i], &half[i]);
    WeightTensor *t = &w->tensor[w->count];
    *t = (WeightTensor){ .type = exact ? TYPE_F16 : TYPE_F32, .dims = dims, .count = n };
    memcpy(t->shape, shape, dims * sizeof *shape);
    t->bytes = (size_t)n * (exact ? sizeof(uint16_t) : sizeof(float));
    if (!exact) {
        mem_free(half);
        float *copy = mem_alloc(t->bytes);
        if (!copy)
            return 0;
        memcpy(copy, values, t->bytes);
        t->data = copy;
    } else {
        t->data = half;
    }
    snprintf(w->name[w->count], sizeof w->name[0], "%s", name);
    t->name = w->name[w->count++];
    return 1;
}

static int add_conv(Writer *w, const ConvParam *p)
{
    const int64_t shape[4] = { p->oc, p->ci, p->kh, p->kw };
    char name[96];
    float *oihw = mem_alloc((size_t)p->oc * p->ci * p->kh * p->kw * sizeof(float));
    if (!oihw)
        return 0;
    params_unpack_conv(p, oihw);
    snprintf(name, sizeof name, "%s.weight", p->name);
    int ok = add(w, name, oihw, 4, shape);
    snprintf(name, sizeof name, "%s.bias", p->name);
    ok = ok && add(w, name, p->bias, 1, shape);
    mem_free(oihw);
    return ok;
}

static void add_meta(Writer *w, const char *key, const char *value)
{
    for (int i = 0; i < w->meta_count; i++)
        if (!strcmp(w->meta[i].key, key)) {
            w->meta[i].value = value;
            return;
        }
    w->meta[w->meta_count++] = (WeightMeta){ key, value };
}

static void copy_meta(Writer *w, const Quantizer *q, const char *precision)
{
    for (int i = 0; i < q->model->meta_count; i++)
        if (strncmp(q->model->meta[i].key, "precision", 9))
            w->meta[w->meta_count++] = q->model->meta[i];
    add_meta(w, "precision", precision);
    for (int i = 0; i < q->layers; i++) {
        const ConvParam *p = q->layer[i].conv;
        if (!q->samples || p->precision == TYPE_U8)
            continue;
        char *key = w->text[w->text_count++];
        snprintf(key, sizeof w->text[0], "precision.%s", p->name);
        add_meta(w, key, precision_name(p->precision));
    }
    if (!q->samples)
        return;
    char *note = w->text[w->text_count++];
    snprintf(note, sizeof w->text[0], "%d triplets, %.3f dB in f32, %.3f dB in 8 bits", q->samples,
             q->psnr_f32, q->psnr_f32 - q->loss);
    add_meta(w, "calibration", note);
}

int quantizer_write(Quantizer *q, const char *path, const char *precision)
{
    const Params *p = &q->model->params;
    const int tensors = 2 * p->count + p->range_count;
    const int metas = q->model->meta_count + q->layers + 4;
    Writer w = { .tensor = mem_calloc(tensors + 1, sizeof *w.tensor),
                 .name = mem_calloc(tensors + 1, sizeof *w.name),
                 .meta = mem_calloc(metas, sizeof *w.meta),
                 .text = mem_calloc(q->layers + 2, sizeof *w.text) };
    int ok = w.tensor && w.name && w.meta && w.text;
    for (int i = 0; i < p->count && ok; i++)
        ok = add_conv(&w, p->conv[i]);
    for (int i = 0; i < p->range_count && ok; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s.range", p->ranges[i].name);
        ok = add(&w, name, (float[]){ p->ranges[i].lo, p->ranges[i].hi }, 1, (int64_t[]){ 2 });
    }
    int error;
    if (ok) {
        copy_meta(&w, q, precision);
        error = safetensors_write(path, w.tensor, w.count, w.meta, w.meta_count, q->report);
    } else {
        error = report_error(q->report, DAIN_ENOMEM, "out of memory for the file");
    }
    for (int i = 0; i < w.count; i++)
        mem_free((void *)w.tensor[i].data);
    mem_free(w.tensor);
    mem_free(w.name);
    mem_free(w.meta);
    mem_free(w.text);
    return error;
}
