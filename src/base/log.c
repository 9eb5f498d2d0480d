/* Errors and messages: formatting, cleaning and delivery of one sentence. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = sizeof(((Report *)0)->error) };

/* Formats into out. Names inside a message come from files of strangers: control characters must
 * not reach a terminal, and a cut must not leave half a UTF-8 sequence. */
__attribute__((format(printf, 2, 0))) static void format_message(char out[MESSAGE_SIZE],
                                                                 const char *format, va_list args)
{
    const int length = vsnprintf(out, MESSAGE_SIZE, format, args);
    if (length < 0)
        strcpy(out, "(a message that could not be formatted)");
    if (length >= MESSAGE_SIZE) {
        int end = MESSAGE_SIZE - 4;
        while (end > 0 && ((unsigned char)out[end] & 0xc0) == 0x80)
            end--;
        strcpy(out + end, "...");
    }
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

int report_error(Report *r, int code, const char *format, ...)
{
    if (!r)
        return code;
    char message[MESSAGE_SIZE]; /* the arguments may point into r->error */
    va_list args;
    va_start(args, format);
    format_message(message, format, args);
    va_end(args);
    memcpy(r->error, message, MESSAGE_SIZE);
    if (r->log)
        r->log(r->opaque, DAIN_LOG_ERROR, r->error);
    return code;
}

void report_log(Report *r, DainLogLevel level, const char *format, ...)
{
    if (!r || !r->log)
        return;
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    format_message(message, format, args);
    va_end(args);
    r->log(r->opaque, level, message);
}
