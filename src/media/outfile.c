/* Files under a temporary name beside their target until they are complete. */
#include "media/outfile.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* For outfile_remove_all(): more files than these are not written at a time. */
enum { OPEN_LIMIT = 4 };
static _Atomic(const char *) open_names[OPEN_LIMIT];

static void remember(const char *name)
{
    for (int i = 0; i < OPEN_LIMIT; i++) {
        const char *expected = NULL;
        if (atomic_compare_exchange_strong(&open_names[i], &expected, name))
            return;
    }
}

static void forget(const char *name)
{
    for (int i = 0; i < OPEN_LIMIT; i++) {
        const char *expected = name;
        if (atomic_compare_exchange_strong(&open_names[i], &expected, NULL))
            return;
    }
}

void outfile_remove_all(void)
{
    for (int i = 0; i < OPEN_LIMIT; i++) {
        const char *const name = atomic_load(&open_names[i]);
        if (name)
            unlink(name);
    }
}

static void release(OutFile *f)
{
    if (f->temporary)
        close(f->lock);
    mem_free(f->target);
    mem_free(f->temporary);
    memset(f, 0, sizeof *f);
}

static bool is_input(const struct stat *st, const char *const *inputs)
{
    struct stat in;
    for (; inputs && *inputs; inputs++)
        if (stat(*inputs, &in) == 0 && S_ISREG(in.st_mode) && in.st_dev == st->st_dev &&
            in.st_ino == st->st_ino)
            return true;
    return false;
}

/* Where a link leads to, from the folder that it is in: NULL if it is none, or without memory. */
static char *follow_link(const char *path)
{
    char to[PATH_MAX];
    const ssize_t length = readlink(path, to, sizeof to);
    if (length <= 0 || length >= (ssize_t)sizeof to)
        return NULL;
    const char *const slash = to[0] == '/' ? NULL : strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
    char *const target = mem_alloc(folder + (size_t)length + 1);
    if (!target)
        return NULL;
    memcpy(target, path, folder);
    memcpy(target + folder, to, (size_t)length);
    target[folder + (size_t)length] = 0;
    return target;
}

char *outfile_resolve(const char *path)
{
    enum { LINKS = 40 }; /* as many as the kernel follows */
    char *const real = realpath(path, NULL);
    char *found = mem_strdup(real ? real : path);
    free(real);
    for (int i = 0; i < LINKS && found; i++) {
        char *const next = follow_link(found);
        if (!next)
            return found;
        mem_free(found);
        found = next;
    }
    mem_free(found);
    return mem_strdup(path); /* a ring */
}

/* FNV-1a, to tell names apart. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash;
}

char *outfile_beside(const char *target, const char *suffix)
{
    enum { HASH = 17 }; /* characters of "-" and the number */
    const char *const slash = strrchr(target, '/');
    const char *const name = slash ? slash + 1 : target;
    const size_t folder = (size_t)(name - target), length = strlen(name), tail = strlen(suffix);
    const bool fits = 1 + length + tail <= NAME_MAX;
    const size_t kept = fits ? length : NAME_MAX - 1 - HASH - tail;
    const size_t size = folder + 1 + kept + HASH + tail + 1;
    char *const path = mem_alloc(size);
    if (!path)
        return NULL;
    char number[HASH + 1] = "";
    if (!fits)
        snprintf(number, sizeof number, "-%016" PRIx64, hash_name(name));
    snprintf(path, size, "%.*s.%.*s%s%s", (int)folder, target, (int)kept, name, number, suffix);
    return path;
}

/* Opens and locks the temporary file. A run that ended meanwhile may have renamed or removed the
 * one that was opened: then again. -1 with errno; EWOULDBLOCK: another run holds the lock. */
static int open_locked(const char *path)
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        struct stat opened, named;
        if (fd < 0)
            return -1;
        /* Some network file systems have no locks; then there is none. */
        const int locked = flock(fd, LOCK_EX | LOCK_NB);
        const int error = locked != 0 && errno == EWOULDBLOCK ? EWOULDBLOCK : 0;
        if (!error && fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) &&
            lstat(path, &named) == 0 && named.st_ino == opened.st_ino &&
            named.st_dev == opened.st_dev && ftruncate(fd, 0) == 0)
            return fd;
        close(fd);
        if (error) {
            errno = error;
            return -1;
        }
    }
    errno = EEXIST;
    return -1;
}

