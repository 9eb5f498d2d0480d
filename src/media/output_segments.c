/* An output in segments: opening, closing, and joining them with the other streams. */
#include "media/output_private.h"

#include "base/mem.h"

#include <string.h>

bool output_segmented(const Output *o)
{
    return o->segments;
}

int64_t output_done(const Output *o, const char **mark, bool *whole)
{
    *mark = o->segments ? segments_mark(o->segments) : NULL;
    *whole = o->segments && segments_whole(o->segments);
    return o->segments ? (int64_t)segments_count(o->segments) * o->frames_in_segment : 0;
}

void output_mark(Output *o, char *mark)
{
    mem_free(o->mark);
    o->mark = mark;
}

int output_close_segment(Output *o, bool whole)
{
    int r = encoder_send(o->encoder, NULL);
    if (r >= 0)
        r = output_write_encoded(o);
    if (r < 0)
        return r;
    char *const mark = o->mark;
    o->mark = NULL;
    return segments_close(o->segments, mark, whole);
}

static bool same_header(const AVCodecContext *a, const AVCodecParameters *b)
{
    return a->extradata_size == b->extradata_size &&
           (!b->extradata_size || !memcmp(a->extradata, b->extradata, (size_t)b->extradata_size));
}

/* An encoder that knows nothing of the frames before: a segment does not depend on where the work
 * was interrupted. */
static int open_segment(Output *o)
{
    const OutputSettings *const s = &o->settings;
    encoder_close(&o->encoder);
    int r = encoder_open(&o->encoder, &s->encoder, o->container, o->first, s->time_base, s->rate,
                         &o->reopened);
    if (r < 0)
        return report_error(o->report, r, "%s", o->reopened.error);
    if (!same_header(encoder_context(o->encoder), o->header))
        return report_error(o->report, DAIN_EUNSUPPORTED,
                            "%s writes other headers each time: use --segment 0",
                            encoder_context(o->encoder)->codec->name);
    o->pending_count = o->in_segment = 0;
    return DAIN_OK;
}

int output_make_room(Output *o)
{
    if (o->in_segment < o->frames_in_segment)
        return DAIN_OK;
    const int r = output_close_segment(o, false);
    return r < 0 ? r : open_segment(o);
}

/* The other streams' side of a join. */
typedef struct Others {
    Source *source; /* NULL: there is nothing more */
    AVFrame *frame;
    AVPacket *packet;
    bool waiting; /* the packet is one that must be written */
} Others;

static bool have_others(const Output *o)
{
    return o->format->nb_streams > 1 && o->settings.source;
}

static int open_others(Output *o, Others *others)
{
    SourceSettings settings = o->settings.source_settings;
    settings.packets_only = true;
    settings.cancel = NULL; /* joining what was done is the answer to a cancel */
    others->frame = av_frame_alloc();
    others->packet = av_packet_alloc();
    if (!others->frame || !others->packet)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    return source_open(&others->source, o->settings.source, &settings, o->report);
}

static int read_other(Output *o, Others *others)
{
    while (others->source && !others->waiting) {
        const int r = source_next(others->source, others->frame, others->packet);
        if (r < 0)
            return r;
        if (r == SOURCE_END)
            source_close(&others->source);
        else if (others->packet->stream_index < o->source_streams &&
                 o->map[others->packet->stream_index] >= 0)
            others->waiting = true;
        else
            av_packet_unref(others->packet);
    }
    return DAIN_OK;
}

/* Whether the packet of another stream comes before one of the video at this dts. */
static bool comes_first(const Output *o, const AVPacket *other, int64_t dts)
{
    const int64_t time = other->dts != AV_NOPTS_VALUE ? other->dts : other->pts;
    return time == AV_NOPTS_VALUE || dts == AV_NOPTS_VALUE ||
           av_compare_ts(pace_time(&o->pace, time, ratio_of(o->base[other->stream_index])),
                         o->base[other->stream_index], dts, o->video->time_base) <= 0;
}

/* Writes the other streams up to a packet of the video. */
static int write_others(Output *o, Others *others, int64_t dts)
{
    int r;
    while ((r = read_other(o, others)) >= 0 && others->waiting) {
        if (!comes_first(o, others->packet, dts))
            return DAIN_OK;
        others->waiting = false;
        if ((r = output_write_other(o, others->packet)) < 0)
            return r;
    }
    return r;
}

static int join_streams(Output *o, Others *others, bool whole)
{
    const AVRational base = encoder_context(o->encoder)->time_base;
    int64_t end = 0;
    int r = segments_rewind(o->segments);
    while (r >= 0 && (r = segments_read(o->segments, o->packet)) > 0) {
        const int64_t dts = av_rescale_q(o->packet->dts, base, o->video->time_base) + o->offset;
        end = av_rescale_q(o->packet->pts + o->packet->duration, base, o->video->time_base) +
              o->offset;
        r = write_others(o, others, dts);
        if (r >= 0)
            r = output_write_video(o, o->packet);
    }
    if (r >= 0)
        r = write_others(o, others, whole ? INT64_MAX : end);
    return r;
}

int output_join(Output *o, bool whole)
{
    Others others = { 0 };
    int r = have_others(o) ? open_others(o, &others) : DAIN_OK;
    if (r >= 0)
        r = join_streams(o, &others, whole);
    source_close(&others.source);
    av_frame_free(&others.frame);
    av_packet_free(&others.packet);
    return r;
}
