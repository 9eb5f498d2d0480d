/* checkasm: depth-aware projection. */
#include "rows.h"

#include <stdio.h>

typedef struct Splat {
    Buffer a, b; /* flow and importance, value and flow, or the two splats */
    float number;
} Splat;

static void splat_free(Splat *s)
{
    buffer_free(&s->a);
    buffer_free(&s->b);
}

static void weights_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Splat *s = arg;

    kernels->splat_weights_f32(out, &s->a.view, &s->b.view, s->number, y0, y1);
}

static void weights_check(const Check *check)
{
    for (int n = 0; n < 60 && !check_failed(); n++) {
        const int w = rnd_int(1, 70), h = rnd_int(1, 5);
        Splat s = { buffer_new(w, h, rnd_int(2, 4), 0), buffer_new(w, h, 1, 0),
                    rnd_one_in(2) ? 1.0f : -1.0f };
        Buffer out = buffer_new(w, h, 4, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%d", w, h);
        buffer_fill(&s.a, FILL_UNIT);
        buffer_fill(&s.b, FILL_ANY);
        for (int x = 0; x < w; x++)
            *view_at(&s.b.view, 0, x) = rnd_float(-100.0f, 100.0f);
        rows_check(check, &out, weights_rows, &s, what);
        buffer_free(&out);
        splat_free(&s);
    }
}

static void splat_check(const Check *check)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 60), h = rnd_int(1, 12);
        Splat s = { buffer_new(w, h, 4, 0), buffer_new(w, h, rnd_int(2, 4), 0),
                    rnd_one_in(2) ? 1.0f : rnd_float(0.0f, 1.0f) };
        Buffer out = buffer_new(w, h, 4, rnd_int(0, 4)), ref = buffer_clone(&out);
        char what[80];

        snprintf(what, sizeof what, "%dx%d, scale %a", w, h, s.number);
        buffer_fill(&s.a, FILL_ANY);
        fill_flow(&s.b, w, h);
        for (int i = 0; i < 2; i++) {
            Buffer *b = i ? &out : &ref;
            for (int y = 0; y < h; y++)
                for (int x = 0; x < 4 * w; x++)
                    view_at(&b->view, y, x / 4)[x % 4] = 0.0f;
        }
        check->ref->splat_f32(&ref.view, &s.a.view, &s.b.view, s.number);
        check->tested->splat_f32(&out.view, &s.a.view, &s.b.view, s.number);
        buffer_check(&ref, what);
        buffer_same(&ref, &out, what);
        buffer_free(&out);
        buffer_free(&ref);
        splat_free(&s);
    }
}

static void merge_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Splat *s = arg;

    kernels->project_merge_f32(out, &s->a.view, &s->b.view, s->number, y0, y1);
}

/* Splats as they occur: pixels nobody reached, hardly reached, and reached often. */
static void fill_splat(Buffer *b)
{
    for (int y = 0; y < b->view.h; y++)
        for (int x = 0; x < b->view.w; x++) {
            float *p = view_at(&b->view, y, x);
            const float reach = rnd_one_in(3)   ? 0.0f
                                : rnd_one_in(4) ? rnd_float(0.0f, 1e-6f)
                                                : rnd_float(0.0f, 3.0f);
            for (int c = 0; c < 4; c++)
                p[c] = reach * (c < 2 ? rnd_float(-9.0f, 9.0f) : rnd_float(0.1f, 1.0f));
        }
}

static void merge_check(const Check *check)
{
    for (int n = 0; n < 60 && !check_failed(); n++) {
        const int w = rnd_int(1, 150), h = rnd_int(1, 5);
        Splat s = { buffer_new(w, h, 4, 4), buffer_new(w, h, 4, 4), rnd_float(0.0f, 1.0f) };
        Buffer out = buffer_new(w, h, 6, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%d, t %a", w, h, s.number);
        fill_splat(&s.a);
        fill_splat(&s.b);
        rows_check(check, &out, merge_rows, &s, what);
        buffer_free(&out);
        splat_free(&s);
    }
}

enum { W = 160, H = 90 }; /* 1/8 of 1280x720 */

static void weights_bench(const Check *check)
{
    Splat s = { buffer_packed(W, H, 2, 0, 2), buffer_packed(W, H, 1, 0, 1), 1.0f };
    Buffer out = buffer_packed(W, H, 4, 0, 4);

    fill_motion(&s.a);
    buffer_fill(&s.b, FILL_UNIT);
    rows_bench(check, "splat_weights_f32", "160x90", &out, weights_rows, &s, W * H * 28.0, 1);
    buffer_free(&out);
    splat_free(&s);
}

/* All of it whatever the rows. */
static void splat_all(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Splat *s = arg;

    (void)y0;
    (void)y1;
    kernels->splat_f32(out, &s->a.view, &s->b.view, s->number);
}

static void splat_bench(const Check *check)
{
    Splat s = { buffer_packed(W, H, 4, 0, 4), buffer_packed(W, H, 2, 0, 2), 0.5f };
    Buffer out = buffer_packed(W, H, 4, 4, 4);

    buffer_fill(&s.a, FILL_POSITIVE);
    fill_motion(&s.b);
    buffer_fill(&out, FILL_POSITIVE);
    rows_bench(check, "splat_f32", "160x90", &out, splat_all, &s, W * H * 40.0, 1);
    buffer_free(&out);
    splat_free(&s);
}

static void merge_bench(const Check *check)
{
    Splat s = { buffer_packed(W, H, 4, 4, 4), buffer_packed(W, H, 4, 4, 4), 0.5f };
    Buffer out = buffer_packed(W, H, 6, 0, 152);

    fill_splat(&s.a);
    fill_splat(&s.b);
    rows_bench(check, "project_merge_f32", "160x90", &out, merge_rows, &s, W * H * 56.0, 4);
    buffer_free(&out);
    splat_free(&s);
}

const Test splat_tests[] = {
    TEST(splat_weights_f32, weights_check, weights_bench),
    TEST(splat_f32, splat_check, splat_bench),
    TEST(project_merge_f32, merge_check, merge_bench),
    { 0 },
};
