/* C reference: depth-aware projection of the flow - importance, forward splat, merge. */
#include "kernels/kernels.h"
#include "kernels/canon.h"

void splat_weights_f32_c(const View *out, const View *flow, const View *w, float sign, int y0,
                         int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < w->w; i++) {
            const float e = canon_exp(*view_at(w, y, i)), se = sign * e;
            const float *f = view_at(flow, y, i);
            float *o = view_at(out, y, i);
            o[0] = f[0] * se;
            o[1] = f[1] * se;
            o[2] = e;
            o[3] = 1.0f;
        }
}

static void splat_add(float *o, const float *v, float weight)
{
    for (int c = 0; c < 4; c++)
        o[c] = fmaf(v[c], weight, o[c]);
}

void splat_f32_c(const View *out, const View *val, const View *flow, float scale)
{
    const float w = (float)out->w, h = (float)out->h;
    for (int y = 0; y < val->h; y++)
        for (int i = 0; i < val->w; i++) {
            const float *f = view_at(flow, y, i), *v = view_at(val, y, i);
            const float qx = fmaf(scale, f[0], (float)i), qy = fmaf(scale, f[1], (float)y);
            /* before the conversion to int: nothing huge, no NaN, at least one target inside */
            if (!(qx > -1.0f && qx < w && qy > -1.0f && qy < h))
                continue;
            const int px = (int)floorf(qx), py = (int)floorf(qy);
            const float ax = qx - (float)px, ay = qy - (float)py;
            float k[4];
            canon_bilinear(ax, ay, k);
            float *o = view_at(out, py, px);
            const int left = px >= 0, right = px + 1 < out->w;
            if (py >= 0 && left)
                splat_add(o, v, k[0]);
            if (py >= 0 && right)
                splat_add(o + out->px, v, k[1]);
            if (py + 1 < out->h && left)
                splat_add(o + out->row, v, k[2]);
            if (py + 1 < out->h && right)
                splat_add(o + out->row + out->px, v, k[3]);
        }
}

/* Sum over the 9x9 window around (x, y) of both splats, channels n.x, n.y, d: down each column,
 * then along the row. */
static void box9_sum(float box[3], const View *s0, const View *s1, int y, int x)
{
    for (int c = 0; c < 3; c++) {
        float total = 0.0f;
        for (int i = -4; i <= 4; i++) {
            float column = 0.0f;
            for (int j = -4; j <= 4; j++)
                column += view_at(s0, y + j, x + i)[c] + view_at(s1, y + j, x + i)[c];
            total += column;
        }
        box[c] = total;
    }
}

void project_merge_f32_c(const View *out, const View *s0, const View *s1, float t, int y0, int y1)
{
    const float u = 1.0f - t;
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *a = view_at(s0, y, i), *b = view_at(s1, y, i);
            float *o = view_at(out, y, i);
            float box[3];
            box9_sum(box, s0, s1, y, i);
            const float ra = 1.0f / (a[2] + 1e-6f), rb = 1.0f / (b[2] + 1e-6f);
            const float rf = 1.0f / fmaf(box[2], 1.0f / 81.0f, 1e-6f);
            const float ca = canon_min(a[3], 1.0f), cb = canon_min(b[3], 1.0f);
            const float na = 1.0f - ca, nb = 1.0f - cb;
            for (int c = 0; c < 2; c++) {
                const float va = ca * (a[c] * ra), vb = cb * (b[c] * rb);
                const float far = (box[c] * (1.0f / 81.0f)) * rf;
                const float ma = fmaf(na, fmaf(nb, far, vb), va);
                const float mb = fmaf(nb, fmaf(na, far, va), vb);
                o[c] = -t * ma;
                o[2 + c] = u * mb;
            }
            o[4] = ca;
            o[5] = cb;
        }
}
