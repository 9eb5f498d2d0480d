/* Planning: concatenations become slices, halos meet their consumers, lifetimes share one arena. */
#include "graph/plan.h"

#include "base/mem.h"
#include "graph/ops.h"
#include "graph/strips.h"

#include <stdint.h>
#include <string.h>

enum {
    LINE_BYTES = 64, /* rows start at multiples of this */
    SLACK = 64,      /* bytes after a tensor that kernels may read */
    PAGE_BYTES = 4096
};
/* Bytes of a block of memory, and of what is kept of a frame or pair. Sums of them do not wrap. */
#define MAX_BLOCK (SIZE_MAX / 8 < UINT64_C(1) << 40 ? SIZE_MAX / 8 : (size_t)(UINT64_C(1) << 40))

int plan_root(const Graph *g, int x)
{
    while (g->tensors[x].parent >= 0)
        x = g->tensors[x].parent;
    return x;
}

/* ---- concatenations ---- */

/* A tensor that can move into a wider one: of its type, and its memory is its own. */
static bool can_be_slice(const Graph *g, int x, int whole)
{
    const Tensor *t = &g->tensors[x];
    return t->parent < 0 && t->scope == SCOPE_TEMP && t->exported < 0 && !t->replicate &&
           t->type == g->tensors[whole].type;
}

