/* Reading ncnn networks. Nothing in the files is believed. */
#include "weights/ncnn.h"

#include "base/mem.h"
#include "weights/load.h"
#include "weights/safetensors.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARAM_MAX = 16 << 20, /* bytes of a .param file */
    LINE_MAX_BYTES = 8192,
    CHANNELS_MAX = 1 << 16,
    KERNEL_MAX = 64
};

/* What stands in front of the weights of a convolution. */
enum {
    FLAG_FLOAT = 0,
    FLAG_FLOAT_TOO = 0x0002c056,
    FLAG_HALF = 0x01306b47,
    FLAG_INT8 = 0x000d4b38
};

typedef struct Reader {
    NcnnNet *net;
    const char *text;
    size_t text_size, text_at;
    const unsigned char *bin;
    size_t bin_size, bin_at;
    const char *name; /* of the network, for messages */
    int line;
    Report *report;
} Reader;

static int bad(const Reader *r, const char *problem)
{
    return report_error(r->report, DAIN_EFORMAT, "%s: line %d: %s", r->name, r->line, problem);
}

static int no_memory(const Reader *r)
{
    return report_error(r->report, DAIN_ENOMEM, "%s: no memory for its weights", r->name);
}

/* ---- the text ---- */

/* The next line without its end, terminated in buf; 0 at the end of the text, -1 for a line that is too
 * long. */
static int next_line(Reader *r, char *buf)
{
    if (r->text_at >= r->text_size)
        return 0;
    const char *start = r->text + r->text_at;
    const size_t left = r->text_size - r->text_at;
    const char *end = memchr(start, '\n', left);
    const size_t size = end ? (size_t)(end - start) : left;
    r->text_at += size + 1;
    r->line++;
    if (size >= LINE_MAX_BYTES)
        return -1;
    memcpy(buf, start, size);
    buf[size] = 0;
    return strlen(buf) == size ? 1 : -1;
}

/* The next word of a line; NULL at its end. */
static char *next_word(char **at)
{
    char *p = *at + strspn(*at, " \t\r");
    if (!*p)
        return NULL;
    char *end = p + strcspn(p, " \t\r");
    *at = *end ? end + 1 : end;
    *end = 0;
    return p;
}

static int to_int(const char *word, int *value)
{
    char *end;
    errno = 0;
    const long v = word ? strtol(word, &end, 10) : 0;
    if (!word || end == word || *end || errno || v < INT_MIN || v > INT_MAX)
        return -1;
    *value = (int)v;
    return 0;
}

/* The parameters that matter, by their numbers in ncnn. */
typedef struct Values {
    int outputs;  /* 0 */
    int kernel;   /* 1 */
    int has_bias; /* 5 */
    int count;    /* 6: weights */
    int kernel_h; /* 11 */
} Values;

static int read_values(Reader *r, char *at, Values *v)
{
    *v = (Values){ .kernel_h = -1 };
    for (char *word; (word = next_word(&at));) {
        char *equal = strchr(word, '=');
        int id, value = 0;
        if (!equal)
            return bad(r, "a parameter without a value");
        *equal = 0;
        if (to_int(word, &id) < 0)
            return bad(r, "a parameter without a number");
        int *const place = id == 0    ? &v->outputs
                           : id == 1  ? &v->kernel
                           : id == 5  ? &v->has_bias
                           : id == 6  ? &v->count
                           : id == 11 ? &v->kernel_h
                                      : NULL;
        if (place && to_int(equal + 1, &value) < 0)
            return bad(r, "a parameter that is not a whole number");
        if (place)
            *place = value;
    }
    return DAIN_OK;
}

/* ---- the weights ---- */

static int take(Reader *r, uint64_t bytes, const unsigned char **data)
{
    if (bytes > r->bin_size - r->bin_at)
        return bad(r, "the weights are cut short");
    *data = r->bin + r->bin_at;
    r->bin_at += (size_t)bytes;
    return DAIN_OK;
}

static int take_floats(Reader *r, int64_t count, DataType type, float **out)
{
    const unsigned char *data = NULL;
    const uint64_t size = (uint64_t)count * (type == TYPE_F16 ? 2 : 4);
    const int error = take(r, size, &data);
    if (error)
        return error;
    *out = mem_alloc((size_t)count * sizeof **out);
    if (!*out)
        return no_memory(r);
    const WeightTensor t = { .type = type, .count = count, .data = data, .bytes = (size_t)size };
    weights_to_f32(&t, *out);
    return DAIN_OK;
}

static int take_flagged(Reader *r, int64_t count, float **out)
{
    const unsigned char *f = NULL, *padding;
    int error = take(r, 4, &f);
    if (error || !f)
        return error;
    const uint32_t flag =
        (uint32_t)f[0] | (uint32_t)f[1] << 8 | (uint32_t)f[2] << 16 | (uint32_t)f[3] << 24;
    switch (flag) {
    case FLAG_FLOAT:
    case FLAG_FLOAT_TOO:
        return take_floats(r, count, TYPE_F32, out);
    case FLAG_HALF:
        error = take_floats(r, count, TYPE_F16, out);
        return error ? error : take(r, (uint64_t)count % 2 * 2, &padding);
    default:
        return report_error(r->report, DAIN_EUNSUPPORTED,
                            "%s: line %d: weights in %s, which are not read", r->name, r->line,
                            flag == FLAG_INT8 ? "8 bits" : "an unknown format");
    }
}

