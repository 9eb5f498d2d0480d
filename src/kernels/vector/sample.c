/* Backward warps for every width of vectors: positions and weights for a chunk of pixels, one
 * vector lane per pixel, then the samples of each pixel, one lane per channel. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

#include <limits.h>

enum { CHUNK = 64 }; /* pixels per round; a multiple of VL */

/* Most likely the next rows of the output want what lies below: it is fetched while this one is
 * made, since the displacements hide the order from the processor. Halves the time of maps that
 * the caches do not hold. */
enum { ROWS_AHEAD = 2 };

/* Samples are addressed by 32-bit offsets in floats from pixel (0, 0); larger maps take the slow way. */
static int addressable(const View *map)
{
    return map->row >= 0 && map->px >= 0 &&
           (map->h - 1) * map->row + (map->w - 1) * map->px <= INT_MAX;
}

/* Fractions of the positions of VL pixels from (x, y) on, and the offsets of the pixels they lie
 * in. With fewer than VL pixels the flow of the last one is repeated. */
VEC_INLINE void places_find(int *offset, vf *ax, vf *ay, const View *map, const View *flow, int y,
                            int x, int n)
{
    vf f[4];
    vi ix, iy;
    channels_load(f, view_at(flow, y, x), flow->px, n);
    const vf column = vf_from(vi_add(vi_set(x), vi_iota()));
    *ax = vf_position(column + f[0], vf_set((float)(map->w - 1)), &ix);
    *ay = vf_position(vf_set((float)y) + f[1], vf_set((float)(map->h - 1)), &iy);
    vi_store(offset, vi_add(vi_mul(ix, vi_set((int)map->px)), vi_mul(iy, vi_set((int)map->row))));
}

/* ---- bilinear ---- */

typedef struct BilinearChunk {
    int offset[CHUNK];
    float w[CHUNK / VL][4][VL];
} BilinearChunk;

VEC_INLINE vf bilinear_sum(const vf t[4], const vf w[4])
{
    vf v = t[0] * w[0];
    v = vf_fma(t[1], w[1], v);
    v = vf_fma(t[2], w[2], v);
    return vf_fma(t[3], w[3], v);
}

/* One pixel of c channels; c is a constant for the widths of the network. */
VEC_INLINE void bilinear_pixel(float *o, const float *p, ptrdiff_t px, ptrdiff_t row, const vf w[4],
                               int c)
{
    int k = 0;
    for (; k + VL <= c; k += VL, p += VL) {
        const vf t[4] = { vf_load(p), vf_load(p + px), vf_load(p + row), vf_load(p + row + px) };
        vf_store(o + k, bilinear_sum(t, w));
    }
    if (k < c) {
        const int n = c - k;
        const vf t[4] = { vf_load_n(p, n), vf_load_n(p + px, n), vf_load_n(p + row, n),
                          vf_load_n(p + row + px, n) };
        vf_store_n(o + k, bilinear_sum(t, w), n);
    }
}

VEC_INLINE void bilinear_pixels(const BilinearChunk *chunk, float *o, ptrdiff_t opx, const View *x,
                                int n, int c)
{
    for (int i = 0; i < n; i++, o += opx) {
        const float *weight = &chunk->w[i / VL][0][i % VL];
        const vf w[4] = { vf_set(weight[0]), vf_set(weight[VL]), vf_set(weight[2 * VL]),
                          vf_set(weight[3 * VL]) };
        const float *p = x->data + chunk->offset[i];
        for (int k = 0; k < c; k += 16)
            vec_prefetch(p + (1 + ROWS_AHEAD) * x->row + k);
        bilinear_pixel(o, p, x->px, x->row, w, c);
    }
}

void KERNEL(warp_bilinear_f32)(const View *out, const View *x, const View *flow, int y0, int y1)
{
    if (!addressable(x)) {
        warp_bilinear_f32_c(out, x, flow, y0, y1);
        return;
    }
    BilinearChunk chunk;
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < out->w; x0 += CHUNK) {
            const int n = out->w - x0 < CHUNK ? out->w - x0 : CHUNK;
            for (int i = 0; i < n; i += VL) {
                vf ax, ay, w[4];
                places_find(chunk.offset + i, &ax, &ay, x, flow, y, x0 + i, n - i);
                vf_bilinear(ax, ay, w);
                for (int k = 0; k < 4; k++)
                    vf_store(chunk.w[i / VL][k], w[k]);
            }
            float *o = view_at(out, y, x0);
            if (out->c == 16)
                bilinear_pixels(&chunk, o, out->px, x, n, 16);
            else if (out->c == 32)
                bilinear_pixels(&chunk, o, out->px, x, n, 32);
            else if (out->c == 48)
                bilinear_pixels(&chunk, o, out->px, x, n, 48);
            else
                bilinear_pixels(&chunk, o, out->px, x, n, out->c);
        }
}

/* ---- 4x4 kernel per pixel ---- */

typedef struct AdaptiveChunk {
    int offset[CHUNK];
    /* Four weights of tap row j of pixel i: quad[i / VL][j][i % 4][i % VL / 4 * 4 ..] */
    float quad[CHUNK / VL][4][4][VL];
} AdaptiveChunk;

