/* Reading a video: demuxer and decoder, with timestamps put in order. */
#include "media/source.h"

#include "base/mem.h"
#include "media/intact.h"
#include "media/length.h"
#include "media/loops.h"
#include "media/pipe_io.h"

#include <libavutil/common.h>
#include <string.h>

bool source_interrupted(const Source *s)
{
    return s->settings.cancel && atomic_load(s->settings.cancel);
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
        avformat_seek_file(s->format, -1, INT64_MIN, s->clock.start + start, s->clock.start + start,
                           0);
    if (!s->sequence)
        s->clock.start += start;
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
    s->plays = LOOPS_UNKNOWN;
    int r = DAIN_OK;
    if (!(s->url = mem_strdup(url)))
        r = report_error(report, DAIN_ENOMEM, "out of memory");
    else
        r = source_open_streams(s);
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
    av_frame_free(&s->held);
    clock_free(&s->clock);
    mem_free(s->chosen);
    mem_free(s->url);
    mem_free(s);
}

/* ---- frames ---- */

/* Something was wrong with the input and counted: that ends the work if it is strict. */
static int after_damage(Source *s, const char *what)
{
    if (!s->settings.strict)
        return DAIN_OK;
    return report_error(s->report, DAIN_EFORMAT, "%s is damaged: %s after %lld frame%s (--strict)",
                        s->url, what, (long long)s->clock.frames, plural(s->clock.frames));
}

