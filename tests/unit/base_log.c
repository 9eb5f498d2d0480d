/* Errors and messages: formatting, cutting, cleaning, delivery. */
#include "test.h"

#include "base/log.h"

typedef struct Heard {
    int count;
    DainLogLevel level;
    char message[512];
} Heard;

static void hear(void *opaque, DainLogLevel level, const char *message)
{
    Heard *heard = opaque;
    heard->count++;
    heard->level = level;
    snprintf(heard->message, sizeof(heard->message), "%s", message);
}

static void stored_and_logged(void)
{
    Heard heard = { 0 };
    Report r = { .log = hear, .opaque = &heard };
    CHECK_INT(report_error(&r, DAIN_EFORMAT, "%s: %d bytes", "model", 7), DAIN_EFORMAT);
    CHECK_STRING(r.error, "model: 7 bytes");
    CHECK_INT(heard.count, 1);
    CHECK_INT(heard.level, DAIN_LOG_ERROR);
    CHECK_STRING(heard.message, "model: 7 bytes");
}

static void silent_without_callback(void)
{
    Report r = { 0 };
    CHECK_INT(report_error(&r, DAIN_EIO, "gone"), DAIN_EIO);
    CHECK_STRING(r.error, "gone");
    CHECK_INT(report_error(NULL, DAIN_ENOMEM, "nobody listens"), DAIN_ENOMEM);
    report_log(&r, DAIN_LOG_INFO, "nobody listens");
    report_log(NULL, DAIN_LOG_INFO, "nobody listens");
    CHECK_STRING(r.error, "gone");
}

static void messages_keep_error(void)
{
    Heard heard = { 0 };
    Report r = { .log = hear, .opaque = &heard };
    report_error(&r, DAIN_EIO, "first");
    report_log(&r, DAIN_LOG_DEBUG, "%d threads", 2);
    CHECK_INT(heard.count, 2);
    CHECK_INT(heard.level, DAIN_LOG_DEBUG);
    CHECK_STRING(heard.message, "2 threads");
    CHECK_STRING(r.error, "first");
}

static void may_quote_itself(void)
{
    Report r = { 0 };
    report_error(&r, DAIN_EIO, "inner");
    report_error(&r, DAIN_EIO, "outer: %s", r.error);
    CHECK_STRING(r.error, "outer: inner");
}

static void control_characters(void)
{
    Report r = { 0 };
    report_error(&r, DAIN_EFORMAT, "tensor '%s'", "a\x1b[2J\n\x7f\xc3\xa4");
    CHECK_STRING(r.error, "tensor 'a?[2J??\xc3\xa4'");
}

static void only_utf8(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "\xc2\x9b|\xc2\x80|\xc2\x9f|\xc2\xa0", "??|??|??|\xc2\xa0" }, /* C1; CSI first */
        { "\x9b|\xff|\xc3|\xe2\x82|\xf0\x9f\x98", "?|?|?|??|???" },     /* not whole */
        { "\xc0\x9b|\xe0\x82\x9b|\xf0\x80\x82\x9b", "??|???|????" },    /* C1 in more bytes */
        { "\xed\xa0\x80|\xf4\x90\x80\x80", "???|????" },                /* no letters */
        { "\xdf\xbf \xe0\xa0\x80 \xe2\x82\xac \xed\x9f\xbf \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf",
          "\xdf\xbf \xe0\xa0\x80 \xe2\x82\xac \xed\x9f\xbf \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Report r = { 0 };
        report_error(&r, DAIN_EFORMAT, "%s", cases[i].in);
        CHECK_STRING(r.error, cases[i].out);
    }
    /* Bytes that look like the rest of a letter take nothing of the sentence with them. */
    char text[400];
    memset(text, 0x9b, sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    Report r = { 0 };
    report_error(&r, DAIN_EFORMAT, "tensor %s", text);
    CHECK_CONTAINS(r.error, "tensor ???");
    CHECK_INT(strlen(r.error), sizeof(r.error) - 1);
}

static void long_sentences(void)
{
    /* Two-byte letters at even and at odd places: a cut must fall between letters. */
    char text[1000];
    for (int shift = 0; shift < 2; shift++) {
        memset(text, 0, sizeof(text));
        strcpy(text, shift ? "x" : "");
        for (int i = shift; i + 2 < 600; i += 2)
            strcat(text, "\xc3\xa4");
        Report r = { 0 };
        report_error(&r, DAIN_EIO, "%s", text);
        const size_t length = strlen(r.error);
        CHECK(length < sizeof(r.error));
        CHECK(length >= sizeof(r.error) - 8);
        CHECK_STRING(r.error + length - 3, "...");
        CHECK_INT((length - 3 - (size_t)shift) % 2, 0);
        CHECK_BYTES(r.error, text, length - 3);
    }
}

static const Test tests[] = {
    { "an error is stored, logged and returned", stored_and_logged },
    { "without a callback or a report nothing is said and nothing breaks",
      silent_without_callback },
    { "messages leave the last error alone", messages_keep_error },
    { "a sentence may quote the one it replaces", may_quote_itself },
    { "control characters never reach a message", control_characters },
    { "what is no UTF-8, or a control character in it, never reaches a message", only_utf8 },
    { "long sentences are cut between letters", long_sentences },
};
TEST_MAIN(tests)
