/* Values changed one by one, for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

/* What happens to a value: a from the first map, b from the second one (0 without), constants p, q. */
typedef vf Op(vf a, vf b, vf p, vf q);

/* n neighbouring values. */
VEC_INLINE void apply(Op *op, float *o, const float *a, const float *b, ptrdiff_t n, vf p, vf q)
{
    ptrdiff_t i = 0;
    for (; i + VL <= n; i += VL)
        vf_store(o + i, op(vf_load(a + i), b ? vf_load(b + i) : vf_zero(), p, q));
    if (i < n) {
        const int left = (int)(n - i);
        vf_store_n(o + i, op(vf_load_n(a + i, left), b ? vf_load_n(b + i, left) : vf_zero(), p, q),
                   left);
    }
}

/* One row of single values at a distance. */
VEC_INLINE void apply_plane(Op *op, float *o, ptrdiff_t opx, const float *a, ptrdiff_t apx,
                            const float *b, ptrdiff_t bpx, int n, vf p, vf q)
{
    for (int i = 0; i < n; i += VL) {
        const int left = n - i < VL ? n - i : VL;
        const vf second = b ? plane_load(b + i * bpx, bpx, left) : vf_zero();
        plane_store(o + i * opx, opx, op(plane_load(a + i * apx, apx, left), second, p, q), left);
    }
}

/* One row of pixels of 2 to 4 channels: whole quads are read (the slack of a view allows it). */
VEC_INLINE void apply_pixels(Op *op, float *o, ptrdiff_t opx, const float *a, ptrdiff_t apx,
                             const float *b, ptrdiff_t bpx, int n, int c, vf p, vf q)
{
    int i = 0;
    for (; i + VQ <= n; i += VQ, o += VQ * opx) {
        const vf first = q_load(a + i * apx, apx);
        const vf v = op(first, b ? q_load(b + i * bpx, bpx) : vf_zero(), p, q);
        for (int l = 0; l < VQ; l++)
            f4_store_n(o + l * opx, q_get(v, l), c);
    }
    for (; i < n; i++, o += opx) {
        const vf first = q_load(a + i * apx, 0);
        f4_store_n(o, q_get(op(first, b ? q_load(b + i * bpx, 0) : vf_zero(), p, q), 0), c);
    }
}

VEC_INLINE void each_value(Op *op, const View *out, const View *a, const View *b, vf p, vf q,
                           int y0, int y1)
{
    const int c = out->c, w = out->w;
    const ptrdiff_t opx = out->px, apx = a->px, bpx = b ? b->px : 0;
    const int dense = opx == c && apx == c && (!b || bpx == c);
    for (int y = y0; y < y1; y++) {
        float *o = view_at(out, y, 0);
        const float *s = view_at(a, y, 0), *t = b ? view_at(b, y, 0) : NULL;
        if (dense)
            apply(op, o, s, t, (ptrdiff_t)w * c, p, q);
        else if (c == 1)
            apply_plane(op, o, opx, s, apx, t, bpx, w, p, q);
        else if (c == 2)
            apply_pixels(op, o, opx, s, apx, t, bpx, w, 2, p, q);
        else if (c <= 4)
            apply_pixels(op, o, opx, s, apx, t, bpx, w, c, p, q);
        else
            for (int i = 0; i < w; i++)
                apply(op, o + i * opx, s + i * apx, t ? t + i * bpx : NULL, c, p, q);
    }
}

VEC_INLINE vf op_add_clamp(vf a, vf b, vf lo, vf hi)
{
    return vf_clamp(a + b, lo, hi);
}

VEC_INLINE vf op_clamp(vf a, vf b, vf lo, vf hi)
{
    (void)b;
    return vf_clamp(a, lo, hi);
}

void KERNEL(clamp_add_f32)(const View *out, const View *a, const View *b, float lo, float hi,
                           int y0, int y1)
{
    if (b->data)
        each_value(op_add_clamp, out, a, b, vf_set(lo), vf_set(hi), y0, y1);
    else
        each_value(op_clamp, out, a, NULL, vf_set(lo), vf_set(hi), y0, y1);
}

VEC_INLINE vf op_sigmoid(vf a, vf b, vf bias, vf one)
{
    (void)b;
    return one / (one + vf_exp(-(a + bias)));
}

void KERNEL(sigmoid_f32)(const View *out, const View *x, float bias, int y0, int y1)
{
    each_value(op_sigmoid, out, x, NULL, vf_set(bias), vf_set(1.0f), y0, y1);
}

VEC_INLINE vf op_scale(vf a, vf b, vf scale, vf unused)
{
    (void)b;
    (void)unused;
    return a * scale;
}

void KERNEL(scale_f32)(const View *out, const View *x, float scale, int y0, int y1)
{
    each_value(op_scale, out, x, NULL, vf_set(scale), vf_zero(), y0, y1);
}
