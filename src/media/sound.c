/* Sound in another codec or of another length: decoder, filters, encoder. */
#include "media/sound.h"

#include "base/mem.h"
#include "media/filters.h"
#include "media/streams.h"

#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <stdio.h>
#include <string.h>

struct Sound {
    Report *report;
    const Pace *pace;
    AVRational base; /* of the packets that come in */
    AVCodecContext *decoder, *encoder;
    Filters filters;   /* made for the first frame, whose format is the true one */
    AVFrame *format;   /* of what the filters take, no samples */
    SwrContext *adapt; /* brings frames of another format to it */
    AVFrame *frame, *adapted;
    int64_t next; /* pts of the next samples for the encoder */
    bool drained; /* the filter has given all */
};

static int no_memory(Sound *s)
{
    return report_error(s->report, DAIN_ENOMEM, "out of memory");
}

/* ---- opening ---- */

/* The nearest to a rate that the codec has. */
static int nearest_rate(const AVCodec *codec, int rate)
{
    const int *const list = codec->supported_samplerates;
    int best = list ? list[0] : rate;
    for (int i = 0; list && list[i]; i++)
        if (abs(list[i] - rate) < abs(best - rate))
            best = list[i];
    return best;
}

static int open_decoder(Sound *s, const AVStream *from)
{
    const AVCodec *const codec = avcodec_find_decoder(from->codecpar->codec_id);
    if (!codec)
        return report_error(s->report, DAIN_EUNSUPPORTED,
                            "stream %d: no decoder for its sound (%s)", from->index,
                            avcodec_get_name(from->codecpar->codec_id));
    s->decoder = avcodec_alloc_context3(codec);
    if (!s->decoder || avcodec_parameters_to_context(s->decoder, from->codecpar) < 0)
        return no_memory(s);
    s->decoder->pkt_timebase = from->time_base;
    const int r = avcodec_open2(s->decoder, codec, NULL);
    return r < 0 ? libav_error(s->report, r, "stream %d: its sound cannot be decoded", from->index)
                 : DAIN_OK;
}

/* The decoder's own, interleaved or planar, where the encoder takes it: 24 bits stay 24. */
static enum AVSampleFormat nearest_format(const AVCodec *codec, enum AVSampleFormat own)
{
    const enum AVSampleFormat *const list = codec->sample_fmts;
    for (int i = 0; list && list[i] != AV_SAMPLE_FMT_NONE; i++)
        if (av_get_packed_sample_fmt(list[i]) == av_get_packed_sample_fmt(own))
            return list[i];
    return list ? list[0] : AV_SAMPLE_FMT_S16;
}

/* Opens it and asks the muxer. 1 = it will do, 0 = not, DAIN_ENOMEM. */
static int try_encoder(Sound *s, const AVCodec *codec, const AVOutputFormat *container, int rate,
                       const AVChannelLayout *layout)
{
    avcodec_free_context(&s->encoder);
    AVCodecContext *const e = s->encoder = avcodec_alloc_context3(codec);
    if (!e || av_channel_layout_copy(&e->ch_layout, layout) < 0)
        return DAIN_ENOMEM;
    e->sample_rate = nearest_rate(codec, rate);
    e->sample_fmt = nearest_format(codec, s->decoder->sample_fmt);
    e->time_base = (AVRational){ 1, e->sample_rate };
    /* A generous rate, for codecs that have one: it is coded for the second time. */
    e->bit_rate = INT64_C(96000) * e->ch_layout.nb_channels;
    if (container->flags & AVFMT_GLOBALHEADER)
        e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    int r = avcodec_open2(e, codec, NULL);
    if (r >= 0)
        r = streams_hold_encoded(container, e);
    return r == AVERROR(ENOMEM) ? DAIN_ENOMEM : r > 0;
}

