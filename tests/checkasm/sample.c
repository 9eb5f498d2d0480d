/* checkasm: backward warps. */
#include "rows.h"

#include <stdio.h>

typedef struct Warp {
    Buffer x, flow, sharp;
} Warp;

static void warp_free(Warp *w)
{
    buffer_free(&w->x);
    buffer_free(&w->flow);
    buffer_free(&w->sharp);
}

/* The first two of the flow's channels count, as in a slice. */
static View flow_of(const Warp *w)
{
    View flow = w->flow.view;

    flow.c = 2;
    return flow;
}

static void bilinear_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Warp *w = arg;
    const View flow = flow_of(w);

    kernels->warp_bilinear_f32(out, &w->x.view, &flow, y0, y1);
}

static void bilinear_check(const Check *check)
{
    static const int channels[] = { 16, 32, 48, 24, 1, 2, 3, 4, 64 };

    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 90), h = rnd_int(1, 7);
        const int c = n < 9 ? channels[n] : rnd_int(1, 70);
        Warp warp = { .x = buffer_new(w, h, c, 1), .flow = buffer_new(w, h, rnd_int(2, 4), 0) };
        Buffer out = buffer_new(w, h, c, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%dx%d", w, h, c);
        buffer_fill(&warp.x, FILL_ANY);
        buffer_fill_halo(&warp.x, FILL_UNIT);
        fill_flow(&warp.flow, w, h);
        rows_check(check, &out, bilinear_rows, &warp, what);
        buffer_free(&out);
        warp_free(&warp);
    }
}

static void adaptive_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Warp *w = arg;
    const View flow = flow_of(w);

    kernels->awarp_f32(out, &w->x.view, &flow, &w->sharp.view, y0, y1);
}

static void adaptive_check(const Check *check)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 90), h = rnd_int(1, 7);
        Warp warp = { buffer_new(w, h, 4, 2), buffer_new(w, h, rnd_int(2, 4), 0),
                      buffer_new(w, h, 1, 0) };
        Buffer out = buffer_new(w, h, 4, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%d", w, h);
        buffer_fill(&warp.x, rnd_one_in(3) ? FILL_ADVERSARY : FILL_POSITIVE);
        buffer_replicate(&warp.x);
        fill_flow(&warp.flow, w, h);
        buffer_fill(&warp.sharp, FILL_POSITIVE);
        *view_at(&warp.sharp.view, 0, 0) = 0.0f;
        *view_at(&warp.sharp.view, h - 1, w - 1) = 1.0f;
        rows_check(check, &out, adaptive_rows, &warp, what);
        buffer_free(&out);
        warp_free(&warp);
    }
}

/* The sizes of the network at 1280x720; outputs are slices. */
static void bilinear_bench(const Check *check)
{
    static const struct {
        int w, h, c, px;
        const char *shape;
    } cases[] = {
        { 160, 90, 48, 152, "160x90x48" },
        { 320, 180, 32, 125, "320x180x32" },
        { 640, 360, 16, 60, "640x360x16" },
    };

    for (int i = 0; i < 3; i++) {
        const int w = cases[i].w, h = cases[i].h, c = cases[i].c;
        Warp warp = { .x = buffer_packed(w, h, c, 1, c), .flow = buffer_packed(w, h, 4, 0, 4) };
        Buffer out = buffer_packed(w, h, c, 0, cases[i].px);

        buffer_fill(&warp.x, FILL_UNIT);
        fill_motion(&warp.flow);
        rows_bench(check, "warp_bilinear_f32", cases[i].shape, &out, bilinear_rows, &warp,
                   (double)w * h * (2 * c + 4) * 4, 4);
        buffer_free(&out);
        warp_free(&warp);
    }
}

/* As the composition calls it: one row buffer after another. */
static void adaptive_bench(const Check *check)
{
    const int w = 1280, h = 720;
    Warp warp = { buffer_packed(w, h, 4, 2, 4), buffer_packed(w, h, 4, 0, 4),
                  buffer_packed(w, h, 1, 0, 1) };
    Buffer out = buffer_packed(w, h, 4, 0, 4);
    const ptrdiff_t row = out.view.row;

    buffer_fill(&warp.x, FILL_POSITIVE);
    fill_motion(&warp.flow);
    buffer_fill(&warp.sharp, FILL_POSITIVE);
    warp.flow.view.row = warp.sharp.view.row = out.view.row = 0;
    rows_bench(check, "awarp_f32", "1280x720", &out, adaptive_rows, &warp,
               (double)w * h * (4 + 4) * 4, 8);
    out.view.row = row;
    buffer_free(&out);
    warp_free(&warp);
}

const Test sample_tests[] = {
    TEST(warp_bilinear_f32, bilinear_check, bilinear_bench),
    TEST(awarp_f32, adaptive_check, adaptive_bench),
    { 0 },
};
