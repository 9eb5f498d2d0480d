/* Builders of the original network's operators: what they put into a graph, and the shapes they ask for. */
#include "graph/build_shared.h"
#include "graph/dain_ops.h"

enum {
    CORR_CHANNELS = 81, /* radius 4: 9 by 9 */
    FILTER_TAPS = 16
};

int graph_in_place(Graph *g, int x, int input)
{
    if (g->error || x < 0 || input < 0)
        return -1;
    g->tensors[x].parent = input;
    g->tensors[x].channel = 0;
    g->tensors[x].in_place = true;
    return x;
}

int graph_pad_load(Graph *g)
{
    return result(
        add_one(g, OP_PAD_LOAD, "", NULL, 0, g->network->padded_h, g->network->padded_w, 4));
}

int graph_corr_leaky(Graph *g, int a, int b)
{
    const Tensor ta = shape(g, a), tb = shape(g, b);
    if (!g->error && (!same_size(&ta, &tb) || ta.c != tb.c))
        return graph_fail(g, DAIN_EINVAL, "correlation of tensors of different shapes");
    return result(add_one(g, OP_CORR_LEAKY, "", (int[]){ a, b }, 2, ta.h, ta.w, CORR_CHANNELS));
}

int graph_pwc_warp(Graph *g, int x, int flow, float scale)
{
    const Tensor t = shape(g, x), f = shape(g, flow);
    if (!g->error && (!same_size(&t, &f) || f.c != 2))
        return graph_fail(g, DAIN_EINVAL, "warp by a flow of another shape");
    Op *op = add_one(g, OP_PWC_WARP, "", (int[]){ x, flow }, 2, t.h, t.w, t.c);
    if (op)
        op->a = scale;
    return result(op);
}

int graph_pool2(Graph *g, int x, bool average)
{
    const Tensor t = shape(g, x);
    Op *op = add_one(g, OP_POOL2, "", &x, 1, t.h / 2, t.w / 2, t.c);
    if (op)
        op->a = average;
    return result(op);
}

int graph_nearest2(Graph *g, int x)
{
    const Tensor t = shape(g, x);
    return result(add_one(g, OP_NEAREST2, "", &x, 1, 2 * t.h, 2 * t.w, t.c));
}

int graph_up4_time(Graph *g, int flow, bool from_end)
{
    const Tensor t = shape(g, flow);
    Op *op = add_one(g, OP_UP4, "", &flow, 1, 4 * t.h, 4 * t.w, t.c);
    if (op)
        op->a = from_end;
    return result(op);
}

void deconv_phase(float *oihw, const float *iohw, int ci, int oc, int phase)
{
    /* Output 2m takes taps 3 and 1 of inputs m-1 and m, output 2m+1 taps 2 and 0 of m and m+1. */
    static const int taps[2][2] = { { 3, 1 }, { 2, 0 } };
    for (int o = 0; o < oc; o++)
        for (int i = 0; i < ci; i++)
            for (int k = 0; k < 4; k++)
                *oihw++ = iohw[((size_t)i * oc + o) * 16 + taps[phase >> 1][k >> 1] * 4 +
                               taps[phase & 1][k & 1]];
}

int graph_deconv(Graph *g, int x, ConvParam *const phase[4])
{
    const Tensor t = shape(g, x);
    if (!g->error && phase[0]->ci != t.c)
        return graph_fail(g, DAIN_EFORMAT, "%s takes %d channels, the network gives it %d",
                          phase[0]->name, phase[0]->ci, t.c);
    int out = -1;
    for (int i = 0; i < 4; i++) {
        Op *op = graph_add(g, OP_DECONV, phase[i]->name, &x, 1);
        if (!op)
            return -1;
        op->conv = phase[i];
        op->radius = i;
        op->outputs = 1;
        if (i == 0)
            out = graph_tensor(g, op->name, 2 * t.h, 2 * t.w, phase[0]->oc);
        op->out[0] = out;
    }
    return g->error ? -1 : out;
}

int graph_depth_weight(Graph *g, int x)
{
    const Tensor t = shape(g, x);
    return result(add_one(g, OP_DEPTH_WEIGHT, "", &x, 1, t.h, t.w, 1));
}

int graph_flow_projection(Graph *g, int flow, int weight)
{
    const Tensor t = shape(g, flow), w = shape(g, weight);
    if (!g->error && (!same_size(&t, &w) || t.c != 2 || w.c != 1))
        return graph_fail(g, DAIN_EINVAL, "projection of tensors of different shapes");
    const int acc = result(add_one(g, OP_FLOW_SPLAT, "", (int[]){ flow, weight }, 2, t.h, t.w, 4));
    Op *op = add_one(g, OP_FLOW_MEAN, "", &acc, 1, t.h, t.w, 2);
    if (!op)
        return -1;
    const int mean = op->out[0], count = graph_tensor(g, "count", t.h, t.w, 1);
    op->out[1] = count;
    op->outputs = 2;
    const int filled =
        result(add_one(g, OP_FILL_HOLES, "", (int[]){ mean, count }, 2, t.h, t.w, 2));
    return graph_in_place(g, filled, mean);
}

int graph_filter(Graph *g, int x, int flow, int kern)
{
    const Tensor t = shape(g, x), f = shape(g, flow), k = shape(g, kern);
    if (!g->error && (!same_size(&t, &f) || !same_size(&t, &k) || f.c != 2 || k.c != FILTER_TAPS))
        return graph_fail(g, DAIN_EINVAL, "adaptive warp of tensors of different shapes");
    return result(add_one(g, OP_FILTER, "", (int[]){ x, flow, kern }, 3, t.h, t.w, t.c));
}

int graph_mix_time(Graph *g, int a, int b)
{
    const Tensor t = shape(g, a);
    return result(add_one(g, OP_MIX_TIME, "", (int[]){ a, b }, 2, t.h, t.w, t.c));
}

int graph_warp_conv(Graph *g, int x, int flow, int kern, const ConvParam *conv, int sum)
{
    const Tensor t = shape(g, x), s = shape(g, sum);
    if (!g->error && (conv->ci != t.c || conv->oc != s.c || !same_size(&t, &s)))
        return graph_fail(g, DAIN_EFORMAT, "%s does not fit the features", conv->name);
    Op *op = add_one(g, OP_WARP_CONV, conv->name, (int[]){ x, flow, kern, sum }, 4, s.h, s.w, s.c);
    if (!op)
        return -1;
    op->conv = conv;
    return graph_in_place(g, op->out[0], sum);
}

int graph_finish(Graph *g, int residual, int blend)
{
    const Tensor r = shape(g, residual), b = shape(g, blend);
    if (g->error || residual < 0 || blend < 0)
        return -1;
    if (r.c != 3)
        return graph_fail(g, DAIN_EFORMAT,
                          "the network makes a picture of %d channel%s, 3 expected", r.c,
                          plural(r.c));
    if (b.c != 4 || !same_size(&r, &b))
        return graph_fail(g, DAIN_EINVAL, "sum of tensors of different shapes");
    graph_add(g, OP_FINISH, "", (int[]){ residual, blend }, 2);
    return g->error ? -1 : 0;
}
