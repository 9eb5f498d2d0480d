/* Giving a file its final name. */
#ifndef DAIN_BASE_REPLACE_H
#define DAIN_BASE_REPLACE_H

/* rename(), but over a regular file only: as root, one would replace /dev/null by a model. 0 or -1
 * with errno (ENOTSUP: something else than a file is there). */
int replace_file(const char *from, const char *to);

#endif
