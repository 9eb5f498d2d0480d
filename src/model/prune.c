/* Pruning: opening a model, ranking its channels, choosing what goes. */
#include "model/prune.h"

#include "base/mem.h"
#include "model/prune_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int prune_no_memory(Pruner *p)
{
    return report_error(p->report, DAIN_ENOMEM, "%s: out of memory", p->path);
}

const WeightTensor *prune_tensor(const Pruner *p, const char *name, const char *part)
{
    char key[160];
    snprintf(key, sizeof key, "%s.%s", name, part);
    return weights_find(p->file, key);
}

bool prune_gone(const Pruner *p, int channel)
{
    return p->classes[prune_root(p, channel)].removed;
}

int prune_open(Pruner **pruner, const char *path, bool compared, Report *report)
{
    *pruner = NULL;
    Pruner *p = mem_calloc(1, sizeof *p);
    if (!p || !(p->path = mem_strdup(path))) {
        mem_free(p);
        return report_error(report, DAIN_ENOMEM, "%s: out of memory", path);
    }
    p->report = report;
    p->compared = compared;
    int error = model_open(&p->model, path, &p->quiet);
    if (!error)
        error = safetensors_open(&p->file, path, &p->quiet);
    if (error)
        report_error(report, error, "%s", p->quiet.error);
    else
        error = prune_follow(p);
    for (int i = 0; !error && i < p->param_count; i++) {
        const ConvParam *c = p->params[i].conv;
        p->parameters += (int64_t)c->oc * c->ci * c->kh * c->kw;
    }
    p->parameters_before = p->parameters;
    if (error)
        prune_close(&p);
    *pruner = p;
    return error;
}

void prune_close(Pruner **pruner)
{
    Pruner *p = *pruner;
    if (!p)
        return;
    for (int i = 0; i < p->param_count; i++)
        mem_free(p->params[i].in);
    for (int i = 0; i < p->corr_count; i++)
        mem_free(p->corr[i].in);
    mem_free(p->layers);
    mem_free(p->params);
    mem_free(p->parent);
    mem_free(p->corr);
    mem_free(p->classes);
    mem_free(p->costs);
    mem_free(p->uses);
    mem_free(p->path);
    weights_close(&p->file);
    model_close(&p->model);
    mem_free(p);
    *pruner = NULL;
}

/* ---- ranking ---- */

static double magnitude(float w, PruneImportance importance)
{
    return importance == PRUNE_L2 ? (double)w * w : fabs(w);
}

/* Adds the weights of one parameter to the classes they make and read. */
static int add_weights(Pruner *p, const PruneParam *param, PruneImportance importance)
{
    const ConvParam *c = param->conv;
    const int taps = c->kh * c->kw;
    float *w = mem_alloc((size_t)c->oc * c->ci * taps * sizeof *w);
    if (!w)
        return prune_no_memory(p);
    params_unpack_conv(c, w);
    for (int o = 0; o < c->oc; o++) {
        PruneClass *made = &p->classes[prune_root(p, p->layers[param->layer].first + o)];
        for (int i = 0; i < c->ci; i++) {
            double sum = 0;
            for (int k = 0; k < taps; k++)
                sum += magnitude(w[((size_t)o * c->ci + i) * taps + k], importance);
            made->made += sum;
            p->classes[prune_root(p, param->in[i])].read += sum;
        }
    }
    mem_free(w);
    return DAIN_OK;
}

/* With batch norms: what makes a channel counts as its scale, and only channels behind one can go. */
static int use_norms(Pruner *p)
{
    int norms = 0;
    for (int i = 0; i < p->channel_count; i++) {
        p->classes[i].made = 0;
        p->classes[i].norm = true;
    }
    for (int i = 0; i < p->layer_count; i++) {
        const PruneLayer *l = &p->layers[i];
        const WeightTensor *gain = *l->norm ? prune_tensor(p, l->norm, "weight") : NULL;
        norms += *l->norm != 0;
        for (int o = 0; o < l->channels; o++) {
            PruneClass *c = &p->classes[prune_root(p, l->first + o)];
            c->norm = c->norm && *l->norm;
            c->made += gain && o < gain->count ? fabs(weights_value(gain, o)) : 1;
        }
    }
    return norms ? DAIN_OK
                 : report_error(p->report, DAIN_EUNSUPPORTED,
                                "%s: the network has no batch norms to rank channels by", p->path);
}

