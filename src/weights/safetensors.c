/* Reading safetensors files: loading, checking, looking up. Nothing in the file is believed. */
#include "weights/safetensors.h"

#include "base/mem.h"
#include "weights/json.h"
#include "weights/load.h"
#include "weights/types.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_BYTES = 8,            /* length of the header, little endian */
    HEADER_MAX_BYTES = 100000000 /* the format's own limit */
};

struct WeightFile {
    void *loaded; /* the whole file if we read it ourselves */
    char *strings;
    WeightTensor *tensors;
    WeightMeta *meta;
    int count, capacity;
    int meta_count, meta_capacity;
};

/* What parsing needs and the finished file does not. */
typedef struct Parser {
    WeightFile *file;
    JsonReader json;
    const unsigned char *data; /* behind the header */
    size_t data_size;
    const char *name; /* of the file, for messages */
    Report *report;
} Parser;

static int no_memory(Parser *parser)
{
    return report_error(parser->report, DAIN_ENOMEM, "%s: no memory for the header", parser->name);
}

/* The reader stopped at something that is not as it should be. */
static int bad_header(Parser *parser)
{
    return report_error(parser->report, DAIN_EFORMAT, "%s: byte %zu of the header: %s",
                        parser->name, parser->json.at, parser->json.problem);
}

static int bad_tensor(Parser *parser, const char *tensor, const char *problem)
{
    return report_error(parser->report, DAIN_EFORMAT, "%s: tensor '%.80s': %s", parser->name,
                        tensor, problem);
}

static int parse_metadata(Parser *parser)
{
    JsonReader *json = &parser->json;
    WeightFile *file = parser->file;
    if (json_expect(json, '{') < 0)
        return bad_header(parser);
    if (json_accept(json, '}'))
        return 0;
    do {
        if (!mem_reserve(&file->meta, file->meta_count, &file->meta_capacity, sizeof(*file->meta)))
            return no_memory(parser);
        WeightMeta *meta = &file->meta[file->meta_count];
        if (json_string(json, &meta->key) < 0 || json_expect(json, ':') < 0 ||
            json_string(json, &meta->value) < 0)
            return bad_header(parser);
        file->meta_count++;
    } while (json_accept(json, ','));
    return json_expect(json, '}') < 0 ? bad_header(parser) : 0;
}

static int parse_shape(Parser *parser, WeightTensor *tensor)
{
    JsonReader *json = &parser->json;
    tensor->dims = 0;
    if (json_expect(json, '[') < 0)
        return bad_header(parser);
    if (json_accept(json, ']'))
        return 0;
    do {
        int64_t dimension;
        if (json_whole_number(json, &dimension) < 0)
            return bad_header(parser);
        if (tensor->dims == WEIGHTS_MAX_DIMS)
            return bad_tensor(parser, tensor->name, "more than 8 dimensions");
        tensor->shape[tensor->dims++] = dimension;
    } while (json_accept(json, ','));
    return json_expect(json, ']') < 0 ? bad_header(parser) : 0;
}

static int parse_offsets(Parser *parser, int64_t *begin, int64_t *end)
{
    JsonReader *json = &parser->json;
    if (json_expect(json, '[') < 0 || json_whole_number(json, begin) < 0 ||
        json_expect(json, ',') < 0 || json_whole_number(json, end) < 0 ||
        json_expect(json, ']') < 0)
        return bad_header(parser);
    return 0;
}

static int check_tensor(Parser *parser, WeightTensor *tensor, int64_t begin, int64_t end)
{
    if (begin > end || (uint64_t)end > parser->data_size)
        return bad_tensor(parser, tensor->name, "its data lies outside the file");
    size_t bytes;
    if (shape_size(tensor->shape, tensor->dims, tensor->type, &tensor->count, &bytes) < 0)
        return bad_tensor(parser, tensor->name, "its shape is too large");
    if ((uint64_t)(end - begin) != bytes)
        return bad_tensor(parser, tensor->name, "its shape does not match the bytes of its data");
    tensor->data = parser->data + begin;
    tensor->bytes = bytes;
    return 0;
}

