/* Fixed changes of resolution for every width of vectors. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

/* ---- bilinear x2 ---- */

/* One output row of one block of channels, from the rows near and far. */
typedef struct UpRow {
    float *out;
    const float *near, *far;
    ptrdiff_t out_px, px;
    int w;
    float scale;
} UpRow;

VEC_INLINE vf up_column(vf near, vf far)
{
    return vf_fma(far, vf_set(0.25f), near * vf_set(0.75f));
}

enum { UP_VECTORS = 4 }; /* of one pixel that are carried along the row at a time */

/* The columns of `count` vectors of channels at near and far, the last one of them with n lanes. */
VEC_INLINE void up_columns(vf v[UP_VECTORS], const float *near, const float *far, int count, int n)
{
    for (int k = 0; k < count; k++, near += VL, far += VL)
        if (k < count - 1 || n == VL)
            v[k] = up_column(vf_load(near), vf_load(far));
        else
            v[k] = up_column(vf_load_n(near, n), vf_load_n(far, n));
}

/* side wf + centre, where centre is weighted already. */
VEC_INLINE void up_write(float *o, const vf side[UP_VECTORS], const vf centre[UP_VECTORS], vf wf,
                         int count, int n)
{
    for (int k = 0; k < count; k++, o += VL)
        if (k < count - 1 || n == VL)
            vf_store(o, vf_fma(side[k], wf, centre[k]));
        else
            vf_store_n(o, vf_fma(side[k], wf, centre[k]), n);
}

VEC_INLINE void up_channels(const UpRow *r, int first, int count, int n)
{
    const vf wn = vf_set(0.75f * r->scale), wf = vf_set(0.25f * r->scale);
    const float *near = r->near + first, *far = r->far + first;
    float *o = r->out + first;
    vf left[UP_VECTORS], here[UP_VECTORS], right[UP_VECTORS], centre[UP_VECTORS];
    up_columns(here, near, far, count, n);
    for (int k = 0; k < count; k++)
        left[k] = here[k];
    for (int i = 0; i < r->w; i++, o += 2 * r->out_px) {
        const ptrdiff_t next = (i < r->w - 1 ? i + 1 : i) * r->px;
        up_columns(right, near + next, far + next, count, n);
        for (int k = 0; k < count; k++)
            centre[k] = here[k] * wn;
        up_write(o, left, centre, wf, count, n);
        up_write(o + r->out_px, right, centre, wf, count, n);
        for (int k = 0; k < count; k++) {
            left[k] = here[k];
            here[k] = right[k];
        }
    }
}

/* Up to UP_VECTORS vectors from channel `first` on, the last one with n lanes. */
static void up_block(const UpRow *r, int first, int count, int n)
{
    switch (n == VL ? count : -count) {
    case 1:
        up_channels(r, first, 1, VL);
        break;
    case 2:
        up_channels(r, first, 2, VL);
        break;
    case 3:
        up_channels(r, first, 3, VL);
        break;
    case 4:
        up_channels(r, first, 4, VL);
        break;
    case -1:
        up_channels(r, first, 1, n);
        break;
    case -2:
        up_channels(r, first, 2, n);
        break;
    default: /* rare: one at a time */
        up_block(r, first, count - 1, VL);
        up_channels(r, first + (count - 1) * VL, 1, n);
        break;
    }
}

VEC_INLINE f4 up_column4(const float *near, const float *far)
{
    return f4_fma(f4_load(far), f4_set(0.25f), f4_load(near) * f4_set(0.75f));
}

/* Flows: up to 4 channels in all. */
VEC_INLINE void up_pixels(const UpRow *r, int c)
{
    const f4 wn = f4_set(0.75f * r->scale), wf = f4_set(0.25f * r->scale);
    float *o = r->out;
    f4 left = up_column4(r->near, r->far), here = left;
    for (int i = 0; i < r->w; i++, o += 2 * r->out_px) {
        const ptrdiff_t next = (i < r->w - 1 ? i + 1 : i) * r->px;
        const f4 right = up_column4(r->near + next, r->far + next), centre = here * wn;
        f4_store_n(o, f4_fma(left, wf, centre), c);
        f4_store_n(o + r->out_px, f4_fma(right, wf, centre), c);
        left = here;
        here = right;
    }
}

