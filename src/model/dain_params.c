/* Parameters of the original network: shapes are checked, batch norms folded. */
#include "model/dain.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_LENGTH = 96 };
#define NORM_EPSILON 1e-5

/* In listing: shows the layer and returns true. */
static bool visited(DainLoader *l, const DainLayer *layer)
{
    if (l->visit)
        l->visit(l->opaque, layer);
    return l->visit != NULL;
}

static void fail(DainLoader *l, const char *key, const char *problem)
{
    l->error = report_error(l->report, DAIN_EFORMAT, "tensor %s %s", key, problem);
}

static void check_shape(DainLoader *l, const WeightTensor *t, int dims, const int64_t *shape)
{
    char text[80] = "", have[80] = "";
    bool same = t->dims == dims;
    size_t at = 0, have_at = 0;
    for (int i = 0; i < dims; i++) {
        same = same && t->shape[i] == shape[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", i ? "x" : "",
                               (long long)shape[i]);
    }
    for (int i = 0; i < t->dims && have_at < sizeof have; i++)
        have_at += (size_t)snprintf(have + have_at, sizeof have - have_at, "%s%lld", i ? "x" : "",
                                    (long long)t->shape[i]);
    if (!same)
        l->error =
            report_error(l->report, DAIN_EFORMAT, "tensor %s is %s, the original network has %s",
                         t->name, t->dims ? have : "a single value", text);
}

float *dain_load_values(DainLoader *l, const char *name, int dims, const int64_t *shape)
{
    if (l->error)
        return NULL;
    const WeightTensor *t = weights_find(l->file, name);
    if (!t) {
        fail(l, name, "is missing");
        return NULL;
    }
    check_shape(l, t, dims, shape);
    if (!l->error && t->type != TYPE_F32 && t->type != TYPE_F16 && t->type != TYPE_BF16 &&
        t->type != TYPE_F64)
        fail(l, name, "does not hold floating point numbers");
    if (l->error)
        return NULL;
    float *values = mem_alloc((size_t)t->count * sizeof *values);
    if (!values) {
        l->error = report_error(l->report, DAIN_ENOMEM, "out of memory for %s", name);
        return NULL;
    }
    weights_to_f32(t, values);
    for (int64_t i = 0; i < t->count; i++)
        if (!isfinite(values[i])) {
            fail(l, name, "has a value that is not a finite number");
            mem_free(values);
            return NULL;
        }
    return values;
}

static float *load_part(DainLoader *l, const char *name, const char *part, int dims,
                        const int64_t *shape)
{
    char key[KEY_LENGTH];
    snprintf(key, sizeof key, "%s.%s", name, part);
    return dain_load_values(l, key, dims, shape);
}

/* In a pruned file: the widths of a layer, as far as they can be right. Whoever builds the graph finds out
 * whether they fit together. */
static void pruned_widths(const DainLoader *l, const char *name, int *first, int *second)
{
    char key[KEY_LENGTH];
    snprintf(key, sizeof key, "%s.weight", name);
    const WeightTensor *t = l->pruned ? weights_find(l->file, key) : NULL;
    if (!t || t->dims != 4)
        return;
    if (t->shape[0] >= 1 && t->shape[0] < *first)
        *first = (int)t->shape[0];
    if (t->shape[1] >= 1 && t->shape[1] < *second)
        *second = (int)t->shape[1];
}

void dain_load_conv(DainLoader *l, const char *name, int ci, int oc, int k, float slope, bool bias)
{
    if (visited(l, &(DainLayer){ name, ci, oc, k, bias, false, NULL, false }))
        return;
    pruned_widths(l, name, &oc, &ci);
    float *w = load_part(l, name, "weight", 4, (int64_t[]){ oc, ci, k, k });
    float *b = bias ? load_part(l, name, "bias", 1, (int64_t[]){ oc }) : NULL;
    ConvParam *p;
    if (!l->error)
        l->error = params_add_conv(l->params, name, w, b, oc, ci, k, k, slope, &p);
    mem_free(w);
    mem_free(b);
}

