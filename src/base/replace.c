/* Giving a file its final name. */
#include "base/replace.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int replace_file(const char *from, const char *to)
{
    struct stat st;
    if (stat(to, &st) == 0 && !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
        return -1;
    }
    return rename(from, to);
}
