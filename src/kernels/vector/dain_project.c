/* The flow projections with vectors of source pixels. */
#include "kernels/dain_taps.h"
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

/* Targets of VL source pixels of one row. */
typedef struct Targets {
    unsigned accepted; /* bit i: source px + i */
    int left[VL], top[VL];
} Targets;

static Targets targets(const View *acc, const View *flow, int px, int py)
{
    Targets t;
    const float *f = view_at(flow, py, px);
    const int rest = flow->w - px;
    vf fx, fy;
    if (rest >= VL) {
        fx = vf_gather(f, (int)flow->px);
        fy = vf_gather(f + 1, (int)flow->px);
    } else {
        float lx[VL] = { 0 }, ly[VL] = { 0 };
        for (int i = 0; i < rest; i++) {
            lx[i] = f[i * flow->px];
            ly[i] = f[i * flow->px + 1];
        }
        fx = vf_load(lx);
        fy = vf_load(ly);
    }
    const vf x2 = vf_set((float)px) + vf_from(vi_iota()) + fx;
    const vf y2 = vf_set((float)py) + fy;
    t.accepted =
        vf_within(x2, 0.0f, (float)(acc->w - 1)) & vf_within(y2, 0.0f, (float)(acc->h - 1));
    if (rest < VL)
        t.accepted &= (1u << rest) - 1u;
    vi_store(t.left, vi_truncate(x2));
    vi_store(t.top, vi_truncate(y2));
    return t;
}

static void add_at(float *dst, f4 v)
{
    f4_store(dst, f4_load(dst) + v);
}

/* What becomes of a pixel of flow f and weight w whose way ends right and below of (left, top). */
typedef void Landing(const View *acc, const float *f, float w, int left, int top);

VEC_INLINE void splat(const View *acc, const View *flow, const View *weight, Landing *land)
{
    for (int py = 0; py < flow->h; py++) {
        for (int px = 0; px < flow->w; px += VL) {
            const Targets t = targets(acc, flow, px, py);
            for (unsigned rest = t.accepted; rest; rest &= rest - 1) {
                const int i = __builtin_ctz(rest);
                const float w = weight->data ? *view_at(weight, py, px + i) : 1.0f;
                land(acc, view_at(flow, py, px + i), w, t.left[i], t.top[i]);
            }
        }
    }
}

VEC_INLINE void land_all(const View *acc, const float *f, float w, int left, int top)
{
    const f4 v = { -(w * f[0]), -(w * f[1]), w, 0.0f };
    const int right = left + 1 < acc->w ? left + 1 : left;
    const int bottom = top + 1 < acc->h ? top + 1 : top;
    add_at(view_at(acc, top, left), v);
    add_at(view_at(acc, top, right), v);
    add_at(view_at(acc, bottom, left), v);
    add_at(view_at(acc, bottom, right), v);
}

VEC_INLINE void land_nearest(const View *acc, const float *f, float w, int left, int top)
{
    float *const dst = view_at(acc, top, left);
    const f4 v = { -f[0], -f[1], w, dst[3] };
    if (w > dst[2])
        f4_store(dst, v);
}

void KERNEL(flow_splat_f32)(const View *acc, const View *flow, const View *weight)
{
    splat(acc, flow, weight, land_all);
}

void KERNEL(flow_splat_min_f32)(const View *acc, const View *flow, const View *weight)
{
    splat(acc, flow, weight, land_nearest);
}

void KERNEL(flow_mean_f32)(const View *out, const View *count, const View *acc, int divide, int y0,
                           int y1)
{
    for (int y = y0; y < y1; y++) {
        int x = 0;
        for (; x + VL <= acc->w; x += VL) {
            const float *a = view_at(acc, y, x);
            const vf c = vf_gather(a + 2, (int)acc->px);
            vf ox = vf_gather(a, (int)acc->px), oy = vf_gather(a + 1, (int)acc->px);
            if (divide) {
                const vm positive = vf_gt(c, vf_zero());
                ox = vf_select(positive, ox / c, ox);
                oy = vf_select(positive, oy / c, oy);
            }
            float lx[VL], ly[VL], lc[VL];
            vf_store(lx, ox);
            vf_store(ly, oy);
            vf_store(lc, c);
            for (int i = 0; i < VL; i++) {
                float *o = view_at(out, y, x + i);
                o[0] = lx[i];
                o[1] = ly[i];
                *view_at(count, y, x + i) = lc[i];
            }
        }
        for (; x < acc->w; x++)
            flow_mean_pixel(out, count, acc, divide, y, x);
    }
}

