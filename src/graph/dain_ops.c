/* Operators of the original network, as rows of the operator table. Builders: dain_ops_add.c. */
#include "graph/dain_ops.h"
#include "graph/ops_shared.h"

#include <math.h>
#include <string.h>

enum {
    CORR_RADIUS = 4,
    WARP_CONV_ROWS = 16, /* warped features are made for so many rows of output at a time */
    SCRATCH_SLACK = 32   /* floats that kernels may read behind what they use */
};
#define FLOW_UNIT 20.0f /* pixels per unit of the flow network's output */

/* ---- reach ---- */

static Reach corr_leaky_reach(const Graph *g, const Op *op, int i)
{
    return around(i == 1 ? CORR_RADIUS : 0);
}

/* Warps: the first input anywhere. */
static Reach warp_reach(const Graph *g, const Op *op, int i)
{
    return i == 0 ? (Reach){ .whole = true } : around(0);
}

static Reach pool2_reach(const Graph *g, const Op *op, int i)
{
    return (Reach){ .mul = 2, .div = 1, .after = 1 };
}

static Reach nearest2_reach(const Graph *g, const Op *op, int i)
{
    return (Reach){ .mul = 1, .div = 2 };
}

static Reach up4_reach(const Graph *g, const Op *op, int i)
{
    return (Reach){ .mul = 1, .div = 4, .before = 1, .after = 1 };
}

/* Flow and kernels as far as the convolution needs warped features, the sum in its place. */
static Reach warp_conv_reach(const Graph *g, const Op *op, int i)
{
    return i == 0 ? (Reach){ .whole = true } : around(i < 3 ? op->conv->kh / 2 : 0);
}

/* Rows of the picture from rows of the padded one. */
static Reach finish_reach(const Graph *g, const Op *op, int i)
{
    const int top = g->network->pad_top;
    return (Reach){ .mul = 1, .div = 1, .before = -top, .after = top };
}

/* ---- rows ---- */

static void pad_load_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const Network *n = r->graph->network;
    /* The kernel repeats edges beyond the picture and, as a halo, before it. */
    View v = r->out[0];
    v.data = view_at(&v, n->pad_top, n->pad_left);
    v.w -= 2 * n->pad_left;
    kernels(r)->image_load_f32(&v, r->run->input, n->pad_left, y0 - n->pad_top, y1 - n->pad_top);
}

static void corr_leaky_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->corr_f32(&r->out[0], &r->in[0], &r->in[1], CORR_RADIUS, y0, y1);
    kernels(r)->leaky_f32(&r->out[0], &r->out[0], 0.1f, y0, y1);
}

static int corr_leaky_halo(const Op *op, int i)
{
    return i == 1 ? CORR_RADIUS : 0;
}

static double corr_leaky_macs(const Graph *g, const Op *op)
{
    const Tensor *o = &g->tensors[op->out[0]];
    return (double)o->w * o->h * o->c * g->tensors[op->in[0]].c;
}

static void pwc_warp_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->pwc_warp_f32(&r->out[0], &r->in[0], &r->in[1], r->op->a, y0, y1);
}

static void pool2_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->pool2_f32(&r->out[0], &r->in[0], r->op->a != 0, y0, y1);
}

static void nearest2_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->nearest2_f32(&r->out[0], &r->in[0], y0, y1);
}

static void up4_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const float t = r->op->a != 0 ? r->one_minus_t : r->t;
    kernels(r)->up4_f32(&r->out[0], &r->in[0], FLOW_UNIT, t, y0, y1);
}

/* One parity of the output: a picture of half its size with every stride doubled. Not by rows. */
static void deconv_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const int py = r->op->radius >> 1, px = r->op->radius & 1;
    const ConvParam *p = r->op->conv;
    View in = r->in[0], out = r->out[0];
    in.data = view_at(&in, py - 1, px - 1);
    out.data = view_at(&out, py, px);
    out.row *= 2;
    out.px *= 2;
    out.w /= 2;
    out.h /= 2;
    const ConvArgs args = { .in = in,
                            .out = out,
                            .weights = p->weights,
                            .bias = p->bias,
                            .slope = p->slope,
                            .kh = 2,
                            .kw = 2,
                            .stride = 1,
                            .dilation = 1 };
    kernels(r)->conv_f32(&args, 0, out.h);
}