VEC_INLINE void cubic_weights(vf x, vf w[4])
{
    const vf one = vf_set(1.0f), u = one - x, t = vf_set(-0.75f) * (x * u);
    w[0] = t * u;
    w[1] = vf_fma(vf_fma(vf_set(1.25f), x, vf_set(-2.25f)) * x, x, one);
    w[3] = t * x;
    w[2] = ((one - w[0]) - w[1]) - w[3];
}

VEC_INLINE void adaptive_weights(float quad[4][4][VL], vf ax, vf ay, vf k)
{
    const vf one = vf_set(1.0f), b = one - k, lx[2] = { one - ax, ax };
    const vf side[2] = { b * (one - ay), b * ay };
    vf cx[4], cy[4];
    cubic_weights(ax, cx);
    cubic_weights(ay, cy);
    for (int j = 0; j < 4; j++) {
        vf w[4];
        const vf ky = k * cy[j];
        for (int i = 0; i < 4; i++)
            w[i] = ky * cx[i];
        if (j == 1 || j == 2)
            for (int i = 0; i < 2; i++)
                w[1 + i] = vf_fma(side[j - 1], lx[i], w[1 + i]);
        vf_transpose4(w);
        for (int i = 0; i < 4; i++)
            vf_store(quad[j][i], w[i]);
    }
}

/* The weights w[first ..] of a row of taps, each over the 4 channels of its tap. */
VEC_INLINE vf tap_weights(const float *w, int first)
{
#if defined(__aarch64__)
    return vf_set(w[first]);
#else
    static const int lane[16] = { 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3 };
#if defined(__AVX512F__)
    return _mm512_permutevar_ps(q_repeat(w), _mm512_loadu_si512(lane + 4 * first));
#else
    return _mm256_permutevar_ps(q_repeat(w),
                                _mm256_loadu_si256((const __m256i *)(lane + 4 * first)));
#endif
#endif
}

/* Sums the four columns of taps: (0 + 2) + (1 + 3). */
VEC_INLINE f4 fold_columns(const vf s[4 / VQ])
{
#if defined(__aarch64__)
    return (s[0] + s[2]) + (s[1] + s[3]);
#else
#if defined(__AVX512F__)
    const __m256 h = _mm512_castps512_ps256(s[0]) + _mm512_extractf32x8_ps(s[0], 1);
#else
    const __m256 h = s[0] + s[1];
#endif
    return _mm256_castps256_ps128(h) + _mm256_extractf128_ps(h, 1);
#endif
}

/* p: the top left tap; quad: the weights of the first row of taps. */
VEC_INLINE f4 adaptive_pixel(const float *p, ptrdiff_t px, ptrdiff_t row, const float *quad,
                             int packed)
{
    vf s[4 / VQ];
    for (int k = 0; k < 4 / VQ; k++) {
        for (int j = 0; j < 4; j++) {
            const float *t = p + j * row + k * VQ * px;
            const vf tap = packed ? vf_load(t) : q_load(t, px);
            const vf w = tap_weights(quad + j * 4 * VL, k * VQ);
            if (j == 0)
                s[k] = tap * w;
            else
                s[k] = vf_fma(tap, w, s[k]);
        }
    }
    return fold_columns(s);
}

VEC_INLINE void adaptive_pixels(const AdaptiveChunk *chunk, float *o, ptrdiff_t opx, const View *x,
                                int n, int packed)
{
    const float *origin = view_at(x, -1, -1);
    const ptrdiff_t px = packed ? 4 : x->px, row = x->row;
    for (int i = 0; i < n; i += 4) {
        const float *quad = &chunk->quad[i / VL][0][0][i % VL];
        vec_prefetch(origin + chunk->offset[i] + (3 + ROWS_AHEAD) * row);
        for (int k = 0; k < 4 && i + k < n; k++) {
            const float *p = origin + chunk->offset[i + k];
            f4_store(o + (i + k) * opx, adaptive_pixel(p, px, row, quad + k * VL, packed));
        }
    }
}

void KERNEL(awarp_f32)(const View *out, const View *x, const View *flow, const View *sharp, int y0,
                       int y1)
{
    if (!addressable(x)) {
        awarp_f32_c(out, x, flow, sharp, y0, y1);
        return;
    }
    AdaptiveChunk chunk;
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < out->w; x0 += CHUNK) {
            const int n = out->w - x0 < CHUNK ? out->w - x0 : CHUNK;
            for (int i = 0; i < n; i += VL) {
                vf ax, ay;
                places_find(chunk.offset + i, &ax, &ay, x, flow, y, x0 + i, n - i);
                const vf k = plane_load(view_at(sharp, y, x0 + i), sharp->px, n - i);
                adaptive_weights(chunk.quad[i / VL], ax, ay, k);
            }
            if (x->px == 4)
                adaptive_pixels(&chunk, view_at(out, y, x0), out->px, x, n, 1);
            else
                adaptive_pixels(&chunk, view_at(out, y, x0), out->px, x, n, 0);
        }
}
