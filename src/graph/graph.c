/* Building graphs: tensors, operators and their shapes. */
#include "graph/graph.h"

#include "base/mem.h"
#include "graph/build_shared.h"
#include "graph/ops.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void network_init(Network *network, int w, int h, int align, Report *report)
{
    memset(network, 0, sizeof *network);
    network->w = w;
    network->h = h;
    network->padded_w = (w + align - 1) / align * align;
    network->padded_h = (h + align - 1) / align * align;
    network->report = report;
    for (int i = 0; i < 3; i++) {
        network->graph[i].network = network;
        network->graph[i].rate = (DainRate)i;
    }
}

void network_free(Network *network)
{
    for (int i = 0; i < 3; i++) {
        mem_free(network->graph[i].tensors);
        mem_free(network->graph[i].ops);
        mem_free(network->graph[i].zeros);
        mem_free(network->graph[i].segments);
        mem_free(network->graph[i].flow);
    }
    memset(network, 0, sizeof *network);
}

int graph_fail(Graph *g, int code, const char *format, ...)
{
    if (!g->error) {
        char text[200];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        g->error = report_error(g->network->report, code, "%s", text);
    }
    return -1;
}

int graph_tensor(Graph *g, const char *name, int h, int w, int c)
{
    if (g->error)
        return -1;
    if (h < 1 || w < 1 || c < 1)
        return graph_fail(g, DAIN_EINVAL, "tensor %s would be %d x %d with %d channels", name, w, h,
                          c);
    if (!mem_reserve(&g->tensors, g->tensor_count, &g->tensor_capacity, sizeof *g->tensors))
        return graph_fail(g, DAIN_ENOMEM, "out of memory for the network graph");
    Tensor *t = &g->tensors[g->tensor_count];
    *t = (Tensor){ .h = h, .w = w, .c = c, .parent = -1, .exported = -1 };
    snprintf(t->name, sizeof t->name, "%s", name);
    return g->tensor_count++;
}

Op *graph_add(Graph *g, OpKind kind, const char *name, const int *in, int inputs)
{
    for (int i = 0; i < inputs && !g->error; i++)
        if (in[i] >= g->tensor_count)
            graph_fail(g, DAIN_EINVAL, "an input of %s does not exist", op_info(kind)->name);
    if (g->error)
        return NULL;
    if (!mem_reserve(&g->ops, g->op_count, &g->op_capacity, sizeof *g->ops)) {
        graph_fail(g, DAIN_ENOMEM, "out of memory for the network graph");
        return NULL;
    }
    Op *op = &g->ops[g->op_count++];
    *op = (Op){ .kind = kind, .inputs = inputs, .zero_halo = -1, .stride = 1, .dilation = 1 };
    snprintf(op->name, sizeof op->name, "%s", *name ? name : op_info(kind)->name);
    for (int i = 0; i < OP_MAX_IN; i++)
        op->in[i] = i < inputs ? in[i] : -1;
    for (int i = 0; i < OP_MAX_OUT; i++)
        op->out[i] = -1;
    return op;
}

int graph_load(Graph *g)
{
    Op *op = add_one(g, OP_LOAD, "load", NULL, 0, g->network->padded_h, g->network->padded_w, 4);
    if (!op)
        return -1;
    g->tensors[op->out[0]].replicate = true;
    g->tensors[op->out[0]].halo = 2;
    return op->out[0];
}

int graph_shift_rgb(Graph *g, int x)
{
    const Tensor t = shape(g, x);
    return result(add_one(g, OP_SHIFT_RGB, "", &x, 1, t.h, t.w, 3));
}

int graph_luma_half(Graph *g, int x)
{
    const Tensor t = shape(g, x);
    return result(add_one(g, OP_LUMA_HALF, "", &x, 1, t.h / 2, t.w / 2, 1));
}

int graph_conv(Graph *g, int x, const ConvParam *conv, int stride, int dilation, int add)
{
    const Tensor t = shape(g, x);
    if (g->error)
        return -1;
    if (conv->ci != t.c)
        return graph_fail(g, DAIN_EFORMAT, "%s takes %d channels, the network gives it %d",
                          conv->name, conv->ci, t.c);
    Op *op = add_one(g, OP_CONV, conv->name, (int[]){ x, add }, add < 0 ? 1 : 2,
                     (t.h + stride - 1) / stride, (t.w + stride - 1) / stride, conv->oc);
    if (!op)
        return -1;
    op->conv = conv;
    op->stride = stride;
    op->dilation = dilation;
    if (add >= 0) {
        const Tensor a = shape(g, add), o = shape(g, op->out[0]);
        if (!same_size(&a, &o) || a.c != o.c)
            return graph_fail(g, DAIN_EFORMAT, "%s: the residual has another shape", conv->name);
    }
    return op->out[0];
}

