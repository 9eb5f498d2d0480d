/* The operators of the original network as nodes of standard ONNX: docs/dain.md, sections 3 and 4. What moves
 * pixels is in onnx_dain_motion.c. */
#include "base/mem.h"
#include "model/dain.h"
#include "model/onnx_dain.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static OnnxValue in(Emitter *e, const Graph *g, const Op *op, int i)
{
    return emit_f32(e, emit_tensor(e, g, op->in[i]));
}

/* ---- convolutions ---- */

static int no_memory(Emitter *e, const ConvParam *p)
{
    return report_error(e->report, DAIN_ENOMEM, "out of memory for the weights of %s", p->name);
}

/* Pictures have four channels in our graphs and three here: where they are part of a concatenation, the weights
 * of the fourth go. Which input channels stay. */
static int find_columns(const Graph *g, const Op *op, bool *stays)
{
    const ConvParam *p = op->conv;
    int n = 0, channel = 0;
    for (int i = 0; i < p->ci; i++)
        stays[i] = true;
    for (int i = 0; i < g->op_count; i++) {
        const Op *concat = &g->ops[i];
        if (concat->kind != OP_CONCAT || concat->out[0] != op->in[0])
            continue;
        for (int k = 0; k < concat->inputs; k++) {
            const int c = g->tensors[concat->in[k]].c;
            if (c == PICTURE_CHANNELS)
                stays[channel + 3] = false;
            channel += c;
        }
    }
    for (int i = 0; i < p->ci; i++)
        n += stays[i];
    return n;
}

/* Weights (without the columns that go) and bias. */
static int conv_weights(Emitter *e, const Graph *g, const Op *op, OnnxType type, OnnxValue out[2])
{
    const ConvParam *p = op->conv;
    const int taps = p->kh * p->kw;
    char name[ONNX_NAME_LENGTH];
    float *oihw = mem_alloc((size_t)p->oc * p->ci * taps * sizeof(float));
    bool *stays = mem_alloc((size_t)p->ci * sizeof *stays);
    if (!oihw || !stays) {
        mem_free(oihw);
        mem_free(stays);
        return no_memory(e, p);
    }
    params_unpack_conv(p, oihw);
    const int ci = find_columns(g, op, stays);
    float *to = oihw;
    for (int i = 0; i < p->oc * p->ci; i++)
        if (stays[i % p->ci]) {
            memmove(to, oihw + (size_t)i * taps, taps * sizeof(float));
            to += taps;
        }
    snprintf(name, sizeof name, "%s.weight", p->name);
    out[0] = onnx_tensor(&e->w, name, type, 4, (int64_t[]){ p->oc, ci, p->kh, p->kw }, oihw);
    snprintf(name, sizeof name, "%s.bias", p->name);
    out[1] = onnx_tensor(&e->w, name, type, 1, (int64_t[]){ p->oc }, p->bias);
    mem_free(oihw);
    mem_free(stays);
    return DAIN_OK;
}

static OnnxValue activation(Emitter *e, const ConvParam *p, OnnxValue x)
{
    const OnnxAttr alpha = onnx_attr_float("alpha", p->slope[0]);
    if (p->slope[0] == 1)
        return x;
    return p->slope[0] == 0 ? emit_unary(e, "Relu", x)
                            : onnx_node(&e->w, "LeakyRelu", &x, 1, &alpha, 1);
}

/* act(conv(x) + sum), sum = NULL: none. Flows stay in floats. */
static int conv(Emitter *e, const Graph *g, const Op *op, OnnxValue x, const OnnxValue *sum,
                OnnxValue *out)
{
    const ConvParam *p = op->conv;
    const OnnxType type = e->half && p->oc > 2 ? ONNX_HALF : ONNX_FLOAT;
    const int d = op->dilation > 0 ? op->dilation : 1, stride = op->stride > 0 ? op->stride : 1;
    const int ph = d * (p->kh - 1) / 2, pw = d * (p->kw - 1) / 2;
    const OnnxAttr a[] = { onnx_attr_ints("kernel_shape", 2, (int64_t[]){ p->kh, p->kw }),
                           onnx_attr_ints("strides", 2, (int64_t[]){ stride, stride }),
                           onnx_attr_ints("dilations", 2, (int64_t[]){ d, d }),
                           onnx_attr_ints("pads", 4, (int64_t[]){ ph, pw, ph, pw }) };
    OnnxValue w[2];
    const int error = conv_weights(e, g, op, type, w);
    if (error)
        return error;
    const OnnxValue xs[] = { emit_cast(e, x, type), w[0], w[1] };
    *out = onnx_node(&e->w, "Conv", xs, 3, a, LENGTH(a));
    if (sum)
        *out = emit_add(e, emit_cast(e, *out, sum->type), *sum);
    *out = activation(e, p, *out);
    return DAIN_OK;
}

