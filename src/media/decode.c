/* Reading a video: demuxer and decoder, with timestamps put in order. */
#include "media/decode.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "media/choice.h"
#include "media/deinterlace.h"
#include "media/picture_list.h"
#include "media/pipe_io.h"
#include "media/sequence.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct Source {
    Report *report;
    SourceSettings settings;
    char *url;
    Sequence *sequence; /* of pictures: then there is no demuxer and no decoder of ours */
    AVFormatContext *format;
    AVIOContext *io;   /* ours in picture mode */
    AVIOContext *pipe; /* ours for a pipe */
    AVCodecContext *decoder;
    AVStream *stream;
    bool *chosen; /* of the streams, those that are wanted */
    AVPacket *packet;
    Deinterlacer *deinterlacer;
    SourceDamage damage;
    Ratio rate;
    int64_t start;       /* microseconds */
    int64_t shift;       /* microseconds, added to all timestamps after a jump */
    int64_t *last_dts;   /* microseconds, one a stream, AV_NOPTS_VALUE at first */
    int64_t end;         /* microseconds, end of the last packet */
    int64_t packets;     /* of the main video stream, read */
    int64_t frames;      /* handed out */
    int64_t last_pts;    /* of the last frame */
    int64_t frame_shift; /* added to those of frames after their clock went back */
    int64_t frame_ticks; /* nominal distance of frames in ticks, at least 1 */
    int failures;        /* of the decoder in a row */
    int64_t last_field;  /* timestamp of the last frame out of the deinterlacer */
    bool draining, deinterlacer_ended;
    bool past_end; /* the last frame of the part was handed out */
    bool sought;   /* not all packets were read */
};

