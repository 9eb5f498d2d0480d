/* checkasm: normalisation of codes and correlation of signed codes. */
#include "quant.h"

#include <stdio.h>
#include <string.h>

/* ---- normalise_u8_s8 ---- */

static void check_normalise(const Check *check, int w, int h, int c, float scale)
{
    const int cut = rnd_int(0, h);
    Codes x = codes_new(1, w, h, c, 0, 0), out = codes_new(1, w, h, c, 0, 0);
    Codes ref = codes_clone(&out), tested = codes_clone(&out);
    char what[80];

    snprintf(what, sizeof what, "%dx%dx%d, scale %g", w, h, c, scale);
    if (rnd_one_in(8))
        codes_fill_u8(&x, rnd_int(0, 255));
    if (rnd_one_in(4))
        for (size_t i = 0; i < x.count; i++)
            x.mem[i] = rnd_one_in(30) ? 255 : 0;
    if (rnd_one_in(4))
        for (size_t i = 0; i < x.count; i++)
            x.mem[i] = (uint8_t)rnd_int(250, 255);
    check->ref->normalise_u8_s8(&ref.v8, &x.v8, scale, 0, h);
    codes_check(&out, &ref, what);
    check->tested->normalise_u8_s8(&tested.v8, &x.v8, scale, cut, h);
    check->tested->normalise_u8_s8(&tested.v8, &x.v8, scale, 0, cut);
    codes_same(&ref, &tested, what);
    codes_free(&tested);
    codes_free(&ref);
    codes_free(&out);
    codes_free(&x);
}

static void normalise_check(const Check *check)
{
    static const int channels[] = { 32, 48, 64, 96, 256, 1, 2 };

    for (int n = 0; n < 200 && !check_failed(); n++)
        check_normalise(check, rnd_int(1, 40), rnd_int(1, 4), n < 7 ? channels[n] : rnd_int(1, 130),
                        rnd_one_in(3) ? 1e-6f : rnd_float(0.001f, 0.1f));
}

typedef struct NormaliseCase {
    Codes x, out;
} NormaliseCase;

static void call_normalise(const Kernels *kernels, void *arg, int part)
{
    const NormaliseCase *c = arg;

    kernels->normalise_u8_s8(&c->out.v8, &c->x.v8, 0.02f, 0, (c->x.h + part - 1) / part);
}

static void normalise_bench(const Check *check)
{
    static const int shapes[][3] = { { 160, 60, 32 }, { 80, 60, 48 } };

    for (int i = 0; i < 2; i++) {
        const int w = shapes[i][0], h = shapes[i][1], c = shapes[i][2];
        NormaliseCase b = { codes_tight(1, w, h, c, 0, 0), codes_tight(1, w, h, c, 0, 0) };
        char shape[40];

        snprintf(shape, sizeof shape, "%dx%dx%d", w, h, c);
        bench_run(check, &(Bench){ .name = "normalise_u8_s8",
                                   .shape = shape,
                                   .fn = call_normalise,
                                   .arg = &b,
                                   .bytes = 2.0 * w * h * c,
                                   .outputs = (double)w * h * c,
                                   .ref_part = 4 });
        codes_free(&b.x);
        codes_free(&b.out);
    }
}

/* ---- corr_s8 ---- */

typedef struct CorrCase {
    Codes a, b, out;
    Buffer out_f32;
    CorrS8Args args;
} CorrCase;

/* outputs: 1 codes, 2 floats, 3 both. */
static CorrCase corr_new(int w, int h, int c, int r, int outputs, int tight)
{
    Codes (*make)(int, int, int, int, int, int) = tight ? codes_tight : codes_new;
    const int slack = -c & 3, side = 2 * r + 1;
    CorrCase k = { .a = make(1, w, h, c, 0, slack), .b = make(1, w, h, c, r, slack) };

    if (outputs & 1)
        k.out = make(1, w, h, side * side, 0, 0);
    if (outputs & 2)
        k.out_f32 = buffer_new(w, h, side * side, 0);
    k.args = (CorrS8Args){ .a = k.a.v8,
                           .b = k.b.v8,
                           .out = k.out.v8,
                           .out_f32 = k.out_f32.view,
                           .out_inv_scale = rnd_float(5.0f, 2000.0f),
                           .out_zero = rnd_int(0, 255),
                           .r = r };
    return k;
}