/* The 4x4 kernel of which four operators, one after the other, have a phase each. */
static int deconv(Emitter *e, const Graph *g, const Op *last, OnnxValue *out)
{
    static const int taps[2][2] = { { 3, 1 }, { 2, 0 } }; /* see deconv_phase() */
    const ConvParam *p = last->conv;
    const size_t count = (size_t)p->oc * p->ci;
    float *iohw = mem_alloc(count * 16 * sizeof(float)),
          *oihw = mem_alloc(count * 4 * sizeof(float));
    char name[ONNX_NAME_LENGTH];
    for (int phase = 0; phase < 4 && iohw && oihw; phase++) {
        params_unpack_conv((last - 3 + phase)->conv, oihw);
        for (int o = 0; o < p->oc; o++)
            for (int i = 0; i < p->ci; i++)
                for (int k = 0; k < 4; k++)
                    iohw[((size_t)i * p->oc + o) * 16 + taps[phase >> 1][k >> 1] * 4 +
                         taps[phase & 1][k & 1]] = oihw[((size_t)o * p->ci + i) * 4 + k];
    }
    const int error = iohw && oihw ? DAIN_OK : no_memory(e, p);
    if (!error) {
        const OnnxAttr a[] = { onnx_attr_ints("kernel_shape", 2, (int64_t[]){ 4, 4 }),
                               onnx_attr_ints("strides", 2, (int64_t[]){ 2, 2 }),
                               onnx_attr_ints("pads", 4, (int64_t[]){ 1, 1, 1, 1 }) };
        const int length = (int)strlen(p->name) - 2; /* without its number */
        snprintf(name, sizeof name, "%.*s.weight", length, p->name);
        const OnnxValue w =
            onnx_tensor(&e->w, name, ONNX_FLOAT, 4, (int64_t[]){ p->ci, p->oc, 4, 4 }, iohw);
        snprintf(name, sizeof name, "%.*s.bias", length, p->name);
        const OnnxValue b = onnx_tensor(&e->w, name, ONNX_FLOAT, 1, (int64_t[]){ p->oc }, p->bias);
        *out = onnx_node(&e->w, "ConvTranspose", (OnnxValue[]){ in(e, g, last, 0), w, b }, 3, a,
                         LENGTH(a));
    }
    mem_free(iohw);
    mem_free(oihw);
    return error;
}

/* ---- small layers ---- */

static OnnxValue pool2(Emitter *e, OnnxValue x, bool average)
{
    const OnnxAttr a[] = { onnx_attr_ints("kernel_shape", 2, (int64_t[]){ 2, 2 }),
                           onnx_attr_ints("strides", 2, (int64_t[]){ 2, 2 }) };
    return onnx_node(&e->w, average ? "AveragePool" : "MaxPool", &x, 1, a, LENGTH(a));
}

static OnnxValue nearest2(Emitter *e, OnnxValue x)
{
    const OnnxAttr a[] = { onnx_attr_text("mode", "nearest"),
                           onnx_attr_text("nearest_mode", "floor"),
                           onnx_attr_text("coordinate_transformation_mode", "asymmetric") };
    const OnnxValue none = { .name = "" };
    const OnnxValue scales =
        onnx_tensor(&e->w, "const/twice", ONNX_FLOAT, 1, (int64_t[]){ 4 }, (float[]){ 1, 1, 2, 2 });
    return onnx_node(&e->w, "Resize", (OnnxValue[]){ x, none, scales }, 3, a, LENGTH(a));
}

static OnnxValue up4(Emitter *e, OnnxValue flow, OnnxValue time)
{
    const OnnxAttr a[] = { onnx_attr_text("mode", "linear"),
                           onnx_attr_text("coordinate_transformation_mode", "half_pixel") };
    const OnnxValue none = { .name = "" };
    const OnnxValue scales =
        onnx_tensor(&e->w, "const/four", ONNX_FLOAT, 1, (int64_t[]){ 4 }, (float[]){ 1, 1, 4, 4 });
    const OnnxValue moved = emit_mul(e, emit_times(e, flow, 20), time); /* pixels per unit */
    return onnx_node(&e->w, "Resize", (OnnxValue[]){ moved, none, scales }, 3, a, LENGTH(a));
}

