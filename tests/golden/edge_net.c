/* The whole edge network against golden data, stage by stage; and the same bits on every instruction set
 * and any number of threads. */
#include "golden.h"
#include "need.h"

#include "base/mem.h"
#include "model/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session whose memory can be looked at. */
typedef struct Bench {
    Session session;
    Kernels kernels;
    Pool *pool;
    ImageView picture[2], output;
    float *pixels;
} Bench;

static ImageView u8_picture(const WeightFile *file, const char *name)
{
    const WeightTensor *t = golden_tensor(file, name);
    uint8_t *p = (uint8_t *)t->data;
    const ptrdiff_t stride = (ptrdiff_t)t->shape[1] * 3;
    return (ImageView){
        { p, p + 1, p + 2, NULL }, { stride, stride, stride, 0 }, 3, 0, 255, (int)t->shape[1],
        (int)t->shape[0]
    };
}

static void bench_open(Bench *b, Model *model, const WeightFile *file, unsigned flags, int threads,
                       Report *report)
{
    memset(b, 0, sizeof *b);
    b->picture[0] = u8_picture(file, "im0");
    b->picture[1] = u8_picture(file, "im1");
    const int w = b->picture[0].w, h = b->picture[0].h;
    kernels_init(&b->kernels, flags);
    b->pool = need(pool_create(threads));
    Session *s = &b->session;
    if (session_open(s, model, &b->kernels, b->pool, w, h, true, report)) {
        fprintf(stderr, "%s\n", report->error);
        exit(1);
    }
    /* NaN: whoever reads what nobody wrote is found */
    const size_t bytes[SCOPE_COUNT] = { s->network.arena_bytes, s->network.frame_bytes,
                                        s->network.frame_bytes, s->network.pair_bytes };
    for (int i = 0; i < SCOPE_COUNT; i++)
        memset(s->base[0][i], 0xff, bytes[i]);
    b->pixels = need(mem_calloc((size_t)w * h * 3, sizeof(float)));
    const ptrdiff_t stride = (ptrdiff_t)w * 3 * sizeof(float);
    b->output = (ImageView){ { b->pixels, b->pixels + 1, b->pixels + 2, NULL },
                             { stride, stride, stride, 0 },
                             3,
                             2,
                             1,
                             w,
                             h };
    session_frame(s, &b->picture[0], NULL);
    session_frame(s, &b->picture[1], NULL);
    session_pair(s, NULL);
}

static void bench_close(Bench *b)
{
    session_close(&b->session);
    pool_destroy(b->pool);
    mem_free(b->pixels);
}

typedef struct Stage {
    const char *golden;
    DainRate rate;
    const char *tensor;
    int channel;
    double tolerance;
} Stage;

static const Stage frame_stages[] = {
    { "frame0.f1", DAIN_RATE_TIME, "f1", 0, 1e-4 },
    { "frame0.f2", DAIN_RATE_TIME, "f2", 0, 1e-4 },
    { "frame0.f3", DAIN_RATE_TIME, "f3", 0, 1e-4 },
    { "frame0.f4", DAIN_RATE_PAIR, "f4", 0, 1e-4 },
    { "frame0.f5", DAIN_RATE_PAIR, "f5", 0, 1e-4 },
    { "frame1.f3", DAIN_RATE_TIME, "f3", 0, 1e-4 },
    { "frame1.f5", DAIN_RATE_PAIR, "f5", 0, 1e-4 },
    { "frame0.z", DAIN_RATE_PAIR, "z", 0, 1e-4 },
    { "frame1.z", DAIN_RATE_PAIR, "z", 0, 1e-4 },
    { "pair01.f32", DAIN_RATE_PAIR, "flow32_01", 0, 1e-3 },
    { "pair10.f32", DAIN_RATE_PAIR, "flow32_10", 0, 1e-3 },
    { "pair01.f16", DAIN_RATE_PAIR, "flow16_01", 0, 1e-3 },
    { "pair10.f16", DAIN_RATE_PAIR, "flow16_10", 0, 1e-3 },
    { "pair01.f8", DAIN_RATE_PAIR, "flow01", 0, 1e-3 },
    { "pair10.f8", DAIN_RATE_PAIR, "flow10", 0, 1e-3 },
    { "pair01.vis", DAIN_RATE_PAIR, "vis01", 0, 1e-4 },
    { "pair10.vis", DAIN_RATE_PAIR, "vis10", 0, 1e-4 },
};
static const Stage time_stages[] = {
    { "ft0", DAIN_RATE_TIME, "projected", 0, 1e-3 },
    { "ft1", DAIN_RATE_TIME, "projected", 2, 1e-3 },
    { "c0", DAIN_RATE_TIME, "projected", 4, 1e-4 },
    { "c1", DAIN_RATE_TIME, "projected", 5, 1e-4 },
    { "flow8", DAIN_RATE_TIME, "flow8", 0, 1e-3 },
    { "flow4", DAIN_RATE_TIME, "flow4", 0, 1e-3 },
    { "flow2", DAIN_RATE_TIME, "flow2", 0, 1e-3 },
};
#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static void compare_stage(const Bench *b, const char *isa, const WeightFile *file, const Stage *s,
                          const char *golden)
{
    const Graph *g = &b->session.network.graph[s->rate];
    const Scope scope = strncmp(golden, "frame1", 6) ? SCOPE_FRAME0 : SCOPE_FRAME1;
    for (int i = g->tensor_count - 1; i >= 0; i--) {
        const Tensor *t = &g->tensors[i];
        const bool frame = t->scope == SCOPE_FRAME0 || t->scope == SCOPE_FRAME1;
        if (strcmp(t->name, s->tensor) || (frame && t->scope != scope))
            continue;
        const View v = session_view(&b->session, s->rate, i);
        golden_compare(isa, &v, s->channel, file, golden, s->tolerance, 0);
        return;
    }
    printf("FAIL %s no tensor %s\n", isa, s->tensor);
    golden_count(0);
}

