/* Reading stored zip archives. Sizes and places come from the central directory and are checked;
 * local headers, which PyTorch leaves without sizes, only tell how long they are. */
#include "weights/zip.h"

#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    COMMENT_MAX = 65535,
    EXTRA_ZIP64 = 1,
    FLAG_ENCRYPTED = 1,
    MEMBERS_MAX = 1 << 18
};

typedef struct Archive {
    const unsigned char *data;
    size_t size;
    const char *name;
    Report *report;
} Archive;

/* The central directory. */
typedef struct Directory {
    uint64_t offset, size, count;
} Directory;

static uint32_t get16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const unsigned char *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static uint64_t get64(const unsigned char *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static int bad(const Archive *a, const char *problem)
{
    return report_error(a->report, DAIN_EFORMAT, "%s: %s", a->name, problem);
}

/* The record at the end, searched backwards over a possible comment. */
static int find_directory(const Archive *a, Directory *d)
{
    const unsigned char *end = NULL;
    for (size_t back = END_BYTES; back <= END_BYTES + COMMENT_MAX && back <= a->size; back++) {
        const unsigned char *p = a->data + a->size - back;
        if (get32(p) == END_SIGNATURE && get16(p + 20) <= back - END_BYTES) {
            end = p;
            break;
        }
    }
    if (!end)
        return bad(a, "the archive has no directory: it is cut short or damaged");
    d->count = get16(end + 10);
    d->size = get32(end + 12);
    d->offset = get32(end + 16);
    if (get16(end + 4) || get16(end + 6) || get16(end + 8) != get16(end + 10))
        return bad(a, "an archive in several parts");
    const unsigned char *locator = end - LOCATOR64_BYTES;
    if (end - a->data >= LOCATOR64_BYTES && get32(locator) == LOCATOR64_SIGNATURE) {
        const uint64_t at = get64(locator + 8);
        if (at > a->size || a->size - at < END64_BYTES || get32(a->data + at) != END64_SIGNATURE)
            return bad(a, "the archive's directory is damaged");
        const unsigned char *end64 = a->data + at;
        d->count = get64(end64 + 32);
        d->size = get64(end64 + 40);
        d->offset = get64(end64 + 48);
    }
    if (d->offset > a->size || d->size > a->size - d->offset || d->count > d->size / CENTRAL_BYTES)
        return bad(a, "the archive's directory is damaged");
    if (d->count > MEMBERS_MAX)
        return bad(a, "the archive has too many members");
    return DAIN_OK;
}

/* Sizes and offset that do not fit 32 bits stand in an extra field, in this order. */
static int read_zip64(const unsigned char *extra, size_t size, uint64_t *values[3], int count)
{
    while (size >= 4) {
        const size_t length = get16(extra + 2);
        if (length > size - 4)
            return -1;
        if (get16(extra) == EXTRA_ZIP64) {
            if (length < 8 * (size_t)count)
                return -1;
            for (int i = 0; i < count; i++)
                *values[i] = get64(extra + 4 + 8 * i);
            return 0;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
    return -1;
}

/* One entry of the directory at p; *length is its size. */
static int read_entry(const Archive *a, const unsigned char *p, size_t left, ZipMember *m,
                      size_t *length)
{
    if (left < CENTRAL_BYTES || get32(p) != CENTRAL_SIGNATURE)
        return bad(a, "the archive's directory is damaged");
    const size_t name_size = get16(p + 28), extra_size = get16(p + 30);
    *length = CENTRAL_BYTES + name_size + extra_size + get16(p + 32);
    if (*length > left)
        return bad(a, "the archive's directory is damaged");
    uint64_t packed = get32(p + 20), size = get32(p + 24), offset = get32(p + 42);
    uint64_t *wide[3];
    int wides = 0;
    if (size == UINT32_MAX)
        wide[wides++] = &size;
    if (packed == UINT32_MAX)
        wide[wides++] = &packed;
    if (offset == UINT32_MAX)
        wide[wides++] = &offset;
    if (wides && read_zip64(p + CENTRAL_BYTES + name_size, extra_size, wide, wides) < 0)
        return bad(a, "the archive's directory is damaged");
    if (get16(p + 10) != 0 || (get16(p + 8) & FLAG_ENCRYPTED) || packed != size)
        return report_error(a->report, DAIN_EUNSUPPORTED,
                            "%s: an archive with compressed or encrypted members; PyTorch stores "
                            "them as they are",
                            a->name);
    if (offset > a->size || a->size - offset < LOCAL_BYTES ||
        get32(a->data + offset) != LOCAL_SIGNATURE)
        return bad(a, "a member of the archive lies outside it");
    const unsigned char *local = a->data + offset;
    const uint64_t header = LOCAL_BYTES + (uint64_t)get16(local + 26) + get16(local + 28);
    if (header > a->size - offset || size > a->size - offset - header)
        return bad(a, "a member of the archive lies outside it: it is cut short or damaged");
    m->name = (const char *)p + CENTRAL_BYTES;
    m->name_size = name_size;
    m->data = local + header;
    m->size = (size_t)size;
    m->crc = get32(p + 16);
    return DAIN_OK;
}

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int by_name(const void *a, const void *b)
{
    const ZipMember *x = a, *y = b;
    return compare_names(x->name, x->name_size, y->name, y->name_size);
}

static int by_place(const void *a, const void *b)
{
    const ZipMember *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

/* Members that share bytes are how archives grow when they are read. */
static int check_overlap(const Archive *a, ZipMember *members, int count)
{
    if (count > 1)
        qsort(members, (size_t)count, sizeof(*members), by_place);
    for (int i = 1; i < count; i++)
        if (members[i - 1].data + members[i - 1].size > members[i].data)
            return bad(a, "members of the archive overlap");
    if (count > 1)
        qsort(members, (size_t)count, sizeof(*members), by_name);
    for (int i = 1; i < count; i++)
        if (!by_name(&members[i - 1], &members[i]))
            return bad(a, "two members of the archive have the same name");
    return DAIN_OK;
}

int zip_list(ZipMember **members, int *count, const void *data, size_t size, const char *name,
             Report *report)
{
    const Archive a = { data, size, name, report };
    Directory d = { 0 };
    *members = NULL;
    *count = 0;
    int error = find_directory(&a, &d);
    if (error)
        return error;
    ZipMember *list = mem_calloc((size_t)d.count, sizeof(*list));
    if (!list)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for the directory", name);
    size_t at = 0;
    for (uint64_t i = 0; !error && i < d.count; i++) {
        size_t length = 0;
        error = read_entry(&a, a.data + d.offset + at, (size_t)d.size - at, &list[i], &length);
        at += length;
    }
    if (!error)
        error = check_overlap(&a, list, (int)d.count);
    if (error) {
        mem_free(list);
        return error;
    }
    *members = list;
    *count = (int)d.count;
    return DAIN_OK;
}

const ZipMember *zip_find(const ZipMember *members, int count, const char *name, size_t name_size)
{
    const ZipMember wanted = { .name = name, .name_size = name_size };
    return count ? bsearch(&wanted, members, (size_t)count, sizeof(*members), by_name) : NULL;
}

uint32_t zip_crc32(uint32_t crc, const void *data, size_t size)
{
    /* Four bits at a time: 16 entries that fit in one cache line. */
    static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
    const unsigned char *p = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc = table[(crc ^ p[i]) & 15] ^ crc >> 4;
        crc = table[(crc ^ p[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}