/* In the source's rate and channels, else in usual ones. As try_encoder(). */
static int try_codec(Sound *s, const AVCodec *codec, const AVOutputFormat *container)
{
    const AVChannelLayout *const own = &s->decoder->ch_layout;
    const int rates[] = { s->decoder->sample_rate > 0 ? s->decoder->sample_rate : 48000, 48000,
                          44100 };
    AVChannelLayout usual = { 0 }, stereo = AV_CHANNEL_LAYOUT_STEREO;
    av_channel_layout_default(&usual, own->nb_channels);
    if (own->order == AV_CHANNEL_ORDER_UNSPEC && usual.order == AV_CHANNEL_ORDER_UNSPEC)
        return 0; /* nobody knows what to make of these channels */
    const AVChannelLayout *const layouts[] = { own, &usual, &stereo };
    int r = 0;
    for (int i = 0; i < 9 && r == 0; i++) {
        const AVChannelLayout *const layout = layouts[i % 3];
        if (layout->order != AV_CHANNEL_ORDER_UNSPEC && av_channel_layout_check(layout))
            r = try_encoder(s, codec, container, rates[i / 3], layout);
    }
    return r;
}

/* The source's own codec if this container and this FFmpeg can write it, else the container's, else
 * what many hold. */
static int open_encoder(Sound *s, const AVStream *from, const AVOutputFormat *container)
{
    const enum AVCodecID tried[] = { from->codecpar->codec_id, container->audio_codec,
                                     AV_CODEC_ID_AAC,          AV_CODEC_ID_MP3,
                                     AV_CODEC_ID_AC3,          AV_CODEC_ID_PCM_S16LE };
    for (unsigned i = 0; i < sizeof tried / sizeof *tried; i++) {
        const AVCodec *const codec = avcodec_find_encoder(tried[i]);
        if (!codec || codec->type != AVMEDIA_TYPE_AUDIO ||
            (codec->capabilities & AV_CODEC_CAP_EXPERIMENTAL))
            continue;
        const int r = try_codec(s, codec, container);
        if (r != 0)
            return r < 0 ? no_memory(s) : DAIN_OK;
    }
    return report_error(s->report, DAIN_EUNSUPPORTED,
                        "stream %d: no encoder here for its sound in %s files", from->index,
                        container->name);
}

int sound_open(Sound **sound, const AVStream *from, const AVOutputFormat *container,
               const Pace *pace, Report *report)
{
    *sound = NULL;
    Sound *s = mem_calloc(1, sizeof *s);
    if (!s)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    s->report = report;
    s->pace = pace;
    s->base = from->time_base;
    s->next = AV_NOPTS_VALUE;
    if (pace->points && !avfilter_get_by_name("rubberband")) {
        sound_close(&s);
        return report_error(report, DAIN_EUNSUPPORTED,
                            "this FFmpeg has no rubberband filter, which sound on a ramp needs");
    }
    s->frame = av_frame_alloc();
    s->adapted = av_frame_alloc();
    s->format = av_frame_alloc();
    int r = s->frame && s->adapted && s->format ? open_decoder(s, from) : no_memory(s);
    if (r >= 0)
        r = open_encoder(s, from, container);
    if (r < 0)
        sound_close(&s);
    *sound = s;
    return r;
}

void sound_close(Sound **sound)
{
    Sound *const s = *sound;
    *sound = NULL;
    if (!s)
        return;
    filters_close(&s->filters);
    avcodec_free_context(&s->decoder);
    avcodec_free_context(&s->encoder);
    swr_free(&s->adapt);
    av_frame_free(&s->frame);
    av_frame_free(&s->adapted);
    av_frame_free(&s->format);
    mem_free(s);
}

/* ---- the filter ---- */

/* What rubberband takes. */
static double ramp_tempo(const Sound *s, double seconds)
{
    const double tempo = 1 / pace_at(s->pace, seconds);
    return tempo < 0.01 ? 0.01 : tempo > 100 ? 100 : tempo;
}

/*
 * One tempo: atempo, which takes 1/2 at least and is best near 1, up to 2: several in a row. A ramp:
 * rubberband, whose tempo may change on the way (atempo loses samples with each change).
 */
static void describe(const Sound *s, const char *layout, char *text, size_t size)
{
    double tempo = 1 / pace_at(s->pace, 0);
    /* Gaps in the timestamps become silence first, for atempo counts samples alone. */
    size_t used = (size_t)snprintf(text, size, "aresample=async=1");
    if (s->pace->points)
        used +=
            (size_t)snprintf(text + used, size - used, ",rubberband=tempo=%.9f", ramp_tempo(s, 0));
    for (; !s->pace->points && tempo < 0.5 && used < size; tempo *= 2)
        used += (size_t)snprintf(text + used, size - used, ",atempo=0.5");
    for (; !s->pace->points && tempo > 2 && used < size; tempo /= 2)
        used += (size_t)snprintf(text + used, size - used, ",atempo=2");
    if (!s->pace->points && tempo != 1 && used < size)
        used += (size_t)snprintf(text + used, size - used, ",atempo=%.12f", tempo);
    if (used < size)
        snprintf(text + used, size - used,
                 ",aformat=sample_fmts=%s:sample_rates=%d:channel_layouts=%s",
                 av_get_sample_fmt_name(s->encoder->sample_fmt), s->encoder->sample_rate, layout);
}

