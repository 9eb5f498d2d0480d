/* Convolutions with 8-bit inputs and weights in ONNX: QuantizeLinear and DequantizeLinear around what the
 * other engine may compute in integers. */
#include "base/mem.h"
#include "model/onnx_emit.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what goes through 8 bits ---- */

static const Op *concat_of(const Graph *g, int tensor)
{
    for (int i = 0; i < g->op_count; i++)
        if (g->ops[i].kind == OP_CONCAT && g->ops[i].out[0] == tensor)
            return &g->ops[i];
    return NULL;
}

/* The convolution in 8 bits that alone reads a tensor. */
static bool only_bytes(const Graph *g, int tensor)
{
    int readers = 0, bytes = 0;
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i].inputs; k++) {
            const Op *op = &g->ops[i];
            readers += op->in[k] == tensor;
            bytes += op->in[k] == tensor && k == 0 && op->kind == OP_CONV &&
                     op->conv->precision == TYPE_U8;
        }
    return readers == 1 && bytes == 1;
}

bool emit_takes_motion(const Emitter *e, const Graph *g, const Op *concat, int i)
{
    return e->bytes && g->tensors[concat->in[i]].motion && only_bytes(g, concat->out[0]);
}

/* Scale and zero point of a tensor: the range of all that is in it, 0 included. */
static int find_codes(const Emitter *e, const Graph *g, int tensor, float *scale, int *zero)
{
    const Op *concat = concat_of(g, tensor);
    const int n = concat ? concat->inputs : 1;
    float lo = 0, hi = 0;
    for (int i = 0; i < n; i++) {
        Range range;
        if (concat && emit_takes_motion(e, g, concat, i))
            continue;
        const int x = concat ? concat->in[i] : tensor;
        if (!graph_range(g, e->params, x, &range))
            return report_error(e->report, DAIN_EFORMAT,
                                "the model has no range for %s: it has to be quantised first",
                                g->tensors[x].name);
        lo = fminf(lo, range.lo);
        hi = fmaxf(hi, range.hi);
    }
    *scale = hi > lo ? (hi - lo) / 255 : 1;
    *zero = (int)rintf(-lo / *scale);
    return DAIN_OK;
}

static OnnxValue zero_point(Emitter *e, int zero)
{
    char name[ONNX_NAME_LENGTH];
    snprintf(name, sizeof name, "const/zero_point/%d", zero);
    return onnx_integers(&e->w, name, ONNX_UINT8, 0, NULL, (int32_t[]){ zero });
}

/* To codes and back; once for each tensor. */
static OnnxValue coded(Emitter *e, const Graph *g, int tensor, float scale, int zero)
{
    OnnxValue *const v = &e->coded[tensor];
    if (v->name[0])
        return *v;
    const OnnxValue s = onnx_scalar(&e->w, scale), z = zero_point(e, zero);
    OnnxValue q = onnx_node(&e->w, "QuantizeLinear",
                            (OnnxValue[]){ emit_tensor(e, g, tensor), s, z }, 3, NULL, 0);
    q.type = ONNX_UINT8;
    *v = onnx_node(&e->w, "DequantizeLinear", (OnnxValue[]){ q, s, z }, 3, NULL, 0);
    v->type = ONNX_FLOAT;
    return *v;
}

/* ---- weights ---- */

/* Input channels first .. first+count-1 of the weights, or all others. */
static void pick(float *to, const float *oihw, const ConvParam *p, int first, int count,
                 bool others)
{
    const int taps = p->kh * p->kw;
    for (int o = 0; o < p->oc; o++)
        for (int i = 0; i < p->ci; i++) {
            const bool inside = i >= first && i < first + count;
            if (inside == others)
                continue;
            memcpy(to, oihw + ((size_t)o * p->ci + i) * taps, taps * sizeof(float));
            to += taps;
        }
}

