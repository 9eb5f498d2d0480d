/* Times of a source, put in order. */
#include "media/clock.h"

#include "base/mem.h"

#include <math.h>

/* Steps back that are jumps, microseconds: a tenth of a second where decoding times are strict. */
enum { BACK = AV_TIME_BASE / 10, BACK_RARE = AV_TIME_BASE };

/* Frame periods without a frame after which the next one's time is doubted. */
enum { DOUBTFUL = 4 };

/* Times beyond this are no times, in whatever unit; sums of a few stay in range. */
#define TIME_LIMIT (INT64_C(1) << 58)

static bool sane(int64_t time)
{
    return time > -TIME_LIMIT && time < TIME_LIMIT; /* AV_NOPTS_VALUE is not */
}

int clock_init(Clock *c, const AVFormatContext *format, const AVStream *video, double gap)
{
    const bool usual = format->iformat && format->iformat->flags & AVFMT_TS_DISCONT;
    c->stream = mem_calloc(format->nb_streams + 1, sizeof *c->stream);
    if (!c->stream)
        return DAIN_ENOMEM;
    c->streams = (int)format->nb_streams;
    for (int i = 0; i < c->streams; i++)
        c->stream[i].last = c->stream[i].old_last = AV_NOPTS_VALUE;
    c->start = sane(format->start_time) ? format->start_time : 0;
    c->gap = gap > 0 ? llrint(gap * AV_TIME_BASE) : usual ? CLOCK_GAP : CLOCK_GAP_RARE;
    c->back = usual ? BACK : BACK_RARE;
    c->newest = -TIME_LIMIT;
    c->base = video->time_base;
    c->ticks = 1;
    return DAIN_OK;
}

void clock_free(Clock *c)
{
    mem_free(c->stream);
    c->stream = NULL;
}

/* ---- packets ---- */

static bool is_jump(const Clock *c, const StreamClock *s, int64_t time)
{
    return time < s->last - c->back || time > c->newest + c->gap;
}

/* The shift by which the packet goes on where its stream was. */
static void jump(Clock *c, StreamClock *s, int64_t raw)
{
    /* The others follow the one that jumped first. */
    if (s->shift != c->shift && !is_jump(c, s, raw + c->shift)) {
        s->shift = c->shift;
        return;
    }
    const int64_t shift = s->last + s->length - raw;
    if (sane(shift)) {
        s->shift = c->shift = shift;
        s->jumped = true;
        c->jumps++;
    }
}

/* Whether the packet before was wrong alone: this one goes on where the stream was before that. */
static bool goes_back(const Clock *c, const StreamClock *s, int64_t raw)
{
    if (s->old_last == AV_NOPTS_VALUE || (!s->jumped && !is_jump(c, s, raw + s->shift)))
        return false;
    const int64_t ahead = raw + s->old_shift - s->old_last;
    return ahead > 0 && ahead <= AV_TIME_BASE;
}

/* As if the packet before had not been. */
static void forget_last(Clock *c, StreamClock *s)
{
    if (s->jumped) {
        c->shift = s->old_shift;
        c->jumps--;
        c->replaced++;
    }
    s->shift = s->old_shift;
    s->last = c->newest = s->old_last;
    for (int i = 0; i < c->streams; i++)
        if (c->stream[i].last != AV_NOPTS_VALUE && c->stream[i].last > c->newest)
            c->newest = c->stream[i].last;
}

static void follow(Clock *c, const AVPacket *packet, const AVStream *stream)
{
    const enum AVMediaType type = stream->codecpar->codec_type;
    StreamClock *const s = &c->stream[packet->stream_index];
    const int64_t raw = packet->dts == AV_NOPTS_VALUE
                            ? AV_NOPTS_VALUE
                            : av_rescale_q(packet->dts, stream->time_base, AV_TIME_BASE_Q);
    if (type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO) {
        s->shift = c->shift; /* these come too rarely to tell */
        return;
    }
    if (!sane(raw))
        return;
    if (s->last != AV_NOPTS_VALUE) {
        if (goes_back(c, s, raw))
            forget_last(c, s);
        s->old_last = s->last;
        s->old_shift = s->shift;
        s->jumped = false;
        if (is_jump(c, s, raw + s->shift))
            jump(c, s, raw);
    }
    s->last = raw + s->shift;
    const int64_t length = av_rescale_q(packet->duration, stream->time_base, AV_TIME_BASE_Q);
    s->length = length > 0 && length < AV_TIME_BASE ? length : 0;
    if (s->last > c->newest)
        c->newest = s->last;
}

