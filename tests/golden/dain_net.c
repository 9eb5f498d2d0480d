/* The original network against golden data of the published program: each part, the whole at three times,
 * and a picture through its padding; then the same bits with every instruction set and thread count. */
#include "golden/dain_cases.h"
#include "golden/dain_checkpoint.h"
#include "golden/need.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "model/dain.h"
#include "model/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 128 };

static int failures;

/* What all tests use. */
typedef struct Fixture {
    const char *dir;
    Model *model;
    Kernels kernels;
    Pool *pool;
    Report report;
} Fixture;

/* ---- pictures ---- */

/* A planar u8 picture of a golden file. */
static ImageView u8_picture(const WeightFile *file, const char *name)
{
    const WeightTensor *t = weights_find(file, name);
    if (!t || t->type != TYPE_U8 || t->dims != 3) {
        fprintf(stderr, "%s is missing\n", name);
        exit(1);
    }
    const int h = (int)t->shape[1], w = (int)t->shape[2];
    uint8_t *p = (uint8_t *)t->data;
    const ptrdiff_t plane = (ptrdiff_t)w * h;
    return (ImageView){ { p, p + plane, p + 2 * plane, NULL }, { w, w, w, 0 }, 1, 0, 255, w, h };
}

static ImageView float_picture(float *p, int w, int h)
{
    const ptrdiff_t plane = (ptrdiff_t)w * h, stride = w * (ptrdiff_t)sizeof(float);
    return (ImageView){
        { p, p + plane, p + 2 * plane, NULL }, { stride, stride, stride, 0 }, 1, 2, 1, w, h
    };
}

/* ---- comparing ---- */

/* Which pixels of a map a golden tensor holds: y = y0 + i * step, x = x0 + k * step. */
typedef struct Samples {
    int y0, x0, step;
} Samples;

static const Samples every = { 0, 0, 1 };

/* Differences of channels first .. of a view and a golden tensor [1, C, H, W], largest first. */
static double *differences(const View *v, int first, const WeightTensor *t, Samples s,
                           int64_t *count)
{
    const int channels = (int)t->shape[1], h = (int)t->shape[2], w = (int)t->shape[3];
    double *d = need(malloc((size_t)t->count * sizeof *d)), *p = d;
    const float *want = t->data;
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const float got = view_at(v, s.y0 + y * s.step, s.x0 + x * s.step)[first + c];
                const double diff = fabs((double)got - *want++);
                *p++ = diff == diff ? diff : INFINITY;
            }
    *count = t->count;
    return d;
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void report_line(int ok, const char *what, const char *text)
{
    printf("%s %-28s %s\n", ok ? "ok  " : "FAIL", what, text);
    failures += !ok;
}

/* A view against a golden tensor, every element within the tolerance. */
static void compare(const char *what, const View *v, int first, const WeightFile *file,
                    const char *name, Samples s, double tolerance)
{
    char text[120];
    const WeightTensor *t = weights_find(file, name);
    int64_t n = 0;
    if (!t) {
        report_line(0, what, "no golden tensor");
        return;
    }
    double *d = differences(v, first, t, s, &n), worst = 0;
    for (int64_t i = 0; i < n; i++)
        worst = d[i] > worst ? d[i] : worst;
    snprintf(text, sizeof text, "worst %.3g of %.3g", worst, tolerance);
    report_line(worst <= tolerance, what, text);
    free(d);
}

/* Quantiles: the projection and the warps jump where a flow crosses an integer. */
static void compare_quantiles(const char *what, const View *v, const WeightFile *file,
                              const char *name, double median, double far)
{
    char text[160];
    int64_t n = 0, beyond = 0;
    const WeightTensor *t = weights_find(file, name);
    if (!t) {
        report_line(0, what, "no golden tensor");
        return;
    }
    double *d = differences(v, 0, t, every, &n);
    qsort(d, (size_t)n, sizeof *d, descending);
    while (beyond < n && d[beyond] > far)
        beyond++;
    snprintf(text, sizeof text, "median %.3g  99 %% %.3g  worst %.3g  beyond %g: %.4f %%", d[n / 2],
             d[n / 100], d[0], far, 100.0 * (double)beyond / (double)n);
    report_line(d[n / 2] <= median && d[n / 100] <= 1e-3 && beyond * 1000 <= n * 3, what, text);
    free(d);
}

