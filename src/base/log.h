/* Errors and messages: one sentence for people beside each error value, one callback for messages.
 */
#ifndef DAIN_BASE_LOG_H
#define DAIN_BASE_LOG_H

#include "dain/dain.h"

/* Where a floor leaves its sentence. Embedded by whoever owns a context; zero-initialised is ready.
 */
typedef struct Report {
    DainLogCallback log;
    void *opaque;
    char error[256]; /* last error, "" if none */
} Report;

/* Stores the formatted sentence in r->error (r may be NULL), logs it as an error, returns code.
 * Use: return report_error(r, DAIN_EFORMAT, "%s: header of %llu bytes is longer than the file",
 * path, n); */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int report_error(Report *r, int code, const char *format, ...);

/* Sends a message to the callback, if there is one. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void report_log(Report *r, DainLogLevel level, const char *format, ...);

/* "" or "s", behind the name of what there is so many of. */
static inline const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

#endif