static int deconv_halo(const Op *op, int i)
{
    return 1;
}

static double deconv_macs(const Graph *g, const Op *op)
{
    const Tensor *x = &g->tensors[op->in[0]];
    return (double)x->w * x->h * op->conv->ci * op->conv->oc * 4;
}

static void depth_weight_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->depth_weight_f32(&r->out[0], &r->in[0], y0, y1);
}

static void flow_splat_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->flow_splat_f32(&r->out[0], &r->in[0], &r->in[1]);
}

static void flow_mean_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->flow_mean_f32(&r->out[0], &r->out[1], &r->in[0], 1, y0, y1);
}

static void fill_holes_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->fill_holes_f32(&r->out[0], &r->in[1], scratch);
}

static size_t fill_scratch(const Graph *g, const Op *op)
{
    const Tensor *t = &g->tensors[op->in[0]];
    return fill_holes_scratch(t->w, t->h);
}

static void filter_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->filter_interp_f32(&r->out[0], &r->in[0], &r->in[1], &r->in[2], y0, y1);
}

static void mix_time_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    kernels(r)->mix_f32(&r->out[0], &r->in[0], &r->in[1], r->one_minus_t, r->t, y0, y1);
}

/* Rows y0 .. y1-1 of the warped features with the zero border that the convolution needs; the view
 * counts rows like the picture. */
static View warp_band(const OpRun *r, int y0, int y1, int border, float *scratch)
{
    const View *x = &r->in[0];
    View v = { scratch, (ptrdiff_t)(x->w + 2 * border) * x->c, x->c, x->w, x->h, x->c };
    const int first = y0 - border, last = y1 + border;
    const size_t side = (size_t)border * x->c * sizeof(float);
    v.data += border * v.px - first * v.row;
    for (int y = first; y < last; y++) {
        if (y < 0 || y >= x->h) {
            memset(view_at(&v, y, -border), 0, (size_t)v.row * sizeof(float));
        } else {
            memset(view_at(&v, y, -border), 0, side);
            memset(view_at(&v, y, v.w), 0, side);
        }
    }
    kernels(r)->filter_interp_f32(&v, x, &r->in[1], &r->in[2], first < 0 ? 0 : first,
                                  last > x->h ? x->h : last);
    return v;
}

static void warp_conv_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const ConvParam *p = r->op->conv;
    for (int y = y0; y < y1; y += WARP_CONV_ROWS) {
        const int end = y + WARP_CONV_ROWS < y1 ? y + WARP_CONV_ROWS : y1;
        const ConvArgs args = { .in = warp_band(r, y, end, p->kh / 2, scratch),
                                .out = r->out[0],
                                .add = r->in[3],
                                .weights = p->weights,
                                .bias = p->bias,
                                .slope = p->slope,
                                .kh = p->kh,
                                .kw = p->kw,
                                .stride = 1,
                                .dilation = 1 };
        kernels(r)->conv_f32(&args, y, end);
    }
}

static size_t warp_conv_scratch(const Graph *g, const Op *op)
{
    const Tensor *x = &g->tensors[op->in[0]];
    const int border = op->conv->kh / 2 * 2;
    return (size_t)(WARP_CONV_ROWS + border) * (x->w + border) * x->c + SCRATCH_SLACK;
}

static double conv_macs(const Graph *g, const Op *op)
{
    const Tensor *o = &g->tensors[op->out[0]];
    const ConvParam *p = op->conv;
    return (double)o->w * o->h * p->oc * p->ci * p->kh * p->kw;
}

