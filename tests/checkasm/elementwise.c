/* checkasm: sums, the logistic function, copies. */
#include "rows.h"

#include <math.h>
#include <stdio.h>

typedef struct Elements {
    Buffer a, b; /* b without memory: none */
    float lo, hi;
} Elements;

static void clamp_add_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Elements *e = arg;

    kernels->clamp_add_f32(out, &e->a.view, &e->b.view, e->lo, e->hi, y0, y1);
}

static void sigmoid_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Elements *e = arg;

    kernels->sigmoid_f32(out, &e->a.view, e->lo, y0, y1);
}

static void scale_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Elements *e = arg;

    kernels->scale_f32(out, &e->a.view, e->lo, y0, y1);
}

static void fill_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    kernels->fill_f32(out, ((Elements *)arg)->lo, y0, y1);
}

static void check_all(const Check *check, Rows *rows, float lo, float hi, int add)
{
    for (int n = 0; n < 100 && !check_failed(); n++) {
        const int w = rnd_int(1, 60), h = rnd_int(1, 5);
        const int c = rnd_one_in(3) ? 1 : rnd_one_in(2) ? rnd_int(2, 6) : rnd_int(1, 40);
        Elements e = { .a = buffer_new(w, h, c, 0), .lo = lo, .hi = hi };
        Buffer out = buffer_new(w, h, c, 0);
        char what[80];

        buffer_fill(&e.a, FILL_ANY);
        if (add && rnd_one_in(2)) {
            e.b = buffer_new(w, h, c, 0);
            buffer_fill(&e.b, FILL_ANY);
        }
        snprintf(what, sizeof what, "%dx%dx%d, %a, %a, %s", w, h, c, lo, hi,
                 e.b.mem ? "two maps" : "one map");
        rows_check(check, &out, rows, &e, what);
        buffer_free(&out);
        buffer_free(&e.a);
        buffer_free(&e.b);
    }
}

static void clamp_add_check(const Check *check)
{
    check_all(check, clamp_add_rows, -4.0f, 4.0f, 1);
    check_all(check, clamp_add_rows, -INFINITY, INFINITY, 1);
}

/* Arguments over the whole range of the exponential besides the usual ones. */
static void sigmoid_check(const Check *check)
{
    Buffer out = buffer_new(999, 1, 1, 0);
    Elements e = { .a = buffer_new(999, 1, 1, 0) };

    check_all(check, sigmoid_rows, 0.0f, 0.0f, 0);
    check_all(check, sigmoid_rows, -1.5f, 0.0f, 0);
    for (int i = 0; i < 999; i++)
        *view_at(&e.a.view, 0, i) = rnd_float(-100.0f, 100.0f);
    *view_at(&e.a.view, 0, 7) = INFINITY;
    *view_at(&e.a.view, 0, 77) = -INFINITY;
    *view_at(&e.a.view, 0, 777) = NAN;
    rows_check(check, &out, sigmoid_rows, &e, "-100 .. 100");
    buffer_free(&out);
    buffer_free(&e.a);
}

static void scale_check(const Check *check)
{
    check_all(check, scale_rows, 1.0f, 0.0f, 0);
    check_all(check, scale_rows, 0.25f, 0.0f, 0);
}

static void fill_check(const Check *check)
{
    check_all(check, fill_rows, 0.5f, 0.0f, 0);
}

static void bench_one(const Check *check, Rows *rows, const char *name, const char *shape, Buffer a,
                      Buffer b, Buffer out)
{
    Elements e = { a, b, 0.25f, 4.0f };

    buffer_fill(&e.a, FILL_UNIT);
    rows_bench(check, name, shape, &out, rows, &e,
               (double)out.view.w * out.view.h * out.view.c * (b.mem ? 12 : 8), 4);
    buffer_free(&e.a);
    buffer_free(&e.b);
    buffer_free(&out);
}

static const Buffer none;

static void clamp_add_bench(const Check *check)
{
    Buffer y = buffer_packed(640, 360, 4, 0, 24);

    buffer_fill(&y, FILL_UNIT);
    bench_one(check, clamp_add_rows, "clamp_add_f32", "640x360x4 + slice",
              buffer_packed(640, 360, 4, 0, 4), y, buffer_packed(640, 360, 4, 0, 4));
}

/* A channel of a row buffer, as in the composition. */
static void sigmoid_bench(const Check *check)
{
    Buffer x = buffer_packed(1280, 720, 5, 0, 5), out = buffer_packed(1280, 720, 1, 0, 1);

    x.view.c = 1;
    x.view.row = out.view.row = 0;
    bench_one(check, sigmoid_rows, "sigmoid_f32", "1280x720 of 5 channels", x, none, out);
}

static void scale_bench(const Check *check)
{
    bench_one(check, scale_rows, "scale_f32", "640x360x4 to slice",
              buffer_packed(640, 360, 4, 0, 4), none, buffer_packed(640, 360, 4, 0, 60));
    bench_one(check, scale_rows, "scale_f32", "160x90x48 to slice",
              buffer_packed(160, 90, 48, 1, 48), none, buffer_packed(160, 90, 48, 0, 131));
}

const Test elementwise_tests[] = {
    TEST(clamp_add_f32, clamp_add_check, clamp_add_bench),
    TEST(sigmoid_f32, sigmoid_check, sigmoid_bench),
    TEST(scale_f32, scale_check, scale_bench),
    TEST(fill_f32, fill_check, NULL),
    { 0 },
};
