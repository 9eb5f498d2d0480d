/*
 * The arithmetic of the networks, as one table of functions.
 *
 * Canonical arithmetic (docs/architecture.md): every kernel has one defined order of operations,
 * written in the C reference (kernels/c/) with fmaf where the vector code fuses; C, AVX2, AVX-512
 * and NEON give identical bits. A kernel that takes rows y0 .. y1-1 writes exactly those rows of
 * its output and gives the same bits however the rows are cut into calls, so the executor may hand
 * them to threads as it likes.
 *
 * All functions are reentrant; none allocates, logs or fails. Arguments are checked by the graph,
 * not here.
 */
#ifndef DAIN_KERNELS_KERNELS_H
#define DAIN_KERNELS_KERNELS_H

#include "kernels/dain_list.h"
#include "kernels/quant.h"
#include "kernels/view.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- convolution ---- */

enum { CONV_LANES = 16 };

/*
 * out(y,x,o) = act( bias[o] + sum over ky, kx, ci of
 *                   in(y*stride + ky*dilation - pad, x*stride + kx*dilation - pad, ci) * w[o][..]
 *                   + add(y,x,o) )
 *
 * The sum runs in the order ky, kx, ci, each term one fused multiply-add onto the accumulator,
 * which starts from the bias; add (a residual of the shape of out, or data = NULL) is added after
 * the sum; act(v) = v > 0 ? v : v * slope[o] (slope 1 = linear, 0 = ReLU, 0.1 = leaky, any per
 * channel = PReLU). pad = dilation * (k - 1) / 2 on each axis; in has a zero halo of at least
 * that, so reads never need a test.
 *
 * weights: order of conv_pack_f32(), [ceil(oc/16)][kh][kw][ci][16]; bias and slope: oc rounded up
 * to 16, zero-filled. out must not overlap in; add may be the same memory as out.
 */
typedef struct ConvArgs {
    View in, out, add;
    const float *weights, *bias, *slope;
    int kh, kw, stride, dilation;
} ConvArgs;

/* Packs OIHW weights (oc, ci, kh, kw) into the order above; dst holds conv_packed_size() floats. */
size_t conv_packed_size(int oc, int ci, int kh, int kw);
void conv_pack_f32(float *dst, const float *oihw, int oc, int ci, int kh, int kw);

/* ---- picture import and export ---- */

/* A caller's picture, as in DainImage. */
typedef struct ImageView {
    void *plane[4];      /* R, G, B, A or NULL */
    ptrdiff_t stride[4]; /* bytes */
    int step;            /* samples between neighbours */
    int sample;          /* 0 = u8, 1 = u16, 2 = f32 */
    float peak;          /* code of 1.0 (1 for f32) */
    int w, h;
} ImageView;

/* ---- the polish ---- */

/* One Lucas-Kanade step ("Polish" in docs/edge.md): out = flow moved so that y0 warped by flow[0:2]
 * and y1 warped by flow[2:4] agree. flow, out: 4 channels; y0, y1: 1 channel, halo of at least 1 readable
 * on the right and below. out must not overlap flow. */
typedef struct PolishArgs {
    View out, flow, y0, y1;
    float t;
} PolishArgs;

/* Floats of scratch that lk_polish_f32 needs for pictures of width w, whatever the rows. */
size_t lk_polish_scratch(int w);

/* ---- the table ---- */

/*
 * One line per kernel: K(name, (arguments)). Rows y0 .. y1-1 are rows of the output unless said
 * otherwise. Definitions in the words of docs/edge.md, "Layers" and "Operators"; the order of
 * operations is that of the C reference.
 *
 * conv_f32           see ConvArgs
 * up2_f32            out (2w x 2h) = scale * bilinear x2 of x, half-pixel centres, replicate
 *                    border (no halo needed)
 * normalise_f32      per pixel over the channels: (x - mean) / sqrt(var + 1e-4)
 * corr_f32           out channel (dy+r)*(2r+1) + (dx+r) = (1/C) sum_c a(p,c) b(p+d,c), a and b
 *                    already normalised; b has a zero halo of r. 16 partial sums: lane i takes
 *                    channels i, i+16, ...; folded 16 -> 8 -> 4 -> 2 -> 1
 * warp_bilinear_f32  out(p) = x at clamp(p + flow(p)), flow 2 channels; x has a readable, finite
 *                    halo of 1 right and below. A flow that is not a number samples at 0.
 * peak_f32           out (2 channels) = base + soft arg-max of the (2r+1)^2 channels of c, beta
 *                    16; base.data may be NULL (0)
 * clamp_add_f32      out = clamp(a + b, lo, hi); b.data may be NULL (0)
 * splat_weights_f32  e = exp(w); out (4 channels) = (sign*flow.x*e, sign*flow.y*e, e, 1)
 * splat_f32          out += forward bilinear splat of val (4 channels) by scale * flow. Not by
 *                    rows: one call for the whole map, source pixels in raster order; out is
 *                    zeroed by the caller
 * project_merge_f32  "Projection to t" in docs/edge.md after the splats: s0, s1 (4 channels n.x n.y d
 *                    k, zero halo of 4) -> out (6 channels F_t0 F_t1 c0 c1)
 * luma_half_f32      out (1 channel, half size) = mean over 2x2 of 0.299 R + 0.587 G + 0.114 B
 * lk_polish_f32      see PolishArgs; scratch of lk_polish_scratch(w) floats, one per thread
 * awarp_f32          out(p) = adaptive 4x4 warp of x (4 channels, replicated halo of 2) by flow(p)
 *                    (2 channels), sharpness sharp(p) (1 channel) in [0,1]
 * shuffle2_f32       pixel shuffle: x (4k channels) -> out (k channels, twice the size)
 * sigmoid_f32        out = 1 / (1 + exp(-(x + bias))), our exp
 * blend_f32          out = clamp(m*a + (1-m)*b + r, 0, 1); a, b, out 4 channels, m 1 channel, r 3
 *                    channels (the fourth channel of out gets no r)
 * image_load_f32     rows of the padded picture: out (4 channels) = code / peak, alpha or 1; rows
 *                    and columns beyond the picture repeat the last one. Rows -halo .. h+halo-1
 *                    may be asked for; halo columns left and right are written with each row
 * image_store_f32    rows of the picture from x (4 channels, clamped to [0,1]): value * peak,
 *                    rounded half to even; f32 as it is
 * scale_f32          out = scale * x (1: a copy)
 * fill_f32           out = value
 * limit_f32          out = gain * the mean of a and b, at most twice the lesser one, 0 where their signs
 *                    differ (van Leer's monotonised central limiter)
 * shift_rgb_f32      out (3 channels) = first 3 of the 4 channels of x, minus 0.5
 */
