/* checkasm: convolutions. */
#include "checkasm.h"

#include <stdio.h>

typedef struct Layer {
    int ci, oc, k, stride, w, h; /* w, h of the output */
    const char *name;
} Layer;

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

    c.in = buffer_new((s->w - 1) * s->stride + 1, (s->h - 1) * s->stride + 1, s->ci, halo_of(s));
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

static void conv_check(const Check *check)
{
    for (int n = 0; n < 400 && !check_failed(); n++) {
        Shape s = { .kh = rnd_int(1, 5),
                    .kw = rnd_int(1, 5),
                    .ci = rnd_int(1, 40),
                    .oc = rnd_int(1, 70),
                    .stride = rnd_int(1, 2),
                    .dilation = 1,
                    .w = rnd_int(1, 40),
                    .h = rnd_int(1, 5) };

        if (rnd_one_in(2))
            s.kh = s.kw = 3;
        if (rnd_one_in(4))
            s.dilation = rnd_int(2, 5);
        check_case(check, &s, rnd_int(0, 2), FILL_ANY);
    }
}

const Test conv_tests[] = {
    TEST(conv_f32, conv_check, NULL),
    { 0 },
};
