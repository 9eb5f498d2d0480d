/* Flow between two frames (3.4): PWC-Net with dense blocks and a dilated refinement. */
#include "model/dain.h"

#include <stdio.h>

enum { FINEST = 2, COARSEST = 6, DENSE = 5, CORR = 81, CONTEXT = 6 };

static const int widths[COARSEST + 1] = { 0, 16, 32, 64, 96, 128, 196 };
/* The stride-2 layer first; level 6 has its names in another order. */
static const char *const pyramid[COARSEST + 1][3] = {
    { 0 },
    { "flownets.conv1a.0", "flownets.conv1aa.0", "flownets.conv1b.0" },
    { "flownets.conv2a.0", "flownets.conv2aa.0", "flownets.conv2b.0" },
    { "flownets.conv3a.0", "flownets.conv3aa.0", "flownets.conv3b.0" },
    { "flownets.conv4a.0", "flownets.conv4aa.0", "flownets.conv4b.0" },
    { "flownets.conv5a.0", "flownets.conv5aa.0", "flownets.conv5b.0" },
    { "flownets.conv6aa.0", "flownets.conv6a.0", "flownets.conv6b.0" },
};
static const int dense[DENSE] = { 128, 128, 96, 64, 32 };
static const struct {
    int oc, dilation;
} refinement[CONTEXT] = { { 128, 1 }, { 128, 2 }, { 128, 4 }, { 96, 8 }, { 64, 16 }, { 32, 1 } };
/* Flows in pixels of their level: 20 / 2^level. */
static const float warp_scale[COARSEST + 1] = { 0, 0, 5, 2.5f, 1.25f, 0.625f, 0 };
#define LEAK 0.1f

/* Channels that enter the dense block: costs, and below the coarsest level features, flow and upfeat. */
static int block_input(int level)
{
    return CORR + (level < COARSEST ? widths[level] + 4 : 0);
}

static const char *level_name(char *name, size_t size, const char *layer, int level)
{
    snprintf(name, size, "flownets.%s%d", layer, level);
    return name;
}

static const char *dense_name(char *name, size_t size, int level, int i)
{
    snprintf(name, size, "flownets.conv%d_%d.0", level, i);
    return name;
}

void dain_flow_load(DainLoader *l)
{
    char name[40];
    int ci = 3;
    for (int level = 1; level <= COARSEST; level++)
        for (int i = 0; i < 3; i++) {
            dain_load_conv(l, pyramid[level][i], ci, widths[level], 3, LEAK, true);
            ci = widths[level];
        }
    for (int level = COARSEST; level >= FINEST; level--) {
        ci = block_input(level);
        for (int i = 0; i < DENSE; i++) {
            dain_load_conv(l, dense_name(name, sizeof name, level, i), ci, dense[i], 3, LEAK, true);
            ci += dense[i];
        }
        dain_load_conv(l, level_name(name, sizeof name, "predict_flow", level), ci, 2, 3, 1, true);
        if (level == FINEST)
            break;
        dain_load_deconv(l, level_name(name, sizeof name, "deconv", level), 2, 2);
        dain_load_deconv(l, level_name(name, sizeof name, "upfeat", level), ci, 2);
    }
    for (int i = 0; i < CONTEXT; i++) {
        snprintf(name, sizeof name, "flownets.dc_conv%d.0", i + 1);
        dain_load_conv(l, name, ci, refinement[i].oc, 3, LEAK, true);
        ci = refinement[i].oc;
    }
    dain_load_conv(l, "flownets.dc_conv7", ci, 2, 3, 1, true);
}

void dain_pyramid_build(DainBuilder *b, int image, int c[7])
{
    int x = graph_slice(b->g, image, 0, 3);
    for (int level = 1; level <= COARSEST; level++) {
        for (int i = 0; i < 3; i++)
            x = dain_conv_full(b, pyramid[level][i], x, i ? 1 : 2, 1, -1);
        c[level] = x;
    }
}

/* New features go in front of those before them. */
static int dense_block(DainBuilder *b, int level, int x)
{
    char name[40];
    for (int i = 0; i < DENSE; i++) {
        const int new = dain_conv(b, dense_name(name, sizeof name, level, i), x);
        snprintf(name, sizeof name, "dense%d_%d", level, i);
        x = dain_concat(b, name, 2, (int[]){ new, x });
    }
    return x;
}

int dain_flow_build(DainBuilder *b, const int a[7], const int c[7])
{
    Graph *g = b->g;
    char name[40];
    int x = -1, flow = -1, feature = -1;
    for (int level = COARSEST; level >= FINEST; level--) {
        if (level == COARSEST) {
            x = graph_corr_leaky(g, a[level], c[level]);
        } else {
            const int warped = graph_pwc_warp(g, c[level], flow, warp_scale[level]);
            const int corr = graph_corr_leaky(g, a[level], warped);
            snprintf(name, sizeof name, "flow input %d", level);
            x = dain_concat(b, name, 4, (int[]){ corr, a[level], flow, feature });
        }
        x = dense_block(b, level, x);
        const int predicted = dain_conv(b, level_name(name, sizeof name, "predict_flow", level), x);
        if (level > FINEST) {
            flow = dain_deconv(b, level_name(name, sizeof name, "deconv", level), predicted);
            feature = dain_deconv(b, level_name(name, sizeof name, "upfeat", level), x);
        } else {
            flow = predicted;
        }
    }
    for (int i = 0; i < CONTEXT; i++) {
        snprintf(name, sizeof name, "flownets.dc_conv%d.0", i + 1);
        x = dain_conv_full(b, name, x, 1, refinement[i].dilation, -1);
    }
    return dain_conv_full(b, "flownets.dc_conv7", x, 1, 1, flow);
}
