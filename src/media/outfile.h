/*
 * The name of a file that is being written: a temporary one beside the target, renamed when the file
 * is complete, so that a half file never stands under the final name. It is locked meanwhile: a
 * second run on the same target is refused, and what a killed run left is written over. A file that
 * replaces another gets its permissions. Devices, pipes, URLs and standard output ("-") are written
 * to directly.
 */
#ifndef DAIN_MEDIA_OUTFILE_H
#define DAIN_MEDIA_OUTFILE_H

#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Zero-initialised is closed. */
typedef struct OutFile {
    char *target;    /* with symbolic links followed */
    char *temporary; /* NULL: the target is written to directly */
    int lock;        /* descriptor of the temporary file, which holds the lock */
    bool overwrite;
    bool replaces; /* a file is there, of these permissions, which the new one gets */
    mode_t mode;
} OutFile;

/* "FOLDER/.NAME" + suffix for FOLDER/NAME: what belongs to a target lies beside it, hidden. A name
 * too long for that is cut and told apart by a number. NULL without memory. */
char *outfile_beside(const char *target, const char *suffix);

/* Whether a device or a pipe is there, which is written to directly. */
bool outfile_is_direct(const char *path);

/* The file that a path leads to, with symbolic links followed, also where that does not exist yet: it
 * is written, not the link. NULL without memory. */
char *outfile_resolve(const char *path);

/*
 * Checks that the target can be written and is none of the inputs (a list ended by NULL, or NULL),
 * and creates the temporary file, empty. Errors: DAIN_EINVAL (it exists and overwrite is not set,
 * or is an input), DAIN_EIO (also: another run is writing it), DAIN_ENOMEM.
 */
int outfile_open(OutFile *file, const char *path, const char *const *inputs, bool overwrite,
                 Report *report);
/* The name to write to. */
const char *outfile_path(const OutFile *file);
/* The file is complete and closed: gives it its final name. Errors: DAIN_EIO, and then the
 * temporary file is gone. */
int outfile_commit(OutFile *file, Report *report);
/* The same for text that is written through a stream, over what is there. Errors of writing are found at
 * the end. */
int outfile_open_text(FILE **stream, OutFile *file, const char *path, Report *report);
int outfile_finish_text(FILE **stream, OutFile *file, const char *path, Report *report);
/* Without finishing; also after it, or before anything was opened. */
void outfile_close_text(FILE **stream, OutFile *file);

/* Removes the temporary file, if there is one. A closed OutFile is allowed. */
void outfile_abandon(OutFile *file);

/* Removes the temporary files of this process at once. Async-signal-safe, for a handler that is
 * about to end the process. */
void outfile_remove_all(void);

#endif
