/* DAIN's public operators against the golden cases, in planar, packed and upside-down layouts. */
#include "dain/ops.h"

#include "golden/dain_cases.h"
#include "golden/need.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Layout { LAYOUT_PLANAR, LAYOUT_PACKED, LAYOUT_FLIPPED, LAYOUTS } Layout;

static const char *const layout_names[] = { "planar", "packed", "flipped" };

/* An array of our own in a layout, filled from planar data if there is any. */
static DainArray array_new(const float *planar, int w, int h, int c, Layout layout)
{
    float *data = need(calloc((size_t)w * (size_t)h * (size_t)c, sizeof(float)));
    DainArray a = layout == LAYOUT_PACKED ? dain_array_packed(data, w, h, c)
                                          : dain_array_planar(data, w, h, c);
    if (layout == LAYOUT_FLIPPED) { /* rows upwards, columns leftwards, channels backwards */
        a.data += a.stride_x * (w - 1) + a.stride_y * (h - 1) + a.stride_c * (c - 1);
        a.stride_x = -a.stride_x;
        a.stride_y = -a.stride_y;
        a.stride_c = -a.stride_c;
    }
    for (int k = 0; planar && k < c; k++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                a.data[x * a.stride_x + y * a.stride_y + k * a.stride_c] = *planar++;
    return a;
}

static float *array_start(const DainArray *a)
{
    return a->stride_x < 0 ? a->data + a->stride_x * (a->width - 1) +
                                 a->stride_y * (a->height - 1) + a->stride_c * (a->channels - 1)
                           : a->data;
}

static float *array_planar(const DainArray *a)
{
    float *planar =
        need(malloc((size_t)a->width * (size_t)a->height * (size_t)a->channels * sizeof(float)));
    float *p = planar;
    for (int k = 0; k < a->channels; k++)
        for (int y = 0; y < a->height; y++)
            for (int x = 0; x < a->width; x++)
                *p++ = a->data[x * a->stride_x + y * a->stride_y + k * a->stride_c];
    return planar;
}

enum { MAX_INPUTS = 3, MAX_OUTPUTS = 2 };

typedef int (*OpFn)(const DainArray *out, const DainArray *in);

static int correlation(const DainArray *out, const DainArray *in)
{
    return dain_correlation(out, &in[0], &in[1], 4);
}
static int pwc_warp(const DainArray *out, const DainArray *in)
{
    return dain_pwc_warp(out, &in[0], &in[1]);
}
static int filter(const DainArray *out, const DainArray *in)
{
    return dain_filter_interpolation(out, &in[0], &in[1], &in[2]);
}
static int interpolation(const DainArray *out, const DainArray *in)
{
    const int error = dain_interpolation_ch(out, &in[0], &in[1]);
    /* The form for three channels must refuse others and agree. */
    const int other = dain_interpolation(out, &in[0], &in[1]);
    if (other != (in[0].channels == 3 ? DAIN_OK : DAIN_EINVAL))
        return DAIN_ESTATE;
    return error;
}
static int projection(const DainArray *out, const DainArray *in)
{
    return dain_flow_projection(&out[0], &out[1], &in[0], 1);
}
static int projection_holes(const DainArray *out, const DainArray *in)
{
    return dain_flow_projection(&out[0], &out[1], &in[0], 0);
}
static int depth_projection(const DainArray *out, const DainArray *in)
{
    return dain_depth_flow_projection(&out[0], &out[1], &in[0], &in[1], 1);
}
static int depth_projection_holes(const DainArray *out, const DainArray *in)
{
    return dain_depth_flow_projection(&out[0], &out[1], &in[0], &in[1], 0);
}
static int min_projection(const DainArray *out, const DainArray *in)
{
    return dain_min_depth_flow_projection(&out[0], &out[1], &in[0], &in[1], 1);
}
static int min_projection_holes(const DainArray *out, const DainArray *in)
{
    return dain_min_depth_flow_projection(&out[0], &out[1], &in[0], &in[1], 0);
}
static int sepconv(const DainArray *out, const DainArray *in)
{
    return dain_separable_conv(out, &in[0], &in[1], &in[2]);
}
static int sepconv_flow(const DainArray *out, const DainArray *in)
{
    return dain_separable_conv_flow(out, &in[0], &in[1]);
}

/* What is run on which tensors, and how near it must come. */
typedef struct Op {
    const char *file;
    OpFn fn;
    const char *inputs[MAX_INPUTS + 1];
    struct {
        const char *name;
        double absolute, relative;
    } outputs[MAX_OUTPUTS + 1];
} Op;

static const Op ops[] = {
    { "op_correlation", correlation, { "a", "b" }, { { "out", 1e-6, 0 } } },
    { "op_pwc_warp", pwc_warp, { "x", "flow" }, { { "out", 1e-5, 0 } } },
    { "op_filter_interpolation", filter, { "image", "flow", "kernel" }, { { "out", 2e-6, 0 } } },
    { "op_interpolation", interpolation, { "image", "flow" }, { { "out", 1e-6, 0 } } },
    { "op_flow_projection", projection, { "flow" }, { { "out", 1e-5, 0 }, { "count", 1e-5, 0 } } },
    { "op_flow_projection",
      projection_holes,
      { "flow" },
      { { "out_nofill", 1e-5, 0 }, { "count", 1e-5, 0 } } },
    { "op_depth_flow_projection",
      depth_projection,
      { "flow", "weight" },
      { { "out", 1e-5, 0 }, { "count", 1e-30, 1e-6 } } },
    { "op_depth_flow_projection",
      depth_projection_holes,
      { "flow", "weight" },
      { { "out_nofill", 1e-5, 0 }, { "count", 1e-30, 1e-6 } } },
    { "op_min_depth_flow_projection",
      min_projection,
      { "flow", "weight" },
      { { "out", 2e-6, 0 }, { "count", 2e-6, 0 } } },
    { "op_min_depth_flow_projection",
      min_projection_holes,
      { "flow", "weight" },
      { { "out_nofill", 2e-6, 0 }, { "count", 2e-6, 0 } } },
    { "op_separable_conv",
      sepconv,
      { "image", "vertical", "horizontal" },
      { { "out", 2e-6, 2e-6 } } },
    { "op_separable_conv_flow",
      sepconv_flow,
      { "vertical", "horizontal" },
      { { "out", 1e-5, 1e-5 } } },
};

static void run_item(const Op *op, const WeightFile *file, const char *name, int item,
                     Layout layout, Worst *worst)
{
    DainArray in[MAX_INPUTS] = { 0 }, out[MAX_OUTPUTS] = { 0 };
    int inputs = 0, outputs = 0;
    for (; op->inputs[inputs]; inputs++) {
        const WeightTensor *t = cases_tensor(file, name, op->inputs[inputs]);
        in[inputs] = array_new(cases_item(t, item), (int)t->shape[3], (int)t->shape[2],
                               (int)t->shape[1], layout);
    }
    for (; op->outputs[outputs].name; outputs++) {
        const WeightTensor *t = cases_tensor(file, name, op->outputs[outputs].name);
        out[outputs] =
            array_new(NULL, (int)t->shape[3], (int)t->shape[2], (int)t->shape[1], layout);
    }
    char detail[128];
    snprintf(detail, sizeof(detail), "%s item %d %s", name, item, layout_names[layout]);
    const int error = op->fn(out, in);
    if (error) {
        fprintf(stderr, "%s %s: error %d\n", op->file, detail, error);
        worst->failed++;
    }
    for (int k = 0; k < outputs; k++) {
        const WeightTensor *t = cases_tensor(file, name, op->outputs[k].name);
        float *got = array_planar(&out[k]);
        cases_compare(worst, op->file, detail, got, cases_item(t, item), t->count / t->shape[0],
                      op->outputs[k].absolute, op->outputs[k].relative);
        free(got);
        free(array_start(&out[k]));
    }
    for (int k = 0; k < inputs; k++)
        free(array_start(&in[k]));
}

/* The mask of the PWC warp: an image of ones gives the inside weight, 0 below the threshold. */
static int test_mask(const char *dir)
{
    WeightFile *file = cases_open(dir, "op_pwc_warp");
    Worst worst = { 0 };
    char name[64];
    for (int index = 0; cases_next(file, &index, name, sizeof(name));) {
        const WeightTensor *flow = cases_tensor(file, name, "flow");
        const WeightTensor *mask = cases_tensor(file, name, "mask");
        const int w = (int)flow->shape[3], h = (int)flow->shape[2];
        const size_t n = (size_t)w * (size_t)h;
        float *ones = need(malloc(n * sizeof(float))), *got = need(malloc(n * sizeof(float)));
        float *expected = need(malloc(n * sizeof(float)));
        for (int item = 0; item < flow->shape[0]; item++) {
            for (size_t i = 0; i < n; i++) {
                const float m = cases_item(mask, item)[i];
                ones[i] = 1.0f;
                expected[i] = m >= 0.9999f ? m : 0.0f;
            }
            const DainArray x = dain_array_planar(ones, w, h, 1);
            const DainArray f = dain_array_planar(cases_item(flow, item), w, h, 2);
            const DainArray o = dain_array_planar(got, w, h, 1);
            if (dain_pwc_warp(&o, &x, &f))
                worst.failed++;
            cases_compare(&worst, "op_pwc_warp mask", name, got, expected, (int64_t)n, 1e-5, 0);
        }
        free(ones);
        free(got);
        free(expected);
    }
    weights_close(&file);
    return cases_result(&worst, "op_pwc_warp mask");
}

/* Wrong arguments are refused before anything is touched. */
static int test_arguments(void)
{
    float data[16 * 64] = { 0 }, result[16 * 64] = { 0 };
    const DainArray image = dain_array_planar(data, 8, 8, 3),
                    flow = dain_array_planar(data, 8, 8, 2);
    const DainArray kernel = dain_array_planar(data, 8, 8, 16);
    const DainArray out = dain_array_planar(result, 8, 8, 3);
    const DainArray out1 = dain_array_planar(result, 8, 8, 1);
    const DainArray out2 = dain_array_planar(result, 8, 8, 2);
    DainArray small = out, empty = out, tied = out, lost = out;
    small.width = 7;
    empty.height = 0;
    tied.stride_x = 0;
    lost.data = NULL;
    int bad = 0;
#define REFUSED(call)                                                                              \
    bad += (call) == DAIN_EINVAL ? 0 : (fprintf(stderr, "accepted: %s\n", #call), 1)
    REFUSED(dain_filter_interpolation(NULL, &image, &flow, &kernel));
    REFUSED(dain_filter_interpolation(&out, NULL, &flow, &kernel));
    REFUSED(dain_filter_interpolation(&out, &image, &flow, &flow));
    REFUSED(dain_filter_interpolation(&out, &image, &kernel, &kernel));
    REFUSED(dain_filter_interpolation(&small, &image, &flow, &kernel));
    REFUSED(dain_filter_interpolation(&empty, &image, &flow, &kernel));
    REFUSED(dain_filter_interpolation(&tied, &image, &flow, &kernel));
    REFUSED(dain_filter_interpolation(&lost, &image, &flow, &kernel));
    REFUSED(dain_pwc_warp(&out2, &image, &flow));
    REFUSED(dain_interpolation(&out2, &out2, &flow));
    REFUSED(dain_correlation(&out1, &image, &image, -1));
    REFUSED(dain_correlation(&out1, &image, &image, 17));
    REFUSED(dain_correlation(&out1, &image, &image, INT_MAX)); /* for sanitizers */
    REFUSED(dain_correlation(&out2, &image, &image, 0));
    REFUSED(dain_flow_projection(&out1, NULL, &flow, 1));
    REFUSED(dain_flow_projection(&out2, &out2, &flow, 1));
    REFUSED(dain_depth_flow_projection(&out2, NULL, &flow, NULL, 1));
    REFUSED(dain_min_depth_flow_projection(&out2, NULL, &flow, &flow, 1));
    REFUSED(dain_separable_conv(&out, &image, &flow, &flow));
    REFUSED(dain_separable_conv_flow(&out, &flow, &flow));
#undef REFUSED
    bad += dain_correlation(&out1, &image, &image, 0) != DAIN_OK;
    bad += dain_flow_projection(&out2, NULL, &flow, 1) != DAIN_OK;
    printf("%-32s %d wrong\n", "arguments", bad);
    return bad;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s folder-of-golden-files\n", argv[0]);
        return 2;
    }
    int bad = test_arguments();
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        WeightFile *file = cases_open(argv[1], ops[i].file);
        Worst worst = { 0 };
        char name[64], what[64];
        for (int index = 0; cases_next(file, &index, name, sizeof(name));) {
            const WeightTensor *t = cases_tensor(file, name, ops[i].inputs[0]);
            for (int item = 0; item < t->shape[0]; item++)
                for (int layout = 0; layout < LAYOUTS; layout++)
                    run_item(&ops[i], file, name, item, (Layout)layout, &worst);
        }
        weights_close(&file);
        snprintf(what, sizeof(what), "%s %s", ops[i].file, ops[i].outputs[0].name);
        bad += cases_result(&worst, what);
    }
    bad += test_mask(argv[1]);
    return bad != 0;
}