/* Rows of the picture, without the padding. */
static void finish_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    const Network *n = r->graph->network;
    View residual = r->in[0], blend = r->in[1];
    residual.data = view_at(&residual, n->pad_top, n->pad_left);
    blend.data = view_at(&blend, n->pad_top, n->pad_left);
    residual.w = blend.w = n->w;
    residual.h = blend.h = n->h;
    const View out = { scratch, 0, 4, n->w, n->h, 4 };
    const View rgb = with_channels(out, 0, 3), rgb_blend = with_channels(blend, 0, 3);
    const View alpha = with_channels(out, 3, 1), alpha_blend = with_channels(blend, 3, 1);
    const View none = { 0 };
    for (int y = y0; y < y1; y++) {
        kernels(r)->clamp_add_f32(&rgb, &rgb_blend, &residual, 0, 1, y, y + 1);
        kernels(r)->clamp_add_f32(&alpha, &alpha_blend, &none, 0, 1, y, y + 1);
        kernels(r)->image_store_f32(r->run->output, &out, y, y + 1);
    }
}

static size_t finish_scratch(const Graph *g, const Op *op)
{
    return (size_t)g->network->w * 4 + SCRATCH_SLACK;
}

static const OpInfo table[] = {
    [OP_PAD_LOAD - OP_PAD_LOAD] = { .name = "load", .rows = pad_load_rows, .min_rows = 8 },
    [OP_CORR_LEAKY - OP_PAD_LOAD] = { .name = "corr",
                                      .rows = corr_leaky_rows,
                                      .min_rows = 2,
                                      .halo = corr_leaky_halo,
                                      .reach = corr_leaky_reach,
                                      .macs = corr_leaky_macs },
    [OP_PWC_WARP - OP_PAD_LOAD] = { .name = "pwc warp",
                                    .rows = pwc_warp_rows,
                                    .min_rows = 4,
                                    .reach = warp_reach },
    [OP_POOL2 -
        OP_PAD_LOAD] = { .name = "pool", .rows = pool2_rows, .min_rows = 4, .reach = pool2_reach },
    [OP_NEAREST2 - OP_PAD_LOAD] = { .name = "nearest2",
                                    .rows = nearest2_rows,
                                    .min_rows = 4,
                                    .reach = nearest2_reach },
    [OP_UP4 - OP_PAD_LOAD] = { .name = "up4", .rows = up4_rows, .min_rows = 8, .reach = up4_reach },
    [OP_DECONV - OP_PAD_LOAD] = { .name = "deconv",
                                  .rows = deconv_rows,
                                  .halo = deconv_halo,
                                  .macs = deconv_macs },
    [OP_DEPTH_WEIGHT -
        OP_PAD_LOAD] = { .name = "depth weight", .rows = depth_weight_rows, .min_rows = 8 },
    [OP_FLOW_SPLAT -
        OP_PAD_LOAD] = { .name = "flow splat", .rows = flow_splat_rows, .zero_output = true },
    [OP_FLOW_MEAN - OP_PAD_LOAD] = { .name = "flow mean", .rows = flow_mean_rows, .min_rows = 8 },
    [OP_FILL_HOLES -
        OP_PAD_LOAD] = { .name = "fill holes", .rows = fill_holes_rows, .scratch = fill_scratch },
    [OP_FILTER - OP_PAD_LOAD] = { .name = "adaptive warp",
                                  .rows = filter_rows,
                                  .min_rows = 4,
                                  .reach = warp_reach },
    [OP_MIX_TIME - OP_PAD_LOAD] = { .name = "blend", .rows = mix_time_rows, .min_rows = 8 },
    [OP_WARP_CONV - OP_PAD_LOAD] = { .name = "warp conv",
                                     .rows = warp_conv_rows,
                                     .min_rows = WARP_CONV_ROWS,
                                     .reach = warp_conv_reach,
                                     .scratch = warp_conv_scratch,
                                     .macs = conv_macs },
    [OP_FINISH - OP_PAD_LOAD] = { .name = "finish",
                                  .rows = finish_rows,
                                  .min_rows = 8,
                                  .reach = finish_reach,
                                  .scratch = finish_scratch },
};

const OpInfo *dain_op_info(OpKind kind)
{
    return &table[kind - OP_PAD_LOAD];
}
