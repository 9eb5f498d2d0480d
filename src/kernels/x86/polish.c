/* One Lucas-Kanade step on the lumas for AVX2 and AVX-512: a lane per pixel, rows rolling through
 * the scratch as in the C reference. */
#include "kernels/polish.h"

#include "kernels/kernels.h"
#include "kernels/x86/vec.h"

#include <limits.h>

/* left[i] = p[index[i]], right[i] = p[index[i] + 1]: gathers pairs. */
VEC_INLINE void pairs_load(vf *left, vf *right, const float *p, vi index)
{
#if defined(__AVX512F__)
    const __m512 a = _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_castsi512_si256(index), p, 4));
    const __m512 b =
        _mm512_castpd_ps(_mm512_i32gather_pd(_mm512_extracti64x4_epi64(index, 1), p, 4));
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *left = _mm512_permutex2var_ps(a, even, b);
    *right = _mm512_permutex2var_ps(a, _mm512_add_epi32(even, _mm512_set1_epi32(1)), b);
#else
    const double *d = (const double *)p;
    const __m256 a = _mm256_castpd_ps(_mm256_i32gather_pd(d, _mm256_castsi256_si128(index), 4));
    const __m256 b =
        _mm256_castpd_ps(_mm256_i32gather_pd(d, _mm256_extracti128_si256(index, 1), 4));
    /* pixels 0 1 4 5 | 2 3 6 7 */
    *left = _mm256_castpd_ps(
        _mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88)), 0xd8));
    *right = _mm256_castpd_ps(
        _mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd)), 0xd8));
#endif
}

VEC_INLINE vf luma_at(const View *luma, vf x, vf y)
{
    vi ix, iy;
    vf w[4], t[4];
    const vf ax = vf_position(x, vf_set((float)(luma->w - 1)), &ix);
    const vf ay = vf_position(y, vf_set((float)(luma->h - 1)), &iy);
    const vi index = vi_add(vi_mul(iy, vi_set((int)luma->row)), ix);
    vf_bilinear(ax, ay, w);
    pairs_load(&t[0], &t[1], luma->data, index);
    pairs_load(&t[2], &t[3], luma->data + luma->row, index);
    vf v = t[0] * w[0];
    v = vf_fma(t[1], w[1], v);
    v = vf_fma(t[2], w[2], v);
    return vf_fma(t[3], w[3], v);
}

/* Lanes behind the last pixel fill the padding of the rows with numbers nobody uses. */
static void warp_row(const PolishArgs *a, float *mean, float *diff, int y)
{
    const int w = a->out.w;
    for (int i = 0; i < w; i += VL) {
        vf f[4];
        channels_load(f, view_at(&a->flow, y, i), a->flow.px, w - i);
        const vf x = vf_from(vi_add(vi_set(i), vi_iota())), row = vf_set((float)y);
        const vf from0 = luma_at(&a->y0, x + f[0], row + f[1]);
        const vf from1 = luma_at(&a->y1, x + f[2], row + f[3]);
        const vf d = from1 - from0;
        vf_store(diff + i, d);
        vf_store(mean + i, vf_fnma(vf_set(a->t), d, from1));
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
    const int h = a->out.h, w = a->out.w;
    PolishRows s = polish_rows(scratch, w);
    int product = y0 > 2 ? y0 - 2 : 0; /* next row of products, of g and d, to be made */
    int mean = product > 0 ? product - 1 : 0;
    for (int y = y0; y < y1; y++) {
        for (; product <= y + 2 && product < h; product++) {
            for (; mean <= product + 1 && mean < h; mean++)
                warp_row(a, s.mean[mean % 3], s.diff[mean % 3], mean);
            const int above = product > 0 ? product - 1 : 0;
            const int below = product < h - 1 ? product + 1 : product;
            product_row(s.product[product % 5], s.mean[above % 3], s.mean[product % 3],
                        s.mean[below % 3], s.diff[product % 3], w);
        }
        for (int k = 0; k < POLISH_PRODUCTS; k++) {
            const float *rows[5];
            for (int j = 0; j < 5; j++) {
                const int r = y - 2 + j;
                rows[j] = r < 0 || r >= h ? s.zero : s.product[r % 5][k];
            }
            column_row(s.column[k], rows, w);
        }
        step_row(a, s.column, y);
    }
}
