/* Short-hands for nodes, and values that depend on the size of the picture: see onnx_emit.h. */
#include "model/onnx_emit.h"

#include <stdio.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static OnnxValue node(Emitter *e, const char *op, const OnnxValue *in, int inputs)
{
    return onnx_node(&e->w, op, in, inputs, NULL, 0);
}

static OnnxValue ints(Emitter *e, int count, const int64_t *values)
{
    return onnx_ints(&e->w, count, values);
}

/* ---- arithmetic ---- */

OnnxValue emit_unary(Emitter *e, const char *op, OnnxValue a)
{
    return node(e, op, &a, 1);
}

OnnxValue emit_binary(Emitter *e, const char *op, OnnxValue a, OnnxValue b)
{
    return node(e, op, (OnnxValue[]){ a, b }, 2);
}

OnnxValue emit_three(Emitter *e, const char *op, OnnxValue a, OnnxValue b, OnnxValue c)
{
    return node(e, op, (OnnxValue[]){ a, b, c }, 3);
}

OnnxValue emit_add(Emitter *e, OnnxValue a, OnnxValue b)
{
    return emit_binary(e, "Add", a, b);
}

OnnxValue emit_sub(Emitter *e, OnnxValue a, OnnxValue b)
{
    return emit_binary(e, "Sub", a, b);
}

OnnxValue emit_mul(Emitter *e, OnnxValue a, OnnxValue b)
{
    return emit_binary(e, "Mul", a, b);
}

OnnxValue emit_div(Emitter *e, OnnxValue a, OnnxValue b)
{
    return emit_binary(e, "Div", a, b);
}

OnnxValue emit_plus(Emitter *e, OnnxValue a, float b)
{
    return emit_add(e, a, onnx_scalar(&e->w, b));
}

OnnxValue emit_times(Emitter *e, OnnxValue a, float b)
{
    return emit_mul(e, a, onnx_scalar(&e->w, b));
}

OnnxValue emit_clip(Emitter *e, OnnxValue x, float lo, float hi)
{
    return node(e, "Clip", (OnnxValue[]){ x, onnx_scalar(&e->w, lo), onnx_scalar(&e->w, hi) }, 3);
}

OnnxValue emit_cast(Emitter *e, OnnxValue x, OnnxType type)
{
    if (x.type == type)
        return x;
    const OnnxAttr to = onnx_attr_int("to", type);
    OnnxValue out = onnx_node(&e->w, "Cast", &x, 1, &to, 1);
    out.type = type;
    return out;
}

OnnxValue emit_f32(Emitter *e, OnnxValue x)
{
    return emit_cast(e, x, ONNX_FLOAT);
}

/* ---- shapes ---- */

OnnxValue emit_concat(Emitter *e, int axis, const OnnxValue *x, int n)
{
    const OnnxAttr a = onnx_attr_int("axis", axis);
    return onnx_node(&e->w, "Concat", x, n, &a, 1);
}

OnnxValue emit_slice(Emitter *e, OnnxValue x, int axis, int64_t first, int64_t end)
{
    return node(
        e, "Slice",
        (OnnxValue[]){ x, ints(e, 1, &first), ints(e, 1, &end), ints(e, 1, (int64_t[]){ axis }) },
        4);
}

OnnxValue emit_channels(Emitter *e, OnnxValue x, int first, int count)
{
    return emit_slice(e, x, 1, first, first + count);
}

OnnxValue emit_reshape(Emitter *e, OnnxValue x, int dims, const int64_t *shape)
{
    return emit_binary(e, "Reshape", x, ints(e, dims, shape));
}

OnnxValue emit_channel_mean(Emitter *e, OnnxValue x)
{
    const OnnxAttr a[] = { onnx_attr_ints("axes", 1, (int64_t[]){ 1 }),
                           onnx_attr_int("keepdims", 1) };
    return onnx_node(&e->w, "ReduceMean", &x, 1, a, LENGTH(a));
}

OnnxValue emit_box(Emitter *e, OnnxValue x, int r)
{
    const OnnxAttr a[] = { onnx_attr_ints("kernel_shape", 2, (int64_t[]){ 2 * r + 1, 2 * r + 1 }),
                           onnx_attr_ints("pads", 4, (int64_t[]){ r, r, r, r }),
                           onnx_attr_int("count_include_pad", 1) };
    return onnx_node(&e->w, "AveragePool", &x, 1, a, LENGTH(a));
}

OnnxValue emit_border(Emitter *e, OnnxValue x, int n, bool replicate)
{
    const OnnxAttr mode = onnx_attr_text("mode", replicate ? "edge" : "constant");
    const OnnxValue pads = ints(e, 8, (int64_t[]){ 0, 0, n, n, 0, 0, n, n });
    return onnx_node(&e->w, "Pad", (OnnxValue[]){ x, pads }, 2, &mode, 1);
}

