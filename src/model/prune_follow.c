/* Pruning: following channels through the graphs of a network. */
#include "base/mem.h"
#include "model/dain.h"
#include "model/prune_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the channels of every tensor of the three graphs. */
typedef struct Follower {
    Pruner *p;
    Network network;
    int **ids[3]; /* by graph and tensor, NULL = not known yet */
    int error;
} Follower;

int prune_root(const Pruner *p, int channel)
{
    int *parent = p->parent;
    while (parent[channel] != channel) {
        parent[channel] = parent[parent[channel]];
        channel = parent[channel];
    }
    return channel;
}

static bool gives(const PruneCorr *corr, int channel)
{
    return channel >= corr->first && channel < corr->first + corr->outputs;
}

/* The lower number becomes the root, so that what is tied to 0 is fixed. */
static void unite(Pruner *p, int a, int b)
{
    if (a == b)
        return;
    for (int i = 0; i < p->corr_count; i++)
        if (gives(&p->corr[i], a) || gives(&p->corr[i], b))
            p->corr[i].mixed = true;
    a = prune_root(p, a);
    b = prune_root(p, b);
    if (a < b)
        p->parent[b] = a;
    else
        p->parent[a] = b;
}

static int add_channels(Pruner *p, int n)
{
    const int first = p->channel_count;
    while (p->channel_count < first + n) {
        if (!mem_reserve(&p->parent, p->channel_count, &p->channel_capacity, sizeof *p->parent))
            return -1;
        p->parent[p->channel_count] = p->channel_count;
        p->channel_count++;
    }
    return first;
}

/* ---- layers ---- */

/* Parts of one convolution of the file are called NAME/PART. */
static size_t layer_name_length(const char *name)
{
    return strcspn(name, "/");
}

static int find_layer(const Pruner *p, const char *name)
{
    const size_t n = layer_name_length(name);
    for (int i = 0; i < p->layer_count; i++)
        if (!strncmp(p->layers[i].name, name, n) && !p->layers[i].name[n])
            return i;
    return -1;
}

static void describe_layer(void *opaque, const DainLayer *layer)
{
    Pruner *p = opaque;
    const int i = find_layer(p, layer->name);
    if (i < 0)
        return;
    p->layers[i].transposed = layer->transposed;
    snprintf(p->layers[i].norm, sizeof p->layers[i].norm, "%s", layer->norm ? layer->norm : "");
}

static int list_layers(Pruner *p)
{
    const Params *params = &p->model->params;
    p->layers = mem_calloc((size_t)params->count + 1, sizeof *p->layers);
    p->params = mem_calloc((size_t)params->count + 1, sizeof *p->params);
    if (!p->layers || !p->params || add_channels(p, 1) < 0)
        return prune_no_memory(p);
    p->param_count = params->count;
    for (int i = 0; i < params->count; i++) {
        const ConvParam *conv = params->conv[i];
        int layer = find_layer(p, conv->name);
        if (layer < 0) {
            layer = p->layer_count++;
            PruneLayer *l = &p->layers[layer];
            snprintf(l->name, sizeof l->name, "%.*s", (int)layer_name_length(conv->name),
                     conv->name);
            l->channels = l->kept = conv->oc;
            l->group = layer;
            l->first = add_channels(p, conv->oc);
            if (l->first < 0)
                return prune_no_memory(p);
        }
        p->params[i] = (PruneParam){ conv, layer, NULL };
    }
    if (p->model->kind == &model_dain)
        dain_layers(describe_layer, p);
    return DAIN_OK;
}

/* ---- tensors ---- */

static const int *tensor_ids(Follower *f, int rate, int tensor);

/* What another graph keeps under the name that this tensor imports. */
static const int *imported_ids(Follower *f, const Tensor *t)
{
    const int r = t->scope == SCOPE_PAIR ? DAIN_RATE_PAIR : DAIN_RATE_FRAME;
    const Graph *g = &f->network.graph[r];
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].exported == t->exported)
            return tensor_ids(f, r, i);
    return NULL;
}

