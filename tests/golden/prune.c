/* Pruning: a network without some channels gives the pictures of the whole one with those channels zero, on
 * both networks; every layer loses what it should, and the costs are those of the smaller file. */
#include "golden/dain_cases.h"
#include "golden/dain_checkpoint.h"
#include "golden/need.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "model/prune.h"
#include "model/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;

static void verdict(int ok, const char *what, const char *text)
{
    printf("%s %s: %s\n", ok ? "ok  " : "FAIL", what, text);
    failures += !ok;
}

typedef struct Fixture {
    char whole[512], pruned[64], zeros[64]; /* files */
    Kernels kernels;
    Pool *pool;
    Report report;
} Fixture;

static void temporary(char path[64])
{
    snprintf(path, 64, "/tmp/dain-prune-XXXXXX");
    const int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    close(fd);
}

/* Two frames with something moving in them, planar floats in [0,1]. */
static void draw(float *picture, int w, int h, int frame)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const double u = x - 1.5 * frame, v = y + 0.75 * frame;
                picture[(c * h + y) * w + x] =
                    (float)(0.5 + 0.2 * sin(u / (3 + c)) * cos(v / 5) + 0.25 * sin(u * v / 400));
            }
}

static ImageView view_of(float *p, int w, int h)
{
    const ptrdiff_t plane = (ptrdiff_t)w * h, stride = w * (ptrdiff_t)sizeof(float);
    return (ImageView){
        { p, p + plane, p + 2 * plane, NULL }, { stride, stride, stride, 0 }, 1, 2, 1, w, h
    };
}

/* The picture at a third of the way, w * h * 3 floats. */
static float *interpolate(Fixture *f, const char *path, int w, int h, double *macs)
{
    Model *model;
    Session s;
    must(model_open(&model, path, &f->report), &f->report);
    must(model_macs_per_pixel(model, macs, &f->report), &f->report);
    must(session_open(&s, model, &f->kernels, f->pool, w, h, false, &f->report), &f->report);
    float *pixels = need(mem_calloc((size_t)w * h * 3, sizeof(float)));
    const ImageView view = view_of(pixels, w, h);
    for (int i = 0; i < 2; i++) {
        draw(pixels, w, h, i);
        must(session_frame(&s, &view, NULL), &f->report);
    }
    must(session_pair(&s, NULL), &f->report);
    must(session_time(&s, 1, 3, &view, NULL), &f->report);
    session_close(&s);
    model_close(&model);
    return pixels;
}

static void compare(Fixture *f, const char *what, double wanted_macs, int w, int h)
{
    double macs, old_macs, plain_macs, worst = 0, changed = 0;
    float *a = interpolate(f, f->pruned, w, h, &macs);
    float *b = interpolate(f, f->zeros, w, h, &old_macs);
    float *whole = interpolate(f, f->whole, w, h, &plain_macs);
    char text[160];
    for (int i = 0; i < w * h * 3; i++) {
        const double d = fabs((double)a[i] - b[i]);
        worst = d == d && d > worst ? d : d == d ? worst : INFINITY;
        changed = fmax(changed, fabs((double)whole[i] - b[i]));
    }
    snprintf(text, sizeof text, "worst difference %.2g, against the whole network %.2g", worst,
             changed);
    verdict(worst <= 1e-5 && changed > 1e-3, what, text);
    snprintf(text, sizeof text, "%.1f multiply-adds a pixel, announced %.1f, before %.1f", macs,
             wanted_macs, plain_macs);
    verdict(fabs(macs - wanted_macs) < 1e-6 * macs && macs < plain_macs &&
                fabs(old_macs - plain_macs) < 1e-6 * macs,
            what, text);
    mem_free(a);
    mem_free(b);
    mem_free(whole);
}

static void prune(Fixture *f, const char *what, const PruneOptions *o, int w, int h)
{
    Pruner *p;
    must(prune_open(&p, f->whole, o->compared, &f->report), &f->report);
    must(prune_choose(p, o), &f->report);
    must(prune_write(p, f->pruned, false), &f->report);
    must(prune_write(p, f->zeros, true), &f->report);
    int layers = 0, cut = 0;
    for (int i = 0; i < prune_layer_count(p); i++) {
        const PruneLayer *l = prune_layer(p, i);
        layers++;
        cut += l->kept < l->channels;
        if (o->ratio > 0 && l->kept < l->channels * (1 - o->ratio) - 1e-9)
            verdict(0, l->name, "lost more than its share");
    }
    char text[80];
    snprintf(text, sizeof text, "%d of %d layers lose channels", cut, layers);
    verdict(2 * cut > layers || o->target > 0 || o->importance == PRUNE_BN, what, text);
    const double macs = prune_macs(p);
    prune_close(&p);
    compare(f, what, macs, w, h);
}

static void test_edge(Fixture *f, const char *path)
{
    snprintf(f->whole, sizeof f->whole, "%s", path);
    prune(f, "edge, a third, to the channel", &(PruneOptions){ .ratio = 0.34, .multiple = 1 }, 96,
          64);
    prune(f, "edge, by squares, in eights",
          &(PruneOptions){ .importance = PRUNE_L2, .ratio = 0.6, .multiple = 8 }, 96, 64);
    prune(f, "edge, to 18 kMAC", &(PruneOptions){ .target = 18e3, .most = 0.5, .multiple = 16 }, 96,
          64);
    Pruner *p;
    must(prune_open(&p, path, false, &f->report), &f->report);
    verdict(
        prune_choose(p, &(PruneOptions){ .importance = PRUNE_BN, .ratio = 0.5, .multiple = 1 }) ==
            DAIN_EUNSUPPORTED,
        "edge, by batch norms", f->report.error);
    prune_close(&p);
}

static void test_dain(Fixture *f, const char *directory)
{
    const WeightMeta meta = { "format", "dain" };
    char table[4096];
    snprintf(table, sizeof table, "%s/state_dict.tsv", directory);
    Checkpoint c = checkpoint_make(table);
    temporary(f->whole);
    must(safetensors_write(f->whole, c.tensors, c.count, &meta, 1, &f->report), &f->report);
    checkpoint_free(&c);
    prune(f, "the original, a third, to the channel",
          &(PruneOptions){ .ratio = 0.34, .multiple = 1 }, 64, 64);
    prune(f, "the original, by batch norms",
          &(PruneOptions){ .importance = PRUNE_BN, .ratio = 0.5, .multiple = 8 }, 64, 64);
    unlink(f->whole);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s edge-model folder-of-golden-dain-files\n", argv[0]);
        return 2;
    }
    Fixture f = { 0 };
    temporary(f.pruned);
    temporary(f.zeros);
    kernels_init(&f.kernels, cpu_flags());
    f.pool = need(pool_create(2));
    test_edge(&f, argv[1]);
    test_dain(&f, argv[2]);
    pool_destroy(f.pool);
    unlink(f.pruned);
    unlink(f.zeros);
    return failures != 0;
}
