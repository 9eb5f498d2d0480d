/* The pictures of a sequence: found in a folder or by a pattern, sorted, numbered. */
#include "media/picture_list.h"

#include "base/mem.h"
#include "media/ratio.h"
#include "media/still.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* More digits than these are no frame numbers, and less than 64 bits hold them. */
enum { DIGITS = 15 };

bool picture_pattern_parse(const char *text, PicturePattern *pattern)
{
    const char *const slash = strrchr(text, '/');
    const char *const percent = strchr(slash ? slash + 1 : text, '%');
    if (!percent)
        return false;
    const char *p = percent + 1;
    int digits = 0;
    while (isdigit((unsigned char)*p) && digits < 100)
        digits = 10 * digits + (*p++ - '0');
    if (*p != 'd' || digits > DIGITS || strchr(p, '%'))
        return false;
    *pattern = (PicturePattern){ .prefix = (int)(percent - text),
                                 .digits = digits ? digits : 1,
                                 .suffix = (int)(p + 1 - text) };
    return true;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool picture_list_wanted(const char *path)
{
    struct stat st;
    PicturePattern pattern;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode);
    return picture_pattern_parse(path, &pattern) && still_named(path) && !strstr(path, "://");
}

void picture_list_free(PictureList *list)
{
    for (int i = 0; i < list->count; i++)
        mem_free(list->file[i].path);
    mem_free(list->file);
    memset(list, 0, sizeof *list);
}

/* Adds FOLDER/NAME (folder of `length` characters, its slash included). False without memory. */
static bool add(PictureList *list, const char *folder, size_t length, const char *name,
                int64_t place)
{
    if (!mem_reserve(&list->file, list->count, &list->room, sizeof *list->file))
        return false;
    const size_t size = length + strlen(name) + 2;
    char *const path = mem_alloc(size);
    if (!path)
        return false;
    const bool slash = length > 0 && folder[length - 1] != '/';
    snprintf(path, size, "%.*s%s%s", (int)length, folder, slash ? "/" : "", name);
    list->file[list->count++] = (PictureFile){ path, place };
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(((const PictureFile *)a)->path, ((const PictureFile *)b)->path);
}

static int by_place(const void *a, const void *b)
{
    const int64_t x = ((const PictureFile *)a)->place, y = ((const PictureFile *)b)->place;
    return (x > y) - (x < y);
}

/* ---- a folder ---- */

static int read_folder(PictureList *list, const char *folder, DIR *dir, Report *report)
{
    int others = 0;
    char other[64] = "";
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        const char *const name = entry->d_name;
        if (name[0] == '.')
            continue;
        if (still_named(name)) {
            if (!add(list, folder, strlen(folder), name, 0))
                return report_error(report, DAIN_ENOMEM, "out of memory");
            if (!is_folder(list->file[list->count - 1].path))
                continue;
            mem_free(list->file[--list->count].path);
        }
        if (!others++)
            snprintf(other, sizeof other, "%.60s", name);
    }
    if (!list->count)
        return report_error(report, DAIN_EFORMAT, "%s: no pictures in this folder (%s)", folder,
                            still_endings);
    if (others)
        report_log(report, DAIN_LOG_WARNING, "%s: %d other thing%s in the folder left out (%s%s)",
                   folder, others, plural(others), other, others == 1 ? "" : ", ...");
    qsort(list->file, (size_t)list->count, sizeof *list->file, by_name);
    for (int i = 0; i < list->count; i++)
        list->file[i].place = i;
    return DAIN_OK;
}

/* ---- a pattern ---- */

/* The number in a name that fits the pattern (both without folders), -1 if it does not fit. */
static int64_t number_of(const char *name, const char *pattern, const PicturePattern *parts)
{
    const size_t length = strlen(name), rest = strlen(pattern + parts->suffix);
    const size_t prefix = (size_t)parts->prefix;
    if (length <= prefix + rest || strncmp(name, pattern, prefix) != 0 ||
        strcmp(name + length - rest, pattern + parts->suffix) != 0)
        return -1;
    const size_t digits = length - prefix - rest;
    int64_t number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)name[prefix + i]) || i == DIGITS)
            return -1;
        number = 10 * number + (name[prefix + i] - '0');
    }
    /* printf() would not have written it otherwise. */
    const bool padded = digits > 1 && name[prefix] == '0';
    return digits < (size_t)parts->digits || (padded && digits != (size_t)parts->digits) ? -1
                                                                                         : number;
}

static int read_pattern(PictureList *list, const char *path, size_t folder, DIR *dir,
                        Report *report)
{
    const char *const pattern = path + folder;
    PicturePattern parts;
    if (!picture_pattern_parse(pattern, &parts))
        return report_error(report, DAIN_EINVAL, "%s is no pattern", path);
    const struct dirent *entry;
    while ((entry = readdir(dir))) {
        const int64_t number = number_of(entry->d_name, pattern, &parts);
        if (number >= 0 && !add(list, path, folder, entry->d_name, number))
            return report_error(report, DAIN_ENOMEM, "out of memory");
    }
    if (!list->count)
        return report_error(report, DAIN_EIO, "%s: there is no file of such a name", path);
    qsort(list->file, (size_t)list->count, sizeof *list->file, by_place);
    const int64_t first = list->file[0].place;
    int64_t step = 0;
    for (int i = 1; i < list->count; i++)
        step = int_gcd(step, list->file[i].place - first);
    for (int i = 0; i < list->count; i++)
        list->file[i].place = step ? (list->file[i].place - first) / step : 0;
    list->missing = list->file[list->count - 1].place + 1 - list->count;
    if (list->missing > 4 * (int64_t)list->count + 100) {
        report_log(report, DAIN_LOG_WARNING,
                   "%s: the numbers are far apart: the pictures are taken one after the other",
                   path);
        list->missing = 0;
        for (int i = 0; i < list->count; i++)
            list->file[i].place = i;
    }
    return DAIN_OK;
}

int picture_list_read(PictureList *list, const char *path, Report *report)
{
    memset(list, 0, sizeof *list);
    const bool folder = is_folder(path);
    const char *const slash = strrchr(path, '/');
    const size_t length = folder ? strlen(path) : slash ? (size_t)(slash + 1 - path) : 0;
    char *const name = mem_alloc(length + 2);
    if (!name)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    snprintf(name, length + 2, "%.*s", (int)length, path);
    DIR *const dir = opendir(length ? name : ".");
    int r;
    if (!dir)
        r = report_error(report, DAIN_EIO, "%s: %s", length ? name : path, strerror(errno));
    else
        r = folder ? read_folder(list, path, dir, report)
                   : read_pattern(list, path, length, dir, report);
    if (dir)
        closedir(dir);
    mem_free(name);
    if (r < 0)
        picture_list_free(list);
    return r;
}
