/* The operators of `edge` as nodes of standard ONNX: docs/edge.md, sections 3 and 4. */
#include "base/mem.h"
#include "model/onnx_dain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static OnnxValue in(Emitter *e, const Graph *g, const Op *op, int i)
{
    return emit_tensor(e, g, op->in[i]);
}

static const Tensor *shape(const Graph *g, int tensor)
{
    return &g->tensors[tensor];
}

/* ---- picture ---- */

OnnxValue emit_padded_picture(Emitter *e)
{
    const int align = e->align;
    const Network *n = e->network;
    const OnnxAttr mode = onnx_attr_text("mode", "edge");
    OnnxValue pads;
    if (e->dynamic) {
        const OnnxValue size = emit_size_of(e, e->picture, 0, 0);
        const OnnxValue unit = onnx_ints(&e->w, 1, (int64_t[]){ align });
        OnnxValue more =
            emit_add(e, size, onnx_ints(&e->w, 1, (int64_t[]){ align - 1 })); /* rounds up */
        more = emit_sub(e, emit_mul(e, emit_div(e, more, unit), unit), size);
        const OnnxValue none = onnx_ints(&e->w, 6, (int64_t[]){ 0, 0, 0, 0, 0, 0 });
        pads = emit_concat(e, 0, (OnnxValue[]){ none, more }, 2);
    } else {
        pads = onnx_ints(&e->w, 8,
                         (int64_t[]){ 0, 0, 0, 0, 0, 0, n->padded_h - n->h, n->padded_w - n->w });
    }
    return onnx_node(&e->w, "Pad", (OnnxValue[]){ e->picture, pads }, 2, &mode, 1);
}

static OnnxValue luma_half(Emitter *e, OnnxValue x)
{
    static const float rgb[3] = { 0.299f, 0.587f, 0.114f };
    float weights[12];
    for (int i = 0; i < 12; i++)
        weights[i] = rgb[i / 4] / 4;
    return emit_small_conv(e, x, "const/luma_half", weights, 1, 3, 2, 2);
}

/* ---- convolution ---- */

static int conv_weights(Emitter *e, const ConvParam *p, OnnxType type, OnnxValue out[2])
{
    char name[ONNX_NAME_LENGTH];
    float *oihw = mem_alloc((size_t)p->oc * p->ci * p->kh * p->kw * sizeof(float));
    if (!oihw)
        return report_error(e->report, DAIN_ENOMEM, "out of memory for the weights of %s", p->name);
    params_unpack_conv(p, oihw);
    snprintf(name, sizeof name, "%s.weight", p->name);
    out[0] = onnx_tensor(&e->w, name, type, 4, (int64_t[]){ p->oc, p->ci, p->kh, p->kw }, oihw);
    snprintf(name, sizeof name, "%s.bias", p->name);
    out[1] = onnx_tensor(&e->w, name, type, 1, (int64_t[]){ p->oc }, p->bias);
    mem_free(oihw);
    return DAIN_OK;
}

/* act(conv(x) + add); a sum with a flow is made in floats, with features in what these are. */
static int conv(Emitter *e, const Graph *g, const Op *op, OnnxValue *out)
{
    const ConvParam *p = op->conv;
    const OnnxType type = e->half ? ONNX_HALF : ONNX_FLOAT;
    const int ph = op->dilation * (p->kh - 1) / 2, pw = op->dilation * (p->kw - 1) / 2;
    const OnnxAttr a[] = { onnx_attr_ints("kernel_shape", 2, (int64_t[]){ p->kh, p->kw }),
                           onnx_attr_ints("strides", 2, (int64_t[]){ op->stride, op->stride }),
                           onnx_attr_ints("dilations", 2,
                                          (int64_t[]){ op->dilation, op->dilation }),
                           onnx_attr_ints("pads", 4, (int64_t[]){ ph, pw, ph, pw }) };
    OnnxValue w[2];
    for (int i = 1; i < p->oc; i++)
        if (p->slope[i] != p->slope[0])
            return report_error(e->report, DAIN_EUNSUPPORTED,
                                "%s: an activation for each channel cannot be exported", p->name);
    const bool bytes = e->bytes && p->precision == TYPE_U8;
    const int error =
        bytes ? emit_bytes_conv(e, g, op, a, LENGTH(a), out) : conv_weights(e, p, type, w);
    if (error)
        return error;
    if (!bytes) {
        const OnnxValue x = emit_cast(e, in(e, g, op, 0), type);
        *out = onnx_node(&e->w, "Conv", (OnnxValue[]){ x, w[0], w[1] }, 3, a, LENGTH(a));
    }
    if (op->inputs > 1) {
        const OnnxValue add = in(e, g, op, 1);
        *out = emit_add(e, emit_cast(e, *out, add.type), add);
    }
    if (p->slope[0] != 1) {
        const OnnxAttr alpha = onnx_attr_float("alpha", p->slope[0]);
        *out = onnx_node(&e->w, "LeakyRelu", out, 1, &alpha, 1);
    }
    return DAIN_OK;
}

