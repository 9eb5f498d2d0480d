/* The edge network in bfloat16 and 8 bits: near the golden picture, and in 8 bits the same bits everywhere. */
#include "golden.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "model/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Frames {
    const uint8_t *frame[2], *golden;
    int w, h;
    size_t bytes;
} Frames;

static ImageView picture(const Frames *f, const uint8_t *rgb)
{
    uint8_t *p = (uint8_t *)rgb;
    const ptrdiff_t stride = (ptrdiff_t)f->w * 3;
    return (ImageView){ .plane = { p, p + 1, p + 2 },
                        .stride = { stride, stride, stride },
                        .step = 3,
                        .peak = 255,
                        .w = f->w,
                        .h = f->h };
}

static void fatal(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static void make(uint8_t *out, Model *model, const Frames *f, unsigned flags, int threads,
                 Report *report)
{
    Kernels kernels;
    Session s;
    kernels_init(&kernels, flags);
    Pool *pool = pool_create(threads);
    if (!pool || session_open(&s, model, &kernels, pool, f->w, f->h, false, report))
        fatal(report->error);
    const ImageView first = picture(f, f->frame[0]), second = picture(f, f->frame[1]);
    const ImageView made = picture(f, out);
    session_frame(&s, &first, NULL);
    session_frame(&s, &second, NULL);
    session_pair(&s, NULL);
    session_time(&s, 1, 2, &made, NULL);
    session_close(&s);
    pool_destroy(pool);
}

static double psnr(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum > 0 ? 10 * log10(255.0 * 255.0 * (double)n / sum) : 100;
}

static void check(const char *what, int ok)
{
    printf("%s %s\n", ok ? "ok  " : "FAIL", what);
    golden_count(ok);
}

/* Output of one convolution of the rate of a time, kept as float: only that layer runs in `type`. */
static float *layer_output(Model *model, const Frames *f, const char *layer, DataType type,
                           View *shape, Report *report)
{
    Kernels kernels;
    Session s;
    kernels_init(&kernels, cpu_flags());
    Pool *pool = pool_create(1);
    model_set_precision(model, DAIN_PRECISION_F32);
    params_find(&model->params, layer)->precision = type;
    if (!pool || session_open(&s, model, &kernels, pool, f->w, f->h, true, report))
        fatal(report->error);
    uint8_t *rgb = mem_alloc(f->bytes);
    const ImageView first = picture(f, f->frame[0]), second = picture(f, f->frame[1]);
    const ImageView made = picture(f, rgb);
    session_frame(&s, &first, NULL);
    session_frame(&s, &second, NULL);
    session_pair(&s, NULL);
    session_time(&s, 1, 2, &made, NULL);
    const Graph *g = &s.network.graph[DAIN_RATE_TIME];
    float *copy = NULL;
    for (int i = 0; i < g->op_count; i++) {
        if (g->ops[i].kind != OP_CONV || strcmp(g->ops[i].conv->name, layer))
            continue;
        *shape = session_view(&s, DAIN_RATE_TIME, g->ops[i].out[0]);
        const size_t row = (size_t)shape->w * shape->c;
        copy = mem_alloc(shape->h * row * sizeof(float));
        for (int y = 0; y < shape->h; y++)
            for (int x = 0; x < shape->w; x++)
                memcpy(copy + y * row + (size_t)x * shape->c, view_at(shape, y, x),
                       shape->c * sizeof(float));
    }
    mem_free(rgb);
    session_close(&s);
    pool_destroy(pool);
    return copy;
}

/* A convolution that reads a concatenation: its parts have zero points of their own, and the halo around
 * them must hold those. Elsewhere the codes are as fine at the border as inside. */
static void test_border(Model *model, const Frames *f, const char *layer, Report *report)
{
    View v;
    float *want = layer_output(model, f, layer, TYPE_F32, &v, report);
    float *got = layer_output(model, f, layer, TYPE_U8, &v, report);
    double sum[2] = { 0 }, n[2] = { 0 };
    for (int y = 0; y < v.h; y++)
        for (int x = 0; x < v.w; x++)
            for (int c = 0; c < v.c; c++) {
                const int border = !x || !y || x == v.w - 1 || y == v.h - 1;
                const size_t at = ((size_t)y * v.w + x) * v.c + c;
                sum[border] += ((double)got[at] - want[at]) * ((double)got[at] - want[at]);
                n[border]++;
            }
    const double inside = sqrt(sum[0] / n[0]), border = sqrt(sum[1] / n[1]);
    printf("# %s in 8 bits: deviation %.5f inside, %.5f at the border\n", layer, inside, border);
    check("8 bits are as exact at the border as inside", inside > 0 && border < 2 * inside);
    mem_free(want);
    mem_free(got);
}

static void calibrate(Model *model, const Frames *f, unsigned flags, Report *report)
{
    Kernels kernels;
    Calibration *c = NULL;
    kernels_init(&kernels, flags);
    Pool *pool = pool_create(1);
    const ImageView first = picture(f, f->frame[0]), second = picture(f, f->frame[1]);
    if (!pool || calibration_create(&c, model, &kernels, pool, report) ||
        calibration_add(c, &first, &second))
        fatal(report->error);
    const int changed = calibration_equalise(c);
    printf("# %d channels brought to another scale\n", changed);
    check("calibration evens out channels", changed > 0);
    if (calibration_add(c, &first, &second) || calibration_finish(c, RANGE_MSE))
        fatal(report->error);
    calibration_free(&c);
    pool_destroy(pool);
}

/* One layer after the other in another precision than its neighbours: every conversion is used. */
static void test_mixtures(Model *model, const Frames *f, unsigned flags, const uint8_t *f32,
                          uint8_t *out, Report *report)
{
    static const DataType around[] = { TYPE_U8, TYPE_U8, TYPE_BF16 };
    static const DataType single[] = { TYPE_F32, TYPE_BF16, TYPE_U8 };
    for (int k = 0; k < 3; k++) {
        double worst = 100;
        const char *at = "";
        for (int i = 0; i < model->params.count; i++) {
            for (int j = 0; j < model->params.count; j++)
                model->params.conv[j]->precision = j == i ? single[k] : around[k];
            params_unprepare(&model->params);
            make(out, model, f, flags, 2, report);
            const double db = psnr(out, f32, f->bytes);
            if (db < worst) {
                worst = db;
                at = model->params.conv[i]->name;
            }
        }
        printf("# mixture %d: worst %.2f dB from f32, %s\n", k, worst, at);
        check("single layers in another precision change little", worst > 36);
    }
}

int main(int argc, char **argv)
{
    Report report = { 0 };
    Model *model;
    WeightFile *file;
    if (argc != 3)
        fatal("usage: golden_edge_precision MODEL PAIR.safetensors");
    if (model_open(&model, argv[1], &report) || safetensors_open(&file, argv[2], &report))
        fatal(report.error);
    const WeightTensor *t = golden_tensor(file, "im0");
    const Frames f = { .frame = { t->data, golden_tensor(file, "im1")->data },
                       .golden = golden_tensor(file, "t50.out_u8")->data,
                       .w = (int)t->shape[1],
                       .h = (int)t->shape[0],
                       .bytes = t->bytes };
    uint8_t *f32 = mem_alloc(f.bytes), *out = mem_alloc(f.bytes), *first = mem_alloc(f.bytes);
    if (!f32 || !out || !first)
        fatal("out of memory");
    Isa isas[MAX_ISAS];
    const int n = golden_isas(isas);
    const unsigned best = cpu_flags();

    check("8 bits are refused without ranges",
          model_set_precision(model, DAIN_PRECISION_INT8) == DAIN_EUNSUPPORTED);
    model_set_precision(model, DAIN_PRECISION_F32);
    make(f32, model, &f, best, 1, &report);
    calibrate(model, &f, best, &report);
    make(out, model, &f, best, 1, &report);
    check("evened out channels leave the bits of f32", !memcmp(out, f32, f.bytes));

    model_set_precision(model, DAIN_PRECISION_BF16);
    for (int i = 0; i <= n; i++) {
        make(out, model, &f, i < n ? isas[i].flags : best, 1, &report);
        printf("# bf16 on %s: %.2f dB from golden\n", i < n ? isas[i].name : "all",
               psnr(out, f.golden, f.bytes));
        check("bf16 is within 45 dB of the golden picture", psnr(out, f.golden, f.bytes) >= 45);
    }
    model_set_precision(model, DAIN_PRECISION_INT8);
    for (int i = 0; i <= n; i++)
        for (int threads = 1; threads <= (i == n ? 3 : 1); threads++) {
            make(i || threads > 1 ? out : first, model, &f, i < n ? isas[i].flags : best, threads,
                 &report);
            if (i || threads > 1)
                check("int8 has the bits of C on one thread", !memcmp(out, first, f.bytes));
        }
    printf("# int8: %.2f dB from golden\n", psnr(first, f.golden, f.bytes));
    check("int8 is within 46 dB of the golden picture", psnr(first, f.golden, f.bytes) >= 46);
    for (int i = 0; i < 3; i++)
        test_border(model, &f, (const char *const[]){ "ref8a", "ref4a", "ref2a" }[i], &report);
    model_set_precision(model, DAIN_PRECISION_INT8);
    test_mixtures(model, &f, best, f32, out, &report);

    mem_free(f32);
    mem_free(out);
    mem_free(first);
    weights_close(&file);
    model_close(&model);
    return golden_finish();
}