/* The description of one tensor: dtype, shape and data_offsets, each once, in any order. */
static int parse_tensor(Parser *parser, WeightTensor *tensor)
{
    enum { HAS_TYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4, HAS_ALL = 7 };
    JsonReader *json = &parser->json;
    int64_t begin = 0, end = 0;
    int has = 0, error = 0;
    if (json_expect(json, '{') < 0)
        return bad_header(parser);
    do {
        const char *key, *type;
        int part = 0;
        if (json_string(json, &key) < 0 || json_expect(json, ':') < 0)
            return bad_header(parser);
        if (!strcmp(key, "dtype")) {
            part = HAS_TYPE;
            if (json_string(json, &type) < 0)
                return bad_header(parser);
            if (!type_from_name(type, &tensor->type))
                return bad_tensor(parser, tensor->name, "its data type is not known");
        } else if (!strcmp(key, "shape")) {
            part = HAS_SHAPE;
            error = parse_shape(parser, tensor);
        } else if (!strcmp(key, "data_offsets")) {
            part = HAS_OFFSETS;
            error = parse_offsets(parser, &begin, &end);
        } else {
            return bad_tensor(parser, tensor->name, "its description has an unknown key");
        }
        if (error)
            return error;
        if (has & part)
            return bad_tensor(parser, tensor->name, "its description has a key twice");
        has |= part;
    } while (json_accept(json, ','));
    if (json_expect(json, '}') < 0)
        return bad_header(parser);
    if (has != HAS_ALL)
        return bad_tensor(parser, tensor->name, "dtype, shape or data_offsets is missing");
    return check_tensor(parser, tensor, begin, end);
}

static int parse_header(Parser *parser)
{
    JsonReader *json = &parser->json;
    WeightFile *file = parser->file;
    int metadata_seen = 0;
    if (json_expect(json, '{') < 0)
        return bad_header(parser);
    if (!json_accept(json, '}')) {
        do {
            const char *key;
            if (json_string(json, &key) < 0 || json_expect(json, ':') < 0)
                return bad_header(parser);
            int error;
            if (!strcmp(key, "__metadata__")) {
                if (metadata_seen++)
                    return report_error(parser->report, DAIN_EFORMAT,
                                        "%s: the header has two __metadata__", parser->name);
                error = parse_metadata(parser);
            } else {
                if (!mem_reserve(&file->tensors, file->count, &file->capacity,
                                 sizeof(*file->tensors)))
                    return no_memory(parser);
                file->tensors[file->count].name = key;
                error = parse_tensor(parser, &file->tensors[file->count]);
                file->count += !error;
            }
            if (error)
                return error;
        } while (json_accept(json, ','));
        if (json_expect(json, '}') < 0)
            return bad_header(parser);
    }
    return json_end(json) < 0 ? bad_header(parser) : 0;
}

static int by_place(const void *a, const void *b)
{
    const WeightTensor *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const WeightTensor *)a)->name, ((const WeightTensor *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const WeightMeta *)a)->key, ((const WeightMeta *)b)->key);
}

/* The format wants the data covered exactly: bytes that no tensor owns, or two own, could carry
 * something past a reader. */
static int check_cover(Parser *parser)
{
    WeightFile *file = parser->file;
    const unsigned char *place = parser->data;
    if (file->count > 0)
        qsort(file->tensors, (size_t)file->count, sizeof(*file->tensors), by_place);
    for (int i = 0; i < file->count; i++) {
        const WeightTensor *tensor = &file->tensors[i];
        const unsigned char *start = tensor->data;
        if (start > place)
            return bad_tensor(parser, tensor->name, "a hole in the data before it");
        if (start < place)
            return bad_tensor(parser, tensor->name, "its data overlaps another's");
        place += tensor->bytes;
    }
    const size_t covered = (size_t)(place - parser->data);
    if (covered != parser->data_size)
        return report_error(parser->report, DAIN_EFORMAT,
                            "%s: %zu bytes at the end belong to no tensor", parser->name,
                            parser->data_size - covered);
    return 0;
}

/* Sorts for the look-up and finds names that appear twice. */
static int sort_names(Parser *parser)
{
    WeightFile *file = parser->file;
    if (file->count > 0)
        qsort(file->tensors, (size_t)file->count, sizeof(*file->tensors), by_name);
    for (int i = 1; i < file->count; i++)
        if (!strcmp(file->tensors[i - 1].name, file->tensors[i].name))
            return bad_tensor(parser, file->tensors[i].name, "two tensors have this name");
    if (file->meta_count > 0)
        qsort(file->meta, (size_t)file->meta_count, sizeof(*file->meta), by_key);
    for (int i = 1; i < file->meta_count; i++)
        if (!strcmp(file->meta[i - 1].key, file->meta[i].key))
            return report_error(parser->report, DAIN_EFORMAT,
                                "%s: metadata has the key '%.80s' twice", parser->name,
                                file->meta[i].key);
    return 0;
}