/* Copies numbers (NULL: all fixed) as those of a tensor. */
static void set_ids(Follower *f, int rate, int tensor, const int *ids)
{
    const int n = f->network.graph[rate].tensors[tensor].c;
    int *copy = f->error ? NULL : mem_calloc((size_t)n + 1, sizeof *copy);
    if (!copy) {
        f->error = f->error ? f->error : prune_no_memory(f->p);
        return;
    }
    if (ids)
        memcpy(copy, ids, (size_t)n * sizeof *copy);
    mem_free(f->ids[rate][tensor]);
    f->ids[rate][tensor] = copy;
}

/* Numbers of a tensor; NULL after an error. */
static const int *tensor_ids(Follower *f, int rate, int tensor)
{
    if (f->error)
        return NULL;
    if (!f->ids[rate][tensor]) {
        const Tensor *t = &f->network.graph[rate].tensors[tensor];
        const int *ids = NULL;
        if (t->parent >= 0) {
            ids = tensor_ids(f, rate, t->parent);
            ids = ids ? ids + t->channel : NULL;
        } else if (t->exported >= 0) {
            ids = imported_ids(f, t);
        }
        if (!f->error)
            set_ids(f, rate, tensor, ids);
    }
    return f->ids[rate][tensor];
}

static void unite_tensors(Follower *f, const int *a, const int *b, int n)
{
    for (int i = 0; i < n && !f->error; i++)
        unite(f->p, a[i], b ? b[i] : 0);
}

static void fix(Follower *f, int rate, int tensor)
{
    const int *ids = tensor >= 0 ? tensor_ids(f, rate, tensor) : NULL;
    if (ids)
        unite_tensors(f, ids, NULL, f->network.graph[rate].tensors[tensor].c);
}

/* ---- costs ---- */

static void add_use(Follower *f, int channel, int cost, int inputs, int outputs)
{
    Pruner *p = f->p;
    if (f->error)
        return;
    if (!mem_reserve(&p->uses, p->use_count, &p->use_capacity, sizeof *p->uses)) {
        f->error = prune_no_memory(p);
        return;
    }
    p->uses[p->use_count++] = (PruneUse){ channel, cost, inputs, outputs };
}

/* area: positions at which the product is taken; taps: of the kernel. */
static void add_cost(Follower *f, double area, int taps, const int *in, int inputs, int layer,
                     int outputs)
{
    Pruner *p = f->p;
    if (f->error)
        return;
    if (!mem_reserve(&p->costs, p->cost_count, &p->cost_capacity, sizeof *p->costs)) {
        f->error = prune_no_memory(p);
        return;
    }
    const double pixels = (double)f->network.padded_w * f->network.padded_h;
    const int cost = p->cost_count++;
    p->costs[cost] = (PruneCost){ area * taps / pixels, layer, inputs, outputs };
    for (int i = 0; i < inputs; i++)
        add_use(f, in[i], cost, 1, 0);
    for (int i = 0; layer >= 0 && i < outputs; i++)
        add_use(f, p->layers[layer].first + i, cost, 0, 1);
}

/* ---- operators ---- */