/* Importance of all classes. */
static int prune_rank(Pruner *p, PruneImportance importance)
{
    int error = DAIN_OK;
    double *sum = mem_calloc((size_t)p->layer_count + 1, sizeof *sum);
    if (!sum)
        return prune_no_memory(p);
    for (int i = 0; i < p->param_count && !error; i++)
        if (p->params[i].in)
            error = add_weights(p, &p->params[i], importance);
    if (!error && importance == PRUNE_BN)
        error = use_norms(p);
    for (int i = 0; i < p->channel_count && !error; i++) {
        PruneClass *c = &p->classes[i];
        const double product = c->made * c->read;
        c->importance = importance == PRUNE_L2 ? sqrt(product) : product;
        if (c->group >= 0)
            sum[c->group] += c->importance;
    }
    for (int i = 0; i < p->channel_count && !error; i++)
        if (p->classes[i].group >= 0 && sum[p->classes[i].group] > 0)
            p->classes[i].importance /= sum[p->classes[i].group];
    mem_free(sum);
    return error;
}

/* ---- choosing ---- */

/* Layers whose channels are tied: their classes, the most important ones first. */
typedef struct Group {
    int *order; /* roots */
    int count, kept, layers;
    double left; /* importance of what is kept */
    bool open;   /* may lose channels */
} Group;

typedef struct Chooser {
    Pruner *p;
    const PruneOptions *o;
    Group *groups;                   /* by number of their first layer */
    int *inputs, *outputs, *touched; /* by cost: scratch of saving() */
} Chooser;

/* A class with its importance, for sorting: the order must not depend on qsort. */
typedef struct Ranked {
    double importance;
    int root;
} Ranked;

static int by_importance(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return x->importance != y->importance ? (x->importance < y->importance ? 1 : -1)
                                          : (x->root > y->root) - (x->root < y->root);
}

static bool wanted_layer(const PruneOptions *o, const char *name)
{
    if (!o->only || !o->only[0])
        return true;
    for (const char *const *only = o->only; *only; only++)
        if (!strncmp(name, *only, strlen(*only)))
            return true;
    return false;
}

static int sort_group(Chooser *c, int group)
{
    Pruner *p = c->p;
    Group *g = &c->groups[group];
    int n = 0;
    for (int i = 1; i < p->channel_count; i++)
        n += p->classes[i].group == group && prune_root(p, i) == i;
    Ranked *ranked = mem_alloc(((size_t)n + 1) * sizeof *ranked);
    g->order = mem_alloc(((size_t)n + 1) * sizeof *g->order);
    if (!ranked || !g->order) {
        mem_free(ranked);
        return prune_no_memory(p);
    }
    bool norm = true;
    for (int i = 1; i < p->channel_count; i++)
        if (p->classes[i].group == group && prune_root(p, i) == i) {
            ranked[g->count++] = (Ranked){ p->classes[i].importance, i };
            norm = norm && p->classes[i].norm;
        }
    qsort(ranked, (size_t)n, sizeof *ranked, by_importance);
    for (int i = 0; i < n; i++)
        g->order[i] = ranked[i].root;
    g->kept = n;
    g->left = 1;
    g->open = c->o->importance != PRUNE_BN || norm;
    for (int i = 0; i < p->layer_count; i++)
        if (p->layers[i].group == group) {
            g->layers++;
            g->open = g->open && wanted_layer(c->o, p->layers[i].name);
        }
    mem_free(ranked);
    return DAIN_OK;
}

/* Multiply-adds that go with the n least important classes of a group. */
static double saving(Chooser *c, const Group *g, int n)
{
    Pruner *p = c->p;
    int touched = 0;
    double saved = 0;
    for (int i = g->kept - n; i < g->kept; i++) {
        const PruneClass *k = &p->classes[g->order[i]];
        for (int u = k->first_use; u < k->first_use + k->uses; u++) {
            const PruneUse *use = &p->uses[u];
            if (!c->inputs[use->cost] && !c->outputs[use->cost])
                c->touched[touched++] = use->cost;
            c->inputs[use->cost] += use->inputs;
            c->outputs[use->cost] += use->outputs;
        }
    }
    for (int i = 0; i < touched; i++) {
        const int t = c->touched[i];
        const PruneCost *cost = &p->costs[t];
        saved += cost->factor *
                 ((double)cost->inputs * cost->outputs -
                  (double)(cost->inputs - c->inputs[t]) * (cost->outputs - c->outputs[t]));
        c->inputs[t] = c->outputs[t] = 0;
    }
    return saved;
}

/* Takes the n least important classes of a group out. */
static void remove_classes(Chooser *c, Group *g, int n)
{
    Pruner *p = c->p;
    p->macs -= saving(c, g, n);
    for (; n > 0; n--) {
        PruneClass *k = &p->classes[g->order[--g->kept]];
        k->removed = true;
        g->left -= k->importance;
        for (int u = k->first_use; u < k->first_use + k->uses; u++) {
            p->costs[p->uses[u].cost].inputs -= p->uses[u].inputs;
            p->costs[p->uses[u].cost].outputs -= p->uses[u].outputs;
        }
    }
}

