/* Pruning: writing the smaller model, or the old shape with zeros in it. */
#include "base/mem.h"
#include "model/dain.h"
#include "model/prune_private.h"
#include "weights/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What happens to the input channels of a layer as they are in the file. */
typedef struct Column {
    bool gone;
    float gain; /* of what stays: makes up for a mean over fewer channels */
} Column;

typedef struct Writer {
    Pruner *p;
    bool zeros;
    WeightTensor *tensors;
    int count;
    WeightMeta *meta;
    int meta_count;
    char note[160], macs[32];
} Writer;

/* Correlations divide by the channels they compare: by fewer now. */
static float corr_gain(const Pruner *p, int channel)
{
    for (int i = 0; i < p->corr_count; i++) {
        const PruneCorr *corr = &p->corr[i];
        if (channel < corr->first || channel >= corr->first + corr->outputs)
            continue;
        int left = 0;
        for (int k = 0; k < corr->n; k++)
            left += !prune_gone(p, corr->in[k]);
        return (float)left / (float)corr->n;
    }
    return 1;
}

/* Columns of the file that input i of a parameter stands for. */
static int file_columns(const Pruner *p, const PruneParam *param, int i, int columns[2])
{
    columns[0] = i;
    if (p->model->kind != &model_dain || strncmp(param->conv->name, "rectifyNet.block1.0", 19))
        return 1;
    const WeightTensor *context = prune_tensor(p, "ctxNet.block1.0", "weight");
    return dain_rectify_columns(param->conv->name, i, context ? (int)context->shape[0] : 0,
                                columns);
}

/* For mem_free(); NULL if there is no memory. */
static Column *layer_columns(const Pruner *p, int layer, int inputs)
{
    Column *c = mem_alloc(((size_t)inputs + 1) * sizeof *c);
    for (int i = 0; c && i < inputs; i++)
        c[i] = (Column){ false, 1 };
    for (int k = 0; c && k < p->param_count; k++) {
        const PruneParam *param = &p->params[k];
        for (int i = 0; param->layer == layer && param->in && i < param->conv->ci; i++) {
            int columns[2];
            const int n = file_columns(p, param, i, columns);
            for (int j = 0; j < n; j++)
                if (columns[j] < inputs) {
                    c[columns[j]].gone = prune_gone(p, param->in[i]);
                    c[columns[j]].gain = corr_gain(p, param->in[i]);
                }
        }
    }
    return c;
}

static bool ends_with(const char *name, const char *ending)
{
    const size_t n = strlen(name), m = strlen(ending);
    return n > m && !strcmp(name + n - m, ending);
}

/* The layer a tensor belongs to, -1 if none; whether it is the layer's weights. */
static int layer_of(const Pruner *p, const char *name, bool *weights)
{
    const char *dot = strrchr(name, '.');
    const size_t n = dot ? (size_t)(dot - name) : 0;
    for (int i = 0; i < p->layer_count; i++) {
        const PruneLayer *l = &p->layers[i];
        const bool own = strlen(l->name) == n && !strncmp(l->name, name, n);
        const bool norm = *l->norm && strlen(l->norm) == n && !strncmp(l->norm, name, n);
        if (!own && !norm)
            continue;
        *weights = own && !strcmp(dot, ".weight");
        return i;
    }
    return -1;
}

/* Copies an element and applies the gain. */
static void copy_element(const WeightTensor *from, int64_t i, unsigned char *to, int64_t k,
                         float gain)
{
    const size_t size = type_size(from->type);
    if (gain == 1) {
        memcpy(to + (size_t)k * size, (const unsigned char *)from->data + (size_t)i * size, size);
        return;
    }
    const float value = weights_value(from, i) * gain;
    memcpy(to + (size_t)k * size, &value, sizeof value);
}

/* A vector of one value for each output of the layer. */
static int64_t cut_vector(const Writer *w, const PruneLayer *l, WeightTensor *t, unsigned char *out)
{
    const WeightTensor from = *t;
    const bool variance = ends_with(t->name, ".running_var");
    const size_t size = type_size(t->type);
    int64_t n = 0;
    for (int64_t o = 0; o < from.count; o++) {
        const bool gone = prune_gone(w->p, l->first + (int)o);
        if (gone && !w->zeros)
            continue;
        if (gone && !variance)
            memset(out + (size_t)n++ * size, 0, size);
        else
            copy_element(&from, o, out, n++, 1);
    }
    t->shape[0] = n;
    return n;
}

static int64_t cut_weights(const Writer *w, const PruneLayer *l, WeightTensor *t,
                           const Column *columns, unsigned char *out)
{
    const WeightTensor from = *t;
    const size_t size = type_size(t->type);
    const int64_t taps = from.shape[2] * from.shape[3];
    int64_t n = 0, rows = 0;
    for (int64_t a = 0; a < from.shape[0]; a++) {
        const int64_t before = n;
        for (int64_t b = 0; b < from.shape[1]; b++) {
            const int64_t o = l->transposed ? b : a, i = l->transposed ? a : b;
            const bool gone = prune_gone(w->p, l->first + (int)o);
            if (!w->zeros && (gone || columns[i].gone))
                continue;
            const int64_t at = (a * from.shape[1] + b) * taps;
            for (int64_t k = 0; k < taps; k++, n++)
                if (gone)
                    memset(out + (size_t)n * size, 0, size);
                else
                    copy_element(&from, at + k, out, n, w->zeros ? 1 : columns[i].gain);
        }
        rows += n > before;
    }
    t->shape[0] = rows;
    t->shape[1] = rows ? n / taps / rows : 0;
    return n;
}

