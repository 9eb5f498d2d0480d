/* The operators of the networks: each one a row of the table at the end of this file. */
#include "graph/ops.h"

#include "graph/dain_ops.h"
#include "graph/ops_conv.h"
#include "graph/ops_shared.h"

#include <math.h>
#include <string.h>

/* ---- picture ---- */

static void load_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const int halo = r->graph->tensors[r->op->out[0]].halo, h = r->out[0].h;
    kernels(r)->image_load_f32(&r->out[0], r->run->input, halo, y0 ? y0 : -halo,
                               y1 < h ? y1 : h + halo);
}

static void shift_rgb_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->shift_rgb_f32(&r->out[0], &r->in[0], y0, y1);
}

static void luma_half_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->luma_half_f32(&r->out[0], &r->in[0], y0, y1);
}

static Reach luma_reach(const Graph *g, const Op *op, int i)
{
    return (Reach){ .mul = 2, .div = 1, .after = 1 };
}

/* ---- resampling, arithmetic ---- */

static void up2_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const View8 out8 = view8(r->out[0]), in8 = view8(r->in[0]);
    const View16 out16 = view16(r->out[0]), in16 = view16(r->in[0]);
    if (r->in_type[0] == TYPE_U8)
        kernels(r)->up2_u8(&out8, &in8, y0, y1);
    else if (r->in_type[0] == TYPE_BF16)
        kernels(r)->up2_bf16(&out16, &in16, y0, y1);
    else
        kernels(r)->up2_f32(&r->out[0], &r->in[0], r->op->a, y0, y1);
}

static Reach up2_reach(const Graph *g, const Op *op, int i)
{
    return (Reach){ .mul = 1, .div = 2, .before = 1, .after = 1 };
}

static void scale_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const View8 out8 = view8(r->out[0]), in8 = view8(r->in[0]);
    if (r->in_type[0] == TYPE_U8)
        kernels(r)->copy_u8(&out8, &in8, y0, y1);
    else
        kernels(r)->scale_f32(&r->out[0], &r->in[0], r->op->a, y0, y1);
}

static void constant_time_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->fill_f32(&r->out[0], r->t, y0, y1);
}

static void clamp_add_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->clamp_add_f32(&r->out[0], &r->in[0], &r->in[1], r->op->a, r->op->b, y0, y1);
}

/* ---- motion ---- */

static void normalise_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->normalise_f32(&r->out[0], &r->in[0], y0, y1);
}

static void corr_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->corr_f32(&r->out[0], &r->in[0], &r->in[1], r->op->radius, y0, y1);
}

static int corr_halo(const Op *op, int i)
{
    return i == 1 ? op->radius : 0;
}

static Reach corr_reach(const Graph *g, const Op *op, int i)
{
    return around(i == 1 ? op->radius : 0);
}

static double corr_macs(const Graph *g, const Op *op)
{
    const Tensor *o = &g->tensors[op->out[0]];
    return (double)o->w * o->h * o->c * g->tensors[op->in[0]].c;
}

static void warp_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const View8 out8 = view8(r->out[0]), in8 = view8(r->in[0]);
    const View16 out16 = view16(r->out[0]), in16 = view16(r->in[0]);
    if (r->in_type[0] == TYPE_U8)
        kernels(r)->warp_bilinear_u8(&out8, &in8, &r->in[1], y0, y1);
    else if (r->in_type[0] == TYPE_BF16)
        kernels(r)->warp_bilinear_bf16(&out16, &in16, &r->in[1], y0, y1);
    else
        kernels(r)->warp_bilinear_f32(&r->out[0], &r->in[0], &r->in[1], y0, y1);
}

/* The neighbour of the last pixel is read, and ignored. */
static int warp_halo(const Op *op, int i)
{
    return i == 0 ? 1 : 0;
}

static Reach warp_reach(const Graph *g, const Op *op, int i)
{
    return i == 0 ? any_row() : around(0);
}

static void peak_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->peak_f32(&r->out[0], &r->in[1], &r->in[0], r->op->radius, y0, y1);
}

static void splat_weights_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->splat_weights_f32(&r->out[0], &r->in[0], &r->in[1], r->op->a, y0, y1);
}

static void splat_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->splat_f32(&r->out[0], &r->in[0], &r->in[1], r->op->a != 0 ? r->one_minus_t : r->t);
}

static void project_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->project_merge_f32(&r->out[0], &r->in[0], &r->in[1], r->t, y0, y1);
}

