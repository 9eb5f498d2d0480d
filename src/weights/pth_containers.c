/* The two containers of PyTorch checkpoints, the legacy form and the zip form: see pth_private.h. */
#include "weights/pth_private.h"

#include "base/mem.h"
#include "weights/types.h"
#include "weights/zip.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROTOCOL = 1001,
    PICKLE_MAX = 64 << 20 /* bytes of a pickle; 954 tensors take 0.2 MB */
};

/* A fuzzer cannot guess checksums; builds for it say so with this name, as others do. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define CHECK_CRC 0
#else
#define CHECK_CRC 1
#endif

static int by_key(const void *a, const void *b)
{
    const PickleText *x = &((const PthStorage *)a)->key, *y = &((const PthStorage *)b)->key;
    const uint32_t common = x->size < y->size ? x->size : y->size;
    const int order = memcmp(x->text, y->text, common);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* ---- the legacy form ---- */

/* The next of the pickles that stand one behind the other. */
static int next_pickle(PthReader *r, Pickle **pickle)
{
    size_t used = 0, left = r->size - r->at;
    if (left > PICKLE_MAX)
        left = PICKLE_MAX;
    const int error = pickle_run(pickle, r->data + r->at, left, &used, r->name, r->report);
    r->at += used;
    return error;
}

/* Magic number, protocol, and what the machine that wrote it was like. */
static int check_preamble(PthReader *r)
{
    Pickle *p = NULL;
    r->at = PTH_MAGIC_BYTES;
    int error = next_pickle(r, &p);
    if (error)
        return error;
    const PickleValue protocol = pickle_result(p);
    if (protocol.kind != PICKLE_INT || protocol.number != PROTOCOL)
        error = pth_bad(r, "a checkpoint of an unknown version");
    pickle_free(&p);
    if (!error)
        error = next_pickle(r, &p);
    if (error)
        return error;
    const PickleValue little = pickle_get(p, pickle_result(p), "little_endian");
    if (little.kind != PICKLE_BOOL)
        error = pth_bad(r, "a checkpoint that does not say its byte order");
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
    const PthStorage x = { .key = ((const Known *)a)->key }, y = { .key = ((const Known *)b)->key };
    return by_key(&x, &y);
}

/* All storages that tensors of the dictionary name, sorted; equal keys must agree. */
static int list_known(PthReader *r, PickleValue dict, Known **known, int *known_count)
{
    const int count = pickle_count(r->pickle, dict);
    int used = 0;
    Known *k = mem_calloc((size_t)count, sizeof(*k));
    if (!k)
        return pth_no_memory(r);
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
                return pth_bad(r, "two tensors disagree about the storage they share");
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
static int read_legacy_storages(PthReader *r, PickleValue dict)
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
        error = pth_bad(r, "the list of storages is missing");
    if (!error)
        error = list_known(r, dict, &known, &known_count);
    if (!error && !(r->storages = mem_calloc((size_t)count, sizeof(*r->storages))))
        error = pth_no_memory(r);
    for (int i = 0; !error && i < count; i++) {
        const PickleValue key = pickle_at(keys, list, i, NULL);
        if (key.kind != PICKLE_TEXT) {
            error = pth_bad(r, "the list of storages is damaged");
            break;
        }
        const Known wanted = { .key = key.text };
        const Known *k =
            known_count ? bsearch(&wanted, known, (size_t)known_count, sizeof(*known), known_by_key)
                        : NULL;
        if (!k) {
            error = pth_bad(r, "it has a storage that no tensor uses");
        } else if (r->size - r->at < 8) {
            error = pth_bad(r, "cut short: a storage is missing");
        } else if (get64(r->data + r->at) != (uint64_t)k->count) {
            error = pth_bad(r, "a storage has not as many elements as the tensors in it say");
        } else if ((r->size - r->at - 8) / type_size(k->type) < (uint64_t)k->count) {
            error = pth_bad(r, "cut short: a storage ends early");
        } else {
            PthStorage *s = &r->storages[r->storage_count++];
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
static int read_zip(PthReader *r)
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
        error = pth_bad(r, "an archive without a checkpoint's data.pkl");
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
        error = pth_no_memory(r);
        goto fail;
    }
    const size_t folder = top + sizeof("/data/") - 1;
    for (int i = 0; i < count; i++) {
        const ZipMember *m = &members[i];
        if (m->name_size <= folder || memcmp(m->name, pickle->name, top) ||
            memcmp(m->name + top, "/data/", folder - top))
            continue;
        PthStorage *s = &r->storages[r->storage_count++];
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

/* ---- either ---- */

/* The dictionary of tensors within what the pickle holds. */
static int find_dict(PthReader *r, PickleValue *dict)
{
    *dict = pickle_result(r->pickle);
    const PickleValue inner = pickle_get(r->pickle, *dict, "state_dict");
    if (inner.kind == PICKLE_DICT)
        *dict = inner;
    if (dict->kind != PICKLE_DICT)
        return pth_bad(r, "it does not hold a dictionary of tensors");
    return DAIN_OK;
}

static int read_legacy(PthReader *r, PickleValue *dict)
{
    int error = check_preamble(r);
    if (!error)
        error = next_pickle(r, &r->pickle);
    if (!error)
        error = find_dict(r, dict);
    return error ? error : read_legacy_storages(r, *dict);
}

int pth_read_container(PthReader *r, PickleValue *dict)
{
    if (!zip_is(r->data, r->size))
        return read_legacy(r, dict);
    const int error = read_zip(r);
    return error ? error : find_dict(r, dict);
}

const PthStorage *pth_storage(const PthReader *r, PickleText key)
{
    const PthStorage wanted = { .key = key };
    return r->storage_count ? bsearch(&wanted, r->storages, (size_t)r->storage_count,
                                      sizeof *r->storages, by_key)
                            : NULL;
}