static void move(int64_t *time, int64_t by)
{
    if (*time != AV_NOPTS_VALUE)
        *time = sane(*time) ? *time + by : AV_NOPTS_VALUE;
}

bool clock_knows(const Clock *c, const AVPacket *packet)
{
    return packet->stream_index >= 0 && packet->stream_index < c->streams;
}

void clock_packet(Clock *c, AVPacket *packet, const AVStream *stream)
{
    if (!clock_knows(c, packet))
        return;
    follow(c, packet, stream);
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (sane(time) && packet->duration < TIME_LIMIT) {
        const int64_t end =
            av_rescale_q(time + packet->duration, stream->time_base, AV_TIME_BASE_Q) - c->start;
        if (end > c->end)
            c->end = end;
    }
    const int64_t shift = c->stream[packet->stream_index].shift;
    const int64_t by = av_rescale_q(shift, AV_TIME_BASE_Q, stream->time_base) -
                       av_rescale_q(c->start, AV_TIME_BASE_Q, stream->time_base);
    if (sane(by)) {
        move(&packet->pts, by);
        move(&packet->dts, by);
    }
}

/* ---- frames ---- */

static int64_t ticks_of(const Clock *c, int64_t microseconds)
{
    return av_rescale_q(microseconds, AV_TIME_BASE_Q, c->base);
}

static int64_t time_of(const Clock *c, const AVFrame *frame)
{
    const int64_t pts = frame->best_effort_timestamp;
    return sane(pts) ? pts + c->moved : AV_NOPTS_VALUE;
}

bool clock_doubts(const Clock *c, const AVFrame *frame)
{
    const int64_t pts = time_of(c, frame);
    return c->frames && !c->sought && !c->counted && pts != AV_NOPTS_VALUE &&
           pts - c->last_pts > DOUBTFUL * c->ticks;
}

void clock_judge(const Clock *c, AVFrame *doubtful, const AVFrame *next)
{
    const int64_t pts = time_of(c, next);
    if (pts != AV_NOPTS_VALUE && pts > c->last_pts && pts - c->last_pts <= ticks_of(c, CLOCK_GAP) &&
        pts < time_of(c, doubtful))
        doubtful->best_effort_timestamp = AV_NOPTS_VALUE;
}

void clock_frame(Clock *c, AVFrame *frame)
{
    int64_t pts = frame->best_effort_timestamp;
    if (c->counted) {
        pts = c->first + av_rescale_q(c->frames, av_inv_q(libav_rational(c->rate)), c->base);
        frame_set_duration(frame, c->ticks);
    }
    const int64_t next = c->frames ? c->last_pts + c->ticks : c->first;
    if (!sane(pts)) {
        pts = next;
        c->replaced++;
    } else if (c->frames && !c->sought &&
               (c->last_pts - (pts + c->moved) > ticks_of(c, AV_TIME_BASE) ||
                pts + c->moved - c->last_pts > ticks_of(c, CLOCK_GAP_RARE))) {
        /* The clock went back, or the frame before was wrong, or it is no time of day but a broken
         * number: from here on all is moved. */
        c->moved = next - pts;
        pts = next;
        c->replaced++;
    } else if (c->frames && (pts += c->moved) <= c->last_pts) {
        /* Half a frame on, so that a good timestamp that follows still fits. */
        pts = c->last_pts + (c->ticks + 1) / 2;
        c->replaced++;
    }
    frame->pts = c->last_pts = pts;
    c->frames++;
    c->sought = false;
}

void clock_seek(Clock *c, int64_t pts, int64_t frames)
{
    for (int i = 0; i < c->streams; i++)
        c->stream[i].last = c->stream[i].old_last = AV_NOPTS_VALUE;
    c->newest = -TIME_LIMIT;
    c->frames = frames > 0 ? frames : 1;
    c->last_pts = pts - ticks_of(c, CLOCK_GAP_RARE / 2); /* any time is later */
    c->sought = true;
}