int plan_insert_copy(Graph *g, int at, int x, DataType type)
{
    const int before = g->op_count, copy = graph_scale(g, x, 1);
    if (copy < 0)
        return -1;
    g->tensors[copy].type = type;
    const Op op = g->ops[before];
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
            if (!can_be_slice(g, x, whole)) {
                x = plan_insert_copy(g, i, x, g->tensors[whole].type);
                if (x < 0)
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
    Tensor *t = &g->tensors[plan_root(g, x)];
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

static size_t element_bytes(DataType type)
{
    return type == TYPE_U8 ? 1 : type == TYPE_BF16 ? 2 : 4;
}

/* Strides of a tensor with its own memory of h rows, halo included; returns its bytes and the bytes of a
 * row before pixel 0. Kernels read bytes in fours and bfloat16 in pairs of channels, so pixels are padded
 * to that. */
static uint64_t layout(int h, int w, int c, DataType type, int halo, ptrdiff_t *row, ptrdiff_t *px,
                       size_t *left)
{
    const size_t bytes = element_bytes(type), line = LINE_BYTES / bytes;
    *px = (ptrdiff_t)align_up(c, 4 / bytes);
    size_t elements = align_up((size_t)(w + 2 * halo) * *px, line);
    if (elements * bytes % PAGE_BYTES == 0)
        elements += line; /* rows a page apart would share their cache sets */
    *row = (ptrdiff_t)elements;
    /* pixel (0,0) is aligned: the left halo is rounded up */
    *left = align_up((size_t)halo * *px, line) * bytes;
    const uint64_t size = (uint64_t)h * elements * bytes + *left + SLACK;
    return (size + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

static int too_large(const Network *n)
{
    return report_error(n->report, DAIN_EINVAL, "a picture of %d x %d is too large", n->w, n->h);
}

static bool is_first_writer(const Graph *g, int i, int root)
{
    for (int k = 0; k < i; k++)
        for (int o = 0; o < g->ops[k].outputs; o++)
            if (plan_root(g, g->ops[k].out[o]) == root)
                return false;
    return true;
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
            Tensor *t = &g->tensors[plan_root(g, x)];
            if (i < t->first)
                t->first = i;
            if (i > t->last)
                t->last = i;
        }
    }
    /* what operators before the bands leave is needed by every band */
    for (int i = 0; i < g->tensor_count && g->bands > 1; i++)
        if (g->tensors[i].first < g->tail && g->tensors[i].last >= g->tail)
            g->tensors[i].last = g->op_count - 1;
    /* within a segment all operators run at the same time */
    for (int i = 0; i < g->tensor_count; i++)
        for (int k = 0; k < g->segment_count; k++) {
            Tensor *t = &g->tensors[i];
            const Segment *s = &g->segments[k];
            if (t->first > s->first && t->first <= s->last)
                t->first = s->first;
            if (t->last >= s->first && t->last < s->last)
                t->last = s->last;
        }
}

/* The first writer of a tensor fills its halo. */
static void find_writers(Graph *g)
{
    for (int i = 0; i < g->op_count; i++) {
        Op *op = &g->ops[i];
        if (op->outputs == 0)
            continue;
        const int root = plan_root(g, op->out[0]);
        const Tensor *t = &g->tensors[root];
        const bool padded = t->type == TYPE_BF16 && t->c % 2; /* its last pair is read */
        op->zero_halo =
            is_first_writer(g, i, root) && (t->halo > 0 || padded) && !t->replicate ? root : -1;
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
        const int rows = t->window ? t->window : t->h + 2 * t->halo;
        const uint64_t bytes =
            layout(rows, t->w, t->c, t->type, t->halo, &t->row, &t->px, &t->left);
        if (bytes > MAX_BLOCK) {
            mem_free(blocks);
            return too_large(n);
        }
        b.bytes = (size_t)bytes;
        b.origin = t->left;
        if (!t->window)
            b.origin += t->halo * t->row * element_bytes(t->type);
        int k = count++;
        for (; k > 0 && by_size(&b, &blocks[k - 1]); k--)
            blocks[k] = blocks[k - 1];
        blocks[k] = b;
    }
    for (int i = 0; i < count; i++) {
        Block *b = &blocks[i];
        b->at = find_place(blocks, i, b, !n->keep_all);
        if (b->at + b->bytes > MAX_BLOCK) {
            mem_free(blocks);
            return too_large(n);
        }
        g->tensors[b->tensor].offset = b->at + b->origin;
        if (b->at + b->bytes > n->arena_bytes)
            n->arena_bytes = b->at + b->bytes;
    }
    mem_free(blocks);
    return DAIN_OK;
}

static int place_exports(Network *n)
{
    for (int i = 0; i < n->export_count; i++) {
        Export *e = &n->exports[i];
        size_t *end = e->scope == SCOPE_PAIR ? &n->pair_bytes : &n->frame_bytes, left;
        const uint64_t bytes =
            layout(e->h + 2 * e->halo, e->w, e->c, e->type, e->halo, &e->row, &e->px, &left);
        if (bytes > MAX_BLOCK - *end)
            return too_large(n);
        e->offset = *end + e->halo * e->row * element_bytes(e->type) + left;
        *end += (size_t)bytes;
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
    return DAIN_OK;
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
        t->offset = root->offset + channel * element_bytes(root->type);
    }
}

/* Zero points of every u8 tensor that has a halo, channel by channel (slices have their own). */
static int place_zeros(Graph *g)
{
    size_t size = 0;
    for (int i = 0; i < g->tensor_count; i++) {
        Tensor *t = &g->tensors[i];
        if (t->parent >= 0 || t->type != TYPE_U8 || t->halo == 0)
            continue;
        t->zeros = size + 1;
        size += t->px;
    }
    if (!size)
        return DAIN_OK;
    g->zeros = mem_calloc(size, 1);
    if (!g->zeros)
        return report_error(g->network->report, DAIN_ENOMEM, "out of memory for the memory plan");
    g->zeros_size = size;
    for (int i = 0; i < g->tensor_count; i++) {
        const Tensor *t = &g->tensors[i], *root = &g->tensors[plan_root(g, i)];
        /* a concatenation has no scale of its own: its slices have, and they come before it */
        if (root->zeros && t->scale > 0)
            memset(g->zeros + root->zeros - 1 + (t->offset - root->offset), t->zero, t->c);
    }
    return DAIN_OK;
}

static void find_scratch(Network *n, const Graph *g)
{
    for (int i = 0; i < g->op_count; i++) {
        const size_t floats = op_scratch(g, &g->ops[i]);
        if (floats > n->scratch_floats)
            n->scratch_floats = floats;
    }
}

int network_plan(Network *network, Params *params)
{
    for (int r = 0; r < 3; r++)
        if (network->graph[r].error)
            return network->graph[r].error;
    int error = precision_types(network);
    for (int r = 0; r < 3 && !error; r++)
        error = pick_slices(&network->graph[r]);
    if (!error)
        error = precision_scales(network, params);
    if (error)
        return error;
    find_halos(network);
    error = place_exports(network);
    for (int r = 0; r < 3 && !error; r++) {
        Graph *g = &network->graph[r];
        error = strips_plan(network, g);
        if (error)
            break;
        find_lifetimes(g);
        find_writers(g);
        error = place(network, g);
        place_slices(g);
        if (!error)
            error = place_zeros(g);
        find_scratch(network, g);
    }
    network->scratch_floats = align_up(network->scratch_floats + 16, 16);
    return error;
}
