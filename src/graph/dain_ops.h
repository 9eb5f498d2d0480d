/* Operators of the original network: builders and their rows of the operator table. */
#ifndef DAIN_GRAPH_DAIN_OPS_H
#define DAIN_GRAPH_DAIN_OPS_H

#include "graph/ops.h"

/* The caller's picture, 4 channels, where the network's padding puts it, edges repeated; zero halo. */
int graph_pad_load(Graph *g);
/* Correlation of a and b within 4 pixels (81 channels), then LeakyReLU(0.1). */
int graph_corr_leaky(Graph *g, int a, int b);
/* PWC-Net's warp of x by scale * flow. */
int graph_pwc_warp(Graph *g, int x, int flow, float scale);
int graph_pool2(Graph *g, int x, bool average);
int graph_nearest2(Graph *g, int x);
/* Bilinear x4 of 20 * flow * t, or of 20 * flow * (1 - t) if from_end. */
int graph_up4_time(Graph *g, int flow, bool from_end);
/* Transposed 4x4 convolution of stride 2 as four of 2x2, one for each parity (y * 2 + x) of the output;
 * weights in the order of deconv_phase(). */
int graph_deconv(Graph *g, int x, ConvParam *const phase[4]);
/* The 2x2 kernel (OIHW) of a phase from IOHW 4x4 weights. */
void deconv_phase(float *oihw, const float *iohw, int ci, int oc, int phase);
/* 1e-6 + 1 / exp(x) */
int graph_depth_weight(Graph *g, int x);
/* Depth flow projection with its holes filled: 2 channels. */
int graph_flow_projection(Graph *g, int flow, int weight);
/* Adaptive warp of x. */
int graph_filter(Graph *g, int x, int flow, int kern);
/* (1 - t) * a + t * b */
int graph_mix_time(Graph *g, int a, int b);
/*
 * sum + convolution of the adaptive warp of x, written over sum, with the activation of conv. The
 * warped features exist for a few rows at a time only.
 */
int graph_warp_conv(Graph *g, int x, int flow, int kern, const ConvParam *conv, int sum);
/* The new picture: blend (4 channels) with residual (3 channels) added, clamped. */
int graph_finish(Graph *g, int residual, int blend);
/* Lets the output of an operator use the memory of one of its inputs (of the same shape), which must
 * be its last use. Only for operators that allow it. */
int graph_in_place(Graph *g, int x, int input);

const OpInfo *dain_op_info(OpKind kind);

#endif
