/* Calibration: which ranges the activations of a model take on real pictures. */
#ifndef DAIN_MODEL_CALIBRATE_H
#define DAIN_MODEL_CALIBRATE_H

#include "model/session.h"

/* How a range is chosen from what was seen. */
typedef enum RangeMethod {
    RANGE_MSE,        /* the one with the least mean square error of 8-bit codes (clips outliers) */
    RANGE_MINMAX,     /* all that was seen */
    RANGE_PERCENTILE, /* 0.005 % cut at either end */
    RANGE_METHODS
} RangeMethod;

/* "mse", "minmax", "percentile". */
const char *range_method_name(RangeMethod method);

typedef struct Calibration Calibration;

/* The model must compute in f32 (model_set_precision). kernels, pool, report must outlive it.
 * Errors: DAIN_ENOMEM. */
int calibration_create(Calibration **calibration, Model *model, const Kernels *kernels, Pool *pool,
                       Report *report);
void calibration_free(Calibration **calibration);

/* Looks at everything the model computes for the picture half-way between two of the same size.
 * Errors: those of session_open(). */
int calibration_add(Calibration *calibration, const ImageView *first, const ImageView *second);

/* Brings the channels of the model to one scale (model_equalise) by what was added, and forgets that:
 * the same pictures have to be added again. Returns the number of channels changed, or an error. */
int calibration_equalise(Calibration *calibration);

/* Gives the model its ranges. Errors: DAIN_EINVAL (nothing was added, or all pictures were flat),
 * DAIN_ENOMEM. */
int calibration_finish(Calibration *calibration, RangeMethod method);

#endif
