/* Every operator of the edge network against golden data, on every instruction set of this machine. */
#include "golden.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

typedef struct Case {
    const Kernels *k;
    const char *isa;
    const WeightFile *file;
} Case;

static const char *key(const char *base, const char *part)
{
    static char keys[8][64];
    static int turn;
    char *s = keys[turn++ % 8];
    snprintf(s, sizeof keys[0], "%s.%s", base, part);
    return s;
}

static void test_warp(const Case *t, const char *name)
{
    Map x = map_load(t->file, key(name, "x"), 1), f = map_load(t->file, key(name, "flow"), 0);
    Map out = map_new(x.view.h, x.view.w, x.view.c, 0);
    t->k->warp_bilinear_f32(&out.view, &x.view, &f.view, 0, x.view.h);
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "out"), 1e-5, 1e-5);
    map_free(&x);
    map_free(&f);
    map_free(&out);
}

/* The kernel takes four channels at a time; golden cases have 3, 5 and 16. */
static void test_splat(const Case *t, const char *name)
{
    Map v = map_load(t->file, key(name, "v"), 0), f = map_load(t->file, key(name, "flow"), 0);
    const int h = v.view.h, w = v.view.w, c = v.view.c;
    Map out = map_new(h, w, c, 0), in4 = map_new(h, w, 4, 0);
    for (int first = 0; first < c; first += 4) {
        const int n = c - first < 4 ? c - first : 4;
        Map out4 = map_new(h, w, 4, 0);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                memcpy(view_at(&in4.view, y, x), view_at(&v.view, y, x) + first, n * sizeof(float));
        t->k->splat_f32(&out4.view, &in4.view, &f.view, 1);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                memcpy(view_at(&out.view, y, x) + first, view_at(&out4.view, y, x),
                       n * sizeof(float));
        map_free(&out4);
    }
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "out"), 1e-5, 1e-5);
    map_free(&v);
    map_free(&f);
    map_free(&out);
    map_free(&in4);
}

static void test_up2(const Case *t, const char *name)
{
    Map x = map_load(t->file, key(name, "x"), 0);
    Map out = map_new(2 * x.view.h, 2 * x.view.w, x.view.c, 0);
    t->k->up2_f32(&out.view, &x.view, 1, 0, out.view.h);
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "out"), 1e-5, 1e-5);
    map_free(&x);
    map_free(&out);
}

static void test_corr(const Case *t, const char *name, int r)
{
    Map a = map_load(t->file, key(name, "a"), 0), b = map_load(t->file, key(name, "b"), 0);
    const int h = a.view.h, w = a.view.w, c = a.view.c;
    Map na = map_new(h, w, c, 0), nb = map_new(h, w, c, r);
    Map out = map_new(h, w, (2 * r + 1) * (2 * r + 1), 0), peak = map_new(h, w, 2, 0);
    t->k->normalise_f32(&na.view, &a.view, 0, h);
    t->k->normalise_f32(&nb.view, &b.view, 0, h);
    t->k->corr_f32(&out.view, &na.view, &nb.view, r, 0, h);
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "out"), 3e-5, 0);
    const View none = { 0 };
    t->k->peak_f32(&peak.view, &none, &out.view, r, 0, h);
    golden_compare(t->isa, &peak.view, 0, t->file, key(name, "peak"), 1e-4, 0);
    Map *all[] = { &a, &b, &na, &nb, &out, &peak };
    for (int i = 0; i < 6; i++)
        map_free(all[i]);
}

static void test_normalise(const Case *t)
{
    Map x = map_load(t->file, "normalise.x", 0);
    Map out = map_new(x.view.h, x.view.w, x.view.c, 0);
    t->k->normalise_f32(&out.view, &x.view, 0, x.view.h);
    golden_compare(t->isa, &out.view, 0, t->file, "normalise.out", 3e-5, 0);
    map_free(&x);
    map_free(&out);
}

static void test_shuffle(const Case *t)
{
    Map x = map_load(t->file, "shuffle.x", 0);
    Map out = map_new(2 * x.view.h, 2 * x.view.w, x.view.c / 4, 0);
    t->k->shuffle2_f32(&out.view, &x.view, 0, out.view.h);
    golden_compare(t->isa, &out.view, 0, t->file, "shuffle.out", 0, 0);
    map_free(&x);
    map_free(&out);
}

