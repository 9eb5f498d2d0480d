/* safetensors files: 8 bytes of header length, a JSON header, raw little-endian data. Loaded as a whole
 * (load.h); every length is checked before use. */
#ifndef DAIN_WEIGHTS_SAFETENSORS_H
#define DAIN_WEIGHTS_SAFETENSORS_H

#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

typedef enum DataType {
    TYPE_F32,
    TYPE_F16,
    TYPE_BF16,
    TYPE_F64,
    TYPE_I64,
    TYPE_I32,
    TYPE_I16,
    TYPE_I8,
    TYPE_U8,
    TYPE_BOOL
} DataType;

enum { WEIGHTS_MAX_DIMS = 8 };

typedef struct WeightTensor {
    const char *name;
    DataType type;
    int dims;
    int64_t shape[WEIGHTS_MAX_DIMS]; /* outermost first */
    int64_t count;                   /* product of shape */
    const void *data;                /* count elements, little endian, 1-byte aligned at least */
    size_t bytes;
} WeightTensor;

typedef struct WeightMeta {
    const char *key, *value;
} WeightMeta;

/* A file in memory. Tensors are sorted by name. */
typedef struct WeightFile WeightFile;

/* Errors: DAIN_EIO, DAIN_EFORMAT (which names what is wrong), DAIN_ENOMEM. *file is NULL on
 * failure. */
int safetensors_open(WeightFile **file, const char *path, Report *report);
/* The same from memory, which must outlive the file. name is used in messages. */
int safetensors_parse(WeightFile **file, const void *data, size_t size, const char *name,
                      Report *report);
void weights_close(WeightFile **file);

int weights_count(const WeightFile *file);
const WeightTensor *weights_at(const WeightFile *file, int index);
/* NULL if there is none of that name. */
const WeightTensor *weights_find(const WeightFile *file, const char *name);
int weights_meta_count(const WeightFile *file);
WeightMeta weights_meta_at(const WeightFile *file, int index);
const char *weights_meta(const WeightFile *file, const char *key);
/* Element index (< count) as float: F16, BF16, F64 and integers are converted. */
float weights_value(const WeightTensor *tensor, int64_t index);
/* All elements as float to out[count]. */
void weights_to_f32(const WeightTensor *tensor, float *out);

/* Writes a file: header padded to a multiple of 8, data in the order given. Written beside the
 * target and renamed. Errors: DAIN_EIO, DAIN_ENOMEM, DAIN_EINVAL (a shape that does not match
 * bytes, a name twice). */
int safetensors_write(const char *path, const WeightTensor *tensors, int count,
                      const WeightMeta *meta, int meta_count, Report *report);

#endif