/* Length of the header from the first bytes of a file of size bytes. */
static int header_length(const unsigned char *prefix, uint64_t size, const char *name,
                         Report *report, size_t *length)
{
    if (size < PREFIX_BYTES + 2)
        return report_error(report, DAIN_EFORMAT, "%s: too short for a safetensors file", name);
    uint64_t value = 0;
    for (int i = 0; i < PREFIX_BYTES; i++)
        value |= (uint64_t)prefix[i] << (8 * i);
    if (value < 2 || prefix[PREFIX_BYTES] != '{')
        return report_error(report, DAIN_EFORMAT, "%s: not a safetensors file", name);
    if (value > HEADER_MAX_BYTES)
        return report_error(report, DAIN_EFORMAT,
                            "%s: not a safetensors file (a header of %llu bytes)", name,
                            (unsigned long long)value);
    if (value > size - PREFIX_BYTES)
        return report_error(report, DAIN_EFORMAT,
                            "%s: cut short: the header alone has %llu bytes, the file %llu", name,
                            (unsigned long long)value, (unsigned long long)size);
    *length = (size_t)value;
    return 0;
}

int safetensors_parse(WeightFile **file, const void *data, size_t size, const char *name,
                      Report *report)
{
    *file = NULL;
    const unsigned char *bytes = data;
    size_t length = 0;
    int error = header_length(bytes, size, name, report, &length);
    if (error)
        return error;

    Parser parser = { .name = name, .report = report };
    parser.data = bytes + PREFIX_BYTES + length;
    parser.data_size = size - PREFIX_BYTES - length;
    parser.json.text = bytes + PREFIX_BYTES;
    parser.json.size = length;
    parser.file = mem_calloc(1, sizeof(*parser.file));
    if (!parser.file)
        return no_memory(&parser);
    parser.json.strings = parser.file->strings = mem_alloc(length);
    if (!parser.json.strings) {
        error = no_memory(&parser);
        goto fail;
    }
    error = parse_header(&parser);
    if (!error)
        error = check_cover(&parser);
    if (!error)
        error = sort_names(&parser);
    if (error)
        goto fail;
    *file = parser.file;
    return 0;

fail:
    weights_close(&parser.file);
    return error;
}

static int judge(const unsigned char *start, size_t have, uint64_t size, const char *path,
                 Report *report)
{
    size_t length;
    return header_length(start, size, path, report, &length);
}

int safetensors_open(WeightFile **file, const char *path, Report *report)
{
    unsigned char *data = NULL;
    size_t size = 0;
    *file = NULL;
    int error = load_file(&data, &size, path, judge, report);
    if (!error)
        error = safetensors_parse(file, data, size, path, report);
    if (error) {
        mem_free(data);
        return error;
    }
    (*file)->loaded = data;
    return 0;
}

void weights_close(WeightFile **file)
{
    if (!file || !*file)
        return;
    mem_free((*file)->tensors);
    mem_free((*file)->meta);
    mem_free((*file)->strings);
    mem_free((*file)->loaded);
    mem_free(*file);
    *file = NULL;
}

int weights_count(const WeightFile *file)
{
    return file->count;
}

const WeightTensor *weights_at(const WeightFile *file, int index)
{
    return &file->tensors[index];
}

const WeightTensor *weights_find(const WeightFile *file, const char *name)
{
    if (file->count == 0)
        return NULL;
    const WeightTensor wanted = { .name = name };
    return bsearch(&wanted, file->tensors, (size_t)file->count, sizeof(*file->tensors), by_name);
}

int weights_meta_count(const WeightFile *file)
{
    return file->meta_count;
}

WeightMeta weights_meta_at(const WeightFile *file, int index)
{
    return file->meta[index];
}

const char *weights_meta(const WeightFile *file, const char *key)
{
    if (file->meta_count == 0)
        return NULL;
    const WeightMeta wanted = { .key = key };
    const WeightMeta *found =
        bsearch(&wanted, file->meta, (size_t)file->meta_count, sizeof(*file->meta), by_key);
    return found ? found->value : NULL;
}
