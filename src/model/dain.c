/* The original network, DAIN, as graphs: docs/dain.md, section numbers in the comments. */
#include "model/dain.h"

#include <stdio.h>

enum {
    ALIGN = 64,           /* the flow network halves six times */
    ORIGINAL_ALIGN = 128, /* what the published program pads to ... */
    ORIGINAL_EXTRA = 32   /* ... and with, on both sides, where nothing would be needed */
};

static void load_all(DainLoader *l)
{
    dain_depth_load(l);
    dain_flow_load(l);
    dain_filter_load(l);
    dain_context_load(l);
    dain_rectify_load(l);
}

void dain_layers(void (*visit)(void *opaque, const DainLayer *layer), void *opaque)
{
    DainLoader l = { .visit = visit, .opaque = opaque };
    load_all(&l);
}

static int load(Model *m, const WeightFile *file)
{
    DainLoader l = { .params = &m->params,
                     .file = file,
                     .report = m->report,
                     .pruned = weights_meta(file, "pruned") != NULL };
    load_all(&l);
    return l.error;
}

/* 1.1: padding of one axis as the published program does it. */
static void pad_original(int size, int *padded, int *before)
{
    if (size % ORIGINAL_ALIGN == 0) {
        *before = ORIGINAL_EXTRA;
        *padded = size + 2 * ORIGINAL_EXTRA;
    } else {
        *padded = (size / ORIGINAL_ALIGN + 1) * ORIGINAL_ALIGN;
        *before = (*padded - size) / 2;
    }
}

/* What depends on one frame: the picture, log depth, features for the flow. */
static void build_frame(DainBuilder *b)
{
    Graph *g = b->g;
    int c[7];
    const int image = graph_pad_load(g);
    graph_export(g, image, "img");
    const int depth = dain_depth_build(b, image);
    graph_name(g, depth, "depth");
    graph_export(g, depth, "depth");
    int small = image;
    for (int by = b->reduce; by > 1; by /= 2)
        small = graph_pool2(g, small, true);
    dain_pyramid_build(b, small, c);
    for (int level = 2; level <= 6; level++) {
        char name[8];
        snprintf(name, sizeof name, "c%d", level);
        graph_name(g, c[level], "%s", name);
        graph_export(g, c[level], name);
    }
}

static void import_pyramid(DainBuilder *b, Scope frame, int c[7])
{
    for (int level = 2; level <= 6; level++) {
        char name[8];
        snprintf(name, sizeof name, "c%d", level);
        c[level] = graph_import(b->g, frame, name);
    }
}

/* A flow that was estimated at a lower resolution at 1/4 of the picture. */
static int enlarge(DainBuilder *b, int flow)
{
    for (int by = b->reduce; by > 1; by /= 2)
        flow = graph_up2(b->g, flow, 2);
    return flow;
}

/* What depends on a pair: flow in both directions, interpolation kernels. */
static void build_pair(DainBuilder *b)
{
    Graph *g = b->g;
    int c0[7], c1[7];
    import_pyramid(b, SCOPE_FRAME0, c0);
    import_pyramid(b, SCOPE_FRAME1, c1);
    const int flow01 = enlarge(b, dain_flow_build(b, c0, c1));
    graph_name(g, flow01, "flow01");
    graph_export(g, flow01, "flow01");
    const int flow10 = enlarge(b, dain_flow_build(b, c1, c0));
    graph_name(g, flow10, "flow10");
    graph_export(g, flow10, "flow10");
    const int kernels = dain_filter_build(b, graph_import(g, SCOPE_FRAME0, "img"),
                                          graph_import(g, SCOPE_FRAME1, "img"));
    graph_export(g, kernels, "kernels");
}

/* What depends on t: projection, warps, synthesis. */
static void build_time(DainBuilder *b)
{
    Graph *g = b->g;
    const Scope frame[2] = { SCOPE_FRAME0, SCOPE_FRAME1 };
    const int kernels = graph_import(g, SCOPE_PAIR, "kernels");
    int image[2], flow[2], kern[2], warped[2], depth[2];
    for (int k = 0; k < 2; k++) {
        image[k] = graph_import(g, frame[k], "img");
        const int log_depth = graph_import(g, frame[k], "depth");
        const int f = graph_import(g, SCOPE_PAIR, k ? "flow10" : "flow01");
        flow[k] = graph_flow_projection(g, graph_up4_time(g, f, k == 1),
                                        graph_depth_weight(g, log_depth));
        graph_name(g, flow[k], "proj%d", k);
    }
    for (int k = 0; k < 2; k++) {
        kern[k] = graph_slice(g, kernels, 16 * k, 16);
        warped[k] = graph_filter(g, image[k], flow[k], kern[k]);
        graph_name(g, warped[k], "ref%d", k);
        depth[k] = graph_filter(g, graph_import(g, frame[k], "depth"), flow[k], kern[k]);
    }
    const int blend = graph_mix_time(g, warped[0], warped[1]);
    graph_name(g, blend, "blend");
    /* The blend is needed at the end again: a copy goes into the wide tensor. */
    int x = dain_rectify_base(b, (int[]){ warped[0], warped[1], graph_scale(g, blend, 1), flow[0],
                                          flow[1], kernels, depth[0], depth[1] });
    for (int k = 0; k < 2; k++) {
        int features = dain_context_first(b, image[k]);
        for (int block = 1; block <= 3; block++) {
            if (block > 1)
                features = dain_context_next(b, block, features);
            x = dain_rectify_context(b, k, block, features, flow[k], kern[k], x);
        }
    }
    const int residual = dain_rectify_rest(b, x);
    graph_name(g, residual, "residual");
    graph_finish(g, residual, blend);
}

static int build(const Model *model, Network *network)
{
    if (model->pad_original && model->reduce > 1)
        return report_error(network->report, DAIN_EINVAL,
                            "flow at reduced resolution and the original padding exclude each "
                            "other");
    if (model->pad_original) {
        pad_original(network->w, &network->padded_w, &network->pad_left);
        pad_original(network->h, &network->padded_h, &network->pad_top);
    }
    DainBuilder b = { &network->graph[DAIN_RATE_FRAME], &model->params, model->reduce };
    build_frame(&b);
    if (b.g->error)
        return b.g->error;
    b.g = &network->graph[DAIN_RATE_PAIR];
    build_pair(&b);
    if (b.g->error)
        return b.g->error;
    b.g = &network->graph[DAIN_RATE_TIME];
    build_time(&b);
    return b.g->error;
}

const ModelKind model_dain = {
    .name = "dain", .title = "DAIN (the original)", .align = ALIGN, .load = load, .build = build
};
