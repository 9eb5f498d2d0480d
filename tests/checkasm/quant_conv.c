/* checkasm: low-precision convolutions. */
#include "quant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Shape {
    int kh, kw, ci, oc, stride, dilation, w, h; /* w, h of the output */
} Shape;

/* What is drawn besides the shape. */
typedef enum Extremes { RANDOM, ALL_HIGH, ALL_LOW, EXTREMES } Extremes;
typedef enum Residual { NO_ADD, ADD_CODES, ADD_F32, ADD_IN_PLACE, RESIDUALS } Residual;

/* The memory of one convolution; unused parts are empty. */
typedef struct Case {
    Codes in, out, add;
    Buffer out_f32, add_f32, scale, slope, bias_f32;
    void *weights, *scratch;
    int16_t *winograd;
    int32_t *bias;
} Case;

static int lanes_of(int oc)
{
    return (oc + CONV_LANES - 1) / CONV_LANES * CONV_LANES;
}

static int halo_of(const Shape *s)
{
    const int k = s->kh > s->kw ? s->kh : s->kw;

    return (s->dilation * (k - 1) + 1) / 2;
}

static void *allocate(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);

    if (!p) {
        fprintf(stderr, "checkasm: no memory\n");
        exit(2);
    }
    return p;
}

static void case_free(Case *c)
{
    codes_free(&c->in);
    codes_free(&c->out);
    codes_free(&c->add);
    buffer_free(&c->out_f32);
    buffer_free(&c->add_f32);
    buffer_free(&c->scale);
    buffer_free(&c->slope);
    buffer_free(&c->bias_f32);
    free(c->weights);
    free(c->scratch);
    free(c->winograd);
    free(c->bias);
}

static Shape shape_new(void)
{
    Shape s = { .kh = rnd_int(1, 5),
                .kw = rnd_int(1, 5),
                .ci = rnd_int(1, 70),
                .oc = rnd_int(1, 120),
                .stride = rnd_int(1, 2),
                .dilation = 1,
                .w = rnd_int(1, 60),
                .h = rnd_int(1, 3) };

    if (rnd_one_in(2))
        s.kh = s.kw = 3;
    if (rnd_one_in(4))
        s.dilation = rnd_int(2, 5);
    if (rnd_one_in(3))
        s.oc = rnd_one_in(3) ? rnd_int(1, 5) : rnd_one_in(2) ? rnd_int(17, 24) : rnd_int(1, 7) * 16;
    if (s.oc <= 4 && rnd_one_in(2)) /* as heads are */
        s.ci = 32 * rnd_int(1, 4);
    return s;
}

static void shape_print(char *text, size_t size, const Shape *s, int kind, int f32, int residual)
{
    snprintf(text, size, "%dx%d, %d -> %d, stride %d, dilation %d, %dx%d, kind %d, f32 %d, add %d",
             s->kw, s->kh, s->ci, s->oc, s->stride, s->dilation, s->w, s->h, kind, f32, residual);
}

/* Input and output of a case, elements of size bytes; each input pixel is followed by what the
 * kernels may read. */
static void case_maps(Case *c, const Shape *s, int size, int f32, Residual residual, int tight)
{
    Codes (*make)(int, int, int, int, int, int) = tight ? codes_tight : codes_new;
    const int slack = -s->ci & (size == 1 ? 3 : 1);

    c->in = make(size, (s->w - 1) * s->stride + 1, (s->h - 1) * s->stride + 1, s->ci, halo_of(s),
                 slack);
    if (f32)
        c->out_f32 = tight ? buffer_packed(s->w, s->h, s->oc, 0, lanes_of(s->oc))
                           : buffer_new(s->w, s->h, s->oc, 0);
    else
        c->out = make(size, s->w, s->h, s->oc, 0, 0);
    if (residual == ADD_CODES)
        c->add = codes_new(size, s->w, s->h, s->oc, 0, 0);
    if (residual == ADD_F32) {
        c->add_f32 = buffer_new(s->w, s->h, s->oc, 0);
        buffer_fill(&c->add_f32, FILL_UNIT);
    }
    if (residual == ADD_IN_PLACE && f32)
        buffer_fill(&c->out_f32, FILL_UNIT);
    c->slope = buffer_array(lanes_of(s->oc), rnd_one_in(2) ? FILL_UNIT : FILL_SPARSE);
}

