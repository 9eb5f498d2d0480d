/* The convolution in its precisions, as an operator of the table: see ops.h. */
#include "graph/ops_conv.h"

#include "graph/ops_shared.h"

static void conv_rows_f32(const OpRun *r, int y0, int y1)
{
    const ConvParam *p = r->op->conv;
    const ConvArgs args = { .in = r->in[0],
                            .out = r->out[0],
                            .add = r->in[1],
                            .weights = p->weights,
                            .bias = p->bias,
                            .slope = p->slope,
                            .kh = p->kh,
                            .kw = p->kw,
                            .stride = r->op->stride,
                            .dilation = r->op->dilation };
    kernels(r)->conv_f32(&args, y0, y1);
}

static void conv_rows_bf16(const OpRun *r, int y0, int y1)
{
    const ConvParam *p = r->op->conv;
    ConvBf16Args args = { .in = view16(r->in[0]),
                          .weights = p->bf16_weights,
                          .bias = p->bias,
                          .slope = p->slope,
                          .kh = p->kh,
                          .kw = p->kw,
                          .stride = r->op->stride,
                          .dilation = r->op->dilation };
    if (r->out_type == TYPE_BF16) {
        args.out = view16(r->out[0]);
        args.add = view16(r->in[1]);
    } else {
        args.out_f32 = r->out[0];
        args.add_f32 = r->in[1];
    }
    kernels(r)->conv_bf16(&args, y0, y1);
}

/* The part of an 8-bit convolution that is done in floats. */
static void conv_motion_rows(const OpRun *r, const View *out, int y0, int y1)
{
    const ConvParam *p = r->op->conv;
    const ConvArgs args = { .in = r->in[2],
                            .out = *out,
                            .weights = p->u8.motion_weights,
                            .bias = p->u8.motion_bias,
                            .slope = p->u8.motion_slope,
                            .kh = p->kh,
                            .kw = p->kw,
                            .stride = r->op->stride,
                            .dilation = r->op->dilation };
    kernels(r)->conv_f32(&args, y0, y1);
}

/* Rows that go together. */
static int rows_at_once(const ConvParam *p)
{
    return p->u8.winograd ? 2 : 1;
}

/* Floats of scratch memory for Winograd's kernel, which wants it aligned. */
static size_t winograd_scratch(const ConvParam *p, int channels)
{
    return p->u8.winograd ? (conv_winograd_scratch(channels) + 63) / 64 * 64 / sizeof(float) : 0;
}

static void conv_codes(const OpRun *r, const ConvU8Args *args, float *scratch, int y0, int y1)
{
    if (args->winograd)
        kernels(r)->conv_u8_winograd(args, scratch, y0, y1);
    else
        kernels(r)->conv_u8(args, y0, y1);
}

static void conv_rows_u8(const OpRun *r, int y0, int y1, float *scratch)
{
    const ConvParam *p = r->op->conv;
    ConvU8Args args = { .in = view8(r->in[0]),
                        .weights = p->u8.weights,
                        .winograd = p->u8.winograd,
                        .bias = p->u8.bias,
                        .scale = p->u8.scale,
                        .slope = p->slope,
                        .kh = p->kh,
                        .kw = p->kw,
                        .stride = r->op->stride,
                        .dilation = r->op->dilation };
    if (r->out_type == TYPE_U8) {
        const Tensor *out = &r->graph->tensors[r->op->out[0]];
        args.out = view8(r->out[0]);
        args.out_inv_scale = 1 / out->scale;
        args.out_zero = out->zero;
        args.add = view8(r->in[1]);
        if (args.add.data) {
            args.add_scale = r->graph->tensors[r->op->in[1]].scale;
            args.add_zero = r->graph->tensors[r->op->in[1]].zero;
        }
    } else {
        args.out_f32 = r->out[0];
        args.add_f32 = r->in[1];
    }
    if (!r->in[2].data) {
        conv_codes(r, &args, scratch, y0, y1);
        return;
    }
    const View *out = &r->out[0];
    const ptrdiff_t row = (ptrdiff_t)out->w * out->c;
    float *const motion = scratch + winograd_scratch(p, args.in.c);
    for (int y = y0, n; y < y1; y += n) {
        n = y1 - y < rows_at_once(p) ? y1 - y : rows_at_once(p);
        args.add_f32 = (View){ motion - y * row, row, out->c, out->w, out->h, out->c };
        conv_motion_rows(r, &args.add_f32, y, y + n);
        conv_codes(r, &args, scratch, y, y + n);
    }
}

size_t op_conv_scratch(const Graph *g, const Op *op)
{
    const Tensor *out = &g->tensors[op->out[0]];
    const size_t motion =
        op->inputs > 2 ? (size_t)out->w * out->c * rows_at_once(op->conv) + 16 : 0;
    return motion + winograd_scratch(op->conv, g->tensors[op->in[0]].c);
}

void op_conv_rows(const OpRun *r, int y0, int y1, float *scratch)
{
    if (r->in_type[0] == TYPE_U8)
        conv_rows_u8(r, y0, y1, scratch);
    else if (r->in_type[0] == TYPE_BF16)
        conv_rows_bf16(r, y0, y1);
    else
        conv_rows_f32(r, y0, y1);
}

int op_conv_halo(const Op *op, int i)
{
    const ConvParam *p = op->conv;
    const int k = p->kh > p->kw ? p->kh : p->kw;
    return i != 1 ? op->dilation * (k - 1) / 2 : 0;
}

Reach op_conv_reach(const Graph *g, const Op *op, int i)
{
    if (i == 1)
        return around(0);
    Reach r = around(op->dilation * (op->conv->kh - 1) / 2);
    r.mul = op->stride;
    return r;
}

double op_conv_macs(const Graph *g, const Op *op)
{
    const Tensor *o = &g->tensors[op->out[0]];
    const ConvParam *p = op->conv;
    return (double)o->w * o->h * p->oc * p->ci * p->kh * p->kw;
}