static int accept_frame(Source *s, AVFrame *frame)
{
    if (frame_interlaced(frame) && !s->deinterlacer) {
        if (s->settings.progressive)
            frame_set_progressive(frame);
        else if (s->clock.frames == 0)
            return source_refuse_interlaced(s, frame_top_first(frame));
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
    clock_frame(&s->clock, frame);
    s->failures = 0;
    return r < 0 ? r : SOURCE_FRAME;
}

/* Packets of the video that the demuxer will give, by the index of an MP4; 0 = not known. The
 * header counts those before an edit list's beginning too. */
static int64_t packets_promised(const Source *s)
{
    const int64_t count = s->stream->nb_frames;
    const int indexed = avformat_index_get_entries_count(s->stream);
    if (!strstr(s->format->iformat->name, "mp4"))
        return 0;
    return indexed > 0 && indexed < count ? indexed : count;
}

/* Length by the header, or by the streams: an edit list often cuts these alone. */
static int64_t length_promised(const Source *s)
{
    const AVFormatContext *const f = s->format;
    int64_t longest = 0;
    for (int i = 0; i < s->clock.streams; i++) {
        const AVStream *const st = f->streams[i];
        if (st->disposition & AV_DISPOSITION_ATTACHED_PIC)
            continue;
        if (st->duration == AV_NOPTS_VALUE)
            return f->duration;
        const int64_t start = st->start_time > 0 ? st->start_time : 0;
        const int64_t end =
            av_rescale_q(av_sat_add64(start, st->duration), st->time_base, AV_TIME_BASE_Q);
        if (end > longest)
            longest = end;
    }
    return longest < f->duration ? longest : f->duration;
}

/* Whether the file holds less than its structure or its header says; the header, by half a second. */
static bool is_truncated(Source *s)
{
    const AVFormatContext *const f = s->format;
    if (s->settings.picture || s->damage.read_error || s->past_end)
        return false;
    if (!s->pipe && (s->damage.missing_bytes = intact_missing_bytes(s->url)) > 0)
        return true;
    if (part_given(&s->settings.part))
        return false;
    if (!s->sought && s->packets < packets_promised(s) && !s->clock.jumps)
        return true;
    if (!s->all || (int)f->nb_streams > s->clock.streams || f->duration == AV_NOPTS_VALUE ||
        f->duration_estimation_method != AVFMT_DURATION_FROM_STREAM)
        return false;
    /* Some files count from zero where they begin later. The length is that of the longest stream. */
    const int64_t promised = length_promised(s) - (s->clock.start > 0 ? s->clock.start : 0);
    return s->clock.end < promised - AV_TIME_BASE / 2;
}

static int start_draining(Source *s, int error)
{
    if (error == AVERROR_EXIT || source_interrupted(s))
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

/* A packet of another stream without its end, or after a loss. */
static int note_other(Source *s)
{
    s->damage.packets++;
    return after_damage(s, "a broken packet of another stream");
}

/* Drops a packet of a stream that was not there when the file was opened: whatever has an entry for
 * each stream, here and in the output, has none for it. Once said. */
static void drop_late(Source *s)
{
    AVStream *const st = s->format->streams[s->packet->stream_index];
    st->discard = AVDISCARD_ALL; /* not all demuxers look */
    av_packet_unref(s->packet);
    if (s->clock.late || st->codecpar->codec_type == AVMEDIA_TYPE_DATA)
        return;
    s->clock.late = true;
    if (!s->settings.video_only && !s->settings.packets_only)
        report_log(s->report, DAIN_LOG_WARNING, "%s: streams that begin later are left out",
                   s->url);
}

/* Sound that an edit list cuts off: most containers cannot hide it. The last packet of it stays,
 * for decoders that overlap packets begin with it. To be asked before times are moved. */
static bool is_trimmed_sound(const AVPacket *packet, const AVStream *st)
{
    return st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
           (packet->flags & AV_PKT_FLAG_DISCARD) && packet->pts != AV_NOPTS_VALUE &&
           st->start_time != AV_NOPTS_VALUE && packet->pts + 2 * packet->duration <= st->start_time;
}

/* Reads a packet: 0 for one of the video (sent to the decoder), SOURCE_PACKET for another. */
static int read_packet(Source *s, AVPacket *packet)
{
    int r = av_read_frame(s->format, s->packet);
    if (r == AVERROR(EAGAIN))
        return DAIN_OK;
    if (r < 0)
        return start_draining(s, r);
    if (!clock_knows(&s->clock, s->packet)) {
        drop_late(s);
        return DAIN_OK;
    }
    const AVStream *const st = s->format->streams[s->packet->stream_index];
    const bool trimmed = is_trimmed_sound(s->packet, st);
    clock_packet(&s->clock, s->packet, st);
    if (s->past_end && part_is_past(&s->settings.part, s->packet->dts, st->time_base)) {
        av_packet_unref(s->packet);
        return start_draining(s, AVERROR_EOF);
    }
    if (st != s->stream) {
        if (s->settings.video_only || trimmed || !part_keeps(&s->settings.part, s->packet, st)) {
            av_packet_unref(s->packet);
            return DAIN_OK;
        }
        r = s->packet->flags & AV_PKT_FLAG_CORRUPT ? note_other(s) : DAIN_OK;
        av_packet_move_ref(packet, s->packet);
        return r < 0 ? r : SOURCE_PACKET;
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
    if (source_interrupted(s))
        return DAIN_ECANCELED;
    if (s->past_end)
        return SOURCE_END;
    const int64_t before = s->damage.frames;
    if (s->damage.missing && s->clock.frames == 0 && s->settings.strict)
        return after_damage(s, "numbers are missing");
    int r = sequence_next(s->sequence, frame, &s->damage.frames);
    if (r >= 0 && s->damage.frames > before) {
        const int strict = after_damage(s, "a broken picture");
        r = strict < 0 ? strict : r;
    }
    if (r == SOURCE_FRAME) {
        frame->pts -= av_rescale_q(s->settings.part.start, AV_TIME_BASE_Q, s->stream->time_base);
        s->clock.frames++;
    }
    return r;
}

/* A frame with its time. One that comes after a gap waits for the next, which tells whether the gap
 * is one. 0 = waiting. */
static int pass_frame(Source *s, AVFrame *frame)
{
    if (s->holding == HELD_DOUBTFUL) {
        AVFrame *const next = av_frame_alloc();
        if (!next)
            return report_error(s->report, DAIN_ENOMEM, "out of memory");
        clock_judge(&s->clock, s->held, frame);
        av_frame_move_ref(next, frame);
        av_frame_move_ref(frame, s->held);
        av_frame_free(&s->held);
        s->held = next;
        s->holding = HELD_READY;
    } else if (clock_doubts(&s->clock, frame)) {
        av_frame_move_ref(s->held, frame);
        s->holding = HELD_DOUBTFUL;
        return DAIN_OK;
    }
    return accept_frame(s, frame);
}

/* The frame that is held, if it is its turn. */
static int pass_held(Source *s, AVFrame *frame)
{
    s->holding = HELD_NONE;
    av_frame_unref(frame);
    av_frame_move_ref(frame, s->held);
    return accept_frame(s, frame);
}

/* The end of the stream. */
static int end_frames(Source *s, AVFrame *frame)
{
    return s->holding == HELD_NONE || s->past_end ? SOURCE_END : pass_held(s, frame);
}

/* The next thing as it is coded, fields together in frames. */
static int next_coded(Source *s, AVFrame *frame, AVPacket *packet)
{
    if (s->sequence)
        return next_picture(s, frame);
    if (s->holding == HELD_READY && !s->past_end)
        return pass_held(s, frame);
    for (;;) {
        int r = s->past_end ? s->draining ? AVERROR_EOF : AVERROR(EAGAIN)
                            : avcodec_receive_frame(s->decoder, frame);
        if (r == 0) {
            if ((r = pass_frame(s, frame)) != 0)
                return r;
            continue;
        }
        if (r == AVERROR_EOF)
            return end_frames(s, frame);
        if (r != AVERROR(EAGAIN)) {
            if ((r = note_failure(s, r)) < 0)
                return r;
            if (s->draining && s->failures > FAILURE_LIMIT)
                return end_frames(s, frame);
            continue;
        }
        if (s->draining)
            return end_frames(s, frame);
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
        else if (s->clock.frames == 1)
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
    const int64_t start = av_rescale_q(s->clock.start, AV_TIME_BASE_Q, base);
    /* Two seconds of run-up: what refers to frames before the key frame shows in the frames that
     * the caller compares. */
    const int64_t target = pts + start - av_rescale_q(2, second, base);
    if (s->clock.jumps || pts < 0 || s->deinterlacer || s->sequence ||
        av_seek_frame(s->format, s->stream->index, target, AVSEEK_FLAG_BACKWARD) < 0)
        return DAIN_EIO;
    avcodec_flush_buffers(s->decoder);
    av_frame_unref(s->held);
    s->holding = HELD_NONE;
    clock_seek(&s->clock, pts, frames);
    s->draining = s->past_end = false;
    s->sought = true;
    s->failures = 0;
    return DAIN_OK;
}

int source_no_frame(const Source *s)
{
    const Part *const p = &s->settings.part;
    const double from = 1e-6 * (double)p->start, to = 1e-6 * (double)p->end;
    const bool others = s->clock.frames > 0 || s->sequence; /* they lie outside of the part */
    if (part_given(p) && others && p->end)
        return report_error(s->report, DAIN_EINVAL,
                            "%s: nothing is left, no frame begins between %.3f and %.3f seconds",
                            s->url, from, to);
    if (part_given(p) && others)
        return report_error(s->report, DAIN_EINVAL,
                            "%s: nothing is left, its last frame begins before %.3f seconds",
                            s->url, from);
    return report_error(
        s->report, DAIN_EFORMAT, "%s: not one frame of its video can be decoded%s", s->url,
        strcmp(s->url, "-") ? ""
                            : " (a file whose index is at its end, as in most .mp4, "
                              "cannot come through a pipe: name it)");
}

/* ---- what is known ---- */

SourceVideo source_video(const Source *s)
{
    const AVStream *const st = s->stream;
    const int64_t start = s->clock.start - (s->sequence ? 0 : s->settings.part.start);
    SourceVideo video = { .index = st->index,
                          .time_base = ratio_of(st->time_base),
                          .rate = s->rate,
                          .frames = length_frames(s->format, st, s->rate, &s->settings.part, start),
                          .width = st->codecpar->width,
                          .height = st->codecpar->height,
                          .codec = s->sequence ? sequence_codec(s->sequence)
                                               : avcodec_get_name(st->codecpar->codec_id) };
    if (s->deinterlacer) {
        video.time_base = ratio(video.time_base.num, 2 * video.time_base.den);
        video.rate = ratio(2 * video.rate.num, video.rate.den);
        video.frames *= 2;
    }
    return video;
}

SourceDamage source_damage(const Source *s)
{
    SourceDamage damage = s->damage;
    damage.timestamps = s->clock.replaced;
    damage.jumps = s->clock.jumps;
    return damage;
}

const AVFormatContext *source_format(const Source *s)
{
    return s->format;
}

const bool *source_chosen(const Source *s)
{
    return s->chosen;
}

int source_plays(const Source *s)
{
    return s->plays;
}

int64_t source_start(const Source *s)
{
    return s->clock.start;
}

int64_t source_end(const Source *s)
{
    const Part *const p = &s->settings.part;
    return p->end ? s->clock.start + p->end - p->start : INT64_MAX;
}
