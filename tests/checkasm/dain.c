/* checkasm: the original network's kernels and DAIN's operators. */
#include "checkasm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- inputs ---- */

/* Flows that meet every branch: small, half and whole pixels, onto and over the borders, wild. */
static void fill_flow(Buffer *b)
{
    static const float wild[] = { NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0.0f, -0.0f };
    const int kind = rnd_int(0, 3);
    const View *v = &b->view;

    for (int y = 0; y < v->h; y++) {
        for (int x = 0; x < v->w; x++) {
            float *f = view_at(v, y, x);
            const float reach = kind == 0 ? 1.5f : 8.0f;

            for (int c = 0; c < 2; c++) {
                const int size = c ? v->h : v->w, at = c ? y : x;

                f[c] = rnd_float(-reach, reach);
                if (kind == 2)
                    f[c] = rintf(f[c] * 2.0f) * 0.5f;
                if (kind == 3 && rnd_one_in(8))
                    f[c] = wild[rnd_int(0, 6)];
                if (rnd_one_in(10))
                    f[c] = (float)((rnd_one_in(2) ? 0 : size - 1) - at);
                if (rnd_one_in(20))
                    f[c] = (rnd_one_in(2) ? 0.5f : -0.5f) * (float)size;
            }
        }
    }
}

static Buffer filled(int w, int h, int c, Fill fill)
{
    Buffer b = buffer_new(w, h, c, 0);

    buffer_fill(&b, fill);
    return b;
}

static Buffer zeroed(int w, int h, int c)
{
    Buffer b = buffer_new(w, h, c, 0);

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            memset(view_at(&b.view, y, x), 0, (size_t)c * sizeof(float));
    return b;
}

static Buffer new_flow(int w, int h)
{
    Buffer b = buffer_new(w, h, 2, 0);

    fill_flow(&b);
    return b;
}

/* ---- kernels by rows: the reference at once, the tested version in two bands ---- */

typedef struct Rows {
    Buffer in[3], out;
    float s1, s2;
    int flag;
} Rows;

typedef void (*RowsFn)(const Kernels *k, const Rows *r, const View *out, int y0, int y1);

static void rows_check(const Check *check, Rows *r, RowsFn fn, const char *what)
{
    Buffer ref = buffer_clone(&r->out);
    const int h = r->out.view.h, cut = rnd_int(0, h);

    fn(check->ref, r, &ref.view, 0, h);
    buffer_check(&ref, what);
    fn(check->tested, r, &r->out.view, cut, h);
    fn(check->tested, r, &r->out.view, 0, cut);
    buffer_same(&ref, &r->out, what);
    buffer_free(&ref);
    buffer_free(&r->out);
    for (int i = 0; i < 3; i++)
        buffer_free(&r->in[i]);
}

static void pwc_warp_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->pwc_warp_f32(out, &r->in[0].view, &r->in[1].view, r->s1, y0, y1);
}

static void interpolation_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->interpolation_f32(out, &r->in[0].view, &r->in[1].view, y0, y1);
}

static void filter_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->filter_interp_f32(out, &r->in[0].view, &r->in[1].view, &r->in[2].view, y0, y1);
}

static void warp_check(const Check *check, RowsFn fn, int kernel_channels)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_one_in(8) ? 1 : rnd_int(1, 40), h = rnd_int(1, 12);
        const int c = rnd_one_in(3) ? rnd_int(1, 4) : rnd_int(1, 70);
        Rows r = { 0 };
        char what[80];

        r.in[0] = filled(w, h, c, FILL_ANY);
        r.in[1] = new_flow(w, h);
        if (kernel_channels)
            r.in[2] = filled(w, h, kernel_channels, FILL_ANY);
        r.out = buffer_new(w, h, c, 0);
        r.s1 = rnd_one_in(2) ? 1.0f : 2.5f;
        snprintf(what, sizeof what, "%dx%d, %d channels, scale %g", w, h, c, r.s1);
        rows_check(check, &r, fn, what);
    }
}

static void pwc_warp_check(const Check *check)
{
    warp_check(check, pwc_warp_rows, 0);
}

static void interpolation_check(const Check *check)
{
    warp_check(check, interpolation_rows, 0);
}

static void filter_check(const Check *check)
{
    warp_check(check, filter_rows, 16);
}

/* ---- projection ---- */

