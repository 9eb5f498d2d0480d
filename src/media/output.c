/* Writing a video: encoder, muxer and the file's name. */
#include "media/output_private.h"

#include "base/mem.h"
#include "media/loops.h"
#include "media/still.h"
#include "media/streams.h"

#include <libavutil/avstring.h>
#include <stdio.h>
#include <string.h>

/* Formats for sound files may hold a cover, and say so. */
static bool holds_video(const AVOutputFormat *format)
{
    const bool cover =
        format && format->video_codec == AV_CODEC_ID_PNG && format->audio_codec != AV_CODEC_ID_NONE;
    return format && !cover && !(format->flags & AVFMT_NOFILE) &&
           format->video_codec != AV_CODEC_ID_NONE;
}

/* By FFmpeg's name or by the end of file names. */
static const AVOutputFormat *named_container(const char *path, const char *name, Report *report)
{
    char file[48];
    snprintf(file, sizeof file, "x.%s", name);
    const AVOutputFormat *format = av_guess_format(name, NULL, NULL);
    if (!format)
        format = av_guess_format(NULL, file, NULL);
    if (picture_out_wanted(path))
        report_error(report, DAIN_EINVAL, "--container is for one file, not for pictures");
    else if (!holds_video(format) || still_named(file))
        report_error(
            report, DAIN_EUNSUPPORTED,
            "--container %s: no container for video; mkv, mp4, mov, webm, nut, ts are some", name);
    else
        return format;
    return NULL;
}

const AVOutputFormat *output_container(const char *path, const char *name, Report *report)
{
    if (name)
        return named_container(path, name, report);
    if (!strcmp(path, "-"))
        return av_guess_format("yuv4mpegpipe", NULL, NULL);
    /* Not by the folders: FFmpeg would take a %d in their names for that of a pattern. */
    const char *const slash = strrchr(path, '/');
    const AVOutputFormat *const format = av_guess_format(NULL, slash ? slash + 1 : path, NULL);
    if (format && picture_out_wanted(path))
        return av_guess_format("image2", NULL, NULL);
    if (still_named(path)) {
        report_error(report, DAIN_EINVAL,
                     "%s: one picture holds no video; end the name in .mp4 or .mkv, or give a "
                     "folder or a pattern like new_%%05d.png for pictures",
                     path);
        return NULL;
    }
    if (!holds_video(format)) {
        report_error(report, DAIN_EUNSUPPORTED,
                     "%s: the name does not tell a video container; end it in .mp4, .mkv, .mov or "
                     ".webm, or in / for a folder of pictures, or name one with --container",
                     path);
        return NULL;
    }
    return format;
}

/* ---- opening ---- */

/* Microseconds between the first frame of the source's video and the first that is kept. */
static int64_t skipped_time(const Source *source, int64_t first_pts)
{
    const SourceVideo video = source_video(source);
    const AVStream *const st = source_format(source)->streams[video.index];
    if (st->start_time == AV_NOPTS_VALUE)
        return 0;
    return source_start(source) +
           av_rescale_q(first_pts, libav_rational(video.time_base), AV_TIME_BASE_Q) -
           av_rescale_q(st->start_time, st->time_base, AV_TIME_BASE_Q);
}

/* What cannot be converted is left out later on; sound for a new pace was asked for. */
static int open_recode(Output *o, const AVStream *from, Recode **recode)
{
    Report own = { 0 };
    const bool asked = pace_changes(&o->pace) && from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    const int r = recode_open(recode, from, o->container, &o->pace, &own);
    return r == DAIN_ENOMEM || (r < 0 && asked) ? report_error(o->report, r, "%s", own.error)
                                                : DAIN_OK;
}

/* The streams that cannot be copied. */
static int open_recodes(Output *o, const Source *source, bool stretch_sound)
{
    const AVFormatContext *const in = source_format(source);
    int r = DAIN_OK;
    o->recode = mem_calloc((size_t)o->source_streams, sizeof *o->recode);
    if (!o->recode)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    for (int i = 0; i < o->source_streams && r >= 0; i++) {
        if (!source_chosen(source)[i] || i == source_video(source).index)
            continue;
        const int fate = streams_fate(o->container, in->streams[i], &o->pace, stretch_sound);
        if (fate < 0)
            return report_error(o->report, DAIN_ENOMEM, "out of memory");
        if (fate == STREAM_RECODED)
            r = open_recode(o, in->streams[i], &o->recode[i]);
    }
    return r;
}

