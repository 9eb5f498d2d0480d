/* Errors and messages: formatting, cleaning and delivery of one sentence. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = sizeof(((Report *)0)->error) };

/* Bytes of the letter in UTF-8 that s begins with; 0 if there is none, or a control character. */
static int letter(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    if (u[0] < 0x80)
        return u[0] >= 0x20 && u[0] != 0x7f;
    const int length = u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    /* The second byte tells long forms of short letters, halves of UTF-16 pairs, what is beyond
     * Unicode, and the control characters from 0x80 on. */
    if ((u[0] == 0xc2 && u[1] < 0xa0) || (u[0] == 0xe0 && u[1] < 0xa0) ||
        (u[0] == 0xed && u[1] >= 0xa0) || (u[0] == 0xf0 && u[1] < 0x90) ||
        (u[0] == 0xf4 && u[1] >= 0x90))
        return 0;
    return length;
}

static void clean(char *s)
{
    while (*s) {
        const int length = letter(s);
        if (!length)
            *s = '?';
        s += length ? length : 1;
    }
}

/* Formats into out. Names inside a message come from files of strangers: control characters must
 * not reach a terminal, and a cut must not leave half a UTF-8 sequence. */
__attribute__((format(printf, 2, 0))) static void format_message(char out[MESSAGE_SIZE],
                                                                 const char *format, va_list args)
{
    const int length = vsnprintf(out, MESSAGE_SIZE, format, args);
    if (length < 0)
        strcpy(out, "(a message that could not be formatted)");
    clean(out);
    if (length >= MESSAGE_SIZE) {
        int end = MESSAGE_SIZE - 4;
        while (end > 0 && ((unsigned char)out[end] & 0xc0) == 0x80)
            end--;
        strcpy(out + end, "...");
    }
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
