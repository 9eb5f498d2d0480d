/* From the layers of four ncnn networks to tensors with the published names. */
#include "model/convert_ncnn.h"

#include "base/mem.h"
#include "model/dain.h"
#include "weights/ncnn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_LENGTH = 96, LAYERS_PER_LEVEL = 3, PYRAMID_LAYERS = 18 };
#define NORM_EPSILON 1e-5

/* The layers that a network must have, one after the other. */
typedef struct Matcher {
    TensorList *list;
    const NcnnNet *net;
    const char *name; /* of the network, for messages */
    int at;           /* next layer of the network */
    int expected;     /* layers matched so far */
    bool twice;       /* the first layers, a pyramid, stand there once for each frame */
    int error;
    Report *report;
} Matcher;

void tensor_list_free(TensorList *list)
{
    for (int i = 0; i < list->count; i++) {
        mem_free((char *)list->tensors[i].name);
        mem_free((void *)list->tensors[i].data);
    }
    mem_free(list->tensors);
    memset(list, 0, sizeof *list);
}

static void fail(Matcher *m, const DainLayer *layer, const char *problem)
{
    m->error = report_error(m->report, DAIN_EFORMAT, "%s: %s: %s", m->name, layer->name, problem);
}

/* A new tensor NAME.PART to be filled; NULL after an error. */
static float *add_tensor(Matcher *m, const char *name, const char *part, int dims,
                         const int64_t *shape)
{
    TensorList *l = m->list;
    char key[KEY_LENGTH];
    snprintf(key, sizeof key, "%s.%s", name, part);
    if (!mem_reserve(&l->tensors, l->count, &l->capacity, sizeof *l->tensors))
        goto fail;
    WeightTensor *t = &l->tensors[l->count];
    *t = (WeightTensor){ .type = TYPE_F32, .dims = dims, .count = 1 };
    for (int i = 0; i < dims; i++)
        t->count *= t->shape[i] = shape[i];
    t->bytes = (size_t)t->count * sizeof(float);
    float *data = mem_calloc((size_t)t->count, sizeof *data);
    t->name = mem_strdup(key);
    t->data = data;
    l->count++;
    if (data && t->name)
        return data;
fail:
    m->error = report_error(m->report, DAIN_ENOMEM, "%s: no memory for its weights", m->name);
    return NULL;
}

/* Scale and shift of an output channel that a batch norm in the network brings. */
static void norm_of(const NcnnLayer *norm, int o, double *scale, double *shift)
{
    *scale = norm ? norm->slope[o] / sqrt((double)norm->variance[o] + NORM_EPSILON) : 1.0;
    *shift = norm ? norm->bias[o] - norm->mean[o] * *scale : 0.0;
}

static void store_convolution(Matcher *m, const DainLayer *e, const NcnnLayer *l,
                              const NcnnLayer *norm)
{
    const int taps = e->k * e->k;
    const int64_t oihw[] = { e->oc, e->ci, e->k, e->k }, iohw[] = { e->ci, e->oc, e->k, e->k };
    float *w = add_tensor(m, e->name, "weight", 4, e->transposed ? iohw : oihw);
    float *b = w && e->bias ? add_tensor(m, e->name, "bias", 1, oihw) : NULL;
    for (int o = 0; o < e->oc && !m->error; o++) {
        double scale, shift;
        norm_of(norm, o, &scale, &shift);
        for (int i = 0; i < e->ci; i++) {
            const float *from = l->weights + ((size_t)o * e->ci + i) * taps;
            float *to = w + (e->transposed ? (size_t)i * e->oc + o : (size_t)o * e->ci + i) * taps;
            for (int k = 0; k < taps; k++)
                to[k] = norm ? (float)(from[k] * scale) : from[k];
        }
        if (b)
            b[o] = (float)((l->bias ? l->bias[o] : 0.0f) * scale + shift);
    }
}

/* A norm without effect: mean 0, and a variance that is 1 with what is added to it. */
static void store_norm(Matcher *m, const DainLayer *e)
{
    const int64_t each[] = { e->oc };
    float *part[4] = { 0 };
    static const char *const names[4] = { "running_mean", "running_var", "weight", "bias" };
    for (int i = 0; i < (e->affine ? 4 : 2) && !m->error; i++)
        part[i] = add_tensor(m, e->norm, names[i], 1, each);
    for (int o = 0; o < e->oc && !m->error; o++) {
        part[1][o] = (float)(1.0 - NORM_EPSILON);
        if (part[2])
            part[2][o] = 1.0f;
    }
}

