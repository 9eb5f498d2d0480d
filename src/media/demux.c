/* Opening a video: demuxer, choice of streams, decoder. */
#include "media/source.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "media/choice.h"
#include "media/loops.h"
#include "media/picture_list.h"
#include "media/pipe_io.h"

#include <libavutil/avstring.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int interrupted(void *opaque)
{
    return source_interrupted(opaque);
}

/* Files that FFmpeg would explain badly. */
static int check_file(Source *s, const char *url)
{
    struct stat st;
    if (stat(url, &st) != 0)
        return DAIN_OK; /* a URL, or FFmpeg says what is wrong */
    if (S_ISDIR(st.st_mode))
        return report_error(s->report, DAIN_EIO, "%s is a folder, not a file", url);
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return report_error(s->report, DAIN_EFORMAT, "%s is empty", url);
    return DAIN_OK;
}

/* What FFmpeg is to open: what stands before a colon in the name of a file is no protocol. */
static char *name_to_open(const char *url)
{
    struct stat st;
    if (stat(url, &st) != 0) {
        const char *const protocol = avio_find_protocol_name(url);
        if (strstr(url, "://") || !strncmp(url, "file:", 5) ||
            (protocol && strcmp(protocol, "file") != 0))
            return av_strdup(url);
    }
    return strchr(url, ':') ? av_asprintf("file:%s", url) : av_strdup(url);
}

static AVDictionary *options_to_open(const Source *s, const char *url)
{
    AVDictionary *options = NULL;
    char rate[48];
    if (s->settings.input_rate.num > 0)
        av_dict_set(&options, "framerate", ratio_text(s->settings.input_rate, rate, sizeof rate),
                    0);
    /* The name of a picture that is there is no pattern, nor is that of its folder. */
    if (strchr(url, '%') && access(url, F_OK) == 0)
        av_dict_set(&options, "pattern_type", "none", 0);
    return options;
}

/* url is for messages, name is opened. */
static int open_input(Source *s, const char *url, const char *name)
{
    int r;
    s->format = avformat_alloc_context();
    if (!s->format)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    s->format->interrupt_callback = (AVIOInterruptCB){ interrupted, s };
    if (s->settings.picture) {
        /* Opened here, so that the demuxer is chosen by content and the name is no pattern. */
        r = avio_open2(&s->io, name, AVIO_FLAG_READ, &s->format->interrupt_callback, NULL);
        if (r < 0)
            return libav_error(s->report, r, "%s", url);
        s->format->pb = s->io;
    } else if (pipe_io_wanted(url)) {
        if ((r = pipe_io_open(&s->pipe, url, s->settings.cancel)) < 0)
            return libav_error(s->report, r, "%s", url);
        s->format->pb = s->pipe;
    }
    AVDictionary *options = options_to_open(s, url);
    r = avformat_open_input(&s->format, name, NULL, &options);
    const bool unused = av_dict_get(options, "framerate", NULL, 0);
    av_dict_free(&options);
    if (r >= 0 && unused)
        return report_error(s->report, DAIN_EINVAL,
                            "%s has frame times of its own: --input-fps is for pictures and raw "
                            "streams",
                            url);
    if (r == AVERROR_EXIT)
        return DAIN_ECANCELED;
    if (r == AVERROR_INVALIDDATA)
        return report_error(s->report, DAIN_EFORMAT,
                            "%s: not a video or picture file, or its beginning is damaged", url);
    if (r < 0)
        return libav_error(s->report, r, "%s", url);
    if ((r = loops_read(s->format, &s->plays)) < 0)
        return libav_error(s->report, r, "%s", url);
    r = avformat_find_stream_info(s->format, NULL);
    if (r < 0)
        return libav_error(s->report, r, "%s: no stream can be understood", url);
    return DAIN_OK;
}

static int open_format(Source *s, const char *url)
{
    int r = check_file(s, url);
    if (r < 0)
        return r;
    char *const name = name_to_open(url);
    r = name ? open_input(s, url, name) : report_error(s->report, DAIN_ENOMEM, "out of memory");
    av_free(name);
    return r;
}

/* The default one if marked, else the largest, else the first. */
static AVStream *choose_stream(const AVFormatContext *format)
{
    AVStream *best = NULL;
    int64_t best_score = -1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *const st = format->streams[i];
        if (!stream_is_video(st))
            continue;
        const int64_t area = (int64_t)st->codecpar->width * st->codecpar->height;
        const int64_t score =
            area + (st->disposition & AV_DISPOSITION_DEFAULT ? INT64_C(1) << 40 : 0);
        if (score > best_score) {
            best = st;
            best_score = score;
        }
    }
    return best;
}

int source_refuse_interlaced(Source *s, bool top_first)
{
    return report_error(s->report, DAIN_EUNSUPPORTED,
                        "the video is interlaced (%s field first): --deinterlace makes a frame of "
                        "each field (by bwdif); if the flag is wrong, say --progressive",
                        top_first ? "top" : "bottom");
}

/* FFmpeg's own decoders of VP8 and VP9 leave the second picture out that is the alpha. */
static const AVCodec *find_decoder(Source *s, const char *url)
{
    const enum AVCodecID id = s->stream->codecpar->codec_id;
    const AVDictionaryEntry *const alpha = av_dict_get(s->stream->metadata, "alpha_mode", NULL, 0);
    const char *const name = id == AV_CODEC_ID_VP8   ? "libvpx"
                             : id == AV_CODEC_ID_VP9 ? "libvpx-vp9"
                                                     : NULL;
    const AVCodec *codec = NULL;
    if (name && alpha && !strcmp(alpha->value, "1") &&
        !(codec = avcodec_find_decoder_by_name(name)))
        report_log(s->report, DAIN_LOG_WARNING, "%s: this FFmpeg has no %s: alpha is left out", url,
                   name);
    return codec ? codec : avcodec_find_decoder(id);
}