/* ---- conv_u8 ---- */

static int takes_winograd(const Shape *s)
{
    return s->kh == 3 && s->kw == 3 && s->stride == 1 && s->dilation == 1;
}

static void weights_u8(Case *c, const Shape *s, Extremes kind)
{
    const int count = s->oc * s->ci * s->kh * s->kw;
    int8_t *oihw = allocate((size_t)count);
    int8_t *packed = allocate(conv_packed_size_u8(s->oc, s->ci, s->kh, s->kw));

    for (int i = 0; i < count; i++)
        oihw[i] = (int8_t)(kind == RANDOM ? rnd_int(-128, 127) : kind == ALL_HIGH ? 127 : -128);
    conv_pack_u8(packed, oihw, s->oc, s->ci, s->kh, s->kw);
    c->weights = packed;
    if (takes_winograd(s)) {
        c->winograd = allocate(conv_packed_size_winograd(s->oc, s->ci) * sizeof *c->winograd);
        conv_pack_winograd(c->winograd, oihw, s->oc, s->ci);
        c->scratch = allocate(conv_winograd_scratch(s->ci));
    }
    free(oihw);
}

/* Biases and scales that spread the codes over 0 .. 255 and some way beyond. */
static void case_scales(Case *c, const Shape *s, Extremes kind)
{
    const float terms = (float)(s->ci * s->kh * s->kw);
    const float spread = kind == RANDOM ? sqrtf(terms) * 9000.0f : terms * 32000.0f;

    c->scale = buffer_array(lanes_of(s->oc), FILL_UNIT);
    c->bias = allocate((size_t)lanes_of(s->oc) * sizeof *c->bias);
    for (int i = 0; i < lanes_of(s->oc); i++) {
        c->bias[i] = rnd_int(-100000, 100000);
        c->scale.view.data[i] = rnd_float(0.2f, 2.0f) / spread;
    }
}

static ConvU8Args args_u8(const Case *c, const Shape *s, Residual residual, float inv)
{
    ConvU8Args a = { .in = c->in.v8,
                     .out = c->out.v8,
                     .out_f32 = c->out_f32.view,
                     .add = c->add.v8,
                     .add_f32 = c->add_f32.view,
                     .weights = c->weights,
                     .winograd = c->winograd,
                     .bias = c->bias,
                     .scale = c->scale.view.data,
                     .slope = c->slope.view.data,
                     .out_inv_scale = inv,
                     .add_scale = rnd_float(0.001f, 0.02f),
                     .out_zero = rnd_int(0, 255),
                     .add_zero = rnd_int(0, 255),
                     .kh = s->kh,
                     .kw = s->kw,
                     .stride = s->stride,
                     .dilation = s->dilation };

    if (residual == ADD_IN_PLACE) {
        a.add = a.out;
        a.add_f32 = a.out_f32;
    }
    return a;
}

/* The kernel under test; with scratch memory the one by Winograd. */
static void run_u8(const Kernels *k, const ConvU8Args *a, void *scratch, int y0, int y1)
{
    if (scratch)
        k->conv_u8_winograd(a, scratch, y0, y1);
    else
        k->conv_u8(a, y0, y1);
}

