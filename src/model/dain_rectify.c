/* Synthesis (3.3): a 7x7 convolution over 437 channels, three residual blocks, three channels out. */
#include "model/dain.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 128, /* published widths */
    CONTEXT_WIDTH = 64,
    TAPS = 49,
    NAME = 40
};
#define FIRST "rectifyNet.block1.0"

/* Widths as they are in a file. */
typedef struct Widths {
    int out, context;
} Widths;

/* The first convolution reads 45 channels and then the context of each frame: picture, three blocks, log
 * depth. */
enum { CONTEXT_START = 45, CONTEXT_BLOCKS = 3 };

static int context_channels(int width)
{
    return CONTEXT_BLOCKS + 3 * width + 1;
}

static int input_channels(int width)
{
    return CONTEXT_START + 2 * context_channels(width);
}

/*
 * Our order of what is not a context block, 50 channels, and the published channels it stands for. A
 * warped picture R occurs twice there, by itself and as the first three channels of its context, so the
 * weights of both places are added; the fourth channel of a picture is alpha, which has none.
 */
static const struct {
    int channels, first; /* -1: none */
    int context;         /* of this frame: its picture or its depth stands for it, too; -1: none */
    bool depth;
} base[] = {
    { 3, 3, 0, false },    { 1, -1, -1, false }, /* R0 */
    { 3, 6, 1, false },    { 1, -1, -1, false }, /* R1 */
    { 3, 0, -1, false },   { 1, -1, -1, false }, /* blend */
    { 2, 9, -1, false },   { 2, 11, -1, false }, /* projected flows */
    { 32, 13, -1, false },                       /* kernels of both frames */
    { 1, -1, 0, true },    { 1, -1, 1, true },   /* warped log depth */
};
enum { BASE_CHANNELS = 50, BASE_PIECES = sizeof base / sizeof *base };

static int base_columns(int i, int width, int columns[2])
{
    int piece = 0, n = 0;
    while (i >= base[piece].channels)
        i -= base[piece++].channels;
    if (base[piece].first >= 0)
        columns[n++] = base[piece].first + i;
    if (base[piece].context >= 0) {
        const int start = CONTEXT_START + base[piece].context * context_channels(width);
        columns[n++] = start + (base[piece].depth ? context_channels(width) - 1 : i);
    }
    return n;
}

int dain_rectify_columns(const char *part, int i, int width, int columns[2])
{
    int k, block;
    if (sscanf(part, FIRST "/%d.%d", &k, &block) != 2)
        return base_columns(i, width, columns);
    columns[0] =
        CONTEXT_START + k * context_channels(width) + CONTEXT_BLOCKS + (block - 1) * width + i;
    return 1;
}

static const char *context_name(char *name, int k, int block)
{
    snprintf(name, NAME, FIRST "/%d.%d", k, block);
    return name;
}

/* Makes the weights of a part: each of its channels is the sum of those of the file that it stands for. */
static void fill_part(float *part, const char *name, int channels, const float *w, Widths width)
{
    const int inputs = input_channels(width.context);
    memset(part, 0, sizeof(float) * width.out * channels * TAPS);
    for (int i = 0; i < channels; i++) {
        int columns[2];
        const int n = dain_rectify_columns(name, i, width.context, columns);
        for (int c = 0; c < n; c++)
            for (int o = 0; o < width.out; o++)
                for (int k = 0; k < TAPS; k++)
                    part[((size_t)o * channels + i) * TAPS + k] +=
                        w[((size_t)o * inputs + columns[c]) * TAPS + k];
    }
}

static void load_parts(DainLoader *l, const float *w, const float *bias, float *part, Widths width)
{
    ConvParam *p;
    fill_part(part, FIRST, BASE_CHANNELS, w, width);
    l->error = params_add_conv(l->params, FIRST, part, bias, width.out, BASE_CHANNELS, 7, 7, 1, &p);
    for (int k = 0; k < 2; k++)
        for (int block = 1; block <= 3 && !l->error; block++) {
            const bool last = k == 1 && block == 3; /* which the ReLU follows */
            char name[NAME];
            context_name(name, k, block);
            fill_part(part, name, width.context, w, width);
            l->error = params_add_conv(l->params, name, part, NULL, width.out, width.context, 7, 7,
                                       last ? 0 : 1, &p);
        }
}

/* In a pruned file, what the layers at both ends of the context features say. */
static Widths find_widths(const DainLoader *l)
{
    Widths w = { WIDTH, CONTEXT_WIDTH };
    const WeightTensor *out = l->pruned ? weights_find(l->file, FIRST ".weight") : NULL;
    const WeightTensor *context =
        l->pruned ? weights_find(l->file, "ctxNet.block1.0.weight") : NULL;
    if (out && out->dims == 4 && out->shape[0] >= 1 && out->shape[0] < w.out)
        w.out = (int)out->shape[0];
    if (context && context->dims == 4 && context->shape[0] >= 1 && context->shape[0] < w.context)
        w.context = (int)context->shape[0];
    return w;
}

/* The convolution that is cut. */
static void load_first(DainLoader *l)
{
    const Widths width = find_widths(l);
    const int channels = width.context > BASE_CHANNELS ? width.context : BASE_CHANNELS;
    float *w = dain_load_values(l, FIRST ".weight", 4,
                                (int64_t[]){ width.out, input_channels(width.context), 7, 7 });
    float *bias = dain_load_values(l, FIRST ".bias", 1, (int64_t[]){ width.out });
    float *part = mem_alloc(sizeof(float) * width.out * channels * TAPS);
    if (!l->error && !part)
        l->error = report_error(l->report, DAIN_ENOMEM, "out of memory for " FIRST);
    if (!l->error)
        load_parts(l, w, bias, part, width);
    mem_free(w);
    mem_free(bias);
    mem_free(part);
}

void dain_rectify_load(DainLoader *l)
{
    if (l->visit)
        dain_load_conv(l, FIRST, input_channels(CONTEXT_WIDTH), WIDTH, 7, 0, true);
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
    return dain_conv(b, FIRST, dain_concat(b, "synthesis input", 8, inputs));
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
