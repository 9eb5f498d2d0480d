/* Context features of one frame (3.2): three blocks of 64 channels at full resolution. */
#include "model/dain.h"

#include <stdio.h>

enum { NAME = 40 };

/* Of the first convolution of blocks 2 and 3. */
static const int dilation[4] = { 0, 0, 4, 8 };

void dain_context_load(DainLoader *l)
{
    char name[NAME];
    dain_load_conv(l, "ctxNet.block1.0", 3, 64, 7, 0, false);
    for (int block = 2; block <= 3; block++)
        for (int i = 1; i <= 2; i++) {
            snprintf(name, sizeof name, "ctxNet.block%d.conv%d", block, i);
            dain_load_conv(l, name, 64, 64, 3, 0, false);
        }
}

int dain_context_first(DainBuilder *b, int image)
{
    return dain_conv(b, "ctxNet.block1.0", graph_slice(b->g, image, 0, 3));
}

int dain_context_next(DainBuilder *b, int block, int x)
{
    char name[NAME];
    snprintf(name, sizeof name, "ctxNet.block%d.conv1", block);
    const int y = dain_conv_full(b, name, x, 1, dilation[block], -1);
    snprintf(name, sizeof name, "ctxNet.block%d.conv2", block);
    return graph_in_place(b->g, dain_conv_full(b, name, y, 1, 1, x), x);
}