/* By what the accelerations seen fall short of those between frames: a path that swings within a
 * few frames has more of them than its ends show. Chosen on training clips, docs/edge.md. */
#define ACCELERATION_GAIN 1.3f

static void mix_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const MixKind kind = r->op->mix;
    const float ratio = kind == MIX_BEFORE ? r->run->before : r->run->after;
    float x = 1, y = 0;
    switch (kind) {
    case MIX_BEFORE:
    case MIX_AFTER:
        if (r->run->before <= 0 ||
            r->run->after <= 0) { /* the flows of neighbours may not be there */
            kernels(r)->fill_f32(&r->out[0], 0, y0, y1);
            return;
        }
        x = 2 / (ratio + 1);
        y = 2 / (ratio * (ratio + 1));
        break;
    case MIX_LIMIT:
        kernels(r)->limit_f32(&r->out[0], &r->in[0], &r->in[1], ACCELERATION_GAIN, y0, y1);
        return;
    case MIX_MEAN:
        x = y = 0.5f;
        break;
    case MIX_BEND0:
        y = -0.5f * r->one_minus_t;
        break;
    case MIX_BEND1:
        y = -0.5f * r->t;
        break;
    case MIX_CURVE:
        y = 0.5f * r->t * r->one_minus_t;
        break;
    }
    const int c = r->in[1].c;
    for (int k = 0; k < r->out[0].c; k += c) {
        const View out = with_channels(r->out[0], k, c), in = with_channels(r->in[0], k, c);
        kernels(r)->mix_f32(&out, &in, &r->in[1], x, y, y0, y1);
    }
}

static int project_halo(const Op *op, int i)
{
    return 4;
}

static Reach project_reach(const Graph *g, const Op *op, int i)
{
    return around(4);
}

static void polish_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const PolishArgs args = { r->out[0], r->in[0], r->in[1], r->in[2], r->t };
    kernels(r)->lk_polish_f32(&args, scratch, y0, y1);
}

static size_t polish_scratch(const Graph *g, const Op *op)
{
    return lk_polish_scratch(g->tensors[op->in[0]].w);
}

static int polish_halo(const Op *op, int i)
{
    return i == 0 ? 0 : 1;
}

/* Two rows of products on either side, which need one of the warped lumas more. */
static Reach polish_reach(const Graph *g, const Op *op, int i)
{
    return i == 0 ? around(3) : any_row();
}

/* ---- composition ---- */

/* ln of num / den in double precision, the same bits everywhere (libm's log is not). The argument
 * is brought to [2/3, 4/3) by a power of two; then ln x = 2 atanh((x-1)/(x+1)). */
static double log_ratio(int64_t num, int64_t den)
{
    int e;
    double x = frexp((double)num / (double)den, &e);
    if (x < 2.0 / 3.0) {
        x *= 2;
        e--;
    }
    const double s = (x - 1) / (x + 1), q = s * s;
    double sum = 0;
    for (int k = 25; k >= 1; k -= 2)
        sum = sum * q + 1.0 / k;
    return 2 * s * sum + e * 0.69314718055994530942;
}

/* Channels of the rows that compose_rows() works on, in its order. */
static const int compose_channels[] = { 4, 5, 1, 1, 4, 4, 4 };
enum { COMPOSE_ROWS = sizeof compose_channels / sizeof *compose_channels };

static size_t compose_scratch(const Graph *g, const Op *op)
{
    size_t floats = 0;
    for (int i = 0; i < COMPOSE_ROWS; i++)
        floats += row_floats(g->tensors[op->in[0]].w, compose_channels[i]);
    return floats;
}

/* "Composition" in docs/edge.md, row by row: nothing at full resolution but the pictures is kept in
 * memory. */