/* A three-channel golden picture as the four-channel picture that kernels take. */
static Map load_picture(const WeightFile *file, const char *name, int halo)
{
    Map x = map_load(file, name, 0), p = map_new(x.view.h, x.view.w, 4, halo);
    for (int y = 0; y < x.view.h; y++)
        for (int i = 0; i < x.view.w; i++)
            memcpy(view_at(&p.view, y, i), view_at(&x.view, y, i), 3 * sizeof(float));
    map_replicate(&p, halo);
    map_free(&x);
    return p;
}

static void test_awarp(const Case *t, const char *name)
{
    Map x = load_picture(t->file, key(name, "x"), 2);
    Map f = map_load(t->file, key(name, "flow"), 0), k = map_load(t->file, key(name, "k"), 0);
    Map out = map_new(x.view.h, x.view.w, 4, 0);
    t->k->awarp_f32(&out.view, &x.view, &f.view, &k.view, 0, x.view.h);
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "out"), 1e-5, 1e-5);
    Map *all[] = { &x, &f, &k, &out };
    for (int i = 0; i < 4; i++)
        map_free(all[i]);
}

static void test_luma(const Case *t)
{
    Map x = load_picture(t->file, "luma_half.x", 0),
        out = map_new(x.view.h / 2, x.view.w / 2, 1, 0);
    t->k->luma_half_f32(&out.view, &x.view, 0, out.view.h);
    golden_compare(t->isa, &out.view, 0, t->file, "luma_half.out", 1e-5, 1e-5);
    map_free(&x);
    map_free(&out);
}

static void test_polish(const Case *t, const char *name)
{
    Map y0 = map_load(t->file, key(name, "y0"), 1), y1 = map_load(t->file, key(name, "y1"), 1);
    Map f = map_load(t->file, key(name, "flow"), 0);
    const int h = f.view.h, w = f.view.w;
    Map step1 = map_new(h, w, 4, 0), out = map_new(h, w, 4, 0);
    Map scratch = map_new(1, (int)lk_polish_scratch(w), 1, 0);
    PolishArgs args = { step1.view, f.view, y0.view, y1.view,
                        golden_number(t->file, key(name, "t")) };
    t->k->lk_polish_f32(&args, scratch.memory, 0, h);
    golden_compare(t->isa, &step1.view, 0, t->file, key(name, "step1"), 1e-4, 0);
    args.flow = step1.view;
    args.out = out.view;
    t->k->lk_polish_f32(&args, scratch.memory, 0, h);
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "out"), 1e-4, 0);
    Map *all[] = { &y0, &y1, &f, &step1, &out, &scratch };
    for (int i = 0; i < 6; i++)
        map_free(all[i]);
}

static void test_conv(const Case *t, const char *name, int stride)
{
    const WeightTensor *w = golden_tensor(t->file, key(name, "w"));
    const int oc = (int)w->shape[0], ci = (int)w->shape[1], k = (int)w->shape[2];
    const int lanes = (oc + 15) / 16 * 16;
    Map x = map_load(t->file, key(name, "x"), (k - 1) / 2);
    Map oihw = map_new(1, (int)w->count, 1, 0), bias = map_new(1, lanes, 1, 0);
    Map slope = map_new(1, lanes, 1, 0),
        packed = map_new(1, (int)conv_packed_size(oc, ci, k, k), 1, 0);
    Map out = map_new((x.view.h + stride - 1) / stride, (x.view.w + stride - 1) / stride, oc, 0);
    weights_to_f32(w, oihw.memory);
    weights_to_f32(golden_tensor(t->file, key(name, "b")), bias.memory);
    conv_pack_f32(packed.memory, oihw.memory, oc, ci, k, k);
    ConvArgs args = { .in = x.view,
                      .out = out.view,
                      .weights = packed.memory,
                      .bias = bias.memory,
                      .slope = slope.memory,
                      .kh = k,
                      .kw = k,
                      .stride = stride,
                      .dilation = 1 };
    for (int leaky = 0; leaky < 2; leaky++) {
        for (int i = 0; i < lanes; i++)
            slope.memory[i] = leaky ? 0.1f : 1;
        t->k->conv_f32(&args, 0, out.view.h);
        golden_compare(t->isa, &out.view, 0, t->file, key(name, leaky ? "lrelu" : "out"), 1e-5,
                       1e-5);
    }
    Map *all[] = { &x, &oihw, &bias, &slope, &packed, &out };
    for (int i = 0; i < 6; i++)
        map_free(all[i]);
}

