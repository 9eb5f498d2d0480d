/* Models as ONNX files: inputs, outputs and metadata, and the walk over the graphs between them. */
#include "model/onnx.h"

#include "base/mem.h"
#include "model/onnx_emit.h"

#include <stdio.h>
#include <string.h>

enum { DYNAMIC_SIDE = 64 }; /* the graphs are built for some size; none of its figures is written */

#define TITLE "Video frame interpolation: the picture at time t between frame0 and frame1"

const char *onnx_part_name(OnnxPart part)
{
    static const char *const names[] = { "frame", "pair", "time", "" };
    return names[part];
}

/* ---- graphs ---- */

OnnxValue emit_tensor(Emitter *e, const Graph *g, int tensor)
{
    const Tensor *t = &g->tensors[tensor];
    OnnxValue *const v = &e->value[tensor];
    if (v->name[0])
        return *v;
    if (t->parent >= 0)
        *v = emit_channels(e, emit_tensor(e, g, t->parent), t->channel, t->c);
    else if (t->exported >= 0)
        *v = e->kept[t->scope][t->exported];
    return *v;
}

/* All operators of one graph; what it keeps goes to e->kept[scope]. */
static int emit_graph(Emitter *e, const Graph *g, const char *prefix, Scope scope)
{
    int error = DAIN_OK;
    e->prefix = prefix;
    e->value = mem_calloc(g->tensor_count + 1, sizeof *e->value);
    e->coded = mem_calloc(g->tensor_count + 1, sizeof *e->coded);
    if (!e->value || !e->coded)
        error = report_error(e->report, DAIN_ENOMEM, "out of memory for the ONNX model");
    for (int i = 0; i < g->op_count && !error; i++)
        error = emit_edge_op(e, g, &g->ops[i]);
    for (int i = 0; i < g->op_count && !error; i++) {
        const Op *op = &g->ops[i];
        const int x = op->outputs ? op->out[0] : -1;
        if (x >= 0 && g->tensors[x].exported >= 0)
            e->kept[scope][g->tensors[x].exported] = e->value[x];
    }
    mem_free(e->value);
    mem_free(e->coded);
    e->value = e->coded = NULL;
    return error;
}

/* ---- inputs and outputs ---- */

static OnnxValue picture_input(Emitter *e, const char *name)
{
    const Network *n = e->network;
    const OnnxDim fixed[4] = { { 1, NULL }, { 3, NULL }, { n->h, NULL }, { n->w, NULL } };
    const OnnxDim any[4] = { { 1, NULL }, { 3, NULL }, { 0, "height" }, { 0, "width" } };
    return onnx_input(&e->w, name, ONNX_FLOAT, 4, e->dynamic ? any : fixed);
}

static void time_input(Emitter *e)
{
    const OnnxDim one = { 1, NULL };
    const OnnxValue t = onnx_input(&e->w, "t", ONNX_FLOAT, 1, &one);
    snprintf(e->w.scope, sizeof e->w.scope, "time");
    e->t = emit_reshape(e, t, 4, (int64_t[]){ 1, 1, 1, 1 });
    e->rest = emit_sub(e, onnx_scalar(&e->w, 1), e->t);
}

static void picture_output(Emitter *e)
{
    const Network *n = e->network;
    const OnnxDim fixed[4] = { { 1, NULL }, { 3, NULL }, { n->h, NULL }, { n->w, NULL } };
    const OnnxDim any[4] = { { 1, NULL }, { 3, NULL }, { 0, "height" }, { 0, "width" } };
    onnx_rename(&e->w, e->picture, "frame");
    onnx_output(&e->w, "frame", ONNX_FLOAT, 4, e->dynamic ? any : fixed);
}

/* What passes between the parts: the name, and the shape with sizes by name where they are dynamic.
 * names has room for both. */
static void export_shape(const Emitter *e, const Export *x, char names[2][32], OnnxDim dim[4])
{
    const int level = e->network->padded_h / x->h;
    const int channels = strcmp(x->name, "img") ? x->c : 3; /* no alpha */
    snprintf(names[0], sizeof names[0], "rows_%d", level);
    snprintf(names[1], sizeof names[1], "columns_%d", level);
    dim[0] = (OnnxDim){ 1, NULL };
    dim[1] = (OnnxDim){ channels, NULL };
    dim[2] = (OnnxDim){ x->h, e->dynamic ? names[0] : NULL };
    dim[3] = (OnnxDim){ x->w, e->dynamic ? names[1] : NULL };
}

static void export_outputs(Emitter *e, Scope scope)
{
    for (int i = 0; i < e->network->export_count; i++) {
        const Export *x = &e->network->exports[i];
        char names[2][32];
        OnnxDim dim[4];
        if (x->scope != scope)
            continue;
        export_shape(e, x, names, dim);
        snprintf(e->w.scope, sizeof e->w.scope, "%s", x->name);
        onnx_rename(&e->w, emit_f32(e, e->kept[scope][i]), x->name);
        onnx_output(&e->w, x->name, ONNX_FLOAT, 4, dim);
    }
    if (scope == SCOPE_FRAME0 && e->dynamic) {
        const OnnxDim two = { 2, NULL };
        onnx_rename(&e->w, emit_size_of(e, e->picture, 0, 0), "size");
        onnx_output(&e->w, "size", ONNX_INT64, 1, &two);
    }
}

