/* Whether a file is a PyTorch checkpoint, which the library says of one that is given as a model. */
#include "weights/load.h"
#include "weights/pth_private.h"
#include "weights/zip.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The number that legacy files begin with, and the bytes in front of it. */
static const unsigned char magic_pickle[] = { 0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                              0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };

_Static_assert(sizeof magic_pickle == PTH_MAGIC_BYTES, "its length is known to the reader");
_Static_assert(sizeof magic_pickle <= LOAD_START, "a file is judged by no more");

int pth_is(const void *data, size_t size)
{
    return zip_is(data, size) ||
           (size >= sizeof magic_pickle && !memcmp(data, magic_pickle, sizeof magic_pickle));
}

int pth_is_file(const char *path)
{
    unsigned char start[64];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    const ssize_t n = read(fd, start, sizeof start);
    close(fd);
    return n > 0 && pth_is(start, (size_t)n);
}
