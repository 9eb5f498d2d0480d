/* The operators of the original network in ONNX, between the two files that write them. */
#ifndef DAIN_MODEL_ONNX_DAIN_H
#define DAIN_MODEL_ONNX_DAIN_H

#include "model/onnx_emit.h"

enum {
    PICTURE_CHANNELS = 4
}; /* of a picture in our graphs; the last one, alpha, is not exported */

/* The nodes of an operator of the original network, or of a convolution in it. *out keeps its empty name where
 * a later operator makes the tensor. Errors: DAIN_ENOMEM. */
int emit_dain_op(Emitter *e, const Graph *g, const Op *op, OnnxValue *out);

/* 4.2: x at every pixel + flow, 0 where less than 0.9999 of the weight lies inside. */
OnnxValue emit_pwc_warp(Emitter *e, const EmitLevel *level, OnnxValue x, OnnxValue flow);
/* 4.3: sums of -weight * flow (two channels) and of weight; their mean; what nobody hit. w, h: the size,
 * where it is fixed. */
OnnxValue emit_flow_splat(Emitter *e, const EmitLevel *level, OnnxValue flow, OnnxValue weight);
OnnxValue emit_flow_mean(Emitter *e, OnnxValue sums);
OnnxValue emit_fill_holes(Emitter *e, const EmitLevel *level, int w, int h, OnnxValue flow,
                          OnnxValue count);
/* 4.4: the adaptive warp of x by the tensors flow and kern. What does not depend on x is made once. */
OnnxValue emit_filter(Emitter *e, const Graph *g, const EmitLevel *level, int flow, int kern,
                      OnnxValue x);

#endif