OnnxValue emit_small_conv(Emitter *e, OnnxValue x, const char *name, const float *weights, int oc,
                          int ci, int k, int stride)
{
    const OnnxValue w =
        onnx_tensor(&e->w, name, ONNX_FLOAT, 4, (int64_t[]){ oc, ci, k, k }, weights);
    const OnnxAttr a[] = { onnx_attr_ints("kernel_shape", 2, (int64_t[]){ k, k }),
                           onnx_attr_ints("strides", 2, (int64_t[]){ stride, stride }) };
    return onnx_node(&e->w, "Conv", (OnnxValue[]){ x, w }, 2, a, LENGTH(a));
}

OnnxValue emit_up2(Emitter *e, OnnxValue x)
{
    const OnnxAttr a[] = { onnx_attr_text("mode", "linear"),
                           onnx_attr_text("coordinate_transformation_mode", "half_pixel") };
    const OnnxValue none = { .name = "" };
    const OnnxValue scales =
        onnx_tensor(&e->w, "const/twice", ONNX_FLOAT, 1, (int64_t[]){ 4 }, (float[]){ 1, 1, 2, 2 });
    return onnx_node(&e->w, "Resize", (OnnxValue[]){ x, none, scales }, 3, a, LENGTH(a));
}

OnnxValue emit_size_of(Emitter *e, OnnxValue x, int h, int w)
{
    if (!e->dynamic)
        return ints(e, 2, (int64_t[]){ h, w });
    OnnxValue shape = emit_unary(e, "Shape", x);
    shape.type = ONNX_INT64;
    return emit_slice(e, shape, 0, 2, 4);
}

/* ---- levels ---- */

/* 0 .. n-1 along one axis, as wide as the map. */
static OnnxValue coordinates(Emitter *e, const EmitLevel *l, bool along_x)
{
    const OnnxValue stop = emit_unary(e, "Squeeze", emit_f32(e, along_x ? l->w : l->h));
    const OnnxValue zero = onnx_scalar(&e->w, 0), one = onnx_scalar(&e->w, 1);
    const OnnxValue range = node(e, "Range", (OnnxValue[]){ zero, stop, one }, 3);
    const OnnxValue line = emit_reshape(
        e, range, 4, along_x ? (int64_t[]){ 1, 1, 1, -1 } : (int64_t[]){ 1, 1, -1, 1 });
    const OnnxValue shape =
        emit_concat(e, 0, (OnnxValue[]){ ints(e, 2, (int64_t[]){ 1, 1 }), l->h, l->w }, 3);
    return emit_binary(e, "Expand", line, shape);
}

const EmitLevel *emit_level(Emitter *e, int h, int w, OnnxValue like)
{
    int i = 0;
    while (i < EMIT_LEVELS - 1 && h << i < e->network->padded_h)
        i++;
    EmitLevel *const l = &e->level[i];
    if (l->made)
        return l;
    const OnnxValue size = emit_size_of(e, like, h, w);
    l->h = emit_slice(e, size, 0, 0, 1);
    l->w = emit_slice(e, size, 0, 1, 2);
    l->base =
        emit_concat(e, 1, (OnnxValue[]){ coordinates(e, l, true), coordinates(e, l, false) }, 2);
    const OnnxValue wh = emit_f32(e, emit_concat(e, 0, (OnnxValue[]){ l->w, l->h }, 2));
    l->last = emit_reshape(e, emit_plus(e, wh, -1), 4, (int64_t[]){ 1, 2, 1, 1 });
    l->two_by_last = emit_div(e, onnx_scalar(&e->w, 2), l->last);
    l->made = true;
    return l;
}

OnnxValue emit_grid(Emitter *e, const EmitLevel *level, OnnxValue flow)
{
    OnnxValue q = emit_add(e, level->base, flow);
    q = emit_binary(e, "Max", emit_binary(e, "Min", q, level->last), onnx_scalar(&e->w, 0));
    q = emit_plus(e, emit_mul(e, q, level->two_by_last), -1);
    const OnnxAttr order = onnx_attr_ints("perm", 4, (int64_t[]){ 0, 2, 3, 1 });
    return onnx_node(&e->w, "Transpose", &q, 1, &order, 1);
}

OnnxValue emit_sample(Emitter *e, OnnxValue x, OnnxValue grid, const char *mode)
{
    const OnnxAttr a[] = { onnx_attr_text("mode", mode), onnx_attr_text("padding_mode", "border"),
                           onnx_attr_int("align_corners", 1) };
    return onnx_node(&e->w, "GridSample", (OnnxValue[]){ x, grid }, 2, a, LENGTH(a));
}
