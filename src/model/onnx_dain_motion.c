/* What moves pixels in the original network, as nodes of standard ONNX: docs/dain.md, section 4. Scatters
 * that add make the sums, running maxima in steps of powers of two find the nearest pixels, GridSample
 * in its mode "nearest" fetches. */
#include "model/onnx_dain.h"

#include <stdio.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { MAX_SIDE_BITS = 14 }; /* sides up to 2^14 */

static OnnxValue compare(Emitter *e, const char *op, OnnxValue a, OnnxValue b)
{
    OnnxValue v = emit_binary(e, op, a, b);
    v.type = ONNX_BOOL;
    return v;
}

static OnnxValue both(Emitter *e, OnnxValue a, OnnxValue b)
{
    return emit_binary(e, "And", a, b);
}

static OnnxValue where(Emitter *e, OnnxValue condition, OnnxValue a, OnnxValue b)
{
    OnnxValue v = onnx_node(&e->w, "Where", (OnnxValue[]){ condition, a, b }, 3, NULL, 0);
    v.type = a.type;
    return v;
}

static OnnxValue scalar(Emitter *e, float v)
{
    return onnx_scalar(&e->w, v);
}

/* True where both channels are. */
static OnnxValue all_channels(Emitter *e, OnnxValue two)
{
    const OnnxAttr a[] = { onnx_attr_ints("axes", 1, (int64_t[]){ 1 }),
                           onnx_attr_int("keepdims", 1) };
    const OnnxValue x = emit_f32(e, two);
    const OnnxValue least = onnx_node(&e->w, "ReduceMin", &x, 1, a, LENGTH(a));
    return compare(e, "Greater", least, scalar(e, 0.5f));
}

/* Whether 0 <= q <= last, for x and y. */
static OnnxValue inside(Emitter *e, const EmitLevel *l, OnnxValue q)
{
    return both(e, compare(e, "GreaterOrEqual", q, scalar(e, 0)),
                compare(e, "LessOrEqual", q, l->last));
}

/* Kept in the map. */
static OnnxValue clamp(Emitter *e, const EmitLevel *l, OnnxValue q)
{
    return emit_binary(e, "Max", emit_binary(e, "Min", q, l->last), scalar(e, 0));
}

static OnnxValue to_grid(Emitter *e, const EmitLevel *l, OnnxValue q)
{
    const OnnxAttr order = onnx_attr_ints("perm", 4, (int64_t[]){ 0, 2, 3, 1 });
    const OnnxValue g = emit_plus(e, emit_div(e, emit_times(e, q, 2), l->last), -1);
    return onnx_node(&e->w, "Transpose", &g, 1, &order, 1);
}

static OnnxValue sample(Emitter *e, OnnxValue x, OnnxValue grid, const char *mode,
                        const char *padding)
{
    const OnnxAttr a[] = { onnx_attr_text("mode", mode), onnx_attr_text("padding_mode", padding),
                           onnx_attr_int("align_corners", 1) };
    return onnx_node(&e->w, "GridSample", (OnnxValue[]){ x, grid }, 2, a, LENGTH(a));
}

OnnxValue emit_pwc_warp(Emitter *e, const EmitLevel *l, OnnxValue x, OnnxValue flow)
{
    const OnnxValue grid = to_grid(e, l, emit_add(e, l->base, flow));
    const OnnxValue ones =
        emit_plus(e, emit_times(e, emit_channels(e, l->base, 0, 1), 0), 1); /* of that size */
    const OnnxValue weight = sample(e, ones, grid, "bilinear", "zeros");
    const OnnxValue kept = compare(e, "GreaterOrEqual", weight, scalar(e, 0.9999f));
    return emit_mul(e, sample(e, x, grid, "bilinear", "zeros"), emit_f32(e, kept));
}

/* ---- projection ---- */