static void test_project(const Case *t, const char *name)
{
    Map f[2] = { map_load(t->file, key(name, "f01"), 0), map_load(t->file, key(name, "f10"), 0) };
    Map z[2] = { map_load(t->file, key(name, "z0"), 0), map_load(t->file, key(name, "z1"), 0) };
    const float time = golden_number(t->file, key(name, "t"));
    const int h = f[0].view.h, w = f[0].view.w;
    Map val = map_new(h, w, 4, 0), s[2] = { map_new(h, w, 4, 4), map_new(h, w, 4, 4) };
    Map out = map_new(h, w, 6, 0);
    for (int i = 0; i < 2; i++) {
        t->k->splat_weights_f32(&val.view, &f[i].view, &z[i].view, i ? -1 : 1, 0, h);
        t->k->splat_f32(&s[i].view, &val.view, &f[i].view, i ? 1 - time : time);
    }
    t->k->project_merge_f32(&out.view, &s[0].view, &s[1].view, time, 0, h);
    golden_compare(t->isa, &out.view, 0, t->file, key(name, "ft0"), 1e-4, 0);
    golden_compare(t->isa, &out.view, 2, t->file, key(name, "ft1"), 1e-4, 0);
    golden_compare(t->isa, &out.view, 4, t->file, key(name, "c0"), 1e-4, 0);
    golden_compare(t->isa, &out.view, 5, t->file, key(name, "c1"), 1e-4, 0);
    Map *all[] = { &f[0], &f[1], &z[0], &z[1], &val, &s[0], &s[1], &out };
    for (int i = 0; i < 8; i++)
        map_free(all[i]);
}

int main(int argc, char **argv)
{
    Report report = { 0 };
    WeightFile *file;
    if (argc != 2) {
        fprintf(stderr, "usage: golden_edge_ops OPS.safetensors\n");
        return 2;
    }
    if (safetensors_open(&file, argv[1], &report)) {
        fprintf(stderr, "%s\n", report.error);
        return 1;
    }
    Isa isas[MAX_ISAS];
    const int n = golden_isas(isas);
    for (int i = 0; i < n; i++) {
        Kernels kernels;
        kernels_init(&kernels, isas[i].flags);
        const Case t = { &kernels, isas[i].name, file };
        for (int c = 0; c < 3; c++) {
            static const char *const warps[] = { "warp_a", "warp_b", "warp_c" };
            static const char *const splats[] = { "splat_a", "splat_b", "splat_c" };
            static const char *const awarps[] = { "awarp_a", "awarp_b", "awarp_c" };
            test_warp(&t, warps[c]);
            test_splat(&t, splats[c]);
            test_awarp(&t, awarps[c]);
        }
        test_up2(&t, "up2_a");
        test_up2(&t, "up2_b");
        test_up2(&t, "up2_c");
        test_up2(&t, "up2_d");
        test_corr(&t, "corr_r4c96", 4);
        test_corr(&t, "corr_r4c64", 4);
        test_corr(&t, "corr_r3c48", 3);
        test_corr(&t, "corr_r2c32", 2);
        test_normalise(&t);
        test_shuffle(&t);
        test_luma(&t);
        test_polish(&t, "polish_half");
        test_polish(&t, "polish_quarter");
        test_polish(&t, "polish_noise");
        test_conv(&t, "conv_s2", 2);
        test_conv(&t, "conv_s1", 1);
        test_conv(&t, "conv_k1", 1);
        const char *const scenes[] = { "slide", "slide_t25", "behind", "leave", "zoom", "noise" };
        for (int k = 0; k < 6; k++) {
            char name[32];
            snprintf(name, sizeof name, "project_%s", scenes[k]);
            test_project(&t, name);
        }
    }
    weights_close(&file);
    return golden_finish();
}
