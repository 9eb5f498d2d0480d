/* How long the main video of a file is, by what the file says before it is read. */
#include "media/length.h"

#include <libavutil/parseutils.h>
#include <string.h>

/* Matroska's header has one length for all streams, but muxers leave a tag where each ends; other
 * containers have tags of that name for something else. Microseconds, < 0 if there is none. */
static int64_t tagged_end(const AVFormatContext *format, const AVStream *st)
{
    const AVDictionaryEntry *const tag = av_dict_get(st->metadata, "DURATION", NULL, 0);
    int64_t end;
    const bool matroska = format->iformat && strstr(format->iformat->name, "matroska");
    return matroska && tag && av_parse_time(&end, tag->value, 1) >= 0 && end > 0 ? end : -1;
}

/* From and to, in microseconds after the start of the file; *to < 0 is unknown. */
static void find_ends(const AVFormatContext *format, const AVStream *st, int64_t start,
                      int64_t *from, int64_t *to)
{
    const int64_t whole = format->duration, tagged = tagged_end(format, st);
    *from = st->start_time != AV_NOPTS_VALUE
                ? av_rescale_q(st->start_time, st->time_base, AV_TIME_BASE_Q) - start
                : 0;
    *to = -1;
    if (tagged >= 0)
        *to = tagged - start;
    else if (st->duration != AV_NOPTS_VALUE)
        *to = *from + av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q);
    /* Sound may go on after the video, but nothing after the file. */
    if (*to <= *from || (whole > 0 && *to > whole))
        *to = whole > 0 ? whole : -1;
}

int64_t length_frames(const AVFormatContext *format, const AVStream *st, Ratio rate,
                      const Part *part, int64_t start)
{
    int64_t from, to;
    if (!part_given(part) && st->nb_frames > 0)
        return st->nb_frames;
    find_ends(format, st, start, &from, &to);
    if (part->end && (to < 0 || part->end < to))
        to = part->end;
    if (part->start > from)
        from = part->start;
    return rate.num && to > from ? av_rescale(to - from, rate.num, rate.den * AV_TIME_BASE) : 0;
}
