/* Cross-layer equalisation: channels of very different strength brought to one scale before they share 8 bits. */
#ifndef DAIN_MODEL_EQUALISE_H
#define DAIN_MODEL_EQUALISE_H

#include "model/model.h"

/* Strength of one channel of a convolution's output (root mean square), <= 0 where it is not known. */
typedef float (*ChannelStrength)(void *opaque, const ConvParam *conv, int channel);

/*
 * Divides output channels of convolutions by powers of two and multiplies the inputs of the convolutions
 * that read them by the same, wherever nothing but convolutions, bilinear samples and concatenations
 * lies between (activations are positively homogeneous). Exact: the model computes the same bits in f32.
 * Works on what the model computes for one size; returns the number of channels changed, or an error.
 * Errors: those of building the graphs, DAIN_ENOMEM.
 */
int model_equalise(Model *model, ChannelStrength strength, void *opaque, Report *report);

#endif
