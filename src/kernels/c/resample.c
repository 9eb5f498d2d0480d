/* C reference: fixed changes of resolution - bilinear x2, pixel shuffle, luma at half size. */
#include "kernels/kernels.h"
#include "kernels/canon.h"

/* Half-pixel centres: every output is 3/4 of the nearest input and 1/4 of the next one on its side,
 * first down the columns, then along the row, where the scale enters too. */
void up2_f32_c(const View *out, const View *x, float scale, int y0, int y1)
{
    const float wn = 0.75f * scale, wf = 0.25f * scale;
    const int w = x->w, h = x->h;
    for (int y = y0; y < y1; y++) {
        const int near = y >> 1, side = y & 1 ? near + 1 : near - 1;
        const int far = side < 0 ? 0 : side >= h ? h - 1 : side;
        for (int i = 0; i < w; i++) {
            const int il = i > 0 ? i - 1 : 0, ir = i < w - 1 ? i + 1 : i;
            const float *n = view_at(x, near, i), *f = view_at(x, far, i);
            const float *nl = view_at(x, near, il), *fl = view_at(x, far, il);
            const float *nr = view_at(x, near, ir), *fr = view_at(x, far, ir);
            float *o = view_at(out, y, 2 * i), *o2 = o + out->px;
            for (int c = 0; c < x->c; c++) {
                const float left = fmaf(fl[c], 0.25f, nl[c] * 0.75f);
                const float here = fmaf(f[c], 0.25f, n[c] * 0.75f) * wn;
                const float right = fmaf(fr[c], 0.25f, nr[c] * 0.75f);
                o[c] = fmaf(left, wf, here);
                o2[c] = fmaf(right, wf, here);
            }
        }
    }
}

void shuffle2_f32_c(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const int j = y & 1;
        for (int i = 0; i < x->w; i++) {
            const float *p = view_at(x, y >> 1, i);
            float *o = view_at(out, y, 2 * i), *o2 = o + out->px;
            for (int k = 0; k < out->c; k++) {
                o[k] = p[4 * k + 2 * j];
                o2[k] = p[4 * k + 2 * j + 1];
            }
        }
    }
}

/* BT.601 luma; the four pixels are summed per channel first: columns, then the row. */
void luma_half_f32_c(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < out->w; i++) {
            const float *p = view_at(x, 2 * y, 2 * i), *q = p + x->row;
            float s[3];
            for (int c = 0; c < 3; c++)
                s[c] = (p[c] + q[c]) + (p[c + x->px] + q[c + x->px]);
            const float v = fmaf(s[1], 0.587f * 0.25f, s[0] * (0.299f * 0.25f));
            *view_at(out, y, i) = fmaf(s[2], 0.114f * 0.25f, v);
        }
}