/* Rows of nearest non-zero counts: p = a non-zero ? n : old, for one row of w pixels. */
static void nearest_row(int *p, const View *count, int y, int n, const int *old)
{
    int x = 0;
    for (; x + VL <= count->w; x += VL)
        vi_store(p + x, vi_where_nonzero(vf_gather(view_at(count, y, x), (int)count->px), vi_set(n),
                                         vi_load(old + x)));
    for (; x < count->w; x++)
        p[x] = *view_at(count, y, x) != 0.0f ? n : old[x];
}

typedef struct Fill {
    const View *out, *count;
    const int *above, *below; /* for the row at hand; -1 and h: none */
    int y, right;             /* nearest non-zero column, known while > x */
} Fill;

static void add_source(float sum[2], int *found, const Fill *f, int y, int x)
{
    if (!(*view_at(f->count, y, x) > 0.0f))
        return;
    const float *o = view_at(f->out, y, x);
    sum[0] += o[0];
    sum[1] += o[1];
    ++*found;
}

static void fill_hole(Fill *f, int x, int left)
{
    float sum[2] = { 0.0f, 0.0f };
    int found = 0;
    if (f->right <= x) {
        int right = x + 1;
        while (right < f->count->w && !(*view_at(f->count, f->y, right) != 0.0f))
            right++;
        f->right = right;
    }
    if (left >= 0)
        add_source(sum, &found, f, f->y, left);
    if (f->right < f->count->w)
        add_source(sum, &found, f, f->y, f->right);
    if (f->above[x] >= 0)
        add_source(sum, &found, f, f->above[x], x);
    if (f->below[x] < f->count->h)
        add_source(sum, &found, f, f->below[x], x);
    if (found) {
        float *o = view_at(f->out, f->y, x);
        o[0] = sum[0] / (float)found;
        o[1] = sum[1] / (float)found;
    }
}

/* One row; blocks without holes only move the column of the last non-zero count. */
static void fill_row(Fill *f)
{
    const int w = f->count->w;
    int left = -1, x = 0;
    for (; x + VL <= w; x += VL) {
        const vf c = vf_gather(view_at(f->count, f->y, x), (int)f->count->px);
        const unsigned nonzero = vf_nonzero(c);
        for (unsigned holes = vf_not_positive(c); holes; holes &= holes - 1) {
            const int i = __builtin_ctz(holes);
            const unsigned before = nonzero & ((1u << i) - 1u);
            fill_hole(f, x + i, before ? x + 31 - __builtin_clz(before) : left);
        }
        if (nonzero)
            left = x + 31 - __builtin_clz(nonzero);
    }
    for (; x < w; x++) {
        const float c = *view_at(f->count, f->y, x);
        if (c <= 0.0f)
            fill_hole(f, x, left);
        if (c != 0.0f)
            left = x;
    }
}

void KERNEL(fill_holes_f32)(const View *out, const View *count, float *scratch)
{
    const int w = count->w, h = count->h;
    int *below = (int *)scratch, *above = below + (size_t)w * h;
    for (int x = 0; x < w; x++) {
        below[(size_t)(h - 1) * w + x] = h;
        above[x] = -1;
    }
    for (int y = h - 2; y >= 0; y--)
        nearest_row(below + (size_t)y * w, count, y + 1, y + 1, below + (size_t)(y + 1) * w);
    for (int y = 0; y < h; y++) {
        Fill f = { out, count, above, below + (size_t)y * w, y, 0 };
        fill_row(&f);
        nearest_row(above, count, y, y, above);
    }
}
