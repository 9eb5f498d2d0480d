/* Planning: concatenations become slices, halos meet their consumers, lifetimes share one arena. */
#include "graph/graph.h"

#include "base/mem.h"
#include "graph/ops.h"

#include <stdint.h>
#include <string.h>

enum {
    PX_FLOATS = 16, /* rows start at multiples of this */
    SLACK = 64,     /* bytes after a tensor that kernels may read */
    PAGE_BYTES = 4096
};
#define MAX_BLOCK ((size_t)1 << 40)

static int root_of(const Graph *g, int x)
{
    while (g->tensors[x].parent >= 0)
        x = g->tensors[x].parent;
    return x;
}

/* ---- concatenations ---- */

/* A tensor that can move into a wider one: its memory is its own and nobody needs it elsewhere. */
static bool can_be_slice(const Graph *g, int x)
{
    const Tensor *t = &g->tensors[x];
    return t->parent < 0 && t->scope == SCOPE_TEMP && t->exported < 0 && !t->replicate;
}

static int insert_copy(Graph *g, int at, int x)
{
    const int before = g->op_count, copy = graph_scale(g, x, 1);
    if (copy < 0)
        return -1;
    Op op = g->ops[before];
    memmove(&g->ops[at + 1], &g->ops[at], (before - at) * sizeof op);
    g->ops[at] = op;
    return copy;
}

/* Every input of a concatenation becomes a slice of its output, in place or through a copy. */
static int pick_slices(Graph *g)
{
    for (int i = 0; i < g->op_count; i++) {
        if (g->ops[i].kind != OP_CONCAT)
            continue;
        const int whole = g->ops[i].out[0];
        int channel = 0;
        for (int k = 0; k < g->ops[i].inputs; k++) {
            int x = g->ops[i].in[k];
            if (!can_be_slice(g, x)) {
                if ((x = insert_copy(g, i, x)) < 0)
                    return g->error;
                i++;
            }
            g->tensors[x].parent = whole;
            g->tensors[x].channel = channel;
            channel += g->tensors[x].c;
        }
        g->op_count--;
        memmove(&g->ops[i], &g->ops[i + 1], (g->op_count - i) * sizeof *g->ops);
        i--;
    }
    return DAIN_OK;
}

/* ---- halos ---- */

static void raise_halo(Network *n, Graph *g, int x, int halo)
{
    Tensor *t = &g->tensors[root_of(g, x)];
    if (halo > t->halo)
        t->halo = halo;
    if (t->exported >= 0 && t->halo > n->exports[t->exported].halo)
        n->exports[t->exported].halo = t->halo;
}

/* The consumers' wishes, across graphs; what is kept has one halo for all. */
static void find_halos(Network *n)
{
    for (int r = 0; r < 3; r++) {
        Graph *g = &n->graph[r];
        for (int i = 0; i < g->op_count; i++) {
            const Op *op = &g->ops[i];
            const OpInfo *info = op_info(op->kind);
            for (int k = 0; info->halo && k < op->inputs; k++)
                if (op->in[k] >= 0)
                    raise_halo(n, g, op->in[k], info->halo(op, k));
        }
    }
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < n->graph[r].tensor_count; i++) {
            Tensor *t = &n->graph[r].tensors[i];
            if (t->exported >= 0)
                t->halo = n->exports[t->exported].halo;
        }
}

/* ---- layout ---- */

static size_t align_up(size_t v, size_t a)
{
    return (v + a - 1) / a * a;
}

/* Strides of a tensor with its own memory; returns its bytes and the byte of pixel (0,0). */
static size_t layout(int h, int w, int c, int halo, ptrdiff_t *row, ptrdiff_t *px, size_t *origin)
{
    *px = c;
    size_t floats = align_up((size_t)(w + 2 * halo) * c, PX_FLOATS);
    if (floats * sizeof(float) % PAGE_BYTES == 0)
        floats += PX_FLOATS; /* rows a page apart would share their cache sets */
    *row = (ptrdiff_t)floats;
    /* pixel (0,0) is aligned: the left halo is rounded up */
    const size_t left = align_up((size_t)halo * c, PX_FLOATS);
    *origin = (halo * floats + left) * sizeof(float);
    return align_up(((h + 2 * halo) * floats + left) * sizeof(float) + SLACK, MEM_ALIGN);
}

static void find_lifetimes(Graph *g)
{
    for (int i = 0; i < g->tensor_count; i++) {
        g->tensors[i].first = g->op_count;
        g->tensors[i].last = -1;
    }
    for (int i = 0; i < g->op_count; i++) {
        Op *op = &g->ops[i];
        for (int k = 0; k < op->inputs + op->outputs; k++) {
            const int x = k < op->inputs ? op->in[k] : op->out[k - op->inputs];
            if (x < 0)
                continue;
            Tensor *t = &g->tensors[root_of(g, x)];
            if (i < t->first)
                t->first = i;
            if (i > t->last)
                t->last = i;
        }
    }
    for (int i = 0; i < g->op_count; i++) {
        Op *op = &g->ops[i];
        if (op->outputs == 0)
            continue;
        const int root = root_of(g, op->out[0]);
        const Tensor *t = &g->tensors[root];
        op->zero_halo = t->first == i && t->halo > 0 && !t->replicate ? root : -1;
    }
}