static void splat_check(const Check *check, int largest)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 50), h = rnd_int(1, 20);
        Buffer flow = new_flow(w, h), weight = filled(w, h, 1, FILL_POSITIVE);
        Buffer acc = zeroed(w, h, 4), ref = buffer_clone(&acc);
        View wv = weight.view;
        char what[80];

        if (rnd_one_in(3))
            wv.data = NULL;
        snprintf(what, sizeof what, "%dx%d, %s", w, h, wv.data ? "weights" : "no weights");
        if (largest) {
            check->ref->flow_splat_min_f32(&ref.view, &flow.view, &wv);
            check->tested->flow_splat_min_f32(&acc.view, &flow.view, &wv);
        } else {
            check->ref->flow_splat_f32(&ref.view, &flow.view, &wv);
            check->tested->flow_splat_f32(&acc.view, &flow.view, &wv);
        }
        buffer_check(&ref, what);
        buffer_same(&ref, &acc, what);
        buffer_free(&flow);
        buffer_free(&weight);
        buffer_free(&acc);
        buffer_free(&ref);
    }
}

static void flow_splat_check(const Check *check)
{
    splat_check(check, 0);
}

static void flow_splat_min_check(const Check *check)
{
    splat_check(check, 1);
}

static void flow_mean_check(const Check *check)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 50), h = rnd_int(1, 8), divide = rnd_one_in(2),
                  cut = rnd_int(0, h);
        Buffer acc = filled(w, h, 4, FILL_SPARSE), out = buffer_new(w, h, 2, 0);
        Buffer count = buffer_new(w, h, 1, 0), ref = buffer_clone(&out);
        Buffer ref_count = buffer_clone(&count);
        char what[80];

        snprintf(what, sizeof what, "%dx%d, divide %d", w, h, divide);
        check->ref->flow_mean_f32(&ref.view, &ref_count.view, &acc.view, divide, 0, h);
        check->tested->flow_mean_f32(&out.view, &count.view, &acc.view, divide, cut, h);
        check->tested->flow_mean_f32(&out.view, &count.view, &acc.view, divide, 0, cut);
        buffer_check(&ref, what);
        buffer_check(&ref_count, what);
        buffer_same(&ref, &out, what);
        buffer_same(&ref_count, &count, what);
        buffer_free(&acc);
        buffer_free(&out);
        buffer_free(&count);
        buffer_free(&ref);
        buffer_free(&ref_count);
    }
}

static void fill_holes_check(const Check *check)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int w = rnd_int(1, 70), h = rnd_int(1, 20), holes = rnd_int(1, 12);
        Buffer out = filled(w, h, 2, FILL_UNIT), count = filled(w, h, 1, FILL_POSITIVE);
        Buffer scratch = buffer_array((int)fill_holes_scratch(w, h), FILL_UNIT), ref;
        char what[80];

        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                if (rnd_int(0, 12) < holes)
                    *view_at(&count.view, y, x) = rnd_one_in(30) ? -1.0f : 0.0f;
        ref = buffer_clone(&out);
        snprintf(what, sizeof what, "%dx%d, %d of 13 are holes", w, h, holes);
        check->ref->fill_holes_f32(&ref.view, &count.view, scratch.view.data);
        check->tested->fill_holes_f32(&out.view, &count.view, scratch.view.data);
        buffer_check(&ref, what);
        buffer_check(&scratch, what);
        buffer_same(&ref, &out, what);
        buffer_free(&out);
        buffer_free(&count);
        buffer_free(&scratch);
        buffer_free(&ref);
    }
}

/* ---- separable convolution ---- */

static PlanesView planes(const Buffer *b, int w, int h, int c)
{
    const PlanesView v = { b->view.data, (ptrdiff_t)w * h, w, w, h, c };

    return v;
}

static void sepconv_case(const Check *check, int size, int w, int h, int c, int flow)
{
    const int iw = w + size - 1, ih = h + size - 1, cut = rnd_int(0, h);
    Buffer image = buffer_array(iw * ih * c, FILL_ANY);
    Buffer vert = buffer_array(w * h * size, FILL_SPARSE);
    Buffer horz = buffer_array(w * h * size, flow && rnd_one_in(3) ? FILL_SPARSE : FILL_ANY);
    Buffer out = buffer_array(w * h * c, FILL_UNIT), ref = buffer_clone(&out);
    const PlanesView vi = planes(&image, iw, ih, c), vv = planes(&vert, w, h, size);
    const PlanesView vh = planes(&horz, w, h, size);
    const PlanesView vr = planes(&ref, w, h, c), vo = planes(&out, w, h, c);
    char what[80];

    if (flow && rnd_one_in(2)) /* sums of exactly 0 */
        for (int i = 0; i < size; i++)
            vert.view.data[i * w * h] = i + 1 < size || size % 2 == 0 ? (i % 2 ? -0.5f : 0.5f) : 0;
    snprintf(what, sizeof what, "%d taps, %dx%d, %d channels", size, w, h, c);
    if (flow) {
        check->ref->sepconv_flow_f32(&vr, &vv, &vh, 0, h);
        check->tested->sepconv_flow_f32(&vo, &vv, &vh, cut, h);
        check->tested->sepconv_flow_f32(&vo, &vv, &vh, 0, cut);
    } else {
        check->ref->sepconv_f32(&vr, &vi, &vv, &vh, 0, h);
        check->tested->sepconv_f32(&vo, &vi, &vv, &vh, cut, h);
        check->tested->sepconv_f32(&vo, &vi, &vv, &vh, 0, cut);
    }
    buffer_check(&ref, what);
    buffer_same(&ref, &out, what);
    buffer_free(&image);
    buffer_free(&vert);
    buffer_free(&horz);
    buffer_free(&out);
    buffer_free(&ref);
}

