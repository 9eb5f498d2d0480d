/*
 * The pickles in PyTorch files, read without Python: a machine that knows the few instructions that
 * dictionaries of tensors are written with, calls nothing, and refuses everything else.
 */
#ifndef DAIN_WEIGHTS_PICKLE_H
#define DAIN_WEIGHTS_PICKLE_H

#include "weights/safetensors.h"

/* A string inside the pickle; not terminated. */
typedef struct PickleText {
    const char *text;
    uint32_t size;
} PickleText;

/* A tensor as the pickle describes it: which part of which storage. */
typedef struct PickleTensor {
    PickleText key; /* of the storage */
    DataType type;
    int64_t storage_count; /* elements of the storage */
    int64_t offset;        /* of the first element, in elements */
    int dims;
    int64_t shape[WEIGHTS_MAX_DIMS], stride[WEIGHTS_MAX_DIMS]; /* in elements */
} PickleTensor;

typedef enum PickleKind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_TEXT,
    PICKLE_BIG, /* an integer of more than 64 bits; text has its bytes, lowest first */
    PICKLE_GLOBAL,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
    PICKLE_MARK
} PickleKind;

/* A value; composite ones are an index into the machine's tables. */
typedef struct PickleValue {
    PickleKind kind;
    union {
        int64_t number; /* PICKLE_BOOL, PICKLE_INT */
        PickleText text;
        int index;
    };
} PickleValue;

typedef struct Pickle Pickle;

/*
 * Runs the pickle at data; *used is its length, which nothing else tells. name is used in messages.
 * The bytes must outlive the pickle. Errors: DAIN_EFORMAT, DAIN_EUNSUPPORTED (an instruction or a
 * class that is well formed but not of those that weights need), DAIN_ENOMEM.
 */
int pickle_run(Pickle **pickle, const void *data, size_t size, size_t *used, const char *name,
               Report *report);
void pickle_free(Pickle **pickle);

/* What the pickle stands for. */
PickleValue pickle_result(const Pickle *pickle);
/* Elements of a list or tuple, pairs of a dictionary. */
int pickle_count(const Pickle *pickle, PickleValue value);
/* Element i of a list or tuple; value i of a dictionary, whose key goes to *key (may be NULL).
 * Successive i from 0 cost constant time. */
PickleValue pickle_at(Pickle *pickle, PickleValue value, int i, PickleValue *key);
/* The value with a text key, PICKLE_NONE if there is none; the last of equal keys. */
PickleValue pickle_get(Pickle *pickle, PickleValue dict, const char *key);
const PickleTensor *pickle_tensor(const Pickle *pickle, PickleValue value);
int pickle_text_is(PickleValue value, const char *text);

#endif
