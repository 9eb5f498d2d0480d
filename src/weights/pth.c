/* Reading PyTorch checkpoints: from tensors that a container describes to bytes. */
#include "weights/pth_private.h"

#include "base/mem.h"
#include "weights/load.h"
#include "weights/types.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 1024, /* of a tensor */
    GROWTH_MAX = 4         /* tensors may share storages, but not make more than this of a file */
};

struct PthFile {
    void *loaded; /* the whole file if we read it ourselves */
    WeightTensor *tensors;
    void **owned; /* names and gathered data */
    int count, owned_count;
};

static int bad_tensor(const PthReader *r, const char *tensor, const char *problem)
{
    return report_error(r->report, DAIN_EFORMAT, "%s: tensor '%.100s': %s", r->name, tensor,
                        problem);
}

/* ---- tensors ---- */

/* A terminated copy of a name without the prefix of data-parallel wrappers; the name must be good
 * for other formats and for a terminal. */
static int take_name(PthReader *r, PickleValue key, const char **name)
{
    static const char wrapper[] = "module.";
    const size_t prefix = sizeof(wrapper) - 1;
    if (key.kind != PICKLE_TEXT || key.text.size == 0 || key.text.size > NAME_MAX_BYTES)
        return pth_bad(r, "a tensor without a proper name");
    PickleText t = key.text;
    for (uint32_t i = 0; i < t.size; i++)
        if (t.text[i] <= ' ' || t.text[i] > '~')
            return pth_bad(r, "the name of a tensor is not plain text");
    if (t.size > prefix && !memcmp(t.text, wrapper, prefix)) {
        t.text += prefix;
        t.size -= (uint32_t)prefix;
    }
    char *copy = mem_alloc(t.size + 1);
    if (!copy)
        return pth_no_memory(r);
    memcpy(copy, t.text, t.size);
    copy[t.size] = 0;
    r->file->owned[r->file->owned_count++] = copy;
    *name = copy;
    return DAIN_OK;
}

/* Strides of a tensor whose elements follow each other; those of single elements do not matter. */
static int is_contiguous(const PickleTensor *t)
{
    int64_t expected = 1;
    for (int i = t->dims - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != expected)
            return 0;
        expected *= t->shape[i];
    }
    return 1;
}

/* Copies a strided tensor, last dimension fastest. The stride of a dimension of size 1 may be anything
 * and is not added. */
static void gather(unsigned char *out, const unsigned char *data, const PickleTensor *t,
                   int64_t count, size_t element)
{
    int64_t index[WEIGHTS_MAX_DIMS] = { 0 }, at = t->offset;
    for (int64_t i = 0; i < count; i++) {
        memcpy(out + (size_t)i * element, data + (size_t)at * element, element);
        for (int d = t->dims - 1; d >= 0; d--) {
            if (t->shape[d] == 1)
                continue;
            at += t->stride[d];
            if (++index[d] < t->shape[d])
                break;
            at -= t->stride[d] * t->shape[d];
            index[d] = 0;
        }
    }
}

/* Whether all elements of the tensor lie in its storage. */
static int lies_inside(const PickleTensor *t, int64_t count)
{
    if (count == 0)
        return t->offset <= t->storage_count;
    int64_t last = t->offset;
    for (int i = 0; i < t->dims; i++) {
        int64_t reach;
        if (__builtin_mul_overflow(t->shape[i] - 1, t->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return 0;
    }
    return last < t->storage_count;
}

static int take_tensor(PthReader *r, const PickleTensor *t, WeightTensor *out)
{
    const size_t element = type_size(t->type);
    out->type = t->type;
    out->dims = t->dims;
    memcpy(out->shape, t->shape, sizeof(out->shape));
    if (shape_size(t->shape, t->dims, t->type, &out->count, &out->bytes) < 0)
        return bad_tensor(r, out->name, "its shape is too large");
    const PthStorage *s = pth_storage(r, t->key);
    if (!s)
        return bad_tensor(r, out->name, "its storage is missing");
    if (s->bytes / element != (uint64_t)t->storage_count || s->bytes % element)
        return bad_tensor(r, out->name, "its storage has another size than it says");
    if (!lies_inside(t, out->count))
        return bad_tensor(r, out->name, "it reaches outside its storage");
    if (out->count > t->storage_count)
        return bad_tensor(r, out->name, "it has more elements than its storage");
    r->total += out->bytes;
    if (r->total > (uint64_t)r->size * GROWTH_MAX)
        return pth_bad(r, "its tensors together are far larger than the file");
    if (out->count == 0 || is_contiguous(t)) {
        out->data = s->data + (out->count ? (size_t)t->offset * element : 0);
        return DAIN_OK;
    }
    unsigned char *copy = mem_alloc(out->bytes);
    if (!copy)
        return pth_no_memory(r);
    r->file->owned[r->file->owned_count++] = copy;
    gather(copy, s->data, t, out->count, element);
    out->data = copy;
    return DAIN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const WeightTensor *)a)->name, ((const WeightTensor *)b)->name);
}

