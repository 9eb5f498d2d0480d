/* What the files of the pruner share. */
#ifndef DAIN_MODEL_PRUNE_PRIVATE_H
#define DAIN_MODEL_PRUNE_PRIVATE_H

#include "model/prune.h"

/* Numbers of channels: 0 is what cannot go, then the outputs of all layers, then those of correlations
 * that divide by the number of channels they compare. */

/* One parameter of the graph and the channels it reads. */
typedef struct PruneParam {
    const ConvParam *conv;
    int layer;
    int *in; /* numbers of its input channels; NULL: the graphs do not use it */
} PruneParam;

/* A product in the cost of the network: factor * inputs * outputs, of channels that are left. */
typedef struct PruneCost {
    double factor;
    int layer; /* whose outputs, -1: fixed */
    int inputs, outputs;
} PruneCost;

/* A channel (class) occurs in a cost so many times. */
typedef struct PruneUse {
    int class_, cost;
    int inputs, outputs;
} PruneUse;

/* Channels that stand or fall together. */
typedef struct PruneClass {
    int group; /* -1: none of its layers can lose channels */
    int first_use, uses;
    double made, read;  /* sums over the weights that make and read it */
    double importance;  /* share of its group's */
    bool removed, norm; /* norm: a batch norm is behind every channel */
} PruneClass;

/* A correlation that is a mean over the channels it compares. */
typedef struct PruneCorr {
    int first, outputs; /* its channels */
    int *in, n;         /* what it compares */
    bool mixed;         /* its output does not go straight into convolutions */
} PruneCorr;

struct Pruner {
    Model *model;
    WeightFile *file;
    char *path;
    Report *report; /* the caller's */
    Report quiet;   /* the model's: its sentences are said once, with the path */
    bool compared;

    PruneLayer *layers;
    int layer_count;
    PruneParam *params;
    int param_count;
    int *parent; /* union-find over channels, roots are classes; 0 = fixed */
    int channel_count, channel_capacity;
    PruneCorr *corr;
    int corr_count, corr_capacity;
    PruneClass *classes; /* by number of the root channel */
    PruneCost *costs;
    int cost_count, cost_capacity;
    PruneUse *uses;
    int use_count, use_capacity;
    int group_count;
    double macs, macs_before;
    int64_t parameters, parameters_before;
};

int prune_root(const Pruner *p, int channel);
/* Whether the channel is gone. */
bool prune_gone(const Pruner *p, int channel);
int prune_no_memory(Pruner *p);
/* Tensor NAME.PART of the file, NULL if there is none. */
const WeightTensor *prune_tensor(const Pruner *p, const char *name, const char *part);

/* Follows the channels through the graphs. Fills layers, params, parent, corr, costs, uses. */
int prune_follow(Pruner *p);
/* Uses of channels become uses of classes, layers that share a class a group. */
void prune_group(Pruner *p);

#endif
