/* checkasm: the Lucas-Kanade polish. */
#include "rows.h"

#include <math.h>
#include <stdio.h>

typedef struct Polish {
    Buffer flow, y0, y1, scratch;
    float t;
} Polish;

static void polish_free(Polish *p)
{
    buffer_free(&p->flow);
    buffer_free(&p->y0);
    buffer_free(&p->y1);
    buffer_free(&p->scratch);
}

static void polish_rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1)
{
    const Polish *p = arg;
    const PolishArgs args = { *out, p->flow.view, p->y0.view, p->y1.view, p->t };

    kernels->lk_polish_f32(&args, p->scratch.view.data, y0, y1);
}

/* A picture with gradients everywhere, moved. */
static void fill_luma(Buffer *b, float move)
{
    for (int y = 0; y < b->view.h; y++)
        for (int x = 0; x < b->view.w; x++)
            *view_at(&b->view, y, x) =
                0.5f + 0.3f * sinf(((float)x - move) * 0.6f) * cosf(((float)y + move) * 0.5f);
    buffer_replicate(b);
}

static void polish_check(const Check *check)
{
    for (int n = 0; n < 120 && !check_failed(); n++) {
        const int w = rnd_int(1, 80), h = rnd_int(1, 16), kind = rnd_int(0, 3);
        Polish p = { buffer_new(w, h, 4, 0), buffer_new(w, h, 1, 1), buffer_new(w, h, 1, 1),
                     buffer_array((int)lk_polish_scratch(w), FILL_ANY), rnd_float(0.0f, 1.0f) };
        Buffer out = buffer_new(w, h, 4, 0);
        char what[80];

        if (rnd_one_in(2)) { /* the layout of the executor */
            buffer_free(&p.y0);
            buffer_free(&p.y1);
            p.y0 = buffer_packed(w, h, 1, 1, 1);
            p.y1 = buffer_packed(w, h, 1, 1, 1);
        }
        snprintf(what, sizeof what, "%dx%d, t %a, kind %d", w, h, p.t, kind);
        if (kind) {
            fill_luma(&p.y0, 0.0f);
            fill_luma(&p.y1, 1.5f);
        } else {
            buffer_fill(&p.y0, FILL_ANY);
            buffer_fill(&p.y1, FILL_ANY);
        }
        if (kind == 1)
            fill_flow(&p.flow, w, h);
        else
            fill_motion(&p.flow);
        rows_check(check, &out, polish_rows, &p, what);
        buffer_check(&p.scratch, what);
        buffer_free(&out);
        polish_free(&p);
    }
}

static void polish_bench(const Check *check)
{
    const int w = 640, h = 360;
    Polish p = { buffer_packed(w, h, 4, 0, 4), buffer_packed(w, h, 1, 1, 1),
                 buffer_packed(w, h, 1, 1, 1), buffer_array((int)lk_polish_scratch(w), FILL_UNIT),
                 0.5f };
    Buffer out = buffer_packed(w, h, 4, 0, 4);

    fill_luma(&p.y0, 0.0f);
    fill_luma(&p.y1, 1.5f);
    fill_motion(&p.flow);
    rows_bench(check, "lk_polish_f32", "640x360", &out, polish_rows, &p, (double)w * h * 40, 4);
    buffer_free(&out);
    polish_free(&p);
}

const Test polish_tests[] = {
    TEST(lk_polish_f32, polish_check, polish_bench),
    { 0 },
};
