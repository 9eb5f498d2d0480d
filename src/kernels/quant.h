/*
 * Low precision: the second list of kernels.
 *
 * u8 tensors are affine: value = (code - zero) * scale, one scale and zero per tensor; weights are
 * s8 with one scale per output channel. All u8 results are identical on every instruction set. bf16
 * is a named precision: the dot products of conv_bf16 and conv_f32's fused multiply-adds round
 * differently, so conv_bf16 is only close across instruction sets (and bit-equal within one):
 * AVX-512 BF16 and AArch64's bf16 have such products, all others the bits of the reference.
 *
 * Included by kernels.h; not on its own.
 */
#ifndef DAIN_KERNELS_QUANT_H
#define DAIN_KERNELS_QUANT_H

#include "kernels/view.h"

#include <math.h>
#include <stdint.h>

/* As View, with codes of one byte: strides in bytes. Kernels may read, never write, up to 64 bytes
 * past the last channel of a pixel; every buffer has that slack. */
typedef struct View8 {
    uint8_t *data;
    ptrdiff_t row, px;
    int w, h, c;
} View8;

/* As View, with bfloat16 (the upper half of a float): strides in elements of two bytes. */
typedef struct View16 {
    uint16_t *data;
    ptrdiff_t row, px;
    int w, h, c;
} View16;

static inline uint8_t *view8_at(const View8 *v, int y, int x)
{
    return v->data + (ptrdiff_t)y * v->row + (ptrdiff_t)x * v->px;
}

static inline uint16_t *view16_at(const View16 *v, int y, int x)
{
    return v->data + (ptrdiff_t)y * v->row + (ptrdiff_t)x * v->px;
}

/*
 * Convolution of codes. With q = in(y*stride + ky*dilation - pad, x*stride + kx*dilation - pad, ci)
 *
 *     acc = bias[o] + sum of q * w[o][ky][kx][ci]                 32 bits, wrapping
 *     s = scale[o] * m, k = add_scale * m; m = out_inv_scale for a u8 output, 1 for f32
 *     z = out_zero for a u8 output, 0 for f32
 *
 *     without a residual:   v = fma(acc, acc < 0 ? s * slope[o] : s, z)
 *     with add:             u = fma(add(y,x,o), k, fma(acc, s, -(add_zero * k)))
 *     with add_f32:         u = fma(acc, s, 0) + add_f32(y,x,o)      (in codes for a u8 output)
 *     with either:          v = (u > 0 ? u : u * slope[o]) + z
 *
 *     f32 output: v;   u8 output: code_from_f32(v)
 *
 * scale[o] > 0 turns acc into real numbers (scale of the input times scale of the weights); slope as in
 * ConvArgs. bias is in units of acc and holds what the input's zero point adds: round(b / scale[o])
 * - zero * sum of the weights of o. pad = dilation * (k - 1) / 2; in has a halo of at least that
 * which holds the zero point.
 *
 * Channels of in are read in fours: up to 3 bytes past in.c, which may hold anything.
 *
 * conv_u8_winograd does the same to 3x3 kernels of stride and dilation 1, to the last bit, from other
 * weights; it reads up to 15 bytes past in.c.
 *
 * Exactly one of out.data and out_f32.data is set. Residuals: at most one; its memory may be the
 * output's. bias, scale and slope: oc rounded up to 16, the rest finite.
 */
typedef struct ConvU8Args {
    View8 in, out, add;
    View out_f32, add_f32;
    const int8_t *weights;   /* order of conv_pack_u8(): [ceil(oc/16)][kh][kw][ceil(ci/4)][16][4] */
    const int16_t *winograd; /* order of conv_pack_winograd() */
    const int32_t *bias;
    const float *scale, *slope;
    float out_inv_scale, add_scale; /* codes per unit of the output, units per code of add */
    int out_zero, add_zero;
    int kh, kw, stride, dilation;
} ConvU8Args;