static int create_streams(Output *o, const OutputSettings *s, const Source *source,
                          const AVFrame *first)
{
    const AVFormatContext *const in = source_format(source);
    const int video = source_video(source).index;
    const size_t count = in->nb_streams;
    o->source_streams = (int)count;
    o->pace = s->pace;
    o->map = mem_alloc(count * sizeof *o->map);
    o->base = mem_alloc(count * sizeof *o->base);
    o->last_dts = mem_alloc(count * sizeof *o->last_dts);
    if (!o->map || !o->base || !o->last_dts)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        o->base[i] = in->streams[i]->time_base;
        o->last_dts[i] = AV_NOPTS_VALUE;
    }
    o->base[video] = libav_rational(source_video(source).time_base); /* deinterlaced, it is finer */
    const bool only_video = s->only_video || o->pictures;
    if (o->pictures && !s->only_video && count > 1)
        report_log(o->report, DAIN_LOG_WARNING,
                   "pictures hold no sound and no other streams: they are left out");
    int r = only_video ? DAIN_OK : open_recodes(o, source, s->stretch_sound);
    const StreamPace pace = { source_start(source), source_end(source),
                              skipped_time(source, s->first_pts), &o->pace, o->recode };
    if (r >= 0)
        r = streams_create(o->format, in, video, source_chosen(source), only_video,
                           encoder_context(o->encoder), first, &pace, o->map, o->report);
    if (r >= 0)
        r = streams_copy_file_data(o->format, in, video, o->map[video], &pace, o->report);
    if (r >= 0)
        o->video = o->format->streams[o->map[video]];
    return r;
}

static int write_header(Output *o, int plays)
{
    AVDictionary *options = NULL;
    if (o->pictures)
        return DAIN_OK;
    /* More than 8 bits in YUV4MPEG are an extension that FFmpeg wants to be asked for. */
    o->format->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;
    int r = avio_open2(&o->format->pb, o->format->url, AVIO_FLAG_WRITE, NULL, NULL);
    if (r < 0)
        return libav_error(o->report, r, "cannot write %s", o->path);
    libav_expect_complaint();
    r = loops_set(&options, o->container, plays, o->settings.circle);
    if (r >= 0)
        r = avformat_write_header(o->format, &options);
    av_dict_free(&options);
    if (r < 0 && libav_complaint()[0])
        return report_error(o->report, libav_code(r), "%s: the %s container refuses: %s", o->path,
                            o->format->oformat->name, libav_complaint());
    if (r < 0)
        return libav_error(o->report, r, "%s: the %s container refuses these streams", o->path,
                           o->format->oformat->name);
    o->header_written = true;
    return DAIN_OK;
}

/* The file, and beside it the segments if there are to be any. */
static int open_file(Output *o, const OutputSettings *s)
{
    if (picture_out_wanted(s->path) && s->segments && s->segments->resume)
        return report_error(o->report, DAIN_EINVAL, "--resume is for one file, not for pictures");
    if (picture_out_wanted(s->path))
        return picture_out_open(&o->pictures, s->path, s->inputs, s->overwrite, o->report);
    bool replace = s->overwrite;
    if (!replace && s->segments && s->segments->resume) {
        char *const resolved =
            outfile_resolve(s->path); /* they lie beside the file, not the link */
        if (!resolved)
            return report_error(o->report, DAIN_ENOMEM, "out of memory");
        replace = segments_may_replace(resolved);
        mem_free(resolved);
    }
    int r = outfile_open(&o->file, s->path, s->inputs, replace, o->report);
    if (r < 0)
        return r;
    const char *const target = o->file.target;
    if (s->segments && o->file.temporary)
        return segments_open(&o->segments, target, s->segments, s->overwrite, o->report);
    if (s->segments && s->segments->resume)
        return report_error(o->report, DAIN_EINVAL, "%s is no file, --resume cannot go on with it",
                            s->path);
    if (!o->file.temporary || !segments_exist(target))
        return DAIN_OK;
    if (s->overwrite)
        return segments_remove(target, o->report);
    return report_error(o->report, DAIN_EINVAL,
                        "a run that ended early left a part of %s: --resume goes on with it, -y "
                        "begins anew",
                        target);
}

/* As the settings say; for pictures the name tells the codec, and what is said comes after its own
 * settings. */
