/* checkasm: checks and benchmarks of kernels that fill rows of one output map. */
#include "rows.h"

#include <math.h>
#include <string.h>

/* Row y of ref against the only row of line. */
static void row_same(const Buffer *ref, const Buffer *line, int y, const char *what)
{
    for (int x = 0; x < ref->view.w; x++)
        if (memcmp(view_at(&ref->view, y, x), view_at(&line->view, 0, x),
                   (size_t)ref->view.c * sizeof(float)) != 0) {
            check_fail("%s: row %d, column %d differs in a buffer of one row", what, y, x);
            return;
        }
}

void rows_check(const Check *check, const Buffer *out, Rows *run, void *arg, const char *what)
{
    const int h = out->view.h, y = rnd_int(0, h - 1), a = rnd_int(0, h), b = rnd_int(a, h);
    Buffer ref = buffer_clone(out), tested = buffer_clone(out);
    Buffer line = buffer_new(out->view.w, 1, out->view.c, 0);
    View one = line.view;

    run(check->ref, arg, &ref.view, 0, h);
    buffer_check(&ref, what);
    run(check->tested, arg, &tested.view, b, h);
    run(check->tested, arg, &tested.view, a, b);
    run(check->tested, arg, &tested.view, 0, a);
    buffer_same(&ref, &tested, what);

    one.row = 0;
    one.h = h;
    run(check->tested, arg, &one, y, y + 1);
    buffer_check(&line, what);
    row_same(&ref, &line, y, what);
    buffer_free(&ref);
    buffer_free(&tested);
    buffer_free(&line);
}

typedef struct Timed {
    Rows *run;
    void *arg;
    View out;
} Timed;

static void timed_run(const Kernels *kernels, void *arg, int part)
{
    Timed *t = arg;

    t->run(kernels, t->arg, &t->out, 0, t->out.h / part);
}

void rows_bench(const Check *check, const char *name, const char *shape, const Buffer *out,
                Rows *run, void *arg, double bytes, int ref_part)
{
    Timed timed = { run, arg, out->view };
    Bench bench = { .name = name,
                    .shape = shape,
                    .fn = timed_run,
                    .arg = &timed,
                    .bytes = bytes,
                    .outputs = (double)out->view.w * out->view.h,
                    .ref_part = ref_part };

    bench_run(check, &bench);
}

static float displacement(int size, int at)
{
    static const float odd[] = {
        1000.0f, -1000.0f, 1e30f, -1e30f, INFINITY, -INFINITY, NAN,   0.0f,
        -0.0f,   0.5f,     -0.5f, 1e-30f, -1e-30f,  3e9f,      -3e9f, 0.25f
    };

    switch (rnd_int(0, 7)) {
    case 0:
        return odd[rnd_int(0, sizeof odd / sizeof *odd - 1)];
    case 1: /* exactly on a pixel, inside or not */
        return (float)rnd_int(-size - 2, size + 2);
    case 2: /* on the first or last pixel, or around it */
        return (float)(rnd_one_in(2) ? -at : size - 1 - at) + (float)rnd_int(-4, 4) * 0.25f;
    case 3: /* one step of the last bit from there */
        return nextafterf((float)(rnd_one_in(2) ? -1 - at : size - at), (float)rnd_int(-99, 99));
    default:
        return rnd_float(-5.0f, 5.0f);
    }
}

void fill_flow(Buffer *flow, int w, int h)
{
    for (int y = 0; y < flow->view.h; y++)
        for (int x = 0; x < flow->view.w; x++)
            for (int c = 0; c < flow->view.c; c++)
                view_at(&flow->view, y, x)[c] = c & 1 ? displacement(h, y) : displacement(w, x);
}

void fill_motion(Buffer *flow)
{
    for (int y = 0; y < flow->view.h; y++)
        for (int x = 0; x < flow->view.w; x++)
            for (int c = 0; c < flow->view.c; c++)
                view_at(&flow->view, y, x)[c] =
                    4.0f * sinf((float)(x + 3 * c) * 0.02f) * cosf((float)y * 0.03f) +
                    rnd_float(-0.1f, 0.1f);
}
