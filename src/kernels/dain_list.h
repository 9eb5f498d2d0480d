/* Kernels of the original network and of DAIN's operators; a part of the list in kernels.h, whose
 * rules hold here too. */
#ifndef DAIN_KERNELS_DAIN_LIST_H
#define DAIN_KERNELS_DAIN_LIST_H

#include "kernels/view.h"

/* Planes of one array, each row contiguous: data[c * plane + y * row + x]. */
typedef struct PlanesView {
    float *data;
    ptrdiff_t plane, row; /* floats */
    int w, h, c;
} PlanesView;

/* Floats of scratch that fill_holes_f32 needs. */
size_t fill_holes_scratch(int w, int h);

/*
 * The original network and DAIN's operators. No halo is needed; out never overlaps an input unless
 * said otherwise; "accepted" means x2 = x + fx and y2 = y + fy (one rounding each) lie in
 * 0 .. w-1, 0 .. h-1, both ends included.
 *
 * pwc_warp_f32       out(p) = x bilinearly at p + scale * flow(p), zero where less than 0.9999 of
 *                    the bilinear weight lies inside; the position takes PWC-Net's way over [-1,1]
 * filter_interp_f32  out(p) = adaptive 4x4 warp of x (any channels) by flow(p) with kern(p), 16
 *                    channels, tap row slow; a copy of x(p) where not accepted or where |fx| >=
 *                    w/2 or |fy| >= h/2; edges replicate
 * interpolation_f32  out(p) = x bilinearly at p + flow(p), 0 unless 0 <= x2 < w and 0 <= y2 < h
 * flow_splat_f32     acc (4 channels, zeroed by the caller) += (-w*fx, -w*fy, w, 0) at the four
 *                    neighbours of p + flow(p), sources in raster order, w = weight(p) or 1 if
 *                    weight.data is NULL. One call for the whole map
 * flow_splat_min_f32 acc (4 channels, zeroed) at the top left neighbour = (-fx, -fy, w, 0) if w is
 *                    greater than what is there. One call for the whole map
 * flow_mean_f32      count (1 channel) = acc[2]; out (2 channels) = acc[0:2], divided by the count
 *                    if divide is set and the count is positive
 * fill_holes_f32     out (2 channels, in place): pixels of count <= 0 get the mean of the nearest
 *                    pixels of non-zero count to the left, right, above and below, those of
 *                    positive count only. One call for the whole map; scratch of
 *                    fill_holes_scratch(w, h) floats
 * sepconv_f32        out(c,y,x) = sum over j of vert(j,y,x) * sum over i of horz(i,y,x) *
 *                    image(c,y+j,x+i); planes
 * sepconv_flow_f32   out (2 planes) = centre of mass of horz and of vert minus (S-1)/2, -2000
 *                    where the weights sum to 0; planes
 * up4_f32            out (4w x 4h) = bilinear x4 of (x * s1) * s2, half-pixel centres
 * pool2_f32          out (w/2 x h/2) = maximum, or mean if average is set, over 2x2
 * nearest2_f32       out (2w x 2h) = x at half the position
 * leaky_f32          out = x > 0 ? x : x * slope; out may be x
 * mix_f32            out = a * wa + b * wb; out may be a or b
 * depth_weight_f32   out = 1e-6 + 1 / exp(x), our exp; out may be x
 */
#define DAIN_ORIGINAL_KERNELS(K)                                                                   \
    K(pwc_warp_f32,                                                                                \
      (const View *out, const View *x, const View *flow, float scale, int y0, int y1))             \
    K(filter_interp_f32,                                                                           \
      (const View *out, const View *x, const View *flow, const View *kern, int y0, int y1))        \
    K(interpolation_f32, (const View *out, const View *x, const View *flow, int y0, int y1))       \
    K(flow_splat_f32, (const View *acc, const View *flow, const View *weight))                     \
    K(flow_splat_min_f32, (const View *acc, const View *flow, const View *weight))                 \
    K(flow_mean_f32,                                                                               \
      (const View *out, const View *count, const View *acc, int divide, int y0, int y1))           \
    K(fill_holes_f32, (const View *out, const View *count, float *scratch))                        \
    K(sepconv_f32, (const PlanesView *out, const PlanesView *image, const PlanesView *vert,        \
                    const PlanesView *horz, int y0, int y1))                                       \
    K(sepconv_flow_f32,                                                                            \
      (const PlanesView *out, const PlanesView *vert, const PlanesView *horz, int y0, int y1))     \
    K(up4_f32, (const View *out, const View *x, float s1, float s2, int y0, int y1))               \
    K(pool2_f32, (const View *out, const View *x, int average, int y0, int y1))                    \
    K(nearest2_f32, (const View *out, const View *x, int y0, int y1))                              \
    K(leaky_f32, (const View *out, const View *x, float slope, int y0, int y1))                    \
    K(mix_f32,                                                                                     \
      (const View *out, const View *a, const View *b, float wa, float wb, int y0, int y1))         \
    K(depth_weight_f32, (const View *out, const View *x, int y0, int y1))

#endif