static void corr_free(CorrCase *k)
{
    codes_free(&k->a);
    codes_free(&k->b);
    codes_free(&k->out);
    buffer_free(&k->out_f32);
}

static void check_corr(const Check *check, int w, int h, int c, int r)
{
    const int outputs = rnd_int(1, 3), cut = rnd_int(0, h);
    CorrCase k = corr_new(w, h, c, r, outputs, 0);
    Codes before = { 0 }, codes = { 0 };
    Buffer floats = { 0 };
    CorrS8Args ref = k.args;
    char what[100];

    snprintf(what, sizeof what, "%dx%dx%d, radius %d, outputs %d", w, h, c, r, outputs);
    if (rnd_one_in(4)) {
        codes_fill_u8(&k.a, rnd() & 1 ? 127 : 128);
        codes_fill_u8(&k.b, rnd() & 1 ? 127 : 128);
    }
    codes_fill_halo_u8(&k.b, 0);
    if (outputs & 1) {
        before = codes_clone(&k.out);
        codes = codes_clone(&k.out);
        ref.out = codes.v8;
    }
    if (outputs & 2) {
        floats = buffer_clone(&k.out_f32);
        ref.out_f32 = floats.view;
    }
    check->ref->corr_s8(&ref, 0, h);
    check->tested->corr_s8(&k.args, cut, h);
    check->tested->corr_s8(&k.args, 0, cut);
    if (outputs & 1) {
        codes_check(&before, &codes, what);
        codes_same(&codes, &k.out, what);
    }
    if (outputs & 2) {
        buffer_check(&floats, what);
        buffer_same(&floats, &k.out_f32, what);
    }
    codes_free(&before);
    codes_free(&codes);
    buffer_free(&floats);
    corr_free(&k);
}

static void corr_check(const Check *check)
{
    for (int n = 0; n < 150 && !check_failed(); n++) {
        const int c = rnd_one_in(3) ? 16 * rnd_int(1, 6) : rnd_int(1, 140);

        check_corr(check, rnd_int(1, 40), rnd_int(1, 9), c, rnd_one_in(8) ? 5 : rnd_int(1, 4));
    }
}

static void call_corr(const Kernels *kernels, void *arg, int part)
{
    const CorrCase *k = arg;

    kernels->corr_s8(&k->args, 0, (k->a.h + part - 1) / part);
}

static void corr_bench(const Check *check)
{
    static const int shapes[][4] = { { 160, 60, 32, 2 }, { 80, 60, 48, 3 }, { 40, 30, 64, 4 } };

    for (int i = 0; i < 3; i++) {
        const int w = shapes[i][0], h = shapes[i][1], c = shapes[i][2], r = shapes[i][3];
        const double outputs = (double)w * h * (2 * r + 1) * (2 * r + 1);
        CorrCase k = corr_new(w, h, c, r, 1, 1);
        char shape[40];

        snprintf(shape, sizeof shape, "%dx%dx%d r %d", w, h, c, r);
        bench_run(check, &(Bench){ .name = "corr_s8",
                                   .shape = shape,
                                   .fn = call_corr,
                                   .arg = &k,
                                   .flops = 2 * outputs * c,
                                   .outputs = outputs,
                                   .ref_part = h });
        corr_free(&k);
    }
}

const Test quant_corr_tests[] = {
    TEST(normalise_u8_s8, normalise_check, normalise_bench),
    TEST(corr_s8, corr_check, corr_bench),
    { 0 },
};
