/* Depth of one frame (3.5): an hourglass of inception blocks. */
#include "model/dain.h"

#include <stdio.h>
#include <string.h>

/* A block's branches: a 1x1 convolution, and three of 1x1 then k x k; each gives a quarter of out. */
typedef struct BlockType {
    int in, out, mid, k[3];
} BlockType;

static const BlockType types[] = {
    ['A' - 'A'] = { 128, 128, 32, { 3, 5, 7 } }, ['B' - 'A'] = { 128, 256, 32, { 3, 5, 7 } },
    ['C' - 'A'] = { 256, 256, 32, { 3, 5, 7 } }, ['D' - 'A'] = { 256, 256, 64, { 3, 7, 11 } },
    ['E' - 'A'] = { 256, 128, 32, { 3, 5, 7 } }, ['F' - 'A'] = { 128, 128, 64, { 3, 7, 11 } },
    ['G' - 'A'] = { 128, 128, 64, { 3, 5, 7 } }, ['H' - 'A'] = { 128, 64, 32, { 3, 7, 11 } },
    ['I' - 'A'] = { 128, 64, 64, { 3, 7, 11 } },
};

/* The levels of the hourglass, full resolution to 1/8. */
#define P1 "depthNet.3.0"
#define P2 P1 ".0.3.0"
#define P3 P2 ".0.3.0"
#define P4 P3 ".1.3.0"

/* In the order of the published program, which other formats keep. */
static const struct {
    const char *prefix;
    char type;
} blocks[] = { { P1 ".0.1", 'A' }, { P1 ".0.2", 'A' }, { P2 ".0.1", 'A' }, { P2 ".0.2", 'B' },
               { P3 ".0.0", 'C' }, { P3 ".0.1", 'D' }, { P3 ".1.1", 'C' }, { P3 ".1.2", 'C' },
               { P4 ".0.0", 'C' }, { P4 ".0.1", 'C' }, { P4 ".1.1", 'C' }, { P4 ".1.2", 'C' },
               { P4 ".1.3", 'C' }, { P3 ".1.4", 'C' }, { P3 ".1.5", 'D' }, { P2 ".0.4", 'C' },
               { P2 ".0.5", 'E' }, { P2 ".1.0", 'A' }, { P2 ".1.1", 'F' }, { P1 ".0.4", 'G' },
               { P1 ".0.5", 'H' }, { P1 ".1.0", 'I' } };
enum { BLOCKS = sizeof blocks / sizeof *blocks, NAME = 64 };

static void load_branch_conv(DainLoader *l, const char *prefix, int branch, int layer, int ci,
                             int oc, int k)
{
    char name[NAME], norm[NAME];
    snprintf(name, sizeof name, "%s.%d.%d", prefix, branch, layer);
    snprintf(norm, sizeof norm, "%s.%d.%d", prefix, branch, layer + 1);
    dain_load_norm_conv(l, name, norm, ci, oc, k, 0, false);
}

void dain_depth_load(DainLoader *l)
{
    dain_load_norm_conv(l, "depthNet.0", "depthNet.1", 3, 128, 7, 0, true);
    for (int i = 0; i < BLOCKS; i++) {
        const BlockType *t = &types[blocks[i].type - 'A'];
        load_branch_conv(l, blocks[i].prefix, 0, 0, t->in, t->out / 4, 1);
        for (int b = 1; b < 4; b++) {
            load_branch_conv(l, blocks[i].prefix, b, 0, t->in, t->mid, 1);
            load_branch_conv(l, blocks[i].prefix, b, 3, t->mid, t->out / 4, t->k[b - 1]);
        }
    }
    dain_load_conv(l, "depthNet.4", 64, 1, 3, 1, true);
}

static int block(DainBuilder *b, const char *prefix, int x)
{
    char name[NAME + 8];
    int branch[4];
    snprintf(name, sizeof name, "%s.0.0", prefix);
    branch[0] = dain_conv(b, name, x);
    for (int i = 1; i < 4; i++) {
        snprintf(name, sizeof name, "%s.%d.0", prefix, i);
        const int mid = dain_conv(b, name, x);
        snprintf(name, sizeof name, "%s.%d.3", prefix, i);
        branch[i] = dain_conv(b, name, mid);
    }
    return dain_concat(b, prefix, 4, branch);
}

/* Blocks PREFIX.first .. PREFIX.last, one after the other. */
static int chain(DainBuilder *b, const char *prefix, int first, int last, int x)
{
    for (int i = first; i <= last; i++) {
        char name[NAME];
        snprintf(name, sizeof name, "%s.%d", prefix, i);
        x = block(b, name, x);
    }
    return x;
}

int dain_depth_build(DainBuilder *b, int image)
{
    Graph *g = b->g;
    const int x = dain_conv(b, "depthNet.0", graph_slice(g, image, 0, 3));
    /* The widest tensors first, so that they do not meet the others in memory. */
    const int skip1 = chain(b, P1 ".1", 0, 0, x);
    int y = chain(b, P1 ".0", 1, 2, graph_pool2(g, x, false));
    graph_name(g, y, "depth level2");
    const int skip2 = chain(b, P2 ".1", 0, 1, y);
    int z = chain(b, P2 ".0", 1, 2, graph_pool2(g, y, false));
    graph_name(g, z, "depth level4");
    const int skip3 = chain(b, P3 ".0", 0, 1, z);
    int u = chain(b, P3 ".1", 1, 2, graph_pool2(g, z, true));
    const int skip4 = chain(b, P4 ".0", 0, 1, u);
    const int v = chain(b, P4 ".1", 1, 3, graph_pool2(g, u, true));
    u = dain_add_to(b, skip4, graph_nearest2(g, v));
    u = chain(b, P3 ".1", 4, 5, u);
    z = dain_add_to(b, skip3, graph_nearest2(g, u));
    z = chain(b, P2 ".0", 4, 5, z);
    y = dain_add_to(b, skip2, graph_nearest2(g, z));
    y = chain(b, P1 ".0", 4, 5, y);
    const int top = dain_add_to(b, skip1, graph_nearest2(g, y));
    graph_name(g, top, "depth hourglass");
    return dain_conv(b, "depthNet.4", top);
}