/* Mask and sharpness are never in memory at full size; they follow from the tensor before. */
static void compare_masks(const Bench *b, const char *isa, const WeightFile *file)
{
    const Graph *g = &b->session.network.graph[DAIN_RATE_TIME];
    const View s = session_view(&b->session, DAIN_RATE_TIME, graph_find(g, "shuffle"));
    Map full = map_new(2 * s.h, 2 * s.w, 5, 0), out = map_new(2 * s.h, 2 * s.w, 1, 0);
    b->kernels.shuffle2_f32(&full.view, &s, 0, full.view.h);
    for (int i = 0; i < 2; i++) {
        View x = full.view;
        x.data += i ? 4 : 0;
        x.c = 1;
        b->kernels.sigmoid_f32(&out.view, &x, 0, 0, out.view.h);
        golden_compare(isa, &out.view, 0, file, i ? "t50.sharp" : "t50.mask", 1e-3, 0);
    }
    map_free(&full);
    map_free(&out);
}

static void compare_picture(const Bench *b, const char *isa, const WeightFile *file,
                            const char *time)
{
    char name[32];
    const int w = b->output.w, h = b->output.h;
    const View v = { b->pixels, (ptrdiff_t)w * 3, 3, w, h, 3 };
    snprintf(name, sizeof name, "%s.out", time);
    golden_compare(isa, &v, 0, file, name, 1e-3, 0);

    snprintf(name, sizeof name, "%s.out_u8", time);
    const uint8_t *want = golden_tensor(file, name)->data;
    int different = 0, far = 0;
    for (int i = 0; i < w * h * 3; i++) {
        const int d = abs((int)lrintf(b->pixels[i] * 255) - want[i]);
        different += d > 0;
        far += d > 1;
    }
    const int ok = !far && different * 1000.0 < w * h * 3.0;
    printf("%s %-8s %-22s %d of %d bytes differ, %d by more than 1\n", ok ? "ok  " : "FAIL", isa,
           name, different, w * h * 3, far);
    golden_count(ok);
}

static void test_file(Model *model, const char *directory, const char *name, bool stages,
                      int most_threads, Report *report)
{
    char path[512];
    WeightFile *file;
    snprintf(path, sizeof path, "%s/%s.safetensors", directory, name);
    if (safetensors_open(&file, path, report)) {
        fprintf(stderr, "%s\n", report->error);
        exit(1);
    }
    printf("# %s\n", name);
    Isa isas[MAX_ISAS];
    const int n = golden_isas(isas);
    float *first = NULL;
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        for (int threads = 1; threads <= most_threads; threads++) {
            Bench b;
            bench_open(&b, model, file, isas[i].flags, threads, report);
            for (int k = 0; stages && threads == 1 && k < COUNT(frame_stages); k++)
                compare_stage(&b, isas[i].name, file, &frame_stages[k], frame_stages[k].golden);
            for (int quarter = stages ? 1 : 2; quarter <= 2; quarter++) {
                const char *const time = quarter == 1 ? "t25" : "t50";
                session_time(&b.session, quarter, 4, &b.output, NULL);
                for (int k = 0; stages && threads == 1 && k < COUNT(time_stages); k++) {
                    char golden[32];
                    snprintf(golden, sizeof golden, "%s.%s", time, time_stages[k].golden);
                    compare_stage(&b, isas[i].name, file, &time_stages[k], golden);
                }
                if (threads == 1)
                    compare_picture(&b, isas[i].name, file, time);
            }
            if (stages && threads == 1)
                compare_masks(&b, isas[i].name, file);
            bytes = (size_t)b.output.w * b.output.h * 3 * sizeof(float);
            if (!first) {
                first = need(mem_alloc(bytes));
                memcpy(first, b.pixels, bytes);
            } else {
                const int same = !memcmp(first, b.pixels, bytes);
                printf("%s %-8s %d thread(s): the picture has the bits of C on one thread\n",
                       same ? "ok  " : "FAIL", isas[i].name, threads);
                golden_count(same);
            }
            bench_close(&b);
        }
    mem_free(first);
    weights_close(&file);
}

int main(int argc, char **argv)
{
    Report report = { 0 };
    Model *model;
    if (argc != 3) {
        fprintf(stderr, "usage: golden_edge_net MODEL DIRECTORY\n");
        return 2;
    }
    if (model_open(&model, argv[1], &report)) {
        fprintf(stderr, "%s\n", report.error);
        return 1;
    }
    test_file(model, argv[2], "net_96x64", true, 1, &report);
    test_file(model, argv[2], "net_161x99", true, 3, &report);
    test_file(model, argv[2], "net_real_256", false, 1, &report);
    model_close(&model);
    return golden_finish();
}
