/* Whether a file is as long as the structure of its container says. */
#include "media/intact.h"

#include <libavutil/intreadwrite.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Parts of a file that are looked at, at most: a broken one may have many. */
enum { PARTS = 1 << 20 };

typedef struct Bytes {
    FILE *file;
    int64_t size;
} Bytes;

/* As many bytes as there are, up to count. */
static int read_at(const Bytes *b, int64_t at, uint8_t *to, int count)
{
    if (at < 0 || at >= b->size || fseeko(b->file, (off_t)at, SEEK_SET) != 0)
        return 0;
    return (int)fread(to, 1, (size_t)count, b->file);
}

/* How far a part reaches beyond the end; length may be anything. */
static int64_t beyond(const Bytes *b, int64_t at, uint64_t length)
{
    if (length > (uint64_t)INT64_MAX / 2)
        return 0; /* that is no length */
    const int64_t end = at + (int64_t)length;
    return end > b->size ? end - b->size : 0;
}

/* ---- Matroska (RFC 8794 and 9559) ---- */

enum { EBML = 0x1a45dfa3, SEGMENT = 0x18538067 };

typedef struct Element {
    uint32_t id;
    int64_t data; /* where it begins */
    uint64_t length;
    bool open; /* the length is not given */
} Element;

static uint64_t number(const uint8_t *p, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | p[i];
    return value;
}

static int bytes_of(uint8_t first)
{
    int count = 1;
    while (count <= 8 && !(first & (0x80 >> (count - 1))))
        count++;
    return count;
}

static bool read_element(const Bytes *b, int64_t at, Element *e)
{
    uint8_t head[12];
    const int there = read_at(b, at, head, sizeof head);
    const int id = there > 0 ? bytes_of(head[0]) : 9;
    if (id > 4 || there <= id)
        return false;
    const int size = bytes_of(head[id]);
    if (size > 8 || there < id + size)
        return false;
    e->id = (uint32_t)number(head, id);
    e->data = at + id + size;
    e->length = number(head + id, size) & ((UINT64_C(1) << (7 * size)) - 1);
    e->open = e->length == (UINT64_C(1) << (7 * size)) - 1;
    return true;
}

static int64_t matroska_missing(const Bytes *b)
{
    Element e;
    if (!read_element(b, 0, &e) || e.id != EBML || e.open || e.length > (uint64_t)b->size ||
        !read_element(b, e.data + (int64_t)e.length, &e) || e.id != SEGMENT)
        return 0;
    if (!e.open)
        return beyond(b, e.data, e.length);
    int64_t at = e.data;
    for (int i = 0; i < PARTS && read_element(b, at, &e) && !e.open; i++) {
        const int64_t missing = beyond(b, e.data, e.length);
        if (missing || e.length > (uint64_t)b->size)
            return missing;
        at = e.data + (int64_t)e.length;
    }
    return 0;
}

/* ---- MP4 and MOV (ISO/IEC 14496-12, 4.2) ---- */

/* Whether these are the first bytes of a box that stands beside the movie and its data. */
static bool is_box(const uint8_t *head)
{
    static const char types[][5] = { "ftyp", "styp", "moov", "mdat", "moof", "mfra", "meta",
                                     "meco", "sidx", "ssix", "prft", "emsg", "pdin", "free",
                                     "skip", "wide", "uuid", "udta", "pnot", "PICT" };
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++)
        if (!memcmp(head + 4, types[i], 4))
            return true;
    return false;
}

/* Once the movie and its data are whole, what follows may be anything: cameras, editors and sites
 * leave marks of their own there. */
static int64_t mp4_missing(const Bytes *b)
{
    bool movie = false, data = false;
    int64_t at = 0;
    for (int i = 0; i < PARTS && at < b->size; i++) {
        uint8_t head[16];
        const int there = read_at(b, at, head, sizeof head);
        const bool whole = movie && data;
        if (there < 8)
            return whole ? 0 : 8 - there;
        if (whole && !is_box(head))
            return 0;
        uint64_t length = AV_RB32(head);
        if (length == 0)
            return 0; /* to the end of the file */
        if (length == 1)
            length = there < 16 ? 16 : AV_RB64(head + 8);
        const int64_t missing = beyond(b, at, length);
        if (missing || length < 8 || length > (uint64_t)b->size)
            return missing;
        movie |= !memcmp(head + 4, "moov", 4);
        data |= !memcmp(head + 4, "mdat", 4);
        at += (int64_t)length;
    }
    return 0;
}

/* ---- AVI (RIFF; OpenDML has several) ---- */

static int64_t riff_missing(const Bytes *b)
{
    uint8_t head[8];
    int64_t at = 0;
    for (int i = 0; i < PARTS && read_at(b, at, head, sizeof head) == sizeof head; i++) {
        const uint32_t length = AV_RL32(head + 4);
        if (memcmp(head, "RIFF", 4) != 0 || length == 0 || length == UINT32_MAX)
            return 0;
        const int64_t missing = beyond(b, at + 8, length);
        if (missing)
            return missing;
        at += 8 + (int64_t)length + (length & 1);
    }
    return 0;
}

/* ---- Ogg (RFC 3533, 6) ---- */

/* Length of a page from its head, 0 if it is none. */
static int64_t page_length(const Bytes *b, int64_t at, bool *last)
{
    enum { HEAD = 27, SEGMENTS = 255 };
    uint8_t head[HEAD + SEGMENTS];
    const int there = read_at(b, at, head, sizeof head);
    if (there < HEAD || memcmp(head, "OggS", 4) != 0)
        return 0;
    int64_t length = HEAD + head[26];
    for (int i = 0; i < head[26] && HEAD + i < there; i++)
        length += head[HEAD + i];
    *last = head[5] & 4;
    return length;
}

/* Page by page. Streams end each with a mark; where none has one there is at least a byte to come. */
static int64_t ogg_missing(const Bytes *b)
{
    bool last = false, any = false;
    int64_t at = 0, length;
    for (int i = 0; i < PARTS && at < b->size; i++) {
        if ((length = page_length(b, at, &last)) == 0)
            return 0; /* damaged, but not only at its end */
        any |= last;
        at += length;
    }
    return at > b->size ? at - b->size : !any;
}

int64_t intact_missing_bytes(const char *path)
{
    uint8_t head[12];
    struct stat st;
    int64_t missing = 0;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    const Bytes b = { fopen(path, "rbe"), st.st_size };
    if (!b.file)
        return 0;
    if (read_at(&b, 0, head, sizeof head) == sizeof head) {
        if (AV_RB32(head) == EBML)
            missing = matroska_missing(&b);
        else if (!memcmp(head + 4, "ftyp", 4) || !memcmp(head + 4, "moov", 4) ||
                 !memcmp(head + 4, "mdat", 4) || !memcmp(head + 4, "wide", 4))
            missing = mp4_missing(&b);
        else if (!memcmp(head, "RIFF", 4) && !memcmp(head + 8, "AVI ", 4))
            missing = riff_missing(&b);
        else if (!memcmp(head, "OggS", 4))
            missing = ogg_missing(&b);
    }
    fclose(b.file);
    return missing;
}