static int interrupted(void *opaque)
{
    const Source *const s = opaque;
    return s->settings.cancel && atomic_load(s->settings.cancel);
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

static int open_format(Source *s, const char *url)
{
    int r = check_file(s, url);
    if (r < 0)
        return r;
    s->format = avformat_alloc_context();
    if (!s->format)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    s->format->interrupt_callback = (AVIOInterruptCB){ interrupted, s };
    if (s->settings.picture) {
        /* Opened here, so that the demuxer is chosen by content and the name is no pattern. */
        r = avio_open2(&s->io, url, AVIO_FLAG_READ, &s->format->interrupt_callback, NULL);
        if (r < 0)
            return libav_error(s->report, r, "%s", url);
        s->format->pb = s->io;
    } else if (pipe_io_wanted(url)) {
        if ((r = pipe_io_open(&s->pipe, url, s->settings.cancel)) < 0)
            return libav_error(s->report, r, "%s", url);
        s->format->pb = s->pipe;
    }
    AVDictionary *options = NULL;
    if (s->settings.input_rate.num > 0) {
        char rate[48];
        av_dict_set(&options, "framerate", ratio_text(s->settings.input_rate, rate, sizeof rate),
                    0);
    }
    r = avformat_open_input(&s->format, url, NULL, &options);
    const bool unused = av_dict_count(options) > 0;
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
    r = avformat_find_stream_info(s->format, NULL);
    if (r < 0)
        return libav_error(s->report, r, "%s: no stream can be understood", url);
    return DAIN_OK;
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

static int refuse_interlaced(Source *s, bool top_first)
{
    return report_error(s->report, DAIN_EUNSUPPORTED,
                        "the video is interlaced (%s field first): --deinterlace makes a frame of "
                        "each field (by bwdif); if the flag is wrong, say --progressive",
                        top_first ? "top" : "bottom");
}

static int open_decoder(Source *s, const char *url)
{
    const AVCodecParameters *const par = s->stream->codecpar;
    const AVCodec *const codec = avcodec_find_decoder(par->codec_id);
    if (!codec)
        return report_error(s->report, DAIN_EUNSUPPORTED, "%s: no decoder for its video (%s)", url,
                            avcodec_get_name(par->codec_id));
    const enum AVFieldOrder order = par->field_order;
    if (order > AV_FIELD_PROGRESSIVE && !s->settings.progressive && !s->settings.deinterlace)
        return refuse_interlaced(s, order == AV_FIELD_TT || order == AV_FIELD_TB);
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
    s->chosen = mem_alloc((f->nb_streams + 1) * sizeof *s->chosen);
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
    return DAIN_OK;
}

static int set_up(Source *s, const char *url)
{
    AVFormatContext *const f = s->format;
    int r = choose_streams(s, url);
    if (r >= 0)
        r = open_decoder(s, url);
    if (r < 0)
        return r;
    s->last_dts = mem_alloc(f->nb_streams * sizeof *s->last_dts);
    s->packet = av_packet_alloc();
    if (!s->last_dts || !s->packet)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    for (unsigned i = 0; i < f->nb_streams; i++) {
        s->last_dts[i] = AV_NOPTS_VALUE;
        if ((s->settings.video_only || !s->chosen[i]) && f->streams[i] != s->stream)
            f->streams[i]->discard = AVDISCARD_ALL;
    }
    s->start = f->start_time == AV_NOPTS_VALUE ? 0 : f->start_time;
    s->rate = s->settings.input_rate.num > 0 ? s->settings.input_rate
                                             : ratio_of(av_guess_frame_rate(f, s->stream, NULL));
    s->frame_ticks = 1;
    if (s->rate.num)
        s->frame_ticks = av_rescale_q(1, av_inv_q(libav_rational(s->rate)), s->stream->time_base);
    if (s->frame_ticks < 1)
        s->frame_ticks = 1;
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
    s->frame_ticks = 1;
    s->chosen = mem_alloc(sizeof *s->chosen);
    if (!s->chosen)
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    s->chosen[0] = true;
    return DAIN_OK;
}

/* Formats without timestamps are counted from their first frame: no jumping about in them. */
static bool can_seek(const Source *s)
{
    return s->format->pb && (s->format->pb->seekable & AVIO_SEEKABLE_NORMAL) &&
           s->format->start_time != AV_NOPTS_VALUE &&
           !(s->format->iformat->flags & (AVFMT_NOTIMESTAMPS | AVFMT_NOFILE));
}

/* To the last key frame before the part that is wanted; whatever comes too early is dropped later. */
static int go_to_start(Source *s)
{
    const int64_t start = s->settings.part.start;
    if (start > 0 && part_length(&s->settings.part, s->format->duration) == 0)
        return report_error(s->report, DAIN_EINVAL,
                            "%s: nothing is left, it ends %.3f seconds after its start", s->url,
                            (double)s->format->duration / AV_TIME_BASE);
    if (s->sequence)
        sequence_skip(s->sequence, av_rescale_q(start, AV_TIME_BASE_Q, s->stream->time_base));
    else if (start > 0 && can_seek(s))
        avformat_seek_file(s->format, -1, INT64_MIN, s->start + start, s->start + start, 0);
    if (!s->sequence)
        s->start += start;
    return DAIN_OK;
}

int source_open(Source **source, const char *url, const SourceSettings *settings, Report *report)
{
    *source = NULL;
    Source *s = mem_calloc(1, sizeof *s);
    if (!s)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    s->report = report;
    s->settings = *settings;
    int r = DAIN_OK;
    if (!(s->url = mem_strdup(url)))
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    else if (!settings->picture && picture_list_wanted(url))
        r = open_sequence(s);
    else if ((r = open_format(s, url)) >= 0)
        r = set_up(s, url);
    if (r >= 0)
        r = go_to_start(s);
    if (r >= 0 && settings->deinterlace &&
        !(s->deinterlacer = deinterlacer_create(s->stream->time_base, report)))
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    if (r < 0) {
        source_close(&s);
        return r;
    }
    *source = s;
    return DAIN_OK;
}

void source_close(Source **source)
{
    Source *const s = *source;
    *source = NULL;
    if (!s)
        return;
    deinterlacer_destroy(s->deinterlacer);
    avcodec_free_context(&s->decoder);
    if (s->sequence)
        sequence_close(&s->sequence);
    else
        avformat_close_input(&s->format);
    avio_closep(&s->io);
    pipe_io_close(&s->pipe);
    av_packet_free(&s->packet);
    mem_free(s->last_dts);
    mem_free(s->chosen);
    mem_free(s->url);
    mem_free(s);
}

/* ---- timestamps of packets ---- */

/* A jump of more than this is a discontinuity where the container is known to have them. */
enum { JUMP = 10 * AV_TIME_BASE };

/* Moves all streams together when the clock of a broadcast or of joined files jumps. */
static void follow_jump(Source *s, const AVPacket *packet, const AVStream *st)
{
    if (packet->dts == AV_NOPTS_VALUE || !(s->format->iformat->flags & AVFMT_TS_DISCONT) ||
        (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO &&
         st->codecpar->codec_type != AVMEDIA_TYPE_AUDIO))
        return;
    const int64_t dts = av_rescale_q(packet->dts, st->time_base, AV_TIME_BASE_Q) + s->shift;
    int64_t *const last = &s->last_dts[packet->stream_index];
    if (*last != AV_NOPTS_VALUE && (dts < *last - JUMP || dts > *last + JUMP)) {
        s->shift += *last - dts;
        s->damage.timestamps++;
        return;
    }
    *last = dts;
}

static void move_times(Source *s, AVPacket *packet, const AVStream *st)
{
    const int64_t by = av_rescale_q(s->shift, AV_TIME_BASE_Q, st->time_base) -
                       av_rescale_q(s->start, AV_TIME_BASE_Q, st->time_base);
    if (packet->pts != AV_NOPTS_VALUE)
        packet->pts += by;
    if (packet->dts != AV_NOPTS_VALUE)
        packet->dts += by;
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time != AV_NOPTS_VALUE) {
        const int64_t end =
            av_rescale_q(time + packet->duration, st->time_base, AV_TIME_BASE_Q) - s->shift;
        if (end > s->end)
            s->end = end;
    }
}

/* ---- frames ---- */

/* Every frame gets a timestamp above that of the one before. */
static void set_time(Source *s, AVFrame *frame)
{
    int64_t pts = frame->best_effort_timestamp;
    const int64_t first =
        -av_rescale_q(s->settings.part.start, AV_TIME_BASE_Q, s->stream->time_base);
    if (s->settings.input_rate.num > 0) { /* a raw stream: at the rate that the user says */
        pts = first +
              av_rescale_q(s->frames, av_inv_q(libav_rational(s->rate)), s->stream->time_base);
        frame_set_duration(frame, s->frame_ticks);
    }
    const int64_t next = s->frames ? s->last_pts + s->frame_ticks : first;
    const int64_t second = av_rescale_q(1, (AVRational){ 1, 1 }, s->stream->time_base);
    if (pts == AV_NOPTS_VALUE) {
        pts = next;
        s->damage.timestamps++;
    } else if (s->frames && s->last_pts - (pts + s->frame_shift) > second) {
        /* The clock went back, or the frame before was wrong: from here on all is moved. */
        s->frame_shift = next - pts;
        pts = next;
        s->damage.timestamps++;
    } else if (s->frames && (pts += s->frame_shift) <= s->last_pts) {
        /* Half a frame on, so that a good timestamp that follows still fits. */
        pts = s->last_pts + (s->frame_ticks + 1) / 2;
        s->damage.timestamps++;
    } else if (s->frames && pts - s->last_pts > 86400 * second) {
        pts = next; /* a day without a frame is no time of day but a broken number */
        s->damage.timestamps++;
    }
    frame->pts = s->last_pts = pts;
}

/* Something was wrong with the input and counted: that ends the work if it is strict. */
static int after_damage(Source *s, const char *what)
{
    if (!s->settings.strict)
        return DAIN_OK;
    return report_error(s->report, DAIN_EFORMAT, "%s is damaged: %s after %lld frame%s (--strict)",
                        s->url, what, (long long)s->frames, s->frames == 1 ? "" : "s");
}

static int accept_frame(Source *s, AVFrame *frame)
{
    if (frame_interlaced(frame) && !s->deinterlacer) {
        if (s->settings.progressive)
            frame_set_progressive(frame);
        else if (s->frames == 0)
            return refuse_interlaced(s, frame_top_first(frame));
        else
            s->damage.interlaced++;
    }
    int r = DAIN_OK;
    /* Often only the container knows. */
    frame->sample_aspect_ratio = av_guess_sample_aspect_ratio(s->format, s->stream, frame);
    if ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags) {
        s->damage.frames++;
        r = after_damage(s, "a broken frame");
    }
    set_time(s, frame);
    s->frames++;
    s->failures = 0;
    return r < 0 ? r : SOURCE_FRAME;
}

