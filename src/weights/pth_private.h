/* What the parts of the reader of PyTorch checkpoints share: pth_containers.c finds pickle and storages in
 * either form of file, pth.c makes tensors of them. */
#ifndef DAIN_WEIGHTS_PTH_PRIVATE_H
#define DAIN_WEIGHTS_PTH_PRIVATE_H

#include "weights/pickle.h"
#include "weights/pth.h"

/* Of the pickled number that legacy files begin with. */
enum { PTH_MAGIC_BYTES = 15 };

/* Bytes of a storage in the file. */
typedef struct PthStorage {
    PickleText key;
    const unsigned char *data;
    size_t bytes;
} PthStorage;

typedef struct PthReader {
    PthFile *file;
    const unsigned char *data;
    size_t size, at;
    const char *name;
    Report *report;
    Pickle *pickle;       /* the dictionary */
    PthStorage *storages; /* sorted by key */
    int storage_count;
    uint64_t total; /* bytes of all tensors so far */
} PthReader;

static inline int pth_bad(const PthReader *r, const char *problem)
{
    return report_error(r->report, DAIN_EFORMAT, "%s: %s", r->name, problem);
}

static inline int pth_no_memory(const PthReader *r)
{
    return report_error(r->report, DAIN_ENOMEM, "%s: no memory for its tensors", r->name);
}

/* Finds the dictionary of tensors and the storages; r->pickle and r->storages are to be freed afterwards,
 * also after an error. */
int pth_read_container(PthReader *r, PickleValue *dict);
/* NULL if there is none of that key. */
const PthStorage *pth_storage(const PthReader *r, PickleText key);

#endif
