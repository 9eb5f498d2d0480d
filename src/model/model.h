/* Models: a weight file together with the builder that turns it into graphs. */
#ifndef DAIN_MODEL_MODEL_H
#define DAIN_MODEL_MODEL_H

#include "graph/graph.h"
#include "weights/safetensors.h"

typedef struct Model Model;

/* One kind of network. */
typedef struct ModelKind {
    const char *name;  /* what the weight file says under "format" */
    const char *title; /* for people */
    int align;         /* pictures are padded to multiples of this */
    /* Takes the parameters it needs from the file. Errors: DAIN_EFORMAT, DAIN_EUNSUPPORTED,
     * DAIN_ENOMEM, with a sentence in model->report. */
    int (*load)(Model *model, const WeightFile *file);
    /* Describes the three graphs. Errors as above. */
    int (*build)(const Model *model, Network *network);
    bool curves; /* it knows Model.curved */
} ModelKind;

struct Model {
    const ModelKind *kind;
    Params params;
    char *path;
    const char *precision; /* "f32", "bf16", "int8", "mixed" */
    WeightMeta *meta;      /* everything the file says about itself */
    int meta_count;
    bool pad_original; /* pictures are padded as the published DAIN does */
    bool tta;          /* see DainSettings */
    bool curved;       /* motion follows the frames around the pair: see DainSettings.motion */
    int strip_rows, strip_level; /* see Network; rows < 0, level 0: by the size of the picture */
    int bands;
    int strip_large; /* rows of large pictures then */
    int reduce;      /* flow is estimated at 1/reduce of the resolution: 1, 2, 4 */
    Report *report;
};

/* Opens a weight file of any kind. The report must outlive the model.
 * Errors: as safetensors_open(), and DAIN_EUNSUPPORTED for a kind or version that is not known. */
int model_open(Model **model, const char *path, Report *report);
void model_close(Model **model);

/*
 * Chooses what the convolutions compute in, before the first model_network(). The file may ask for
 * a precision (metadata "precision": f32, bf16, int8) and raise single layers above int8 (metadata
 * "precision.LAYER": f32 or bf16); tensors LAYER.range (two floats) hold calibrated ranges. Errors:
 * DAIN_EUNSUPPORTED (int8 without ranges), DAIN_EFORMAT (an unknown precision in the file).
 */
int model_set_precision(Model *model, DainPrecision precision);

/* Takes the ranges of a file. Errors: DAIN_EFORMAT, DAIN_ENOMEM. */
int model_load_ranges(Model *model, const WeightFile *file);

/* Value of a metadata key of the file, NULL if it has none. */
const char *model_meta(const Model *model, const char *key);

/* Graphs for pictures of w x h, planned. network_free() when done, also after an error. Prepares
 * parameters the first time. */
int model_network(Model *model, Network *network, int w, int h, bool keep_all, Report *report);

/* How many views of the frames the network sees: as they are, and for tta turned by 180 degrees. */
enum { MODEL_VIEWS_MOST = 2 };
int model_views(const Model *model);
/* Multiply-adds for each pixel of a new frame at twice the rate (one frame, one pair, one time), in
 * all views. Errors: those of model_network(), among them DAIN_EFORMAT for layers that do not fit
 * together. */
int model_macs_per_pixel(Model *model, double *macs, Report *report);

extern const ModelKind model_edge, model_dain;

#endif