static int take_tensors(PthReader *r, PickleValue dict)
{
    PthFile *f = r->file;
    const int count = pickle_count(r->pickle, dict);
    f->tensors = mem_calloc((size_t)count, sizeof(*f->tensors));
    f->owned = mem_calloc(2 * (size_t)count, sizeof(*f->owned));
    if (!f->tensors || !f->owned)
        return pth_no_memory(r);
    for (int i = 0; i < count; i++) {
        PickleValue key;
        WeightTensor *out = &f->tensors[f->count];
        const PickleValue v = pickle_at(r->pickle, dict, i, &key);
        int error = take_name(r, key, &out->name);
        if (!error && v.kind != PICKLE_TENSOR)
            error = bad_tensor(r, out->name, "it is not a tensor");
        if (!error)
            error = take_tensor(r, pickle_tensor(r->pickle, v), out);
        if (error)
            return error;
        f->count++;
    }
    if (f->count > 1)
        qsort(f->tensors, (size_t)f->count, sizeof(*f->tensors), by_name);
    for (int i = 1; i < f->count; i++)
        if (!strcmp(f->tensors[i - 1].name, f->tensors[i].name))
            return bad_tensor(r, f->tensors[i].name, "two tensors have this name");
    return DAIN_OK;
}

int pth_parse(PthFile **file, const void *data, size_t size, const char *name, Report *report)
{
    PthReader r = { .data = data, .size = size, .name = name, .report = report };
    PickleValue dict = { 0 };
    *file = NULL;
    if (!pth_is(data, size))
        return pth_bad(&r, "not a PyTorch checkpoint");
    r.file = mem_calloc(1, sizeof(*r.file));
    if (!r.file)
        return pth_no_memory(&r);
    int error = pth_read_container(&r, &dict);
    if (!error)
        error = take_tensors(&r, dict);
    mem_free(r.storages);
    pickle_free(&r.pickle);
    if (error) {
        pth_close(&r.file);
        return error;
    }
    *file = r.file;
    return DAIN_OK;
}

static int judge(const unsigned char *start, size_t have, uint64_t size, const char *path,
                 Report *report)
{
    return pth_is(start, have)
               ? DAIN_OK
               : report_error(report, DAIN_EFORMAT, "%s: not a PyTorch checkpoint", path);
}

int pth_open(PthFile **file, const char *path, Report *report)
{
    unsigned char *data = NULL;
    size_t size = 0;
    *file = NULL;
    int error = load_file(&data, &size, path, judge, report);
    if (!error)
        error = pth_parse(file, data, size, path, report);
    if (error) {
        mem_free(data);
        return error;
    }
    (*file)->loaded = data;
    return DAIN_OK;
}

void pth_close(PthFile **file)
{
    PthFile *f = *file;
    if (!f)
        return;
    for (int i = 0; i < f->owned_count; i++)
        mem_free(f->owned[i]);
    mem_free(f->owned);
    mem_free(f->tensors);
    mem_free(f->loaded);
    mem_free(f);
    *file = NULL;
}

int pth_count(const PthFile *file)
{
    return file->count;
}

const WeightTensor *pth_at(const PthFile *file, int index)
{
    return &file->tensors[index];
}