static void sepconv_check(const Check *check)
{
    for (int n = 0; n < 80 && !check_failed(); n++)
        sepconv_case(check, rnd_int(1, 9), rnd_int(1, 40), rnd_int(1, 5), rnd_int(1, 3), 0);
}

static void sepconv_flow_check(const Check *check)
{
    for (int n = 0; n < 80 && !check_failed(); n++)
        sepconv_case(check, rnd_int(1, 9), rnd_int(1, 40), rnd_int(1, 5), 2, 1);
}

/* ---- layers ---- */

static void up4_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->up4_f32(out, &r->in[0].view, r->s1, r->s2, y0, y1);
}

static void pool2_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->pool2_f32(out, &r->in[0].view, r->flag, y0, y1);
}

static void nearest2_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->nearest2_f32(out, &r->in[0].view, y0, y1);
}

static void leaky_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->leaky_f32(out, r->flag ? out : &r->in[0].view, r->s1, y0, y1);
}

static void mix_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->mix_f32(out, r->flag ? out : &r->in[0].view, &r->in[1].view, r->s1, r->s2, y0, y1);
}

static void depth_weight_rows(const Kernels *k, const Rows *r, const View *out, int y0, int y1)
{
    k->depth_weight_f32(out, r->flag ? out : &r->in[0].view, y0, y1);
}

/* Sizes of the output = num / den times those of the input; channels 0: any. */
static void layer_check(const Check *check, RowsFn fn, int num, int den, int channels)
{
    for (int n = 0; n < 120 && !check_failed(); n++) {
        const int w = rnd_int(1, 40) * den, h = rnd_int(1, 9) * den;
        const int c = channels && !rnd_one_in(4) ? channels : channels == 1 ? 1 : rnd_int(1, 70);
        Rows r = { 0 };
        char what[80];

        r.in[0] = filled(w, h, c, FILL_ANY);
        r.in[1] = filled(w, h, c, FILL_ANY);
        r.out = filled(w * num / den, h * num / den, c, FILL_UNIT);
        if (channels == 1 || rnd_one_in(3)) { /* dense rows too */
            buffer_free(&r.out);
            r.out = buffer_packed(w * num / den, h * num / den, c, 0, c);
            buffer_fill(&r.out, FILL_UNIT);
        }
        r.s1 = rnd_one_in(2) ? 20.0f : rnd_float(-1, 1);
        r.s2 = rnd_float(0, 1);
        r.flag = rnd_one_in(2);
        snprintf(what, sizeof what, "%dx%d, %d channels, scales %g %g, flag %d", w, h, c, r.s1,
                 r.s2, r.flag);
        rows_check(check, &r, fn, what);
    }
}

static void up4_check(const Check *check)
{
    layer_check(check, up4_rows, 4, 1, 2);
}

static void pool2_check(const Check *check)
{
    layer_check(check, pool2_rows, 1, 2, 0);
}

static void nearest2_check(const Check *check)
{
    layer_check(check, nearest2_rows, 2, 1, 0);
}

static void leaky_check(const Check *check)
{
    layer_check(check, leaky_rows, 1, 1, 0);
}

static void mix_check(const Check *check)
{
    layer_check(check, mix_rows, 1, 1, 0);
}

static void depth_weight_check(const Check *check)
{
    layer_check(check, depth_weight_rows, 1, 1, 1);
}

/* ---- benchmarks: a frame of 640x480, padded ---- */

enum { BENCH_W = 640, BENCH_H = 512 };

typedef struct FrameBench {
    Rows rows;
    RowsFn fn;
} FrameBench;

static void frame_run(const Kernels *k, void *arg, int part)
{
    FrameBench *b = arg;

    b->fn(k, &b->rows, &b->rows.out.view, 0, b->rows.out.view.h / part);
}