/* Whether a gain other than 1 applies: then the values are needed as float. */
static bool scaled(const Column *columns, int inputs)
{
    for (int i = 0; i < inputs; i++)
        if (columns[i].gain != 1 && !columns[i].gone)
            return true;
    return false;
}

/* Turns a tensor into floats in new memory; false if there is none. */
static bool widen(WeightTensor *t)
{
    float *values = mem_alloc((size_t)t->count * sizeof *values);
    if (!values)
        return false;
    weights_to_f32(t, values);
    t->data = values;
    t->type = TYPE_F32;
    t->bytes = (size_t)t->count * sizeof *values;
    return true;
}

static int add_tensor(Writer *w, const WeightTensor *source)
{
    Pruner *p = w->p;
    WeightTensor t = *source;
    bool weights = false;
    const int layer = layer_of(p, t.name, &weights);
    const PruneLayer *l = layer >= 0 ? &p->layers[layer] : NULL;
    Column *columns = NULL;
    const void *wide = NULL;
    unsigned char *out = NULL;
    if (l && weights) {
        const int inputs = (int)t.shape[l->transposed ? 0 : 1];
        columns = layer_columns(p, layer, inputs);
        if (!columns)
            goto fail;
        if (!w->zeros && t.type != TYPE_F32 && scaled(columns, inputs)) {
            if (!widen(&t))
                goto fail;
            wide = t.data;
        }
    }
    out = mem_alloc(t.bytes);
    if (!out)
        goto fail;
    int64_t n = t.count;
    if (l && weights && t.dims == 4)
        n = cut_weights(w, l, &t, columns, out);
    else if (l && t.dims == 1 && t.count == l->channels)
        n = cut_vector(w, l, &t, out);
    else
        memcpy(out, t.data, t.bytes);
    t.count = n;
    t.bytes = (size_t)n * type_size(t.type);
    t.data = out;
    w->tensors[w->count++] = t;
    mem_free(columns);
    mem_free((void *)wide);
    return DAIN_OK;
fail:
    mem_free(columns);
    mem_free((void *)wide);
    return prune_no_memory(p);
}

/* Precisions and ranges were measured on the whole network and are left out. */
static void make_meta(Writer *w)
{
    const Pruner *p = w->p;
    int channels = 0, kept = 0;
    for (int i = 0; i < p->layer_count; i++) {
        channels += p->layers[i].channels;
        kept += p->layers[i].kept;
    }
    for (int i = 0; i < weights_meta_count(p->file); i++) {
        const WeightMeta m = weights_meta_at(p->file, i);
        if (strncmp(m.key, "precision", 9) && strcmp(m.key, "calibration") &&
            strcmp(m.key, "pruned") && (w->zeros || strcmp(m.key, "mac_per_pixel")))
            w->meta[w->meta_count++] = m;
    }
    if (!weights_meta(p->file, "format"))
        w->meta[w->meta_count++] = (WeightMeta){ "format", p->model->kind->name };
    if (w->zeros) {
        if (weights_meta(p->file, "pruned"))
            w->meta[w->meta_count++] = (WeightMeta){ "pruned", weights_meta(p->file, "pruned") };
        return;
    }
    snprintf(w->note, sizeof w->note, "%d of %d channels, %.0f of %.0f multiply-adds a pixel", kept,
             channels, p->macs, p->macs_before);
    w->meta[w->meta_count++] = (WeightMeta){ "pruned", w->note };
    snprintf(w->macs, sizeof w->macs, "%.0f", p->macs);
    w->meta[w->meta_count++] = (WeightMeta){ "mac_per_pixel", w->macs };
}

int prune_write(Pruner *p, const char *path, bool zeros)
{
    const int n = weights_count(p->file);
    Writer w = { .p = p,
                 .zeros = zeros,
                 .tensors = mem_calloc((size_t)n + 1, sizeof *w.tensors),
                 .meta = mem_calloc((size_t)weights_meta_count(p->file) + 4, sizeof *w.meta) };
    int error = w.tensors && w.meta ? DAIN_OK : prune_no_memory(p);
    for (int i = 0; i < n && !error; i++)
        if (!ends_with(weights_at(p->file, i)->name, ".range"))
            error = add_tensor(&w, weights_at(p->file, i));
    if (!error) {
        make_meta(&w);
        error = safetensors_write(path, w.tensors, w.count, w.meta, w.meta_count, p->report);
    }
    for (int i = 0; i < w.count; i++)
        mem_free((void *)w.tensors[i].data);
    mem_free(w.tensors);
    mem_free(w.meta);
    return error;
}