/* The same share of every group, what is left a multiple of so many channels. */
static void choose_ratio(Chooser *c)
{
    for (int i = 0; i < c->p->layer_count; i++) {
        Group *g = &c->groups[i];
        const int m = c->o->multiple;
        const int left = (int)ceil(g->count * (1 - c->o->ratio) / m - 1e-9) * m;
        if (g->open && left > 0 && left < g->count)
            remove_classes(c, g, g->count - left);
    }
}

/*
 * How much a step hurts: the growth of 1 / (importance left), once for each layer that makes the
 * channels. The first channels of a group are cheap to lose and the last ones dear.
 */
static double harm(const Pruner *p, const Group *g, int n)
{
    double lost = 0;
    for (int i = g->kept - n; i < g->kept; i++)
        lost += p->classes[g->order[i]].importance;
    return g->layers * (1 / (g->left - lost) - 1 / g->left);
}

/* One step after the other, each time the one that hurts least for what it saves. */
static int choose_target(Chooser *c)
{
    Pruner *p = c->p;
    const int m = c->o->multiple;
    while (p->macs > c->o->target) {
        Group *best = NULL;
        double least = INFINITY;
        for (int i = 0; i < p->layer_count; i++) {
            Group *g = &c->groups[i];
            if (!g->open || g->kept - m < g->count * (1 - c->o->most) || g->kept - m < 1)
                continue;
            const double saved = saving(c, g, m),
                         cost = saved > 0 ? harm(p, g, m) / saved : INFINITY;
            if (cost < least) {
                least = cost;
                best = g;
            }
        }
        if (!best)
            return report_error(p->report, DAIN_EINVAL,
                                "%s: %.0f multiply-adds a pixel are out of reach, %.0f are left "
                                "when no layer may lose more",
                                p->path, c->o->target, p->macs);
        remove_classes(c, best, m);
    }
    return DAIN_OK;
}

/* Widths, costs and sizes of what is left. */
static void count_rest(Pruner *p)
{
    for (int i = 0; i < p->layer_count; i++) {
        PruneLayer *l = &p->layers[i];
        l->kept = 0;
        l->macs = 0;
        for (int o = 0; o < l->channels; o++)
            l->kept += !prune_gone(p, l->first + o);
    }
    for (int i = 0; i < p->cost_count; i++)
        if (p->costs[i].layer >= 0)
            p->layers[p->costs[i].layer].macs +=
                p->costs[i].factor * p->costs[i].inputs * p->costs[i].outputs;
    p->parameters = 0;
    for (int i = 0; i < p->param_count; i++) {
        const ConvParam *c = p->params[i].conv;
        int64_t inputs = 0;
        for (int k = 0; p->params[i].in && k < c->ci; k++)
            inputs += !prune_gone(p, p->params[i].in[k]);
        p->parameters += p->layers[p->params[i].layer].kept * inputs * c->kh * c->kw;
    }
}

static int check_choice(Pruner *p)
{
    for (int i = 0; i < p->layer_count; i++)
        if (p->layers[i].kept < p->layers[i].channels)
            return DAIN_OK;
    return report_error(p->report, DAIN_EINVAL,
                        "%s: nothing goes: the share is too small, or no layer may lose channels",
                        p->path);
}

int prune_choose(Pruner *p, const PruneOptions *options)
{
    const size_t layers = (size_t)p->layer_count + 1, costs = (size_t)p->cost_count + 1;
    Chooser c = { .p = p,
                  .o = options,
                  .groups = mem_calloc(layers, sizeof *c.groups),
                  .inputs = mem_calloc(costs, sizeof *c.inputs),
                  .outputs = mem_calloc(costs, sizeof *c.outputs),
                  .touched = mem_calloc(costs, sizeof *c.touched) };
    int error = DAIN_OK;
    if (!c.groups || !c.inputs || !c.outputs || !c.touched)
        error = prune_no_memory(p);
    if (!error)
        error = prune_rank(p, options->importance);
    for (int i = 0; i < p->layer_count && !error; i++)
        if (p->layers[i].group == i)
            error = sort_group(&c, i);
    if (!error && options->target > 0)
        error = choose_target(&c);
    else if (!error)
        choose_ratio(&c);
    if (!error) {
        count_rest(p);
        error = check_choice(p);
    }
    for (int i = 0; c.groups && i < p->layer_count; i++)
        mem_free(c.groups[i].order);
    mem_free(c.groups);
    mem_free(c.inputs);
    mem_free(c.outputs);
    mem_free(c.touched);
    return error;
}

/* ---- what is known ---- */

int prune_layer_count(const Pruner *p)
{
    return p->layer_count;
}

const PruneLayer *prune_layer(const Pruner *p, int i)
{
    return &p->layers[i];
}

double prune_macs(const Pruner *p)
{
    return p->macs;
}

double prune_macs_before(const Pruner *p)
{
    return p->macs_before;
}

int64_t prune_parameters(const Pruner *p)
{
    return p->parameters;
}

int64_t prune_parameters_before(const Pruner *p)
{
    return p->parameters_before;
}