static void follow_conv(Follower *f, int rate, const Op *op)
{
    Pruner *p = f->p;
    const Graph *g = &f->network.graph[rate];
    const Tensor *in = &g->tensors[op->in[0]], *out = &g->tensors[op->out[0]];
    const int add = op->kind == OP_CONV ? op->in[1] : op->kind == OP_WARP_CONV ? op->in[3] : -1;
    PruneParam *param = p->params;
    while (param->conv != op->conv)
        param++;
    const int layer = param->layer, first = p->layers[layer].first, oc = op->conv->oc;
    const int *ids = tensor_ids(f, rate, op->in[0]);
    if (!ids)
        return;
    if (param->in) {
        unite_tensors(f, param->in, ids, in->c);
    } else {
        param->in = mem_alloc((size_t)in->c * sizeof *param->in);
        if (!param->in) {
            f->error = prune_no_memory(p);
            return;
        }
        memcpy(param->in, ids, (size_t)in->c * sizeof *param->in);
    }
    int *outs = mem_alloc((size_t)oc * sizeof *outs);
    if (!outs) {
        f->error = prune_no_memory(p);
        return;
    }
    for (int i = 0; i < oc; i++)
        outs[i] = first + i;
    if (add >= 0)
        unite_tensors(f, outs, tensor_ids(f, rate, add), oc);
    if (op->kind == OP_WARP_CONV) {
        fix(f, rate, op->in[1]);
        fix(f, rate, op->in[2]);
    }
    set_ids(f, rate, op->out[0], outs);
    mem_free(outs);
    const double area = op->kind == OP_DECONV ? (double)in->w * in->h : (double)out->w * out->h;
    add_cost(f, area, op->conv->kh * op->conv->kw, param->in, in->c, layer, oc);
}

/* A correlation that is a mean over channels: what it compares may go if those who read it make up for
 * that. The channels it gives stay. */
static void follow_mean_corr(Follower *f, int rate, const Op *op, const int *a)
{
    Pruner *p = f->p;
    const Graph *g = &f->network.graph[rate];
    const int n = g->tensors[op->in[0]].c, outputs = g->tensors[op->out[0]].c;
    PruneCorr *corr = NULL;
    for (int i = 0; i < p->corr_count && !corr; i++)
        if (p->corr[i].n == n && !memcmp(p->corr[i].in, a, (size_t)n * sizeof *a))
            corr = &p->corr[i];
    if (!corr) {
        if (!mem_reserve(&p->corr, p->corr_count, &p->corr_capacity, sizeof *p->corr)) {
            f->error = prune_no_memory(p);
            return;
        }
        corr = &p->corr[p->corr_count];
        corr->in = mem_alloc((size_t)n * sizeof *corr->in);
        corr->first = add_channels(p, outputs);
        if (!corr->in || corr->first < 0) {
            mem_free(corr->in);
            f->error = prune_no_memory(p);
            return;
        }
        p->corr_count++;
        corr->outputs = outputs;
        corr->n = n;
        corr->mixed = false;
        memcpy(corr->in, a, (size_t)n * sizeof *a);
    }
    int *outs = mem_alloc((size_t)outputs * sizeof *outs);
    for (int i = 0; outs && i < outputs; i++)
        outs[i] = corr->first + i;
    if (outs)
        set_ids(f, rate, op->out[0], outs);
    else
        f->error = prune_no_memory(p);
    mem_free(outs);
}

static void follow_corr(Follower *f, int rate, const Op *op)
{
    const Graph *g = &f->network.graph[rate];
    const Tensor *in = &g->tensors[op->in[0]], *out = &g->tensors[op->out[0]];
    const int *a = tensor_ids(f, rate, op->in[0]), *b = tensor_ids(f, rate, op->in[1]);
    if (!a || !b)
        return;
    unite_tensors(f, a, b, in->c);
    add_cost(f, (double)out->w * out->h, 1, a, in->c, -1, out->c);
    if (op->kind == OP_CORR_LEAKY)
        follow_mean_corr(f, rate, op, a);
    else
        set_ids(f, rate, op->out[0], NULL);
}

static void follow_concat(Follower *f, int rate, const Op *op)
{
    const Graph *g = &f->network.graph[rate];
    int *ids = mem_alloc((size_t)g->tensors[op->out[0]].c * sizeof *ids), n = 0;
    if (!ids)
        f->error = prune_no_memory(f->p);
    for (int i = 0; i < op->inputs && !f->error; i++) {
        const int *in = tensor_ids(f, rate, op->in[i]), c = g->tensors[op->in[i]].c;
        if (in)
            memcpy(ids + n, in, (size_t)c * sizeof *ids);
        n += c;
    }
    if (!f->error)
        set_ids(f, rate, op->out[0], ids);
    mem_free(ids);
}