static void check_u8(const Check *check, const Shape *s, Extremes kind, int f32, Residual residual,
                     int winograd)
{
    void *scratch;
    const int cut = rnd_int(0, s->h);
    char what[200];
    Case c = { 0 };
    ConvU8Args args;

    shape_print(what, sizeof what, s, kind, f32, residual);
    case_maps(&c, s, 1, f32, residual, 0);
    if (kind != RANDOM)
        codes_fill_u8(&c.in, rnd_one_in(4) ? 0 : 255);
    codes_fill_halo_u8(&c.in, rnd_one_in(2) ? 255 : rnd_int(0, 255));
    weights_u8(&c, s, kind);
    scratch = winograd ? c.scratch : NULL;
    case_scales(&c, s, kind);
    /* now and then far beyond what an integer holds */
    args = args_u8(&c, s, residual, rnd_one_in(20) ? 1e9f : rnd_float(20.0f, 150.0f));
    if (f32) {
        Buffer ref = buffer_clone(&c.out_f32);
        ConvU8Args ref_args = args;

        ref_args.out_f32 = ref.view;
        if (residual == ADD_IN_PLACE)
            ref_args.add_f32 = ref.view;
        check->ref->conv_u8(&ref_args, 0, s->h);
        buffer_check(&ref, what);
        run_u8(check->tested, &args, scratch, cut, s->h);
        run_u8(check->tested, &args, scratch, 0, cut);
        buffer_same(&ref, &c.out_f32, what);
        buffer_free(&ref);
    } else {
        Codes before = codes_clone(&c.out), ref = codes_clone(&c.out);
        ConvU8Args ref_args = args;

        ref_args.out = ref.v8;
        if (residual == ADD_IN_PLACE)
            ref_args.add = ref.v8;
        check->ref->conv_u8(&ref_args, 0, s->h);
        codes_check(&before, &ref, what);
        run_u8(check->tested, &args, scratch, cut, s->h);
        run_u8(check->tested, &args, scratch, 0, cut);
        codes_same(&ref, &c.out, what);
        codes_free(&ref);
        codes_free(&before);
    }
    case_free(&c);
}

static void conv_u8_check(const Check *check)
{
    for (int n = 0; n < 400 && !check_failed(); n++) {
        const Shape s = shape_new();
        const int f32 = rnd_one_in(3);
        const Residual residual = (Residual)rnd_int(0, RESIDUALS - 1);

        check_u8(check, &s, rnd_one_in(3) ? (Extremes)rnd_int(0, EXTREMES - 1) : RANDOM, f32,
                 residual, 0);
    }
}

/* Against the plain convolution, which is another algorithm. */
static void conv_u8_winograd_check(const Check *check)
{
    for (int n = 0; n < 300 && !check_failed(); n++) {
        Shape s = shape_new();

        s.kh = s.kw = 3;
        s.stride = s.dilation = 1;
        s.w = rnd_int(1, 130);
        s.h = rnd_int(1, 5);
        check_u8(check, &s, rnd_one_in(3) ? (Extremes)rnd_int(0, EXTREMES - 1) : RANDOM,
                 rnd_one_in(3), (Residual)rnd_int(0, RESIDUALS - 1), 1);
    }
}

/* ---- conv_bf16 ---- */

static uint16_t *weights_bf16(const Shape *s)
{
    const int count = s->oc * s->ci * s->kh * s->kw;
    Buffer oihw = buffer_array(count, FILL_UNIT);
    uint16_t *packed = allocate(conv_packed_size_bf16(s->oc, s->ci, s->kh, s->kw) * sizeof *packed);

    conv_pack_bf16(packed, oihw.view.data, s->oc, s->ci, s->kh, s->kw);
    buffer_free(&oihw);
    return packed;
}

static ConvBf16Args args_bf16(const Case *c, const Shape *s, Residual residual)
{
    ConvBf16Args a = { .in = c->in.v16,
                       .out = c->out.v16,
                       .out_f32 = c->out_f32.view,
                       .add = c->add.v16,
                       .add_f32 = c->add_f32.view,
                       .weights = c->weights,
                       .bias = c->bias_f32.view.data,
                       .slope = c->slope.view.data,
                       .kh = s->kh,
                       .kw = s->kw,
                       .stride = s->stride,
                       .dilation = s->dilation };

    if (residual == ADD_IN_PLACE) {
        a.add = a.out;
        a.add_f32 = a.out_f32;
    }
    return a;
}

