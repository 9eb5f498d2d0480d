/* A strict reader for the little JSON that weight files hold: strings, whole numbers and the
 * punctuation between them. The caller walks the structure, so depth is the caller's. */
#ifndef DAIN_WEIGHTS_JSON_H
#define DAIN_WEIGHTS_JSON_H

#include <stddef.h>
#include <stdint.h>

typedef struct JsonReader {
    const unsigned char *text;
    size_t size, at;
    /* Decoded strings, each with its 0 byte, are appended here. size bytes are enough: a string is
     * never longer decoded than between its quotes. */
    char *strings;
    size_t strings_used;
    const char *problem; /* what was wrong at byte `at`; NULL so far */
} JsonReader;

/* All functions skip white space first. Those that return int return 0, or -1 and set problem. */

/* Takes the character c if it is next: 1, else 0 and nothing is taken. */
int json_accept(JsonReader *reader, char c);
/* Takes the character c, which must be next. */
int json_expect(JsonReader *reader, char c);
/* Takes a string: UTF-8, all escapes, no zero character. *text lives in reader->strings. */
int json_string(JsonReader *reader, const char **text);
/* Takes a whole number 0 .. INT64_MAX. */
int json_whole_number(JsonReader *reader, int64_t *value);
/* Only white space may be left. */
int json_end(JsonReader *reader);

/* Length of the UTF-8 sequence at text (1 .. 4), 0 if it is none: cut short, overlong, a surrogate,
 * above U+10FFFF. */
int utf8_length(const unsigned char *text, size_t size);

#endif
