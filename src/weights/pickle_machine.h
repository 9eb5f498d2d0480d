/* The pickle machine's insides, shared by its two sources. */
#ifndef DAIN_WEIGHTS_PICKLE_MACHINE_H
#define DAIN_WEIGHTS_PICKLE_MACHINE_H

#include "weights/pickle.h"

#include <string.h>

enum {
    MAX_STACK = 1 << 18,  /* values; the largest dictionaries seen put 2000 there at a time */
    MAX_MEMO = 1 << 20,   /* remembered values */
    MAX_CELLS = 1 << 20,  /* elements of all tuples, lists and dictionaries */
    MAX_OBJECTS = 1 << 18 /* tuples, lists, dictionaries; storages; tensors: each */
};

/* An element of a tuple or list, or a pair of a dictionary; lists are chained in order. */
typedef struct Cell {
    PickleValue key, value;
    int next; /* -1: last */
} Cell;

/* A tuple, list or dictionary. */
typedef struct Object {
    int first, last, count;
    int at, at_index; /* where pickle_at() stopped */
} Object;

typedef struct Storage {
    PickleText key;
    DataType type;
    int64_t count;
} Storage;

/* A table that grows up to a limit. */
typedef struct Table {
    void *data;
    int count, capacity;
} Table;

struct Pickle {
    Table stack, memo, cells, objects, storages, tensors;
    PickleValue result;
    /* the pickle at hand */
    const unsigned char *bytes;
    size_t size, at;
    const char *name;
    Report *report;
};

static inline PickleValue *stack_at(const Pickle *p, int i)
{
    return (PickleValue *)p->stack.data + i;
}

static inline Cell *cell_at(const Pickle *p, int i)
{
    return (Cell *)p->cells.data + i;
}

static inline Object *object_at(const Pickle *p, int i)
{
    return (Object *)p->objects.data + i;
}

static inline int text_is(PickleText t, const char *s)
{
    return strlen(s) == t.size && !memcmp(t.text, s, t.size);
}

/* Reports a damaged pickle and returns the error. */
int pickle_bad(Pickle *p, const char *problem);
/* Makes room for one more element and returns its index, or a negative error. */
int pickle_table_add(Pickle *p, Table *t, size_t element, int limit);
int pickle_push(Pickle *p, PickleValue v);
/* The topmost value, which must not be a mark. */
int pickle_pop(Pickle *p, PickleValue *v);
/* A new, empty tuple, list or dictionary. */
int pickle_new_object(Pickle *p, PickleKind kind, PickleValue *v);
/* Adds an element, or with a key a pair. */
int pickle_append(Pickle *p, PickleValue object, const PickleValue *key, PickleValue value);
/* The bytes up to the next line feed, at most 255. */
int pickle_take_line(Pickle *p, PickleText *line);

/* GLOBAL, BINPERSID and REDUCE: what PyTorch means by them (pickle_torch.c). */
int pickle_op_global(Pickle *p);
int pickle_op_persistent(Pickle *p);
int pickle_op_reduce(Pickle *p);

#endif