/* The sums of absolute values of what the convolution adds, without residual: what a tolerance is
 * a fraction of. */
static Buffer magnitudes(const Check *check, const ConvBf16Args *args, const Case *c,
                         const Shape *s)
{
    const size_t count = conv_packed_size_bf16(s->oc, s->ci, s->kh, s->kw);
    uint16_t *weights = allocate(count * sizeof *weights);
    Buffer out = buffer_new(s->w, s->h, s->oc, 0);
    Buffer bias = buffer_array(lanes_of(s->oc), FILL_UNIT);
    Codes in = codes_clone(&c->in);
    ConvBf16Args a = *args;

    for (size_t i = 0; i < count; i++)
        weights[i] = args->weights[i] & 0x7fff;
    for (size_t i = 0; i < in.count; i += 2)
        in.mem[i + 1] &= 0x7f;
    for (int i = 0; i < lanes_of(s->oc); i++)
        bias.view.data[i] = fabsf(args->bias[i]);
    a.in = in.v16;
    a.out = a.add = (View16){ 0 };
    a.add_f32 = (View){ 0 };
    a.out_f32 = out.view;
    a.weights = weights;
    a.bias = bias.view.data;
    check->ref->conv_bf16(&a, 0, s->h);
    codes_free(&in);
    buffer_free(&bias);
    free(weights);
    return out;
}

/* Compares within the rounding of sums of so many terms, and of the output. */
static void close_bf16(const Buffer *limit, const ConvBf16Args *ref, const ConvBf16Args *tested,
                       const Shape *s, const char *what)
{
    const float terms = (float)(s->ci * s->kh * s->kw + 3);

    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++)
            for (int o = 0; o < s->oc; o++) {
                const int f32 = ref->out_f32.data != NULL;
                const float a = f32 ? view_at(&ref->out_f32, y, x)[o]
                                    : f32_from_bf16(view16_at(&ref->out, y, x)[o]);
                const float b = f32 ? view_at(&tested->out_f32, y, x)[o]
                                    : f32_from_bf16(view16_at(&tested->out, y, x)[o]);
                const float room = view_at(&limit->view, y, x)[o] * terms * 0x1p-23f + 1e-30f +
                                   (f32 ? fabsf(a) * 0x1p-22f : fabsf(a) * 0x1p-7f);

                if (!(fabsf(a - b) <= room)) {
                    check_fail("%s: row %d, column %d, channel %d: %g, not %g (%g allowed)", what,
                               y, x, o, b, a, room);
                    return;
                }
            }
}

static void same_maps(const Case *a, const Case *b, int f32, const char *what)
{
    if (f32)
        buffer_same(&a->out_f32, &b->out_f32, what);
    else
        codes_same(&a->out, &b->out, what);
}