static OnnxValue corr_leaky(Emitter *e, OnnxValue a, OnnxValue b)
{
    const OnnxAttr alpha = onnx_attr_float("alpha", 0.1f);
    const OnnxValue c = emit_corr(e, a, b, 4);
    return onnx_node(&e->w, "LeakyRelu", &c, 1, &alpha, 1);
}

static OnnxValue finish(Emitter *e, OnnxValue residual, OnnxValue blend)
{
    const OnnxValue sum = emit_clip(e, emit_add(e, blend, residual), 0, 1);
    const OnnxValue begin = onnx_ints(&e->w, 2, (int64_t[]){ 0, 0 });
    const OnnxValue axes = onnx_ints(&e->w, 2, (int64_t[]){ 2, 3 });
    return onnx_node(&e->w, "Slice", (OnnxValue[]){ sum, begin, e->size, axes }, 4, NULL, 0);
}

/* ---- all operators ---- */

static int motion_op(Emitter *e, const Graph *g, const Op *op, OnnxValue *out)
{
    const Tensor *t = &g->tensors[op->in[0]];
    const EmitLevel *l = emit_level(e, t->h, t->w, in(e, g, op, 0));
    switch (op->kind) {
    case OP_PWC_WARP:
        *out = emit_pwc_warp(e, l, in(e, g, op, 0), emit_times(e, in(e, g, op, 1), op->a));
        break;
    case OP_FLOW_SPLAT:
        *out = emit_flow_splat(e, l, in(e, g, op, 0), in(e, g, op, 1));
        break;
    case OP_FLOW_MEAN:
        *out = emit_flow_mean(e, in(e, g, op, 0));
        e->value[op->out[1]] = emit_channels(e, in(e, g, op, 0), 2, 1);
        break;
    case OP_FILL_HOLES:
        *out = emit_fill_holes(e, l, t->w, t->h, in(e, g, op, 0), in(e, g, op, 1));
        break;
    case OP_FILTER:
        *out = emit_filter(e, g, l, op->in[1], op->in[2], in(e, g, op, 0));
        break;
    default: { /* OP_WARP_CONV */
        const OnnxValue sum = emit_tensor(e, g, op->in[3]);
        const OnnxValue x = emit_filter(e, g, l, op->in[1], op->in[2], in(e, g, op, 0));
        return conv(e, g, op, x, &sum, out);
    }
    }
    return DAIN_OK;
}

int emit_dain_op(Emitter *e, const Graph *g, const Op *op, OnnxValue *out)
{
    switch (op->kind) {
    case OP_PAD_LOAD:
        *out = emit_padded_picture(e);
        break;
    case OP_CONV: {
        const OnnxValue sum = op->inputs > 1 ? emit_tensor(e, g, op->in[1]) : (OnnxValue){ 0 };
        return conv(e, g, op, emit_tensor(e, g, op->in[0]), op->inputs > 1 ? &sum : NULL, out);
    }
    case OP_DECONV:
        return op->radius == 3 ? deconv(e, g, op, out) : DAIN_OK;
    case OP_CORR_LEAKY:
        *out = corr_leaky(e, in(e, g, op, 0), in(e, g, op, 1));
        break;
    case OP_POOL2:
        *out = pool2(e, emit_tensor(e, g, op->in[0]), op->a != 0);
        break;
    case OP_NEAREST2:
        *out = nearest2(e, emit_tensor(e, g, op->in[0]));
        break;
    case OP_UP4:
        *out = up4(e, in(e, g, op, 0), op->a != 0 ? e->rest : e->t);
        break;
    case OP_DEPTH_WEIGHT:
        *out = emit_plus(e, emit_unary(e, "Exp", emit_unary(e, "Neg", in(e, g, op, 0))), 1e-6f);
        break;
    case OP_MIX_TIME:
        *out =
            emit_add(e, emit_mul(e, in(e, g, op, 0), e->rest), emit_mul(e, in(e, g, op, 1), e->t));
        break;
    case OP_FINISH:
        *out = finish(e, in(e, g, op, 0), in(e, g, op, 1));
        break;
    default:
        return motion_op(e, g, op, out);
    }
    return DAIN_OK;
}