#define DAIN_VECTOR_KERNELS(K)                                                                     \
    K(conv_f32, (const ConvArgs *a, int y0, int y1))                                               \
    K(up2_f32, (const View *out, const View *x, float scale, int y0, int y1))                      \
    K(normalise_f32, (const View *out, const View *x, int y0, int y1))                             \
    K(corr_f32, (const View *out, const View *a, const View *b, int r, int y0, int y1))            \
    K(warp_bilinear_f32, (const View *out, const View *x, const View *flow, int y0, int y1))       \
    K(peak_f32, (const View *out, const View *base, const View *c, int r, int y0, int y1))         \
    K(clamp_add_f32,                                                                               \
      (const View *out, const View *a, const View *b, float lo, float hi, int y0, int y1))         \
    K(splat_weights_f32,                                                                           \
      (const View *out, const View *flow, const View *w, float sign, int y0, int y1))              \
    K(splat_f32, (const View *out, const View *val, const View *flow, float scale))                \
    K(project_merge_f32,                                                                           \
      (const View *out, const View *s0, const View *s1, float t, int y0, int y1))                  \
    K(luma_half_f32, (const View *out, const View *x, int y0, int y1))                             \
    K(lk_polish_f32, (const PolishArgs *a, float *scratch, int y0, int y1))                        \
    K(awarp_f32,                                                                                   \
      (const View *out, const View *x, const View *flow, const View *sharp, int y0, int y1))       \
    K(shuffle2_f32, (const View *out, const View *x, int y0, int y1))                              \
    K(sigmoid_f32, (const View *out, const View *x, float bias, int y0, int y1))                   \
    K(blend_f32, (const View *out, const View *a, const View *b, const View *m, const View *r,     \
                  int y0, int y1))                                                                 \
    K(image_load_f32, (const View *out, const ImageView *image, int halo, int y0, int y1))         \
    K(image_store_f32, (const ImageView *image, const View *x, int y0, int y1))                    \
    K(scale_f32, (const View *out, const View *x, float scale, int y0, int y1))                    \
    K(shift_rgb_f32, (const View *out, const View *x, int y0, int y1))
/* fill_f32 and limit_f32 are C everywhere. */
#define DAIN_KERNELS(K)                                                                            \
    DAIN_VECTOR_KERNELS(K)                                                                         \
    K(fill_f32, (const View *out, float value, int y0, int y1))                                    \
    K(limit_f32, (const View *out, const View *a, const View *b, float gain, int y0, int y1))      \
    DAIN_ORIGINAL_KERNELS(K)

typedef struct Kernels {
#define KERNEL_MEMBER(name, args) void(*name) args;
    DAIN_KERNELS(KERNEL_MEMBER)
    DAIN_KERNELS_QUANT(KERNEL_MEMBER) /* quant.h */
#undef KERNEL_MEMBER
    bool winograd; /* conv_u8_winograd is faster than conv_u8 where it can stand in for it */
} Kernels;

/* The processor flags (base/cpu.h) that this build has kernels for. */
unsigned kernels_flags(void);

/* Fills the table with the C reference and then with the best version for each flag set. Pure. */
void kernels_init(Kernels *table, unsigned cpu_flags);

/* Prototypes of every version; an ISA file defines those it has, its init function writes them into
 * the table. */
#define KERNEL_PROTOTYPE(name, args)                                                               \
    void name##_c args;                                                                            \
    void name##_avx2 args;                                                                         \
    void name##_avxvnni args;                                                                      \
    void name##_avx512 args;                                                                       \
    void name##_avx512vnni args;                                                                   \
    void name##_avx512bf16 args;                                                                   \
    void name##_neon args;                                                                         \
    void name##_dotprod args;                                                                      \
    void name##_bf16 args;                                                                         \
    void name##_i8mm args;
DAIN_KERNELS(KERNEL_PROTOTYPE)
DAIN_KERNELS_QUANT(KERNEL_PROTOTYPE)
#undef KERNEL_PROTOTYPE

void kernels_init_avx2(Kernels *table);
void kernels_init_avxvnni(Kernels *table);
void kernels_init_avx512(Kernels *table);
void kernels_init_avx512vnni(Kernels *table);
void kernels_init_avx512bf16(Kernels *table);
void kernels_init_neon(Kernels *table);
void kernels_init_dotprod(Kernels *table);
void kernels_init_bf16(Kernels *table);
void kernels_init_i8mm(Kernels *table);

#endif