/* Channels go through one by one; the other inputs are needed whole. */
static void follow_each(Follower *f, int rate, const Op *op)
{
    set_ids(f, rate, op->out[0], tensor_ids(f, rate, op->in[0]));
    for (int i = 1; i < op->inputs; i++)
        fix(f, rate, op->in[i]);
}

static void follow_op(Follower *f, int rate, const Op *op)
{
    const Graph *g = &f->network.graph[rate];
    switch (op->kind) {
    case OP_CONV:
    case OP_WARP_CONV:
    case OP_DECONV:
        follow_conv(f, rate, op);
        break;
    case OP_CONCAT:
        follow_concat(f, rate, op);
        break;
    case OP_CORR:
    case OP_CORR_LEAKY:
        follow_corr(f, rate, op);
        break;
    case OP_NORMALISE: /* mean and variance count the channels */
        if (!f->p->compared)
            fix(f, rate, op->in[0]);
        follow_each(f, rate, op);
        break;
    case OP_CLAMP_ADD:
        if (op->inputs > 1 && op->in[1] >= 0) {
            const int *a = tensor_ids(f, rate, op->in[0]), *b = tensor_ids(f, rate, op->in[1]);
            if (a && b)
                unite_tensors(f, a, b, g->tensors[op->in[0]].c);
            set_ids(f, rate, op->out[0], a);
            break;
        }
        follow_each(f, rate, op);
        break;
    case OP_UP2:
    case OP_SCALE:
    case OP_WARP:
    case OP_PWC_WARP:
    case OP_POOL2:
    case OP_NEAREST2:
    case OP_FILTER:
        follow_each(f, rate, op);
        break;
    default:
        for (int i = 0; i < op->inputs; i++)
            fix(f, rate, op->in[i]);
        for (int i = 0; i < op->outputs; i++)
            set_ids(f, rate, op->out[i], NULL);
    }
}

/* What is kept for other graphs lies in tensors that only they read: nothing to do. */
static int follow_graphs(Follower *f)
{
    enum { SIDE = 256 };
    Pruner *p = f->p;
    network_init(&f->network, SIDE, SIDE, p->model->kind->align, &p->quiet);
    f->error = p->model->kind->build(p->model, &f->network);
    if (f->error)
        report_error(p->report, f->error, "%s: %s", p->path, p->quiet.error);
    for (int r = 0; r < 3 && !f->error; r++) {
        const Graph *g = &f->network.graph[r];
        f->ids[r] = mem_calloc((size_t)g->tensor_count + 1, sizeof *f->ids[r]);
        if (!f->ids[r])
            f->error = prune_no_memory(p);
        for (int i = 0; i < g->op_count && !f->error; i++)
            follow_op(f, r, &g->ops[i]);
    }
    for (int r = 0; r < 3; r++) {
        for (int i = 0; f->ids[r] && i < f->network.graph[r].tensor_count; i++)
            mem_free(f->ids[r][i]);
        mem_free(f->ids[r]);
    }
    network_free(&f->network);
    return f->error;
}

/* ---- all ---- */

int prune_follow(Pruner *p)
{
    Follower f = { .p = p };
    int error = list_layers(p);
    if (!error)
        error = follow_graphs(&f);
    if (error)
        return error;
    for (int i = 0; i < p->corr_count; i++)
        for (int k = 0; p->corr[i].mixed && k < p->corr[i].n; k++)
            unite(p, p->corr[i].in[k], 0);
    p->classes = mem_calloc((size_t)p->channel_count + 1, sizeof *p->classes);
    if (!p->classes)
        return prune_no_memory(p);
    prune_group(p);
    for (int i = 0; i < p->cost_count; i++) {
        const PruneCost *c = &p->costs[i];
        const double macs = c->factor * c->inputs * c->outputs;
        p->macs += macs;
        if (c->layer >= 0)
            p->layers[c->layer].macs += macs;
    }
    p->macs_before = p->macs;
    for (int i = 0; i < p->layer_count; i++)
        p->layers[i].old_macs = p->layers[i].macs;
    return DAIN_OK;
}
