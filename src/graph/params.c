/* Parameters of a network: from weight files into the order that the kernels read. */
#include "graph/params.h"

#include "base/mem.h"
#include "kernels/kernels.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CHANNELS = 4096, MAX_KERNEL = 15 };

static int padded(int oc)
{
    return (oc + CONV_LANES - 1) / CONV_LANES * CONV_LANES;
}

static void u8_free(ConvU8Param *u)
{
    mem_free(u->weights);
    mem_free(u->winograd);
    mem_free(u->bias);
    mem_free(u->scale);
    mem_free(u->motion_weights);
    mem_free(u->motion_bias);
    mem_free(u->motion_slope);
    memset(u, 0, sizeof *u);
}

static void conv_free(ConvParam *p)
{
    if (!p)
        return;
    mem_free(p->weights);
    mem_free(p->bias);
    mem_free(p->slope);
    u8_free(&p->u8);
    mem_free(p->bf16_weights);
    mem_free(p);
}

void params_free(Params *params)
{
    for (int i = 0; i < params->count; i++)
        conv_free(params->conv[i]);
    mem_free(params->conv);
    mem_free(params->ranges);
    memset(params, 0, sizeof *params);
}

int params_add_conv(Params *params, const char *name, const float *oihw, const float *bias, int oc,
                    int ci, int kh, int kw, float slope, ConvParam **out)
{
    *out = NULL;
    ConvParam *p = mem_calloc(1, sizeof *p);
    if (!p || !mem_reserve(&params->conv, params->count, &params->capacity, sizeof *params->conv))
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

/* ---- low precision ---- */

int params_set_range(Params *params, const char *name, float lo, float hi)
{
    /* Scales from this on have a square and an inverse that floats hold in full. */
    const float narrowest = 255 * 0x1p-60f;
    const float width = fmaxf(hi, 0) - fminf(lo, 0);
    if (!isfinite(hi - lo))
        return report_error(params->report, DAIN_EFORMAT,
                            "the range of %s, %g to %g, is not one of numbers", name, (double)lo,
                            (double)hi);
    if (width > 0 && width < narrowest) /* 0 to 0 stays: a layer that does nothing */
        hi = narrowest;
    Range *r = (Range *)params_range(params, name);
    if (!r) {
        if (!mem_reserve(&params->ranges, params->range_count, &params->range_capacity,
                         sizeof *params->ranges))
            return report_error(params->report, DAIN_ENOMEM, "out of memory for ranges");
        r = &params->ranges[params->range_count++];
        snprintf(r->name, sizeof r->name, "%s", name);
    }
    r->lo = lo;
    r->hi = hi;
    return DAIN_OK;
}

const Range *params_range(const Params *params, const char *name)
{
    for (int i = 0; i < params->range_count; i++)
        if (!strcmp(params->ranges[i].name, name))
            return &params->ranges[i];
    return NULL;
}

void params_unpack_conv(const ConvParam *p, float *out)
{
    const int taps = p->kh * p->kw;
    for (int o = 0; o < p->oc; o++)
        for (int c = 0; c < p->ci; c++)
            for (int k = 0; k < taps; k++) {
                const size_t block = (size_t)(o / CONV_LANES) * taps + k;
                *out++ = p->weights[(block * p->ci + c) * CONV_LANES + o % CONV_LANES];
            }
}

/* What one unit of the integers is worth, for weights up to most: more than they need where the
 * bias would not fit, and never so little that it could not be divided by. */
static float unit_for(float most, float bias)
{
    const float most_bias = 1 << 29;
    return fmaxf(fmaxf(most / 127, fabsf(bias) / most_bias), FLT_MIN);
}

/* Weights of one output channel as integers; returns what one unit is worth, infinity if the
 * weights are too large. The zero points of the input turn into a constant, *shift. */
static float quantise_channel(int8_t *out, const float *w, float bias, int ci, int taps,
                              const float *scale, const int *zero, int64_t *shift)
{
    float most = 0;
    for (int c = 0; c < ci; c++)
        for (int k = 0; k < taps; k++)
            most = fmaxf(most, fabsf(w[c * taps + k] * scale[c]));
    const float unit = unit_for(most, bias);
    *shift = 0;
    if (!isfinite(unit))
        return unit;
    for (int c = 0; c < ci; c++)
        for (int k = 0; k < taps; k++) {
            const int q = (int)rintf(w[c * taps + k] * scale[c] / unit);
            out[c * taps + k] = (int8_t)(q > 127 ? 127 : q < -127 ? -127 : q);
            *shift += (int64_t)out[c * taps + k] * zero[c];
        }
    return unit;
}

static int32_t saturate(double v)
{
    const double most = 1 << 30;
    return (int32_t)(v > most ? most : v > -most ? v : -most); /* of what is no number, too */
}

/* All output channels; false if their weights are too large. */
static bool quantise(ConvU8Param *u, int8_t *q, const float *oihw, const ConvParam *p, int stay,
                     const ConvU8Input *in)
{
    const int taps = p->kh * p->kw;
    const size_t per = (size_t)stay * taps;
    for (int o = 0; o < p->oc; o++) {
        int64_t shift;
        u->scale[o] = quantise_channel(q + o * per, oihw + o * per, p->bias[o], stay, taps,
                                       in->scale, in->zero, &shift);
        if (!isfinite(u->scale[o]))
            return false;
        u->bias[o] = saturate(rint((double)p->bias[o] / u->scale[o]) - (double)shift);
    }
    if (u->winograd)
        conv_pack_winograd(u->winograd, q, p->oc, stay);
    else
        conv_pack_u8(u->weights, q, p->oc, stay, p->kh, p->kw);
    return true;
}

/* The channels that carry motion: float weights in codes of the output. */
static int prepare_motion(ConvU8Param *u, const ConvParam *p, const float *oihw,
                          const ConvU8Input *in)
{
    const int taps = p->kh * p->kw, n = in->motion_count, lanes = padded(p->oc);
    float *w = mem_alloc((size_t)p->oc * n * taps * sizeof(float));
    u->motion_weights = mem_alloc(conv_packed_size(p->oc, n, p->kh, p->kw) * sizeof(float));
    u->motion_bias = mem_calloc(lanes, sizeof(float));
    u->motion_slope = mem_calloc(lanes, sizeof(float));
    const int ok = w && u->motion_weights && u->motion_bias && u->motion_slope;
    for (int o = 0; ok && o < p->oc; o++) {
        const float *from = oihw + ((size_t)o * p->ci + in->motion_first) * taps;
        for (int i = 0; i < n * taps; i++)
            w[o * n * taps + i] = from[i] * in->motion_gain;
        u->motion_slope[o] = 1;
    }
    if (ok)
        conv_pack_f32(u->motion_weights, w, p->oc, n, p->kh, p->kw);
    mem_free(w);
    return ok;
}

/* Closes the gap that the motion channels leave; returns the channels that stay. */
static int without_motion(float *oihw, const ConvParam *p, const ConvU8Input *in)
{
    const int taps = p->kh * p->kw, stay = p->ci - in->motion_count;
    const int after = stay - in->motion_first;
    for (int o = 0; o < p->oc; o++) {
        const float *from = oihw + (size_t)o * p->ci * taps;
        float *to = oihw + (size_t)o * stay * taps;
        memmove(to, from, (size_t)in->motion_first * taps * sizeof(float));
        memmove(to + in->motion_first * taps, from + (in->motion_first + in->motion_count) * taps,
                (size_t)after * taps * sizeof(float));
    }
    return stay;
}

int params_prepare_u8(Params *params, ConvParam *p, const ConvU8Input *in)
{
    if (p->u8.scale)
        return DAIN_OK;
    const int taps = p->kh * p->kw, lanes = padded(p->oc), stay = p->ci - in->motion_count;
    const size_t count = (size_t)p->oc * p->ci * taps;
    const size_t packed = in->winograd ? conv_packed_size_winograd(p->oc, stay) * sizeof(int16_t)
                                       : conv_packed_size_u8(p->oc, stay, p->kh, p->kw);
    float *oihw = mem_alloc(count * sizeof(float));
    int8_t *q = mem_alloc(count);
    ConvU8Param u = { .weights = in->winograd ? NULL : mem_alloc(packed),
                      .winograd = in->winograd ? mem_alloc(packed) : NULL,
                      .bias = mem_calloc(lanes, sizeof(int32_t)),
                      .scale = mem_calloc(lanes, sizeof(float)) };
    int ok = oihw && q && (u.weights || u.winograd) && u.bias && u.scale;
    if (ok)
        params_unpack_conv(p, oihw);
    if (ok && in->motion_count) {
        ok = prepare_motion(&u, p, oihw, in);
        without_motion(oihw, p, in);
    }
    int error = ok ? DAIN_OK
                   : report_error(params->report, DAIN_ENOMEM,
                                  "out of memory for the weights of %s", p->name);
    if (ok && !quantise(&u, q, oihw, p, stay, in))
        error = report_error(params->report, DAIN_EFORMAT,
                             "the weights of %s are too large for 8 bits", p->name);
    if (!error) {
        p->u8 = u;
        params->prepared += packed + lanes * (sizeof(int32_t) + sizeof(float));
        params->bytes += packed + lanes * (sizeof(int32_t) + sizeof(float));
    } else {
        u8_free(&u);
    }
    mem_free(oihw);
    mem_free(q);
    return error;
}

void params_unprepare(Params *params)
{
    for (int i = 0; i < params->count; i++) {
        u8_free(&params->conv[i]->u8);
        mem_free(params->conv[i]->bf16_weights);
        params->conv[i]->bf16_weights = NULL;
    }
    params->bytes -= params->prepared;
    params->prepared = 0;
}

int params_prepare_bf16(Params *params, ConvParam *p)
{
    if (p->bf16_weights)
        return DAIN_OK;
    const size_t count = (size_t)p->oc * p->ci * p->kh * p->kw;
    const size_t packed = conv_packed_size_bf16(p->oc, p->ci, p->kh, p->kw);
    float *oihw = mem_alloc(count * sizeof(float));
    uint16_t *weights = mem_alloc(packed * sizeof(uint16_t));
    if (!oihw || !weights) {
        mem_free(oihw);
        mem_free(weights);
        return report_error(params->report, DAIN_ENOMEM, "out of memory for the weights of %s",
                            p->name);
    }
    params_unpack_conv(p, oihw);
    conv_pack_bf16(weights, oihw, p->oc, p->ci, p->kh, p->kw);
    p->bf16_weights = weights; /* not before they are there: a pointer says so */
    params->prepared += packed * sizeof(uint16_t);
    params->bytes += packed * sizeof(uint16_t);
    mem_free(oihw);
    return DAIN_OK;
}
