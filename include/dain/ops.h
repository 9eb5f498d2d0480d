/*
 * DAIN's operators on plain arrays.
 *
 * The operators of the DAIN and MEMC-Net papers that deep-learning frameworks do not have: the flow
 * projections, the adaptive warp, the correlation and the warp of PWC-Net, the separable
 * convolution. They need no model and no context. The arithmetic is that of the published programs
 * with every choice that those leave to chance fixed: the same input gives the same bits on every
 * processor.
 *
 * Arrays are float, of any layout: DainArray names the distance between neighbours in x, y and
 * channel. One array is one picture; call once for each item of a batch.
 *
 *     float *image, *flow, *kernel, *warped;                     // NCHW, one item
 *     DainArray i = dain_array_planar(image, w, h, 64), f = dain_array_planar(flow, w, h, 2);
 *     DainArray k = dain_array_planar(kernel, w, h, 16), o = dain_array_planar(warped, w, h, 64);
 *     if (dain_filter_interpolation(&o, &i, &f, &k) < 0) ...
 *
 * Conventions: a flow has two channels, x (to the right) and y (down), in pixels. w and h are the
 * width and height of the arrays, (x, y) a pixel of the output. "Inside" for a position means
 * 0 <= x <= w-1 and 0 <= y <= h-1; a flow that is not finite is never inside. The sum of a pixel
 * coordinate and a flow is rounded to float once, before anything is compared with it.
 *
 * Errors, of all functions: DAIN_EINVAL (a NULL, a size below 1 or above 32768, sizes or channels
 * that do not belong together, output pixels that share memory by a stride of 0), DAIN_ENOMEM. On
 * failure the output is undefined.
 *
 * Thread-safety: all functions may be called from any number of threads; each runs in the thread
 * that called it. Outputs must not overlap inputs or each other.
 */
#ifndef DAIN_OPS_H
#define DAIN_OPS_H

#include "dain/dain.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A picture of floats: element (x, y, c) is data[x * stride_x + y * stride_y + c * stride_c].
 * Strides count floats and may be negative. Inputs are not written. */
typedef struct DainArray {
    float *data;
    int width, height, channels;
    ptrdiff_t stride_x, stride_y, stride_c;
} DainArray;

/* One item of an NCHW tensor: channel after channel, each height rows of width floats. */
static inline DainArray dain_array_planar(const float *data, int width, int height, int channels)
{
    float *const p = (float *)(uintptr_t)data; /* an input is not written */
    DainArray a = { p, width, height, channels, 1, width, (ptrdiff_t)width * height };
    return a;
}

/* One item of an NHWC tensor: pixel after pixel, each channels floats. */
static inline DainArray dain_array_packed(const float *data, int width, int height, int channels)
{
    float *const p = (float *)(uintptr_t)data;
    DainArray a = { p, width, height, channels, channels, (ptrdiff_t)width * channels, 1 };
    return a;
}

/*
 * Cost volume. out has (2 radius + 1)^2 channels, a and b the same size and number of channels C:
 *
 *     out[(dy + radius) * (2 radius + 1) + dx + radius](x, y)
 *         = 1/C * sum over c of a[c](x, y) * b[c](x + dx, y + dy),  dx, dy = -radius .. radius
 *
 * b is 0 outside its picture. No activation follows (DAIN applies LeakyReLU(0.1)). radius is
 * 0 .. 16; DAIN uses 4. The sum over c takes 16 partial sums and folds them in halves.
 */
DAIN_API int dain_correlation(const DainArray *out, const DainArray *a, const DainArray *b,
                              int radius);

/*
 * PWC-Net's backward warp: out(x, y) = image at (x, y) + flow(x, y), bilinear with zeros outside,
 * and 0 where less than 0.9999 of the bilinear weight lies inside the picture. What is accepted
 * beyond the border (up to 1e-4 pixels) keeps its part of the weight. The position takes the
 * original's way over [-1, 1] and back in float. An image of ones gives the inside weight itself.
 */