static int open_decoder(Source *s, const char *url)
{
    const AVCodecParameters *const par = s->stream->codecpar;
    const AVCodec *const codec = find_decoder(s, url);
    if (!codec)
        return report_error(s->report, DAIN_EUNSUPPORTED, "%s: no decoder for its video (%s)", url,
                            avcodec_get_name(par->codec_id));
    const enum AVFieldOrder order = par->field_order;
    if (order > AV_FIELD_PROGRESSIVE && !s->settings.progressive && !s->settings.deinterlace)
        return source_refuse_interlaced(s, order == AV_FIELD_TT || order == AV_FIELD_TB);
    s->decoder = avcodec_alloc_context3(codec);
    if (!s->decoder)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    int r = avcodec_parameters_to_context(s->decoder, par);
    if (r < 0)
        return libav_error(s->report, r, "%s", url);
    const int processors = cpu_count();
    s->decoder->pkt_timebase = s->stream->time_base;
    s->decoder->thread_count = s->settings.threads   ? s->settings.threads
                               : processors > 4      ? 4
                               : s->settings.picture ? 1
                                                     : processors;
    r = avcodec_open2(s->decoder, codec, NULL);
    if (r < 0)
        return libav_error(s->report, r, "%s: its video (%s) cannot be decoded", url, codec->name);
    return DAIN_OK;
}

/* The main video, and which of the others are wanted. */
static int choose_streams(Source *s, const char *url)
{
    const AVFormatContext *const f = s->format;
    int video = -1;
    /* Streams may come while reading, up to a limit: those are not chosen. */
    const unsigned most = (unsigned)(f->max_streams > 0 ? f->max_streams : 0);
    s->chosen = mem_calloc((f->nb_streams > most ? f->nb_streams : most) + 1, sizeof *s->chosen);
    if (!s->chosen)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    const int r = stream_choice(s->settings.streams && f->nb_streams ? s->settings.streams : "all",
                                f, s->chosen, &video, s->report);
    if (r < 0)
        return r;
    s->stream = video >= 0 ? f->streams[video] : choose_stream(f);
    if (!s->stream)
        return report_error(s->report, DAIN_EFORMAT, "%s has no video stream", url);
    s->chosen[s->stream->index] = true;
    s->all = !s->settings.video_only;
    for (unsigned i = 0; i < f->nb_streams; i++)
        s->all &= s->chosen[i];
    return DAIN_OK;
}

/* Frames a second. FFmpeg's guess is the tick of the clock where it finds no common distance of the
 * frames; it takes the average then, but of less than 70 frames a second only. */
static Ratio nominal_rate(AVFormatContext *f, AVStream *st)
{
    enum { PLAUSIBLE = 210, TICK = 1000, APART = 3 };
    const AVRational guess = av_guess_frame_rate(f, st, NULL), average = st->avg_frame_rate;
    if (guess.num <= 0 || guess.den <= 0 || average.num <= 0 || average.den <= 0)
        return ratio_of(guess);
    const double g = av_q2d(guess), a = av_q2d(average);
    const bool tick = g >= TICK && av_cmp_q(guess, av_inv_q(st->time_base)) == 0;
    return ratio_of(g > a && (tick || (g > PLAUSIBLE && g > APART * a)) ? average : guess);
}

static int set_up(Source *s, const char *url)
{
    AVFormatContext *const f = s->format;
    int r = choose_streams(s, url);
    if (r >= 0)
        r = open_decoder(s, url);
    if (r < 0)
        return r;
    s->packet = av_packet_alloc();
    s->held = av_frame_alloc();
    if (!s->packet || !s->held || clock_init(&s->clock, f, s->stream, s->settings.max_gap) < 0)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    for (unsigned i = 0; i < f->nb_streams; i++)
        if ((s->settings.video_only || !s->chosen[i]) && f->streams[i] != s->stream)
            f->streams[i]->discard = AVDISCARD_ALL;
    s->rate = s->settings.input_rate.num > 0 ? s->settings.input_rate : nominal_rate(f, s->stream);
    Clock *const c = &s->clock;
    if (s->rate.num)
        c->ticks = av_rescale_q(1, av_inv_q(libav_rational(s->rate)), c->base);
    if (c->ticks < 1 || c->ticks > INT64_C(1) << 48)
        c->ticks = 1;
    c->counted = s->settings.input_rate.num > 0;
    c->rate = s->rate;
    c->first = -av_rescale_q(s->settings.part.start, AV_TIME_BASE_Q, c->base);
    return DAIN_OK;
}

static int open_sequence(Source *s)
{
    s->rate = s->settings.input_rate;
    if (s->rate.num <= 0)
        s->rate = SEQUENCE_RATE;
    const int r = sequence_open(&s->sequence, s->url, s->rate, s->report);
    if (r < 0)
        return r;
    s->damage.missing = sequence_missing(s->sequence);
    s->format = sequence_format(s->sequence);
    s->stream = s->format->streams[0];
    s->chosen = mem_alloc(sizeof *s->chosen);
    if (!s->chosen || clock_init(&s->clock, s->format, s->stream, 0) < 0)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    s->chosen[0] = true;
    return DAIN_OK;
}

int source_open_streams(Source *s)
{
    if (!s->settings.picture && picture_list_wanted(s->url))
        return open_sequence(s);
    const int r = open_format(s, s->url);
    return r < 0 ? r : set_up(s, s->url);
}