void dain_load_norm_conv(DainLoader *l, const char *name, const char *norm, int ci, int oc, int k,
                         float slope, bool affine)
{
    if (visited(l, &(DainLayer){ name, ci, oc, k, true, false, norm, affine }))
        return;
    pruned_widths(l, name, &oc, &ci);
    const int64_t each[] = { oc };
    float *w = load_part(l, name, "weight", 4, (int64_t[]){ oc, ci, k, k });
    float *b = load_part(l, name, "bias", 1, each);
    float *mean = load_part(l, norm, "running_mean", 1, each);
    float *var = load_part(l, norm, "running_var", 1, each);
    float *gain = affine ? load_part(l, norm, "weight", 1, each) : NULL;
    float *shift = affine ? load_part(l, norm, "bias", 1, each) : NULL;
    const int per = ci * k * k;
    ConvParam *p;
    for (int o = 0; o < oc && !l->error; o++) {
        if (!(var[o] >= 0)) {
            fail(l, norm, "has a negative variance");
            break;
        }
        const double scale = (affine ? gain[o] : 1.0) / sqrt((double)var[o] + NORM_EPSILON);
        for (int i = 0; i < per; i++)
            w[o * per + i] = (float)(w[o * per + i] * scale);
        b[o] = (float)(((double)b[o] - mean[o]) * scale + (affine ? shift[o] : 0.0));
    }
    if (!l->error)
        l->error = params_add_conv(l->params, name, w, b, oc, ci, k, k, slope, &p);
    mem_free(w);
    mem_free(b);
    mem_free(mean);
    mem_free(var);
    mem_free(gain);
    mem_free(shift);
}

void dain_load_deconv(DainLoader *l, const char *name, int ci, int oc)
{
    if (visited(l, &(DainLayer){ name, ci, oc, 4, true, true, NULL, false }))
        return;
    pruned_widths(l, name, &ci, &oc);
    float *w = load_part(l, name, "weight", 4, (int64_t[]){ ci, oc, 4, 4 });
    float *b = load_part(l, name, "bias", 1, (int64_t[]){ oc });
    float *phase = l->error ? NULL : mem_alloc((size_t)ci * oc * 4 * sizeof *phase);
    if (!l->error && !phase)
        l->error = report_error(l->report, DAIN_ENOMEM, "out of memory for %s", name);
    for (int i = 0; i < 4 && !l->error; i++) {
        char key[KEY_LENGTH];
        ConvParam *p;
        snprintf(key, sizeof key, "%s/%d", name, i);
        deconv_phase(phase, w, ci, oc, i);
        l->error = params_add_conv(l->params, key, phase, b, oc, ci, 2, 2, 1, &p);
    }
    mem_free(w);
    mem_free(b);
    mem_free(phase);
}

int dain_conv_full(DainBuilder *b, const char *name, int x, int stride, int dilation, int add)
{
    return graph_conv(b->g, x, params_find(b->params, name), stride, dilation, add);
}

int dain_conv(DainBuilder *b, const char *name, int x)
{
    return dain_conv_full(b, name, x, 1, 1, -1);
}

int dain_deconv(DainBuilder *b, const char *name, int x)
{
    ConvParam *phase[4];
    for (int i = 0; i < 4; i++) {
        char key[KEY_LENGTH];
        snprintf(key, sizeof key, "%s/%d", name, i);
        phase[i] = params_find(b->params, key);
    }
    return graph_deconv(b->g, x, phase);
}

int dain_add_to(DainBuilder *b, int a, int x)
{
    return graph_in_place(b->g, graph_clamp_add(b->g, a, x, -INFINITY, INFINITY), a);
}

int dain_concat(DainBuilder *b, const char *name, int n, const int *x)
{
    return graph_concat(b->g, name, x, n);
}