/* The pyramid's copy for the other frame: the same layers again. */
static void skip_copies(Matcher *m, const DainLayer *e)
{
    for (int i = 0; i < LAYERS_PER_LEVEL; i++, m->at++) {
        const NcnnLayer *first = &m->net->layers[m->at - LAYERS_PER_LEVEL];
        const NcnnLayer *copy = &m->net->layers[m->at];
        if (m->at >= m->net->count || copy->count != first->count ||
            memcmp(copy->weights, first->weights, (size_t)first->count * sizeof(float))) {
            fail(m, e, "the pyramids of the two frames differ");
            return;
        }
    }
}

static void match(void *opaque, const DainLayer *e)
{
    Matcher *m = opaque;
    if (m->error)
        return;
    if (m->at >= m->net->count) {
        fail(m, e, "the network ends before it");
        return;
    }
    const NcnnLayer *l = &m->net->layers[m->at++], *norm = NULL;
    if (l->kind != (e->transposed ? NCNN_DECONVOLUTION : NCNN_CONVOLUTION) || l->outputs != e->oc ||
        l->kernel != e->k || l->count != (int64_t)e->ci * e->oc * e->k * e->k ||
        (l->bias && !e->bias)) {
        m->error = report_error(m->report, DAIN_EFORMAT,
                                "%s: layer '%s' has another shape than %s, whose place it takes",
                                m->name, l->name, e->name);
        return;
    }
    if (e->norm && m->at < m->net->count && m->net->layers[m->at].kind == NCNN_BATCH_NORM) {
        norm = &m->net->layers[m->at++];
        if (norm->outputs != e->oc) {
            fail(m, e, "its batch norm has another width");
            return;
        }
    }
    store_convolution(m, e, l, norm);
    if (e->norm && !m->error)
        store_norm(m, e);
    m->expected++;
    if (m->twice && m->expected <= PYRAMID_LAYERS && m->expected % LAYERS_PER_LEVEL == 0)
        skip_copies(m, e);
}

/* One network and the parts of ours that it holds. */
static int convert_net(TensorList *list, const char *folder, const char *name, bool twice,
                       void (*const parts[2])(DainLoader *), Report *report)
{
    const size_t room = strlen(folder) + strlen(name) + 16;
    char *param = mem_alloc(room), *bin = mem_alloc(room);
    NcnnNet *net = NULL;
    int error = DAIN_OK;
    if (!param || !bin) {
        error = report_error(report, DAIN_ENOMEM, "%s: no memory for its name", folder);
        goto end;
    }
    snprintf(param, room, "%s/%s.param", folder, name);
    snprintf(bin, room, "%s/%s.bin", folder, name);
    error = ncnn_open(&net, param, bin, report);
    if (error)
        goto end;
    Matcher m = { .list = list, .net = net, .name = param, .twice = twice, .report = report };
    DainLoader l = { .visit = match, .opaque = &m };
    for (int i = 0; i < 2 && parts[i]; i++)
        parts[i](&l);
    error = m.error;
    if (!error && m.at != net->count)
        error =
            report_error(report, DAIN_EFORMAT, "%s: it has more layers than the original", param);
end:
    ncnn_close(&net);
    mem_free(param);
    mem_free(bin);
    return error;
}

int convert_ncnn_folder(TensorList *list, const char *folder, Report *report)
{
    static const struct {
        const char *name;
        bool twice;
        void (*parts[2])(DainLoader *);
    } nets[] = {
        { "depthnet", false, { dain_depth_load } },
        { "flownet", true, { dain_flow_load } },
        { "ctxnet", false, { dain_context_load } },
        { "interpolation", false, { dain_filter_load, dain_rectify_load } },
    };
    int error = DAIN_OK;
    for (size_t i = 0; i < sizeof nets / sizeof *nets && !error; i++)
        error = convert_net(list, folder, nets[i].name, nets[i].twice, nets[i].parts, report);
    return error;
}
