/* How often an animated picture is played: GIF's extension and APNG's chunk for it. */
#include "media/loops.h"

#include "base/mem.h"

#include <errno.h>
#include <libavutil/common.h>
#include <libavutil/intreadwrite.h>
#include <string.h>

/* ---- reading ---- */

/* Comments and profiles may come before it, but not many. */
enum { HEAD = 65536 };

/* Behind the sub-blocks at `at`; size or more if their end is not there. */
static size_t skip_blocks(const uint8_t *p, size_t size, size_t at)
{
    while (at < size && p[at])
        at += 1 + p[at];
    return at + 1;
}

/* What the application extension at `at` says: GIF89a counts repetitions after the first time, by a
 * convention of Netscape's. */
static int parse_extension(const uint8_t *p, size_t size, size_t at)
{
    enum { NAME = 11, WHOLE = 1 + NAME + 1 + 3 };
    if (at + WHOLE > size || p[at] != NAME || p[at + 1 + NAME] < 3 || (p[at + 2 + NAME] & 7) != 1 ||
        (memcmp(p + at + 1, "NETSCAPE2.0", NAME) && memcmp(p + at + 1, "ANIMEXTS1.0", NAME)))
        return LOOPS_UNKNOWN;
    const int repetitions = AV_RL16(p + at + 3 + NAME);
    return repetitions ? repetitions + 1 : LOOPS_ENDLESS;
}

/* To the first image, before which the extension stands; without it the animation is shown once. */
static int parse_gif(const uint8_t *p, size_t size)
{
    enum { SCREEN = 13, EXTENSION = 0x21, IMAGE = 0x2c, APPLICATION = 0xff };
    if (size < SCREEN)
        return LOOPS_UNKNOWN;
    size_t at = SCREEN + (p[10] & 0x80 ? (size_t)3 << ((p[10] & 7) + 1) : 0);
    while (at + 1 < size && p[at] == EXTENSION) {
        const int plays =
            p[at + 1] == APPLICATION ? parse_extension(p, size, at + 2) : LOOPS_UNKNOWN;
        if (plays != LOOPS_UNKNOWN)
            return plays;
        at = skip_blocks(p, size, at + 2);
    }
    return at < size && p[at] == IMAGE ? LOOPS_ONCE : LOOPS_UNKNOWN;
}

/* To the chunk acTL, before the first image data (PNG, third edition, 11.3.6.1). */
static int parse_png(const uint8_t *p, size_t size)
{
    for (size_t at = 8; at + 16 <= size && memcmp(p + at + 4, "IDAT", 4);) {
        const size_t length = AV_RB32(p + at);
        if (!memcmp(p + at + 4, "acTL", 4)) {
            const uint32_t plays = AV_RB32(p + at + 12);
            return length == 8 && plays <= INT32_MAX ? (int)plays : LOOPS_UNKNOWN;
        }
        if (length > size - at - 12)
            return LOOPS_UNKNOWN;
        at += 12 + length;
    }
    return LOOPS_UNKNOWN;
}

int loops_parse(const uint8_t *p, size_t size)
{
    if (size >= 6 && (!memcmp(p, "GIF89a", 6) || !memcmp(p, "GIF87a", 6)))
        return parse_gif(p, size);
    return size >= 8 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8) ? parse_png(p, size) : LOOPS_UNKNOWN;
}

int loops_read(AVFormatContext *format, int *plays)
{
    AVIOContext *const io = format->pb;
    *plays = LOOPS_UNKNOWN;
    if (!io || (strcmp(format->iformat->name, "gif") && strcmp(format->iformat->name, "apng")))
        return 0;
    const int64_t here = avio_tell(io);
    /* In a pipe one can go back and forth in what lies in the buffer. */
    const int64_t there =
        io->seekable & AVIO_SEEKABLE_NORMAL ? HEAD : here + (io->buf_end - io->buf_ptr);
    if (avio_seek(io, 0, SEEK_SET) != 0)
        return 0;
    uint8_t *const head = mem_alloc(HEAD);
    if (!head)
        return AVERROR(ENOMEM);
    const int size = avio_read(io, head, there < HEAD ? (int)there : HEAD);
    if (size > 0)
        *plays = loops_parse(head, (size_t)size);
    mem_free(head);
    const int64_t back = avio_seek(io, here, SEEK_SET);
    return back < 0 ? (int)back : 0;
}

/* ---- writing ---- */

int loops_set(AVDictionary **options, const AVOutputFormat *container, int plays, bool circle)
{
    enum { MOST = 65535 }; /* of both muxers */
    if (plays == LOOPS_UNKNOWN || (plays == LOOPS_ONCE && circle))
        plays = LOOPS_ENDLESS;
    if (!strcmp(container->name, "apng"))
        return av_dict_set_int(options, "plays", FFMIN(plays, MOST), 0);
    if (strcmp(container->name, "gif"))
        return 0;
    const int repetitions = plays == LOOPS_ENDLESS ? 0 : plays == LOOPS_ONCE ? -1 : plays - 1;
    return av_dict_set_int(options, "loop", FFMIN(repetitions, MOST), 0);
}
