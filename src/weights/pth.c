/* Reading PyTorch checkpoints: the two containers, and from described tensors to bytes. */
#include "weights/pth.h"

#include "base/mem.h"
#include "weights/pickle.h"
#include "weights/types.h"
#include "weights/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PROTOCOL = 1001,
    PICKLE_MAX = 64 << 20, /* bytes of a pickle; 954 tensors take 0.2 MB */
    NAME_MAX_BYTES = 1024, /* of a tensor */
    GROWTH_MAX = 4         /* tensors may share storages, but not make more than this of a file */
};

/* A fuzzer cannot guess checksums; builds for it say so with this name, as others do. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define CHECK_CRC 0
#else
#define CHECK_CRC 1
#endif

/* The number that legacy files begin with, and the bytes in front of it. */
static const unsigned char magic_pickle[] = { 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                              0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };

/* Bytes of a storage in the file. */
typedef struct StorageData {
    PickleText key;
    const unsigned char *data;
    size_t bytes;
} StorageData;

struct PthFile {
    void *loaded; /* the whole file if we read it ourselves */
    WeightTensor *tensors;
    void **owned; /* names and gathered data */
    int count, owned_count;
};

typedef struct Reader {
    PthFile *file;
    const unsigned char *data;
    size_t size, at;
    const char *name;
    Report *report;
    Pickle *pickle;        /* the dictionary */
    StorageData *storages; /* sorted by key */
    int storage_count;
    uint64_t total; /* bytes of all tensors so far */
} Reader;

static int bad(const Reader *r, const char *problem)
{
    return report_error(r->report, DAIN_EFORMAT, "%s: %s", r->name, problem);
}

static int no_memory(const Reader *r)
{
    return report_error(r->report, DAIN_ENOMEM, "%s: no memory for its tensors", r->name);
}

static int bad_tensor(const Reader *r, const char *tensor, const char *problem)
{
    return report_error(r->report, DAIN_EFORMAT, "%s: tensor '%.100s': %s", r->name, tensor,
                        problem);
}

int pth_is(const void *data, size_t size)
{
    return zip_is(data, size) ||
           (size >= sizeof(magic_pickle) && !memcmp(data, magic_pickle, sizeof(magic_pickle)));
}

