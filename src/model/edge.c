/* The compact network `edge`, version 2, as graphs: docs/edge.md, whose headings the comments name. */
#include "graph/dain_ops.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Widths come from the weight file, so that pruned models run as they are. */
static const struct {
    const char *name;
    float slope; /* of the activation after it */
} layers[] = {
    { "enc1a", 0.1f }, { "enc1b", 0.1f }, { "enc2a", 0.1f }, { "enc2b", 0.1f }, { "enc3a", 0.1f },
    { "enc3b", 0.1f }, { "enc4a", 0.1f }, { "enc4b", 0.1f }, { "enc5a", 0.1f }, { "enc5b", 0.1f },
    { "dep5", 0.1f },  { "dep4", 0.1f },  { "dep3a", 0.1f }, { "dep3b", 0.1f }, { "depz", 1 },
    { "flo5a", 0.1f }, { "flo5b", 0.1f }, { "flo5f", 1 },    { "flo5h", 1 },    { "flo4a", 0.1f },
    { "flo4b", 0.1f }, { "flo4f", 1 },    { "flo4h", 1 },    { "flo3a", 0.1f }, { "flo3b", 0.1f },
    { "flo3f", 1 },    { "ref8a", 0.1f }, { "ref8b", 0.1f }, { "ref8c", 0.1f }, { "ref8f", 1 },
    { "ref8h", 1 },    { "ref4a", 0.1f }, { "ref4b", 0.1f }, { "ref4c", 0.1f }, { "ref4f", 1 },
    { "ref4h", 1 },    { "ref2a", 0.1f }, { "ref2b", 0.1f }, { "ref2o", 1 },
};
enum { LAYERS = sizeof layers / sizeof *layers };

#define ZMAX 4.0f

static int load(Model *m, const WeightFile *file)
{
    const char *version = weights_meta(file, "version");
    if (!version || strcmp(version, "2"))
        return report_error(m->report, DAIN_EUNSUPPORTED,
                            "version %s of the edge network is not known, 2 is",
                            version ? version : "(none)");
    for (int i = 0; i < LAYERS; i++) {
        ConvParam *p;
        const int error =
            params_load_conv(&m->params, file, layers[i].name, layers[i].slope, 0, &p);
        if (error)
            return error;
        const int last = (int)strlen(p->name) - 1;
        const int k = p->name[last] == 'h' ? 1 : 3;
        if (p->kh != k || p->kw != k)
            return report_error(m->report, DAIN_EFORMAT, "%s is %d x %d, %d x %d expected", p->name,
                                p->kw, p->kh, k, k);
    }
    return DAIN_OK;
}

/* A graph under construction, with the weights it draws from. */
typedef struct Builder {
    Graph *g;
    const Params *params;
    int reduce;  /* flow is estimated at 1/reduce of the resolution: 1, 2, 4 */
    bool curved; /* motion follows the frames around the pair */
} Builder;

static int conv_full(Builder *b, const char *name, int x, int stride, int add)
{
    const ConvParam *p = params_find(b->params, name);
    return graph_conv(b->g, x, p, stride, 1, add);
}

static int conv(Builder *b, const char *name, int x)
{
    return conv_full(b, name, x, 1, -1);
}

static int concat(Builder *b, const char *name, int n, const int *x)
{
    return graph_concat(b->g, name, x, n);
}

/* A flow on its way into a concatenation. */
static int scaled_flow(Builder *b, int f, float scale, const char *name)
{
    const int x = graph_motion(b->g, f, scale);
    graph_name(b->g, x, "%s", name);
    return x;
}

static int sum(Builder *b, int x, int y)
{
    return graph_clamp_add(b->g, x, y, -INFINITY, INFINITY);
}

/* Features of levels 1 .. levels of a picture, kept as "PREFIX1" ... from level `keep` on. */
static void build_features(Builder *b, int img, char prefix, int keep, int levels, int f[6])
{
    Graph *g = b->g;
    int x = graph_shift_rgb(g, img);
    for (int level = 1; level <= levels; level++) {
        char name[16];
        snprintf(name, sizeof name, "enc%da", level);
        x = conv_full(b, name, x, 2, -1);
        snprintf(name, sizeof name, "enc%db", level);
        x = f[level] = conv(b, name, x);
        snprintf(name, sizeof name, "%c%d", prefix, level);
        graph_name(g, x, "%s", name);
        if (level >= keep)
            graph_export(g, x, name);
    }
}

/* Encoder, Depth: features, depth and luma of one frame. Where the flow is estimated at a lower
 * resolution, flow and depth have features of their own, s3 to s5, of the reduced picture. */
