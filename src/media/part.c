/* The part of a source that is wanted. */
#include "media/part.h"

/* Sound is stored up to some seconds after the picture that it belongs to. */
enum { SOUND_BEHIND = 3 };

int part_compare(const Part *p, int64_t time, AVRational base)
{
    if (p->end && av_compare_ts(time, base, p->end - p->start, AV_TIME_BASE_Q) >= 0)
        return 1;
    return time < 0 && p->start > 0 ? -1 : 0;
}

bool part_keeps(const Part *p, AVPacket *packet, const AVStream *stream)
{
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time == AV_NOPTS_VALUE)
        return true;
    const int beside = part_compare(p, time, stream->time_base);
    if (beside < 0 && stream->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE &&
        time + packet->duration > 0) {
        packet->duration += time;
        packet->pts = packet->dts = 0;
        return true;
    }
    return beside == 0;
}

bool part_is_past(const Part *p, int64_t dts, AVRational base)
{
    return p->end && dts != AV_NOPTS_VALUE &&
           av_compare_ts(dts, base, p->end - p->start + SOUND_BEHIND * AV_TIME_BASE,
                         AV_TIME_BASE_Q) > 0;
}

int64_t part_length(const Part *p, int64_t whole)
{
    const int64_t end = p->end && (whole < 0 || p->end < whole) ? p->end : whole;
    return end < 0 ? -1 : end > p->start ? end - p->start : 0;
}
