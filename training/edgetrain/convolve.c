// Convolutions of the training code in float32: forward, gradient to the input, gradient to the weights.
// Arrays are channels last: pictures (N,H,W,C), weights (O,side,side,C). Odd side, padding side / 2, stride 1 or 2.
// oneDNN's float32 convolutions reach a third to a half of a core's peak for this network's shapes and memory order
// (Zen 3, AVX2), these two thirds; they hold a tile of PX pixels by 16 outputs in registers and run over (kx, c), which
// are contiguous.
#include <stdlib.h>
#include <string.h>

enum { PX = 6, VEC = 8, BLOCK = 2 * VEC };

typedef float Vec __attribute__((vector_size(4 * VEC), aligned(4), may_alias));

typedef struct {
    int n, h, w, c;       // input
    int oc, side, stride; // output channels, kernel
} Shape;

static int outer(int size, int stride)
{
    return (size - 1) / stride + 1;
}

static int round_up(int v, int to)
{
    return (v + to - 1) / to * to;
}

static inline Vec every(float v)
{
    return (Vec){ v, v, v, v, v, v, v, v };
}

// Scratch memory that stays with the process; `slot` tells several arrays of one call apart. NULL if there is none.
static float *scratch(int slot, size_t floats)
{
    static _Thread_local float *kept[4];
    static _Thread_local size_t size[4];
    if (size[slot] < floats) {
        free(kept[slot]);
        kept[slot] = malloc(floats * sizeof(float));
        size[slot] = kept[slot] ? floats : 0;
    }
    return kept[slot];
}

// ---- padded copies ------------------------------------------------------------------------------------------
typedef struct {
    float *data;
    int h, w; // padded
    size_t picture;
} Padded;

// The pictures x (n,h,w,c) with `pad` zeros around each, every pixel followed by `gap` zero ones in both directions.
static Padded padded(const float *x, int n, int h, int w, int c, int pad, int gap, int full_h,
                     int full_w)
{
    Padded p = { .h = full_h + 2 * pad, .w = full_w + 2 * pad };
    p.picture = (size_t)p.h * p.w * c;
    size_t slack = (size_t)2 * PX * 2 * c + BLOCK; // tiles read past the last pixel
    p.data = scratch(0, p.picture * n + slack);
    if (!p.data)
        return p;
    memset(p.data, 0, (p.picture * n + slack) * sizeof(float));
    for (int b = 0; b < n; b++)
        for (int y = 0; y < h; y++) {
            float *to = p.data + b * p.picture + ((size_t)(pad + y * (gap + 1)) * p.w + pad) * c;
            const float *from = x + ((size_t)b * h + y) * w * c;
            if (!gap)
                memcpy(to, from, (size_t)w * c * sizeof(float));
            else
                for (int i = 0; i < w; i++)
                    memcpy(to + (size_t)i * (gap + 1) * c, from + (size_t)i * c, c * sizeof(float));
        }
    return p;
}

// ---- forward ------------------------------------------------------------------------------------------------
// PX pixels x `vecs` vectors of outputs; x: the first pixel's corner; w: (side, run, BLOCK)
static inline __attribute__((always_inline)) void tile(const float *x, size_t step, size_t row,
                                                       const float *w, int side, int run,
                                                       Vec acc[PX][2], const int vecs)
{
    const float *p0 = x, *p1 = x + step, *p2 = x + 2 * step, *p3 = x + 3 * step, *p4 = x + 4 * step,
                *p5 = x + 5 * step;
    Vec a[PX][2];
    for (int i = 0; i < PX; i++)
        for (int v = 0; v < vecs; v++)
            a[i][v] = acc[i][v];
#define ONE(i, p)                                                                                  \
    {                                                                                              \
        Vec s = every(p[k]);                                                                       \
        a[i][0] += s * w0;                                                                         \
        if (vecs > 1)                                                                              \
            a[i][1] += s * w1;                                                                     \
    }
    for (int ky = 0; ky < side; ky++) {
        for (int k = 0; k < run; k++, w += BLOCK) {
            Vec w0 = *(const Vec *)w, w1 = vecs > 1 ? *(const Vec *)(w + VEC) : w0;
            ONE(0, p0) ONE(1, p1) ONE(2, p2) ONE(3, p3) ONE(4, p4) ONE(5, p5)
        }
        p0 += row, p1 += row, p2 += row, p3 += row, p4 += row, p5 += row;
    }
#undef ONE
    for (int i = 0; i < PX; i++)
        for (int v = 0; v < vecs; v++)
            acc[i][v] = a[i][v];
}