static void build_frame(Builder *b)
{
    Graph *g = b->g;
    const int img = graph_load(g);
    graph_export(g, img, "img");
    const int luma = graph_luma_half(g, img);
    graph_export(g, luma, "luma");
    int f[6], small = img;
    build_features(b, img, 'f', 1, b->reduce > 1 ? 3 : 5, f);
    for (int by = b->reduce; by > 1; by /= 2)
        small = graph_pool2(g, small, true);
    if (b->reduce > 1)
        build_features(b, small, 's', 3, 5, f);
    int x = conv(b, "dep5", f[5]);
    x = concat(b, "dep4in", 2, (int[]){ graph_up2(g, x, 1), f[4] });
    x = conv(b, "dep4", x);
    x = concat(b, "dep3in", 2, (int[]){ graph_up2(g, x, 1), f[3] });
    x = conv(b, "dep3b", conv(b, "dep3a", x));
    const int z = graph_clamp_add(g, conv(b, "depz", x), -1, -ZMAX, ZMAX);
    graph_name(g, z, "z");
    graph_export(g, z, "z");
}

/* From the resolution that flow is estimated at to 1/8 of the picture. */
static int enlarge(Builder *b, int x, float scale)
{
    for (int by = b->reduce; by > 1; by /= 2)
        x = graph_up2(b->g, x, scale);
    return x;
}

/* Flow: flow and importance of frame `from` towards frame `to`; exported as flow01, w01 or flow10,
 * w10. */
static void build_flow(Builder *b, Scope from, Scope to, const char *direction)
{
    Graph *g = b->g;
    char name[16];
    const char *f5 = b->reduce > 1 ? "s5" : "f5", *f4 = b->reduce > 1 ? "s4" : "f4";
    const char *f3 = b->reduce > 1 ? "s3" : "f3";
    int a = graph_import(g, from, f5), c = graph_corr(g, a, graph_import(g, to, f5), 4);
    int f = graph_peak(g, -1, c, 4);
    int x = concat(b, "flo5in", 3, (int[]){ c, a, scaled_flow(b, f, 1, "flo5in.flow") });
    x = conv(b, "flo5b", conv(b, "flo5a", x));
    f = conv_full(b, "flo5f", x, 1, f);
    graph_name(g, f, "flow32_%s", direction);
    int h = graph_up2(g, conv(b, "flo5h", x), 1);

    f = graph_up2(g, f, 2);
    a = graph_import(g, from, f4);
    c = graph_corr(g, a, graph_warp(g, graph_import(g, to, f4), f), 4);
    f = graph_peak(g, f, c, 4);
    x = concat(b, "flo4in", 4, (int[]){ c, a, h, scaled_flow(b, f, 2, "flo4in.flow") });
    x = conv(b, "flo4b", conv(b, "flo4a", x));
    f = conv_full(b, "flo4f", x, 1, f);
    graph_name(g, f, "flow16_%s", direction);
    h = graph_up2(g, conv(b, "flo4h", x), 1);

    f = graph_up2(g, f, 2);
    a = graph_import(g, from, f3);
    c = graph_corr(g, a, graph_warp(g, graph_import(g, to, f3), f), 3);
    f = graph_peak(g, f, c, 3);
    x = concat(b, "flo3in", 4, (int[]){ c, a, h, scaled_flow(b, f, 1, "flo3in.flow") });
    x = conv(b, "flo3a", x);
    x = conv_full(b, "flo3b", x, 1, x);
    const int y = conv(b, "flo3f", x);
    f = enlarge(b, sum(b, f, graph_slice(g, y, 0, 2)), 2);
    snprintf(name, sizeof name, "flow%s", direction);
    graph_name(g, f, "%s", name);
    graph_export(g, f, name);

    const int visibility = graph_slice(g, y, 2, 1);
    graph_name(g, visibility, "vis%s", direction);
    const int w =
        enlarge(b, graph_clamp_add(g, graph_import(g, from, "z"), visibility, -ZMAX, ZMAX), 1);
    snprintf(name, sizeof name, "w%s", direction);
    graph_name(g, w, "%s", name);
    graph_export(g, w, name);
}

/* Features of both frames at one level, warped to t. */
static void warp_both(Builder *b, const char *feature, int flow, int out[2])
{
    Graph *g = b->g;
    out[0] = graph_warp(g, graph_import(g, SCOPE_FRAME0, feature), graph_slice(g, flow, 0, 2));
    out[1] = graph_warp(g, graph_import(g, SCOPE_FRAME1, feature), graph_slice(g, flow, 2, 2));
}

/* Accelerations of what is seen in the first and in the second frame: of both frames those that
 * agree, which makes paths cubic. docs/edge.md, "Curved motion". */
static void build_accelerations(Builder *b, int f01, int f10, int a[2])
{
    Graph *g = b->g;
    const int before = graph_import(g, SCOPE_BEFORE, "flow10");
    const int after = graph_import(g, SCOPE_AFTER, "flow01");
    const int a0 = graph_mix(g, MIX_BEFORE, f01, before);
    const int a1 = graph_mix(g, MIX_AFTER, f10, after);
    a[0] = graph_mix(g, MIX_LIMIT, a0, graph_warp(g, a1, f01));
    a[1] = graph_mix(g, MIX_LIMIT, a1, graph_warp(g, a0, f10));
}