static void check_bf16(const Check *check, const Shape *s, int f32, Residual residual)
{
    const int cut = rnd_int(0, s->h);
    char what[200];
    Case c = { 0 }, ref, whole;
    Buffer limit;
    Codes before = { 0 };
    ConvBf16Args args, ref_args, whole_args;

    shape_print(what, sizeof what, s, 0, f32, residual);
    case_maps(&c, s, 2, f32, residual, 0);
    codes_fill_bf16(&c.in, 4.0f);
    if (residual == ADD_CODES)
        codes_fill_bf16(&c.add, 4.0f);
    if (residual == ADD_IN_PLACE && !f32)
        codes_fill_bf16(&c.out, 4.0f);
    c.weights = weights_bf16(s);
    c.bias_f32 = buffer_array(lanes_of(s->oc), FILL_UNIT);
    ref = whole = c;
    if (f32) {
        ref.out_f32 = buffer_clone(&c.out_f32);
        whole.out_f32 = buffer_clone(&c.out_f32);
    } else {
        ref.out = codes_clone(&c.out);
        whole.out = codes_clone(&c.out);
        before = codes_clone(&c.out);
    }
    args = args_bf16(&c, s, residual);
    ref_args = args_bf16(&ref, s, residual);
    whole_args = args_bf16(&whole, s, residual);
    check->ref->conv_bf16(&ref_args, 0, s->h);
    check->tested->conv_bf16(&whole_args, 0, s->h);
    check->tested->conv_bf16(&args, cut, s->h);
    check->tested->conv_bf16(&args, 0, cut);
    same_maps(&whole, &c, f32, what);
    if (strcmp(check->isa, "avx512bf16") == 0 || strcmp(check->isa, "bf16") == 0) {
        limit = magnitudes(check, &args, &c, s);
        close_bf16(&limit, &ref_args, &args, s, what);
        buffer_free(&limit);
    } else
        same_maps(&ref, &c, f32, what);
    if (f32)
        buffer_check(&c.out_f32, what);
    else
        codes_check(&before, &c.out, what);
    codes_free(&before);
    if (f32) {
        buffer_free(&ref.out_f32);
        buffer_free(&whole.out_f32);
    } else {
        codes_free(&ref.out);
        codes_free(&whole.out);
    }
    case_free(&c);
}

static void conv_bf16_check(const Check *check)
{
    for (int n = 0; n < 300 && !check_failed(); n++) {
        const Shape s = shape_new();

        check_bf16(check, &s, rnd_one_in(2), (Residual)rnd_int(0, RESIDUALS - 1));
    }
}

/* ---- benchmarks ---- */

typedef struct Layer {
    Shape shape;
    const char *name;
} Layer;

/* Layers of edge at 640x480 and 1280x720 and the sizes of the architecture's decision 2, by their
 * width; few rows, so that a call is shorter than what a busy machine gives at a time. */
static const Layer layers[] = {
    { { 3, 3, 16, 16, 1, 1, 960, 60 }, "16-16 960" },
    { { 3, 3, 32, 32, 1, 1, 480, 60 }, "32-32 480" },
    { { 3, 3, 48, 48, 1, 1, 240, 60 }, "48-48 240" },
    { { 3, 3, 64, 64, 1, 1, 480, 16 }, "64-64 480" },
    { { 3, 3, 96, 96, 1, 1, 60, 36 }, "96-96 60x36" },
    { { 3, 3, 3, 16, 2, 1, 320, 60 }, "enc1a 3-16/2 320" },
    { { 3, 3, 16, 16, 1, 1, 320, 60 }, "enc1b 16-16 320" },
    { { 3, 3, 16, 32, 2, 1, 160, 60 }, "enc2a 16-32/2 160" },
    { { 3, 3, 179, 96, 1, 1, 40, 30 }, "flo4a 179-96 40x30" },
    { { 3, 3, 131, 64, 1, 1, 80, 60 }, "flo3a 131-64 80x60" },
    { { 3, 3, 64, 64, 1, 1, 80, 60 }, "flo3b 64-64 80x60" },
    { { 3, 3, 64, 3, 1, 1, 80, 60 }, "flo3f 64-3 80x60" },
    { { 3, 3, 152, 64, 1, 1, 80, 60 }, "ref8a 152-64 80x60" },
    { { 1, 1, 64, 32, 1, 1, 80, 60 }, "ref8h 64-32 1x1 80x60" },
    { { 3, 3, 125, 64, 1, 1, 160, 30 }, "ref4a 125-64 160" },
    { { 3, 3, 64, 64, 1, 1, 160, 60 }, "ref4b 64-64 160" },
    { { 3, 3, 64, 4, 1, 1, 160, 60 }, "ref4f 64-4 160" },
    { { 1, 1, 64, 24, 1, 1, 160, 60 }, "ref4h 64-24 1x1 160" },
    { { 3, 3, 60, 32, 1, 1, 320, 60 }, "ref2a 60-32 320" },
    { { 3, 3, 32, 32, 1, 1, 320, 60 }, "ref2b 32-32 320" },
    { { 3, 3, 32, 24, 1, 1, 320, 60 }, "ref2o 32-24 320" },
    { { 3, 3, 60, 32, 1, 1, 640, 30 }, "ref2a 60-32 640" },
    { { 3, 3, 32, 32, 1, 1, 640, 30 }, "ref2b 32-32 640" },
};

