/* checkasm: convolutions. */
#include "checkasm.h"

#include <stdio.h>

/* Everything one convolution needs; weights are packed. */
typedef struct Case {
    ConvArgs args;
    Buffer in, out, add, weights, bias, slope;
} Case;

typedef struct Shape {
    int kh, kw, ci, oc, stride, dilation, w, h;
} Shape;

static int halo_of(const Shape *s)
{
    int k = s->kh > s->kw ? s->kh : s->kw;

    return (s->dilation * (k - 1) + 1) / 2;
}

static void case_free(Case *c)
{
    buffer_free(&c->in);
    buffer_free(&c->out);
    buffer_free(&c->add);
    buffer_free(&c->weights);
    buffer_free(&c->bias);
    buffer_free(&c->slope);
}

static Buffer pack_weights(const Shape *s, Fill fill)
{
    Buffer oihw = buffer_array(s->oc * s->ci * s->kh * s->kw, fill);
    Buffer packed = buffer_array((int)conv_packed_size(s->oc, s->ci, s->kh, s->kw), FILL_UNIT);

    conv_pack_f32(packed.view.data, oihw.view.data, s->oc, s->ci, s->kh, s->kw);
    buffer_free(&oihw);
    return packed;
}

static int lanes_of(int oc)
{
    return (oc + CONV_LANES - 1) / CONV_LANES * CONV_LANES;
}

/* residual: 0 none, 1 of its own, 2 in the output's memory. */
static Case case_new(const Shape *s, int residual, Fill fill)
{
    Case c = { 0 };

    c.in = buffer_new((s->w - 1) * s->stride + 1 + rnd_int(0, s->stride - 1),
                      (s->h - 1) * s->stride + 1 + rnd_int(0, s->stride - 1), s->ci, halo_of(s));
    c.out = buffer_new(s->w, s->h, s->oc, 0);
    buffer_fill(&c.in, fill);
    if (residual == 1)
        c.add = buffer_new(s->w, s->h, s->oc, 0);
    if (residual)
        buffer_fill(residual == 1 ? &c.add : &c.out, fill);
    c.weights = pack_weights(s, fill);
    c.bias = buffer_array(lanes_of(s->oc), fill);
    c.slope = buffer_array(lanes_of(s->oc), rnd_one_in(2) ? FILL_UNIT : FILL_SPARSE);
    c.args = (ConvArgs){ .in = c.in.view,
                         .out = c.out.view,
                         .add = residual == 2 ? c.out.view : c.add.view,
                         .weights = c.weights.view.data,
                         .bias = c.bias.view.data,
                         .slope = c.slope.view.data,
                         .kh = s->kh,
                         .kw = s->kw,
                         .stride = s->stride,
                         .dilation = s->dilation };
    return c;
}

static void check_case(const Check *check, const Shape *s, int residual, Fill fill)
{
    char what[160];
    Case c = case_new(s, residual, fill);
    Buffer ref = buffer_clone(&c.out);
    ConvArgs args = c.args;
    int cut = rnd_int(0, s->h);

    snprintf(what, sizeof what, "%dx%d, %d -> %d, stride %d, dilation %d, %dx%d, residual %d",
             s->kw, s->kh, s->ci, s->oc, s->stride, s->dilation, s->w, s->h, residual);
    args.out = ref.view;
    if (residual == 2)
        args.add = ref.view;
    check->ref->conv_f32(&args, 0, s->h);
    buffer_check(&ref, what);
    /* Two bands, the lower one first: rows may be cut anywhere. */
    check->tested->conv_f32(&c.args, cut, s->h);
    check->tested->conv_f32(&c.args, 0, cut);
    buffer_same(&ref, &c.out, what);
    buffer_free(&ref);
    case_free(&c);
}

