/* The journal of a video that is made in segments. */
#include "media/journal.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libavutil/crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char first_line[] = "dain journal 1";

/* Longest journal that is read: a day of video in segments of ten frames is shorter. */
enum { LONGEST = 64 << 20 };

static int no_memory(Report *report)
{
    return report_error(report, DAIN_ENOMEM, "out of memory");
}

/* ---- content ---- */

void journal_free(Journal *j)
{
    for (int i = 0; i < j->fact_count; i++)
        mem_free(j->facts[i]);
    mem_free(j->facts);
    journal_cut(j, 0);
    mem_free(j->segments);
    memset(j, 0, sizeof *j);
}

void journal_cut(Journal *j, int count)
{
    while (j->count > count) {
        mem_free(j->segments[--j->count].mark);
        j->whole = false;
    }
}

int journal_start(Journal *j, const char *const *facts, bool replace, Report *report)
{
    int count = 0;
    memset(j, 0, sizeof *j);
    while (facts[count])
        count++;
    j->replace = replace;
    j->facts = mem_calloc((size_t)count + 1, sizeof *j->facts);
    for (int i = 0; j->facts && i < count; i++) {
        if (!(j->facts[i] = mem_strdup(facts[i])))
            break;
        j->facts[i][strcspn(j->facts[i], "\n")] = 0; /* one line each */
        j->fact_count++;
    }
    if (j->fact_count == count && j->facts)
        return DAIN_OK;
    journal_free(j);
    return no_memory(report);
}

int journal_add(Journal *j, int64_t bytes, uint32_t sum, char *mark, Report *report)
{
    if (!mem_reserve(&j->segments, j->count, &j->room, sizeof *j->segments)) {
        mem_free(mark);
        return no_memory(report);
    }
    j->segments[j->count++] = (JournalSegment){ bytes, sum, mark };
    return DAIN_OK;
}

/* Length of the name in "NAME=VALUE". */
static size_t name_length(const char *fact)
{
    return strcspn(fact, "=");
}

static const char *value_of(const char *const *facts, int count, const char *like)
{
    const size_t length = name_length(like);
    for (int i = 0; i < count; i++)
        if (name_length(facts[i]) == length && !strncmp(facts[i], like, length))
            return facts[i] + length + (facts[i][length] == '=');
    return NULL;
}

/* Only first lines are kept. */
static bool same_line(const char *a, const char *b)
{
    const size_t length = strcspn(a, "\n");
    return length == strcspn(b, "\n") && !strncmp(a, b, length);
}

static const char *shown(const char *value)
{
    return !value ? "not there" : *value ? value : "not given";
}