int graph_up2(Graph *g, int x, float scale)
{
    const Tensor t = shape(g, x);
    Op *op = add_one(g, OP_UP2, "", &x, 1, 2 * t.h, 2 * t.w, t.c);
    if (op)
        op->a = scale;
    return result(op);
}

static int normalise(Graph *g, int x)
{
    const Tensor t = shape(g, x);
    return result(add_one(g, OP_NORMALISE, "", &x, 1, t.h, t.w, t.c));
}

int graph_corr(Graph *g, int a, int b, int r)
{
    const Tensor ta = shape(g, a), tb = shape(g, b);
    if (!g->error && (!same_size(&ta, &tb) || ta.c != tb.c))
        return graph_fail(g, DAIN_EINVAL, "correlation of tensors of different shapes");
    const int in[2] = { normalise(g, a), normalise(g, b) };
    Op *op = add_one(g, OP_CORR, "", in, 2, ta.h, ta.w, (2 * r + 1) * (2 * r + 1));
    if (op)
        op->radius = r;
    return result(op);
}

int graph_warp(Graph *g, int x, int flow)
{
    const Tensor t = shape(g, x), f = shape(g, flow);
    if (!g->error && (!same_size(&t, &f) || f.c != 2))
        return graph_fail(g, DAIN_EINVAL, "warp by a flow of another shape");
    return result(add_one(g, OP_WARP, "", (int[]){ x, flow }, 2, t.h, t.w, t.c));
}

int graph_peak(Graph *g, int base, int c, int r)
{
    const Tensor t = shape(g, c);
    if (!g->error && t.c != (2 * r + 1) * (2 * r + 1))
        return graph_fail(g, DAIN_EINVAL, "peak over a correlation of another radius");
    Op *op = add_one(g, OP_PEAK, "", (int[]){ c, base }, base < 0 ? 1 : 2, t.h, t.w, 2);
    if (op)
        op->radius = r;
    return result(op);
}

int graph_scale(Graph *g, int x, float scale)
{
    const Tensor t = shape(g, x);
    Op *op = add_one(g, OP_SCALE, "", &x, 1, t.h, t.w, t.c);
    if (op)
        op->a = scale;
    return result(op);
}

int graph_motion(Graph *g, int flow, float scale)
{
    const int x = graph_scale(g, flow, scale);
    if (x >= 0)
        g->tensors[x].motion = true;
    return x;
}

int graph_time_plane(Graph *g, int like)
{
    const Tensor t = shape(g, like);
    return result(add_one(g, OP_CONSTANT_TIME, "", NULL, 0, t.h, t.w, 1));
}

int graph_clamp_add(Graph *g, int a, int b, float lo, float hi)
{
    const Tensor t = shape(g, a);
    if (!g->error && b >= 0) {
        const Tensor u = shape(g, b);
        if (!same_size(&t, &u) || t.c != u.c)
            return graph_fail(g, DAIN_EINVAL, "sum of tensors of different shapes");
    }
    Op *op = add_one(g, OP_CLAMP_ADD, "", (int[]){ a, b }, b < 0 ? 1 : 2, t.h, t.w, t.c);
    if (op) {
        op->a = lo;
        op->b = hi;
    }
    return result(op);
}

int graph_splat(Graph *g, int flow, int w, int way, float sign, bool from_end)
{
    const Tensor t = shape(g, flow);
    Op *op = add_one(g, OP_SPLAT_WEIGHTS, "", (int[]){ flow, w }, 2, t.h, t.w, 4);
    if (op)
        op->a = sign;
    op = add_one(g, OP_SPLAT, "", (int[]){ result(op), way }, 2, t.h, t.w, 4);
    if (op)
        op->a = from_end;
    return result(op);
}

int graph_mix(Graph *g, MixKind kind, int x, int y)
{
    const Tensor t = shape(g, x), u = shape(g, y);
    if (!g->error && (!same_size(&t, &u) || t.c % u.c))
        return graph_fail(g, DAIN_EINVAL, "mix of tensors of different shapes");
    Op *op = add_one(g, OP_MIX, "", (int[]){ x, y }, 2, t.h, t.w, t.c);
    if (op)
        op->mix = kind;
    return result(op);
}