/* ---- sessions ---- */

static View tensor(const Session *s, DainRate rate, const char *name)
{
    const int i = graph_find(&s->network.graph[rate], name);
    if (i < 0) {
        fprintf(stderr, "the network has no tensor %s\n", name);
        exit(1);
    }
    return session_view(s, rate, i);
}

/* The kept tensor of one of the two frames. */
static View kept(const Session *s, DainRate rate, Scope scope, const char *name)
{
    const Graph *g = &s->network.graph[rate];
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].scope == scope && !strcmp(g->tensors[i].name, name))
            return session_view(s, rate, i);
    fprintf(stderr, "no frame keeps %s\n", name);
    exit(1);
}

static void open_frames(Fixture *f, Session *s, const ImageView pictures[2], bool keep_all)
{
    must(session_open(s, f->model, &f->kernels, f->pool, pictures[0].w, pictures[0].h, keep_all,
                      &f->report),
         &f->report);
    for (int i = 0; i < 2; i++)
        must(session_frame(s, &pictures[i], NULL), &f->report);
}

static void open_pair(Fixture *f, Session *s, const ImageView pictures[2], bool keep_all)
{
    open_frames(f, s, pictures, keep_all);
    must(session_pair(s, NULL), &f->report);
}

/* ---- parts ---- */

static void test_depth(const Session *s, const char *dir)
{
    WeightFile *g = cases_open(dir, "net_depth_128");
    View v = kept(s, DAIN_RATE_TIME, SCOPE_FRAME0, "depth");
    compare("depth, first picture", &v, 0, g, "out", every, 1e-4);
    v = kept(s, DAIN_RATE_TIME, SCOPE_FRAME1, "depth");
    compare("depth, second picture", &v, 0, g, "out_im1", every, 1e-4);
    weights_close(&g);
}

/* Tensors inside the depth network: the frame graph has just run on the first picture, and no other graph
 * over its memory. */
static void test_depth_inside(const Session *s, const char *dir)
{
    WeightFile *g = cases_open(dir, "net_depth_128");
    View v = tensor(s, DAIN_RATE_FRAME, "depth level2");
    compare("depth, second block at 1/2", &v, 0, g, "level2_s4", (Samples){ 1, 2, 4 }, 1e-4);
    v = tensor(s, DAIN_RATE_FRAME, "depth hourglass");
    compare("depth, hourglass", &v, 0, g, "hourglass_s8", (Samples){ 3, 5, 8 }, 1e-4);
    weights_close(&g);
}

static void test_flow(const Session *s, const char *dir)
{
    WeightFile *g = cases_open(dir, "net_flow_128");
    View v = kept(s, DAIN_RATE_PAIR, SCOPE_FRAME0, "c2");
    compare("flow, features 1/4", &v, 0, g, "feat2_im0_s4", (Samples){ 1, 2, 4 }, 1e-4);
    for (int level = 3; level <= 6; level++) {
        char name[40], golden[40], what[40];
        snprintf(name, sizeof name, "c%d", level);
        snprintf(golden, sizeof golden, "feat%d_im0", level);
        snprintf(what, sizeof what, "flow, features 1/%d", 1 << level);
        v = kept(s, DAIN_RATE_PAIR, SCOPE_FRAME0, name);
        compare(what, &v, 0, g, golden, every, 1e-4);
        snprintf(name, sizeof name, "flownets.predict_flow%d", level);
        snprintf(golden, sizeof golden, "flow%d_10", level);
        snprintf(what, sizeof what, "flow back at 1/%d", 1 << level);
        v = tensor(s, DAIN_RATE_PAIR, name); /* of the direction that was built last */
        compare(what, &v, 0, g, golden, every, 2e-5);
    }
    v = tensor(s, DAIN_RATE_TIME, "flow01");
    compare("flow forth", &v, 0, g, "flow2_01", every, 2e-5);
    v = tensor(s, DAIN_RATE_TIME, "flow10");
    compare("flow back", &v, 0, g, "flow2_10", every, 2e-5);
    weights_close(&g);
}