static int open_encoder(Output *o, const OutputSettings *s, const AVOutputFormat *container,
                        const AVFrame *first)
{
    enum { OPTIONS = 64 };
    EncoderSettings e = s->encoder;
    const char *options[OPTIONS + 1];
    int count = 0;
    if (o->pictures) {
        const AVOutputFormat *single;
        const AVCodec *const codec = picture_encoder(s->path, &single, o->report);
        if (!codec)
            return DAIN_EUNSUPPORTED;
        if (!e.codec)
            e.codec = codec->name;
        const char *const *const lists[] = { picture_encoder_options(codec), e.options };
        for (int i = 0; i < 2; i++)
            for (const char *const *p = lists[i]; p && *p && count < OPTIONS; p++)
                options[count++] = *p;
        options[count] = NULL;
        e.options = options;
    }
    return encoder_open(&o->encoder, &e, container, first, s->time_base, s->rate, o->report);
}

/* What further encoders are opened with, and compared with. */
static int keep_for_segments(Output *o, const AVFrame *first)
{
    o->frames_in_segment = o->settings.segments->frames;
    o->first = av_frame_clone(first);
    o->header = avcodec_parameters_alloc();
    if (!o->first || !o->header ||
        avcodec_parameters_from_context(o->header, encoder_context(o->encoder)) < 0)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    return DAIN_OK;
}

/* The muxer. To FFmpeg, what stands before a colon is a protocol, unless it is told of a file. */
static int open_format(Output *o, const OutputSettings *s)
{
    const char *const path = o->pictures ? s->path : outfile_path(&o->file);
    const bool marked = o->file.temporary && strchr(path, ':');
    char *const name = marked ? av_asprintf("file:%s", path) : av_strdup(path);
    if (!name)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    const int r = avformat_alloc_output_context2(&o->format, o->container, NULL, name);
    av_free(name);
    return r < 0 ? libav_error(o->report, r, "%s", s->path) : DAIN_OK;
}

static int open_all(Output *o, const OutputSettings *s, const Source *source, const AVFrame *first)
{
    const AVOutputFormat *const container = output_container(s->path, s->container, o->report);
    if (!container)
        return DAIN_EUNSUPPORTED;
    int r = open_file(o, s);
    if (r < 0)
        return r;
    o->container = container;
    o->settings = *s;
    if ((r = open_format(o, s)) < 0 || (r = open_encoder(o, s, container, first)) < 0)
        return r;
    if (o->segments && (r = keep_for_segments(o, first)) < 0)
        return r;
    o->colour = colour_create();
    o->packet = av_packet_alloc();
    if (!o->colour || !o->packet)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    if ((r = create_streams(o, s, source, first)) < 0 ||
        (r = write_header(o, source_plays(source))) < 0)
        return r;
    o->offset = pace_time(
        &o->pace,
        av_rescale_q(s->first_pts, o->base[source_video(source).index], o->video->time_base),
        ratio_of(o->video->time_base));
    return DAIN_OK;
}

int output_open(Output **output, const OutputSettings *settings, const Source *source,
                const AVFrame *first, Report *report)
{
    *output = NULL;
    Output *o = mem_calloc(1, sizeof *o);
    if (!o)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    o->report = report;
    o->path = settings->path;
    const int r = open_all(o, settings, source, first);
    if (r < 0) {
        output_close(&o);
        return r;
    }
    *output = o;
    return DAIN_OK;
}

void output_close(Output **output)
{
    Output *const o = *output;
    *output = NULL;
    if (!o)
        return;
    encoder_close(&o->encoder);
    segments_free(&o->segments, false);
    av_frame_free(&o->first);
    avcodec_parameters_free(&o->header);
    mem_free(o->mark);
    if (o->format)
        avio_closep(&o->format->pb);
    avformat_free_context(o->format);
    outfile_abandon(&o->file);
    picture_out_close(&o->pictures);
    colour_destroy(o->colour);
    av_packet_free(&o->packet);
    mem_free(o->map);
    mem_free(o->base);
    mem_free(o->last_dts);
    for (int i = 0; o->recode && i < o->source_streams; i++)
        recode_close(&o->recode[i]);
    mem_free(o->recode);
    mem_free(o->pending);
    mem_free(o);
}

/* ---- frames to the encoder ---- */

static int remember(Output *o, int64_t pts, int64_t duration)
{
    if (!mem_reserve(&o->pending, o->pending_count, &o->pending_size, sizeof *o->pending))
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    o->pending[o->pending_count++] = (Pending){ pts, duration };
    return DAIN_OK;
}