/* Packs OIHW weights into the order above; dst holds conv_packed_size_u8() bytes. Weights may use
 * all of -128 .. 127: no kernel saturates. */
size_t conv_packed_size_u8(int oc, int ci, int kh, int kw);
void conv_pack_u8(int8_t *dst, const int8_t *oihw, int oc, int ci, int kh, int kw);

/*
 * Winograd's F(2x2, 3x3): 16 products for four outputs in the place of 36 (Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", 2016). Each tile of 2x2 outputs takes its 4x4 inputs d and kernel g through
 *
 *     A^T [ (G g G^T) * (B^T d B) ] A
 *
 * where G has halves. With 2 G all numbers are integers, the result is four times the sum, and nothing is rounded:
 * 11 bits and a sign hold 4 G g G^T and B^T d B, and 32 bits four times a sum of WINOGRAD_CHANNELS or less.
 *
 * conv_pack_winograd(): [16 positions][ceil(oc/16)][ceil(ci/2)][16][2]. The kernel needs conv_winograd_scratch(ci)
 * bytes for each thread, aligned to 64.
 */
enum { WINOGRAD_POSITIONS = 16, WINOGRAD_BATCH = 24, WINOGRAD_CHANNELS = 1024 };
size_t conv_packed_size_winograd(int oc, int ci);
void conv_pack_winograd(int16_t *dst, const int8_t *oihw, int oc, int ci);
size_t conv_winograd_scratch(int ci);

/*
 * Convolution of bfloat16 with float sums:
 *     out = act(bias[o] + sum of in * w[o] + add), as ConvArgs.
 * Exactly one of out (rounded to nearest even) and out_f32 is set; at most one residual, whose
 * memory may be the output's. in is read in pairs of channels: one element past in.c must be finite.
 * Within one instruction set the bits do not depend on how rows are cut into calls. Denormals may
 * be flushed to zero.
 */
typedef struct ConvBf16Args {
    View16 in, out, add;
    View out_f32, add_f32;
    const uint16_t *weights; /* conv_pack_bf16(): [ceil(oc/16)][kh][kw][ceil(ci/2)][16][2] */
    const float *bias, *slope;
    int kh, kw, stride, dilation;
} ConvBf16Args;

/* Packs OIHW weights, rounding them to bfloat16; dst holds conv_packed_size_bf16() elements. */
size_t conv_packed_size_bf16(int oc, int ci, int kh, int kw);
void conv_pack_bf16(uint16_t *dst, const float *oihw, int oc, int ci, int kh, int kw);

/* A normalised feature of 1 is this many codes of normalise_u8_s8, which reach from -4 to 3.97. */
enum { NORMALISED_UNIT = 32 };

/*
 * Correlation of normalised features: with acc = sum over c of a(p,c) * b(p + (dx,dy),c),
 * channel (dy+r)*(2r+1) + (dx+r) is
 *     out_f32 = acc * f,  f = 1 / (NORMALISED_UNIT^2 C)
 *     out     = code_from_f32(fma(acc, f * out_inv_scale, out_zero))
 * a and b hold signed codes, at most 256 channels; b has a halo of r, zero outside of the map. Either
 * output or both may be set.
 */
typedef struct CorrS8Args {
    View8 a, b, out;
    View out_f32;
    float out_inv_scale;
    int out_zero, r;
} CorrS8Args;

