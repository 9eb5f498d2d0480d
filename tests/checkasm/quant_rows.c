/* checkasm: conversions, warps and upsampling of the low-precision types. */
#include "quant.h"
#include "rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A map of floats or of a low-precision type. */
typedef struct Map {
    int codes; /* element size of q, 0: f */
    Buffer f;
    Codes q;
} Map;

/* A kernel with its inputs. */
typedef struct Job {
    Map x, flow;
    float scale;
    int zero;
} Job;

/* Rows y0 .. y1-1 of out. */
typedef void Run(const Kernels *k, const Job *job, const Map *out, int y0, int y1);

static Map map_new(int size, int w, int h, int c, int halo)
{
    Map m = { .codes = size };

    if (size)
        m.q = codes_new(size, w, h, c, halo, 0);
    else
        m.f = buffer_new(w, h, c, halo);
    return m;
}

static Map map_tight(int size, int w, int h, int c, int halo, int px)
{
    Map m = { .codes = size };

    if (size)
        m.q = codes_tight(size, w, h, c, halo, px - c);
    else
        m.f = buffer_packed(w, h, c, halo, px);
    return m;
}

static Map map_clone(const Map *m)
{
    Map copy = { .codes = m->codes };

    if (m->codes)
        copy.q = codes_clone(&m->q);
    else
        copy.f = buffer_clone(&m->f);
    return copy;
}

static void map_free(Map *m)
{
    codes_free(&m->q);
    buffer_free(&m->f);
}

static void map_same(const Map *a, const Map *b, const char *what)
{
    if (a->codes)
        codes_same(&a->q, &b->q, what);
    else
        buffer_same(&a->f, &b->f, what);
}

static int map_rows(const Map *m)
{
    return m->codes ? m->q.h : m->f.view.h;
}

/* The reference on all rows, the tested version on two bands, the lower one first. */
static void check_rows(const Check *check, Run *run, const Job *job, const Map *out,
                       const char *what)
{
    const int h = map_rows(out), cut = rnd_int(0, h);
    Map ref = map_clone(out), tested = map_clone(out);

    run(check->ref, job, &ref, 0, h);
    if (out->codes)
        codes_check(&out->q, &ref.q, what);
    else
        buffer_check(&ref.f, what);
    run(check->tested, job, &tested, cut, h);
    run(check->tested, job, &tested, 0, cut);
    map_same(&ref, &tested, what);
    map_free(&tested);
    map_free(&ref);
}

/* ---- the kernels ---- */

static void run_quantise(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->quantise_f32_u8(&out->q.v8, &job->x.f.view, job->scale, job->zero, y0, y1);
}

static void run_dequantise(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->dequantise_u8_f32(&out->f.view, &job->x.q.v8, job->scale, job->zero, y0, y1);
}

static void run_to_bf16(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->f32_to_bf16(&out->q.v16, &job->x.f.view, y0, y1);
}

static void run_from_bf16(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->bf16_to_f32(&out->f.view, &job->x.q.v16, y0, y1);
}

static void run_copy(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->copy_u8(&out->q.v8, &job->x.q.v8, y0, y1);
}

static void run_warp_u8(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->warp_bilinear_u8(&out->q.v8, &job->x.q.v8, &job->flow.f.view, y0, y1);
}

static void run_warp_bf16(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->warp_bilinear_bf16(&out->q.v16, &job->x.q.v16, &job->flow.f.view, y0, y1);
}

static void run_up2_u8(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->up2_u8(&out->q.v8, &job->x.q.v8, y0, y1);
}

static void run_up2_bf16(const Kernels *k, const Job *job, const Map *out, int y0, int y1)
{
    k->up2_bf16(&out->q.v16, &job->x.q.v16, y0, y1);
}

/* What a test needs to know of a kernel: element sizes (0: float) of input and output. */
typedef struct Kind {
    Run *run;
    const char *name;
    int in, out, twice, flow;
} Kind;

static const Kind quantise = { run_quantise, "quantise_f32_u8", 0, 1, 0, 0 };
static const Kind dequantise = { run_dequantise, "dequantise_u8_f32", 1, 0, 0, 0 };
static const Kind to_bf16 = { run_to_bf16, "f32_to_bf16", 0, 2, 0, 0 };
static const Kind from_bf16 = { run_from_bf16, "bf16_to_f32", 2, 0, 0, 0 };
static const Kind copy = { run_copy, "copy_u8", 1, 1, 0, 0 };
static const Kind warp_u8 = { run_warp_u8, "warp_bilinear_u8", 1, 1, 0, 1 };
static const Kind warp_bf16 = { run_warp_bf16, "warp_bilinear_bf16", 2, 2, 0, 1 };
static const Kind up2_u8 = { run_up2_u8, "up2_u8", 1, 1, 1, 0 };
static const Kind up2_bf16 = { run_up2_bf16, "up2_bf16", 2, 2, 1, 0 };

/* Floats for conversions: values near codes and halves, NaN, infinities, huge and tiny ones. */
static void fill_values(const Map *x)
{
    const View *v = &x->f.view;

    for (int y = 0; y < v->h; y++)
        for (int i = 0; i < v->w; i++)
            for (int c = 0; c < v->c; c++) {
                float f =
                    rnd_one_in(2) ? (float)rnd_int(-600, 600) * 0.5f : rnd_float(-300.0f, 300.0f);

                if (rnd_one_in(20)) {
                    const uint32_t bits = (uint32_t)rnd();

                    memcpy(&f, &bits, sizeof f);
                }
                view_at(v, y, i)[c] = rnd_one_in(40) ? NAN : rnd_one_in(40) ? INFINITY : f;
            }
}

