/* Subtitles of text in another codec. */
#include "media/subtitle.h"

#include "base/mem.h"
#include "media/container.h"

#include <string.h>

enum { MOST = 1 << 20 }; /* bytes of one event */

struct Subtitle {
    Report *report;
    const Pace *pace;
    AVRational base; /* of the packets that come in */
    AVCodecContext *decoder, *encoder;
    AVPacket *made; /* size 0: none */
    uint8_t *text;  /* MOST bytes */
};

static int no_memory(Subtitle *s)
{
    return report_error(s->report, DAIN_ENOMEM, "out of memory");
}

/* The container's own choice where it has one, else the first that it holds. */
static const AVCodec *choose_encoder(const AVOutputFormat *container)
{
    const enum AVCodecID tried[] = { container->subtitle_codec, AV_CODEC_ID_MOV_TEXT,
                                     AV_CODEC_ID_WEBVTT, AV_CODEC_ID_SUBRIP };
    for (unsigned i = 0; i < sizeof tried / sizeof *tried; i++) {
        const AVCodec *const codec = avcodec_find_encoder(tried[i]);
        if (codec && container_holds(container, tried[i], FF_COMPLIANCE_NORMAL) == 1)
            return codec;
    }
    return NULL;
}

static bool is_text(enum AVCodecID id)
{
    const AVCodecDescriptor *const d = avcodec_descriptor_get(id);
    return d && (d->props & AV_CODEC_PROP_TEXT_SUB);
}

/* ---- opening ---- */

static int open_decoder(Subtitle *s, const AVStream *from)
{
    s->decoder = avcodec_alloc_context3(avcodec_find_decoder(from->codecpar->codec_id));
    if (!s->decoder || avcodec_parameters_to_context(s->decoder, from->codecpar) < 0)
        return no_memory(s);
    s->decoder->pkt_timebase = from->time_base;
    const int r = avcodec_open2(s->decoder, NULL, NULL);
    return r < 0 ? libav_error(s->report, r, "stream %d: its text cannot be decoded", from->index)
                 : DAIN_OK;
}

/* The decoder's header is what the styles of its events are named in. */
static int copy_header(Subtitle *s)
{
    const AVCodecContext *const d = s->decoder;
    if (!d->subtitle_header)
        return DAIN_OK;
    s->encoder->subtitle_header = av_mallocz((size_t)d->subtitle_header_size + 1);
    if (!s->encoder->subtitle_header)
        return no_memory(s);
    memcpy(s->encoder->subtitle_header, d->subtitle_header, (size_t)d->subtitle_header_size);
    s->encoder->subtitle_header_size = d->subtitle_header_size;
    return DAIN_OK;
}

static int open_encoder(Subtitle *s, const AVStream *from, const AVOutputFormat *container)
{
    s->encoder = avcodec_alloc_context3(choose_encoder(container));
    if (!s->encoder || copy_header(s) < 0)
        return no_memory(s);
    s->encoder->time_base = AV_TIME_BASE_Q;
    const int r = avcodec_open2(s->encoder, NULL, NULL);
    return r < 0 ? libav_error(s->report, r, "stream %d: its text cannot be encoded", from->index)
                 : DAIN_OK;
}

int subtitle_open(Subtitle **subtitle, const AVStream *from, const AVOutputFormat *container,
                  const Pace *pace, Report *report)
{
    *subtitle = NULL;
    const enum AVCodecID id = from->codecpar->codec_id;
    if (!is_text(id) || !avcodec_find_decoder(id) || !choose_encoder(container))
        return report_error(report, DAIN_EUNSUPPORTED,
                            "stream %d: these subtitles cannot be converted", from->index);
    Subtitle *s = mem_calloc(1, sizeof *s);
    if (!s)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    s->report = report;
    s->pace = pace;
    s->base = from->time_base;
    s->made = av_packet_alloc();
    s->text = mem_alloc(MOST);
    int r = s->made && s->text ? open_decoder(s, from) : no_memory(s);
    if (r >= 0)
        r = open_encoder(s, from, container);
    if (r < 0)
        subtitle_close(&s);
    *subtitle = s;
    return r;
}

void subtitle_close(Subtitle **subtitle)
{
    Subtitle *const s = *subtitle;
    *subtitle = NULL;
    if (!s)
        return;
    avcodec_free_context(&s->decoder);
    avcodec_free_context(&s->encoder);
    av_packet_free(&s->made);
    mem_free(s->text);
    mem_free(s);
}

/* ---- in and out ---- */

/* The encoded text. Its beginning is the decoder's, which may give an event when it ends (captions). */
static int keep(Subtitle *s, const AVSubtitle *event, const AVPacket *from, int size)
{
    static const AVRational milliseconds = { 1, 1000 };
    const AVRational base = s->encoder->time_base; /* microseconds, as AVSubtitle.pts */
    const uint32_t start = event->start_display_time, end = event->end_display_time;
    const bool told = end > start && end != UINT32_MAX;
    const int64_t shown =
        event->pts != AV_NOPTS_VALUE ? event->pts : av_rescale_q(from->pts, s->base, base);
    const int64_t begin = shown + av_rescale_q(start, milliseconds, base);
    const int64_t length = told ? av_rescale_q(end - start, milliseconds, base)
                                : av_rescale_q(from->duration, s->base, base);
    const int r = av_new_packet(s->made, size);
    if (r < 0)
        return no_memory(s);
    memcpy(s->made->data, s->text, (size_t)size);
    s->made->pts = s->made->dts = pace_time(s->pace, begin, ratio_of(base));
    s->made->duration = pace_time(s->pace, begin + length, ratio_of(base)) - s->made->pts;
    s->made->flags |= AV_PKT_FLAG_KEY;
    return DAIN_OK;
}

/* A packet through decoder and encoder; an empty one asks for what the decoder kept. */
static int convert(Subtitle *s, AVPacket *packet)
{
    AVSubtitle event = { 0 };
    int got = 0;
    int r = avcodec_decode_subtitle2(s->decoder, &event, &got, packet);
    if (r == AVERROR(ENOMEM))
        return no_memory(s);
    if (r < 0 || !got)
        return DAIN_OK;
    AVSubtitle shown = event; /* the encoder wants events that begin at once */
    if (shown.end_display_time != UINT32_MAX)
        shown.end_display_time -= event.start_display_time;
    shown.start_display_time = 0;
    const bool timed = event.pts != AV_NOPTS_VALUE || packet->pts != AV_NOPTS_VALUE;
    const int size =
        event.num_rects && timed ? avcodec_encode_subtitle(s->encoder, s->text, MOST, &shown) : 0;
    r = size > 0 ? keep(s, &event, packet, size) : size == AVERROR(ENOMEM) ? no_memory(s) : DAIN_OK;
    avsubtitle_free(&event);
    return r;
}

int subtitle_send(Subtitle *s, const AVPacket *packet)
{
    av_packet_unref(s->made);
    if (packet)
        return convert(s, (AVPacket *)packet);
    if (!(s->decoder->codec->capabilities & AV_CODEC_CAP_DELAY))
        return DAIN_OK;
    AVPacket *nothing = av_packet_alloc(); /* once: some give the same event again and again */
    const int r = nothing ? convert(s, nothing) : no_memory(s);
    av_packet_free(&nothing);
    return r;
}

int subtitle_receive(Subtitle *s, AVPacket *packet)
{
    if (!s->made->size)
        return 0;
    av_packet_move_ref(packet, s->made);
    return 1;
}

const AVCodecContext *subtitle_encoder(const Subtitle *s)
{
    return s->encoder;
}