static OnnxValue concat(Emitter *e, const Graph *g, const Op *op)
{
    OnnxValue x[OP_MAX_IN];
    int n = 0;
    for (int i = 0; i < op->inputs; i++)
        if (!emit_takes_motion(e, g, op, i))
            x[n++] = emit_cast(e, in(e, g, op, i), e->half ? ONNX_HALF : ONNX_FLOAT);
    return emit_concat(e, 1, x, n);
}

/* ---- correlation ---- */

static OnnxValue normalise(Emitter *e, OnnxValue x)
{
    const OnnxValue d = emit_sub(e, x, emit_channel_mean(e, x));
    const OnnxValue variance = emit_channel_mean(e, emit_mul(e, d, d));
    return emit_div(e, d, emit_unary(e, "Sqrt", emit_plus(e, variance, 1e-4f)));
}

OnnxValue emit_corr(Emitter *e, OnnxValue a, OnnxValue b, int r)
{
    enum { MAX_RADIUS = 4, MAX_SIDE = 2 * MAX_RADIUS + 1 };
    OnnxValue c[MAX_SIDE * MAX_SIDE];
    const OnnxValue wide = emit_border(e, b, r, false);
    int n = 0;
    for (int dy = 0; dy <= 2 * r; dy++) {
        const OnnxValue rows = emit_slice(e, wide, 2, dy, dy < 2 * r ? dy - 2 * r : INT64_MAX);
        for (int dx = 0; dx <= 2 * r; dx++) {
            const OnnxValue q = emit_slice(e, rows, 3, dx, dx < 2 * r ? dx - 2 * r : INT64_MAX);
            c[n++] = emit_channel_mean(e, emit_mul(e, a, q));
        }
    }
    return emit_concat(e, 1, c, n);
}

/* Softmax of 16 c, then the mean of (dx, dy) under it: a convolution with these as weights. */
static OnnxValue peak(Emitter *e, OnnxValue c, int r)
{
    char name[ONNX_NAME_LENGTH];
    float offset[2 * 81];
    const int side = 2 * r + 1, n = side * side;
    for (int k = 0; k < n; k++) {
        offset[k] = (float)(k % side - r);
        offset[n + k] = (float)(k / side - r);
    }
    snprintf(name, sizeof name, "const/offsets_%d", r);
    const OnnxAttr axis = onnx_attr_int("axis", 1);
    const OnnxValue x = emit_times(e, c, 16);
    return emit_small_conv(e, onnx_node(&e->w, "Softmax", &x, 1, &axis, 1), name, offset, 2, n, 1,
                           1);
}

/* ---- projection ---- */

static OnnxValue splat_weights(Emitter *e, OnnxValue flow, OnnxValue w, float sign)
{
    const OnnxValue x = emit_unary(e, "Exp", w);
    const OnnxValue moved = emit_times(e, emit_mul(e, flow, x), sign);
    const OnnxValue one = emit_plus(e, emit_times(e, w, 0), 1); /* a plane of ones */
    return emit_concat(e, 1, (OnnxValue[]){ moved, x, one }, 3);
}

/*
 * Adds the four channels of val to the pixels around q = p + scale flow. q is kept within one pixel of
 * the map, and the sums have a border that takes what falls outside: one pixel before, two after.
 */
