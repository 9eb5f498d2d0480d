/* Files that get their name when they are complete. */
#ifndef DAIN_BASE_REPLACE_H
#define DAIN_BASE_REPLACE_H

/* A new file beside path, open for writing, with the permissions that the user's umask gives. Its name, which
 * the caller frees, is in *name. A file descriptor, or -1 with errno and *name NULL. */
int create_temporary(const char *path, char **name);

/* rename(), but over a regular file only: as root, one would replace /dev/null by a model. 0 or -1
 * with errno (ENOTSUP: something else than a file is there). */
int replace_file(const char *from, const char *to);

#endif