static void compose_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const Kernels *k = kernels(r);
    const View *img0 = &r->in[0], *img1 = &r->in[1];
    const int w = img0->w, h = img0->h, crop = r->graph->network->w;
    const float bias = (float)log_ratio(r->run->den - r->run->num, r->run->num);
    View flow, s, mask, sharp, warp0, warp1, out;
    View *const rows[COMPOSE_ROWS] = { &flow, &s, &mask, &sharp, &warp0, &warp1, &out };
    for (int i = 0; i < COMPOSE_ROWS; i++) {
        *rows[i] = row_buffer(&scratch, w, compose_channels[i]);
        rows[i]->h = h;
    }
    mask.w = sharp.w = warp0.w = warp1.w = out.w = crop; /* nobody sees the padding */
    const View flow0 = with_channels(flow, 0, 2), flow1 = with_channels(flow, 2, 2);
    const View logit = with_channels(s, 0, 1), residual = with_channels(s, 1, 3);
    const View sharp_logit = with_channels(s, 4, 1);

    for (int y = y0; y < y1; y++) {
        k->up2_f32(&flow, &r->in[2], 2, y, y + 1);
        k->shuffle2_f32(&s, &r->in[3], y, y + 1);
        k->sigmoid_f32(&mask, &logit, bias, y, y + 1);
        k->sigmoid_f32(&sharp, &sharp_logit, 0, y, y + 1);
        k->awarp_f32(&warp0, img0, &flow0, &sharp, y, y + 1);
        k->awarp_f32(&warp1, img1, &flow1, &sharp, y, y + 1);
        k->blend_f32(&out, &warp0, &warp1, &mask, &residual, y, y + 1);
        k->image_store_f32(r->run->output, &out, y, y + 1);
    }
}

static int compose_halo(const Op *op, int i)
{
    return i < 2 ? 2 : 0;
}

static Reach compose_reach(const Graph *g, const Op *op, int i)
{
    return i < 2 ? any_row() : (Reach){ .mul = 1, .div = 2, .before = 1, .after = 1 };
}

/* ---- table ---- */

static const OpInfo table[OP_PAD_LOAD] = {
    [OP_LOAD] = { .name = "load", .rows = load_rows, .min_rows = 8 },
    [OP_SHIFT_RGB] = { .name = "shift", .rows = shift_rgb_rows, .min_rows = 8 },
    [OP_LUMA_HALF] = { .name = "luma", .rows = luma_half_rows, .min_rows = 8, .reach = luma_reach },
    [OP_CONV] = { .name = "conv",
                  .rows = op_conv_rows,
                  .min_rows = 2,
                  .halo = op_conv_halo,
                  .reach = op_conv_reach,
                  .scratch = op_conv_scratch,
                  .macs = op_conv_macs },
    [OP_UP2] = { .name = "up2", .rows = up2_rows, .min_rows = 4, .reach = up2_reach },
    [OP_NORMALISE] = { .name = "normalise", .rows = normalise_rows, .min_rows = 4 },
    [OP_CORR] = { .name = "corr",
                  .rows = corr_rows,
                  .min_rows = 2,
                  .halo = corr_halo,
                  .reach = corr_reach,
                  .macs = corr_macs },
    [OP_WARP] = { .name = "warp",
                  .rows = warp_rows,
                  .min_rows = 4,
                  .halo = warp_halo,
                  .reach = warp_reach },
    [OP_PEAK] = { .name = "peak", .rows = peak_rows, .min_rows = 4 },
    [OP_SCALE] = { .name = "scale", .rows = scale_rows, .min_rows = 8 },
    [OP_CONSTANT_TIME] = { .name = "time", .rows = constant_time_rows, .min_rows = 16 },
    [OP_CLAMP_ADD] = { .name = "add", .rows = clamp_add_rows, .min_rows = 8 },
    [OP_SPLAT_WEIGHTS] = { .name = "splat weights", .rows = splat_weights_rows, .min_rows = 4 },
    [OP_SPLAT] = { .name = "splat", .rows = splat_rows, .zero_output = true },
    [OP_PROJECT] = { .name = "project",
                     .rows = project_rows,
                     .min_rows = 8,
                     .halo = project_halo,
                     .reach = project_reach },
    [OP_MIX] = { .name = "mix", .rows = mix_rows, .min_rows = 8 },
    [OP_POLISH] = { .name = "polish",
                    .rows = polish_rows,
                    .min_rows = 24,
                    .halo = polish_halo,
                    .reach = polish_reach,
                    .scratch = polish_scratch },
    [OP_COMPOSE] = { .name = "compose",
                     .rows = compose_rows,
                     .min_rows = 4,
                     .halo = compose_halo,
                     .reach = compose_reach,
                     .scratch = compose_scratch },
    [OP_CONCAT] = { .name = "concat" },
};

const OpInfo *op_info(OpKind kind)
{
    return kind >= OP_PAD_LOAD ? dain_op_info(kind) : &table[kind];
}

/* ---- types ---- */

/* What has to go through floats: input i where the kernel wants floats of the same row, the output
 * where it cannot write the type. */
