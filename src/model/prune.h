/*
 * Structured pruning: which channels of a network can go together, which matter least, and the smaller
 * model.
 *
 * Channels are followed through the graphs: a warp, a resampling or a joint tensor keeps them apart, a
 * residual or a correlation ties one to another, and what an operator needs whole (a flow, the picture)
 * ties it to what cannot go. Channels that are tied form a class, which goes or stays.
 */
#ifndef DAIN_MODEL_PRUNE_H
#define DAIN_MODEL_PRUNE_H

#include "model/model.h"

/* How channels are ranked: by the weights that make a channel and those that read it, sums of absolute
 * values or of squares, multiplied (so that a channel scaled up here and down there keeps its rank); or by
 * the scale of the batch norm behind it times what reads it. */
typedef enum PruneImportance { PRUNE_L1, PRUNE_L2, PRUNE_BN } PruneImportance;

/* A convolution of the weight file. */
typedef struct PruneLayer {
    char name[64];
    int channels, kept;    /* outputs */
    int first;             /* number of its first channel */
    int group;             /* of layers whose channels are tied */
    bool transposed;       /* weights are IOHW */
    char norm[64];         /* batch norm behind it, "" = none */
    double macs, old_macs; /* a pixel of a new frame */
} PruneLayer;

typedef struct Pruner Pruner;

typedef struct PruneOptions {
    PruneImportance importance;
    double ratio;            /* of the channels of every layer, 0 = not this way */
    double target;           /* multiply-adds a pixel to come to, 0 = not this way */
    double most;             /* with a target: no layer loses a larger share */
    int multiple;            /* channels left are a multiple of this, where a layer had as many */
    bool compared;           /* also features that a normalising correlation compares */
    const char *const *only; /* beginnings of names of layers, ended by NULL; an empty list: all */
} PruneOptions;

/* Reads a model and follows its channels. compared as in PruneOptions. Errors: those of model_open(),
 * DAIN_ENOMEM. */
int prune_open(Pruner **pruner, const char *path, bool compared, Report *report);
void prune_close(Pruner **pruner);

/* Chooses what goes. Errors: DAIN_EINVAL (nothing can go, target out of reach), DAIN_EUNSUPPORTED (no
 * batch norms), DAIN_ENOMEM. */
int prune_choose(Pruner *pruner, const PruneOptions *options);

/* Writes what is left; or, if zeros is set, the model of the old shape whose removed channels are zero,
 * which computes the same. Errors: DAIN_EIO, DAIN_ENOMEM. */
int prune_write(Pruner *pruner, const char *path, bool zeros);

int prune_layer_count(const Pruner *pruner);
const PruneLayer *prune_layer(const Pruner *pruner, int i);
/* Multiply-adds a pixel of a new frame at twice the rate, of all that is left. */
double prune_macs(const Pruner *pruner);
double prune_macs_before(const Pruner *pruner);
int64_t prune_parameters(const Pruner *pruner);
int64_t prune_parameters_before(const Pruner *pruner);

#endif