// One block of outputs of one picture.
static inline __attribute__((always_inline)) void
picture_block(const float *x, int padded_w, int c, const float *w, const float *bias, float *out,
              int oh, int ow, int oc, int from, int count, int side, int stride, const int vecs)
{
    size_t step = (size_t)stride * c, row = (size_t)padded_w * c;
    for (int y = 0; y < oh; y++)
        for (int at = 0; at < ow; at += PX) {
            Vec acc[PX][2];
            for (int i = 0; i < PX; i++)
                for (int v = 0; v < vecs; v++)
                    acc[i][v] = *(const Vec *)(bias + v * VEC);
            tile(x + y * stride * row + at * step, step, row, w, side, side * c, acc, vecs);
            int valid = ow - at < PX ? ow - at : PX;
            float *to = out + ((size_t)y * ow + at) * oc + from;
            for (int i = 0; i < valid; i++, to += oc)
                memcpy(to, acc[i], (size_t)count * sizeof(float));
        }
}

// packed: (blocks, side, side, c, BLOCK)
static void convolve(const Padded *x, int n, int c, const float *packed, const float *bias,
                     float *out, int oh, int ow, int oc, int side, int stride)
{
    for (int b = 0; b < n; b++)
        for (int from = 0; from < oc; from += BLOCK) {
            int count = oc - from < BLOCK ? oc - from : BLOCK;
            float start[BLOCK] = { 0 };
            if (bias)
                memcpy(start, bias + from, (size_t)count * sizeof(float));
            const float *in = x->data + b * x->picture,
                        *w = packed + (size_t)from * side * side * c;
            float *to = out + (size_t)b * oh * ow * oc;
            if (count > VEC)
                picture_block(in, x->w, c, w, start, to, oh, ow, oc, from, count, side, stride, 2);
            else
                picture_block(in, x->w, c, w, start, to, oh, ow, oc, from, count, side, stride, 1);
        }
}

// Weights (O,side,side,C) as (blocks of O, side, side, C, BLOCK); or, turned, as those of the gradient to the input:
// (blocks of C, side, side, O, BLOCK), the kernel turned by 180 degrees.
static float *pack(const float *w, Shape s, int turned)
{
    int outs = turned ? s.c : s.oc, ins = turned ? s.oc : s.c, taps = s.side * s.side;
    size_t size = (size_t)round_up(outs, BLOCK) * taps * ins;
    float *to = scratch(1, size);
    if (!to)
        return NULL;
    memset(to, 0, size * sizeof(float));
    for (int o = 0; o < s.oc; o++)
        for (int t = 0; t < taps; t++)
            for (int i = 0; i < s.c; i++, w++) {
                int out = turned ? i : o, in = turned ? o : i, tap = turned ? taps - 1 - t : t;
                to[(((size_t)(out / BLOCK) * taps + tap) * ins + in) * BLOCK + out % BLOCK] = *w;
            }
    return to;
}

// All functions return 0, or 1 if there is no memory.
int edge_conv(const float *x, const float *w, const float *bias, float *out, int n, int h,
              int width, int c, int oc, int side, int stride)
{
    Shape s = { n, h, width, c, oc, side, stride };
    Padded p = padded(x, n, h, width, c, side / 2, 0, h, width);
    float *packed = pack(w, s, 0);
    if (!p.data || !packed)
        return 1;
    convolve(&p, n, c, packed, bias, out, outer(h, stride), outer(width, stride), oc, side, stride);
    return 0;
}

