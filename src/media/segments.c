/* Packets of a video in segments: a folder with a journal and a file for each. */
#include "media/segments.h"

#include "base/mem.h"
#include "media/journal.h"
#include "media/outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libavutil/crc.h>
#include <libavutil/intreadwrite.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A packet in a segment: pts, dts, duration (64 bits each), flags, size, pieces of side data (32
 * bits each), little endian; for each piece its type and size and content; the content. */
enum { HEAD = 36, PIECE_HEAD = 8, PIECES = 64 };

struct Segments {
    Report *report;
    char *folder, *journal_path, *path; /* path: of the segment at hand */
    const char *target;
    Journal journal;
    FILE *file;
    int64_t bytes; /* of it, so far */
    uint32_t sum;
    int reading;  /* number of the segment that is read, -1 = none */
    int64_t left; /* bytes of it */
    bool partial; /* there is a segment after those in the journal */
    bool inherited;
};

static const char folder_suffix[] = ".dain-segments";

static int no_memory(Report *report)
{
    return report_error(report, DAIN_ENOMEM, "out of memory");
}

static char *join_path(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *const path = mem_alloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static char *journal_of(const char *target)
{
    char *const folder = outfile_beside(target, folder_suffix);
    char *const path = folder ? join_path(folder, "journal") : NULL;
    mem_free(folder);
    return path;
}

/* ---- the folder ---- */

bool segments_exist(const char *target)
{
    char *const path = journal_of(target);
    const bool there = path && access(path, F_OK) == 0;
    mem_free(path);
    return there;
}

bool segments_may_replace(const char *target)
{
    char *const path = journal_of(target);
    Journal j = { 0 };
    const bool may = path && journal_read(&j, path, NULL) == DAIN_OK && j.replace;
    mem_free(path);
    journal_free(&j);
    return may;
}

/* Whether the name is one that this file gives. */
static bool is_ours(const char *name)
{
    return !strcmp(name, "journal") || !strcmp(name, "journal.new") ||
           (strlen(name) == 8 && strspn(name, "0123456789") == 8);
}

/* Removes our files from number `from` on, and the folder if from is 0. */
static int clear(const char *folder, int from, Report *report)
{
    DIR *const dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? DAIN_OK
                               : report_error(report, DAIN_EIO, "%s: %s", folder, strerror(errno));
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        const bool journal = entry->d_name[0] == 'j';
        int number = 0;
        if (!is_ours(entry->d_name) ||
            (from && (journal || sscanf(entry->d_name, "%d", &number) != 1 || number < from)))
            continue;
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    if (from == 0 && rmdir(folder) != 0 && errno != ENOENT)
        return report_error(report, DAIN_EIO, "cannot remove %s: %s", folder, strerror(errno));
    return DAIN_OK;
}

int segments_remove(const char *target, Report *report)
{
    char *const folder = outfile_beside(target, folder_suffix);
    const int r = folder ? clear(folder, 0, report) : no_memory(report);
    mem_free(folder);
    return r;
}

/* The path of a segment in s->path. */
static int name_segment(Segments *s, int number)
{
    char name[16];
    snprintf(name, sizeof name, "%08d", number);
    mem_free(s->path);
    s->path = join_path(s->folder, name);
    return s->path ? DAIN_OK : no_memory(s->report);
}

/* Whether a segment is what the journal says. */
static int check_segment(Segments *s, int number, bool *good)
{
    const JournalSegment *const entry = &s->journal.segments[number];
    *good = false;
    const int r = name_segment(s, number);
    if (r < 0)
        return r;
    FILE *const f = fopen(s->path, "rb");
    if (!f)
        return DAIN_OK;
    uint8_t buffer[65536];
    uint32_t sum = 0;
    int64_t bytes = 0;
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, f)) > 0; bytes += (int64_t)got)
        sum = av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), sum, buffer, got);
    fclose(f);
    *good = bytes == entry->bytes && sum == entry->sum;
    return DAIN_OK;
}