/* Weights and bias as integers, a scale for each output channel, and back. */
static int bytes_weights(Emitter *e, const ConvParam *p, const float *w, int ci, float in_scale,
                         OnnxValue out[2])
{
    const size_t per = (size_t)ci * p->kh * p->kw;
    char name[4][ONNX_NAME_LENGTH];
    int32_t *q = mem_alloc((per * p->oc + p->oc) * sizeof *q);
    float *scale = mem_alloc(2 * p->oc * sizeof *scale);
    int error = q && scale ? DAIN_OK
                           : report_error(e->report, DAIN_ENOMEM,
                                          "out of memory for the weights of %s", p->name);
    for (int o = 0; o < p->oc && !error; o++) {
        float most = 0;
        for (size_t i = 0; i < per; i++)
            most = fmaxf(most, fabsf(w[o * per + i]));
        scale[o] = most > 127 * FLT_MIN ? most / 127 : 1;
        scale[p->oc + o] = scale[o] * in_scale;
        for (size_t i = 0; i < per; i++)
            q[o * per + i] = (int32_t)rintf(w[o * per + i] / scale[o]);
        const double bias = rint((double)p->bias[o] / scale[p->oc + o]);
        q[per * p->oc + o] = (int32_t)fmax(-2147483647.0, fmin(bias, 2147483647.0));
    }
    if (!error) {
        static const char *const suffix[] = { "weight", "weight.scale", "bias", "bias.scale" };
        const OnnxAttr axis = onnx_attr_int("axis", 0);
        const int64_t shape[4] = { p->oc, ci, p->kh, p->kw };
        for (int i = 0; i < 4; i++)
            snprintf(name[i], sizeof name[i], "%s.%s", p->name, suffix[i]);
        const OnnxValue v[4] = {
            onnx_integers(&e->w, name[0], ONNX_INT8, 4, shape, q),
            onnx_tensor(&e->w, name[1], ONNX_FLOAT, 1, shape, scale),
            onnx_integers(&e->w, name[2], ONNX_INT32, 1, shape, q + per * p->oc),
            onnx_tensor(&e->w, name[3], ONNX_FLOAT, 1, shape, scale + p->oc),
        };
        for (int i = 0; i < 2; i++) {
            out[i] = onnx_node(&e->w, "DequantizeLinear", v + 2 * i, 2, &axis, 1);
            out[i].type = ONNX_FLOAT;
        }
    }
    mem_free(scale);
    mem_free(q);
    return error;
}

/* ---- the convolution ---- */

int emit_bytes_conv(Emitter *e, const Graph *g, const Op *op, const OnnxAttr *attr, int attrs,
                    OnnxValue *out)
{
    const ConvParam *p = op->conv;
    const Op *concat = concat_of(g, op->in[0]);
    const size_t count = (size_t)p->oc * p->ci * p->kh * p->kw;
    OnnxValue w[2], motion = { .name = "" };
    char name[ONNX_NAME_LENGTH];
    int first = 0, moving = 0, zero = 0, error;
    float scale = 1, *oihw;
    for (int i = 0, channel = 0; concat && i < concat->inputs; i++) {
        const Tensor *t = &g->tensors[concat->in[i]];
        if (emit_takes_motion(e, g, concat, i)) {
            motion = emit_tensor(e, g, concat->in[i]);
            first = channel;
            moving = t->c;
        }
        channel += t->c;
    }
    error = find_codes(e, g, op->in[0], &scale, &zero);
    if (error)
        return error;
    oihw = mem_alloc(2 * count * sizeof *oihw);
    if (!oihw)
        return report_error(e->report, DAIN_ENOMEM, "out of memory for the weights of %s", p->name);
    params_unpack_conv(p, oihw);
    pick(oihw + count, oihw, p, first, moving, true);
    error = bytes_weights(e, p, oihw + count, p->ci - moving, scale, w);
    if (!error) {
        const OnnxValue x = coded(e, g, op->in[0], scale, zero);
        *out = onnx_node(&e->w, "Conv", (OnnxValue[]){ x, w[0], w[1] }, 3, attr, attrs);
    }
    if (!error && moving) {
        pick(oihw + count, oihw, p, first, moving, false);
        snprintf(name, sizeof name, "%s.motion.weight", p->name);
        const int64_t shape[4] = { p->oc, moving, p->kh, p->kw };
        const OnnxValue m = onnx_tensor(&e->w, name, ONNX_FLOAT, 4, shape, oihw + count);
        *out = emit_add(
            e, *out,
            onnx_node(&e->w, "Conv", (OnnxValue[]){ emit_f32(e, motion), m }, 2, attr, attrs));
    }
    mem_free(oihw);
    return error;
}
