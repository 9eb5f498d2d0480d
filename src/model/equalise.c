/* Cross-layer equalisation: see equalise.h. */
#include "model/equalise.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { SIDE = 64, MAX_READERS = 64, MAX_SHIFT = 6 };

/* Input channels first .. of a convolution, which are the channels of a producer in order. */
typedef struct Reader {
    ConvParam *conv;
    int first;
} Reader;

typedef struct Readers {
    Reader list[MAX_READERS];
    int count;
    bool others; /* something else reads it too */
} Readers;

static void add_reader(Readers *r, const ConvParam *conv, int first)
{
    for (int i = 0; i < r->count; i++)
        if (r->list[i].conv == conv && r->list[i].first == first)
            return;
    if (r->count == MAX_READERS)
        r->others = true;
    else
        r->list[r->count++] = (Reader){ (ConvParam *)conv, first };
}

static void follow(const Network *n, const Graph *g, int x, int first, Readers *r);

/* Where input k of an operator goes, the channels beginning at `first` of it. */
static void follow_op(const Network *n, const Graph *g, const Op *op, int k, int first, Readers *r)
{
    switch (op->kind) {
    case OP_CONV:
        if (k == 0)
            add_reader(r, op->conv, first);
        else
            r->others = true;
        break;
    case OP_CONCAT:
        for (int i = 0; i < k; i++)
            first += g->tensors[op->in[i]].c;
        follow(n, g, op->out[0], first, r);
        break;
    case OP_WARP:
        if (k == 0)
            follow(n, g, op->out[0], first, r);
        else
            r->others = true;
        break;
    case OP_UP2:
        if (op->a == 1)
            follow(n, g, op->out[0], first, r);
        else
            r->others = true;
        break;
    default:
        r->others = true;
    }
}

/* Everything that reads tensor x of a graph that has been built but not planned. */
static void follow(const Network *n, const Graph *g, int x, int first, Readers *r)
{
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].parent == x)
            r->others = true; /* a slice: not worth following */
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i].inputs; k++)
            if (g->ops[i].in[k] == x)
                follow_op(n, g, &g->ops[i], k, first, r);
    const int exported = g->tensors[x].exported;
    if (exported < 0)
        return;
    for (int rate = g->rate + 1; rate < 3; rate++) {
        const Graph *later = &n->graph[rate];
        for (int i = 0; i < later->tensor_count; i++)
            if (later->tensors[i].exported == exported)
                follow(n, later, i, first, r);
    }
}

static Readers find_readers(const Network *n, const ConvParam *conv)
{
    Readers r = { .count = 0 };
    for (int rate = 0; rate < 3; rate++) {
        const Graph *g = &n->graph[rate];
        for (int i = 0; i < g->op_count; i++)
            if (g->ops[i].kind == OP_CONV && g->ops[i].conv == conv) {
                r.others |= g->ops[i].inputs > 1; /* a residual is not scaled with it */
                follow(n, g, g->ops[i].out[0], 0, &r);
            }
    }
    return r;
}

/* Weights are packed [oc/16][tap][ci][16]. */
static void scale_output(ConvParam *p, int o, float factor)
{
    const size_t rows = (size_t)p->kh * p->kw * p->ci;
    float *w = p->weights + o / CONV_LANES * rows * CONV_LANES + o % CONV_LANES;
    for (size_t i = 0; i < rows; i++)
        w[i * CONV_LANES] *= factor;
    p->bias[o] *= factor;
}

static void scale_input(ConvParam *p, int c, float factor)
{
    const int taps = p->kh * p->kw, blocks = (p->oc + CONV_LANES - 1) / CONV_LANES;
    for (int i = 0; i < blocks * taps; i++)
        for (int lane = 0; lane < CONV_LANES; lane++)
            p->weights[((size_t)i * p->ci + c) * CONV_LANES + lane] *= factor;
}

static int equalise_conv(ConvParam *conv, const Readers *r, ChannelStrength strength, void *opaque)
{
    double mean = 0;
    int known = 0, changed = 0;
    for (int c = 0; c < conv->oc; c++) {
        const float s = strength(opaque, conv, c);
        if (s > 0) {
            mean += log2(s);
            known++;
        }
    }
    for (int c = 0; c < conv->oc && known; c++) {
        const float s = strength(opaque, conv, c);
        if (!(s > 0))
            continue;
        int shift = (int)rint(log2(s) - mean / known);
        shift = shift > MAX_SHIFT ? MAX_SHIFT : shift < -MAX_SHIFT ? -MAX_SHIFT : shift;
        if (shift == 0)
            continue;
        scale_output(conv, c, ldexpf(1, -shift));
        for (int i = 0; i < r->count; i++)
            scale_input(r->list[i].conv, r->list[i].first + c, ldexpf(1, shift));
        changed++;
    }
    return changed;
}

int model_equalise(Model *model, ChannelStrength strength, void *opaque, Report *report)
{
    Network network;
    network_init(&network, SIDE, SIDE, model->kind->align, report);
    int error = model->kind->build(model, &network), changed = 0;
    for (int i = 0; i < model->params.count && !error; i++) {
        ConvParam *conv = model->params.conv[i];
        const Readers r = find_readers(&network, conv);
        if (r.count && !r.others)
            changed += equalise_conv(conv, &r, strength, opaque);
    }
    network_free(&network);
    params_unprepare(&model->params);
    return error ? error : changed;
}