/* One row or column of a view against golden [1, C, n]. */
static void compare_line(const char *what, const View *v, int first, const WeightFile *g,
                         const char *name, bool column)
{
    WeightTensor t = *weights_find(g, name);
    View line = *v;
    t.dims = 4;
    t.shape[3] = column ? 1 : t.shape[2];
    t.shape[2] = column ? t.shape[2] : 1;
    if (column)
        line.data = view_at(v, 0, v->w - 1);
    int64_t n = 0;
    double *d = differences(&line, first, &t, every, &n), worst = 0;
    char text[80];
    for (int64_t i = 0; i < n; i++)
        worst = d[i] > worst ? d[i] : worst;
    snprintf(text, sizeof text, "worst %.3g of 0.0001", worst);
    report_line(worst <= 1e-4, what, text);
    free(d);
}

static void test_filter(const Session *s, const char *dir)
{
    WeightFile *g = cases_open(dir, "net_filter_128");
    View v = tensor(s, DAIN_RATE_PAIR, "filter trunk");
    compare("kernels, trunk", &v, 0, g, "trunk_s8", (Samples){ 3, 5, 8 }, 1e-4);
    v = tensor(s, DAIN_RATE_TIME, "kernels");
    compare("kernels of the first picture", &v, 0, g, "kernel0_s2", (Samples){ 1, 0, 2 }, 1e-4);
    compare_line("kernels, upper edge", &v, 0, g, "kernel0_row0", false);
    compare_line("kernels, right edge", &v, 16, g, "kernel1_lastcol", true);
    weights_close(&g);
}

/* ---- networks of a single part ---- */

/* A frame graph that ends with a kept tensor "result". */
typedef int (*PartFn)(DainBuilder *b, int input, int argument);

static int context_part(DainBuilder *b, int image, int block)
{
    int x = dain_context_first(b, image);
    for (int i = 2; i <= block; i++)
        x = dain_context_next(b, i, x);
    return x;
}

static void run_part(Fixture *f, Session *s, PartFn part, int argument, const ImageView *picture)
{
    memset(s, 0, sizeof *s);
    network_init(&s->network, SIDE, SIDE, 64, &f->report);
    s->network.keep_all = true;
    DainBuilder b = { &s->network.graph[DAIN_RATE_FRAME], &f->model->params, 1 };
    const int result = part(&b, graph_pad_load(b.g), argument);
    graph_name(b.g, result, "result");
    must(b.g->error, &f->report);
    must(network_plan(&s->network, &f->model->params), &f->report);
    s->kernels = &f->kernels;
    s->pool = f->pool;
    s->base[0][SCOPE_TEMP] = need(mem_alloc(s->network.arena_bytes));
    memset(s->base[0][SCOPE_TEMP], 0xff, s->network.arena_bytes); /* NaN */
    s->scratch = need(mem_alloc(pool_threads(f->pool) * s->network.scratch_floats * sizeof(float)));
    Run r = { .kernels = &f->kernels, .pool = f->pool, .scratch = s->scratch, .den = 1 };
    memcpy(r.base, s->base, sizeof r.base);
    r.input = picture;
    must(network_run(&s->network, DAIN_RATE_FRAME, &r), &f->report);
}

