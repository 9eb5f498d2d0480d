/* Normalisation, correlation and soft arg-max, for every width of vectors. Lanes are channels while
 * sums
 * are collected; VL of them are folded at once, which leaves one lane per pixel or displacement. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

#include <string.h>

/* ---- normalise ---- */

VEC_INLINE vf channel_sum(const float *p, int c)
{
    vf s[PARTS];
    for (int k = 0; k < PARTS; k++)
        s[k] = vf_zero();
    int k = 0;
    for (; k + 16 <= c; k += 16)
        for (int j = 0; j < PARTS; j++)
            s[j] = s[j] + vf_load(p + k + j * VL);
    for (int j = 0; k < c; j++, k += VL)
        s[j] = s[j] + vf_load_n(p + k, c - k < VL ? c - k : VL);
    return vf_fold_parts(s);
}

VEC_INLINE vf square_sum(const float *p, vf mean, int c)
{
    vf s[PARTS];
    for (int k = 0; k < PARTS; k++)
        s[k] = vf_zero();
    int k = 0;
    for (; k + 16 <= c; k += 16)
        for (int j = 0; j < PARTS; j++) {
            const vf d = vf_load(p + k + j * VL) - mean;
            s[j] = vf_fma(d, d, s[j]);
        }
    for (int j = 0; k < c; j++, k += VL) {
        const int n = c - k < VL ? c - k : VL;
        const vf d = vf_first(vf_load_n(p + k, n) - mean, vf_zero(), n);
        s[j] = vf_fma(d, d, s[j]);
    }
    return vf_fold_parts(s);
}

VEC_INLINE void normalise_write(float *o, const float *p, vf mean, vf gain, int c)
{
    int k = 0;
    for (; k + VL <= c; k += VL)
        vf_store(o + k, (vf_load(p + k) - mean) * gain);
    if (k < c)
        vf_store_n(o + k, (vf_load_n(p + k, c - k) - mean) * gain, c - k);
}

/* VL pixels, or the first n of them. */
VEC_INLINE void normalise_pixels(float *o, ptrdiff_t opx, const float *p, ptrdiff_t px, int n,
                                 int c)
{
    const vf rc = vf_set(1.0f / (float)c);
    float mean[VL], gain[VL];
    vf s[VL];
    for (int i = 0; i < VL; i++)
        s[i] = channel_sum(p + (i < n ? i : n - 1) * px, c);
    vf_store(mean, vf_fold(s) * rc);
    for (int i = 0; i < VL; i++)
        s[i] = square_sum(p + (i < n ? i : n - 1) * px, vf_set(mean[i]), c);
    vf_store(gain, vf_set(1.0f) / vf_sqrt(vf_fma(vf_fold(s), rc, vf_set(1e-4f))));
    for (int i = 0; i < n; i++)
        normalise_write(o + i * opx, p + i * px, vf_set(mean[i]), vf_set(gain[i]), c);
}

void KERNEL(normalise_f32)(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < x->w; i += VL) {
            const float *p = view_at(x, y, i);
            float *o = view_at(out, y, i);
            const int n = x->w - i < VL ? x->w - i : VL;
            if (x->c == 32)
                normalise_pixels(o, out->px, p, x->px, n, 32);
            else if (x->c == 48)
                normalise_pixels(o, out->px, p, x->px, n, 48);
            else
                normalise_pixels(o, out->px, p, x->px, n, x->c);
        }
}

/* ---- corr ---- */

enum { CORR_RADIUS_MAX = 7, CORR_MAX = (2 * CORR_RADIUS_MAX + 1) * (2 * CORR_RADIUS_MAX + 1) };

/* The 16 partial products of two pixels, folded to VL. */
VEC_INLINE vf dot(const float *p, const float *q, int c)
{
    vf s[PARTS];
    for (int k = 0; k < PARTS; k++)
        s[k] = vf_zero();
    int k = 0;
    for (; k + 16 <= c; k += 16)
        for (int j = 0; j < PARTS; j++)
            s[j] = vf_fma(vf_load(p + k + j * VL), vf_load(q + k + j * VL), s[j]);
    for (int j = 0; k < c; j++, k += VL) {
        const int n = c - k < VL ? c - k : VL;
        s[j] = vf_fma(vf_load_n(p + k, n), vf_load_n(q + k, n), s[j]);
    }
    return vf_fold_parts(s);
}

/* n displacements of one pixel; offset[k] leads from pixel q to its neighbour k. */
VEC_INLINE void corr_pixel(float *o, const float *p, const float *q, const ptrdiff_t *offset, int n,
                           int c)
{
    const vf rc = vf_set(1.0f / (float)c);
    vf s[VL];
    int k = 0;
    for (; k + VL <= n; k += VL) {
        for (int i = 0; i < VL; i++)
            s[i] = dot(p, q + offset[k + i], c);
        vf_store(o + k, vf_fold(s) * rc);
    }
    if (n - k > 3) {
        for (int i = 0; i < VL; i++)
            s[i] = k + i < n ? dot(p, q + offset[k + i], c) : vf_zero();
        vf_store_n(o + k, vf_fold(s) * rc, n - k);
    } else
        for (; k < n; k++)
            o[k] = vf_fold_one(dot(p, q + offset[k], c)) * (1.0f / (float)c);
}

