/* Reading whole files: see load.h. */
#include "weights/load.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_fully(int fd, unsigned char *out, size_t size, const char *path, Report *report)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = read(fd, out + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return report_error(report, DAIN_EIO, "%s: %s", path,
                                n < 0 ? strerror(errno) : "it became shorter while it was read");
        done += (size_t)n;
    }
    return DAIN_OK;
}

static int load(int fd, unsigned char **data, size_t *size, const char *path, LoadJudge *judge,
                Report *report)
{
    unsigned char start[LOAD_START] = { 0 };
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return report_error(report, DAIN_EIO, "%s: not a regular file", path);
    const uint64_t bytes = (uint64_t)status.st_size;
    const size_t have = bytes < LOAD_START ? (size_t)bytes : LOAD_START;
    int error = read_fully(fd, start, have, path, report);
    if (!error && judge)
        error = judge(start, have, bytes, path, report);
    if (error)
        return error;
    *size = (size_t)bytes;
    *data = bytes > SIZE_MAX ? NULL : mem_alloc(*size);
    if (!*data)
        return report_error(report, DAIN_ENOMEM, "%s: no memory for its %llu bytes", path,
                            (unsigned long long)bytes);
    memcpy(*data, start, have);
    return read_fully(fd, *data + have, *size - have, path, report);
}

int load_file(unsigned char **data, size_t *size, const char *path, LoadJudge *judge,
              Report *report)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *data = NULL;
    const int error = load(fd, data, size, path, judge, report);
    if (fd >= 0)
        close(fd);
    if (error) {
        mem_free(*data);
        *data = NULL;
    }
    return error;
}