static Job job_new(const Kind *kind, int w, int h, int c)
{
    Job job = { .scale = rnd_one_in(3) ? 1.0f : rnd_float(0.01f, 50.0f), .zero = rnd_int(0, 255) };

    job.x = map_new(kind->in, w, h, c, kind->flow);
    if (kind->in == 0)
        fill_values(&job.x);
    if (kind->in == 1 && rnd_one_in(4))
        for (size_t i = 0; i < job.x.q.count; i++)
            job.x.q.mem[i] = rnd() & 1 ? 255 : 0;
    if (kind->flow) {
        job.flow = map_new(0, w, h, 2, 0);
        fill_flow(&job.flow.f, w, h);
    }
    return job;
}

static void check_kind(const Check *check, const Kind *kind)
{
    static const int channels[] = { 16, 32, 48, 24, 1, 2, 3, 4, 64 };

    for (int n = 0; n < 200 && !check_failed(); n++) {
        const int w = rnd_int(1, 70), h = rnd_int(1, 6);
        const int c = n < 9 ? channels[n] : rnd_int(1, 100), up = kind->twice ? 2 : 1;
        Job job = job_new(kind, w, h, c);
        Map out = map_new(kind->out, up * w, up * h, c, 0);
        char what[80];

        snprintf(what, sizeof what, "%dx%dx%d", w, h, c);
        check_rows(check, kind->run, &job, &out, what);
        map_free(&out);
        map_free(&job.x);
        map_free(&job.flow);
    }
}

/* ---- benchmarks ---- */

typedef struct BenchCase {
    const Kind *kind;
    const Job *job;
    const Map *out;
} BenchCase;

static void bench_call(const Kernels *kernels, void *arg, int part)
{
    const BenchCase *b = arg;
    const int h = map_rows(b->out);

    b->kind->run(kernels, b->job, b->out, 0, (h + part - 1) / part);
}

static double bytes_of(int size, int w, int h, int c)
{
    return (double)(size ? size : 4) * w * h * c;
}

static void bench_kind(const Check *check, const Kind *kind, int w, int h, int c)
{
    const int up = kind->twice ? 2 : 1;
    Job job = { .scale = 1.0f, .zero = 3 };
    Map out = map_tight(kind->out, up * w, up * h, c, 0, c);
    BenchCase b = { kind, &job, &out };
    char shape[40];

    snprintf(shape, sizeof shape, "%dx%dx%d", w, h, c);
    job.x = map_tight(kind->in, w, h, c, kind->flow, c);
    if (kind->in == 0)
        buffer_fill(&job.x.f, FILL_UNIT);
    if (kind->in == 2)
        codes_fill_bf16(&job.x.q, 4.0f);
    if (kind->flow) {
        job.flow = map_tight(0, w, h, 2, 0, 2);
        fill_motion(&job.flow.f);
    }
    bench_run(check, &(Bench){ .name = kind->name,
                               .shape = shape,
                               .fn = bench_call,
                               .arg = &b,
                               .bytes = bytes_of(kind->in, w, h, c) * (kind->flow ? 4 : 1) +
                                        bytes_of(kind->out, up * w, up * h, c),
                               .outputs = (double)up * w * up * h * c,
                               .ref_part = 4 });
    map_free(&out);
    map_free(&job.x);
    map_free(&job.flow);
}

#define KIND_TEST(kind, bench)                                                                     \
    static void kind##_check(const Check *check)                                                   \
    {                                                                                              \
        check_kind(check, &kind);                                                                  \
    }                                                                                              \
    static void kind##_bench(const Check *check)                                                   \
    {                                                                                              \
        bench;                                                                                     \
    }

KIND_TEST(quantise,
          (bench_kind(check, &quantise, 160, 60, 25), bench_kind(check, &quantise, 640, 30, 4)))
KIND_TEST(dequantise, bench_kind(check, &dequantise, 160, 60, 32))
KIND_TEST(to_bf16, bench_kind(check, &to_bf16, 160, 60, 25))
KIND_TEST(from_bf16, bench_kind(check, &from_bf16, 160, 60, 32))
KIND_TEST(copy, bench_kind(check, &copy, 160, 60, 32))
KIND_TEST(warp_u8,
          (bench_kind(check, &warp_u8, 320, 60, 16), bench_kind(check, &warp_u8, 160, 60, 32),
           bench_kind(check, &warp_u8, 80, 60, 48)))
KIND_TEST(warp_bf16,
          (bench_kind(check, &warp_bf16, 320, 60, 16), bench_kind(check, &warp_bf16, 160, 60, 32)))
KIND_TEST(up2_u8, (bench_kind(check, &up2_u8, 80, 60, 32), bench_kind(check, &up2_u8, 160, 60, 24)))
KIND_TEST(up2_bf16,
          (bench_kind(check, &up2_bf16, 80, 60, 32), bench_kind(check, &up2_bf16, 160, 60, 24)))

const Test quant_row_tests[] = {
    TEST(quantise_f32_u8, quantise_check, quantise_bench),
    TEST(dequantise_u8_f32, dequantise_check, dequantise_bench),
    TEST(f32_to_bf16, to_bf16_check, to_bf16_bench),
    TEST(bf16_to_f32, from_bf16_check, from_bf16_bench),
    TEST(copy_u8, copy_check, copy_bench),
    TEST(warp_bilinear_u8, warp_u8_check, warp_u8_bench),
    TEST(warp_bilinear_bf16, warp_bf16_check, warp_bf16_bench),
    TEST(up2_u8, up2_u8_check, up2_u8_bench),
    TEST(up2_bf16, up2_bf16_check, up2_bf16_bench),
    { 0 },
};
