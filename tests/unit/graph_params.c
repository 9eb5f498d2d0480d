/* Parameters and precision: what is prepared is whole or not there, and no scale is out of range. */
#include "base/mem.h"
#include "graph/dain_ops.h"
#include "test.h"

#include <float.h>
#include <math.h>
#include <string.h>

static ConvParam *add_conv(Params *params, const char *name, float weight, float bias, int oc,
                           int ci)
{
    float w[64], b[64];
    ConvParam *p = NULL;
    for (int i = 0; i < oc * ci; i++)
        w[i] = i % 2 ? weight : -weight;
    for (int i = 0; i < oc; i++)
        b[i] = bias;
    CHECK_INT(params_add_conv(params, name, w, b, oc, ci, 1, 1, 1, &p), DAIN_OK);
    return p;
}

/* ---- memory ---- */

static int prepare_bytes(Params *params, ConvParam *p, float scale)
{
    const float scales[3] = { scale, scale, scale };
    const int zeros[3] = { 3, 3, 3 };
    const ConvU8Input in = { scales, zeros, 2, 1, 1, false };
    return params_prepare_u8(params, p, &in);
}

static int prepare(Params *params, ConvParam *p, bool bytes)
{
    return bytes ? prepare_bytes(params, p, 0.01f) : params_prepare_bf16(params, p);
}

static void whole_or_not_there(void)
{
    for (int bytes = 0; bytes < 2; bytes++) {
        Report report = { 0 };
        Params params = { .report = &report };
        ConvParam *p = add_conv(&params, "a", 0.5f, 1, 2, 3);
        const long live = mem_live();
        int failures = 0, error = DAIN_ENOMEM;
        while (error && failures < 20) {
            mem_fail_at(failures + 1);
            error = prepare(&params, p, bytes);
            mem_fail_at(0);
            if (!error)
                break;
            failures++;
            CHECK_INT(error, DAIN_ENOMEM);
            CHECK(!p->u8.weights && !p->bf16_weights);
            CHECK_INT(params.prepared, 0);
            CHECK_INT(mem_live(), live);
        }
        CHECK_INT(error, DAIN_OK);
        CHECK(failures >= 2);
        if (!bytes && p->bf16_weights)
            CHECK_INT(p->bf16_weights[0], 0xbf00); /* -0.5 */
        params_free(&params);
    }
}

/* ---- scales ---- */

static void ranges_are_numbers(void)
{
    static const float wrong[][2] = {
        { -INFINITY, 0 }, { 0, INFINITY }, { NAN, 1 }, { 0, NAN }, { -FLT_MAX, FLT_MAX }
    };
    Report report = { 0 };
    Params params = { .report = &report };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(params_set_range(&params, "a", wrong[i][0], wrong[i][1]), DAIN_EFORMAT);
        CHECK_CONTAINS(report.error, "range of a");
    }
    CHECK(!params_range(&params, "a"));
    CHECK_INT(params_set_range(&params, "a", -0.5f, 2), DAIN_OK);
    CHECK_INT(params_set_range(&params, "b", 0, 0), DAIN_OK);
    const Range *a = params_range(&params, "a"), *b = params_range(&params, "b");
    CHECK(a && a->lo == -0.5f && a->hi == 2);
    CHECK(b && b->lo == 0 && b->hi == 0);
    params_free(&params);
}

/* A picture through two convolutions of codes; `a` has that range. */
static void check_range(float lo, float hi)
{
    Report report = { 0 };
    Params params = { .report = &report };
    Network n;
    network_init(&n, 16, 16, 8, &report);
    Graph *g = &n.graph[DAIN_RATE_FRAME];
    ConvParam *conv[2] = { add_conv(&params, "a", 0.5f, 1, 2, 3),
                           add_conv(&params, "b", 0.5f, 1, 2, 2) };
    CHECK_INT(params_set_range(&params, "a", lo, hi), DAIN_OK);
    CHECK_INT(params_set_range(&params, "b", -1, 1), DAIN_OK);
    int x = graph_shift_rgb(g, graph_load(g));
    for (int i = 0; i < 2; i++) {
        conv[i]->precision = TYPE_U8;
        x = graph_conv(g, x, conv[i], 1, 1, -1);
    }
    graph_export(g, x, "b");
    CHECK_INT(network_plan(&n, &params), DAIN_OK);
    const int a = graph_find(g, "a");
    if (CHECK(a >= 0)) {
        CHECK(isnormal(g->tensors[a].scale) && isfinite(1 / g->tensors[a].scale));
        CHECK(isnormal(g->tensors[a].scale * g->tensors[a].scale));
        CHECK(g->tensors[a].zero >= 0 && g->tensors[a].zero <= 255);
    }
    network_free(&n);
    params_free(&params);
}

