/* Tags of files and streams on their way into a new file, timecodes among them. */
#include "media/tags.h"

#include <errno.h>
#include <libavutil/timecode.h>
#include <stdio.h>
#include <string.h>

static bool begins_with_one_of(const char *key, const char *const *list)
{
    for (; *list; list++)
        if (!strncmp(key, *list, strlen(*list)))
            return true;
    return false;
}

int tags_copy(AVDictionary **to, const AVDictionary *from, TagsOf of)
{
    static const char *const all[] = { NULL };
    static const char *const file[] = { "major_brand", "minor_version", "compatible_brands",
                                        "encoder", NULL };
    static const char *const coding[] = { "encoder",
                                          "BPS",
                                          "DURATION",
                                          "NUMBER_OF_FRAMES",
                                          "NUMBER_OF_BYTES",
                                          "_STATISTICS_",
                                          "vendor_id",
                                          "alpha_mode",
                                          NULL };
    const char *const *const left = of == TAGS_FILE ? file : of == TAGS_RECODED ? coding : all;
    const AVDictionaryEntry *tag = NULL;
    while ((tag = av_dict_get(from, "", tag, AV_DICT_IGNORE_SUFFIX)))
        if (!begins_with_one_of(tag->key, left) && av_dict_set(to, tag->key, tag->value, 0) < 0)
            return AVERROR(ENOMEM);
    return 0;
}

/* The timecode of a frame that comes so many microseconds after the one that the tag is for. Text
 * that is no timecode stays as it is. */
static void move_timecode(const char *tag, AVRational rate, int64_t time, char *text, size_t size)
{
    char moved[AV_TIMECODE_STR_SIZE];
    AVTimecode code;
    const bool rated = rate.num > 0 && rate.den > 0;
    const int64_t frames = rated ? av_rescale_q(time, AV_TIME_BASE_Q, av_inv_q(rate)) : 0;
    const bool found = frames > 0 && frames < INT32_MAX &&
                       av_timecode_init_from_string(&code, rate, tag, NULL) >= 0;
    if (found)
        code.flags |= AV_TIMECODE_FLAG_24HOURSMAX;
    snprintf(text, size, "%s", found ? av_timecode_make_string(&code, moved, (int)frames) : tag);
}

int tags_move_timecode(AVDictionary **tags, AVRational from, AVRational to, int64_t time,
                       Report *report)
{
    const AVDictionaryEntry *const tag = av_dict_get(*tags, "timecode", NULL, 0);
    int hour, minute, second, frame;
    char mark, text[64];
    if (!tag)
        return 0;
    move_timecode(tag->value, from, time, text, sizeof text);
    if (sscanf(text, "%d:%d:%d%c%d", &hour, &minute, &second, &mark, &frame) != 5)
        return 0;
    const int old = from.num > 0 && from.den > 0 ? (from.num + from.den / 2) / from.den : 0;
    const int new = to.num > 0 && to.den > 0 ? (to.num + to.den / 2) / to.den : 0;
    if (old <= 0 || frame < 0 || frame >= old || av_timecode_check_frame_rate(to) < 0) {
        report_log(report, DAIN_LOG_WARNING, "the timecode %s is left out: none at this rate",
                   tag->value);
        return av_dict_set(tags, "timecode", NULL, 0);
    }
    snprintf(text, sizeof text, "%02d:%02d:%02d%c%02d", hour, minute, second,
             mark != ':' && new % 30 == 0 && to.den == 1001 ? ';' : ':',
             (int)((int64_t)frame * new / old));
    return av_dict_set(tags, "timecode", text, 0);
}
