/* C reference: per-pixel normalisation, correlation and its soft arg-max. */
#include "kernels/kernels.h"
#include "kernels/canon.h"

void normalise_f32_c(const View *out, const View *x, int y0, int y1)
{
    const float rc = 1.0f / (float)x->c;
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < x->w; i++) {
            const float *p = view_at(x, y, i);
            float *o = view_at(out, y, i);
            float s[16] = { 0 };
            for (int c = 0; c < x->c; c++)
                s[c & 15] += p[c];
            const float mean = canon_fold16(s) * rc;

            memset(s, 0, sizeof(s));
            for (int c = 0; c < x->c; c++) {
                const float d = p[c] - mean;
                s[c & 15] = fmaf(d, d, s[c & 15]);
            }
            const float gain = 1.0f / sqrtf(fmaf(canon_fold16(s), rc, 1e-4f));
            for (int c = 0; c < x->c; c++)
                o[c] = (p[c] - mean) * gain;
        }
}

void corr_f32_c(const View *out, const View *a, const View *b, int r, int y0, int y1)
{
    const float rc = 1.0f / (float)a->c;
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < a->w; i++) {
            const float *p = view_at(a, y, i);
            float *o = view_at(out, y, i);
            for (int dy = -r; dy <= r; dy++)
                for (int dx = -r; dx <= r; dx++) {
                    const float *q = view_at(b, y + dy, i + dx);
                    float s[16] = { 0 };
                    for (int c = 0; c < a->c; c++)
                        s[c & 15] = fmaf(p[c], q[c], s[c & 15]);
                    *o++ = canon_fold16(s) * rc;
                }
        }
}

/* Softmax of 16 c: exponentials of differences to the largest value, summed in 16 partial sums. */
void peak_f32_c(const View *out, const View *base, const View *c, int r, int y0, int y1)
{
    const int side = 2 * r + 1, n = side * side;
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < c->w; i++) {
            const float *p = view_at(c, y, i);
            float *o = view_at(out, y, i);
            float top = p[0];
            for (int k = 1; k < n; k++)
                top = canon_max(p[k], top);

            float s[16] = { 0 }, sx[16] = { 0 }, sy[16] = { 0 };
            for (int k = 0; k < n; k++) {
                const float e = canon_exp((p[k] - top) * 16.0f);
                s[k & 15] += e;
                sx[k & 15] = fmaf(e, (float)(k % side - r), sx[k & 15]);
                sy[k & 15] = fmaf(e, (float)(k / side - r), sy[k & 15]);
            }
            const float sum = canon_fold16(s);
            const float dx = canon_fold16(sx) / sum, dy = canon_fold16(sy) / sum;
            const float *f = base->data ? view_at(base, y, i) : NULL;
            o[0] = f ? f[0] + dx : dx;
            o[1] = f ? f[1] + dy : dy;
        }
}
