/* Data types of weight files: their names and sizes. */
#ifndef DAIN_WEIGHTS_TYPES_H
#define DAIN_WEIGHTS_TYPES_H

#include "weights/safetensors.h"

enum { TYPE_COUNT = TYPE_BOOL + 1 };

/* As safetensors spells it: "F32". */
const char *type_name(DataType type);
/* Bytes of one element. */
size_t type_size(DataType type);
/* 1 and *type, or 0 for a name that we do not read. */
int type_from_name(const char *name, DataType *type);
/* Elements and bytes of a shape; 0, or -1 if a dimension is negative or the product is too large.
 * No dimensions: one element. */
int shape_size(const int64_t *shape, int dims, DataType type, int64_t *count, size_t *bytes);

#endif
