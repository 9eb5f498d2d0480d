/* A list of cuts as a text file. */
#include "media/cut_list.h"

#include "base/mem.h"
#include "dain/dain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cut_list_free(CutList *list)
{
    mem_free(list->cut);
    *list = (CutList){ 0 };
}

int cut_list_add(CutList *list, Cut cut)
{
    if (!mem_reserve(&list->cut, list->count, &list->size, sizeof *list->cut))
        return DAIN_ENOMEM;
    list->cut[list->count++] = cut;
    return DAIN_OK;
}

void cut_list_drop_last(CutList *list)
{
    if (list->count)
        list->count--;
}

static int by_frame(const void *key, const void *cut)
{
    const int64_t a = *(const int64_t *)key, b = ((const Cut *)cut)->frame;
    return (a > b) - (a < b);
}

bool cut_list_has(const CutList *list, int64_t frame)
{
    return list->count &&
           bsearch(&frame, list->cut, (size_t)list->count, sizeof *list->cut, by_frame);
}

enum { LIMIT = 10000000 };

/* A line without its end: 1 = a number, 0 = nothing in it, or an error. */
static int parse(const char *line, int64_t *frame)
{
    while (*line == ' ' || *line == '\t')
        line++;
    if (!*line || *line == '#' || *line == '\r' || *line == '\n')
        return 0;
    char *end;
    errno = 0;
    *frame = strtoll(line, &end, 10);
    if (end == line || errno || *frame < 0 || (*end && !strchr(" \t\r\n,;", *end)))
        return DAIN_EFORMAT;
    return 1;
}

static int read_lines(CutList *list, FILE *f, const char *path, Report *report)
{
    char line[512];
    int64_t frame;
    for (int number = 1; fgets(line, sizeof line, f); number++) {
        const bool whole = strchr(line, '\n') || feof(f);
        const int r = whole ? parse(line, &frame) : DAIN_EFORMAT;
        if (r < 0)
            return report_error(report, r, "%s: line %d is not a frame number", path, number);
        if (r == 0)
            continue;
        if (list->count && frame <= list->cut[list->count - 1].frame)
            return report_error(report, DAIN_EFORMAT,
                                "%s: line %d: frame %" PRId64 " comes after a later one", path,
                                number, frame);
        if (list->count >= LIMIT || cut_list_add(list, (Cut){ .frame = frame }) < 0)
            return report_error(report, DAIN_ENOMEM, "%s: out of memory", path);
    }
    if (ferror(f))
        return report_error(report, DAIN_EIO, "cannot read %s: %s", path, strerror(errno));
    return DAIN_OK;
}

int cut_list_read(CutList *list, const char *path, Report *report)
{
    *list = (CutList){ 0 };
    FILE *const f = fopen(path, "r");
    if (!f)
        return report_error(report, DAIN_EIO, "cannot open %s: %s", path, strerror(errno));
    const int r = read_lines(list, f, path, report);
    fclose(f);
    if (r < 0)
        cut_list_free(list);
    return r;
}

int cut_list_write(const CutList *list, const char *path, Report *report)
{
    FILE *const f = fopen(path, "w");
    if (!f)
        return report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(errno));
    fprintf(f, "# first frame of each new scene, seconds, score\n");
    for (int i = 0; i < list->count; i++)
        fprintf(f, "%" PRId64 "\t%.6f\t%.2f\n", list->cut[i].frame, list->cut[i].time,
                list->cut[i].score);
    const bool failed = ferror(f);
    if (fclose(f) != 0 || failed)
        return report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(errno));
    return DAIN_OK;
}
