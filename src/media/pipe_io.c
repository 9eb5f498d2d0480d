/* Reading from pipes in a way that can be interrupted: FFmpeg's own would wait in read(). */
#include "media/pipe_io.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 65536, PATIENCE = 100 /* ms */ };

typedef struct Pipe {
    int fd;
    atomic_bool *cancel;
} Pipe;

bool pipe_io_wanted(const char *path)
{
    struct stat st;
    return !strcmp(path, "-") ||
           (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

static int read_pipe(void *opaque, uint8_t *buffer, int size)
{
    const Pipe *const p = opaque;
    for (;;) {
        if (p->cancel && atomic_load(p->cancel))
            return AVERROR_EXIT;
        struct pollfd wait = { .fd = p->fd, .events = POLLIN };
        const int ready = poll(&wait, 1, PATIENCE);
        if (ready < 0 && errno != EINTR)
            return AVERROR(errno);
        if (ready <= 0)
            continue; /* a pipe that nobody has opened for writing yet is quiet too */
        const ssize_t got = read(p->fd, buffer, (size_t)size);
        if (got > 0)
            return (int)got;
        if (got == 0)
            return AVERROR_EOF;
        if (errno != EINTR && errno != EAGAIN)
            return AVERROR(errno);
    }
}

int pipe_io_open(AVIOContext **io, const char *path, atomic_bool *cancel)
{
    *io = NULL;
    const int fd =
        !strcmp(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return AVERROR(errno);
    Pipe *const p = mem_calloc(1, sizeof *p);
    uint8_t *const buffer = av_malloc(BUFFER);
    if (p && buffer) {
        *p = (Pipe){ fd, cancel };
        *io = avio_alloc_context(buffer, BUFFER, 0, p, read_pipe, NULL, NULL);
    }
    if (!*io) {
        mem_free(p);
        av_free(buffer);
        close(fd);
        return AVERROR(ENOMEM);
    }
    (*io)->seekable = 0;
    return 0;
}

void pipe_io_close(AVIOContext **io)
{
    if (!*io)
        return;
    Pipe *const p = (*io)->opaque;
    close(p->fd);
    mem_free(p);
    av_freep(&(*io)->buffer);
    avio_context_free(io);
}