/* A side of a kernel: mostly 3, the networks' 1, 7 and 11, sometimes anything, even too. */
static int kernel_side(void)
{
    static const int sides[] = { 3, 3, 3, 3, 1, 1, 5, 7, 11 };

    return rnd_one_in(4) ? rnd_int(1, 11) : sides[rnd_int(0, 8)];
}

static Shape shape_any(void)
{
    Shape s = { .stride = 1, .dilation = 1 };

    s.kh = kernel_side();
    s.kw = rnd_one_in(3) ? kernel_side() : s.kh;
    s.ci = rnd_one_in(3) ? rnd_int(1, 100) : rnd_int(1, 20);
    s.oc = rnd_one_in(2) ? rnd_int(1, 9) : rnd_int(1, 100);
    if (rnd_one_in(3))
        s.stride = 2;
    if (rnd_one_in(4))
        s.dilation = rnd_int(2, 16);
    s.w = rnd_one_in(3) ? rnd_int(1, 130) : rnd_int(1, 40);
    s.h = rnd_int(1, 5);
    /* The reference takes a nanosecond a multiply-add. */
    while ((double)s.kh * s.kw * s.ci * s.oc * s.w * s.h > 3e6)
        if (s.h > 1)
            s.h--;
        else if (s.ci > 8)
            s.ci /= 2;
        else if (s.oc > 40)
            s.oc /= 2;
        else
            s.w = (s.w + 1) / 2;
    return s;
}

static void conv_check(const Check *check)
{
    for (int n = 0; n < 400 && !check_failed(); n++) {
        Shape s = shape_any();

        check_case(check, &s, rnd_int(0, 2), FILL_ANY);
    }
    /* Every width of a tile with every number of outputs that chooses tiles. */
    for (int w = 1; w <= 30 && !check_failed(); w++)
        for (int oc = 1; oc <= 48 && !check_failed(); oc += rnd_int(1, 3)) {
            Shape s = {
                .kh = 1, .kw = 2, .ci = 3, .oc = oc, .stride = 1, .dilation = 1, .w = w, .h = 1
            };

            check_case(check, &s, rnd_int(0, 2), FILL_ANY);
        }
}

/* ---- benchmark: the layers of edge at 1280x720 (and of the table in docs/architecture.md) ---- */

typedef struct Layer {
    const char *name;
    int k, ci, oc, stride, w, h; /* w, h of the output */
    int px;                      /* floats between input pixels */
} Layer;

/* clang-format off */
static const Layer layers[] = {
    { "enc1a", 3, 3, 16, 2, 640, 368, 3 },
    { "enc1b", 3, 16, 16, 1, 640, 368, 16 },
    { "enc2a", 3, 16, 32, 2, 320, 184, 16 },
    { "enc2b", 3, 32, 32, 1, 320, 184, 32 },
    { "enc3a", 3, 32, 48, 2, 160, 92, 32 },
    { "enc3b", 3, 48, 48, 1, 160, 92, 48 },
    { "enc4a", 3, 48, 64, 2, 80, 46, 48 },
    { "enc4b", 3, 64, 64, 1, 80, 46, 64 },
    { "enc5a", 3, 64, 96, 2, 40, 23, 64 },
    { "enc5b", 3, 96, 96, 1, 40, 23, 96 },
    { "dep3a", 3, 80, 32, 1, 160, 92, 80 },
    { "depz", 3, 32, 1, 1, 160, 92, 32 },
    { "flo5a", 3, 179, 96, 1, 40, 23, 192 },
    { "flo5f", 3, 64, 2, 1, 40, 23, 64 },
    { "flo4a", 3, 179, 96, 1, 80, 46, 192 },
    { "flo4b", 3, 96, 64, 1, 80, 46, 96 },
    { "flo4h", 1, 64, 32, 1, 80, 46, 64 },
    { "flo3a", 3, 131, 64, 1, 160, 92, 144 },
    { "flo3b", 3, 64, 64, 1, 160, 92, 64 },
    { "flo3f", 3, 64, 3, 1, 160, 92, 64 },
    { "ref8a", 3, 152, 64, 1, 160, 92, 160 },
    { "ref8h", 1, 64, 32, 1, 160, 92, 64 },
    { "ref4a", 3, 125, 64, 1, 320, 184, 128 },
    { "ref4b", 3, 64, 64, 1, 320, 184, 64 },
    { "ref4f", 3, 64, 4, 1, 320, 184, 64 },
    { "ref4h", 1, 64, 24, 1, 320, 184, 64 },
    { "ref2a", 3, 60, 32, 1, 640, 368, 64 },
    { "ref2b", 3, 32, 32, 1, 640, 368, 32 },
    { "ref2o", 3, 32, 24, 1, 640, 368, 32 },
    { "16-16", 3, 16, 16, 1, 960, 540, 16 },
    { "32-32", 3, 32, 32, 1, 480, 270, 32 },
    { "48-48", 3, 48, 48, 1, 240, 136, 48 },
    { "64-64", 3, 64, 64, 1, 480, 270, 64 },
    { "96-96", 3, 96, 96, 1, 60, 36, 96 },
    { "dain", 3, 428, 128, 1, 640, 384, 448 },
    { "dain", 7, 64, 64, 1, 640, 384, 64 },
    { "dain", 11, 64, 64, 1, 320, 192, 64 },
    { "4K ref4a", 3, 125, 64, 1, 960, 544, 128 },
};
/* clang-format on */