static OnnxValue splat(Emitter *e, const EmitLevel *l, OnnxValue val, OnnxValue flow,
                       OnnxValue scale)
{
    enum { CHANNELS = 4, CORNERS = 4 };
    OnnxValue q = emit_add(e, l->base, emit_mul(e, flow, scale));
    q = emit_binary(e, "Min", q, emit_plus(e, l->last, 1));
    q = emit_binary(e, "Max", q, onnx_scalar(&e->w, -1));
    const OnnxValue p = emit_unary(e, "Floor", q), a = emit_sub(e, q, p);
    const OnnxValue one = onnx_scalar(&e->w, 1);
    const OnnxValue ax = emit_channels(e, a, 0, 1), ay = emit_channels(e, a, 1, 1);
    const OnnxValue wx[2] = { emit_sub(e, one, ax), ax }, wy[2] = { emit_sub(e, one, ay), ay };
    /* integers from here on: a float cannot count the pixels of large pictures */
    const OnnxValue border = onnx_ints(&e->w, 1, (int64_t[]){ 3 });
    const OnnxValue row = emit_add(e, l->w, border), rows = emit_add(e, l->h, border);
    const OnnxValue unit = onnx_ints(&e->w, 1, (int64_t[]){ 1 });
    OnnxValue at = emit_add(e, emit_cast(e, p, ONNX_INT64), unit);
    at = emit_add(e, emit_mul(e, emit_channels(e, at, 1, 1), row), emit_channels(e, at, 0, 1));

    OnnxValue index[CORNERS], update[CORNERS];
    for (int i = 0; i < CORNERS; i++) {
        OnnxValue k = i & 1 ? emit_add(e, at, unit) : at;
        k = i & 2 ? emit_add(e, k, row) : k;
        const OnnxValue v = emit_mul(e, val, emit_mul(e, wx[i & 1], wy[i >> 1]));
        index[i] = emit_reshape(e, k, 2, (int64_t[]){ 1, -1 });
        update[i] = emit_reshape(e, v, 2, (int64_t[]){ CHANNELS, -1 });
    }
    const OnnxValue updates = emit_concat(e, 1, update, CORNERS);
    OnnxValue indices = emit_concat(e, 1, index, CORNERS);
    OnnxValue all = emit_unary(e, "Shape", updates);
    all.type = ONNX_INT64;
    indices = emit_binary(e, "Expand", indices, all);
    const OnnxValue four = onnx_ints(&e->w, 1, (int64_t[]){ CHANNELS });
    OnnxValue sums = emit_unary(
        e, "ConstantOfShape",
        emit_concat(e, 0, (OnnxValue[]){ four, emit_mul(e, row, rows) }, 2)); /* of float zeros */
    sums.type = ONNX_FLOAT;
    const OnnxAttr attr[] = { onnx_attr_int("axis", 1), onnx_attr_text("reduction", "add") };
    sums = onnx_node(&e->w, "ScatterElements", (OnnxValue[]){ sums, indices, updates }, 3, attr,
                     LENGTH(attr));
    const OnnxValue batch = onnx_ints(&e->w, 2, (int64_t[]){ 1, CHANNELS });
    sums = emit_binary(e, "Reshape", sums, emit_concat(e, 0, (OnnxValue[]){ batch, rows, row }, 3));
    return emit_slice(e, emit_slice(e, sums, 2, 1, -2), 3, 1, -2);
}

static OnnxValue project(Emitter *e, OnnxValue s0, OnnxValue s1)
{
    const OnnxValue s[2] = { s0, s1 }, one = onnx_scalar(&e->w, 1);
    OnnxValue c[2], seen[2], hidden[2], m[2];
    const OnnxValue box = emit_box(e, emit_channels(e, emit_add(e, s0, s1), 0, 3), 4);
    const OnnxValue far =
        emit_div(e, emit_channels(e, box, 0, 2), emit_plus(e, emit_channels(e, box, 2, 1), 1e-6f));
    for (int i = 0; i < 2; i++) {
        const OnnxValue u = emit_div(e, emit_channels(e, s[i], 0, 2),
                                     emit_plus(e, emit_channels(e, s[i], 2, 1), 1e-6f));
        c[i] = emit_binary(e, "Min", emit_channels(e, s[i], 3, 1), one);
        seen[i] = emit_mul(e, c[i], u);
        hidden[i] = emit_sub(e, one, c[i]);
    }
    for (int i = 0; i < 2; i++) {
        const int j = 1 - i;
        const OnnxValue other = emit_add(e, seen[j], emit_mul(e, hidden[j], far));
        m[i] = emit_add(e, seen[i], emit_mul(e, hidden[i], other));
    }
    const OnnxValue f0 = emit_unary(e, "Neg", emit_mul(e, m[0], e->t));
    return emit_concat(e, 1, (OnnxValue[]){ f0, emit_mul(e, m[1], e->rest), c[0], c[1] }, 4);
}

/* ---- polish, composition ---- */

/* Half the difference of the neighbours after and before, the border repeated. */
static OnnxValue gradient(Emitter *e, OnnxValue wide, bool along_x)
{
    const int axis = along_x ? 3 : 2;
    const OnnxValue line = emit_slice(e, wide, along_x ? 2 : 3, 1, -1);
    return emit_times(
        e, emit_sub(e, emit_slice(e, line, axis, 2, INT64_MAX), emit_slice(e, line, axis, 0, -2)),
        0.5f);
}