/* Whether the file holds less than its header says: half a second, or two frames of few. */
static bool is_truncated(const Source *s)
{
    if (s->settings.picture || s->damage.read_error || part_given(&s->settings.part))
        return false;
    if (!s->sought && s->stream->nb_frames > 0 && s->packets < s->stream->nb_frames && !s->shift &&
        strstr(s->format->iformat->name, "mp4"))
        return true;
    /* Some files count from zero where they begin later. */
    const int64_t promised = s->format->duration - (s->start > 0 ? s->start : 0);
    return s->format->duration != AV_NOPTS_VALUE &&
           s->format->duration_estimation_method == AVFMT_DURATION_FROM_STREAM &&
           s->end < promised - AV_TIME_BASE / 2;
}

static int start_draining(Source *s, int error)
{
    if (error == AVERROR_EXIT || interrupted(s))
        return DAIN_ECANCELED;
    if (error == AVERROR(ENOMEM))
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    if (error != AVERROR_EOF)
        s->damage.read_error = error;
    else if (s->format->pb && s->format->pb->error < 0)
        s->damage.read_error = s->format->pb->error;
    s->damage.truncated = is_truncated(s);
    s->draining = true;
    avcodec_send_packet(s->decoder, NULL);
    return s->damage.truncated || s->damage.read_error ? after_damage(s, "it ends early") : DAIN_OK;
}

