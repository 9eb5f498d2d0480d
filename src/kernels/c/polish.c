/* C reference: one Lucas-Kanade step on the lumas ("Polish" in docs/edge.md). */
#include "kernels/kernels.h"
#include "kernels/canon.h"
#include "kernels/polish.h"

size_t lk_polish_scratch(int w)
{
    return POLISH_ROWS * polish_row_size(w);
}

static float luma_at(const View *luma, float vx, float vy)
{
    int px, py;
    float w[4];
    const float ax = canon_position(vx, luma->w, &px), ay = canon_position(vy, luma->h, &py);
    canon_bilinear(ax, ay, w);
    const float *p = view_at(luma, py, px), *q = p + luma->row;
    float v = p[0] * w[0];
    v = fmaf(p[luma->px], w[1], v);
    v = fmaf(q[0], w[2], v);
    return fmaf(q[luma->px], w[3], v);
}

static void warp_row(const PolishArgs *a, float *mean, float *diff, int y)
{
    for (int x = 0; x < a->out.w; x++) {
        const float *f = view_at(&a->flow, y, x);
        const float from0 = luma_at(&a->y0, (float)x + f[0], (float)y + f[1]);
        const float from1 = luma_at(&a->y1, (float)x + f[2], (float)y + f[3]);
        diff[x] = from1 - from0;
        mean[x] = fmaf(-a->t, diff[x], from1);
    }
}

static void product_row(float *const p[POLISH_PRODUCTS], const float *above, const float *here,
                        const float *below, const float *diff, int w)
{
    for (int x = 0; x < w; x++) {
        const float left = here[x > 0 ? x - 1 : 0], right = here[x < w - 1 ? x + 1 : x];
        const float gx = (right - left) * 0.5f, gy = (below[x] - above[x]) * 0.5f, d = diff[x];
        const float k = POLISH_ROBUST / (POLISH_ROBUST + fabsf(d));
        const float kx = k * gx, ky = k * gy;
        p[0][x] = kx * gx;
        p[1][x] = kx * gy;
        p[2][x] = ky * gy;
        p[3][x] = kx * d;
        p[4][x] = ky * d;
    }
}

static void column_row(float *column, const float *const rows[5], int w)
{
    for (int x = 0; x < w; x++) {
        float s = rows[0][x];
        for (int j = 1; j < 5; j++)
            s += rows[j][x];
        column[x] = s;
    }
}

static void step_row(const PolishArgs *a, float *const column[POLISH_PRODUCTS], int y)
{
    const int w = a->out.w;
    const float t = a->t, u = 1.0f - t;
    for (int x = 0; x < w; x++) {
        float s[POLISH_PRODUCTS];
        for (int k = 0; k < POLISH_PRODUCTS; k++) {
            const float *c = column[k] + x;
            s[k] = (((c[-2] + c[-1]) + c[0]) + c[1]) + c[2];
        }
        const float xx = fmaf(s[0], POLISH_BOX, POLISH_FLOOR), xy = s[1] * POLISH_BOX;
        const float yy = fmaf(s[2], POLISH_BOX, POLISH_FLOOR);
        const float xd = s[3] * POLISH_BOX, yd = s[4] * POLISH_BOX;
        const float r = 1.0f / fmaf(xx, yy, -(xy * xy));
        const float mx = canon_clamp(fmaf(-yy, xd, xy * yd) * r, -1.0f, 1.0f);
        const float my = canon_clamp(fmaf(-xx, yd, xy * xd) * r, -1.0f, 1.0f);
        const float *f = view_at(&a->flow, y, x);
        float *o = view_at(&a->out, y, x);
        o[0] = fmaf(-t, mx, f[0]);
        o[1] = fmaf(-t, my, f[1]);
        o[2] = fmaf(u, mx, f[2]);
        o[3] = fmaf(u, my, f[3]);
    }
}

void lk_polish_f32_c(const PolishArgs *a, float *scratch, int y0, int y1)
{
    polish_run(a, scratch, y0, y1, (PolishSteps){ warp_row, product_row, column_row, step_row });
}
