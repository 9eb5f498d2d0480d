/* Writing PyTorch checkpoints: a stored zip archive with the pickle that torch.save() would make. */
#include "weights/pth.h"

#include "base/mem.h"
#include "base/replace.h"
#include "weights/bytes.h"
#include "weights/types.h"
#include "weights/zip.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ALIGN = 64,      /* of the data of members, as PyTorch has it */
    DOS_DATE = 0x21, /* 1 January 1980: the same bytes whenever it is written */
    LOCAL_BYTES = 30,
    PADDING_ID = 0x4246, /* the extra field that PyTorch aligns with */
    MEMBER_NAME_MAX = 64
};

/* ---- the pickle; letters as in Python's pickletools ---- */

static void put_opcodes(Bytes *b, const char *opcodes)
{
    bytes_put(b, opcodes, strlen(opcodes));
}

static void put_text(Bytes *b, const char *text)
{
    put_opcodes(b, "X");
    bytes_put_number(b, strlen(text), 4);
    put_opcodes(b, text);
}

static void put_integer(Bytes *b, int64_t number)
{
    if (number <= INT32_MAX) {
        put_opcodes(b, "J");
        bytes_put_number(b, (uint64_t)number, 4);
    } else {
        put_opcodes(b, "\x8a\x08");
        bytes_put_number(b, (uint64_t)number, 8);
    }
}

static const char *storage_class(DataType type)
{
    switch (type) {
    case TYPE_F32:
        return "FloatStorage";
    case TYPE_F64:
        return "DoubleStorage";
    case TYPE_F16:
        return "HalfStorage";
    case TYPE_I64:
        return "LongStorage";
    default:
        return NULL;
    }
}