typedef struct Conversion {
    bool in[OP_MAX_IN], out;
} Conversion;

static bool same_scale(const Graph *g, const Op *op)
{
    const Tensor *in = &g->tensors[op->in[0]], *out = &g->tensors[op->out[0]];
    return in->type == TYPE_U8 && out->type == TYPE_U8 && in->scale == out->scale &&
           in->zero == out->zero && op->a == 1;
}

static Conversion find_conversion(const Graph *g, const Op *op)
{
    Conversion c = { { false }, false };
    const DataType out = op->outputs ? g->tensors[op->out[0]].type : TYPE_F32;
    const DataType in = op->inputs && op->in[0] >= 0 ? g->tensors[op->in[0]].type : TYPE_F32;
    switch (op->kind) {
    case OP_CONV:
        c.out = out != TYPE_F32 && out != in;
        if (op->in[1] >= 0) { /* a residual of another type than the output: both in floats */
            c.out |= out != TYPE_F32 && g->tensors[op->in[1]].type != out;
            c.in[1] = g->tensors[op->in[1]].type != (c.out ? TYPE_F32 : out);
        }
        break;
    case OP_UP2:
    case OP_WARP:
        c.out = out != in; /* then the input is float: the planner saw to it */
        break;
    case OP_SCALE:
        if (same_scale(g, op))
            break;
        /* fall through */
    default:
        c.out = out != TYPE_F32;
        c.in[0] = in != TYPE_F32;
    }
    return c;
}

static size_t tensor_row(const Graph *g, int tensor)
{
    return row_floats(g->tensors[tensor].w, g->tensors[tensor].c);
}

size_t op_scratch(const Graph *g, const Op *op)
{
    const OpInfo *info = op_info(op->kind);
    const Conversion c = find_conversion(g, op);
    size_t floats = info->scratch ? info->scratch(g, op) : 0;
    for (int i = 0; i < op->inputs; i++)
        floats += c.in[i] ? tensor_row(g, op->in[i]) : 0;
    return floats + (c.out ? tensor_row(g, op->out[0]) : 0);
}

static void read_row(const OpRun *r, int i, const View *row, int y)
{
    const Tensor *t = &r->graph->tensors[r->op->in[i]];
    const View8 in8 = view8(r->in[i]);
    const View16 in16 = view16(r->in[i]);
    if (t->type == TYPE_U8)
        kernels(r)->dequantise_u8_f32(row, &in8, t->scale, t->zero, y, y + 1);
    else
        kernels(r)->bf16_to_f32(row, &in16, y, y + 1);
}

static void write_row(const OpRun *r, const View *row, int y)
{
    const Tensor *t = &r->graph->tensors[r->op->out[0]];
    const View8 out8 = view8(r->out[0]);
    const View16 out16 = view16(r->out[0]);
    if (t->type == TYPE_U8)
        kernels(r)->quantise_f32_u8(&out8, row, 1 / t->scale, t->zero, y, y + 1);
    else
        kernels(r)->f32_to_bf16(&out16, row, y, y + 1);
}

static View row_of(const View *v, float **scratch)
{
    View row = row_buffer(scratch, v->w, v->c);
    row.h = v->h;
    return row;
}

void op_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const OpInfo *info = op_info(r->op->kind);
    const Conversion c = find_conversion(r->graph, r->op);
    OpRun f = *r;
    bool any = c.out;
    for (int i = 0; i < r->op->inputs; i++)
        if (c.in[i]) {
            f.in[i] = row_of(&r->in[i], &scratch);
            f.in_type[i] = TYPE_F32;
            any = true;
        }
    if (c.out) {
        f.out[0] = row_of(&r->out[0], &scratch);
        f.out_type = TYPE_F32;
    }
    if (!any) {
        info->rows(r, y0, y1, scratch);
        return;
    }
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < r->op->inputs; i++)
            if (c.in[i])
                read_row(r, i, &f.in[i], y);
        info->rows(&f, y, y + 1, scratch);
        if (c.out)
            write_row(r, &f.out[0], y);
    }
}

double op_macs(const Graph *g, const Op *op)
{
    const OpInfo *info = op_info(op->kind);
    return info->macs ? info->macs(g, op) : 0;
}

double graph_macs(const Graph *g)
{
    double sum = 0;
    for (int i = 0; i < g->op_count; i++)
        sum += op_macs(g, &g->ops[i]);
    return sum;
}