/*
 * conv_u8             see ConvU8Args
 * conv_u8_winograd    likewise
 * conv_bf16           see ConvBf16Args
 * quantise_f32_u8     out = rint(clamp(fma(x, inv_scale, zero), 0, 255)), half to even, NaN -> 0
 * dequantise_u8_f32   out = (x - zero) * scale
 * f32_to_bf16         nearest even; NaN stays NaN
 * bf16_to_f32         exact
 * warp_bilinear_u8    x at clamp(p + flow(p)), as warp_bilinear_f32 (halo of 1 readable right and
 *                     below). In 1/128 codes, fractions fx, fy as min(rint(f * 2^15), 32767):
 *                     lerp(a, b, f) = a + ((b - a) * f + 2^14 >> 15), x first; then rounded,
 *                     half up. Within 0.52 codes of the exact value
 * warp_bilinear_bf16  the same on bfloat16 in float arithmetic: warp_bilinear_f32 of the values,
 *                     rounded to nearest even
 * up2_u8              out (2w x 2h) = (9a + 3b + 3c + d + 8) >> 4, a the nearest pixel of x, d the
 *                     farthest of the four; half-pixel centres, replicate border (no halo needed).
 *                     Scale and zero stay
 * up2_bf16            up2_f32 (scale 1) of the values, rounded to nearest even
 * copy_u8             out = x
 * normalise_u8_s8     per pixel over the C channels (at most 256): (x - mean) / sqrt(var + 1e-4) of
 *                     features of that scale, as signed codes. With s = sum of x, d = C sum of x^2
 *                     - s^2 and g = (NORMALISED_UNIT / C) / sqrt(fma(d, 1/C^2, 1e-4 / scale^2)):
 *                     out = clamp(rint((C x - s) * g), -128, 127), half to even
 * corr_s8             see CorrS8Args
 */
#define DAIN_VECTOR_KERNELS_QUANT(K)                                                               \
    K(conv_u8, (const ConvU8Args *a, int y0, int y1))                                              \
    K(conv_bf16, (const ConvBf16Args *a, int y0, int y1))                                          \
    K(quantise_f32_u8,                                                                             \
      (const View8 *out, const View *x, float inv_scale, int zero, int y0, int y1))                \
    K(dequantise_u8_f32, (const View *out, const View8 *x, float scale, int zero, int y0, int y1)) \
    K(f32_to_bf16, (const View16 *out, const View *x, int y0, int y1))                             \
    K(bf16_to_f32, (const View *out, const View16 *x, int y0, int y1))                             \
    K(warp_bilinear_u8, (const View8 *out, const View8 *x, const View *flow, int y0, int y1))      \
    K(warp_bilinear_bf16, (const View16 *out, const View16 *x, const View *flow, int y0, int y1))  \
    K(up2_u8, (const View8 *out, const View8 *x, int y0, int y1))                                  \
    K(up2_bf16, (const View16 *out, const View16 *x, int y0, int y1))                              \
    K(normalise_u8_s8, (const View8 *out, const View8 *x, float scale, int y0, int y1))            \
    K(corr_s8, (const CorrS8Args *a, int y0, int y1))
/* copy_u8 is C everywhere; conv_u8_winograd exists where Kernels.winograd says that it is the
 * faster one. */
#define DAIN_KERNELS_QUANT(K)                                                                      \
    DAIN_VECTOR_KERNELS_QUANT(K)                                                                   \
    K(conv_u8_winograd, (const ConvU8Args *a, void *scratch, int y0, int y1))                      \
    K(copy_u8, (const View8 *out, const View8 *x, int y0, int y1))

/* rint(v), half to even, clamped to a code. What no 32-bit integer holds, NaN included, becomes 0:
 * the vector conversion makes INT_MIN of it. */
static inline uint8_t code_from_f32(float v)
{
    long q;

    if (!(v > -0x1p31f && v < 0x1p31f))
        return 0;
    q = lrintf(v);
    return (uint8_t)(q < 0 ? 0 : q > 255 ? 255 : q);
}

/* Rounds to bfloat16, half to even; a NaN stays one. */
static inline uint16_t bf16_from_f32(float value)
{
    union {
        float f;
        uint32_t u;
    } bits = { value };

    if (value != value)
        return (uint16_t)(bits.u >> 16 | 0x40);
    return (uint16_t)((bits.u + 0x7fff + (bits.u >> 16 & 1)) >> 16);
}

static inline float f32_from_bf16(uint16_t value)
{
    union {
        uint32_t u;
        float f;
    } bits = { (uint32_t)value << 16 };

    return bits.f;
}

#endif
