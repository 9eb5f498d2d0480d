/* Interpolation kernels of a pair (3.1): an encoder and decoder with added skips and two heads. */
#include "model/dain.h"

#include <stdio.h>

enum { STEPS = 5, NAME = 40 };
#define TRUNK "initScaleNets_filter"

/* Numbers of the trunk's layers in the weight file, and their widths. */
static const struct {
    int number, ci, oc;
} down[STEPS] = { { 2, 16, 32 },
                  { 5, 32, 64 },
                  { 8, 64, 128 },
                  { 11, 128, 256 },
                  { 14, 256, 512 } },
  up[STEPS] = {
      { 20, 512, 256 }, { 23, 256, 128 }, { 26, 128, 64 }, { 29, 64, 32 }, { 32, 32, 16 }
  };

static const char *trunk_name(char *name, int number)
{
    snprintf(name, NAME, TRUNK ".%d", number);
    return name;
}

void dain_filter_load(DainLoader *l)
{
    char name[NAME];
    dain_load_conv(l, TRUNK ".0", 6, 16, 3, 0, true);
    for (int i = 0; i < STEPS; i++)
        dain_load_conv(l, trunk_name(name, down[i].number), down[i].ci, down[i].oc, 3, 0, true);
    dain_load_conv(l, TRUNK ".17", 512, 512, 3, 0, true);
    for (int i = 0; i < STEPS; i++)
        dain_load_conv(l, trunk_name(name, up[i].number), up[i].ci, up[i].oc, 3, 0, true);
    for (int k = 1; k <= 2; k++) {
        snprintf(name, sizeof name, TRUNK "%d.0", k);
        dain_load_conv(l, name, 16, 16, 3, 0, true);
        snprintf(name, sizeof name, TRUNK "%d.2", k);
        dain_load_conv(l, name, 16, 16, 3, 1, true);
    }
}

int dain_filter_build(DainBuilder *b, int image0, int image1)
{
    Graph *g = b->g;
    char name[NAME];
    int skip[STEPS], heads[2];
    int x = dain_concat(b, "filter input", 2,
                        (int[]){ graph_slice(g, image0, 0, 3), graph_slice(g, image1, 0, 3) });
    x = dain_conv(b, TRUNK ".0", x);
    for (int i = 0; i < STEPS; i++) {
        skip[i] = dain_conv(b, trunk_name(name, down[i].number), x);
        x = graph_pool2(g, skip[i], false);
    }
    x = dain_conv(b, TRUNK ".17", x);
    for (int i = 0; i < STEPS; i++) {
        x = dain_add_to(b, skip[STEPS - 1 - i], graph_up2(g, x, 1));
        x = dain_conv(b, trunk_name(name, up[i].number), x);
    }
    graph_name(g, x, "filter trunk");
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof name, TRUNK "%d.0", k + 1);
        const int y = dain_conv(b, name, x);
        snprintf(name, sizeof name, TRUNK "%d.2", k + 1);
        heads[k] = dain_conv(b, name, y);
    }
    return dain_concat(b, "kernels", 2, heads);
}
