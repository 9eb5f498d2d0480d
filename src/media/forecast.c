/* What the pipeline would do: formats, streams, numbers of frames. */
#include "media/forecast.h"

#include "media/stages.h"

#include <string.h>

/* So many source frames are walked through one by one; of longer videos the rest is scaled. */
enum { MOST_FRAMES = 200000 };

/* ---- streams ---- */

static void foresee_stream(const Pipeline *p, const AVStream *from, const AVOutputFormat *container,
                           ForecastStream *s)
{
    const PipelineSettings *const settings = p->settings;
    const int fate = streams_fate(container, from, &settings->pace, settings->output.stretch_sound);
    const enum AVCodecID id =
        fate == STREAM_RECODED ? recode_codec(from, container) : AV_CODEC_ID_NONE;
    s->becomes = avcodec_get_name(id);
    s->fate = fate < 0 || (fate == STREAM_RECODED && id == AV_CODEC_ID_NONE) ? STREAM_LEFT_OUT
                                                                             : (StreamFate)fate;
}

static void list_streams(const Pipeline *p, const AVOutputFormat *container, Forecast *f)
{
    const AVFormatContext *const in = source_format(p->source);
    const bool *const chosen = source_chosen(p->source);
    const int video = source_video(p->source).index;
    const bool pictures = !strcmp(container->name, "image2");
    for (unsigned i = 0; i < in->nb_streams && f->streams < FORECAST_STREAMS; i++) {
        const AVCodecParameters *const c = in->streams[i]->codecpar;
        const char *const kind = av_get_media_type_string(c->codec_type);
        ForecastStream *const s = &f->stream[f->streams++];
        *s = (ForecastStream){ .index = (int)i,
                               .kind = kind ? kind : "unknown",
                               .codec = avcodec_get_name(c->codec_id),
                               .fate = STREAM_COPIED };
        if ((int)i == video)
            s->fate = STREAM_NEW_FRAMES;
        else if (p->settings->output.only_video || !chosen[i] || pictures)
            s->fate = STREAM_LEFT_OUT;
        else
            foresee_stream(p, in->streams[i], container, s);
    }
}

/* ---- frames ---- */

/* Walks through the instants of a source of constant rate, as the pipeline will. */
static int count_frames(const TimelineSettings *settings, bool loop, Forecast *f)
{
    Timeline t;
    Instant at;
    TimelineSettings regular = *settings;
    const int64_t frames = f->frames_in < MOST_FRAMES ? f->frames_in : MOST_FRAMES;
    int64_t last_pair = -1, made = 0, pairs = 0, out = 0;
    if (!regular.rate.num && regular.mode != TIMELINE_FACTOR) {
        const double seconds = regular.ramp ? pace_seconds(regular.ramp, f->seconds_in)
                                            : f->seconds_in * ratio_double(regular.stretch);
        f->frames_out = f->made = (int64_t)(seconds * ratio_double(regular.out_rate) + 0.5);
        f->pairs = f->frames_in - !loop;
        return DAIN_OK;
    }
    if (regular.rate.num) /* a tick is a frame */
        regular.time_base = ratio(regular.rate.den, regular.rate.num);
    if (timeline_init(&t, &regular) < 0)
        return DAIN_EINVAL;
    for (int64_t i = 0; i <= frames; i++) {
        if (i < frames)
            timeline_push(&t, i);
        else if (loop)
            timeline_close(&t, 1);
        else
            timeline_finish(&t, 1);
        while ((i > 0) && timeline_next(&t, &at)) {
            out++;
            if (at.num == 0 || (i == frames && !loop))
                continue;
            made++;
            pairs += at.first != last_pair;
            last_pair = at.first;
        }
    }
    const double scale = frames ? (double)f->frames_in / (double)frames : 0;
    f->pairs = (int64_t)(scale * (double)pairs + 0.5);
    f->frames_out = scale > 1 ? timeline_forecast(settings, f->frames_in) : out;
    f->made = out ? (int64_t)((double)made / (double)out * (double)f->frames_out + 0.5) : 0;
    return DAIN_OK;
}

/* Decoded frames and float RGB in the queues and in the hands of the three threads. */
static size_t bytes_under_way(const AVFrame *first, bool curved)
{
    enum { DECODED = 6, RGB = 5 };
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(first->format);
    const size_t pixels = (size_t)first->width * (size_t)first->height;
    const size_t planes = pixels * (size_t)av_get_padded_bits_per_pixel(d) / 8;
    return (size_t)(DECODED + 2 * curved) * planes +
           (size_t)(RGB + curved) * 3 * sizeof(float) * pixels;
}

/* ---- the encoder ---- */

static int try_encoder(const Pipeline *p, const AVOutputFormat *container, Ratio rate, Forecast *f)
{
    const PipelineSettings *const s = p->settings;
    EncoderSettings settings = s->output.encoder;
    if (!settings.codec && !strcmp(container->name, "image2")) {
        const AVCodec *const picture = avcodec_find_encoder(
            av_guess_codec(container, NULL, s->output.path, NULL, AVMEDIA_TYPE_VIDEO));
        settings.codec = picture ? picture->name : NULL;
    }
    Encoder *encoder = NULL;
    const int r = encoder_open(&encoder, &settings, container, p->first.decoded,
                               ratio_of(p->out_base), rate, s->report);
    if (r < 0)
        return r;
    const AVCodecContext *const c = encoder_context(encoder);
    f->start.encoder = c->codec->name;
    f->start.format_out = av_get_pix_fmt_name(c->pix_fmt);
    encoder_close(&encoder);
    return DAIN_OK;
}

int forecast_make(Pipeline *p, const AVOutputFormat *container, const TimelineSettings *timeline,
                  Ratio rate, Forecast *f)
{
    const AVFrame *const first = p->first.decoded;
    const SourceVideo video = source_video(p->source);
    const AVFormatContext *const in = source_format(p->source);
    *f = (Forecast){ .start = { .decoder = video.codec,
                                .width = first->width,
                                .height = first->height,
                                .rate_in = video.rate,
                                .rate_out = rate,
                                .format_in = av_get_pix_fmt_name(first->format) },
                     .container = container->name,
                     .frames_in = video.frames,
                     .frame_bytes = bytes_under_way(first, p->curved) };
    if (video.frames && video.rate.num)
        f->seconds_in = (double)video.frames / ratio_double(video.rate);
    else if (in->duration > 0)
        f->seconds_in = 1e-6 * (double)in->duration;
    list_streams(p, container, f);
    int r = try_encoder(p, container, rate, f);
    if (r >= 0 && f->frames_in)
        r = count_frames(timeline, p->settings->loop, f);
    return r;
}
