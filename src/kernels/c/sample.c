/* C reference: backward warps, bilinear and with a 4x4 kernel per pixel. */
#include "kernels/kernels.h"
#include "kernels/canon.h"

void warp_bilinear_f32_c(const View *out, const View *x, const View *flow, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *f = view_at(flow, y, i);
            int px, py;
            float w[4];
            const float ax = canon_position((float)i + f[0], x->w, &px);
            const float ay = canon_position((float)y + f[1], x->h, &py);
            canon_bilinear(ax, ay, w);

            const float *p = view_at(x, py, px), *q = p + x->row;
            float *o = view_at(out, y, i);
            for (int c = 0; c < out->c; c++) {
                float v = p[c] * w[0];
                v = fmaf(p[c + x->px], w[1], v);
                v = fmaf(q[c], w[2], v);
                o[c] = fmaf(q[c + x->px], w[3], v);
            }
        }
}

/* Weights of Keys' cubic (A = -0.75) for taps -1, 0, 1, 2 around a position with fraction x. */
static void cubic_weights(float x, float w[4])
{
    const float u = 1.0f - x, t = -0.75f * (x * u);
    w[0] = t * u;
    w[1] = fmaf(fmaf(1.25f, x, -2.25f) * x, x, 1.0f);
    w[3] = t * x;
    w[2] = ((1.0f - w[0]) - w[1]) - w[3];
}

/* w[j][i] = (1 - k) bilinear + k cubic, rows j, columns i. */
static void adaptive_weights(float ax, float ay, float k, float w[4][4])
{
    float cx[4], cy[4];
    cubic_weights(ax, cx);
    cubic_weights(ay, cy);
    for (int j = 0; j < 4; j++) {
        const float ky = k * cy[j];
        for (int i = 0; i < 4; i++)
            w[j][i] = ky * cx[i];
    }
    const float b = 1.0f - k, top = b * (1.0f - ay), bottom = b * ay;
    w[1][1] = fmaf(top, 1.0f - ax, w[1][1]);
    w[1][2] = fmaf(top, ax, w[1][2]);
    w[2][1] = fmaf(bottom, 1.0f - ax, w[2][1]);
    w[2][2] = fmaf(bottom, ax, w[2][2]);
}

void awarp_f32_c(const View *out, const View *x, const View *flow, const View *sharp, int y0,
                 int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *f = view_at(flow, y, i);
            int px, py;
            float w[4][4];
            const float ax = canon_position((float)i + f[0], x->w, &px);
            const float ay = canon_position((float)y + f[1], x->h, &py);
            adaptive_weights(ax, ay, *view_at(sharp, y, i), w);

            float *o = view_at(out, y, i);
            for (int c = 0; c < 4; c++) {
                float s[4]; /* one sum per column of taps, rows in order */
                for (int k = 0; k < 4; k++) {
                    const float *p = view_at(x, py - 1, px - 1 + k) + c;
                    s[k] = p[0] * w[0][k];
                    for (int j = 1; j < 4; j++)
                        s[k] = fmaf(p[j * x->row], w[j][k], s[k]);
                }
                o[c] = (s[0] + s[2]) + (s[1] + s[3]);
            }
        }
}
