/* Depth-aware projection of the flow for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

void KERNEL(splat_weights_f32)(const View *out, const View *flow, const View *w, float sign, int y0,
                               int y1)
{
    for (int y = y0; y < y1; y++)
        for (int i = 0; i < w->w; i += VL) {
            const int n = w->w - i < VL ? w->w - i : VL;
            vf f[4];
            channels_load(f, view_at(flow, y, i), flow->px, n);
            const vf e = vf_exp(plane_load(view_at(w, y, i), w->px, n)), se = vf_set(sign) * e;
            const vf v[4] = { f[0] * se, f[1] * se, e, vf_set(1.0f) };
            channels_store(view_at(out, y, i), out->px, v, 4, n);
        }
}

VEC_INLINE void splat_add(float *o, f4 v, float weight)
{
    f4_store(o, f4_fma(v, f4_set(weight), f4_load(o)));
}

/* One pixel at a time, because two of them may meet: a lane per channel. */
VEC_INLINE void splat_pixel(const View *out, f4 v, float qx, float qy)
{
    if (!(qx > -1.0f && qx < (float)out->w && qy > -1.0f && qy < (float)out->h))
        return;
    const f4 q = { qx, qy, 0.0f, 0.0f }, corner = f4_floor(q), a = q - corner;
    const int px = (int)corner[0], py = (int)corner[1];
    float k[4];
    canon_bilinear(a[0], a[1], k);
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

void KERNEL(splat_f32)(const View *out, const View *val, const View *flow, float scale)
{
    for (int y = 0; y < val->h; y++)
        for (int i = 0; i < val->w; i++) {
            const float *f = view_at(flow, y, i);
            splat_pixel(out, f4_load(view_at(val, y, i)), fmaf(scale, f[0], (float)i),
                        fmaf(scale, f[1], (float)y));
        }
}

/* ---- merge ---- */

enum { CHUNK = 64 }; /* pixels per round; a multiple of VL */

/* Sums of both splats over the 9x9 windows of n pixels from (y, x0) on, 4 floats per pixel: down
 * the columns, then along the row. */
VEC_INLINE void box9_sums(float *box, const View *s0, const View *s1, int y, int x0, int n)
{
    float column[(CHUNK + 8) * 4];
    for (int i = 0; i < n + 8; i++) {
        const float *p = view_at(s0, y - 4, x0 + i - 4), *q = view_at(s1, y - 4, x0 + i - 4);
        f4 s = f4_set(0.0f);
        for (int j = 0; j < 9; j++, p += s0->row, q += s1->row)
            s = s + (f4_load(p) + f4_load(q));
        f4_store(column + 4 * i, s);
    }
    for (int i = 0; i < n; i++) {
        f4 s = f4_set(0.0f);
        for (int k = 0; k < 9; k++)
            s = s + f4_load(column + 4 * (i + k));
        f4_store(box + 4 * i, s);
    }
}

/* Both flows of VL pixels and their coverages c; a, b: splats, box: sums, all by channel. */
VEC_INLINE void merge(vf out[4], vf c[2], const vf a[4], const vf b[4], const vf box[4], float t)
{
    const vf one = vf_set(1.0f), tiny = vf_set(1e-6f), mean = vf_set(1.0f / 81.0f);
    const vf ra = one / (a[2] + tiny), rb = one / (b[2] + tiny);
    const vf rf = one / vf_fma(box[2], mean, tiny);
    c[0] = vf_min(a[3], one);
    c[1] = vf_min(b[3], one);
    const vf na = one - c[0], nb = one - c[1];
    for (int k = 0; k < 2; k++) {
        const vf va = c[0] * (a[k] * ra), vb = c[1] * (b[k] * rb), far = (box[k] * mean) * rf;
        out[k] = vf_set(-t) * vf_fma(na, vf_fma(nb, far, vb), va);
        out[2 + k] = vf_set(1.0f - t) * vf_fma(nb, vf_fma(na, far, va), vb);
    }
}

void KERNEL(project_merge_f32)(const View *out, const View *s0, const View *s1, float t, int y0,
                               int y1)
{
    float box[CHUNK * 4];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < out->w; x0 += CHUNK) {
            const int n = out->w - x0 < CHUNK ? out->w - x0 : CHUNK;
            box9_sums(box, s0, s1, y, x0, n);
            for (int i = 0; i < n; i += VL) {
                const int left = n - i < VL ? n - i : VL;
                vf a[4], b[4], sum[4], flow[4], c[2];
                channels_load(a, view_at(s0, y, x0 + i), s0->px, left);
                channels_load(b, view_at(s1, y, x0 + i), s1->px, left);
                channels_load(sum, box + 4 * i, 4, left);
                merge(flow, c, a, b, sum, t);
                float *o = view_at(out, y, x0 + i);
                const vf coverage[4] = { c[0], c[1], c[0], c[1] };
                channels_store(o, out->px, flow, 4, left);
                channels_store(o + 4, out->px, coverage, 2, left);
            }
        }
}