/* The decoder refused something: count it, go on. Only lack of memory ends the work. */
static int note_failure(Source *s, int error)
{
    if (error == AVERROR(ENOMEM))
        return report_error(s->report, DAIN_ENOMEM, "out of memory");
    s->damage.packets++;
    s->failures++;
    return after_damage(s, "a broken packet");
}

/* Reads a packet: 0 for one of the video (sent to the decoder), SOURCE_PACKET for another. */
static int read_packet(Source *s, AVPacket *packet)
{
    int r = av_read_frame(s->format, s->packet);
    if (r == AVERROR(EAGAIN))
        return DAIN_OK;
    if (r < 0)
        return start_draining(s, r);
    const AVStream *const st = s->format->streams[s->packet->stream_index];
    follow_jump(s, s->packet, st);
    move_times(s, s->packet, st);
    if (s->past_end && part_is_past(&s->settings.part, s->packet->dts, st->time_base)) {
        av_packet_unref(s->packet);
        return start_draining(s, AVERROR_EOF);
    }
    if (st != s->stream) {
        if (s->settings.video_only || !part_keeps(&s->settings.part, s->packet, st)) {
            av_packet_unref(s->packet);
            return DAIN_OK;
        }
        av_packet_move_ref(packet, s->packet);
        return SOURCE_PACKET;
    }
    s->packets++;
    if (s->settings.packets_only) {
        av_packet_unref(s->packet);
        return DAIN_OK;
    }
    if (s->past_end) {
        av_packet_unref(s->packet);
        return s->settings.video_only ? start_draining(s, AVERROR_EOF) : DAIN_OK;
    }
    r = avcodec_send_packet(s->decoder, s->packet);
    av_packet_unref(s->packet);
    return r < 0 ? note_failure(s, r) : DAIN_OK;
}

enum { FAILURE_LIMIT = 1000 };

static int next_picture(Source *s, AVFrame *frame)
{
    if (interrupted(s))
        return DAIN_ECANCELED;
    if (s->past_end)
        return SOURCE_END;
    const int64_t before = s->damage.frames;
    if (s->damage.missing && s->frames == 0 && s->settings.strict)
        return after_damage(s, "numbers are missing");
    int r = sequence_next(s->sequence, frame, &s->damage.frames);
    if (r >= 0 && s->damage.frames > before) {
        const int strict = after_damage(s, "a broken picture");
        r = strict < 0 ? strict : r;
    }
    if (r == SOURCE_FRAME) {
        frame->pts -= av_rescale_q(s->settings.part.start, AV_TIME_BASE_Q, s->stream->time_base);
        s->last_pts = frame->pts;
        s->frames++;
    }
    return r;
}

/* The next thing as it is coded, fields together in frames. */
static int next_coded(Source *s, AVFrame *frame, AVPacket *packet)
{
    if (s->sequence)
        return next_picture(s, frame);
    for (;;) {
        int r = s->past_end ? s->draining ? AVERROR_EOF : AVERROR(EAGAIN)
                            : avcodec_receive_frame(s->decoder, frame);
        if (r == 0)
            return accept_frame(s, frame);
        if (r == AVERROR_EOF)
            return SOURCE_END;
        if (r != AVERROR(EAGAIN)) {
            if ((r = note_failure(s, r)) < 0)
                return r;
            if (s->draining && s->failures > FAILURE_LIMIT)
                return SOURCE_END;
            continue;
        }
        if (s->draining)
            return SOURCE_END;
        if ((r = read_packet(s, packet)) != 0)
            return r;
    }
}

