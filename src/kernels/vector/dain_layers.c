/* The original network's small layers. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

/* Channels of a row that can be walked as one line: all of it if pixels are adjacent. */
static int run_length(const View *a, const View *b, const View *c)
{
    const int line = a->px == a->c && b->px == a->c && c->px == a->c;
    return line ? a->c * a->w : a->c;
}

void KERNEL(pool2_f32)(const View *out, const View *x, int average, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++) {
            const float *a = view_at(x, 2 * y, 2 * i), *b = view_at(x, 2 * y, 2 * i + 1);
            const float *c = view_at(x, 2 * y + 1, 2 * i), *d = view_at(x, 2 * y + 1, 2 * i + 1);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k += VL) {
                const int n = out->c - k < VL ? out->c - k : VL;
                const vf va = vf_load_n(a + k, n), vb = vf_load_n(b + k, n);
                const vf vc = vf_load_n(c + k, n), vd = vf_load_n(d + k, n);
                const vf mean = ((va + vb) + (vc + vd)) * vf_set(0.25f);
                const vf most = vf_max(vf_max(va, vb), vf_max(vc, vd));
                vf_store_n(o + k, average ? mean : most, n);
            }
        }
    }
}

void KERNEL(nearest2_f32)(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i++) {
            const float *a = view_at(x, y >> 1, i >> 1);
            float *o = view_at(out, y, i);
            for (int k = 0; k < out->c; k += VL) {
                const int n = out->c - k < VL ? out->c - k : VL;
                vf_store_n(o + k, vf_load_n(a + k, n), n);
            }
        }
    }
}

static void up4_position(int dst, int n, int *i0, int *i1, float *w0, float *w1)
{
    const float source = ((float)dst + 0.5f) * 0.25f - 0.5f;
    const float s = source > 0.0f ? source : 0.0f;
    *i0 = (int)s;
    *i1 = *i0 + 1 < n ? *i0 + 1 : n - 1;
    *w1 = s - (float)*i0;
    *w0 = 1.0f - *w1;
}

/* Two channels, as flows have; anything else goes to the reference. The four pixels of the output
 * that share their two source columns are eight adjacent floats. */
void KERNEL(up4_f32)(const View *out, const View *x, float s1, float s2, int y0, int y1)
{
    if (out->c != 2 || out->px != 2 || x->w < 2) {
        up4_f32_c(out, x, s1, s2, y0, y1);
        return;
    }
    static const float far[8] = { .125f, .125f, .375f, .375f, .625f, .625f, .875f, .875f };
    static const float near[8] = { .875f, .875f, .625f, .625f, .375f, .375f, .125f, .125f };
    const oct h1 = oct_load(far), h0 = oct_load(near);
    const f4 scale1 = f4_set(s1), scale2 = f4_set(s2);
    /* The two columns at each edge have one source: the reference writes them, the last two with
     * six more that the loop below repeats or that are right already. */
    View first = *out, last = *out, left_pair = *x, right_pair = *x;
    first.w = 2;
    last.w = 8;
    last.data = view_at(out, 0, out->w - 8);
    left_pair.w = right_pair.w = 2;
    right_pair.data = view_at(x, 0, x->w - 2);
    up4_f32_c(&last, &right_pair, s1, s2, y0, y1);
    up4_f32_c(&first, &left_pair, s1, s2, y0, y1);
    for (int y = y0; y < y1; y++) {
        int top, low;
        float v0, v1;
        up4_position(y, x->h, &top, &low, &v0, &v1);
        const f4 w0 = f4_set(v0), w1 = f4_set(v1);
        oct left = oct_repeat(f4_set(0.0f));
        for (int i = 0; i < x->w; i++) {
            const f4 a = f4_pair(view_at(x, top, i)), c = f4_pair(view_at(x, low, i));
            const f4 v = f4_fma(w1, c * scale1 * scale2, w0 * (a * scale1 * scale2));
            const oct right = oct_repeat(v);
            if (i > 0)
                oct_store(view_at(out, y, 4 * i - 2), oct_mix(h1, right, h0, left));
            left = right;
        }
    }
}

void KERNEL(leaky_f32)(const View *out, const View *x, float slope, int y0, int y1)
{
    const vf s = vf_set(slope), zero = vf_zero();
    const int run = run_length(out, x, x), runs = run == out->c ? out->w : 1;
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < runs; i++) {
            const float *a = view_at(x, y, i);
            float *o = view_at(out, y, i);
            for (int k = 0; k < run; k += VL) {
                const int n = run - k < VL ? run - k : VL;
                const vf v = vf_load_n(a + k, n);
                vf_store_n(o + k, vf_select(vf_gt(v, zero), v, v * s), n);
            }
        }
    }
}

void KERNEL(mix_f32)(const View *out, const View *a, const View *b, float wa, float wb, int y0,
                     int y1)
{
    const vf va = vf_set(wa), vb = vf_set(wb);
    const int run = run_length(out, a, b), runs = run == out->c ? out->w : 1;
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < runs; i++) {
            const float *p = view_at(a, y, i), *q = view_at(b, y, i);
            float *o = view_at(out, y, i);
            for (int k = 0; k < run; k += VL) {
                const int n = run - k < VL ? run - k : VL;
                const vf left = vf_load_n(p + k, n) * va;
                vf_store_n(o + k, vf_fma(vf_load_n(q + k, n), vb, left), n);
            }
        }
    }
}

void KERNEL(depth_weight_f32)(const View *out, const View *x, int y0, int y1)
{
    const vf one = vf_set(1.0f), least = vf_set(1e-6f);
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < out->w; i += VL) {
            const int n = out->w - i < VL ? out->w - i : VL;
            float lanes[VL] = { 0 };
            vf v;
            if (x->px == 1) {
                v = vf_load_n(view_at(x, y, i), n);
            } else {
                for (int k = 0; k < n; k++)
                    lanes[k] = *view_at(x, y, i + k);
                v = vf_load(lanes);
            }
            plane_store(view_at(out, y, i), out->px, least + one / vf_exp(v), n);
        }
    }
}
