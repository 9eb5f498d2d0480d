/* The three parts of a network as ONNX files in a cache: see ort_parts.h. */
#include "engine/ort_parts.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder ---- */

static int cache_folder(char *out, size_t size, const char *folder, Report *report)
{
    const char *const cache = getenv("XDG_CACHE_HOME"), *const home = getenv("HOME");
    int n;
    if (folder)
        n = snprintf(out, size, "%s", folder);
    else if (cache && cache[0] == '/') /* the specification has relative ones ignored */
        n = snprintf(out, size, "%s/dain", cache);
    else if (home && home[0] == '/')
        n = snprintf(out, size, "%s/.cache/dain", home);
    else
        return report_error(report, DAIN_EIO,
                            "no home for the exported network: name a folder with "
                            "--engine-option cache=FOLDER");
    return n > 0 && (size_t)n < size
               ? DAIN_OK
               : report_error(report, DAIN_EINVAL, "the path of the cache is too long");
}

/* Every folder on the way. */
static int make_folders(char *path, Report *report)
{
    for (char *p = path + 1;; p++) {
        const char c = *p;
        if (c && c != '/')
            continue;
        *p = 0;
        if (mkdir(path, 0700) && errno != EEXIST)
            return report_error(report, DAIN_EIO,
                                "%s: %s (--engine-option cache=FOLDER names another)", path,
                                strerror(errno));
        *p = c;
        if (!c)
            return DAIN_OK;
    }
}

/* ---- files ---- */

/* 64 bits of the content, for its name: FNV-1a. */
static uint64_t sum_of(const Bytes *file)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < file->size; i++)
        sum = (sum ^ file->data[i]) * 1099511628211u;
    return sum;
}

static int write_all(int fd, const Bytes *file)
{
    size_t done = 0;
    while (done < file->size) {
        const ssize_t n = write(fd, file->data + done, file->size - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Under its name only when it is complete. */
static int write_file(const char *path, const Bytes *file, Report *report)
{
    char temporary[ORT_PATH_LENGTH + 8];
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    const int fd = mkstemp(temporary);
    if (fd < 0)
        return report_error(report, DAIN_EIO,
                            "%s: %s (--engine-option cache=FOLDER names another place)", path,
                            strerror(errno));
    const int failed = write_all(fd, file);
    if (close(fd) || failed || rename(temporary, path)) {
        const int why = errno;
        unlink(temporary);
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(why));
    }
    return DAIN_OK;
}

int ort_part_export(char path[ORT_PATH_LENGTH], const char *folder, const Model *model,
                    OnnxPart part, const OnnxSettings *settings, Report *report)
{
    char directory[ORT_PATH_LENGTH - 128];
    Bytes file = { 0 };
    struct stat there;
    int error = cache_folder(directory, sizeof directory, folder, report);
    if (!error)
        error = make_folders(directory, report);
    if (!error)
        error = model_export_onnx(model, part, settings, &file, report);
    if (!error) {
        snprintf(path, ORT_PATH_LENGTH, "%s/%.20s-%s-%dx%d-%016" PRIx64 ".onnx", directory,
                 model->kind->name, onnx_part_name(part), settings->w, settings->h, sum_of(&file));
        if (stat(path, &there) || (size_t)there.st_size != file.size)
            error = write_file(path, &file, report);
    }
    mem_free(file.data);
    return error;
}

int ort_part_named(char path[ORT_PATH_LENGTH], const char *file, OnnxPart part, Report *report)
{
    const size_t length = strlen(file), stem = length > 5 ? length - 5 : 0;
    struct stat there;
    if (length + 16 > ORT_PATH_LENGTH)
        return report_error(report, DAIN_EINVAL, "the path of the model is too long");
    snprintf(path, ORT_PATH_LENGTH, "%.*s-%s.onnx", (int)stem, file, onnx_part_name(part));
    if (stat(path, &there))
        return report_error(report, DAIN_EIO, "%s: %s (dain export --split writes it)", path,
                            strerror(errno));
    return DAIN_OK;
}
