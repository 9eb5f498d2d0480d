/* Reading whole files of weights into memory. They are not mapped: a mapped file that another program
 * truncates would kill the reader. */
#ifndef DAIN_WEIGHTS_LOAD_H
#define DAIN_WEIGHTS_LOAD_H

#include "base/log.h"

#include <stddef.h>

/* Judges a file by its size and its first bytes (LOAD_START, or all there are) before more of it is read: a
 * video named by mistake is not loaded. 0, or an error with a sentence. */
enum { LOAD_START = 64 };
typedef int LoadJudge(const unsigned char *start, size_t have, uint64_t size, const char *path,
                      Report *report);

/* judge: may be NULL. The caller frees *data with mem_free(); NULL after an error. Errors: DAIN_EIO,
 * DAIN_ENOMEM, those of judge. */
int load_file(unsigned char **data, size_t *size, const char *path, LoadJudge *judge,
              Report *report);

#endif