static void test_context(Fixture *f, const ImageView *picture)
{
    WeightFile *g = cases_open(f->dir, "net_context_128");
    for (int block = 1; block <= 3; block++) {
        Session s;
        run_part(f, &s, context_part, block, picture);
        const View v = tensor(&s, DAIN_RATE_FRAME, "result");
        char what[40];
        /* The golden tensors have all channels; ours are those of one block behind the picture. */
        WeightTensor t = *weights_find(g, "out_s8");
        const int64_t plane = t.shape[2] * t.shape[3];
        t.data = (const float *)t.data + (3 + 64 * (block - 1)) * plane;
        t.shape[1] = 64;
        t.count = 64 * plane;
        int64_t n = 0;
        double *d = differences(&v, 0, &t, (Samples){ 3, 5, 8 }, &n), worst = 0;
        for (int64_t i = 0; i < n; i++)
            worst = d[i] > worst ? d[i] : worst;
        char text[80];
        snprintf(what, sizeof what, "context, block %d", block);
        snprintf(text, sizeof text, "worst %.3g of 0.0001", worst);
        report_line(worst <= 1e-4, what, text);
        free(d);
        if (block == 3)
            compare("context, last plane", &v, 63, g, "plane_194", every, 1e-4);
        session_close(&s);
    }
    weights_close(&g);
}

/* The published first convolution in one piece, then our rest. */
static int rectify_part(DainBuilder *b, int image, int argument)
{
    const int wide = graph_tensor(b->g, "wide", SIDE, SIDE, 437);
    (void)image;
    (void)argument;
    /* A copy gives the wide tensor a producer, so that it has a place and a zero halo. */
    const int copy = graph_scale(b->g, wide, 1);
    return dain_rectify_rest(b, dain_conv(b, "test.rectify", copy));
}

/* The input is a hash of its coordinates, so that it needs no file. */
static float hash_value(uint32_t c, uint32_t y, uint32_t x)
{
    uint32_t h = c * 2654435761u + y * 2246822519u + x * 3266489917u + 374761393u;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    h *= 3266489917u;
    h ^= h >> 16;
    return (float)((double)(h >> 8) / 16777216.0 * 2 - 1);
}

static void test_rectify(Fixture *f, const Checkpoint *checkpoint, const ImageView *picture)
{
    WeightFile *g = cases_open(f->dir, "net_rectify_128");
    const float *w = NULL, *bias = NULL;
    ConvParam *p;
    for (int i = 0; i < checkpoint->count; i++) {
        if (!strcmp(checkpoint->tensors[i].name, "rectifyNet.block1.0.weight"))
            w = checkpoint->tensors[i].data;
        if (!strcmp(checkpoint->tensors[i].name, "rectifyNet.block1.0.bias"))
            bias = checkpoint->tensors[i].data;
    }
    must(params_add_conv(&f->model->params, "test.rectify", w, bias, 128, 437, 7, 7, 0, &p),
         &f->report);
    Session s;
    run_part(f, &s, rectify_part, 0, picture);
    View wide = tensor(&s, DAIN_RATE_FRAME, "wide");
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 437; c++)
                view_at(&wide, y, x)[c] = hash_value((uint32_t)c, (uint32_t)y, (uint32_t)x);
    Run r = { .kernels = &f->kernels, .pool = f->pool, .scratch = s.scratch, .den = 1 };
    memcpy(r.base, s.base, sizeof r.base);
    r.input = picture;
    must(network_run(&s.network, DAIN_RATE_FRAME, &r), &f->report);
    const View v = tensor(&s, DAIN_RATE_FRAME, "result");
    compare("synthesis", &v, 0, g, "out", every, 1e-4);
    session_close(&s);
    weights_close(&g);
}

/* ---- the whole ---- */

/* The picture before it is clamped: blend + residual. */
static View unclamped(const Session *s)
{
    const View residual = tensor(s, DAIN_RATE_TIME, "residual");
    View blend = tensor(s, DAIN_RATE_TIME, "blend");
    for (int y = 0; y < blend.h; y++)
        for (int x = 0; x < blend.w; x++)
            for (int c = 0; c < 3; c++)
                view_at(&blend, y, x)[c] += view_at(&residual, y, x)[c];
    return blend;
}