static int read_convolution(Reader *r, NcnnLayer *l, const Values *v)
{
    l->outputs = v->outputs;
    l->kernel = v->kernel;
    l->count = v->count;
    if (v->outputs < 1 || v->outputs > CHANNELS_MAX || v->kernel < 1 || v->kernel > KERNEL_MAX ||
        (v->kernel_h >= 0 && v->kernel_h != v->kernel) || v->count < 1 ||
        v->count % (v->outputs * v->kernel * v->kernel))
        return bad(r, "a convolution of an impossible shape");
    int error = take_flagged(r, l->count, &l->weights);
    if (!error && v->has_bias)
        error = take_floats(r, l->outputs, TYPE_F32, &l->bias);
    return error;
}

static int read_batch_norm(Reader *r, NcnnLayer *l, const Values *v)
{
    l->outputs = v->outputs;
    if (v->outputs < 1 || v->outputs > CHANNELS_MAX)
        return bad(r, "a batch norm of an impossible shape");
    int error = take_floats(r, l->outputs, TYPE_F32, &l->slope);
    if (!error)
        error = take_floats(r, l->outputs, TYPE_F32, &l->mean);
    if (!error)
        error = take_floats(r, l->outputs, TYPE_F32, &l->variance);
    if (!error)
        error = take_floats(r, l->outputs, TYPE_F32, &l->bias);
    return error;
}

static NcnnLayer *add_layer(Reader *r)
{
    NcnnNet *n = r->net;
    if (!mem_reserve(&n->layers, n->count, &n->capacity, sizeof *n->layers))
        return NULL;
    return &n->layers[n->count++];
}

/* TYPE NAME INPUTS OUTPUTS blobs... parameters... */
static int read_layer(Reader *r, char *at)
{
    static const struct {
        const char *type;
        NcnnKind kind;
    } kinds[] = { { "Convolution", NCNN_CONVOLUTION },
                  { "Deconvolution", NCNN_DECONVOLUTION },
                  { "BatchNorm", NCNN_BATCH_NORM } };
    const char *type = next_word(&at);
    if (!type)
        return DAIN_OK; /* an empty line */
    const char *name = next_word(&at);
    int inputs = 0, outputs = 0;
    if (!name || to_int(next_word(&at), &inputs) < 0 || to_int(next_word(&at), &outputs) < 0 ||
        inputs < 0 || outputs < 0)
        return bad(r, "not a layer");
    for (int64_t i = 0; i < (int64_t)inputs + outputs; i++)
        if (!next_word(&at))
            return bad(r, "a layer without its blobs");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(type, kinds[i].type))
            continue;
        Values v;
        const int error = read_values(r, at, &v);
        if (error)
            return error;
        NcnnLayer *l = add_layer(r);
        if (!l)
            return no_memory(r);
        l->kind = kinds[i].kind;
        for (size_t k = 0; k + 1 < sizeof l->name && name[k]; k++)
            l->name[k] = name[k] > ' ' && name[k] < 127 ? name[k] : '?';
        return l->kind == NCNN_BATCH_NORM ? read_batch_norm(r, l, &v) : read_convolution(r, l, &v);
    }
    return DAIN_OK; /* a layer without weights, or so we think: the end of the weights will tell */
}

int ncnn_parse(NcnnNet **net, const char *param, size_t param_size, const void *bin,
               size_t bin_size, const char *name, Report *report)
{
    char line[LINE_MAX_BYTES];
    Reader r = { .text = param,
                 .text_size = param_size,
                 .bin = bin,
                 .bin_size = bin_size,
                 .name = name,
                 .report = report };
    *net = NULL;
    r.net = mem_calloc(1, sizeof *r.net);
    if (!r.net)
        return no_memory(&r);
    int error = DAIN_OK;
    if (next_line(&r, line) != 1 || strncmp(line, "7767517", 7))
        error = bad(&r, "not an ncnn network");
    else if (next_line(&r, line) != 1)
        error = bad(&r, "the numbers of layers and blobs are missing");
    for (int got; !error && (got = next_line(&r, line));)
        error = got < 0 ? bad(&r, "a line that cannot be") : read_layer(&r, line);
    if (!error && r.bin_at != r.bin_size)
        error =
            bad(&r, "the weights do not end with the network: it has layers that are not known");
    if (error) {
        ncnn_close(&r.net);
        return error;
    }
    *net = r.net;
    return DAIN_OK;
}

static int judge_param(const unsigned char *start, size_t have, uint64_t size, const char *path,
                       Report *report)
{
    return size <= PARAM_MAX
               ? DAIN_OK
               : report_error(report, DAIN_EFORMAT, "%s: not a part of an ncnn network", path);
}

int ncnn_open(NcnnNet **net, const char *param_path, const char *bin_path, Report *report)
{
    unsigned char *param = NULL, *bin = NULL;
    size_t param_size = 0, bin_size = 0;
    *net = NULL;
    int error = load_file(&param, &param_size, param_path, judge_param, report);
    if (!error)
        error = load_file(&bin, &bin_size, bin_path, NULL, report);
    if (!error)
        error = ncnn_parse(net, (const char *)param, param_size, bin, bin_size, param_path, report);
    mem_free(param);
    mem_free(bin);
    return error;
}

void ncnn_close(NcnnNet **net)
{
    NcnnNet *n = *net;
    if (!n)
        return;
    for (int i = 0; i < n->count; i++) {
        const NcnnLayer *l = &n->layers[i];
        mem_free(l->weights);
        mem_free(l->bias);
        mem_free(l->slope);
        mem_free(l->mean);
        mem_free(l->variance);
    }
    mem_free(n->layers);
    mem_free(n);
    *net = NULL;
}
