/*
 * Precision: from what the convolutions read (ConvParam.precision) to the type of every tensor.
 *
 * Wishes run against the flow of data: a convolution wants its input in its own precision, a
 * concatenation, a warp or an upsampling passes on what is wanted of its output, and everything
 * that computes motion wants floats. Where wishes differ, the most precise one wins and the others
 * convert.
 */
#include "graph/plan.h"

#include "base/mem.h"
#include "graph/ops.h"

#include <math.h>
#include <string.h>

/* Wishes, from least to most precise; NONE where anything will do. */
typedef enum Wish { NONE, WISH_U8, WISH_BF16, WISH_F32 } Wish;

static Wish wish_of(DataType type)
{
    return type == TYPE_U8 ? WISH_U8 : type == TYPE_BF16 ? WISH_BF16 : WISH_F32;
}

static DataType type_of(Wish wish)
{
    return wish == WISH_U8 ? TYPE_U8 : wish == WISH_BF16 ? TYPE_BF16 : TYPE_F32;
}

/* Bilinear samples keep the scale of their input, whatever its type. */
static bool keeps_scale(const Op *op)
{
    return op->kind == OP_WARP || (op->kind == OP_UP2 && op->a == 1);
}

static Wish wish_for_input(const Op *op, int i, Wish output)
{
    switch (op->kind) {
    case OP_CONV:
        return i == 0 ? wish_of(op->conv->precision) : NONE;
    case OP_CONCAT:
        return output;
    case OP_NORMALISE:
    case OP_SCALE:
        return NONE;
    default:
        return i == 0 && keeps_scale(op) ? output : WISH_F32;
    }
}

static void raise(Wish *wish, Wish other)
{
    if (other > *wish)
        *wish = other;
}

/* Types of one graph; wishes of imported tensors go to exports, whose graph is looked at later. */
static int find_types(Network *n, Graph *g, Wish *exports)
{
    Wish *wish = mem_calloc(g->tensor_count + 1, sizeof *wish);
    if (!wish)
        return report_error(n->report, DAIN_ENOMEM, "out of memory for the memory plan");
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].exported >= 0)
            wish[i] = exports[g->tensors[i].exported];
    for (int i = g->op_count - 1; i >= 0; i--) {
        const Op *op = &g->ops[i];
        const Wish output = op->outputs ? wish[plan_root(g, op->out[0])] : WISH_F32;
        for (int k = 0; k < op->inputs; k++)
            if (op->in[k] >= 0)
                raise(&wish[plan_root(g, op->in[k])], wish_for_input(op, k, output));
    }
    for (int i = 0; i < g->tensor_count; i++) {
        Tensor *t = &g->tensors[i];
        t->type = type_of(wish[plan_root(g, i)]);
        if (t->exported >= 0)
            raise(&exports[t->exported], wish[i]);
    }
    mem_free(wish);
    return DAIN_OK;
}

/* The type an operator must find its first input in. */
static DataType input_type(const Graph *g, const Op *op)
{
    const DataType in = g->tensors[op->in[0]].type;
    if (op->kind == OP_CONV)
        return op->conv->precision;
    if (keeps_scale(op) && in != g->tensors[op->out[0]].type)
        return TYPE_F32;
    return in;
}

static int insert_conversions(Graph *g)
{
    for (int i = 0; i < g->op_count; i++) {
        if (g->ops[i].inputs == 0 || g->ops[i].in[0] < 0)
            continue;
        const DataType type = input_type(g, &g->ops[i]);
        const int x = g->ops[i].in[0];
        if (g->tensors[x].type == type)
            continue;
        const int copy = plan_insert_copy(g, i, x, type);
        if (copy < 0)
            return g->error;
        g->ops[++i].in[0] = copy;
    }
    return DAIN_OK;
}

/* ---- motion ---- */

static int uses(const Graph *g, int x)
{
    int n = 0;
    for (int i = 0; i < g->op_count; i++)
        for (int k = 0; k < g->ops[i].inputs; k++)
            n += g->ops[i].in[k] == x;
    return n;
}