static int make_graph(Sound *s, const AVFrame *first)
{
    char in[256], out[256], layout[96], text[1024];
    AVChannelLayout channels = { 0 };
    if (first->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&channels, first->ch_layout.nb_channels);
    else
        channels = first->ch_layout;
    av_channel_layout_describe(&channels, layout, sizeof layout);
    snprintf(in, sizeof in, "time_base=%d/%d:sample_rate=%d:sample_fmt=%s:channel_layout=%s",
             s->base.num, s->base.den, first->sample_rate, av_get_sample_fmt_name(first->format),
             layout);
    av_channel_layout_describe(&s->encoder->ch_layout, out, sizeof out);
    describe(s, out, text, sizeof text);
    const int r = filters_open(&s->filters, AVMEDIA_TYPE_AUDIO, in, text, 0);
    if (r < 0)
        return libav_error(s->report, r, "sound cannot be converted");
    if (s->encoder->frame_size > 0)
        av_buffersink_set_frame_size(s->filters.sink, (unsigned)s->encoder->frame_size);
    s->format->format = first->format;
    s->format->sample_rate = first->sample_rate;
    return av_channel_layout_copy(&s->format->ch_layout, &first->ch_layout) < 0 ? no_memory(s)
                                                                                : DAIN_OK;
}

static bool same_format(const AVFrame *a, const AVFrame *b)
{
    return a->format == b->format && a->sample_rate == b->sample_rate &&
           av_channel_layout_compare(&a->ch_layout, &b->ch_layout) == 0;
}

/* Broadcasts go from stereo to 5.1 and back; the new file's sound stays what it was at first. */
static int to_first_format(Sound *s)
{
    if (same_format(s->frame, s->format))
        return DAIN_OK;
    s->adapted->format = s->format->format;
    s->adapted->sample_rate = s->format->sample_rate;
    int r = av_channel_layout_copy(&s->adapted->ch_layout, &s->format->ch_layout);
    if (r >= 0 && !s->adapt && !(s->adapt = swr_alloc()))
        r = AVERROR(ENOMEM);
    if (r >= 0)
        r = swr_convert_frame(s->adapt, s->adapted, s->frame);
    if (r == AVERROR_INPUT_CHANGED) { /* a third format */
        swr_close(s->adapt);
        r = swr_convert_frame(s->adapt, s->adapted, s->frame);
    }
    if (r >= 0 && (r = av_frame_copy_props(s->adapted, s->frame)) >= 0) {
        av_frame_unref(s->frame);
        av_frame_move_ref(s->frame, s->adapted);
    }
    av_frame_unref(s->adapted);
    return r < 0 ? libav_error(s->report, r, "sound cannot be converted") : DAIN_OK;
}

/* The frame's samples from `from` on, count of them, into s->adapted. */
static int slice(Sound *s, int from, int count)
{
    AVFrame *const part = s->adapted;
    const int r = av_frame_ref(part, s->frame);
    if (r < 0)
        return r;
    const bool planar = av_sample_fmt_is_planar(part->format);
    const int channels = part->ch_layout.nb_channels;
    const ptrdiff_t offset =
        (ptrdiff_t)from * av_get_bytes_per_sample(part->format) * (planar ? 1 : channels);
    for (int i = 0; i < (planar ? channels : 1); i++) {
        part->extended_data[i] += offset;
        if (i < AV_NUM_DATA_POINTERS)
            part->data[i] = part->extended_data[i];
    }
    part->nb_samples = count;
    return 0;
}