static void warp_bench(const Check *check, const char *name, RowsFn fn, int c, int taps)
{
    FrameBench b = { .fn = fn };
    Bench bench = { name, "640x512, 64 channels", frame_run, &b, 0, 0, 0, 16 };

    b.rows.in[0] = buffer_packed(BENCH_W, BENCH_H, c, 0, c);
    b.rows.in[1] = buffer_packed(BENCH_W, BENCH_H, 2, 0, 2);
    b.rows.in[2] = buffer_packed(BENCH_W, BENCH_H, 16, 0, 16);
    b.rows.out = buffer_packed(BENCH_W, BENCH_H, c, 0, c);
    for (int i = 0; i < 3; i++)
        buffer_fill(&b.rows.in[i], FILL_UNIT);
    b.rows.s1 = 1.0f;
    bench.flops = 2.0 * taps * c * BENCH_W * BENCH_H;
    bench.outputs = (double)BENCH_W * BENCH_H;
    bench_run(check, &bench);
    for (int i = 0; i < 3; i++)
        buffer_free(&b.rows.in[i]);
    buffer_free(&b.rows.out);
}

static void filter_bench(const Check *check)
{
    warp_bench(check, "filter_interp_f32", filter_rows, 64, 16);
}

static void pwc_warp_bench(const Check *check)
{
    warp_bench(check, "pwc_warp_f32", pwc_warp_rows, 64, 4);
}

static void interpolation_bench(const Check *check)
{
    warp_bench(check, "interpolation_f32", interpolation_rows, 64, 4);
}

typedef struct SplatBench {
    Buffer acc, flow, weight, out, count, scratch;
} SplatBench;

static void splat_run(const Kernels *k, void *arg, int part)
{
    SplatBench *b = arg;

    (void)part;
    for (int y = 0; y < BENCH_H; y++)
        memset(view_at(&b->acc.view, y, 0), 0, BENCH_W * 4 * sizeof(float));
    k->flow_splat_f32(&b->acc.view, &b->flow.view, &b->weight.view);
    k->flow_mean_f32(&b->out.view, &b->count.view, &b->acc.view, 1, 0, BENCH_H);
    k->fill_holes_f32(&b->out.view, &b->count.view, b->scratch.view.data);
}

static void splat_bench(const Check *check)
{
    SplatBench b;
    const Bench bench = {
        "flow projection", "640x512, with holes", splat_run, &b, 0, 0, (double)BENCH_W * BENCH_H, 1
    };

    b.acc = buffer_packed(BENCH_W, BENCH_H, 4, 0, 4);
    b.flow = buffer_packed(BENCH_W, BENCH_H, 2, 0, 2);
    b.weight = buffer_packed(BENCH_W, BENCH_H, 1, 0, 1);
    b.out = buffer_packed(BENCH_W, BENCH_H, 2, 0, 2);
    b.count = buffer_packed(BENCH_W, BENCH_H, 1, 0, 1);
    b.scratch = buffer_array((int)fill_holes_scratch(BENCH_W, BENCH_H), FILL_UNIT);
    buffer_fill(&b.flow, FILL_UNIT);
    buffer_fill(&b.weight, FILL_POSITIVE);
    bench_run(check, &bench);
    buffer_free(&b.acc);
    buffer_free(&b.flow);
    buffer_free(&b.weight);
    buffer_free(&b.out);
    buffer_free(&b.count);
    buffer_free(&b.scratch);
}

extern const Test dain_tests[];
const Test dain_tests[] = {
    TEST(pwc_warp_f32, pwc_warp_check, pwc_warp_bench),
    TEST(filter_interp_f32, filter_check, filter_bench),
    TEST(interpolation_f32, interpolation_check, interpolation_bench),
    TEST(flow_splat_f32, flow_splat_check, splat_bench),
    TEST(flow_splat_min_f32, flow_splat_min_check, NULL),
    TEST(flow_mean_f32, flow_mean_check, NULL),
    TEST(fill_holes_f32, fill_holes_check, NULL),
    TEST(sepconv_f32, sepconv_check, NULL),
    TEST(sepconv_flow_f32, sepconv_flow_check, NULL),
    TEST(up4_f32, up4_check, NULL),
    TEST(pool2_f32, pool2_check, NULL),
    TEST(nearest2_f32, nearest2_check, NULL),
    TEST(leaky_f32, leaky_check, NULL),
    TEST(mix_f32, mix_check, NULL),
    TEST(depth_weight_f32, depth_weight_check, NULL),
    { NULL, 0, NULL, NULL },
};