static void test_whole(Fixture *f, Session *s)
{
    static float pixels[3 * SIDE * SIDE];
    const ImageView out = float_picture(pixels, SIDE, SIDE);
    WeightFile *g = cases_open(f->dir, "whole_128_t050");
    must(session_time(s, 1, 2, &out, NULL), &f->report);
    View v = tensor(s, DAIN_RATE_TIME, "proj0");
    compare_quantiles("t = 1/2: projected flow 0", &v, g, "proj0", 1e-4, 1e-2);
    v = tensor(s, DAIN_RATE_TIME, "proj1");
    compare_quantiles("t = 1/2: projected flow 1", &v, g, "proj1", 1e-4, 1e-2);
    v = tensor(s, DAIN_RATE_TIME, "blend");
    compare_quantiles("t = 1/2: blend", &v, g, "blend", 2e-5, 1e-3);
    v = unclamped(s);
    compare_quantiles("t = 1/2: picture", &v, g, "output", 2e-5, 1e-3);
    int wrong = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++) {
                const float o = view_at(&v, y, x)[c], cut = o < 0 ? 0 : o > 1 ? 1 : o;
                wrong += pixels[(c * SIDE + y) * SIDE + x] != cut;
            }
    report_line(!wrong, "t = 1/2: clamped", wrong ? "the written picture differs" : "");
    weights_close(&g);
    g = cases_open(f->dir, "whole_128_slowmo");
    for (int quarter = 1; quarter <= 3; quarter += 2) {
        must(session_time(s, quarter, 4, &out, NULL), &f->report);
        v = unclamped(s);
        compare_quantiles(quarter == 1 ? "t = 1/4: picture" : "t = 3/4: picture", &v, g,
                          quarter == 1 ? "output_025" : "output_075", 2e-5, 1e-3);
    }
    weights_close(&g);
}

/* A picture of odd size with the padding of the published program, to bytes. */
static void test_pipeline(Fixture *f)
{
    WeightFile *g = cases_open(f->dir, "pipeline_71x51");
    const ImageView pictures[2] = { u8_picture(g, "im0_u8"), u8_picture(g, "im1_u8") };
    const WeightTensor *want = weights_find(g, "output_u8");
    const int w = pictures[0].w, h = pictures[0].h, n = 3 * w * h;
    uint8_t *pixels = need(calloc(1, (size_t)n));
    ImageView out = pictures[0];
    for (int c = 0; c < 3; c++)
        out.plane[c] = pixels + c * w * h;
    Session s;
    f->model->pad_original = true;
    f->model->strip_rows = 16;
    f->model->bands = 2;
    open_pair(f, &s, pictures, false);
    must(session_time(&s, 1, 2, &out, NULL), &f->report);
    int differ = 0, far = 0;
    for (int i = 0; i < n; i++) {
        const int d = abs(pixels[i] - ((const uint8_t *)want->data)[i]);
        differ += d > 0;
        far += d > 1;
    }
    char text[120];
    snprintf(text, sizeof text, "%d of %d bytes differ, %d by more than 1", differ, n, far);
    report_line(differ * 100 <= n && far * 1000 <= n, "71x51, original padding", text);
    /* The frames themselves come back unchanged through the padding. */
    session_store_frame(&s, SCOPE_FRAME1, &out);
    int wrong = 0;
    for (int c = 0; c < 3; c++)
        wrong += memcmp(out.plane[c], pictures[1].plane[c], (size_t)w * h) != 0;
    report_line(!wrong, "71x51, the frame itself", "");
    session_close(&s);
    f->model->pad_original = false;
    f->model->strip_rows = -1;
    f->model->bands = 0;
    free(pixels);
    weights_close(&g);
}

