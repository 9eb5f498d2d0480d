/* Reading from pipes, terminals and standard input in a way that can be interrupted. */
#ifndef DAIN_MEDIA_PIPE_IO_H
#define DAIN_MEDIA_PIPE_IO_H

#include <libavformat/avio.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Whether the name is "-" (standard input), a pipe, a socket or a device. */
bool pipe_io_wanted(const char *path);
/* Opens it. A read waits at most a tenth of a second after *cancel (may be NULL) is set, then fails
 * with AVERROR_EXIT. 0, or an AVERROR. */
int pipe_io_open(AVIOContext **io, const char *path, atomic_bool *cancel);
/* Closes what pipe_io_open() gave. NULL is allowed. */
void pipe_io_close(AVIOContext **io);

#endif