OnnxValue emit_flow_splat(Emitter *e, const EmitLevel *l, OnnxValue flow, OnnxValue weight)
{
    enum { SUMS = 3, CORNERS = 4 };
    const OnnxValue q = emit_add(e, l->base, flow);
    const OnnxValue hit = emit_f32(e, all_channels(e, inside(e, l, q)));
    const OnnxValue w = emit_mul(e, weight, hit);
    const OnnxValue moved = emit_unary(e, "Neg", emit_mul(e, flow, w));
    const OnnxValue update = emit_reshape(e, emit_concat(e, 1, (OnnxValue[]){ moved, w }, 2), 2,
                                          (int64_t[]){ SUMS, -1 });
    const OnnxValue first = emit_unary(e, "Floor", clamp(e, l, q));
    const OnnxValue next = emit_binary(e, "Min", emit_plus(e, first, 1), l->last);
    const OnnxValue corner[2] = { emit_cast(e, first, ONNX_INT64), emit_cast(e, next, ONNX_INT64) };
    OnnxValue index[CORNERS], updates[CORNERS];
    for (int i = 0; i < CORNERS; i++) {
        const OnnxValue row = emit_mul(e, emit_channels(e, corner[i >> 1], 1, 1), l->w);
        index[i] = emit_reshape(e, emit_add(e, row, emit_channels(e, corner[i & 1], 0, 1)), 2,
                                (int64_t[]){ 1, -1 });
        updates[i] = update;
    }
    const OnnxValue all = emit_concat(e, 1, updates, CORNERS);
    OnnxValue shape = emit_unary(e, "Shape", all);
    shape.type = ONNX_INT64;
    const OnnxValue indices = emit_binary(e, "Expand", emit_concat(e, 1, index, CORNERS), shape);
    const OnnxValue sums_ = onnx_ints(&e->w, 1, (int64_t[]){ SUMS });
    OnnxValue sums =
        emit_unary(e, "ConstantOfShape",
                   emit_concat(e, 0, (OnnxValue[]){ sums_, emit_mul(e, l->h, l->w) }, 2));
    sums.type = ONNX_FLOAT;
    const OnnxAttr attr[] = { onnx_attr_int("axis", 1), onnx_attr_text("reduction", "add") };
    sums = onnx_node(&e->w, "ScatterElements", (OnnxValue[]){ sums, indices, all }, 3, attr,
                     LENGTH(attr));
    const OnnxValue batch = onnx_ints(&e->w, 2, (int64_t[]){ 1, SUMS });
    return emit_binary(e, "Reshape", sums,
                       emit_concat(e, 0, (OnnxValue[]){ batch, l->h, l->w }, 3));
}

OnnxValue emit_flow_mean(Emitter *e, OnnxValue sums)
{
    const OnnxValue count = emit_channels(e, sums, 2, 1);
    const OnnxValue hit = compare(e, "Greater", count, scalar(e, 0));
    return emit_div(e, emit_channels(e, sums, 0, 2), where(e, hit, count, scalar(e, 1)));
}

/* The maximum of every pixel and all before it along an axis; `after`: and all behind it. */
static OnnxValue running_max(Emitter *e, OnnxValue x, int axis, bool after, int side)
{
    const OnnxValue least = scalar(e, -1e9f);
    for (int bit = 0; bit < MAX_SIDE_BITS && (e->dynamic || 1 << bit < side); bit++) {
        const int64_t step = (int64_t)1 << bit;
        int64_t pads[8] = { 0 };
        pads[axis + (after ? 4 : 0)] = step;
        const OnnxValue wide = emit_three(e, "Pad", x, onnx_ints(&e->w, 8, pads), least);
        const OnnxValue moved = after ? emit_slice(e, wide, axis, step, INT64_MAX)
                                      : emit_slice(e, wide, axis, 0, -step);
        x = emit_binary(e, "Max", x, moved);
    }
    return x;
}

/* Adds the flow of the nearest pixel that was hit, on one side. */
static void add_nearest(Emitter *e, const EmitLevel *l, OnnxValue flow, OnnxValue hit, int axis,
                        bool after, int side, OnnxValue *total, OnnxValue *found)
{
    const OnnxValue place = emit_channels(e, l->base, axis == 3 ? 0 : 1, 1);
    const OnnxValue none = scalar(e, -1e8f);
    /* Behind a pixel the nearest one has the least place: the greatest of minus the place. */
    const OnnxValue marked = where(e, hit, after ? emit_unary(e, "Neg", place) : place, none);
    const OnnxValue best = running_max(e, marked, axis, after, side);
    const OnnxValue is = compare(e, "Greater", best, scalar(e, -1e7f));
    const OnnxValue at = where(e, is, after ? emit_unary(e, "Neg", best) : best, scalar(e, 0));
    const OnnxValue whole = emit_cast(e, at, ONNX_INT64), own = emit_cast(e, l->base, ONNX_INT64);
    const OnnxValue row = axis == 3 ? emit_channels(e, own, 1, 1) : whole;
    const OnnxValue column = axis == 3 ? whole : emit_channels(e, own, 0, 1);
    const OnnxValue index =
        emit_reshape(e, emit_add(e, emit_mul(e, row, l->w), column), 2, (int64_t[]){ 1, -1 });
    const OnnxValue plane = emit_reshape(e, flow, 2, (int64_t[]){ 2, -1 });
    OnnxValue shape = emit_unary(e, "Shape", plane), map = emit_unary(e, "Shape", flow);
    shape.type = map.type = ONNX_INT64;
    const OnnxAttr attr = onnx_attr_int("axis", 1);
    const OnnxValue near =
        onnx_node(&e->w, "GatherElements",
                  (OnnxValue[]){ plane, emit_binary(e, "Expand", index, shape) }, 2, &attr, 1);
    const OnnxValue one = emit_f32(e, is);
    const OnnxValue value = emit_mul(e, emit_binary(e, "Reshape", near, map), one);
    *total = total->name[0] ? emit_add(e, *total, value) : value;
    *found = found->name[0] ? emit_add(e, *found, one) : one;
}