VEC_INLINE void corr_row(const View *out, const View *a, const View *b, const ptrdiff_t *offset,
                         int n, int c, int y)
{
    const float *p = view_at(a, y, 0), *q = view_at(b, y, 0);
    float *o = view_at(out, y, 0);
    for (int i = 0; i < a->w; i++, o += out->px, p += a->px, q += b->px)
        corr_pixel(o, p, q, offset, n, c);
}

void KERNEL(corr_f32)(const View *out, const View *a, const View *b, int r, int y0, int y1)
{
    if (r > CORR_RADIUS_MAX) {
        corr_f32_c(out, a, b, r, y0, y1);
        return;
    }
    ptrdiff_t offset[CORR_MAX];
    int n = 0;
    for (int dy = -r; dy <= r; dy++)
        for (int dx = -r; dx <= r; dx++)
            offset[n++] = dy * b->row + dx * b->px;
    for (int y = y0; y < y1; y++)
        if (a->c == 32)
            corr_row(out, a, b, offset, n, 32, y);
        else if (a->c == 48)
            corr_row(out, a, b, offset, n, 48, y);
        else if (a->c == 64)
            corr_row(out, a, b, offset, n, 64, y);
        else if (a->c == 96)
            corr_row(out, a, b, offset, n, 96, y);
        else
            corr_row(out, a, b, offset, n, a->c, y);
}

/* ---- peak ---- */

/* Displacement of every channel as a float, 0 behind the last one. */
typedef struct Displacements {
    float dx[CORR_MAX + VL], dy[CORR_MAX + VL];
} Displacements;

VEC_INLINE float largest_of(const float *p, int n)
{
    vf top = vf_first(vf_load_n(p, n < VL ? n : VL), vf_set(p[0]), n < VL ? n : VL);
    for (int k = VL; k < n; k += VL) {
        const int left = n - k < VL ? n - k : VL;
        top = vf_max(vf_first(vf_load_n(p + k, left), top, left), top);
    }
    return vf_largest(top);
}

typedef struct PeakSums {
    vf weight[VL], x[VL], y[VL]; /* one vector per pixel, to be folded */
} PeakSums;

VEC_INLINE void peak_pixel(PeakSums *sums, int i, const float *p, const Displacements *d, int n)
{
    const vf top = vf_set(largest_of(p, n));
    vf s[PARTS], sx[PARTS], sy[PARTS];
    for (int j = 0; j < PARTS; j++)
        s[j] = sx[j] = sy[j] = vf_zero();
    for (int k = 0; k < n; k += VL) {
        const int left = n - k < VL ? n - k : VL, j = k / VL % PARTS;
        vf e = vf_exp((vf_load_n(p + k, left) - top) * vf_set(16.0f));
        e = vf_first(e, vf_zero(), left);
        s[j] = s[j] + e;
        sx[j] = vf_fma(e, vf_load(d->dx + k), sx[j]);
        sy[j] = vf_fma(e, vf_load(d->dy + k), sy[j]);
    }
    sums->weight[i] = vf_fold_parts(s);
    sums->x[i] = vf_fold_parts(sx);
    sums->y[i] = vf_fold_parts(sy);
}

VEC_INLINE void peak_row(const View *out, const View *base, const View *c, const Displacements *d,
                         int n, int y)
{
    for (int i = 0; i < c->w; i += VL) {
        const int pixels = c->w - i < VL ? c->w - i : VL;
        PeakSums sums;
        vf f[4] = { vf_zero(), vf_zero(), vf_zero(), vf_zero() };
        for (int k = 0; k < VL; k++)
            peak_pixel(&sums, k, view_at(c, y, i + (k < pixels ? k : pixels - 1)), d, n);
        const vf weight = vf_fold(sums.weight);
        const vf dx = vf_fold(sums.x) / weight, dy = vf_fold(sums.y) / weight;
        if (base->data) {
            channels_load(f, view_at(base, y, i), base->px, pixels);
            f[0] = f[0] + dx;
            f[1] = f[1] + dy;
        } else {
            f[0] = dx;
            f[1] = dy;
        }
        channels_store(view_at(out, y, i), out->px, f, 2, pixels);
    }
}

void KERNEL(peak_f32)(const View *out, const View *base, const View *c, int r, int y0, int y1)
{
    if (r > CORR_RADIUS_MAX) {
        peak_f32_c(out, base, c, r, y0, y1);
        return;
    }
    const int side = 2 * r + 1, n = side * side;
    Displacements d;
    memset(&d, 0, sizeof(d));
    for (int k = 0; k < n; k++) {
        d.dx[k] = (float)(k % side - r);
        d.dy[k] = (float)(k / side - r);
    }
    for (int y = y0; y < y1; y++)
        if (r == 3)
            peak_row(out, base, c, &d, 49, y);
        else if (r == 4)
            peak_row(out, base, c, &d, 81, y);
        else
            peak_row(out, base, c, &d, n, y);
}
