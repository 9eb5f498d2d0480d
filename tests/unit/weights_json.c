/* The strict JSON reader: what it takes and what it refuses. */
#include "test.h"

#include "weights/json.h"

/* A reader over a copy of exactly size bytes, so that a sanitizer sees a step beyond. */
typedef struct Input {
    unsigned char *text;
    char *strings;
    JsonReader reader;
} Input;

static Input input(const char *text, size_t size)
{
    Input in = { .text = malloc(size ? size : 1), .strings = malloc(size ? size : 1) };
    if (!in.text || !in.strings)
        abort();
    memcpy(in.text, text, size);
    in.reader = (JsonReader){ .text = in.text, .size = size, .strings = in.strings };
    return in;
}

static void end(Input *in)
{
    free(in->text);
    free(in->strings);
}

static void good_string(const char *json, const char *want)
{
    Input in = input(json, strlen(json));
    const char *text = NULL;
    CHECK_INT(json_string(&in.reader, &text), 0);
    CHECK(in.reader.problem == NULL);
    CHECK_STRING(text, want);
    CHECK_INT(json_end(&in.reader), 0);
    end(&in);
}

static void bad_string(const char *json, size_t size, const char *problem)
{
    Input in = input(json, size);
    const char *text;
    CHECK_INT(json_string(&in.reader, &text), -1);
    CHECK_CONTAINS(in.reader.problem, problem);
    end(&in);
}

static void strings(void)
{
    good_string("\"\"", "");
    good_string(" \t\r\n\"conv1.weight\" ", "conv1.weight");
    good_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    good_string("\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    good_string("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"",
                "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f");
}

static void refused_strings(void)
{
#define BAD(text, problem) bad_string(text, sizeof(text) - 1, problem)
    BAD("", "a string expected");
    BAD("x", "a string expected");
    BAD("\"", "without an end");
    BAD("\"abc", "without an end");
    BAD("\"abc\\", "unknown escape");
    BAD("\"abc\\\"", "without an end");
    BAD("\"\\x\"", "unknown escape");
    BAD("\"\\u12", "hexadecimal");
    BAD("\"\\u12g4\"", "hexadecimal");
    BAD("\"\\u0000\"", "zero character");
    BAD("\"\0\"", "control character");
    BAD("\"\n\"", "control character");
    BAD("\"\\ud800\"", "surrogate");
    BAD("\"\\ud800\\u0041\"", "surrogate");
    BAD("\"\\udc00\"", "surrogate");
    BAD("\"\\ud800\\", "surrogate");
    BAD("\"\xff\"", "UTF-8");
    BAD("\"\xc3", "UTF-8");
    BAD("\"\xc0\xaf\"", "UTF-8");         /* overlong */
    BAD("\"\xe0\x80\xaf\"", "UTF-8");     /* overlong */
    BAD("\"\xed\xa0\x80\"", "UTF-8");     /* a surrogate */
    BAD("\"\xf4\x90\x80\x80\"", "UTF-8"); /* above U+10FFFF */
    BAD("\"\xe2\x82\"", "UTF-8");
    BAD("\"\x80\"", "UTF-8");
#undef BAD
}

static void numbers(void)
{
    static const struct {
        const char *text, *problem;
        int64_t value;
    } cases[] = {
        { "0", NULL, 0 },
        { " 42 ", NULL, 42 },
        { "9223372036854775807", NULL, INT64_MAX },
        { "9223372036854775808", "too large", 0 },
        { "99999999999999999999999999", "too large", 0 },
        { "-1", "not negative", 0 },
        { "+1", "not negative", 0 },
        { "01", "leading zeros", 0 },
        { "00", "leading zeros", 0 },
        { "", "not negative", 0 },
        { "x", "not negative", 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Input in = input(cases[i].text, strlen(cases[i].text));
        int64_t value = -5;
        CHECK_INT(json_whole_number(&in.reader, &value), cases[i].problem ? -1 : 0);
        if (cases[i].problem)
            CHECK_CONTAINS(in.reader.problem, cases[i].problem);
        else
            CHECK_INT(value, cases[i].value);
        end(&in);
    }
    /* A fraction or an exponent is left over for the caller to stumble on. */
    Input in = input("1.5", 3);
    int64_t value;
    CHECK_INT(json_whole_number(&in.reader, &value), 0);
    CHECK_INT(json_end(&in.reader), -1);
    end(&in);
}

static void punctuation(void)
{
    Input in = input(" { : , } ", 9);
    CHECK_INT(json_accept(&in.reader, '['), 0);
    CHECK_INT(json_expect(&in.reader, '{'), 0);
    CHECK_INT(json_accept(&in.reader, ':'), 1);
    CHECK_INT(json_expect(&in.reader, ':'), -1);
    CHECK_STRING(in.reader.problem, "':' expected");
    CHECK_INT(json_accept(&in.reader, ','), 1);
    CHECK_INT(json_end(&in.reader), -1);
    CHECK_INT(json_accept(&in.reader, '}'), 1);
    CHECK_INT(json_end(&in.reader), 0);
    CHECK_INT(json_accept(&in.reader, '}'), 0);
    end(&in);
}

static const Test tests[] = {
    { "strings are decoded with all their escapes", strings },
    { "malformed strings are refused", refused_strings },
    { "whole numbers are read, all others refused", numbers },
    { "punctuation is taken or refused", punctuation },
};
TEST_MAIN(tests)