static double macs_of(const Shape *s)
{
    return (double)s->w * s->h * s->oc * s->ci * s->kh * s->kw;
}

static void call_u8(const Kernels *kernels, void *arg, int part)
{
    const ConvU8Args *a = arg;
    const int h = a->out.data ? a->out.h : a->out_f32.h;

    kernels->conv_u8(a, 0, (h + part - 1) / part);
}

/* What call_winograd() takes. */
typedef struct Winograd {
    ConvU8Args args;
    void *scratch;
} Winograd;

static void call_winograd(const Kernels *kernels, void *arg, int part)
{
    const Winograd *c = arg;
    const int h = c->args.out.data ? c->args.out.h : c->args.out_f32.h;

    if (part > 1) /* the reference */
        kernels->conv_u8(&c->args, 0, (h + part - 1) / part);
    else
        kernels->conv_u8_winograd(&c->args, c->scratch, 0, h);
}

static void bench_u8(const Check *check, int winograd)
{
    if (strcmp(check->isa, "c") == 0) /* minutes */
        return;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const Shape *s = &layers[i].shape;
        Case c = { 0 };
        ConvU8Args args;
        Winograd call;

        if (winograd && !takes_winograd(s))
            continue;
        case_maps(&c, s, 1, s->oc <= 4, NO_ADD, 1);
        weights_u8(&c, s, RANDOM);
        case_scales(&c, s, RANDOM);
        args = args_u8(&c, s, NO_ADD, 50.0f);
        call = (Winograd){ args, c.scratch };
        bench_run(check, &(Bench){ .name = winograd ? "conv_u8_winograd" : "conv_u8",
                                   .shape = layers[i].name,
                                   .fn = winograd ? call_winograd : call_u8,
                                   .arg = winograd ? (void *)&call : &args,
                                   .flops = 2 * macs_of(s),
                                   .outputs = (double)s->w * s->h * s->oc,
                                   .ref_part = s->h });
        case_free(&c);
    }
}

static void conv_u8_bench(const Check *check)
{
    bench_u8(check, 0);
}

static void conv_u8_winograd_bench(const Check *check)
{
    bench_u8(check, 1);
}

static void call_bf16(const Kernels *kernels, void *arg, int part)
{
    const ConvBf16Args *a = arg;
    const int h = a->out.data ? a->out.h : a->out_f32.h;

    kernels->conv_bf16(a, 0, (h + part - 1) / part);
}

static void conv_bf16_bench(const Check *check)
{
    if (strcmp(check->isa, "c") == 0)
        return;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const Shape *s = &layers[i].shape;
        Case c = { 0 };
        ConvBf16Args args;

        case_maps(&c, s, 2, s->oc <= 4, NO_ADD, 1);
        codes_fill_bf16(&c.in, 1.0f);
        c.weights = weights_bf16(s);
        c.bias_f32 = buffer_array(lanes_of(s->oc), FILL_UNIT);
        args = args_bf16(&c, s, NO_ADD);
        bench_run(check, &(Bench){ .name = "conv_bf16",
                                   .shape = layers[i].name,
                                   .fn = call_bf16,
                                   .arg = &args,
                                   .flops = 2 * macs_of(s),
                                   .outputs = (double)s->w * s->h * s->oc,
                                   .ref_part = s->h });
        case_free(&c);
    }
}

const Test quant_conv_tests[] = {
    TEST(conv_u8, conv_u8_check, conv_u8_bench),
    TEST(conv_u8_winograd, conv_u8_winograd_check, conv_u8_winograd_bench),
    TEST(conv_bf16, conv_bf16_check, conv_bf16_bench),
    { 0 },
};