/* An 8-bit convolution takes the motion among its inputs as a third input, in floats: see
 * ConvU8Param. */
static void take_out_motion(Graph *g, Op *conv, Op *concat)
{
    int first = 0;
    for (int k = 0; k < concat->inputs; first += g->tensors[concat->in[k++]].c) {
        const int x = concat->in[k];
        if (!g->tensors[x].motion)
            continue;
        conv->in[2] = x;
        conv->inputs = 3;
        conv->motion_first = first;
        g->tensors[concat->out[0]].c -= g->tensors[x].c;
        concat->inputs--;
        memmove(&concat->in[k], &concat->in[k + 1], (concat->inputs - k) * sizeof *concat->in);
        return;
    }
}

static void find_motion(Graph *g)
{
    for (int i = 0; i < g->op_count; i++) {
        Op *conv = &g->ops[i];
        if (conv->kind != OP_CONV || conv->conv->precision != TYPE_U8 || conv->inputs > 1)
            continue;
        for (int k = 0; k < i; k++)
            if (g->ops[k].kind == OP_CONCAT && g->ops[k].out[0] == conv->in[0] &&
                uses(g, conv->in[0]) == 1)
                take_out_motion(g, conv, &g->ops[k]);
    }
}

int precision_types(Network *n)
{
    Wish exports[NETWORK_MAX_EXPORTS] = { NONE };
    int error = DAIN_OK;
    for (int r = 0; r < 3; r++)
        find_motion(&n->graph[r]);
    for (int r = DAIN_RATE_TIME; r >= DAIN_RATE_FRAME && !error; r--)
        error = find_types(n, &n->graph[r], exports);
    for (int i = 0; i < n->export_count; i++)
        n->exports[i].type = type_of(exports[i]);
    for (int r = 0; r < 3 && !error; r++) {
        Graph *g = &n->graph[r];
        for (int i = 0; i < g->tensor_count; i++)
            if (g->tensors[i].exported >= 0)
                g->tensors[i].type = n->exports[g->tensors[i].exported].type;
        error = insert_conversions(g);
    }
    return error;
}

/* ---- scales ---- */

const char *op_range_name(const Op *op)
{
    if (op->kind == OP_CONV)
        return op->conv->name;
    /* copies that a builder named; those that the planner inserts are not */
    return op->kind == OP_SCALE && strcmp(op->name, op_info(OP_SCALE)->name) ? op->name : NULL;
}

static const Op *producer(const Graph *g, int x)
{
    for (int i = 0; i < g->op_count; i++)
        if (g->ops[i].outputs && g->ops[i].out[0] == x)
            return &g->ops[i];
    return NULL;
}

int graph_range(const Graph *g, const Params *params, int x, Range *range)
{
    const Op *op = producer(g, x);
    const int exported = g->tensors[x].exported;
    if (!op && exported >= 0) { /* made in another graph */
        const Network *n = g->network;
        const Graph *from = &n->graph[n->exports[exported].scope == SCOPE_PAIR];
        for (int i = 0; i < from->tensor_count && from != g; i++)
            if (from->tensors[i].exported == exported && producer(from, i))
                return graph_range(from, params, i, range);
    }
    if (!op)
        return 0;
    const char *name = op_range_name(op);
    const Range *calibrated = name ? params_range(params, name) : NULL;
    if (calibrated) {
        *range = *calibrated;
        return 1;
    }
    switch (op->kind) {
    case OP_CORR: /* of unit vectors */
        *range = (Range){ .lo = -1, .hi = 1 };
        return 1;
    case OP_CONSTANT_TIME:
        *range = (Range){ .lo = 0, .hi = 1 };
        return 1;
    case OP_SHIFT_RGB: /* 254 codes: 8-bit pictures would meet 255 exactly between two codes */
        *range = (Range){ .lo = -0.5f * 255 / 254, .hi = 0.5f * 255 / 254 };
        return 1;
    case OP_SCALE:
        return !name && graph_range(g, params, op->in[0], range);
    default:
        return keeps_scale(op) && graph_range(g, params, op->in[0], range);
    }
}

