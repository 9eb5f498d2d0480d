/* A strict reader for the little JSON that weight files hold (RFC 8259). */
#include "weights/json.h"

static int fail(JsonReader *reader, const char *problem)
{
    reader->problem = problem;
    return -1;
}

/* The character at the reader, -1 at the end. */
static int peek(const JsonReader *reader)
{
    return reader->at < reader->size ? reader->text[reader->at] : -1;
}

static void skip_space(JsonReader *reader)
{
    for (;;) {
        const int c = peek(reader);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        reader->at++;
    }
}

int json_accept(JsonReader *reader, char c)
{
    skip_space(reader);
    if (peek(reader) != c)
        return 0;
    reader->at++;
    return 1;
}

int json_expect(JsonReader *reader, char c)
{
    if (json_accept(reader, c))
        return 0;
    switch (c) {
    case '{':
        return fail(reader, "'{' expected");
    case '}':
        return fail(reader, "',' or '}' expected");
    case '[':
        return fail(reader, "'[' expected");
    case ']':
        return fail(reader, "',' or ']' expected");
    case ':':
        return fail(reader, "':' expected");
    default:
        return fail(reader, "',' expected");
    }
}

int utf8_length(const unsigned char *text, size_t size)
{
    if (size == 0)
        return 0;
    const unsigned lead = text[0];
    if (lead < 0x80)
        return 1;
    const int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || size < (size_t)length)
        return 0;
    unsigned code = lead & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    const unsigned smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return length;
}

static void put(JsonReader *reader, unsigned byte)
{
    reader->strings[reader->strings_used++] = (char)byte;
}

static void put_code_point(JsonReader *reader, unsigned code)
{
    if (code < 0x80) {
        put(reader, code);
    } else if (code < 0x800) {
        put(reader, 0xc0 | code >> 6);
        put(reader, 0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(reader, 0xe0 | code >> 12);
        put(reader, 0x80 | (code >> 6 & 0x3f));
        put(reader, 0x80 | (code & 0x3f));
    } else {
        put(reader, 0xf0 | code >> 18);
        put(reader, 0x80 | (code >> 12 & 0x3f));
        put(reader, 0x80 | (code >> 6 & 0x3f));
        put(reader, 0x80 | (code & 0x3f));
    }
}

/* The four hexadecimal digits after \u, -1 if they are not. */
static int take_hex(JsonReader *reader)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        const int c = peek(reader);
        int digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        else
            return fail(reader, "four hexadecimal digits expected after \\u");
        code = code << 4 | digit;
        reader->at++;
    }
    return code;
}

static int take_unicode_escape(JsonReader *reader)
{
    int code = take_hex(reader);
    if (code < 0)
        return -1;
    if (code == 0)
        return fail(reader, "a zero character in a string");
    if (code >= 0xdc00 && code <= 0xdfff)
        return fail(reader, "half a surrogate pair in a string");
    if (code >= 0xd800 && code <= 0xdbff) {
        if (reader->size - reader->at < 2 || reader->text[reader->at] != '\\' ||
            reader->text[reader->at + 1] != 'u')
            return fail(reader, "half a surrogate pair in a string");
        reader->at += 2;
        const int low = take_hex(reader);
        if (low < 0)
            return -1;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(reader, "half a surrogate pair in a string");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    put_code_point(reader, (unsigned)code);
    return 0;
}

/* What follows a backslash. */
static int take_escape(JsonReader *reader)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const int c = peek(reader);
    if (c == 'u') {
        reader->at++;
        return take_unicode_escape(reader);
    }
    for (int i = 0; letters[i]; i++)
        if (c == letters[i]) {
            reader->at++;
            put(reader, (unsigned char)meanings[i]);
            return 0;
        }
    return fail(reader, "an unknown escape in a string");
}

int json_string(JsonReader *reader, const char **text)
{
    if (!json_accept(reader, '"'))
        return fail(reader, "a string expected");
    *text = reader->strings + reader->strings_used;
    for (;;) {
        const int c = peek(reader);
        if (c < 0)
            return fail(reader, "a string without an end");
        if (c < 0x20)
            return fail(reader, "a control character in a string");
        if (c == '"')
            break;
        if (c == '\\') {
            reader->at++;
            if (take_escape(reader) < 0)
                return -1;
            continue;
        }
        const int length = utf8_length(reader->text + reader->at, reader->size - reader->at);
        if (length == 0)
            return fail(reader, "a string that is not UTF-8");
        for (int i = 0; i < length; i++)
            put(reader, reader->text[reader->at++]);
    }
    reader->at++;
    put(reader, 0);
    return 0;
}

int json_whole_number(JsonReader *reader, int64_t *value)
{
    skip_space(reader);
    int c = peek(reader);
    if (c < '0' || c > '9')
        return fail(reader, "a whole number, not negative, expected");
    const int leading_zero = c == '0';
    int64_t number = 0;
    int digits = 0;
    for (; c >= '0' && c <= '9'; c = peek(reader)) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, c - '0', &number))
            return fail(reader, "a number too large");
        reader->at++;
        digits++;
    }
    if (leading_zero && digits > 1)
        return fail(reader, "a number with leading zeros");
    *value = number;
    return 0;
}

int json_end(JsonReader *reader)
{
    skip_space(reader);
    return reader->at == reader->size ? 0 : fail(reader, "something after the end of the header");
}