static OnnxValue polish(Emitter *e, const EmitLevel *l, OnnxValue f, OnnxValue y0, OnnxValue y1)
{
    const float robust = 4.0f / 255.0f;
    const OnnxValue f0 = emit_channels(e, f, 0, 2), f1 = emit_channels(e, f, 2, 2);
    const OnnxValue a = emit_sample(e, y0, emit_grid(e, l, f0), "bilinear");
    const OnnxValue b = emit_sample(e, y1, emit_grid(e, l, f1), "bilinear");
    const OnnxValue d = emit_sub(e, b, a);
    const OnnxValue mean = emit_add(e, emit_mul(e, a, e->t), emit_mul(e, b, e->rest));
    const OnnxValue wide = emit_border(e, mean, 1, true);
    const OnnxValue gx = gradient(e, wide, true), gy = gradient(e, wide, false);
    const OnnxValue k =
        emit_div(e, onnx_scalar(&e->w, robust), emit_plus(e, emit_unary(e, "Abs", d), robust));
    const OnnxValue kx = emit_mul(e, k, gx), ky = emit_mul(e, k, gy);
    const OnnxValue product[] = { emit_mul(e, kx, gx), emit_mul(e, kx, gy), emit_mul(e, ky, gy),
                                  emit_mul(e, kx, d), emit_mul(e, ky, d) };
    const OnnxValue box = emit_box(e, emit_concat(e, 1, product, LENGTH(product)), 2);
    const OnnxValue xx = emit_plus(e, emit_channels(e, box, 0, 1), 1e-4f);
    const OnnxValue xy = emit_channels(e, box, 1, 1);
    const OnnxValue yy = emit_plus(e, emit_channels(e, box, 2, 1), 1e-4f);
    const OnnxValue xd = emit_channels(e, box, 3, 1), yd = emit_channels(e, box, 4, 1);
    const OnnxValue det = emit_sub(e, emit_mul(e, xx, yy), emit_mul(e, xy, xy));
    const OnnxValue u = emit_sub(e, emit_mul(e, xy, yd), emit_mul(e, yy, xd));
    const OnnxValue v = emit_sub(e, emit_mul(e, xy, xd), emit_mul(e, xx, yd));
    OnnxValue step = emit_div(e, emit_concat(e, 1, (OnnxValue[]){ u, v }, 2), det);
    step = emit_clip(e, step, -1, 1);
    return emit_concat(e, 1,
                       (OnnxValue[]){ emit_sub(e, f0, emit_mul(e, step, e->t)),
                                      emit_add(e, f1, emit_mul(e, step, e->rest)) },
                       2);
}

static OnnxValue mix(Emitter *e, OnnxValue share, OnnxValue a, OnnxValue b)
{
    const OnnxValue other = emit_sub(e, onnx_scalar(&e->w, 1), share);
    return emit_add(e, emit_mul(e, share, a), emit_mul(e, other, b));
}

static OnnxValue adaptive_warp(Emitter *e, const EmitLevel *l, OnnxValue x, OnnxValue f,
                               OnnxValue k)
{
    const OnnxValue grid = emit_grid(e, l, f);
    const OnnxValue cubic = emit_sample(e, x, grid, "bicubic");
    return mix(e, k, cubic, emit_sample(e, x, grid, "bilinear"));
}

static OnnxValue compose(Emitter *e, const EmitLevel *l, const OnnxValue image[2], OnnxValue flow,
                         OnnxValue shuffled)
{
    const OnnxAttr order[] = { onnx_attr_int("blocksize", 2), onnx_attr_text("mode", "CRD") };
    const OnnxValue s = onnx_node(&e->w, "DepthToSpace", &shuffled, 1, order, LENGTH(order));
    const OnnxValue f = emit_times(e, emit_up2(e, flow), 2);
    const OnnxValue k = emit_unary(e, "Sigmoid", emit_channels(e, s, 4, 1));
    const OnnxValue bias = emit_unary(e, "Log", emit_div(e, e->rest, e->t));
    const OnnxValue m = emit_unary(e, "Sigmoid", emit_add(e, emit_channels(e, s, 0, 1), bias));
    const OnnxValue w0 = adaptive_warp(e, l, image[0], emit_channels(e, f, 0, 2), k);
    const OnnxValue w1 = adaptive_warp(e, l, image[1], emit_channels(e, f, 2, 2), k);
    const OnnxValue sum = emit_add(e, mix(e, m, w0, w1), emit_channels(e, s, 1, 3));
    const OnnxValue begin = onnx_ints(&e->w, 2, (int64_t[]){ 0, 0 });
    const OnnxValue axes = onnx_ints(&e->w, 2, (int64_t[]){ 2, 3 });
    return onnx_node(&e->w, "Slice", (OnnxValue[]){ emit_clip(e, sum, 0, 1), begin, e->size, axes },
                     4, NULL, 0);
}