/* ---- arena ---- */

typedef struct Block {
    int tensor, first, last;
    size_t bytes, origin, at;
} Block;

static int by_size(const Block *a, const Block *b)
{
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->tensor < b->tensor;
}

/* Lowest place for a block that meets no placed block whose lifetime overlaps. */
static size_t find_place(const Block *placed, int count, const Block *b, bool share)
{
    size_t at = 0;
    for (int again = 1; again;) {
        again = 0;
        for (int i = 0; i < count; i++) {
            const Block *p = &placed[i];
            const bool alive = !share || (p->first <= b->last && b->first <= p->last);
            if (alive && at < p->at + p->bytes && p->at < at + b->bytes) {
                at = p->at + p->bytes;
                again = 1;
            }
        }
    }
    return at;
}

/* Largest first (greedy by size): within a few per cent of the largest set alive at one time. */
static int place(Network *n, Graph *g)
{
    Block *blocks = mem_calloc(g->tensor_count + 1, sizeof *blocks);
    if (!blocks)
        return report_error(n->report, DAIN_ENOMEM, "out of memory for the memory plan");
    int count = 0;
    for (int i = 0; i < g->tensor_count; i++) {
        Tensor *t = &g->tensors[i];
        if (t->parent >= 0 || t->scope != SCOPE_TEMP || t->last < 0)
            continue;
        Block b = { .tensor = i, .first = t->first, .last = t->last };
        b.bytes = layout(t->h, t->w, t->c, t->halo, &t->row, &t->px, &b.origin);
        int k = count++;
        for (; k > 0 && by_size(&b, &blocks[k - 1]); k--)
            blocks[k] = blocks[k - 1];
        blocks[k] = b;
    }
    for (int i = 0; i < count; i++) {
        Block *b = &blocks[i];
        b->at = find_place(blocks, i, b, !n->keep_all);
        g->tensors[b->tensor].offset = b->at + b->origin;
        if (b->at + b->bytes > n->arena_bytes)
            n->arena_bytes = b->at + b->bytes;
    }
    mem_free(blocks);
    return DAIN_OK;
}

static void place_exports(Network *n)
{
    for (int i = 0; i < n->export_count; i++) {
        Export *e = &n->exports[i];
        size_t *end = e->scope == SCOPE_PAIR ? &n->pair_bytes : &n->frame_bytes, origin;
        const size_t bytes = layout(e->h, e->w, e->c, e->halo, &e->row, &e->px, &origin);
        e->offset = *end + origin;
        *end += bytes;
    }
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < n->graph[r].tensor_count; i++) {
            Tensor *t = &n->graph[r].tensors[i];
            if (t->exported < 0)
                continue;
            const Export *e = &n->exports[t->exported];
            t->offset = e->offset;
            t->row = e->row;
            t->px = e->px;
        }
}

/* A slice has the strides of its root; parents may come after their slices in the list. */
static void place_slices(Graph *g)
{
    for (int i = 0; i < g->tensor_count; i++) {
        Tensor *t = &g->tensors[i];
        int channel = 0, x = i;
        for (; g->tensors[x].parent >= 0; x = g->tensors[x].parent)
            channel += g->tensors[x].channel;
        if (x == i)
            continue;
        const Tensor *root = &g->tensors[x];
        t->scope = root->scope;
        t->row = root->row;
        t->px = root->px;
        t->offset = root->offset + channel * sizeof(float);
    }
}

int network_plan(Network *network)
{
    for (int r = 0; r < 3; r++) {
        Graph *g = &network->graph[r];
        if (g->error || pick_slices(g))
            return g->error;
    }
    find_halos(network);
    place_exports(network);
    for (int r = 0; r < 3; r++) {
        Graph *g = &network->graph[r];
        find_lifetimes(g);
        const int error = place(network, g);
        if (error)
            return error;
        place_slices(g);
        for (int i = 0; i < g->op_count; i++) {
            const OpInfo *info = op_info(g->ops[i].kind);
            const size_t floats = info->scratch ? info->scratch(g, &g->ops[i]) : 0;
            if (floats > network->scratch_floats)
                network->scratch_floats = floats;
        }
    }
    network->scratch_floats = align_up(network->scratch_floats + PX_FLOATS, PX_FLOATS);
    if (network->arena_bytes > MAX_BLOCK || network->frame_bytes > MAX_BLOCK)
        return report_error(network->report, DAIN_EINVAL, "a picture of %d x %d is too large",
                            network->w, network->h);
    return DAIN_OK;
}