bool journal_differs(const Journal *j, const char *const *facts, char *phrase, size_t size)
{
    const char *const *const mine = (const char *const *)j->facts;
    int count = 0;
    while (facts[count])
        count++;
    for (int k = 0; k < 2; k++) {
        const char *const *const from = k ? facts : mine;
        for (int i = 0; i < (k ? count : j->fact_count); i++) {
            const char *const was = value_of(mine, j->fact_count, from[i]);
            const char *const is = value_of(facts, count, from[i]);
            if (was && is && same_line(was, is))
                continue;
            snprintf(phrase, size, "%.*s was %.60s and is %.60s", (int)name_length(from[i]),
                     from[i], shown(was), shown(is));
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

static uint32_t sum_of(const char *text, size_t size)
{
    return av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), 0, (const uint8_t *)text, size);
}

/* The whole file, ended by a zero. */
static int read_text(const char *path, char **text, size_t *size, Report *report)
{
    *text = NULL;
    FILE *const f = fopen(path, "rb");
    if (!f) {
        if (errno == ENOENT)
            return DAIN_EIO;
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    }
    int r = DAIN_OK;
    long length = -1;
    if (fseek(f, 0, SEEK_END) != 0 || (length = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
        r = report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    else if (length > LONGEST)
        r = report_error(report, DAIN_EFORMAT, "%s is damaged", path);
    else if (!(*text = mem_alloc((size_t)length + 1)))
        r = no_memory(report);
    else if (fread(*text, 1, (size_t)length, f) != (size_t)length)
        r = report_error(report, DAIN_EIO, "%s cannot be read", path);
    else
        (*text)[ *size = (size_t)length] = 0;
    fclose(f);
    if (r < 0) {
        mem_free(*text);
        *text = NULL;
        errno = EIO;
    }
    return r;
}

/* Cuts off the last line, "sum CRC", and compares. */
static bool sum_is_right(char *text, size_t size)
{
    if (size == 0 || strlen(text) != size || text[size - 1] != '\n')
        return false;
    text[size - 1] = 0;
    char *const last = strrchr(text, '\n');
    uint32_t sum;
    char rest;
    if (!last || sscanf(last + 1, "sum %8" SCNx32 "%c", &sum, &rest) != 1)
        return false;
    last[1] = 0;
    return sum == sum_of(text, (size_t)(last + 1 - text));
}

static int parse_line(Journal *j, const char *line, Report *report)
{
    int64_t bytes;
    uint32_t sum;
    char rest;
    if (sscanf(line, "segment %" SCNd64 " %8" SCNx32 "%c", &bytes, &sum, &rest) == 2 && bytes > 0)
        return journal_add(j, bytes, sum, NULL, report);
    if (!strncmp(line, "mark ", 5) && j->count && !j->segments[j->count - 1].mark) {
        j->segments[j->count - 1].mark = mem_strdup(line + 5);
        return j->segments[j->count - 1].mark ? DAIN_OK : no_memory(report);
    }
    if (!strcmp(line, "replace"))
        j->replace = true;
    else if (!strcmp(line, "whole"))
        j->whole = true;
    else
        return DAIN_EFORMAT;
    return DAIN_OK;
}

static int parse(Journal *j, char *text, const char *path, Report *report)
{
    int r = DAIN_OK, lines = 0, facts = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    j->facts = mem_calloc((size_t)lines + 1, sizeof *j->facts);
    if (!j->facts)
        return no_memory(report);
    char *save = NULL;
    char *line = strtok_r(text, "\n", &save);
    if (!line || strcmp(line, first_line))
        r = DAIN_EFORMAT;
    while (r == DAIN_OK && (line = strtok_r(NULL, "\n", &save))) {
        if (strncmp(line, "fact ", 5)) {
            r = parse_line(j, line, report);
        } else {
            j->facts[facts] = mem_strdup(line + 5);
            r = j->facts[facts] ? DAIN_OK : no_memory(report);
            j->fact_count = facts += r == DAIN_OK;
        }
    }
    if (r == DAIN_EFORMAT)
        report_error(report, r, "%s is damaged", path);
    return r;
}

int journal_read(Journal *j, const char *path, Report *report)
{
    char *text;
    size_t size = 0;
    memset(j, 0, sizeof *j);
    int r = read_text(path, &text, &size, report);
    if (r < 0)
        return r;
    if (sum_is_right(text, size))
        r = parse(j, text, path, report);
    else
        r = report_error(report, DAIN_EFORMAT, "%s is damaged", path);
    mem_free(text);
    if (r < 0)
        journal_free(j);
    errno = 0;
    return r;
}

/* ---- writing ---- */

static void print(const Journal *j, FILE *f)
{
    fprintf(f, "%s\n", first_line);
    for (int i = 0; i < j->fact_count; i++)
        fprintf(f, "fact %s\n", j->facts[i]);
    if (j->replace)
        fputs("replace\n", f);
    for (int i = 0; i < j->count; i++) {
        const JournalSegment *const s = &j->segments[i];
        fprintf(f, "segment %" PRId64 " %08" PRIx32 "\n", s->bytes, s->sum);
        if (s->mark)
            fprintf(f, "mark %s\n", s->mark);
    }
    if (j->whole)
        fputs("whole\n", f);
}

/* Writes, and waits until it is on the disk. */
static bool write_text(const char *path, const char *text, size_t size)
{
    FILE *const f = fopen(path, "wb");
    if (!f)
        return false;
    const bool written = fwrite(text, 1, size, f) == size &&
                         fprintf(f, "sum %08" PRIx32 "\n", sum_of(text, size)) > 0 &&
                         fflush(f) == 0 && fsync(fileno(f)) == 0;
    const int error = errno;
    const bool closed = fclose(f) == 0;
    if (!written)
        errno = error;
    return written && closed;
}

int journal_write(const Journal *j, const char *path, Report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *const f = open_memstream(&text, &size);
    if (!f)
        return no_memory(report);
    print(j, f);
    if (fclose(f) != 0) {
        free(text);
        return no_memory(report);
    }
    const size_t length = strlen(path) + sizeof ".new";
    char *const beside = mem_alloc(length);
    int r = beside ? DAIN_OK : no_memory(report);
    if (beside) {
        snprintf(beside, length, "%s.new", path);
        if (!write_text(beside, text, size) || rename(beside, path) != 0) {
            r = report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(errno));
            unlink(beside);
        }
    }
    mem_free(beside);
    free(text);
    return r;
}
