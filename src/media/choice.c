/* Which streams of a file are wanted. */
#include "media/choice.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TERM = 64 }; /* characters, with the null */

bool stream_is_video(const AVStream *st)
{
    return st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
           !(st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
}

/* The kind of that name or letter; AVMEDIA_TYPE_UNKNOWN if it is none. */
static enum AVMediaType kind_of(const char *word)
{
    static const struct {
        enum AVMediaType type;
        const char *name, *letter;
    } kinds[] = { { AVMEDIA_TYPE_VIDEO, "video", "v" },
                  { AVMEDIA_TYPE_AUDIO, "audio", "a" },
                  { AVMEDIA_TYPE_SUBTITLE, "subtitle", "s" },
                  { AVMEDIA_TYPE_SUBTITLE, "subtitles", "s" },
                  { AVMEDIA_TYPE_DATA, "data", "d" },
                  { AVMEDIA_TYPE_ATTACHMENT, "attachment", "t" },
                  { AVMEDIA_TYPE_ATTACHMENT, "attachments", "t" } };
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(word, kinds[i].name) || !strcmp(word, kinds[i].letter))
            return kinds[i].type;
    return AVMEDIA_TYPE_UNKNOWN;
}

/* The number that is the whole text, -1 if it is none. */
static int number_of(const char *text)
{
    return *text && strlen(text) < 6 && strspn(text, "0123456789") == strlen(text) ? atoi(text)
                                                                                   : -1;
}

/* The streams of a kind: all, or the one of that number or those of that language. How many. */
static int choose_kind(const AVFormatContext *f, enum AVMediaType kind, const char *which,
                       bool *chosen, int *video)
{
    const int wanted = which ? number_of(which) : -1;
    int among = 0, found = 0;
    for (unsigned i = 0; i < f->nb_streams; i++) {
        const AVStream *const st = f->streams[i];
        if (st->codecpar->codec_type != kind)
            continue;
        const AVDictionaryEntry *const language = av_dict_get(st->metadata, "language", NULL, 0);
        const bool right = !which        ? true
                           : wanted >= 0 ? among == wanted
                                         : language && !strcasecmp(language->value, which);
        among++;
        if (!right)
            continue;
        chosen[i] = true;
        found++;
        if (which && *video < 0 && stream_is_video(st))
            *video = (int)i;
    }
    return found;
}

/* Whether there can be such a term, whatever the file. */
static int check_term(const char *term, Report *report)
{
    char kind[TERM];
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(term, ":"), term);
    if (!strcmp(term, "none") || !strcmp(term, "all") || number_of(term) >= 0 ||
        kind_of(kind) != AVMEDIA_TYPE_UNKNOWN)
        return DAIN_OK;
    return report_error(report, DAIN_EINVAL,
                        "--streams %s: should be all, none, a number, or video, audio, "
                        "subtitle, data, attachment, with or without :NUMBER or :LANGUAGE",
                        term);
}

static int choose_term(const AVFormatContext *f, char *term, bool *chosen, int *video,
                       Report *report)
{
    const int wrong = check_term(term, report);
    if (wrong < 0)
        return wrong;
    const int number = number_of(term);
    if (!strcmp(term, "none"))
        return DAIN_OK;
    if (!strcmp(term, "all")) {
        for (unsigned i = 0; i < f->nb_streams; i++)
            chosen[i] = true;
        return DAIN_OK;
    }
    if (number >= 0 && (unsigned)number < f->nb_streams) {
        chosen[number] = true;
        if (*video < 0 && stream_is_video(f->streams[number]))
            *video = number;
        return DAIN_OK;
    }
    if (number >= 0)
        return report_error(report, DAIN_EINVAL, "--streams %s: the streams are numbered 0 to %u",
                            term, f->nb_streams - 1);
    char *const colon = strchr(term, ':');
    if (colon)
        *colon = 0;
    /* A kind that does not occur is no fault; a certain stream that does not is. */
    if (!choose_kind(f, kind_of(term), colon ? colon + 1 : NULL, chosen, video) && colon)
        return report_error(report, DAIN_EINVAL, "--streams %s:%s: there is no such stream", term,
                            colon + 1);
    return DAIN_OK;
}

/* Takes the first term off a list; what follows. */
static const char *take_term(const char *text, char *term)
{
    const size_t length = strcspn(text, ",");
    snprintf(term, TERM, "%.*s", (int)length, text);
    return text + length + (text[length] == ',');
}

int stream_choice(const char *text, const AVFormatContext *f, bool *chosen, int *video,
                  Report *report)
{
    char term[TERM];
    int r = DAIN_OK;
    *video = -1;
    memset(chosen, 0, f->nb_streams * sizeof *chosen);
    while (*text && r >= 0) {
        text = take_term(text, term);
        r = choose_term(f, term, chosen, video, report);
    }
    return r;
}

int stream_choice_check(const char *text, Report *report)
{
    char term[TERM];
    int r = DAIN_OK;
    while (*text && r >= 0) {
        text = take_term(text, term);
        r = check_term(term, report);
    }
    return r;
}