static void bench_call(const Kernels *kernels, void *arg, int part)
{
    const ConvArgs *a = arg;
    int rows = a->out.h / part;

    kernels->conv_f32(a, 0, rows > 0 ? rows : 1);
}

/* Rows as in the network, but no more than some 0.5 GFLOP: what counts is the width. */
static int bench_rows(const Layer *l)
{
    double row = 2.0 * l->k * l->k * l->ci * l->oc * l->w;
    int rows = (int)(5e8 / row);

    return rows < 4 ? 4 : rows < l->h ? rows : l->h;
}

static void bench_layer(const Check *check, const Layer *l)
{
    char shape[80];
    int h = bench_rows(l), halo = l->k / 2;
    Shape s = { l->k, l->k, l->ci, l->oc, l->stride, 1, l->w, h };
    Case c;
    Bench bench = { .name = "conv_f32",
                    .shape = shape,
                    .fn = bench_call,
                    .arg = &c.args,
                    .flops = 2.0 * l->k * l->k * l->ci * l->oc * l->w * h,
                    .outputs = (double)l->w * h,
                    .ref_part = h };

    snprintf(shape, sizeof shape, "%s %dx%d %d-%d%s %dx%d", l->name, l->k, l->k, l->ci, l->oc,
             l->stride == 2 ? " s2" : "", l->w, l->h);
    if (!bench_wanted(shape))
        return;
    c = (Case){ .in = buffer_packed(l->w * l->stride, h * l->stride, l->ci, halo, l->px),
                .out = buffer_packed(l->w, h, l->oc, 1, lanes_of(l->oc)),
                .weights = pack_weights(&s, FILL_UNIT),
                .bias = buffer_array(lanes_of(l->oc), FILL_UNIT),
                .slope = buffer_array(lanes_of(l->oc), FILL_UNIT) };
    buffer_fill(&c.in, FILL_UNIT);
    c.args = (ConvArgs){ .in = c.in.view,
                         .out = c.out.view,
                         .weights = c.weights.view.data,
                         .bias = c.bias.view.data,
                         .slope = c.slope.view.data,
                         .kh = l->k,
                         .kw = l->k,
                         .stride = l->stride,
                         .dilation = 1 };
    bench_run(check, &bench);
    case_free(&c);
}

static void conv_bench(const Check *check)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        bench_layer(check, &layers[i]);
}

const Test conv_tests[] = {
    TEST(conv_f32, conv_check, conv_bench),
    { 0 },
};