static int create_temporary(OutFile *f, Report *report)
{
    f->temporary = outfile_beside(f->target, ".dain-part");
    if (!f->temporary)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    f->lock = open_locked(f->temporary);
    if (f->lock >= 0) {
        /* What others may not read they may not read while it is made, either. */
        if (f->replaces)
            fchmod(f->lock, f->mode | S_IRUSR | S_IWUSR);
        remember(f->temporary);
        return DAIN_OK;
    }
    const int r = errno == EWOULDBLOCK
                      ? report_error(report, DAIN_EIO, "another run is writing %s", f->target)
                      : report_error(report, DAIN_EIO, "cannot write beside %s: %s", f->target,
                                     strerror(errno));
    mem_free(f->temporary);
    f->temporary = NULL;
    return r;
}

bool outfile_is_direct(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int outfile_open(OutFile *f, const char *path, const char *const *inputs, bool overwrite,
                 Report *report)
{
    memset(f, 0, sizeof *f);
    f->overwrite = overwrite;
    const bool standard = !strcmp(path, "-");
    const bool url = standard || strstr(path, "://") != NULL;
    /* A device or a pipe: /dev/stdout and >(command) are links that lead to no name. */
    const bool direct = url || outfile_is_direct(path);
    f->target = standard ? mem_strdup("pipe:1") : direct ? mem_strdup(path) : outfile_resolve(path);
    if (!f->target)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    if (direct)
        return DAIN_OK;
    struct stat st;
    int r = DAIN_OK;
    if (stat(f->target, &st) == 0) {
        f->replaces = true;
        f->mode = st.st_mode & 0777;
        if (S_ISDIR(st.st_mode))
            r = report_error(report, DAIN_EIO, "%s is a folder, not a file", path);
        else if (is_input(&st, inputs))
            r = report_error(report, DAIN_EINVAL, "%s is the input itself", path);
        else if (!overwrite)
            r = report_error(report, DAIN_EINVAL, "%s exists already (-y overwrites it)", path);
        else if (access(f->target, W_OK) != 0)
            r = report_error(report, DAIN_EIO, "cannot write %s: %s", path, strerror(errno));
    }
    if (r == DAIN_OK)
        r = create_temporary(f, report);
    if (r < 0)
        release(f);
    return r;
}

const char *outfile_path(const OutFile *f)
{
    return f->temporary ? f->temporary : f->target;
}

/* Waits until the data is on the disk: a full one may be noticed only now. */
static int flush_to_disk(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const int r = fsync(fd);
    const int error = errno;
    close(fd);
    errno = error;
    return r;
}

/* Renames without replacing anything. */
static int rename_new(const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
#endif
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

int outfile_commit(OutFile *f, Report *report)
{
    int r = DAIN_OK;
    if (f->temporary) {
        const bool flushed = flush_to_disk(f->temporary) == 0;
        if (flushed && f->replaces)
            fchmod(f->lock, f->mode);
        if (!flushed)
            r = report_error(report, DAIN_EIO, "cannot write %s: %s", f->target, strerror(errno));
        else if ((f->overwrite ? rename(f->temporary, f->target)
                               : rename_new(f->temporary, f->target)) != 0)
            r = report_error(report, DAIN_EIO, "cannot give %s its name: %s", f->target,
                             strerror(errno));
    }
    if (r < 0) {
        outfile_abandon(f);
        return r;
    }
    if (f->temporary)
        forget(f->temporary);
    release(f);
    return DAIN_OK;
}

void outfile_abandon(OutFile *f)
{
    if (f->temporary) {
        unlink(f->temporary);
        forget(f->temporary);
    }
    release(f);
}

/* ---- text ---- */

int outfile_open_text(FILE **stream, OutFile *file, const char *path, Report *report)
{
    const int r = outfile_open(file, path, NULL, true, report);
    if (r < 0)
        return r;
    *stream = fopen(outfile_path(file), "w");
    return *stream ? DAIN_OK : report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
}

int outfile_finish_text(FILE **stream, OutFile *file, const char *path, Report *report)
{
    bool failed = ferror(*stream);
    failed |= fclose(*stream) != 0;
    *stream = NULL;
    if (failed)
        return report_error(report, DAIN_EIO, "%s cannot be written: %s", path, strerror(errno));
    return outfile_commit(file, report);
}

void outfile_close_text(FILE **stream, OutFile *file)
{
    if (*stream)
        fclose(*stream);
    *stream = NULL;
    outfile_abandon(file);
}
