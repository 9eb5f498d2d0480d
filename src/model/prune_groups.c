/* Channels that live and die together become classes, layers that share one become groups. */
#include "model/prune_private.h"

#include <stdlib.h>

static int by_class(const void *a, const void *b)
{
    const PruneUse *x = a, *y = b;
    return x->class_ != y->class_ ? (x->class_ > y->class_) - (x->class_ < y->class_)
                                  : (x->cost > y->cost) - (x->cost < y->cost);
}

/* Uses of channels become uses of classes, one for each cost. */
static void collect_uses(Pruner *p)
{
    int n = 0;
    for (int i = 0; i < p->use_count; i++)
        p->uses[i].class_ = prune_root(p, p->uses[i].class_);
    qsort(p->uses, (size_t)p->use_count, sizeof *p->uses, by_class);
    for (int i = 0; i < p->use_count; i++) {
        const PruneUse u = p->uses[i];
        PruneClass *c = &p->classes[u.class_];
        if (n && p->uses[n - 1].class_ == u.class_ && p->uses[n - 1].cost == u.cost) {
            p->uses[n - 1].inputs += u.inputs;
            p->uses[n - 1].outputs += u.outputs;
            continue;
        }
        if (!c->uses)
            c->first_use = n;
        c->uses++;
        p->uses[n++] = u;
    }
    p->use_count = n;
}

static int layer_root(const Pruner *p, int layer)
{
    while (p->layers[layer].group != layer)
        layer = p->layers[layer].group;
    return layer;
}

/* Layers that share a class are one group, numbered like its first layer. */
static void find_groups(Pruner *p)
{
    for (int i = 0; i < p->channel_count; i++)
        p->classes[i].group = -1;
    for (int i = 0; i < p->layer_count; i++)
        for (int o = 0; o < p->layers[i].channels; o++) {
            const int root = prune_root(p, p->layers[i].first + o);
            PruneClass *c = &p->classes[root];
            const int mine = layer_root(p, i);
            if (!root)
                continue;
            if (c->group >= 0) {
                const int other = layer_root(p, c->group);
                if (other < mine)
                    p->layers[mine].group = other;
                else
                    p->layers[other].group = mine;
            }
            c->group = layer_root(p, i);
        }
    for (int i = 0; i < p->layer_count; i++)
        p->layers[i].group = layer_root(p, i);
    for (int i = 0; i < p->channel_count; i++)
        if (p->classes[i].group >= 0)
            p->classes[i].group = layer_root(p, p->classes[i].group);
}

void prune_group(Pruner *p)
{
    collect_uses(p);
    find_groups(p);
}