static int by_key(const void *a, const void *b)
{
    const PickleText *x = &((const StorageData *)a)->key, *y = &((const StorageData *)b)->key;
    const uint32_t common = x->size < y->size ? x->size : y->size;
    const int order = memcmp(x->text, y->text, common);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* ---- the legacy form ---- */

/* The next of the pickles that stand one behind the other. */
static int next_pickle(Reader *r, Pickle **pickle)
{
    size_t used = 0, left = r->size - r->at;
    if (left > PICKLE_MAX)
        left = PICKLE_MAX;
    const int error = pickle_run(pickle, r->data + r->at, left, &used, r->name, r->report);
    r->at += used;
    return error;
}

/* Magic number, protocol, and what the machine that wrote it was like. */
static int check_preamble(Reader *r)
{
    Pickle *p = NULL;
    r->at = sizeof(magic_pickle);
    int error = next_pickle(r, &p);
    if (error)
        return error;
    const PickleValue protocol = pickle_result(p);
    if (protocol.kind != PICKLE_INT || protocol.number != PROTOCOL)
        error = bad(r, "a checkpoint of an unknown version");
    pickle_free(&p);
    if (!error)
        error = next_pickle(r, &p);
    if (error)
        return error;
    const PickleValue little = pickle_get(p, pickle_result(p), "little_endian");
    if (little.kind != PICKLE_BOOL)
        error = bad(r, "a checkpoint that does not say its byte order");
    else if (!little.number)
        error = report_error(r->report, DAIN_EUNSUPPORTED,
                             "%s: its storages are big-endian, which is not supported", r->name);
    pickle_free(&p);
    return error;
}

static uint64_t get64(const unsigned char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

/* Sizes of storages by key, from the tensors: what the raw data alone does not say. */
typedef struct Known {
    PickleText key;
    DataType type;
    int64_t count;
} Known;

static int known_by_key(const void *a, const void *b)
{
    const StorageData x = { .key = ((const Known *)a)->key },
                      y = { .key = ((const Known *)b)->key };
    return by_key(&x, &y);
}

/* All storages that tensors of the dictionary name, sorted; equal keys must agree. */
static int list_known(Reader *r, PickleValue dict, Known **known, int *known_count)
{
    const int count = pickle_count(r->pickle, dict);
    int used = 0;
    Known *k = mem_calloc((size_t)count, sizeof(*k));
    if (!k)
        return no_memory(r);
    for (int i = 0; i < count; i++) {
        const PickleValue v = pickle_at(r->pickle, dict, i, NULL);
        if (v.kind != PICKLE_TENSOR)
            continue;
        const PickleTensor *t = pickle_tensor(r->pickle, v);
        k[used++] = (Known){ t->key, t->type, t->storage_count };
    }
    if (used > 1)
        qsort(k, (size_t)used, sizeof(*k), known_by_key);
    int unique = 0;
    for (int i = 0; i < used; i++) {
        if (unique && !known_by_key(&k[unique - 1], &k[i])) {
            if (k[unique - 1].type != k[i].type || k[unique - 1].count != k[i].count) {
                mem_free(k);
                return bad(r, "two tensors disagree about the storage they share");
            }
            continue;
        }
        k[unique++] = k[i];
    }
    *known = k;
    *known_count = unique;
    return DAIN_OK;
}

/* The list of keys and, for each, a count of elements and the elements. */
static int read_legacy_storages(Reader *r, PickleValue dict)
{
    Pickle *keys = NULL;
    Known *known = NULL;
    int known_count = 0;
    int error = next_pickle(r, &keys);
    if (error)
        return error;
    const PickleValue list = pickle_result(keys);
    const int count = list.kind == PICKLE_LIST ? pickle_count(keys, list) : -1;
    if (count < 0)
        error = bad(r, "the list of storages is missing");
    if (!error)
        error = list_known(r, dict, &known, &known_count);
    if (!error && !(r->storages = mem_calloc((size_t)count, sizeof(*r->storages))))
        error = no_memory(r);
    for (int i = 0; !error && i < count; i++) {
        const PickleValue key = pickle_at(keys, list, i, NULL);
        if (key.kind != PICKLE_TEXT) {
            error = bad(r, "the list of storages is damaged");
            break;
        }
        const Known wanted = { .key = key.text };
        const Known *k =
            known_count ? bsearch(&wanted, known, (size_t)known_count, sizeof(*known), known_by_key)
                        : NULL;
        if (!k) {
            error = bad(r, "it has a storage that no tensor uses");
        } else if (r->size - r->at < 8) {
            error = bad(r, "cut short: a storage is missing");
        } else if (get64(r->data + r->at) != (uint64_t)k->count) {
            error = bad(r, "a storage has not as many elements as the tensors in it say");
        } else if ((r->size - r->at - 8) / type_size(k->type) < (uint64_t)k->count) {
            error = bad(r, "cut short: a storage ends early");
        } else {
            StorageData *s = &r->storages[r->storage_count++];
            s->key = key.text;
            s->data = r->data + r->at + 8;
            s->bytes = (size_t)k->count * type_size(k->type);
            r->at += 8 + s->bytes;
        }
    }
    if (!error && r->storage_count > 1)
        qsort(r->storages, (size_t)r->storage_count, sizeof(*r->storages), by_key);
    mem_free(known);
    pickle_free(&keys);
    return error;
}

/* ---- the zip form ---- */

/* The member <top>/<name> */
static const ZipMember *find_member(const ZipMember *members, int count, const char *top,
                                    size_t top_size, const char *name)
{
    char path[512];
    const size_t length = strlen(name);
    if (top_size + 1 + length > sizeof(path))
        return NULL;
    memcpy(path, top, top_size);
    path[top_size] = '/';
    memcpy(path + top_size + 1, name, length);
    return zip_find(members, count, path, top_size + 1 + length);
}

/* Finds <top>/data.pkl, runs it, and lists <top>/data/<key>. */
static int read_zip(Reader *r)
{
    static const char pickle_name[] = "/data.pkl";
    const size_t suffix = sizeof(pickle_name) - 1;
    ZipMember *members = NULL;
    const ZipMember *pickle = NULL, *order;
    int count = 0;
    int error = zip_list(&members, &count, r->data, r->size, r->name, r->report);
    if (error)
        return error;
    for (int i = 0; i < count && !pickle; i++)
        if (members[i].name_size > suffix &&
            !memcmp(members[i].name + members[i].name_size - suffix, pickle_name, suffix))
            pickle = &members[i];
    if (!pickle || pickle->size > PICKLE_MAX) {
        error = bad(r, "an archive without a checkpoint's data.pkl");
        goto fail;
    }
    const size_t top = pickle->name_size - suffix;
    order = find_member(members, count, pickle->name, top, "byteorder");
    if (order && (order->size != 6 || memcmp(order->data, "little", 6))) {
        error = report_error(r->report, DAIN_EUNSUPPORTED,
                             "%s: its storages are big-endian, which is not supported", r->name);
        goto fail;
    }
    size_t used = 0;
    error = pickle_run(&r->pickle, pickle->data, pickle->size, &used, r->name, r->report);
    if (error)
        goto fail;
    r->storages = mem_calloc((size_t)count, sizeof(*r->storages));
    if (!r->storages) {
        error = no_memory(r);
        goto fail;
    }
    const size_t folder = top + sizeof("/data/") - 1;
    for (int i = 0; i < count; i++) {
        const ZipMember *m = &members[i];
        if (m->name_size <= folder || memcmp(m->name, pickle->name, top) ||
            memcmp(m->name + top, "/data/", folder - top))
            continue;
        StorageData *s = &r->storages[r->storage_count++];
        s->key = (PickleText){ m->name + folder, (uint32_t)(m->name_size - folder) };
        s->data = m->data;
        s->bytes = m->size;
        if (CHECK_CRC && zip_crc32(0, m->data, m->size) != m->crc) {
            error = report_error(r->report, DAIN_EFORMAT,
                                 "%s: storage '%.*s' is damaged (its checksum differs)", r->name,
                                 (int)s->key.size, s->key.text);
            goto fail;
        }
    }
    /* Members come sorted by name, so the keys are sorted too. */

fail:
    mem_free(members);
    return error;
}

/* ---- tensors ---- */

/* A terminated copy of a name without the prefix of data-parallel wrappers; the name must be good
 * for other formats and for a terminal. */
static int take_name(Reader *r, PickleValue key, const char **name)
{
    static const char wrapper[] = "module.";
    const size_t prefix = sizeof(wrapper) - 1;
    if (key.kind != PICKLE_TEXT || key.text.size == 0 || key.text.size > NAME_MAX_BYTES)
        return bad(r, "a tensor without a proper name");
    PickleText t = key.text;
    for (uint32_t i = 0; i < t.size; i++)
        if (t.text[i] <= ' ' || t.text[i] > '~')
            return bad(r, "the name of a tensor is not plain text");
    if (t.size > prefix && !memcmp(t.text, wrapper, prefix)) {
        t.text += prefix;
        t.size -= (uint32_t)prefix;
    }
    char *copy = mem_alloc(t.size + 1);
    if (!copy)
        return no_memory(r);
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

/* Copies a strided tensor, last dimension fastest. */
static void gather(unsigned char *out, const unsigned char *data, const PickleTensor *t,
                   int64_t count, size_t element)
{
    int64_t index[WEIGHTS_MAX_DIMS] = { 0 }, at = t->offset;
    for (int64_t i = 0; i < count; i++) {
        memcpy(out + (size_t)i * element, data + (size_t)at * element, element);
        for (int d = t->dims - 1; d >= 0; d--) {
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

static int take_tensor(Reader *r, const PickleTensor *t, WeightTensor *out)
{
    const size_t element = type_size(t->type);
    out->type = t->type;
    out->dims = t->dims;
    memcpy(out->shape, t->shape, sizeof(out->shape));
    if (shape_size(t->shape, t->dims, t->type, &out->count, &out->bytes) < 0)
        return bad_tensor(r, out->name, "its shape is too large");
    const StorageData wanted = { .key = t->key };
    const StorageData *s =
        r->storage_count
            ? bsearch(&wanted, r->storages, (size_t)r->storage_count, sizeof(*r->storages), by_key)
            : NULL;
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
        return bad(r, "its tensors together are far larger than the file");
    if (out->count == 0 || is_contiguous(t)) {
        out->data = s->data + (out->count ? (size_t)t->offset * element : 0);
        return DAIN_OK;
    }
    unsigned char *copy = mem_alloc(out->bytes);
    if (!copy)
        return no_memory(r);
    r->file->owned[r->file->owned_count++] = copy;
    gather(copy, s->data, t, out->count, element);
    out->data = copy;
    return DAIN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const WeightTensor *)a)->name, ((const WeightTensor *)b)->name);
}

static int take_tensors(Reader *r, PickleValue dict)
{
    PthFile *f = r->file;
    const int count = pickle_count(r->pickle, dict);
    f->tensors = mem_calloc((size_t)count, sizeof(*f->tensors));
    f->owned = mem_calloc(2 * (size_t)count, sizeof(*f->owned));
    if (!f->tensors || !f->owned)
        return no_memory(r);
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

/* The dictionary of tensors within what the pickle holds. */
static int find_dict(Reader *r, PickleValue *dict)
{
    *dict = pickle_result(r->pickle);
    const PickleValue inner = pickle_get(r->pickle, *dict, "state_dict");
    if (inner.kind == PICKLE_DICT)
        *dict = inner;
    if (dict->kind != PICKLE_DICT)
        return bad(r, "it does not hold a dictionary of tensors");
    return DAIN_OK;
}

int pth_parse(PthFile **file, const void *data, size_t size, const char *name, Report *report)
{
    Reader r = { .data = data, .size = size, .name = name, .report = report };
    PickleValue dict = { 0 };
    *file = NULL;
    if (!pth_is(data, size))
        return bad(&r, "not a PyTorch checkpoint");
    r.file = mem_calloc(1, sizeof(*r.file));
    if (!r.file)
        return no_memory(&r);
    int error;
    if (zip_is(data, size)) {
        error = read_zip(&r);
        if (!error)
            error = find_dict(&r, &dict);
    } else {
        error = check_preamble(&r);
        if (!error)
            error = next_pickle(&r, &r.pickle);
        if (!error)
            error = find_dict(&r, &dict);
        if (!error)
            error = read_legacy_storages(&r, dict);
    }
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

static int load_file(int fd, const char *path, Report *report, unsigned char **data, size_t *size)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return report_error(report, DAIN_EIO, "%s: not a regular file", path);
    *size = (size_t)status.st_size;
    *data = mem_alloc(*size + 1);
    if (!*data)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for its %zu bytes", path, *size);
    for (size_t done = 0; done < *size;) {
        const ssize_t n = read(fd, *data + done, *size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return report_error(report, DAIN_EIO, "%s: %s", path,
                                n < 0 ? strerror(errno) : "it became shorter while it was read");
        done += (size_t)n;
        if (done == (size_t)n && !pth_is(*data, done) && done >= sizeof(magic_pickle))
            return report_error(report, DAIN_EFORMAT, "%s: not a PyTorch checkpoint", path);
    }
    return DAIN_OK;
}

int pth_is_file(const char *path)
{
    unsigned char start[64];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    const ssize_t n = read(fd, start, sizeof start);
    close(fd);
    return n > 0 && pth_is(start, (size_t)n);
}

int pth_open(PthFile **file, const char *path, Report *report)
{
    unsigned char *data = NULL;
    size_t size = 0;
    *file = NULL;
    /* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    int error = load_file(fd, path, report, &data, &size);
    close(fd);
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
