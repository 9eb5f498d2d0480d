/* One Lucas-Kanade step on the lumas for every width of vectors: a lane per pixel, rows rolling
 * through the scratch as in the C reference. */
#include "kernels/polish.h"

#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

#include <limits.h>

/* left[i] = p[index[i]], right[i] = p[index[i] + 1]. Loads of pairs are twice as fast as the gather
 * instruction. */
VEC_INLINE void pairs_load(vf *left, vf *right, const float *p, const int index[VL])
{
    f4 low[VQ], high[VQ]; /* pixels 4l and 4l+1, 4l+2 and 4l+3 */
    for (int l = 0; l < VQ; l++) {
        low[l] = f4_two_pairs(p + index[4 * l], p + index[4 * l + 1]);
        high[l] = f4_two_pairs(p + index[4 * l + 2], p + index[4 * l + 3]);
    }
    const vf a = q_join(low), b = q_join(high);
    *left = vf_even(a, b);
    *right = vf_odd(a, b);
}

/* Where VL samples of a luma lie, and their weights. */
typedef struct Samples {
    int index[VL];
    float w[4][VL];
} Samples;

VEC_INLINE void samples_place(Samples *s, const View *luma, vf x, vf y)
{
    vi ix, iy;
    vf w[4];
    const vf ax = vf_position(x, vf_set((float)(luma->w - 1)), &ix);
    const vf ay = vf_position(y, vf_set((float)(luma->h - 1)), &iy);
    vi_store(s->index, vi_add(vi_mul(iy, vi_set((int)luma->row)), ix));
    vf_bilinear(ax, ay, w);
    for (int k = 0; k < 4; k++)
        vf_store(s->w[k], w[k]);
}

VEC_INLINE vf samples_load(const Samples *s, const View *luma)
{
    vf t[4];
    pairs_load(&t[0], &t[1], luma->data, s->index);
    pairs_load(&t[2], &t[3], luma->data + luma->row, s->index);
    vf v = t[0] * vf_load(s->w[0]);
    for (int k = 1; k < 4; k++)
        v = vf_fma(t[k], vf_load(s->w[k]), v);
    return v;
}

enum { CHUNK = 128 }; /* pixels per round; a multiple of VL */

/* Lanes behind the last pixel fill the padding of the rows with numbers nobody uses. */
static void warp_row(const PolishArgs *a, float *mean, float *diff, int y)
{
    Samples from[2][CHUNK / VL];
    const int w = a->out.w;
    for (int x0 = 0; x0 < w; x0 += CHUNK) {
        const int n = w - x0 < CHUNK ? w - x0 : CHUNK;
        for (int i = 0; i < n; i += VL) {
            vf f[4];
            channels_load(f, view_at(&a->flow, y, x0 + i), a->flow.px, n - i);
            const vf x = vf_from(vi_add(vi_set(x0 + i), vi_iota())), row = vf_set((float)y);
            samples_place(&from[0][i / VL], &a->y0, x + f[0], row + f[1]);
            samples_place(&from[1][i / VL], &a->y1, x + f[2], row + f[3]);
        }
        for (int i = 0; i < n; i += VL) {
            const vf v0 = samples_load(&from[0][i / VL], &a->y0);
            const vf v1 = samples_load(&from[1][i / VL], &a->y1), d = v1 - v0;
            vf_store(diff + x0 + i, d);
            vf_store(mean + x0 + i, vf_fnma(vf_set(a->t), d, v1));
        }
    }
    mean[-1] = mean[0];
    mean[w] = mean[w - 1];
}

static void product_row(float *const p[POLISH_PRODUCTS], const float *above, const float *here,
                        const float *below, const float *diff, int w)
{
    const vf half = vf_set(0.5f), e = vf_set(POLISH_ROBUST);
    for (int i = 0; i < w; i += VL) {
        const vf gx = (vf_load(here + i + 1) - vf_load(here + i - 1)) * half;
        const vf gy = (vf_load(below + i) - vf_load(above + i)) * half;
        const vf d = vf_load(diff + i), k = e / (e + vf_abs(d)), kx = k * gx, ky = k * gy;
        vf_store(p[0] + i, kx * gx);
        vf_store(p[1] + i, kx * gy);
        vf_store(p[2] + i, ky * gy);
        vf_store(p[3] + i, kx * d);
        vf_store(p[4] + i, ky * d);
    }
}

static void column_row(float *column, const float *const rows[5], int w)
{
    for (int i = 0; i < w; i += VL) {
        vf s = vf_load(rows[0] + i);
        for (int j = 1; j < 5; j++)
            s = s + vf_load(rows[j] + i);
        vf_store(column + i, s);
    }
    column[w] = column[w + 1] = 0.0f;
}

/* The step (u, v) of VL pixels from their box sums. */
VEC_INLINE void solve(vf step[2], const vf s[POLISH_PRODUCTS])
{
    const vf mean = vf_set(POLISH_BOX), tiny = vf_set(POLISH_FLOOR), one = vf_set(1.0f);
    const vf xx = vf_fma(s[0], mean, tiny), xy = s[1] * mean, yy = vf_fma(s[2], mean, tiny);
    const vf xd = s[3] * mean, yd = s[4] * mean;
    const vf r = one / vf_fms(xx, yy, xy * xy);
    step[0] = vf_clamp(vf_fnma(yy, xd, xy * yd) * r, vf_set(-1.0f), one);
    step[1] = vf_clamp(vf_fnma(xx, yd, xy * xd) * r, vf_set(-1.0f), one);
}

static void step_row(const PolishArgs *a, float *const column[POLISH_PRODUCTS], int y)
{
    const vf t = vf_set(a->t), u = vf_set(1.0f - a->t);
    const int w = a->out.w;
    for (int i = 0; i < w; i += VL) {
        vf s[POLISH_PRODUCTS], step[2], f[4];
        for (int k = 0; k < POLISH_PRODUCTS; k++) {
            const float *c = column[k] + i;
            s[k] = (((vf_load(c - 2) + vf_load(c - 1)) + vf_load(c)) + vf_load(c + 1)) +
                   vf_load(c + 2);
        }
        solve(step, s);
        channels_load(f, view_at(&a->flow, y, i), a->flow.px, w - i);
        for (int k = 0; k < 2; k++) {
            f[k] = vf_fnma(t, step[k], f[k]);
            f[2 + k] = vf_fma(u, step[k], f[2 + k]);
        }
        channels_store(view_at(&a->out, y, i), a->out.px, f, 4, w - i);
    }
}

/* Pairs are gathered with 32-bit offsets from pixel 0. */
static int gatherable(const View *luma)
{
    return luma->px == 1 && luma->row >= 0 && (luma->h + 1) * luma->row <= INT_MAX;
}

void KERNEL(lk_polish_f32)(const PolishArgs *a, float *scratch, int y0, int y1)
{
    if (!gatherable(&a->y0) || !gatherable(&a->y1)) {
        lk_polish_f32_c(a, scratch, y0, y1);
        return;
    }
    polish_run(a, scratch, y0, y1, (PolishSteps){ warp_row, product_row, column_row, step_row });
}
