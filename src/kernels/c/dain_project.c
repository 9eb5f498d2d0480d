/* C reference of the flow projections: splatting toward time t, the mean, filling the holes. */
#include "kernels/dain_taps.h"
#include "kernels/kernels.h"

#include <string.h>

/* The pixel p + flow(p) falls on; 0 if it is not accepted (not a number included). */
static int target(const View *acc, const float *f, int px, int py, int *left, int *top)
{
    const float x2 = (float)px + f[0], y2 = (float)py + f[1];
    if (!(x2 >= 0.0f && y2 >= 0.0f && x2 <= (float)(acc->w - 1) && y2 <= (float)(acc->h - 1)))
        return 0;
    *left = (int)x2;
    *top = (int)y2;
    return 1;
}

static void add_at(float *dst, float nx, float ny, float w)
{
    dst[0] += nx;
    dst[1] += ny;
    dst[2] += w;
}

void flow_splat_f32_c(const View *acc, const View *flow, const View *weight)
{
    for (int py = 0; py < flow->h; py++) {
        for (int px = 0; px < flow->w; px++) {
            const float *f = view_at(flow, py, px);
            int left, top;
            if (!target(acc, f, px, py, &left, &top))
                continue;
            const float w = weight->data ? *view_at(weight, py, px) : 1.0f;
            const float nx = -(w * f[0]), ny = -(w * f[1]);
            const int right = left + 1 < acc->w ? left + 1 : left;
            const int bottom = top + 1 < acc->h ? top + 1 : top;
            /* All four get the full weight, and the same pixel twice at the right and lower edge. */
            add_at(view_at(acc, top, left), nx, ny, w);
            add_at(view_at(acc, top, right), nx, ny, w);
            add_at(view_at(acc, bottom, left), nx, ny, w);
            add_at(view_at(acc, bottom, right), nx, ny, w);
        }
    }
}

void flow_splat_min_f32_c(const View *acc, const View *flow, const View *weight)
{
    for (int py = 0; py < flow->h; py++) {
        for (int px = 0; px < flow->w; px++) {
            const float *f = view_at(flow, py, px);
            int left, top;
            if (!target(acc, f, px, py, &left, &top))
                continue;
            const float w = weight->data ? *view_at(weight, py, px) : 1.0f;
            float *dst = view_at(acc, top, left);
            if (!(w > dst[2]))
                continue;
            dst[0] = -f[0];
            dst[1] = -f[1];
            dst[2] = w;
        }
    }
}

void flow_mean_f32_c(const View *out, const View *count, const View *acc, int divide, int y0,
                     int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < acc->w; x++)
            flow_mean_pixel(out, count, acc, divide, y, x);
    }
}

/* One row of nearest rows below (h: none) for every row, then one row of nearest rows above. */
size_t fill_holes_scratch(int w, int h)
{
    return (size_t)w * ((size_t)h + 1);
}

static void add_source(float sum[2], int *found, const View *out, const View *count, int y, int x)
{
    if (!(*view_at(count, y, x) > 0.0f))
        return;
    const float *o = view_at(out, y, x);
    sum[0] += o[0];
    sum[1] += o[1];
    ++*found;
}

void fill_holes_f32_c(const View *out, const View *count, float *scratch)
{
    const int w = count->w, h = count->h;
    int *below = (int *)scratch, *above = below + (size_t)w * h;
    for (int x = 0; x < w; x++)
        below[(size_t)(h - 1) * w + x] = h;
    for (int y = h - 2; y >= 0; y--) {
        for (int x = 0; x < w; x++)
            below[(size_t)y * w + x] =
                *view_at(count, y + 1, x) != 0.0f ? y + 1 : below[(size_t)(y + 1) * w + x];
    }
    for (int x = 0; x < w; x++)
        above[x] = -1;
    for (int y = 0; y < h; y++) {
        int left = -1, right = 0; /* right: nearest known non-zero column, valid while > x */
        for (int x = 0; x < w; x++) {
            const float c = *view_at(count, y, x);
            if (c <= 0.0f) {
                float sum[2] = { 0.0f, 0.0f };
                int found = 0;
                if (right <= x)
                    for (right = x + 1; right < w && !(*view_at(count, y, right) != 0.0f); right++)
                        ;
                if (left >= 0)
                    add_source(sum, &found, out, count, y, left);
                if (right < w)
                    add_source(sum, &found, out, count, y, right);
                if (above[x] >= 0)
                    add_source(sum, &found, out, count, above[x], x);
                if (below[(size_t)y * w + x] < h)
                    add_source(sum, &found, out, count, below[(size_t)y * w + x], x);
                if (found) {
                    float *o = view_at(out, y, x);
                    o[0] = sum[0] / (float)found;
                    o[1] = sum[1] / (float)found;
                }
            }
            if (c != 0.0f) {
                left = x;
                above[x] = y;
            }
        }
    }
}
