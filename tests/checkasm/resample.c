/* checkasm: bilinear x2, pixel shuffle, luma. */
#include "rows.h"

#include <stdio.h>

typedef struct Resample {
    Buffer x;
    float scale;
} Resample;

static void up2_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Resample *r = arg;

    kernels->up2_f32(out, &r->x.view, r->scale, y0, y1);
}

static void shuffle2_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    kernels->shuffle2_f32(out, &((Resample *)arg)->x.view, y0, y1);
}

static void luma_half_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    kernels->luma_half_f32(out, &((Resample *)arg)->x.view, y0, y1);
}

static void check_one(const Check *check, Rows *rows, int w, int h, int c, int wo, int ho, int co)
{
    Resample r = { buffer_new(w, h, c, 0), rnd_one_in(2) ? 2.0f : 1.0f };
    Buffer out = buffer_new(wo, ho, co, 0);
    char what[80];

    snprintf(what, sizeof what, "%dx%dx%d -> %dx%dx%d", w, h, c, wo, ho, co);
    buffer_fill(&r.x, FILL_ANY);
    rows_check(check, &out, rows, &r, what);
    buffer_free(&out);
    buffer_free(&r.x);
}

static void up2_check(const Check *check)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 40), h = rnd_int(1, 5), c = n < 70 ? n + 1 : rnd_int(1, 6);

        check_one(check, up2_rows, w, h, c, 2 * w, 2 * h, c);
    }
}

static void shuffle2_check(const Check *check)
{
    for (int n = 0; n < 60 && !check_failed(); n++) {
        const int w = rnd_int(1, 40), h = rnd_int(1, 5), k = rnd_one_in(2) ? 5 : rnd_int(1, 20);

        check_one(check, shuffle2_rows, w, h, 4 * k, 2 * w, 2 * h, k);
    }
}

static void luma_half_check(const Check *check)
{
    for (int n = 0; n < 60 && !check_failed(); n++) {
        const int w = rnd_int(1, 70), h = rnd_int(1, 5);

        check_one(check, luma_half_rows, 2 * w, 2 * h, 4, w, h, 1);
    }
}

static void bench_one(const Check *check, Rows *rows, const char *name, const char *shape, Buffer x,
                      Buffer out)
{
    Resample r = { x, 2.0f };

    buffer_fill(&r.x, FILL_UNIT);
    rows_bench(check, name, shape, &out, rows, &r,
               4.0 * ((double)x.view.w * x.view.h * x.view.c +
                      (double)out.view.w * out.view.h * out.view.c),
               4);
    buffer_free(&r.x);
    buffer_free(&out);
}

/* Sizes of the network at 1280x720: hidden channels into slices, then flows. */
static void up2_bench(const Check *check)
{
    Buffer row = buffer_packed(1280, 720, 4, 0, 4);

    bench_one(check, up2_rows, "up2_f32", "to 160x90x32", buffer_packed(80, 45, 32, 0, 32),
              buffer_packed(160, 90, 32, 0, 131));
    bench_one(check, up2_rows, "up2_f32", "to 320x180x32", buffer_packed(160, 90, 32, 0, 32),
              buffer_packed(320, 180, 32, 0, 125));
    bench_one(check, up2_rows, "up2_f32", "to 640x360x24", buffer_packed(320, 180, 24, 0, 24),
              buffer_packed(640, 360, 24, 0, 60));
    bench_one(check, up2_rows, "up2_f32", "to 640x360x4", buffer_packed(320, 180, 4, 0, 4),
              buffer_packed(640, 360, 4, 0, 4));
    row.view.row = 0;
    bench_one(check, up2_rows, "up2_f32", "to 1280x720x4, row buffer",
              buffer_packed(640, 360, 4, 0, 4), row);
}

static void shuffle2_bench(const Check *check)
{
    Buffer row = buffer_packed(1280, 720, 5, 0, 5);

    row.view.row = 0;
    bench_one(check, shuffle2_rows, "shuffle2_f32", "to 1280x720x5, row buffer",
              buffer_packed(640, 360, 20, 0, 24), row);
}

static void luma_half_bench(const Check *check)
{
    bench_one(check, luma_half_rows, "luma_half_f32", "to 640x360",
              buffer_packed(1280, 720, 4, 2, 4), buffer_packed(640, 360, 1, 1, 1));
}

const Test resample_tests[] = {
    TEST(up2_f32, up2_check, up2_bench),
    TEST(shuffle2_f32, shuffle2_check, shuffle2_bench),
    TEST(luma_half_f32, luma_half_check, luma_half_bench),
    { 0 },
};