DAIN_API int dain_pwc_warp(const DainArray *out, const DainArray *image, const DainArray *flow);

/*
 * Flow projection: every source pixel whose target (x, y) + flow lies inside adds minus its flow to
 * the four pixels around the target, each with full weight (also when the target is a pixel
 * exactly; at the right and lower edge the same pixel is met twice). out, two channels, is the mean:
 * the flow from the time of the targets back to the source. count, one channel, is the sum of the
 * weights; NULL if it is not wanted. Sums are made in raster order of the sources.
 *
 * fill_holes: a pixel that nothing was added to (count 0) gets the mean of the nearest pixels with
 * a count to its left, right, above and below, as far as there are any; else it is 0. DAIN always
 * fills at inference. count is not changed by it.
 */
DAIN_API int dain_flow_projection(const DainArray *out, const DainArray *count,
                                  const DainArray *flow, int fill_holes);

/* The same with a weight for each source pixel (one channel, positive; DAIN: 1e-6 + 1 / exp of the
 * log depth, so that what is near wins). */
DAIN_API int dain_depth_flow_projection(const DainArray *out, const DainArray *count,
                                        const DainArray *flow, const DainArray *weight,
                                        int fill_holes);

/* The variant in which the largest weight wins: only the pixel to the upper left of the target is
 * written, with minus the flow of the source of greatest weight (the first in raster order among
 * equals); count is that weight. Weights that are not positive write nothing. */
DAIN_API int dain_min_depth_flow_projection(const DainArray *out, const DainArray *count,
                                            const DainArray *flow, const DainArray *weight,
                                            int fill_holes);

/*
 * Adaptive warp ("filter interpolation"): out, of the size and channels of image,
 *
 *     out[c](x, y) = sum over j, i = 0..3 of B(j, i) * kernel[4 j + i](x, y) * image[c](X-1+i, Y-1+j)
 *
 * where (X, Y) is the integer part of the position (x, y) + flow(x, y), (a, b) its fraction, and
 * B = (1-a)(1-b), a(1-b), (1-a)b or ab for the upper left, upper right, lower left and lower right
 * 2x2 taps. kernel has 16 channels and is not normalised. Taps outside the picture take the nearest
 * pixel. Where the position is not inside, or |flow x| >= w/2 or |flow y| >= h/2, the input pixel
 * is copied: out(x, y) = image(x, y).
 */
DAIN_API int dain_filter_interpolation(const DainArray *out, const DainArray *image,
                                       const DainArray *flow, const DainArray *kernel);

/* Bilinear backward warp of a picture of three channels: out(x, y) = image at (x, y) + flow(x, y)
 * for positions with 0 <= x < w and 0 <= y < h (beyond w-1 and h-1 the last pixel repeats), else
 * 0. */
DAIN_API int dain_interpolation(const DainArray *out, const DainArray *image,
                                const DainArray *flow);

/* The same for any number of channels. */
DAIN_API int dain_interpolation_ch(const DainArray *out, const DainArray *image,
                                   const DainArray *flow);

/*
 * Separable convolution with kernels of its own for every pixel. vertical and horizontal have S
 * channels and the size of out; image is S-1 wider and higher, any number of channels:
 *
 *     out[c](x, y) = sum over j, i of vertical[j](x, y) * horizontal[i](x, y) * image[c](x+i, y+j)
 */
DAIN_API int dain_separable_conv(const DainArray *out, const DainArray *image,
                                 const DainArray *vertical, const DainArray *horizontal);

/* The flow that such kernels stand for: out (two channels) = centre of mass of horizontal and of
 * vertical, minus (S-1)/2; -2000 where the weights sum to exactly 0. */
DAIN_API int dain_separable_conv_flow(const DainArray *out, const DainArray *vertical,
                                      const DainArray *horizontal);

#ifdef __cplusplus
}
#endif
#endif