/* The same bits, small picture, whole and in strips. Tensors share memory as they do in use. */
static void test_bits(Fixture *f)
{
    static const unsigned levels[] = { CPU_AVX2, CPU_AVX2 | CPU_AVX512 };
    WeightFile *g = cases_open(f->dir, "pipeline_71x51");
    const ImageView pictures[2] = { u8_picture(g, "im0_u8"), u8_picture(g, "im1_u8") };
    const int w = pictures[0].w, h = pictures[0].h;
    const size_t bytes = (size_t)w * h * 3 * sizeof(float);
    float *first = NULL;
    for (int level = 0; level < 2; level++) {
        if ((cpu_flags() & levels[level]) != levels[level])
            continue;
        for (int threads = 1; threads <= 3; threads += 2) {
            char what[60];
            Fixture other = *f;
            Session s;
            float *pixels = need(calloc(1, bytes));
            const ImageView out = float_picture(pixels, w, h);
            kernels_init(&other.kernels, levels[level]);
            other.pool = need(pool_create(threads));
            f->model->strip_rows = threads > 1 ? 7 + 10 * level : -1;
            f->model->bands = level ? 3 : 0;
            open_pair(&other, &s, pictures, level == 0 && threads == 1);
            must(session_time(&s, 1, 3, &out, NULL), &other.report);
            snprintf(what, sizeof what, "bits, %s, %d threads%s", level ? "AVX-512" : "AVX2",
                     threads, threads > 1 ? level ? ", strips, bands" : ", strips" : "");
            if (first)
                report_line(!memcmp(first, pixels, bytes), what, "");
            session_close(&s);
            pool_destroy(other.pool);
            if (first)
                free(pixels);
            else
                first = pixels;
        }
    }
    f->model->strip_rows = -1;
    f->model->bands = 0;
    free(first);
    weights_close(&g);
}

/* The checkpoint goes through a file, as everybody's does. */
static void open_model(Fixture *f, const Checkpoint *checkpoint)
{
    const WeightMeta meta = { "format", "dain" };
    char path[] = "/tmp/dain-golden-XXXXXX";
    const int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    close(fd);
    int error =
        safetensors_write(path, checkpoint->tensors, checkpoint->count, &meta, 1, &f->report);
    if (!error)
        error = model_open(&f->model, path, &f->report);
    unlink(path);
    must(error, &f->report);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s folder-of-golden-files\n", argv[0]);
        return 2;
    }
    Fixture f = { .dir = argv[1] };
    char table[4096], digest[65];
    snprintf(table, sizeof table, "%s/state_dict.tsv", f.dir);
    Checkpoint checkpoint = checkpoint_make(table);
    checkpoint_digest(checkpoint.tensors, checkpoint.count, digest);
    report_line(!strcmp(digest, CHECKPOINT_DIGEST), "checkpoint", digest);
    open_model(&f, &checkpoint);
    kernels_init(&f.kernels, cpu_flags());
    f.pool = need(pool_create(2));

    WeightFile *images = cases_open(f.dir, "images_128");
    const ImageView pictures[2] = { u8_picture(images, "im0_u8"), u8_picture(images, "im1_u8") };
    Session s;
    open_frames(&f, &s, (ImageView[]){ pictures[1], pictures[0] }, true);
    test_depth_inside(&s, f.dir); /* the frame taken last is the first picture */
    session_close(&s);
    open_pair(&f, &s, pictures, true);
    test_depth(&s, f.dir);
    test_flow(&s, f.dir);
    test_filter(&s, f.dir);
    test_context(&f, &pictures[0]);
    test_whole(&f, &s);
    session_close(&s);
    test_rectify(&f, &checkpoint, &pictures[0]);
    test_pipeline(&f);
    test_bits(&f);

    weights_close(&images);
    pool_destroy(f.pool);
    model_close(&f.model);
    checkpoint_free(&checkpoint);
    return failures != 0;
}