static int64_t recall(Output *o, int64_t pts)
{
    for (int i = 0; i < o->pending_count; i++)
        if (o->pending[i].pts == pts) {
            const int64_t duration = o->pending[i].duration;
            memmove(o->pending + i, o->pending + i + 1,
                    (size_t)(o->pending_count - i - 1) * sizeof *o->pending);
            o->pending_count--;
            return duration;
        }
    return 0;
}

int output_write_encoded(Output *o)
{
    int r;
    while ((r = encoder_receive(o->encoder, o->packet)) > 0) {
        o->packet->duration = recall(o, o->packet->pts);
        if (o->segments) {
            r = segments_write(o->segments, o->packet);
            av_packet_unref(o->packet);
        } else {
            r = output_write_video(o, o->packet);
        }
        if (r < 0)
            return r;
    }
    return r;
}

/* Takes off the odd row or column that the encoder cannot hold. */
static void crop(AVFrame *frame, const AVCodecContext *encoder)
{
    if (frame->width == encoder->width + 1)
        frame->width--;
    if (frame->height == encoder->height + 1)
        frame->height--;
}

/* A reference to frame in *out, or what it is converted to. */
static int to_encoder_format(Output *o, const AVFrame *frame, AVFrame **out)
{
    const AVCodecContext *const encoder = encoder_context(o->encoder);
    int r = DAIN_OK;
    AVFrame *ref = av_frame_clone(frame);
    if (!ref)
        return report_error(o->report, DAIN_ENOMEM, "out of memory");
    crop(ref, encoder);
    if (encoder_takes(o->encoder, ref)) {
        ref->format = encoder_format(o->encoder);
        *out = ref;
        return DAIN_OK;
    }
    AVFrame *converted = encoder_frame(o->encoder);
    if (!converted)
        r = report_error(o->report, DAIN_ENOMEM, "out of memory");
    else
        r = colour_convert(o->colour, ref, converted, o->report);
    av_frame_free(&ref);
    if (r < 0)
        av_frame_free(&converted);
    *out = converted;
    return r;
}

int output_frame(Output *o, const AVFrame *frame, int64_t pts, int64_t duration)
{
    AVFrame *f = NULL;
    int r = o->segments ? output_make_room(o) : DAIN_OK;
    if (r >= 0)
        r = to_encoder_format(o, frame, &f);
    if (r >= 0)
        r = remember(o, pts, duration);
    if (r >= 0) {
        f->pts = pts;
        frame_set_duration(f, duration);
        f->pict_type = AV_PICTURE_TYPE_NONE;
        r = encoder_send(o->encoder, f);
        o->in_segment++;
    }
    av_frame_free(&f);
    return r < 0 ? r : output_write_encoded(o);
}

/* The rest of the video: from the encoder, or from the segments. */
static int write_rest(Output *o, bool whole)
{
    int r = DAIN_OK;
    if (!o->segments || (o->in_segment && !whole)) {
        r = encoder_send(o->encoder, NULL);
        if (r >= 0)
            r = output_write_encoded(o);
    } else if (o->in_segment) {
        r = output_close_segment(o, true);
    }
    if (r >= 0 && o->segments)
        r = output_join(o, whole);
    for (int i = 0; o->recode && i < o->source_streams && r >= 0; i++)
        if (o->recode[i] && o->map[i] >= 0)
            r = output_write_recoded(o, i, NULL);
    return r;
}

int output_finish(Output *o, bool whole)
{
    int r = write_rest(o, whole);
    if (r >= 0 && o->pictures)
        picture_out_finish(o->pictures);
    if (r < 0 || o->pictures)
        return r;
    r = av_write_trailer(o->format);
    if (r >= 0 && o->format->pb->error < 0)
        r = o->format->pb->error;
    const int closed = avio_closep(&o->format->pb);
    if (r >= 0)
        r = closed;
    if (r < 0)
        return libav_error(o->report, r, "cannot write %s", o->path);
    /* A run that ends from now on leaves a file under the name. */
    if (o->segments && segments_count(o->segments) && (r = segments_set_replace(o->segments)) < 0)
        return r;
    r = outfile_commit(&o->file, o->report);
    if (r >= 0 && whole)
        segments_free(&o->segments, true);
    return r;
}

const char *output_codec(const Output *o)
{
    return encoder_context(o->encoder)->codec->name;
}

enum AVPixelFormat output_format(const Output *o)
{
    return encoder_context(o->encoder)->pix_fmt;
}

enum AVColorRange output_range(const Output *o)
{
    const AVCodecContext *const c = encoder_context(o->encoder);
    const AVFrame like = { .format = c->pix_fmt, .color_range = c->color_range };
    return colour_range(&like);
}