/* Goes on with what the journal says and the segments hold. */
static int take_over(Segments *s, const SegmentSettings *settings)
{
    char phrase[160];
    int r = journal_read(&s->journal, s->journal_path, s->report);
    if (r < 0)
        return r;
    if (journal_differs(&s->journal, settings->facts, phrase, sizeof phrase))
        return report_error(s->report, DAIN_EINVAL,
                            "--resume: %s was begun otherwise: %s (without --resume, -y begins "
                            "anew)",
                            s->target, phrase);
    bool good = true;
    for (int i = 0; i < s->journal.count && good; i++) {
        if ((r = check_segment(s, i, &good)) < 0)
            return r;
        if (!good) {
            report_log(s->report, DAIN_LOG_WARNING, "segment %d is damaged: it is made again", i);
            journal_cut(&s->journal, i);
        }
    }
    /* A segment is begun where the mark of the one before says; without, from the beginning. */
    s->inherited = true;
    return clear(s->folder, s->journal.count ? s->journal.count : 1, s->report);
}

static int begin_anew(Segments *s, const SegmentSettings *settings, bool overwrite)
{
    int r = clear(s->folder, 0, s->report);
    if (r >= 0)
        r = journal_start(&s->journal, settings->facts, overwrite, s->report);
    if (r >= 0 && mkdir(s->folder, 0777) != 0)
        r = report_error(s->report, DAIN_EIO, "cannot make %s: %s", s->folder, strerror(errno));
    if (r >= 0)
        r = journal_write(&s->journal, s->journal_path, s->report);
    return r;
}

int segments_open(Segments **segments, const char *target, const SegmentSettings *settings,
                  bool overwrite, Report *report)
{
    *segments = NULL;
    Segments *s = mem_calloc(1, sizeof *s);
    if (!s)
        return no_memory(report);
    s->report = report;
    s->target = target;
    s->reading = -1;
    s->folder = outfile_beside(target, folder_suffix);
    s->journal_path = journal_of(target);
    int r;
    if (!s->folder || !s->journal_path)
        r = no_memory(report);
    else if (access(s->journal_path, F_OK) != 0)
        r = begin_anew(s, settings, overwrite);
    else if (settings->resume)
        r = take_over(s, settings);
    else if (overwrite)
        r = begin_anew(s, settings, overwrite);
    else
        r = report_error(report, DAIN_EINVAL,
                         "a run that ended early left a part of %s: --resume goes on with it, -y "
                         "begins anew",
                         target);
    if (r < 0) {
        /* What is there belongs to another run. */
        s->inherited = true;
        segments_free(&s, false);
        return r;
    }
    *segments = s;
    return DAIN_OK;
}

static int close_file(Segments *s)
{
    FILE *const f = s->file;
    s->file = NULL;
    return f && fclose(f) != 0 ? -1 : 0;
}

void segments_free(Segments **segments, bool all_done)
{
    Segments *const s = *segments;
    *segments = NULL;
    if (!s)
        return;
    close_file(s);
    if (s->folder && (all_done || (!s->inherited && s->journal.count == 0)))
        clear(s->folder, 0, s->report);
    else if (s->partial && s->path && name_segment(s, s->journal.count) >= 0)
        unlink(s->path);
    journal_free(&s->journal);
    mem_free(s->folder);
    mem_free(s->journal_path);
    mem_free(s->path);
    mem_free(s);
}

int segments_count(const Segments *s)
{
    return s->journal.count;
}

bool segments_whole(const Segments *s)
{
    return s->journal.whole;
}

const char *segments_mark(const Segments *s)
{
    return s->journal.count ? s->journal.segments[s->journal.count - 1].mark : NULL;
}

/* ---- writing ---- */

static int cannot_write(Segments *s)
{
    return report_error(s->report, DAIN_EIO, "cannot write %s: %s", s->path, strerror(errno));
}

static int put(Segments *s, const void *data, size_t size)
{
    if (fwrite(data, 1, size, s->file) != size)
        return cannot_write(s);
    s->sum = av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), s->sum, data, size);
    s->bytes += (int64_t)size;
    return DAIN_OK;
}

static int begin_file(Segments *s)
{
    const int r = name_segment(s, s->journal.count);
    if (r < 0)
        return r;
    s->bytes = 0;
    s->sum = 0;
    s->file = fopen(s->path, "wb");
    s->partial = true;
    return s->file ? DAIN_OK : cannot_write(s);
}