void KERNEL(up2_f32)(const View *out, const View *x, float scale, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        const int near = y >> 1, side = y & 1 ? near + 1 : near - 1;
        const int far = side < 0 ? 0 : side >= x->h ? x->h - 1 : side;
        const UpRow r = {
            view_at(out, y, 0), view_at(x, near, 0), view_at(x, far, 0), out->px, x->px, x->w, scale
        };
        if (x->c == 4)
            up_pixels(&r, 4);
        else if (x->c < 4)
            up_pixels(&r, x->c);
        else
            for (int c = 0; c < x->c; c += UP_VECTORS * VL) {
                const int left = x->c - c < UP_VECTORS * VL ? x->c - c : UP_VECTORS * VL;
                const int count = (left + VL - 1) / VL;
                up_block(&r, c, count, left - (count - 1) * VL);
            }
    }
}

/* ---- pixel shuffle ---- */

/* Channels k .. k+3 of two neighbours from 16 channels of one pixel; j: the row of the pair. */
VEC_INLINE void shuffle_four(f4 pair[2], const float *p, int j)
{
    const f4 a = f4_load(p), b = f4_load(p + 4), c = f4_load(p + 8), d = f4_load(p + 12);
    const f4 ab = j ? f4_high_pairs(a, b) : f4_low_pairs(a, b);
    const f4 cd = j ? f4_high_pairs(c, d) : f4_low_pairs(c, d);
    pair[0] = f4_even(ab, cd);
    pair[1] = f4_odd(ab, cd);
}

VEC_INLINE void shuffle_row(const View *out, const View *x, int y, int j, int c)
{
    const float *p = view_at(x, y >> 1, 0);
    float *o = view_at(out, y, 0);
    for (int i = 0; i < x->w; i++, p += x->px, o += 2 * out->px) {
        int k = 0;
        for (; k + 4 <= c; k += 4) {
            f4 pair[2];
            shuffle_four(pair, p + 4 * k, j);
            f4_store(o + k, pair[0]);
            f4_store(o + out->px + k, pair[1]);
        }
        for (; k < c; k++) {
            o[k] = p[4 * k + 2 * j];
            o[out->px + k] = p[4 * k + 2 * j + 1];
        }
    }
}

void KERNEL(shuffle2_f32)(const View *out, const View *x, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        if (out->c == 5) {
            if (y & 1)
                shuffle_row(out, x, y, 1, 5);
            else
                shuffle_row(out, x, y, 0, 5);
        } else
            shuffle_row(out, x, y, y & 1, out->c);
}

/* ---- luma ---- */

void KERNEL(luma_half_f32)(const View *out, const View *x, int y0, int y1)
{
    const vf red = vf_set(0.299f * 0.25f), green = vf_set(0.587f * 0.25f);
    const vf blue = vf_set(0.114f * 0.25f);
    const ptrdiff_t px = x->px;
    const int whole = out->w / VL * VL;
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < whole; i += VL) {
            const float *p = view_at(x, 2 * y, 2 * i), *q = p + x->row;
            vf s[4];
            for (int k = 0; k < 4; k++, p += 2 * px, q += 2 * px)
                s[k] = (q_load(p, 8 * px) + q_load(q, 8 * px)) +
                       (q_load(p + px, 8 * px) + q_load(q + px, 8 * px));
            vf_transpose4(s);
            const vf v = vf_fma(s[2], blue, vf_fma(s[1], green, s[0] * red));
            plane_store(view_at(out, y, i), out->px, v, VL);
        }
        if (whole < out->w) {
            View rest = *out, from = *x;
            rest.data += whole * out->px;
            rest.w -= whole;
            from.data += 2 * whole * px;
            luma_half_f32_c(&rest, &from, y, y + 1);
        }
    }
}