/* Frames out of the deinterlacer, fed as it asks for more. */
static int next_field(Source *s, AVFrame *frame, AVPacket *packet)
{
    for (;;) {
        int r = deinterlacer_receive(s->deinterlacer, frame);
        if (r > 0) {
            if (frame->pts == AV_NOPTS_VALUE || frame->pts <= s->last_field)
                frame->pts = s->last_field + 1;
            s->last_field = frame->pts;
            return SOURCE_FRAME;
        }
        if (r < 0 || s->deinterlacer_ended)
            return r;
        r = next_coded(s, frame, packet);
        if (r < 0 || r == SOURCE_PACKET)
            return r;
        if (r == SOURCE_END)
            s->deinterlacer_ended = true;
        else if (s->frames == 1)
            s->last_field = 2 * frame->pts - 1;
        r = deinterlacer_send(s->deinterlacer, r == SOURCE_END ? NULL : frame);
        av_frame_unref(frame);
        if (r < 0)
            return r;
    }
}

int source_next(Source *s, AVFrame *frame, AVPacket *packet)
{
    for (;;) {
        const int r = s->deinterlacer ? next_field(s, frame, packet) : next_coded(s, frame, packet);
        if (r != SOURCE_FRAME)
            return r;
        const AVRational base = s->stream->time_base;
        const int beside = part_compare(&s->settings.part, frame->pts,
                                        av_make_q(base.num, base.den * (s->deinterlacer ? 2 : 1)));
        if (beside == 0)
            return r;
        s->past_end = beside > 0;
        av_frame_unref(frame);
    }
}

int source_seek(Source *s, int64_t pts, int64_t frames)
{
    const AVRational base = s->stream->time_base, second = { 1, 1 };
    const int64_t start = av_rescale_q(s->start, AV_TIME_BASE_Q, base);
    /* Two seconds of run-up: what refers to frames before the key frame shows in the frames that
     * the caller compares. */
    const int64_t target = pts + start - av_rescale_q(2, second, base);
    if (s->shift || pts < 0 || s->deinterlacer || s->sequence ||
        av_seek_frame(s->format, s->stream->index, target, AVSEEK_FLAG_BACKWARD) < 0)
        return DAIN_EIO;
    avcodec_flush_buffers(s->decoder);
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        s->last_dts[i] = AV_NOPTS_VALUE;
    s->draining = s->past_end = false;
    s->sought = true;
    s->failures = 0;
    s->frames = frames > 0 ? frames : 1;
    s->last_pts = pts - av_rescale_q(43200, second, base); /* any time is later */
    return DAIN_OK;
}

/* ---- what is known ---- */

SourceVideo source_video(const Source *s)
{
    const AVStream *const st = s->stream;
    int64_t frames = st->nb_frames;
    if (frames <= 0 && s->rate.num) {
        const int64_t span = st->duration != AV_NOPTS_VALUE
                                 ? av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q)
                                 : s->format->duration;
        if (span != AV_NOPTS_VALUE && span > 0)
            frames = av_rescale(span, s->rate.num, s->rate.den * AV_TIME_BASE);
    }
    if (part_given(&s->settings.part)) {
        const int64_t length = part_length(&s->settings.part, s->format->duration);
        frames = s->rate.num && length > 0
                     ? av_rescale(length, s->rate.num, s->rate.den * AV_TIME_BASE)
                     : 0;
    }
    SourceVideo video = { .index = st->index,
                          .time_base = ratio_of(st->time_base),
                          .rate = s->rate,
                          .frames = frames > 0 ? frames : 0,
                          .width = st->codecpar->width,
                          .height = st->codecpar->height,
                          .codec =
                              s->sequence ? sequence_codec(s->sequence) : s->decoder->codec->name };
    if (s->deinterlacer) {
        video.time_base = ratio(video.time_base.num, 2 * video.time_base.den);
        video.rate = ratio(2 * video.rate.num, video.rate.den);
        video.frames *= 2;
    }
    return video;
}

SourceDamage source_damage(const Source *s)
{
    return s->damage;
}

const AVFormatContext *source_format(const Source *s)
{
    return s->format;
}

const bool *source_chosen(const Source *s)
{
    return s->chosen;
}

int64_t source_start(const Source *s)
{
    return s->start;
}

int64_t source_end(const Source *s)
{
    const Part *const p = &s->settings.part;
    return p->end ? s->start + p->end - p->start : INT64_MAX;
}