int graph_project(Graph *g, int s0, int s1)
{
    const Tensor t = shape(g, s0);
    return result(add_one(g, OP_PROJECT, "", (int[]){ s0, s1 }, 2, t.h, t.w, 6));
}

int graph_polish(Graph *g, int flow, int y0, int y1)
{
    const Tensor t = shape(g, flow);
    return result(add_one(g, OP_POLISH, "", (int[]){ flow, y0, y1 }, 3, t.h, t.w, 4));
}

int graph_compose(Graph *g, int img0, int img1, int flow, int s)
{
    graph_add(g, OP_COMPOSE, "", (int[]){ img0, img1, flow, s }, 4);
    return g->error ? -1 : 0;
}

int graph_concat(Graph *g, const char *name, const int *x, int n)
{
    int channels = 0;
    const Tensor first = shape(g, x[0]);
    for (int i = 0; i < n && !g->error; i++) {
        const Tensor t = shape(g, x[i]);
        if (!same_size(&t, &first))
            return graph_fail(g, DAIN_EINVAL, "%s: concatenation of different sizes", name);
        channels += t.c;
    }
    return result(add_one(g, OP_CONCAT, name, x, n, first.h, first.w, channels));
}

int graph_slice(Graph *g, int x, int first, int count)
{
    const Tensor t = shape(g, x);
    if (!g->error && (first < 0 || count < 1 || first + count > t.c))
        return graph_fail(g, DAIN_EFORMAT, "%s has %d channels, %d to %d wanted", t.name, t.c,
                          first, first + count - 1);
    char name[NAME_LENGTH + 16];
    snprintf(name, sizeof name, "%s[%d]", t.name, first);
    const int s = graph_tensor(g, name, t.h, t.w, count);
    if (s >= 0) {
        g->tensors[s].parent = x;
        g->tensors[s].channel = first;
    }
    return s;
}

void graph_name(Graph *g, int tensor, const char *format, ...)
{
    if (g->error || tensor < 0)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(g->tensors[tensor].name, NAME_LENGTH, format, args);
    va_end(args);
    for (int i = g->op_count - 1; i >= 0; i--)
        if (g->ops[i].out[0] == tensor) {
            if (!g->ops[i].conv)
                snprintf(g->ops[i].name, NAME_LENGTH, "%s", g->tensors[tensor].name);
            return;
        }
}

void graph_export(Graph *g, int tensor, const char *name)
{
    Network *n = g->network;
    if (g->error || tensor < 0)
        return;
    if (n->export_count == NETWORK_MAX_EXPORTS || g->tensors[tensor].parent >= 0 ||
        g->rate == DAIN_RATE_TIME) {
        graph_fail(g, DAIN_EINVAL, "%s cannot be kept", name);
        return;
    }
    Tensor *t = &g->tensors[tensor];
    Export *e = &n->exports[n->export_count];
    *e = (Export){ .scope = g->rate == DAIN_RATE_FRAME ? SCOPE_FRAME0 : SCOPE_PAIR,
                   .h = t->h,
                   .w = t->w,
                   .c = t->c,
                   .halo = t->halo,
                   .replicate = t->replicate };
    snprintf(e->name, sizeof e->name, "%s", name);
    t->scope = e->scope;
    t->exported = n->export_count++;
}

int graph_import(Graph *g, Scope scope, const char *name)
{
    const Network *n = g->network;
    const Scope kept = scope == SCOPE_FRAME1                           ? SCOPE_FRAME0
                       : scope == SCOPE_BEFORE || scope == SCOPE_AFTER ? SCOPE_PAIR
                                                                       : scope;
    for (int i = 0; i < n->export_count; i++) {
        const Export *e = &n->exports[i];
        if (e->scope != kept || strcmp(e->name, name))
            continue;
        const int x = graph_tensor(g, name, e->h, e->w, e->c);
        if (x < 0)
            return -1;
        g->tensors[x].scope = scope;
        g->tensors[x].exported = i;
        g->tensors[x].replicate = e->replicate;
        return x;
    }
    return graph_fail(g, DAIN_EINVAL, "nothing is kept under the name %s", name);
}

int graph_find(const Graph *g, const char *name)
{
    for (int i = g->tensor_count - 1; i >= 0; i--)
        if (!strcmp(g->tensors[i].name, name))
            return i;
    return -1;
}
