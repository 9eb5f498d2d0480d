/* Synthesis (3.3): a 7x7 convolution over 437 channels, three residual blocks, three channels out. */
#include "model/dain.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    INPUTS = 437, /* of the published first convolution */
    WIDTH = 128,
    TAPS = 49,
    CONTEXT_WIDTH = 64,
    NAME = 40
};

/* Where the published channels of the context of frame k begin: picture, three blocks, log depth. */
static const int context_start[2] = { 45, 241 };
enum { CONTEXT_BLOCKS = 3, CONTEXT_DEPTH = CONTEXT_BLOCKS + 3 * CONTEXT_WIDTH };

/*
 * Our order of what is not a context block, 50 channels, and the published channels it stands for. A
 * warped picture R occurs twice there, by itself and as the first three channels of its context, so the
 * weights of both places are added; the fourth channel of a picture is alpha, which has none.
 */
static const struct {
    int channels, first, second; /* -1: none */
} base[] = {
    { 3, 3, 45 },   { 1, -1, -1 },  /* R0 */
    { 3, 6, 241 },  { 1, -1, -1 },  /* R1 */
    { 3, 0, -1 },   { 1, -1, -1 },  /* blend */
    { 2, 9, -1 },   { 2, 11, -1 },  /* projected flows */
    { 32, 13, -1 },                 /* kernels of both frames */
    { 1, 240, -1 }, { 1, 436, -1 }, /* warped log depth */
};
enum { BASE_CHANNELS = 50, BASE_PIECES = sizeof base / sizeof *base };

static const char *context_name(char *name, int k, int block)
{
    snprintf(name, NAME, "rectifyNet.block1.0/%d.%d", k, block);
    return name;
}

/* Adds the weights of published channels to channels of a part. */
static void add_channels(float *part, int part_channels, int at, const float *w, int first,
                         int channels)
{
    for (int o = 0; o < WIDTH; o++)
        for (int i = 0; i < channels * TAPS; i++)
            part[((size_t)o * part_channels + at) * TAPS + i] +=
                w[((size_t)o * INPUTS + first) * TAPS + i];
}

static void load_parts(DainLoader *l, const float *w, const float *bias, float *part)
{
    ConvParam *p;
    memset(part, 0, sizeof(float) * WIDTH * BASE_CHANNELS * TAPS);
    for (int i = 0, at = 0; i < BASE_PIECES; at += base[i++].channels) {
        if (base[i].first >= 0)
            add_channels(part, BASE_CHANNELS, at, w, base[i].first, base[i].channels);
        if (base[i].second >= 0)
            add_channels(part, BASE_CHANNELS, at, w, base[i].second, base[i].channels);
    }
    l->error = params_add_conv(l->params, "rectifyNet.block1.0", part, bias, WIDTH, BASE_CHANNELS,
                               7, 7, 1, &p);
    for (int k = 0; k < 2; k++)
        for (int block = 1; block <= 3 && !l->error; block++) {
            const int first = context_start[k] + CONTEXT_BLOCKS + (block - 1) * CONTEXT_WIDTH;
            const bool last = k == 1 && block == 3; /* which the ReLU follows */
            char name[NAME];
            memset(part, 0, sizeof(float) * WIDTH * CONTEXT_WIDTH * TAPS);
            add_channels(part, CONTEXT_WIDTH, 0, w, first, CONTEXT_WIDTH);
            l->error = params_add_conv(l->params, context_name(name, k, block), part, NULL, WIDTH,
                                       CONTEXT_WIDTH, 7, 7, last ? 0 : 1, &p);
        }
}

/* The convolution that is cut. */
static void load_first(DainLoader *l)
{
    float *w =
        dain_load_values(l, "rectifyNet.block1.0.weight", 4, (int64_t[]){ WIDTH, INPUTS, 7, 7 });
    float *bias = dain_load_values(l, "rectifyNet.block1.0.bias", 1, (int64_t[]){ WIDTH });
    float *part = mem_alloc(sizeof(float) * WIDTH * CONTEXT_WIDTH * TAPS);
    if (!l->error && !part)
        l->error = report_error(l->report, DAIN_ENOMEM, "out of memory for rectifyNet.block1.0");
    if (!l->error)
        load_parts(l, w, bias, part);
    mem_free(w);
    mem_free(bias);
    mem_free(part);
}

void dain_rectify_load(DainLoader *l)
{
    if (l->visit)
        dain_load_conv(l, "rectifyNet.block1.0", INPUTS, WIDTH, 7, 0, true);
    else
        load_first(l);
    for (int block = 2; block <= 4; block++)
        for (int i = 1; i <= 2; i++) {
            char name[NAME];
            snprintf(name, sizeof name, "rectifyNet.block%d.conv%d", block, i);
            dain_load_conv(l, name, WIDTH, WIDTH, 3, 0, false);
        }
    dain_load_conv(l, "rectifyNet.block5.0", WIDTH, 3, 3, 1, true);
}

int dain_rectify_base(DainBuilder *b, const int inputs[8])
{
    return dain_conv(b, "rectifyNet.block1.0", dain_concat(b, "synthesis input", 8, inputs));
}

int dain_rectify_context(DainBuilder *b, int k, int block, int features, int flow, int kern,
                         int sum)
{
    char name[NAME];
    const ConvParam *p = params_find(b->params, context_name(name, k, block));
    return graph_warp_conv(b->g, features, flow, kern, p, sum);
}

int dain_rectify_rest(DainBuilder *b, int sum)
{
    for (int block = 2; block <= 4; block++) {
        char name[NAME];
        snprintf(name, sizeof name, "rectifyNet.block%d.conv1", block);
        const int y = dain_conv(b, name, sum);
        snprintf(name, sizeof name, "rectifyNet.block%d.conv2", block);
        sum = graph_in_place(b->g, dain_conv_full(b, name, y, 1, 1, sum), sum);
    }
    return dain_conv(b, "rectifyNet.block5.0", sum);
}
