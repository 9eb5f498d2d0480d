/* Packets of video, of streams made anew and of copied ones on their way to the file. */
#include "media/output_private.h"

/* Containers want decoding times that grow; sources are not always so careful. */
static void keep_order(Output *o, AVPacket *packet)
{
    int64_t *const last = &o->last_dts[packet->stream_index];
    if (packet->dts == AV_NOPTS_VALUE)
        packet->dts = packet->pts;
    if (packet->dts == AV_NOPTS_VALUE)
        return;
    const int step = o->format->oformat->flags & AVFMT_TS_NONSTRICT ? 0 : 1;
    if (*last != AV_NOPTS_VALUE && packet->dts < *last + step) {
        packet->dts = *last + step;
        if (packet->pts != AV_NOPTS_VALUE && packet->pts < packet->dts)
            packet->pts = packet->dts;
    }
    *last = packet->dts;
}

static int write_packet(Output *o, AVPacket *packet)
{
    if (o->pictures) {
        const int written = picture_out_write(o->pictures, packet);
        av_packet_unref(packet);
        return written;
    }
    keep_order(o, packet);
    const bool copied = packet->stream_index != o->video->index;
    int r = av_interleaved_write_frame(o->format, packet);
    if (o->format->pb && o->format->pb->error < 0)
        r = o->format->pb->error;
    else if (r == AVERROR_INVALIDDATA && copied && !o->settings.strict) {
        /* Containers that rewrite packets (ADTS to MP4) read their headers: this one is broken. */
        o->refused++;
        return DAIN_OK;
    }
    return r < 0 ? libav_error(o->report, r, "cannot write %s", o->path) : DAIN_OK;
}

/* A stream that goes wrong ends there, and the film does not. */
static int give_up_stream(Output *o, int index, int error)
{
    if (error == DAIN_ENOMEM)
        return report_error(o->report, error, "out of memory");
    report_log(o->report, DAIN_LOG_WARNING, "stream %d: %s; the rest of it is left out", index,
               recode_error(o->recode[index]));
    recode_close(&o->recode[index]);
    o->map[index] = -1;
    return DAIN_OK;
}

int output_write_recoded(Output *o, int index, const AVPacket *packet)
{
    Recode *const recode = o->recode[index];
    AVPacket *made = av_packet_alloc();
    int written = DAIN_OK;
    int r = made ? recode_send(recode, packet) : DAIN_ENOMEM;
    while (r >= 0 && written >= 0 && (r = recode_receive(recode, made)) > 0) {
        made->stream_index = o->map[index];
        av_packet_rescale_ts(made, recode_encoder(recode)->time_base,
                             o->format->streams[made->stream_index]->time_base);
        written = write_packet(o, made);
    }
    av_packet_free(&made);
    if (r < 0)
        return give_up_stream(o, index, r);
    return written;
}

/* Subtitles and the like at another pace. */
static void pace_times(const Output *o, AVPacket *packet)
{
    const Ratio base = ratio_of(o->base[packet->stream_index]);
    const int64_t from = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (from != AV_NOPTS_VALUE)
        packet->duration =
            pace_time(&o->pace, from + packet->duration, base) - pace_time(&o->pace, from, base);
    if (packet->pts != AV_NOPTS_VALUE)
        packet->pts = pace_time(&o->pace, packet->pts, base);
    if (packet->dts != AV_NOPTS_VALUE)
        packet->dts = pace_time(&o->pace, packet->dts, base);
}

int output_write_other(Output *o, AVPacket *packet)
{
    const int number = packet->stream_index < o->source_streams ? o->map[packet->stream_index] : -1;
    if (number < 0 || o->format->streams[number]->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT) {
        av_packet_unref(packet);
        return DAIN_OK;
    }
    if (o->recode && o->recode[packet->stream_index]) {
        const int r = output_write_recoded(o, packet->stream_index, packet);
        av_packet_unref(packet);
        return r;
    }
    pace_times(o, packet);
    av_packet_rescale_ts(packet, o->base[packet->stream_index],
                         o->format->streams[number]->time_base);
    packet->stream_index = number;
    packet->pos = -1;
    return write_packet(o, packet);
}

int64_t output_refused(const Output *o)
{
    return o->refused;
}

int output_packet(Output *o, AVPacket *packet)
{
    if (!o->segments)
        return output_write_other(o, packet);
    av_packet_unref(packet); /* its time comes when the segments are joined */
    return DAIN_OK;
}

int output_write_video(Output *o, AVPacket *packet)
{
    packet->stream_index = o->video->index;
    av_packet_rescale_ts(packet, encoder_context(o->encoder)->time_base, o->video->time_base);
    if (packet->pts != AV_NOPTS_VALUE)
        packet->pts += o->offset;
    if (packet->dts != AV_NOPTS_VALUE)
        packet->dts += o->offset;
    return write_packet(o, packet);
}