static void put_tensor(Bytes *b, const WeightTensor *t, int index)
{
    char key[16];
    int64_t stride[WEIGHTS_MAX_DIMS], step = 1;
    for (int i = t->dims - 1; i >= 0; i--) {
        stride[i] = step;
        step *= t->shape[i] ? t->shape[i] : 1;
    }
    snprintf(key, sizeof(key), "%d", index);
    put_text(b, t->name);
    put_opcodes(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(b, "storage");
    put_opcodes(b, "ctorch\n");
    put_opcodes(b, storage_class(t->type));
    put_opcodes(b, "\n");
    put_text(b, key);
    put_text(b, "cpu");
    put_integer(b, t->count);
    put_opcodes(b, "tQ");
    put_integer(b, 0);
    put_opcodes(b, "(");
    for (int i = 0; i < t->dims; i++)
        put_integer(b, t->shape[i]);
    put_opcodes(b, "t(");
    for (int i = 0; i < t->dims; i++)
        put_integer(b, stride[i]);
    put_opcodes(b, "t\x89"
                   "ccollections\nOrderedDict\n)RtR");
}

static void put_pickle(Bytes *b, const WeightTensor *tensors, int count)
{
    put_opcodes(b, "\x80\x02"
                   "ccollections\nOrderedDict\n)R(");
    for (int i = 0; i < count; i++)
        put_tensor(b, &tensors[i], i);
    put_opcodes(b, "u.");
}

/* ---- the archive ---- */

typedef struct Writer {
    FILE *file;
    uint64_t at;
    Bytes directory;
    int members;
} Writer;

static int write_bytes(Writer *w, const void *data, size_t size)
{
    w->at += size;
    return size == 0 || fwrite(data, 1, size, w->file) == size ? 0 : -1;
}

/* What local header and directory entry have in common, from the version on. */
static void put_common(Bytes *b, uint32_t crc, size_t size, size_t name, size_t extra)
{
    bytes_put_number(b, 0, 2); /* version that can read it */
    bytes_put_number(b, 0, 2); /* flags */
    bytes_put_number(b, 0, 2); /* stored */
    bytes_put_number(b, 0, 2); /* time */
    bytes_put_number(b, DOS_DATE, 2);
    bytes_put_number(b, crc, 4);
    bytes_put_number(b, size, 4);
    bytes_put_number(b, size, 4);
    bytes_put_number(b, name, 2);
    bytes_put_number(b, extra, 2);
}

static int write_member(Writer *w, const char *name, const void *data, size_t size)
{
    static const unsigned char zeros[ALIGN + 4];
    Bytes header = { 0 };
    const size_t name_size = strlen(name);
    const uint32_t crc = zip_crc32(0, data, size);
    const uint64_t start = w->at, plain = start + LOCAL_BYTES + name_size + 4;
    const size_t padding = (size_t)(ALIGN - plain % ALIGN) % ALIGN;
    int result = -1;
    bytes_put_number(&header, 0x04034b50, 4);
    put_common(&header, crc, size, name_size, padding + 4);
    bytes_put(&header, name, name_size);
    bytes_put_number(&header, PADDING_ID, 2);
    bytes_put_number(&header, padding, 2);
    bytes_put(&header, zeros, padding);

    bytes_put_number(&w->directory, 0x02014b50, 4);
    bytes_put_number(&w->directory, 0, 2); /* version that wrote it */
    put_common(&w->directory, crc, size, name_size, 0);
    bytes_put_number(&w->directory, 0, 2); /* comment */
    bytes_put_number(&w->directory, 0, 2); /* part */
    bytes_put_number(&w->directory, 0, 2); /* attributes */
    bytes_put_number(&w->directory, 0, 4);
    bytes_put_number(&w->directory, start, 4);
    bytes_put(&w->directory, name, name_size);
    w->members++;
    if (header.no_memory || w->directory.no_memory)
        errno = ENOMEM;
    else if (write_bytes(w, header.data, header.size) == 0)
        result = write_bytes(w, data, size);
    bytes_free(&header);
    return result;
}

static int write_directory(Writer *w)
{
    Bytes end = { 0 };
    const uint64_t start = w->at;
    bytes_put_number(&end, 0x06054b50, 4);
    bytes_put_number(&end, 0, 4); /* parts */
    bytes_put_number(&end, (uint64_t)w->members, 2);
    bytes_put_number(&end, (uint64_t)w->members, 2);
    bytes_put_number(&end, w->directory.size, 4);
    bytes_put_number(&end, start, 4);
    bytes_put_number(&end, 0, 2);
    int result = -1;
    if (end.no_memory)
        errno = ENOMEM;
    else if (write_bytes(w, w->directory.data, w->directory.size) == 0)
        result = write_bytes(w, end.data, end.size);
    bytes_free(&end);
    return result;
}

static int write_archive(Writer *w, const WeightTensor *tensors, int count)
{
    Bytes pickle = { 0 };
    put_pickle(&pickle, tensors, count);
    if (pickle.no_memory) {
        bytes_free(&pickle);
        errno = ENOMEM;
        return -1;
    }
    int result = write_member(w, "archive/data.pkl", pickle.data, pickle.size);
    bytes_free(&pickle);
    for (int i = 0; result == 0 && i < count; i++) {
        char name[MEMBER_NAME_MAX];
        snprintf(name, sizeof(name), "archive/data/%d", i);
        result = write_member(w, name, tensors[i].data, tensors[i].bytes);
    }
    if (result == 0)
        result = write_member(w, "archive/version", "3\n", 2);
    return result == 0 ? write_directory(w) : result;
}

static int check_tensors(const char *path, const WeightTensor *tensors, int count, Report *report)
{
    uint64_t total = 0;
    for (int i = 0; i < count; i++) {
        if (!storage_class(tensors[i].type))
            return report_error(report, DAIN_EINVAL,
                                "%s: tensor '%.100s' is %s, which is not written to checkpoints",
                                path, tensors[i].name, type_name(tensors[i].type));
        total += tensors[i].bytes + 256 + strlen(tensors[i].name);
    }
    /* 16 bits count the members and 32 bits the bytes, without the extension for large archives. */
    if (count > 65000 || total > UINT32_MAX - (1 << 20))
        return report_error(report, DAIN_EINVAL, "%s: too large for a checkpoint", path);
    return DAIN_OK;
}

int pth_write(const char *path, const WeightTensor *tensors, int count, Report *report)
{
    Writer w = { 0 };
    char *temporary;
    int error = check_tensors(path, tensors, count, report);
    if (error)
        return error;
    const int fd = create_temporary(path, &temporary);
    w.file = fd < 0 ? NULL : fdopen(fd, "wb");
    int failed = !w.file;
    if (!failed)
        failed = write_archive(&w, tensors, count) < 0;
    if (failed)
        error = report_error(report, errno == ENOMEM ? DAIN_ENOMEM : DAIN_EIO, "%s: %s", path,
                             strerror(errno));
    if (w.file ? fclose(w.file) != 0 : fd >= 0 && close(fd) != 0)
        error = error ? error : report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    if (!error && replace_file(temporary, path) < 0)
        error = report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    if (error && fd >= 0)
        unlink(temporary);
    bytes_free(&w.directory);
    mem_free(temporary);
    return error;
}
