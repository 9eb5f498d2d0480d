/* Writing safetensors files: the header, then the data, beside the target and renamed. */
#include "weights/safetensors.h"

#include "base/mem.h"
#include "base/replace.h"
#include "weights/bytes.h"
#include "weights/json.h"
#include "weights/types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX_BYTES = 8, HEADER_MAX_BYTES = 100000000, HEADER_ALIGN = 8 };

static void text_add_plain(Bytes *text, const char *plain)
{
    bytes_put(text, plain, strlen(plain));
}

static void text_add_number(Bytes *text, unsigned long long number)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%llu", number);
    text_add_plain(text, digits);
}

/* The string in quotes with JSON's escapes. */
static void text_add_quoted(Bytes *text, const char *string)
{
    text_add_plain(text, "\"");
    for (const char *c = string; *c; c++) {
        char escape[8];
        if ((unsigned char)*c < 0x20) {
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)*c);
            text_add_plain(text, escape);
        } else {
            if (*c == '"' || *c == '\\')
                text_add_plain(text, "\\");
            bytes_put(text, c, 1);
        }
    }
    text_add_plain(text, "\"");
}

static int is_utf8(const char *string)
{
    size_t left = strlen(string);
    while (left > 0) {
        const int length = utf8_length((const unsigned char *)string, left);
        if (length == 0)
            return 0;
        string += length;
        left -= (size_t)length;
    }
    return 1;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of tensors, or keys of metadata: all valid, none twice. Sorts them. */
static int check_names(const char **names, int count, const char *path, Report *report)
{
    for (int i = 0; i < count; i++)
        if (!is_utf8(names[i]))
            return report_error(report, DAIN_EINVAL, "%s: a name is not UTF-8", path);
    if (count > 0)
        qsort(names, (size_t)count, sizeof(*names), compare_strings);
    for (int i = 1; i < count; i++)
        if (!strcmp(names[i - 1], names[i]))
            return report_error(report, DAIN_EINVAL, "%s: the name '%.80s' is given twice", path,
                                names[i]);
    return 0;
}

static int check_arguments(const char *path, const WeightTensor *tensors, int count,
                           const WeightMeta *meta, int meta_count, Report *report)
{
    const int larger = count > meta_count ? count : meta_count;
    const char **names = mem_calloc((size_t)larger, sizeof(*names));
    if (!names)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for the header", path);
    int error = 0;
    for (int i = 0; i < meta_count; i++)
        names[i] = meta[i].key;
    error = check_names(names, meta_count, path, report);
    for (int i = 0; i < meta_count && !error; i++)
        if (!is_utf8(meta[i].value))
            error = report_error(report, DAIN_EINVAL, "%s: metadata '%.80s' is not UTF-8", path,
                                 meta[i].key);
    for (int i = 0; i < count; i++)
        names[i] = tensors[i].name;
    if (!error)
        error = check_names(names, count, path, report);
    for (int i = 0; i < count && !error; i++) {
        const WeightTensor *tensor = &tensors[i];
        int64_t elements;
        size_t bytes;
        if (!strcmp(tensor->name, "__metadata__"))
            error = report_error(report, DAIN_EINVAL, "%s: a tensor cannot be named '%s'", path,
                                 tensor->name);
        else if ((unsigned)tensor->type >= TYPE_COUNT || tensor->dims < 0 ||
                 tensor->dims > WEIGHTS_MAX_DIMS ||
                 shape_size(tensor->shape, tensor->dims, tensor->type, &elements, &bytes) < 0 ||
                 bytes != tensor->bytes)
            error = report_error(report, DAIN_EINVAL,
                                 "%s: tensor '%.80s': its shape does not match its bytes", path,
                                 tensor->name);
    }
    mem_free(names);
    return error;
}

static void add_tensor(Bytes *header, const WeightTensor *tensor, uint64_t begin)
{
    text_add_quoted(header, tensor->name);
    text_add_plain(header, ":{\"dtype\":");
    text_add_quoted(header, type_name(tensor->type));
    text_add_plain(header, ",\"shape\":[");
    for (int i = 0; i < tensor->dims; i++) {
        if (i > 0)
            text_add_plain(header, ",");
        text_add_number(header, (unsigned long long)tensor->shape[i]);
    }
    text_add_plain(header, "],\"data_offsets\":[");
    text_add_number(header, begin);
    text_add_plain(header, ",");
    text_add_number(header, begin + tensor->bytes);
    text_add_plain(header, "]}");
}

/* The length, the JSON, and spaces up to a multiple of 8. */
static int build_header(Bytes *header, const char *path, const WeightTensor *tensors, int count,
                        const WeightMeta *meta, int meta_count, Report *report)
{
    const char *separator = "{";
    uint64_t begin = 0;
    bytes_put(header, "\0\0\0\0\0\0\0\0", PREFIX_BYTES);
    if (meta_count > 0) {
        text_add_plain(header, "{\"__metadata__\":");
        for (int i = 0; i < meta_count; i++) {
            text_add_plain(header, i ? "," : "{");
            text_add_quoted(header, meta[i].key);
            text_add_plain(header, ":");
            text_add_quoted(header, meta[i].value);
        }
        text_add_plain(header, "}");
        separator = ",";
    }
    for (int i = 0; i < count; i++) {
        text_add_plain(header, separator);
        add_tensor(header, &tensors[i], begin);
        begin += tensors[i].bytes;
        separator = ",";
    }
    text_add_plain(header, count == 0 && meta_count == 0 ? "{}" : "}");
    while (!header->no_memory && header->size % HEADER_ALIGN != 0)
        text_add_plain(header, " ");
    if (header->no_memory)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for the header", path);
    const uint64_t length = header->size - PREFIX_BYTES;
    if (length > HEADER_MAX_BYTES)
        return report_error(report, DAIN_EINVAL, "%s: a header above 100 MB", path);
    for (int i = 0; i < PREFIX_BYTES; i++)
        header->data[i] = (unsigned char)(length >> (8 * i) & 0xff);
    return 0;
}

static int write_fully(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(fd, (const char *)data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

int safetensors_write(const char *path, const WeightTensor *tensors, int count,
                      const WeightMeta *meta, int meta_count, Report *report)
{
    Bytes header = { 0 };
    char *temporary = NULL;
    int fd = -1;
    int error = check_arguments(path, tensors, count, meta, meta_count, report);
    if (error)
        return error;
    error = build_header(&header, path, tensors, count, meta, meta_count, report);
    if (error)
        goto end;

    fd = create_temporary(path, &temporary);
    if (fd < 0)
        goto system_error;
    if (write_fully(fd, header.data, header.size) < 0)
        goto system_error;
    for (int i = 0; i < count; i++)
        if (write_fully(fd, tensors[i].data, tensors[i].bytes) < 0)
            goto system_error;
    const int closed = close(fd);
    fd = -1;
    if (closed < 0 || replace_file(temporary, path) < 0)
        goto system_error;
    goto end;

system_error:
    error = report_error(report, errno == ENOMEM ? DAIN_ENOMEM : DAIN_EIO, "%s: %s", path,
                         strerror(errno));
end:
    if (fd >= 0)
        close(fd);
    if (error && temporary)
        unlink(temporary);
    mem_free(temporary);
    bytes_free(&header);
    return error;
}
