/* checkasm: normalisation, correlation, soft arg-max. */
#include "rows.h"

#include <stdio.h>

typedef struct Corr {
    Buffer a, b, base;
    int r;
} Corr;

static void corr_free(Corr *c)
{
    buffer_free(&c->a);
    buffer_free(&c->b);
    buffer_free(&c->base);
}

static void normalise_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    kernels->normalise_f32(out, &((Corr *)arg)->a.view, y0, y1);
}

static void normalise_check(const Check *check)
{
    for (int n = 0; n < 100 && !check_failed(); n++) {
        const int w = rnd_int(1, 40), h = rnd_int(1, 4), c = rnd_one_in(3) ? 32 : rnd_int(1, 100);
        Corr corr = { .a = buffer_new(w, h, c, 0) };
        Buffer out = buffer_new(w, h, c, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%dx%d", w, h, c);
        buffer_fill(&corr.a, FILL_ANY);
        for (int k = 0; k < c; k++) /* variance 0 */
            view_at(&corr.a.view, 0, 0)[k] = 0.25f;
        rows_check(check, &out, normalise_rows, &corr, what);
        buffer_free(&out);
        corr_free(&corr);
    }
}

static void corr_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Corr *c = arg;

    kernels->corr_f32(out, &c->a.view, &c->b.view, c->r, y0, y1);
}

static void corr_check(const Check *check)
{
    static const int channels[] = { 96, 64, 48, 32 };

    for (int n = 0; n < 100 && !check_failed(); n++) {
        const int w = rnd_int(1, 20), h = rnd_int(1, 4);
        const int c = n < 8 ? channels[n / 2] : rnd_int(1, 100);
        const int r = n < 8 ? 4 - n / 3 : rnd_int(0, 8);
        Corr corr = { .a = buffer_new(w, h, c, 0), .b = buffer_new(w, h, c, r), .r = r };
        Buffer out = buffer_new(w, h, (2 * r + 1) * (2 * r + 1), 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%dx%d, radius %d", w, h, c, r);
        buffer_fill(&corr.a, FILL_ANY);
        buffer_fill(&corr.b, FILL_ANY);
        rows_check(check, &out, corr_rows, &corr, what);
        buffer_free(&out);
        corr_free(&corr);
    }
}

static void peak_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Corr *c = arg;

    kernels->peak_f32(out, &c->base.view, &c->a.view, c->r, y0, y1);
}

static void peak_check(const Check *check)
{
    for (int n = 0; n < 100 && !check_failed(); n++) {
        const int w = rnd_int(1, 40), h = rnd_int(1, 4), r = n < 20 ? 2 + n % 3 : rnd_int(0, 8);
        Corr corr = { .a = buffer_new(w, h, (2 * r + 1) * (2 * r + 1), 0), .r = r };
        Buffer out = buffer_new(w, h, 2, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%d, radius %d", w, h, r);
        buffer_fill(&corr.a, FILL_ANY);
        if (rnd_one_in(2)) {
            corr.base = buffer_new(w, h, rnd_int(2, 4), 0);
            buffer_fill(&corr.base, FILL_ANY);
        }
        rows_check(check, &out, peak_rows, &corr, what);
        buffer_free(&out);
        corr_free(&corr);
    }
}

/* Sizes of the network at 1280x720. */
static const struct {
    int w, h, c, r;
    const char *shape;
} levels[] = {
    { 40, 23, 96, 4, "40x23, 96 ch, r 4" },
    { 80, 45, 64, 4, "80x45, 64 ch, r 4" },
    { 160, 90, 48, 3, "160x90, 48 ch, r 3" },
    { 320, 180, 32, 2, "320x180, 32 ch, r 2" },
};
enum { LEVELS = sizeof levels / sizeof *levels };

static void normalise_bench(const Check *check)
{
    for (int i = 0; i < LEVELS; i++) {
        const int w = levels[i].w, h = levels[i].h, c = levels[i].c;
        Corr corr = { .a = buffer_packed(w, h, c, 0, c) };
        Buffer out = buffer_packed(w, h, c, 4, c);

        buffer_fill(&corr.a, FILL_UNIT);
        rows_bench(check, "normalise_f32", levels[i].shape, &out, normalise_rows, &corr,
                   (double)w * h * c * 8, 2);
        buffer_free(&out);
        corr_free(&corr);
    }
}

static void corr_bench(const Check *check)
{
    for (int i = 0; i < LEVELS; i++) {
        const int w = levels[i].w, h = levels[i].h, c = levels[i].c, r = levels[i].r;
        const int n = (2 * r + 1) * (2 * r + 1);
        Corr corr = { .a = buffer_packed(w, h, c, 0, c),
                      .b = buffer_packed(w, h, c, r, c),
                      .r = r };
        Buffer out = buffer_packed(w, h, n, 0, 2 * c + n);

        buffer_fill(&corr.a, FILL_UNIT);
        buffer_fill(&corr.b, FILL_UNIT);
        rows_bench(check, "corr_f32", levels[i].shape, &out, corr_rows, &corr,
                   (double)w * h * (2 * c + n) * 4, 4);
        buffer_free(&out);
        corr_free(&corr);
    }
}

static void peak_bench(const Check *check)
{
    for (int i = 0; i < LEVELS - 1; i++) {
        const int w = levels[i].w, h = levels[i].h, r = levels[i].r;
        const int n = (2 * r + 1) * (2 * r + 1);
        Corr corr = { .a = buffer_packed(w, h, n, 0, 2 * n), .r = r };
        Buffer out = buffer_packed(w, h, 2, 0, 2);

        buffer_fill(&corr.a, FILL_UNIT);
        rows_bench(check, "peak_f32", levels[i].shape, &out, peak_rows, &corr,
                   (double)w * h * (n + 2) * 4, 4);
        buffer_free(&out);
        corr_free(&corr);
    }
}

const Test correlation_tests[] = {
    TEST(normalise_f32, normalise_check, normalise_bench),
    TEST(corr_f32, corr_check, corr_bench),
    TEST(peak_f32, peak_check, peak_bench),
    { 0 },
};
