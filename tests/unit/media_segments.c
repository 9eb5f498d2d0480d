/* Segments and their journal: what went in comes out, and nothing else is believed. */
#include "test.h"

#include "base/mem.h"
#include "dain/dain.h"
#include "media/journal.h"
#include "media/outfile.h"
#include "media/segments.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static char folder[64], target[80];
static Report report;
static const char *const facts[] = { "crf=18", "preset=", "input=1=2\nx", NULL };

static void begin(void)
{
    strcpy(folder, "/tmp/dain-segments-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(target, sizeof target, "%s/out.mkv", folder);
}

static void end(void)
{
    CHECK_INT(rmdir(folder), 0); /* fails if anything is left */
}

static Segments *open_segments(bool resume, bool overwrite, int want)
{
    const SegmentSettings settings = { .frames = 2, .resume = resume, .facts = facts };
    Segments *s = NULL;
    CHECK_INT(segments_open(&s, target, &settings, overwrite, &report), want);
    return s;
}

static void put(Segments *s, int number)
{
    AVPacket *p = av_packet_alloc();
    CHECK(p && av_new_packet(p, number) == 0);
    memset(p->data, number, (size_t)number);
    p->pts = INT64_C(1) << (number % 63);
    p->dts = number % 2 ? AV_NOPTS_VALUE : -number;
    p->duration = number;
    p->flags = number % 2;
    if (number % 3 == 0)
        memset(av_packet_new_side_data(p, AV_PKT_DATA_QUALITY_STATS, 5), number, 5);
    CHECK_INT(segments_write(s, p), DAIN_OK);
    av_packet_free(&p);
}

static void get_all(Segments *s, int count)
{
    AVPacket *p = av_packet_alloc();
    CHECK_INT(segments_rewind(s), DAIN_OK);
    for (int i = 0; i < count; i++) {
        if (!CHECK_INT(segments_read(s, p), 1))
            break;
        CHECK_INT(p->size, i);
        CHECK(i == 0 || (p->data[0] == i && p->data[i - 1] == i));
        CHECK(p->pts == INT64_C(1) << (i % 63) && p->duration == i && p->flags == i % 2);
        CHECK(p->dts == (i % 2 ? AV_NOPTS_VALUE : -i));
        size_t size = 0;
        const uint8_t *const side = av_packet_get_side_data(p, AV_PKT_DATA_QUALITY_STATS, &size);
        CHECK(i % 3 ? !side : side && size == 5 && side[4] == i);
        av_packet_unref(p);
    }
    CHECK_INT(segments_read(s, p), 0);
    av_packet_free(&p);
}

static void round_trip(void)
{
    begin();
    Segments *s = open_segments(false, false, DAIN_OK);
    for (int i = 0; i < 7; i++) {
        put(s, i);
        if (i == 2 || i == 5)
            CHECK_INT(segments_close(s, mem_strdup(i == 2 ? "first" : "1 2 3"), false), DAIN_OK);
    }
    get_all(s, 7);
    segments_free(&s, false); /* the seventh is lost */
    CHECK(segments_exist(target) && !segments_may_replace(target));
    CHECK(!open_segments(false, false, DAIN_EINVAL));
    CHECK_CONTAINS(report.error, "--resume goes on");
    s = open_segments(true, false, DAIN_OK);
    CHECK_INT(segments_count(s), 2);
    CHECK_STRING(segments_mark(s), "1 2 3");
    CHECK(!segments_whole(s));
    put(s, 6);
    CHECK_INT(segments_close(s, NULL, true), DAIN_OK);
    CHECK_INT(segments_set_replace(s), DAIN_OK);
    segments_free(&s, false);
    CHECK(segments_may_replace(target));
    s = open_segments(true, false, DAIN_OK);
    CHECK(segments_whole(s) && !segments_mark(s));
    get_all(s, 7);
    segments_free(&s, true);
    CHECK(!segments_exist(target));
    end();
}

static void nothing_done(void)
{
    begin();
    Segments *s = open_segments(true, false, DAIN_OK);
    put(s, 3);
    segments_free(&s, false);
    end();
}

static void begun_anew(void)
{
    begin();
    Segments *s = open_segments(false, false, DAIN_OK);
    put(s, 0);
    CHECK_INT(segments_close(s, NULL, false), DAIN_OK);
    segments_free(&s, false);
    s = open_segments(false, true, DAIN_OK);
    CHECK_INT(segments_count(s), 0);
    segments_free(&s, false);
    CHECK_INT(segments_remove(target, &report), DAIN_OK); /* nothing there is fine */
    end();
}

static void differences(void)
{
    Journal j;
    char phrase[100];
    CHECK_INT(journal_start(&j, facts, false, &report), DAIN_OK);
    const char *const changed[] = { "crf=20", "preset=", "input=1=2", NULL };
    const char *const more[] = { "crf=18", "preset=", "input=1=2", "new=", NULL };
    const char *const same[] = { "input=1=2", "crf=18", "preset=", NULL };
    CHECK(journal_differs(&j, changed, phrase, sizeof phrase));
    CHECK_STRING(phrase, "crf was 18 and is 20");
    CHECK(journal_differs(&j, more, phrase, sizeof phrase));
    CHECK_STRING(phrase, "new was not there and is not given");
    CHECK(!journal_differs(&j, same, phrase, sizeof phrase));
    journal_free(&j);
}

/* Any byte of a journal changed, or its end cut off, is noticed. */
static void damage(void)
{
    begin();
    Segments *s = open_segments(false, false, DAIN_OK);
    put(s, 9);
    CHECK_INT(segments_close(s, mem_strdup("m"), false), DAIN_OK);
    segments_free(&s, false);
    char path[160], text[4096];
    char *const beside = outfile_beside(target, ".dain-segments");
    snprintf(path, sizeof path, "%s/journal", beside);
    mem_free(beside);
    FILE *f = fopen(path, "rb");
    const size_t size = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    CHECK(size > 50);
    Journal j;
    for (size_t i = 0; i < 2 * size; i++) {
        const size_t at = i / 2, length = i % 2 ? at : size;
        const char old = text[at];
        text[at] = (char)(text[at] ^ 4);
        f = fopen(path, "wb");
        fwrite(text, 1, length, f);
        fclose(f);
        text[at] = old;
        CHECK_INT(journal_read(&j, path, &report), DAIN_EFORMAT);
    }
    CHECK_INT(segments_remove(target, &report), DAIN_OK);
    end();
}

static const Test tests[] = {
    { "packets come out as they went in, in this run and the next", round_trip },
    { "a folder without a complete segment goes away", nothing_done },
    { "beginning anew forgets what was there", begun_anew },
    { "the first difference is told", differences },
    { "a damaged journal is noticed", damage },
};
TEST_MAIN(tests)