/* Projection: flows of the pair projected to t, which go to f; returns flows and coverage, 6 channels. */
static int build_projection(Builder *b, int *f)
{
    Graph *g = b->g;
    const int f01 = graph_import(g, SCOPE_PAIR, "flow01"), w0 = graph_import(g, SCOPE_PAIR, "w01");
    const int f10 = graph_import(g, SCOPE_PAIR, "flow10"), w1 = graph_import(g, SCOPE_PAIR, "w10");
    int a[2], way0 = f01, way1 = f10;
    if (b->curved) {
        build_accelerations(b, f01, f10, a);
        way0 = graph_mix(g, MIX_BEND0, f01, a[0]);
        way1 = graph_mix(g, MIX_BEND1, f10, a[1]);
    }
    const int s0 = graph_splat(g, f01, w0, way0, 1, false);
    const int s1 = graph_splat(g, f10, w1, way1, -1, true);
    const int p = graph_project(g, s0, s1);
    graph_name(g, p, "projected");
    *f = graph_slice(g, p, 0, 4);
    if (b->curved) {
        const int at0 = graph_warp(g, a[0], graph_slice(g, p, 0, 2));
        const int at1 = graph_warp(g, a[1], graph_slice(g, p, 2, 2));
        *f = graph_mix(g, MIX_CURVE, *f, graph_mix(g, MIX_MEAN, at0, at1));
        graph_name(g, *f, "curved");
    }
    return p;
}

/* Refinement, Polish, Composition. */
static void build_time(Builder *b)
{
    Graph *g = b->g;
    int a[2];
    int f;
    const int p = build_projection(b, &f);
    warp_both(b, "f3", f, a);
    int c = graph_corr(g, a[0], a[1], 3);
    const int coverage = graph_scale(g, graph_slice(g, p, 4, 2), 1);
    graph_name(g, coverage, "ref8in.coverage");
    int x = concat(b, "ref8in", 6,
                   (int[]){ a[0], a[1], c, scaled_flow(b, f, 1, "ref8in.flow"), coverage,
                            graph_time_plane(g, p) });
    x = conv(b, "ref8a", x);
    x = conv_full(b, "ref8c", conv(b, "ref8b", x), 1, x);
    f = conv_full(b, "ref8f", x, 1, f);
    graph_name(g, f, "flow8");

    int h = graph_up2(g, conv(b, "ref8h", x), 1);
    f = graph_up2(g, f, 2);
    warp_both(b, "f2", f, a);
    c = graph_corr(g, a[0], a[1], 2);
    x = concat(b, "ref4in", 5, (int[]){ a[0], a[1], c, h, scaled_flow(b, f, 0.5f, "ref4in.flow") });
    x = conv(b, "ref4a", x);
    x = conv_full(b, "ref4c", conv(b, "ref4b", x), 1, x);
    f = conv_full(b, "ref4f", x, 1, f);
    graph_name(g, f, "flow4");

    h = graph_up2(g, conv(b, "ref4h", x), 1);
    f = graph_up2(g, f, 2);
    warp_both(b, "f1", f, a);
    x = concat(b, "ref2in", 4, (int[]){ a[0], a[1], h, scaled_flow(b, f, 0.25f, "ref2in.flow") });
    x = conv(b, "ref2a", x);
    x = conv_full(b, "ref2b", x, 1, x);
    const int y = conv(b, "ref2o", x);
    f = sum(b, f, graph_slice(g, y, 0, 4));
    const int y0 = graph_import(g, SCOPE_FRAME0, "luma"),
              y1 = graph_import(g, SCOPE_FRAME1, "luma");
    f = graph_polish(g, graph_polish(g, f, y0, y1), y0, y1);
    graph_name(g, f, "flow2");
    const int s = graph_slice(g, y, 4, 20);
    graph_name(g, s, "shuffle");
    graph_compose(g, graph_import(g, SCOPE_FRAME0, "img"), graph_import(g, SCOPE_FRAME1, "img"), f,
                  s);
}

static int build(const Model *model, Network *network)
{
    Builder b = { &network->graph[DAIN_RATE_FRAME], &model->params, model->reduce, model->curved };
    build_frame(&b);
    if (b.g->error)
        return b.g->error;
    b.g = &network->graph[DAIN_RATE_PAIR];
    build_flow(&b, SCOPE_FRAME0, SCOPE_FRAME1, "01");
    build_flow(&b, SCOPE_FRAME1, SCOPE_FRAME0, "10");
    if (b.g->error)
        return b.g->error;
    b.g = &network->graph[DAIN_RATE_TIME];
    build_time(&b);
    return b.g->error;
}

const ModelKind model_edge = { .name = "edge",
                               .title = "edge (compact)",
                               .align = 32,
                               .load = load,
                               .build = build,
                               .curves = true };
