/* Files that get their name when they are complete. */
#include "base/replace.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names that a run which died may have left behind. */
enum { TRIES = 100 };

int create_temporary(const char *path, char **name)
{
    const size_t size = strlen(path) + 40;
    char *const temporary = mem_alloc(size);
    int fd = -1;
    errno = temporary ? EEXIST : ENOMEM;
    for (int i = 0; i < TRIES && fd < 0 && errno == EEXIST; i++) {
        snprintf(temporary, size, "%s.%ld-%d.part", path, (long)getpid(), i);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    *name = fd < 0 ? NULL : temporary;
    if (fd < 0) {
        const int why = errno;
        mem_free(temporary);
        errno = why;
    }
    return fd;
}

int replace_file(const char *from, const char *to)
{
    struct stat st;
    if (stat(to, &st) == 0 && !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
        return -1;
    }
    return rename(from, to);
}