OnnxValue emit_fill_holes(Emitter *e, const EmitLevel *l, int w, int h, OnnxValue flow,
                          OnnxValue count)
{
    const OnnxValue hit = compare(e, "Greater", count, scalar(e, 0));
    OnnxValue total = { .name = "" }, found = { .name = "" };
    for (int side = 0; side < 4; side++)
        add_nearest(e, l, flow, hit, side < 2 ? 3 : 2, side & 1, side < 2 ? w : h, &total, &found);
    const OnnxValue mean = emit_div(e, total, emit_binary(e, "Max", found, scalar(e, 1)));
    return where(e, hit, flow, mean);
}

/* ---- adaptive warp ---- */

/* Where the taps are and what they weigh. */
static void make_filter(Emitter *e, const EmitLevel *l, OnnxValue flow, OnnxValue kern,
                        EmitFilter *f)
{
    const OnnxValue size = emit_plus(e, l->last, 1), one = scalar(e, 1);
    const OnnxValue q = emit_add(e, l->base, flow);
    const OnnxValue near =
        compare(e, "Less", emit_unary(e, "Abs", flow), emit_times(e, size, 0.5f));
    f->ok = all_channels(e, both(e, inside(e, l, q), near));
    const OnnxValue safe = clamp(e, l, q), first = emit_unary(e, "Floor", safe);
    const OnnxValue a = emit_sub(e, safe, first), b = emit_sub(e, one, a);
    const OnnxValue across[2] = { emit_channels(e, b, 0, 1), emit_channels(e, a, 0, 1) };
    const OnnxValue down[2] = { emit_channels(e, b, 1, 1), emit_channels(e, a, 1, 1) };
    OnnxValue place[4];
    for (int i = 0; i < 4; i++)
        place[i] = clamp(e, l, emit_plus(e, first, (float)(i - 1)));
    for (int k = 0; k < EMIT_TAPS; k++) {
        const int j = k >> 2, i = k & 3;
        const OnnxValue both_axes[] = { emit_channels(e, place[i], 0, 1),
                                        emit_channels(e, place[j], 1, 1) };
        const OnnxValue share = emit_mul(e, down[j >> 1], across[i >> 1]);
        f->grid[k] = to_grid(e, l, emit_concat(e, 1, both_axes, 2));
        f->weight[k] = emit_mul(e, share, emit_channels(e, kern, k, 1));
    }
}

OnnxValue emit_filter(Emitter *e, const Graph *g, const EmitLevel *l, int flow, int kern,
                      OnnxValue x)
{
    int n = 0;
    while (n < EMIT_FILTERS - 1 && e->filter[n].made && e->filter[n].flow != flow)
        n++;
    EmitFilter *const f = &e->filter[n];
    if (!f->made || f->flow != flow)
        make_filter(e, l, emit_f32(e, emit_tensor(e, g, flow)),
                    emit_f32(e, emit_tensor(e, g, kern)), f);
    f->made = true;
    f->flow = flow;
    OnnxValue sum = { .name = "" };
    for (int k = 0; k < EMIT_TAPS; k++) {
        const OnnxValue tap =
            emit_mul(e, sample(e, x, f->grid[k], "nearest", "border"), f->weight[k]);
        sum = k ? emit_add(e, sum, tap) : tap;
    }
    return where(e, f->ok, sum, x);
}
