/* Parameters of a network: from weight files into the order that the kernels read. */
#include "graph/params.h"

#include "base/mem.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CHANNELS = 4096, MAX_KERNEL = 15 };

static int padded(int oc)
{
    return (oc + CONV_LANES - 1) / CONV_LANES * CONV_LANES;
}

static void conv_free(ConvParam *p)
{
    if (!p)
        return;
    mem_free(p->weights);
    mem_free(p->bias);
    mem_free(p->slope);
    mem_free(p);
}

void params_free(Params *params)
{
    for (int i = 0; i < params->count; i++)
        conv_free(params->conv[i]);
    mem_free(params->conv);
    memset(params, 0, sizeof *params);
}

static int reserve(Params *params)
{
    if (params->count < params->capacity)
        return 1;
    const int capacity = params->capacity ? 2 * params->capacity : 64;
    ConvParam **list = mem_alloc(capacity * sizeof *list);
    if (!list)
        return 0;
    if (params->count)
        memcpy(list, params->conv, params->count * sizeof *list);
    mem_free(params->conv);
    params->conv = list;
    params->capacity = capacity;
    return 1;
}

int params_add_conv(Params *params, const char *name, const float *oihw, const float *bias, int oc,
                    int ci, int kh, int kw, float slope, ConvParam **out)
{
    *out = NULL;
    ConvParam *p = mem_calloc(1, sizeof *p);
    if (!p || !reserve(params))
        goto fail;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->oc = oc;
    p->ci = ci;
    p->kh = kh;
    p->kw = kw;
    const size_t packed = conv_packed_size(oc, ci, kh, kw), lanes = padded(oc);
    p->weights = mem_alloc(packed * sizeof(float));
    p->bias = mem_calloc(lanes, sizeof(float));
    p->slope = mem_calloc(lanes, sizeof(float));
    if (!p->weights || !p->bias || !p->slope)
        goto fail;
    conv_pack_f32(p->weights, oihw, oc, ci, kh, kw);
    if (bias)
        memcpy(p->bias, bias, oc * sizeof(float));
    for (int i = 0; i < oc; i++)
        p->slope[i] = slope;
    params->conv[params->count++] = p;
    params->elements += (int64_t)oc * ci * kh * kw + (bias ? oc : 0);
    params->bytes += (packed + 2 * lanes) * sizeof(float);
    *out = p;
    return DAIN_OK;
fail:
    conv_free(p);
    return report_error(params->report, DAIN_ENOMEM, "out of memory for the weights of %s", name);
}

static int check_finite(Params *params, const char *name, const float *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return report_error(params->report, DAIN_EFORMAT,
                                "%s: value %lld is not a finite number", name, (long long)i);
    return DAIN_OK;
}

int params_load_conv(Params *params, const WeightFile *file, const char *name, float slope,
                     int bias_optional, ConvParam **out)
{
    char key[96];
    *out = NULL;
    snprintf(key, sizeof key, "%s.weight", name);
    const WeightTensor *w = weights_find(file, key);
    if (!w)
        return report_error(params->report, DAIN_EFORMAT, "the model has no tensor %s", key);
    if (w->dims != 4)
        return report_error(params->report, DAIN_EFORMAT, "%s has %d axes, 4 expected", key,
                            w->dims);
    for (int i = 0; i < 4; i++)
        if (w->shape[i] < 1 || w->shape[i] > (i < 2 ? MAX_CHANNELS : MAX_KERNEL))
            return report_error(params->report, DAIN_EFORMAT, "%s: axis %d has the size %lld", key,
                                i, (long long)w->shape[i]);
    const int oc = (int)w->shape[0], ci = (int)w->shape[1];
    const int kh = (int)w->shape[2], kw = (int)w->shape[3];
    snprintf(key, sizeof key, "%s.bias", name);
    const WeightTensor *b = weights_find(file, key);
    if (!b && !bias_optional)
        return report_error(params->report, DAIN_EFORMAT, "the model has no tensor %s", key);
    if (b && (b->dims != 1 || b->shape[0] != oc))
        return report_error(params->report, DAIN_EFORMAT, "%s does not have %d values", key, oc);

    float *values = mem_alloc((w->count + oc) * sizeof(float));
    if (!values)
        return report_error(params->report, DAIN_ENOMEM, "out of memory for the weights of %s",
                            name);
    weights_to_f32(w, values);
    if (b)
        weights_to_f32(b, values + w->count);
    int error = check_finite(params, name, values, w->count + (b ? oc : 0));
    if (!error)
        error = params_add_conv(params, name, values, b ? values + w->count : NULL, oc, ci, kh, kw,
                                slope, out);
    mem_free(values);
    return error;
}

ConvParam *params_find(const Params *params, const char *name)
{
    for (int i = 0; i < params->count; i++)
        if (!strcmp(params->conv[i]->name, name))
            return params->conv[i];
    return NULL;
}