/* A frame into the filter on a ramp: in pieces, each with its own tempo and through before the next. */
static int give_on_ramp(Sound *s)
{
    enum { PIECE = 1024 };
    /* A tempo takes effect on what the stretcher still looks ahead at: its window, some 40 ms in
     * samples that are a power of two. */
    int look_ahead = 1024;
    while (look_ahead < s->format->sample_rate * INT64_C(2048) / 48000)
        look_ahead *= 2;
    const double rate = s->format->sample_rate;
    const bool timed = s->frame->pts != AV_NOPTS_VALUE;
    const double start = timed ? (double)s->frame->pts * av_q2d(s->base) : 0;
    int r = 0;
    for (int from = 0; r >= 0 && from < s->frame->nb_samples; from += PIECE) {
        const int left = s->frame->nb_samples - from, count = left < PIECE ? left : PIECE;
        char tempo[32];
        snprintf(tempo, sizeof tempo, "%.9f",
                 ramp_tempo(s, start + (from + 0.5 * count - look_ahead) / rate));
        if (timed)
            avfilter_graph_send_command(s->filters.graph, "rubberband", "tempo", tempo, NULL, 0, 0);
        if ((r = slice(s, from, count)) < 0)
            break;
        if (timed)
            s->adapted->pts +=
                av_rescale_q(from, (AVRational){ 1, s->format->sample_rate }, s->base);
        r = av_buffersrc_add_frame_flags(s->filters.source, s->adapted, AV_BUFFERSRC_FLAG_PUSH);
        av_frame_unref(s->adapted);
    }
    return r;
}

/* All decoded frames into the filter. Their times need not be in order: only gaps matter. */
static int filter_decoded(Sound *s, bool end)
{
    int r;
    while ((r = avcodec_receive_frame(s->decoder, s->frame)) >= 0) {
        s->frame->pts = s->frame->best_effort_timestamp;
        if ((!s->filters.graph && (r = make_graph(s, s->frame)) < 0) ||
            (r = to_first_format(s)) < 0)
            return r;
        if (s->next == AV_NOPTS_VALUE) {
            const int64_t first = s->frame->pts == AV_NOPTS_VALUE ? 0 : s->frame->pts;
            const int64_t time = av_rescale_q(first, s->base, s->encoder->time_base);
            s->next = pace_time(s->pace, time, ratio_of(s->encoder->time_base));
        }
        if (s->frame->nb_samples)
            r = s->pace->points ? give_on_ramp(s)
                                : av_buffersrc_add_frame(s->filters.source, s->frame);
        av_frame_unref(s->frame);
        if (r < 0)
            return libav_error(s->report, r, "sound cannot be converted");
    }
    if (r != AVERROR_EOF && r != AVERROR(EAGAIN) && r == AVERROR(ENOMEM))
        return no_memory(s);
    if (end && s->filters.graph && av_buffersrc_add_frame(s->filters.source, NULL) < 0)
        return no_memory(s);
    return DAIN_OK;
}

/* ---- in and out ---- */

int sound_send(Sound *s, const AVPacket *packet)
{
    const int r = avcodec_send_packet(s->decoder, packet);
    if (r == AVERROR(ENOMEM))
        return no_memory(s);
    return filter_decoded(s, !packet);
}

/* A frame from the filter to the encoder; 0 if there is none. */
static int encode_more(Sound *s)
{
    if (s->drained || !s->filters.graph)
        return 0;
    int r = av_buffersink_get_frame(s->filters.sink, s->frame);
    if (r == AVERROR(EAGAIN))
        return 0;
    if (r < 0) { /* the end, whatever its reason */
        s->drained = true;
        return avcodec_send_frame(s->encoder, NULL) < 0 ? no_memory(s) : 1;
    }
    s->frame->pts = s->next;
    s->next += s->frame->nb_samples;
    r = avcodec_send_frame(s->encoder, s->frame);
    av_frame_unref(s->frame);
    return r < 0 ? libav_error(s->report, r, "sound cannot be encoded") : 1;
}

int sound_receive(Sound *s, AVPacket *packet)
{
    for (;;) {
        const int r = avcodec_receive_packet(s->encoder, packet);
        if (r >= 0)
            return 1;
        if (r == AVERROR_EOF)
            return 0;
        if (r != AVERROR(EAGAIN))
            return libav_error(s->report, r, "sound cannot be encoded");
        const int more = encode_more(s);
        if (more <= 0)
            return more;
    }
}

const AVCodecContext *sound_encoder(const Sound *s)
{
    return s->encoder;
}