int segments_write(Segments *s, const AVPacket *p)
{
    int r = s->file ? DAIN_OK : begin_file(s);
    uint8_t head[HEAD];
    const int pieces = p->side_data_elems < PIECES ? p->side_data_elems : PIECES;
    AV_WL64(head, (uint64_t)p->pts);
    AV_WL64(head + 8, (uint64_t)p->dts);
    AV_WL64(head + 16, (uint64_t)p->duration);
    AV_WL32(head + 24, (uint32_t)p->flags);
    AV_WL32(head + 28, (uint32_t)p->size);
    AV_WL32(head + 32, (uint32_t)pieces);
    if (r >= 0)
        r = put(s, head, sizeof head);
    for (int i = 0; i < pieces && r >= 0; i++) {
        const AVPacketSideData *const d = &p->side_data[i];
        AV_WL32(head, (uint32_t)d->type);
        AV_WL32(head + 4, (uint32_t)d->size);
        r = put(s, head, PIECE_HEAD);
        if (r >= 0)
            r = put(s, d->data, d->size);
    }
    return r < 0 ? r : put(s, p->data, (size_t)p->size);
}

int segments_close(Segments *s, char *mark, bool whole)
{
    if (!s->file) {
        mem_free(mark);
        return DAIN_OK;
    }
    if (fflush(s->file) != 0 || fsync(fileno(s->file)) != 0 || close_file(s) != 0) {
        mem_free(mark);
        return cannot_write(s);
    }
    s->partial = false;
    int r = journal_add(&s->journal, s->bytes, s->sum, mark, s->report);
    s->journal.whole = whole;
    if (r >= 0)
        r = journal_write(&s->journal, s->journal_path, s->report);
    return r;
}

int segments_set_replace(Segments *s)
{
    if (s->journal.replace)
        return DAIN_OK;
    s->journal.replace = true;
    return journal_write(&s->journal, s->journal_path, s->report);
}

/* ---- reading ---- */

int segments_rewind(Segments *s)
{
    if (s->file && close_file(s) != 0)
        return cannot_write(s);
    s->reading = -1;
    s->left = 0;
    return DAIN_OK;
}

static int damaged(Segments *s)
{
    return report_error(s->report, DAIN_EFORMAT, "%s is damaged", s->path);
}

/* Opens the next segment: 1, 0 = there is none. */
static int next_file(Segments *s)
{
    close_file(s);
    if (++s->reading >= s->journal.count + s->partial)
        return 0;
    const int r = name_segment(s, s->reading);
    if (r < 0)
        return r;
    s->file = fopen(s->path, "rb");
    struct stat st;
    if (!s->file || fstat(fileno(s->file), &st) != 0)
        return report_error(s->report, DAIN_EIO, "%s: %s", s->path, strerror(errno));
    s->left = st.st_size;
    return 1;
}

static int get(Segments *s, void *data, size_t size)
{
    if ((int64_t)size > s->left || fread(data, 1, size, s->file) != size)
        return damaged(s);
    s->left -= (int64_t)size;
    return DAIN_OK;
}

static int read_side_data(Segments *s, AVPacket *p, uint32_t pieces)
{
    for (uint32_t i = 0; i < pieces; i++) {
        uint8_t head[PIECE_HEAD];
        const int r = get(s, head, sizeof head);
        if (r < 0)
            return r;
        const uint32_t type = AV_RL32(head), size = AV_RL32(head + 4);
        if (type >= AV_PKT_DATA_NB || size > s->left)
            return damaged(s);
        uint8_t *const data = av_packet_new_side_data(p, (enum AVPacketSideDataType)type, size);
        if (!data)
            return no_memory(s->report);
        if (get(s, data, size) < 0)
            return DAIN_EFORMAT;
    }
    return DAIN_OK;
}

static int read_packet(Segments *s, AVPacket *p)
{
    uint8_t head[HEAD];
    int r = get(s, head, sizeof head);
    if (r < 0)
        return r;
    const uint32_t size = AV_RL32(head + 28), pieces = AV_RL32(head + 32);
    if (size > s->left || size > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE || pieces > PIECES)
        return damaged(s);
    if (av_new_packet(p, (int)size) < 0)
        return no_memory(s->report);
    p->pts = (int64_t)AV_RL64(head);
    p->dts = (int64_t)AV_RL64(head + 8);
    p->duration = (int64_t)AV_RL64(head + 16);
    p->flags = (int)AV_RL32(head + 24);
    r = read_side_data(s, p, pieces);
    return r < 0 ? r : get(s, p->data, size);
}

int segments_read(Segments *s, AVPacket *p)
{
    while (s->left == 0) {
        const int r = next_file(s);
        if (r <= 0)
            return r;
    }
    const int r = read_packet(s, p);
    if (r < 0)
        av_packet_unref(p);
    return r < 0 ? r : 1;
}