/* Scale and zero point of a tensor; a range always holds 0, which padding needs. */
static int set_scale(Graph *g, const Params *params, const Op *op)
{
    Tensor *t = &g->tensors[op->out[0]];
    const Tensor *in = op->inputs && op->in[0] >= 0 ? &g->tensors[op->in[0]] : NULL;
    const bool copies = keeps_scale(op) || (op->kind == OP_SCALE && op->a == 1);
    if (in && in->type == TYPE_U8 && copies) {
        t->scale = in->scale;
        t->zero = in->zero;
        return DAIN_OK;
    }
    Range range;
    if (!graph_range(g, params, op->out[0], &range))
        return graph_fail(g, DAIN_EFORMAT,
                          "the model has no range for %s: it has to be quantised first", op->name);
    const float lo = fminf(range.lo, 0), hi = fmaxf(range.hi, 0);
    t->scale = hi > lo ? (hi - lo) / 255 : 1;
    t->zero = (int)rintf(-lo / t->scale);
    return DAIN_OK;
}

enum { MAX_INPUT_CHANNELS = 4096 };

static int prepare_u8(const Graph *g, Params *params, const Op *op)
{
    float scale[MAX_INPUT_CHANNELS];
    int zero[MAX_INPUT_CHANNELS];
    const int x = op->in[0], root = plan_root(g, x);
    for (int c = 0; c < g->tensors[x].c; c++) {
        scale[c] = g->tensors[x].scale;
        zero[c] = g->tensors[x].zero;
    }
    for (int i = 0; root == x && i < g->tensor_count; i++) {
        const Tensor *t = &g->tensors[i];
        if (t->parent != x || t->type != TYPE_U8 || t->scale <= 0)
            continue;
        for (int c = 0; c < t->c; c++) {
            scale[t->channel + c] = t->scale;
            zero[t->channel + c] = t->zero;
        }
    }
    const Tensor *out = &g->tensors[op->out[0]];
    const ConvParam *p = op->conv;
    const ConvU8Input input = { .scale = scale,
                                .zero = zero,
                                .motion_first = op->motion_first,
                                .motion_count = op->inputs > 2 ? g->tensors[op->in[2]].c : 0,
                                .motion_gain = out->type == TYPE_U8 ? 1 / out->scale : 1,
                                .winograd = params->winograd && p->kh == 3 && p->kw == 3 &&
                                            op->stride == 1 && op->dilation == 1 &&
                                            g->tensors[x].c <= WINOGRAD_CHANNELS };
    return params_prepare_u8(params, (ConvParam *)op->conv, &input);
}

/* The weights of a convolution for what it reads. */
static int prepare(const Graph *g, Params *params, const Op *op)
{
    switch (op->conv->precision) {
    case TYPE_U8:
        return prepare_u8(g, params, op);
    case TYPE_BF16:
        return params_prepare_bf16(params, (ConvParam *)op->conv);
    default:
        return DAIN_OK;
    }
}

static int set_scales(Network *n, Graph *g, Params *params)
{
    for (int i = 0; i < g->tensor_count; i++) {
        Tensor *t = &g->tensors[i];
        if (t->exported >= 0) {
            t->scale = n->exports[t->exported].scale;
            t->zero = n->exports[t->exported].zero;
        }
    }
    for (int i = 0; i < g->op_count; i++) {
        const Op *op = &g->ops[i];
        const bool codes = op->outputs && g->tensors[op->out[0]].type == TYPE_U8;
        if (codes && set_scale(g, params, op))
            return g->error;
        const int error = op->kind == OP_CONV ? prepare(g, params, op) : DAIN_OK;
        if (error)
            return error;
        if (!codes)
            continue;
        const Tensor *t = &g->tensors[op->out[0]];
        if (t->exported >= 0) {
            n->exports[t->exported].scale = t->scale;
            n->exports[t->exported].zero = t->zero;
        }
    }
    return DAIN_OK;
}

int precision_scales(Network *n, Params *params)
{
    int error = DAIN_OK;
    for (int r = 0; r < 3 && !error; r++)
        error = set_scales(n, &n->graph[r], params);
    return error;
}