// g: gradient of the output; gx (n,h,w,c) is written
int edge_conv_back_input(const float *g, const float *w, float *gx, int n, int h, int width, int c,
                         int oc, int side, int stride)
{
    Shape s = { n, h, width, c, oc, side, stride };
    Padded p =
        padded(g, n, outer(h, stride), outer(width, stride), oc, side / 2, stride - 1, h, width);
    float *packed = pack(w, s, 1);
    if (!p.data || !packed)
        return 1;
    convolve(&p, n, oc, packed, NULL, gx, h, width, c, side, 1);
    return 0;
}

// ---- gradient to the weights --------------------------------------------------------------------------------
// Over `rows` rows: PX values of (kx, c) x `vecs` vectors of outputs.
static inline __attribute__((always_inline)) void weight_tile(const float *x, size_t step,
                                                              size_t row, const float *g, int oc,
                                                              int rows, int ow, float *to,
                                                              size_t to_step, const int vecs)
{
    Vec a[PX][2];
    for (int i = 0; i < PX; i++)
        for (int v = 0; v < vecs; v++)
            a[i][v] = *(const Vec *)(to + i * to_step + v * VEC);
    for (int y = 0; y < rows; y++, x += row) {
        const float *p = x;
        for (int at = 0; at < ow; at++, p += step, g += oc) {
            Vec g0 = *(const Vec *)g, g1 = vecs > 1 ? *(const Vec *)(g + VEC) : g0;
#define ONE(i)                                                                                     \
    {                                                                                              \
        Vec s = every(p[i]);                                                                       \
        a[i][0] += s * g0;                                                                         \
        if (vecs > 1)                                                                              \
            a[i][1] += s * g1;                                                                     \
    }
            ONE(0) ONE(1) ONE(2) ONE(3) ONE(4) ONE(5)
#undef ONE
        }
    }
    for (int i = 0; i < PX; i++)
        for (int v = 0; v < vecs; v++)
            *(Vec *)(to + i * to_step + v * VEC) = a[i][v];
}

// gw (oc,side,side,c) and gbias (oc) are written
int edge_conv_back_weight(const float *x, const float *g, float *gw, float *gbias, int n, int h,
                          int width, int c, int oc, int side, int stride)
{
    int oh = outer(h, stride), ow = outer(width, stride), outs = round_up(oc, VEC), run = side * c;
    int runs = round_up(run, PX), rows = 192 / ow > 1 ? 192 / ow : 1; // a band stays in the cache
    Padded p = padded(x, n, h, width, c, side / 2, 0, h, width);
    size_t pixels = (size_t)n * oh * ow, size = (size_t)side * runs * outs;
    float *sum = scratch(2, size), *wide = outs == oc ? NULL : scratch(3, pixels * outs);
    if (!p.data || !sum || (outs != oc && !wide))
        return 1;
    memset(sum, 0, size * sizeof(float));
    memset(gbias, 0, (size_t)oc * sizeof(float));
    for (size_t i = 0; i < pixels; i++)
        for (int o = 0; o < oc; o++)
            gbias[o] += g[i * oc + o];
    if (wide) {
        memset(wide, 0, pixels * outs * sizeof(float));
        for (size_t i = 0; i < pixels; i++)
            memcpy(wide + i * outs, g + i * oc, (size_t)oc * sizeof(float));
        g = wide;
    }
    size_t step = (size_t)stride * c, row = (size_t)p.w * c;
    for (int b = 0; b < n; b++)
        for (int y = 0; y < oh; y += rows) {
            int count = oh - y < rows ? oh - y : rows;
            for (int ky = 0; ky < side; ky++)
                for (int k = 0; k < run; k += PX)
                    for (int o = 0; o < outs; o += BLOCK) {
                        const float *in = p.data + b * p.picture + (y * stride + ky) * row + k;
                        const float *at = g + (((size_t)b * oh + y) * ow) * outs + o;
                        float *to = sum + ((size_t)ky * runs + k) * outs + o;
                        if (outs - o > VEC)
                            weight_tile(in, step, row * stride, at, outs, count, ow, to, outs, 2);
                        else
                            weight_tile(in, step, row * stride, at, outs, count, ow, to, outs, 1);
                    }
        }
    for (int o = 0; o < oc; o++)
        for (int ky = 0; ky < side; ky++)
            for (int k = 0; k < run; k++)
                *gw++ = sum[((size_t)ky * runs + k) * outs + o];
    return 0;
}