/* The kept tensors of a scope that the graph reads, as inputs; those of frames end in _0 and _1. */
static void import_inputs(Emitter *e, const Graph *g, Scope scope)
{
    static const char *const suffix[SCOPE_COUNT] = { "", "_0", "_1", "" };
    for (int i = 0; i < g->tensor_count; i++) {
        const Tensor *t = &g->tensors[i];
        char names[2][32], name[NAME_LENGTH + 4];
        OnnxDim dim[4];
        bool made = false;
        for (int k = 0; k < g->op_count; k++)
            made |= g->ops[k].outputs && g->ops[k].out[0] == i;
        if (made || t->parent >= 0 || t->scope != scope || t->exported < 0 ||
            e->kept[scope][t->exported].name[0])
            continue;
        const Export *x = &e->network->exports[t->exported];
        export_shape(e, x, names, dim);
        snprintf(name, sizeof name, "%s%s", x->name, suffix[scope]);
        e->kept[scope][t->exported] = onnx_input(&e->w, name, ONNX_FLOAT, 4, dim);
    }
}

/* Where the picture ends, for the crop. */
static void size_input(Emitter *e)
{
    const Network *n = e->network;
    const OnnxDim two = { 2, NULL };
    e->size = e->dynamic ? onnx_input(&e->w, "size_0", ONNX_INT64, 1, &two)
                         : onnx_ints(&e->w, 2, (int64_t[]){ n->h, n->w });
}

/* ---- parts ---- */

static int emit_all(Emitter *e)
{
    const Network *n = e->network;
    const OnnxValue picture[2] = { picture_input(e, "frame0"), picture_input(e, "frame1") };
    time_input(e);
    e->size = emit_size_of(e, picture[0], n->h, n->w);
    e->picture = picture[0];
    int error = emit_graph(e, &n->graph[DAIN_RATE_FRAME], "frame0", SCOPE_FRAME0);
    e->picture = picture[1];
    if (!error)
        error = emit_graph(e, &n->graph[DAIN_RATE_FRAME], "frame1", SCOPE_FRAME1);
    if (!error)
        error = emit_graph(e, &n->graph[DAIN_RATE_PAIR], "pair", SCOPE_PAIR);
    if (!error)
        error = emit_graph(e, &n->graph[DAIN_RATE_TIME], "time", SCOPE_TEMP);
    picture_output(e);
    return error;
}

static int emit_part(Emitter *e, OnnxPart part)
{
    if (part == ONNX_PART_ALL)
        return emit_all(e);
    const Graph *g = &e->network->graph[part];
    const char *name = onnx_part_name(part);
    int error;
    if (part == ONNX_PART_FRAME) {
        e->picture = picture_input(e, "frame");
        error = emit_graph(e, g, name, SCOPE_FRAME0);
        export_outputs(e, SCOPE_FRAME0);
        return error;
    }
    for (int scope = SCOPE_FRAME0; scope <= SCOPE_PAIR; scope++)
        if (part == ONNX_PART_TIME || scope != SCOPE_PAIR)
            import_inputs(e, g, (Scope)scope);
    if (part == ONNX_PART_PAIR) {
        error = emit_graph(e, g, name, SCOPE_PAIR);
        export_outputs(e, SCOPE_PAIR);
        return error;
    }
    size_input(e);
    time_input(e);
    error = emit_graph(e, g, name, SCOPE_TEMP);
    picture_output(e);
    return error;
}

static void metadata(Emitter *e, const Model *model, OnnxPart part)
{
    const char *license = model_meta(model, "license");
    const char *card = model_meta(model, "model_card");
    OnnxWriter *const w = &e->w;
    onnx_metadata(w, "title", TITLE);
    onnx_metadata(w, "network", model->kind->name);
    onnx_metadata(w, "part", part == ONNX_PART_ALL ? "all" : onnx_part_name(part));
    onnx_metadata(w, "precision", e->half ? "f16" : e->bytes ? "int8" : "f32");
    onnx_metadata(w, "license",
                  license ? license
                          : "graph: BSD-2-Clause; weights: terms of their own, see the model card");
    onnx_metadata(w, "model_card",
                  card ? card : "models/README.md of dain, if these are the weights it ships");
    onnx_metadata(w, "inputs", "gamma-coded RGB, 0 .. 1; 0 < t < 1");
    onnx_metadata(
        w, "limits",
        "motion beyond about 60 pixels, thin fast things, entering borders; no scene cuts");
    for (int i = 0; i < model->meta_count; i++) {
        char key[128];
        snprintf(key, sizeof key, "weights.%s", model->meta[i].key);
        onnx_metadata(w, key, model->meta[i].value);
    }
}

int model_export_onnx(const Model *model, OnnxPart part, const OnnxSettings *settings, Bytes *file,
                      Report *report)
{
    Network network;
    char name[64];
    memset(file, 0, sizeof *file);
    if (settings->bytes && model->kind != &model_edge)
        return report_error(report, DAIN_EUNSUPPORTED,
                            "%s: only the edge network can be exported in 8 bits, this is %s",
                            model->path, model->kind->title);
    Emitter *e = mem_calloc(1, sizeof *e);
    if (!e)
        return report_error(report, DAIN_ENOMEM, "out of memory for the ONNX model");
    e->network = &network;
    e->dynamic = !settings->w;
    e->half = settings->half;
    e->bytes = settings->bytes;
    e->params = &model->params;
    e->align = model->kind->align;
    e->original = model->kind == &model_dain;
    e->report = report;
    network_init(&network, e->dynamic ? DYNAMIC_SIDE : settings->w,
                 e->dynamic ? DYNAMIC_SIDE : settings->h, model->kind->align, report);
    int error = model->kind->build(model, &network);
    if (!error)
        error = emit_part(e, part);
    if (!error) {
        metadata(e, model, part);
        snprintf(name, sizeof name, "dain-%s%s%s", model->kind->name,
                 *onnx_part_name(part) ? "-" : "", onnx_part_name(part));
        error = onnx_finish(&e->w, name, TITLE, file, report);
    }
    onnx_free(&e->w);
    network_free(&network);
    mem_free(e);
    return error;
}
