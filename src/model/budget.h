/* Memory budget: how a model is laid out for a picture size so that it fits. */
#ifndef DAIN_MODEL_BUDGET_H
#define DAIN_MODEL_BUDGET_H

#include "model/model.h"

/* What is wished for and what may be given up. */
typedef struct Budget {
    size_t limit;            /* bytes for everything below; 0 = none */
    int threads;             /* each has scratch memory */
    DainPrecision precision; /* AUTO: may be lowered to fit */
    DainFlowScale flow;      /* DEFAULT, AUTO: may be lowered to fit */
    bool curved;             /* motion, unless only linear motion fits */
} Budget;

/* What came of it: bytes, those of one frame and of one pair. */
typedef struct Need {
    const char *precision; /* as in Model */
    int reduce;            /* flow at 1/reduce of the resolution */
    int strip_rows, bands; /* see Network */
    bool reduced;          /* something was given up for the limit */
    int frames, pairs;     /* kept */
    size_t arena, scratch, weights, frame, pair, total;
} Need;

/*
 * Sets the model's precision, flow resolution, strips and bands for pictures of w x h: what was
 * wished for if that fits, else the least loss that does - narrower strips, bands, bfloat16, linear
 * motion, 8 bits, flow at lower resolution. The model must not be in use by a network. After
 * DAIN_ENOMEM *need is the least that is possible. Errors: DAIN_ENOMEM (does not fit, or no
 * memory), DAIN_EINVAL (size), those of model_network().
 */
int model_fit(Model *model, const Budget *budget, int w, int h, Need *need, Report *report);

#endif