/* ---- all operators ---- */

/* Those that read floats only. */
static int float_op(Emitter *e, const Graph *g, const Op *op, OnnxValue *out)
{
    OnnxValue x[4] = { 0 };
    for (int i = 0; i < op->inputs && i < 4; i++)
        if (op->in[i] >= 0)
            x[i] = emit_f32(e, in(e, g, op, i));
    const Tensor *t = shape(g, op->inputs ? op->in[0] : op->out[0]);
    switch (op->kind) {
    case OP_NORMALISE:
        *out = normalise(e, x[0]);
        break;
    case OP_CORR:
        *out = emit_corr(e, x[0], x[1], op->radius);
        break;
    case OP_WARP:
        *out =
            emit_sample(e, x[0], emit_grid(e, emit_level(e, t->h, t->w, x[0]), x[1]), "bilinear");
        break;
    case OP_PEAK:
        *out = peak(e, x[0], op->radius);
        if (op->inputs > 1)
            *out = emit_add(e, *out, x[1]);
        break;
    case OP_CLAMP_ADD:
        *out = op->inputs > 1 ? emit_add(e, x[0], x[1]) : x[0];
        if (isfinite(op->a) && isfinite(op->b))
            *out = emit_clip(e, *out, op->a, op->b);
        break;
    case OP_SPLAT_WEIGHTS:
        *out = splat_weights(e, x[0], x[1], op->a);
        break;
    case OP_SPLAT:
        *out = splat(e, emit_level(e, t->h, t->w, x[0]), x[0], x[1], op->a != 0 ? e->rest : e->t);
        break;
    case OP_PROJECT:
        *out = project(e, x[0], x[1]);
        break;
    case OP_POLISH:
        *out = polish(e, emit_level(e, t->h, t->w, x[0]), x[0], x[1], x[2]);
        break;
    case OP_COMPOSE:
        *out = compose(e, emit_level(e, t->h, t->w, x[0]), x, x[2], x[3]);
        break;
    default:
        return report_error(e->report, DAIN_EUNSUPPORTED, "%s has no form in ONNX", op->name);
    }
    return DAIN_OK;
}

static OnnxValue time_plane(Emitter *e, const Tensor *t)
{
    const EmitLevel *l = emit_level(e, t->h, t->w, e->t);
    const OnnxValue one = onnx_ints(&e->w, 2, (int64_t[]){ 1, 1 });
    return emit_binary(e, "Expand", e->t, emit_concat(e, 0, (OnnxValue[]){ one, l->h, l->w }, 3));
}

int emit_edge_op(Emitter *e, const Graph *g, const Op *op)
{
    OnnxValue out = { .name = "" };
    int error = DAIN_OK;
    snprintf(e->w.scope, sizeof e->w.scope, "%s/%s", e->prefix, op->name);
    const bool original = op->kind >= OP_PAD_LOAD || (e->original && op->kind == OP_CONV);
    switch (original ? OP_KINDS : op->kind) {
    case OP_KINDS:
        error = emit_dain_op(e, g, op, &out);
        break;
    case OP_LOAD:
        out = emit_padded_picture(e);
        break;
    case OP_SHIFT_RGB:
        out = emit_plus(e, in(e, g, op, 0), -0.5f);
        break;
    case OP_LUMA_HALF:
        out = luma_half(e, in(e, g, op, 0));
        break;
    case OP_CONV:
        error = conv(e, g, op, &out);
        break;
    case OP_CONCAT:
        out = concat(e, g, op);
        break;
    case OP_UP2:
        out = emit_up2(e, in(e, g, op, 0));
        if (op->a != 1)
            out = emit_times(e, emit_f32(e, out), op->a);
        break;
    case OP_SCALE:
        out = in(e, g, op, 0);
        if (op->a != 1)
            out = emit_times(e, emit_f32(e, out), op->a);
        break;
    case OP_CONSTANT_TIME:
        out = time_plane(e, shape(g, op->out[0]));
        break;
    default:
        error = float_op(e, g, op, &out);
    }
    if (!error && op->outputs)
        e->value[op->out[0]] = out;
    else if (!error)
        e->picture = out; /* the composition: what comes out of the network */
    return error;
}