static void narrow_ranges(void)
{
    static const float ends[] = { 0, 1e-45f, 1e-44f, 1e-38f, 1e-30f, 1e-16f, 1e-3f };
    enum { N = sizeof ends / sizeof *ends };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            check_range(-ends[i], ends[k]);
}

static void small_weights(void)
{
    static const float weights[] = { 0, 1e-45f, 1e-43f, 1e-38f, 1e-30f, 1e-12f };
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        for (int negative = 0; negative < 2; negative++) {
            const float bias = negative ? -0.3f : 0.3f;
            Report report = { 0 };
            Params params = { .report = &report };
            ConvParam *p = add_conv(&params, "a", weights[i], bias, 2, 3);
            CHECK_INT(prepare_bytes(&params, p, 0.01f), DAIN_OK);
            for (int o = 0; o < 2 && p->u8.scale; o++) {
                CHECK(isnormal(p->u8.scale[o]));
                const double got = (double)p->u8.bias[o] * p->u8.scale[o];
                if (fabs(got - (double)bias) > 1e-6)
                    test_fail(__FILE__, __LINE__, "weights of %g: a bias of %g became %g",
                              (double)weights[i], (double)bias, got);
            }
            params_free(&params);
        }
    /* and without a bias */
    Params params = { 0 };
    ConvParam *p = add_conv(&params, "a", 1e-44f, 0, 2, 3);
    CHECK_INT(prepare_bytes(&params, p, 0.01f), DAIN_OK);
    CHECK(p->u8.scale && isnormal(p->u8.scale[0]) && p->u8.bias[0] == 0);
    params_free(&params);
}

static void large_weights(void)
{
    Report report = { 0 };
    Params params = { .report = &report };
    ConvParam *p = add_conv(&params, "a", FLT_MAX, 1, 2, 3);
    const long live = mem_live();
    CHECK_INT(prepare_bytes(&params, p, 2), DAIN_EFORMAT);
    CHECK_CONTAINS(report.error, "weights of a");
    CHECK(!p->u8.weights);
    CHECK_INT(mem_live(), live);
    params_free(&params);
}

/* ---- the picture at the end ---- */

/* What graph_finish() says to the first channels of a picture as residual. */
static int finish(int channels, int blend_channels, Report *report)
{
    Network n;
    network_init(&n, 16, 16, 8, report);
    Graph *g = &n.graph[DAIN_RATE_TIME];
    const int picture = graph_pad_load(g), other = graph_pad_load(g);
    graph_finish(g, graph_slice(g, picture, 0, channels), graph_slice(g, other, 0, blend_channels));
    const int error = g->error;
    network_free(&n);
    return error;
}

static void pictures_have_three_channels(void)
{
    for (int channels = 1; channels <= 4; channels++) {
        Report report = { 0 };
        CHECK_INT(finish(channels, 4, &report), channels == 3 ? DAIN_OK : DAIN_EFORMAT);
        CHECK_CONTAINS(report.error, channels == 3 ? "" : "3 expected");
    }
    Report report = { 0 };
    CHECK_INT(finish(3, 3, &report), DAIN_EINVAL);
}

static const Test tests[] = {
    { "without memory a convolution is not half prepared", whole_or_not_there },
    { "a range that is no number is refused", ranges_are_numbers },
    { "the narrowest ranges give scales that can be calculated with", narrow_ranges },
    { "weights that are next to nothing keep their bias", small_weights },
    { "weights beyond what floats hold are refused", large_weights },
    { "a network whose picture has no three channels is refused", pictures_have_three_channels },
};

TEST_MAIN(tests)
