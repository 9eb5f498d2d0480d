/* Streams, metadata and chapters carried over from one file to another. */
#include "media/streams.h"

#include "media/container.h"
#include "media/tags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int out_of_memory(Report *report)
{
    return report_error(report, DAIN_ENOMEM, "out of memory");
}

/* ---- chapters ---- */

static int copy_chapter(AVFormatContext *out, const AVChapter *from, const StreamPace *pace)
{
    AVChapter *const to = av_mallocz(sizeof *to);
    if (!to)
        return AVERROR(ENOMEM);
    to->id = from->id;
    to->time_base = from->time_base;
    const int64_t shift = av_rescale_q(pace->start, AV_TIME_BASE_Q, from->time_base);
    const bool after = av_compare_ts(from->start, from->time_base, pace->end, AV_TIME_BASE_Q) >= 0;
    int64_t end = from->end;
    if (av_compare_ts(end, from->time_base, pace->end, AV_TIME_BASE_Q) > 0)
        end = av_rescale_q(pace->end, AV_TIME_BASE_Q, from->time_base);
    to->start = from->start > shift ? from->start - shift : 0;
    to->end = after || (end <= shift && end > from->start) ? -1 : end - shift;
    to->start = pace_time(pace->pace, to->start, ratio_of(to->time_base));
    if (to->end >= 0) /* else it lies outside of the part */
        to->end = pace_time(pace->pace, to->end, ratio_of(to->time_base));
    const int r = to->end < to->start ? 0 : tags_copy(&to->metadata, from->metadata, TAGS_ALL);
    const int before = (int)out->nb_chapters;
    int count = before;
    if (r == 0 && to->end >= to->start)
        av_dynarray_add(&out->chapters, &count, to);
    out->nb_chapters = (unsigned)count;
    if (count == before) {
        av_dict_free(&to->metadata);
        av_free(to);
    }
    return r;
}

/* ---- streams that are copied ---- */

/* Keeps the codec tag where the container knows it for this codec, else lets it choose its own. */
static void set_tag(AVStream *to, const AVOutputFormat *format, uint32_t tag)
{
    unsigned own;
    const enum AVCodecID id = to->codecpar->codec_id;
    const bool keep = !format->codec_tag || av_codec_get_id(format->codec_tag, tag) == id ||
                      !av_codec_get_tag2(format->codec_tag, id, &own);
    to->codecpar->codec_tag = keep ? tag : 0;
}

static int copy_side_data(AVStream *to, const AVStream *from)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    return 0; /* came with the parameters */
#else
    for (int i = 0; i < stream_side_data_count(from); i++) {
        const AVPacketSideData *const d = stream_side_data(from, i);
        const int r = stream_add_side_data(to, d->type, d->data, d->size);
        if (r < 0)
            return r;
    }
    return 0;
#endif
}

static int describe_copy(AVStream *to, const AVStream *from, const AVOutputFormat *format)
{
    int r = avcodec_parameters_copy(to->codecpar, from->codecpar);
    if (r < 0)
        return r;
    set_tag(to, format, from->codecpar->codec_tag);
    to->time_base = from->time_base;
    to->disposition = from->disposition;
    to->sample_aspect_ratio = from->sample_aspect_ratio;
    to->avg_frame_rate = from->avg_frame_rate;
    to->r_frame_rate = from->r_frame_rate;
    if ((r = tags_copy(&to->metadata, from->metadata, TAGS_ALL)) < 0)
        return r;
    return copy_side_data(to, from);
}

/* Cover art is a stream of one picture; Matroska wants it as an attached file. */
static int describe_cover(AVStream *to, const AVStream *from)
{
    const AVPacket *const picture = &from->attached_pic;
    AVCodecParameters *const par = to->codecpar;
    par->codec_type = AVMEDIA_TYPE_ATTACHMENT;
    par->codec_id = from->codecpar->codec_id;
    par->extradata = av_mallocz((size_t)picture->size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!par->extradata)
        return AVERROR(ENOMEM);
    memcpy(par->extradata, picture->data, (size_t)picture->size);
    par->extradata_size = picture->size;
    const bool png = from->codecpar->codec_id == AV_CODEC_ID_PNG;
    int r = tags_copy(&to->metadata, from->metadata, TAGS_ALL);
    if (r >= 0 && !av_dict_get(to->metadata, "filename", NULL, 0))
        r = av_dict_set(&to->metadata, "filename", png ? "cover.png" : "cover.jpg", 0);
    if (r >= 0 && !av_dict_get(to->metadata, "mimetype", NULL, 0))
        r = av_dict_set(&to->metadata, "mimetype", png ? "image/png" : "image/jpeg", 0);
    return r;
}

static bool is_cover_for_matroska(const AVStream *from, const AVOutputFormat *format)
{
    return container_is_matroska(format) && (from->disposition & AV_DISPOSITION_ATTACHED_PIC) &&
           from->attached_pic.size > 0;
}

static int describe(AVStream *to, const AVStream *from, const AVOutputFormat *format)
{
    return is_cover_for_matroska(from, format) ? describe_cover(to, from)
                                               : describe_copy(to, from, format);
}

static int describe_encoded(AVStream *to, const AVCodecContext *encoder)
{
    to->time_base = encoder->time_base;
    return avcodec_parameters_from_context(to->codecpar, encoder);
}

/* A stream of the container's usual video, for muxers that take others only beside one. */
static void describe_usual_video(AVStream *to, const AVOutputFormat *format)
{
    AVCodecParameters *const par = to->codecpar;
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = format->video_codec;
    par->width = 1280;
    par->height = 720;
    par->format = AV_PIX_FMT_YUV420P;
    to->time_base = (AVRational){ 1, 25 };
    to->avg_frame_rate = (AVRational){ 25, 1 };
}

/* Asks the muxer itself: writes a header with this stream, copied or encoded, into memory. */
static int try_header(const AVOutputFormat *format, const AVStream *from,
                      const AVCodecContext *encoder, bool beside_video)
{
    AVFormatContext *trial = NULL;
    uint8_t *buffer = NULL;
    int r = avformat_alloc_output_context2(&trial, format, NULL, NULL);
    if (r < 0)
        return r;
    AVStream *const video = beside_video ? avformat_new_stream(trial, NULL) : NULL;
    AVStream *const to = avformat_new_stream(trial, NULL);
    r = !to || (beside_video && !video) ? AVERROR(ENOMEM)
        : encoder                       ? describe_encoded(to, encoder)
                                        : describe(to, from, format);
    if (video)
        describe_usual_video(video, format);
    if (r >= 0)
        r = avio_open_dyn_buf(&trial->pb);
    if (r >= 0) {
        r = avformat_write_header(trial, NULL);
        avio_close_dyn_buf(trial->pb, &buffer);
        av_free(buffer);
    }
    avformat_free_context(trial);
    return r;
}

/* Alone, and if it is refused beside a video (MXF). 1, 0, AVERROR(ENOMEM). */
static int muxer_takes(const AVOutputFormat *format, const AVStream *from,
                       const AVCodecContext *encoder)
{
    if (format->flags & AVFMT_NOFILE)
        return 1;
    int r = try_header(format, from, encoder, false);
    if (r < 0 && r != AVERROR(ENOMEM) && format->video_codec != AV_CODEC_ID_NONE)
        r = try_header(format, from, encoder, true);
    return r == AVERROR(ENOMEM) ? r : r >= 0;
}

int streams_hold_encoded(const AVOutputFormat *format, const AVCodecContext *encoder)
{
    if (container_holds(format, encoder->codec_id, FF_COMPLIANCE_NORMAL) == 0)
        return 0;
    return muxer_takes(format, NULL, encoder);
}

int streams_hold(const AVOutputFormat *format, const AVStream *from)
{
    const AVCodecParameters *const par = from->codecpar;
    if (is_cover_for_matroska(from, format))
        return 1;
    if (par->codec_id == AV_CODEC_ID_NONE || par->codec_type == AVMEDIA_TYPE_UNKNOWN)
        return 0;
    if ((from->disposition & AV_DISPOSITION_ATTACHED_PIC) && !container_holds_cover(format))
        return 0;
    if (par->codec_type == AVMEDIA_TYPE_ATTACHMENT
            ? !container_is_matroska(format)
            : container_holds(format, par->codec_id, FF_COMPLIANCE_NORMAL) == 0)
        return 0;
    return muxer_takes(format, from, NULL);
}

int streams_fate(const AVOutputFormat *format, const AVStream *from, const Pace *pace,
                 bool stretch_sound)
{
    const enum AVMediaType type = from->codecpar->codec_type;
    if (pace_changes(pace) && type == AVMEDIA_TYPE_DATA)
        return STREAM_LEFT_OUT;
    if (pace_changes(pace) && type == AVMEDIA_TYPE_AUDIO)
        return stretch_sound ? STREAM_RECODED : STREAM_LEFT_OUT;
    const int held = streams_hold(format, from);
    return held < 0 ? held : held ? STREAM_COPIED : STREAM_RECODED;
}

static void warn_left_out(const AVFormatContext *out, const AVStream *from, Report *report)
{
    const char *const type = av_get_media_type_string(from->codecpar->codec_type);
    const AVDictionaryEntry *const language = av_dict_get(from->metadata, "language", NULL, 0);
    /* The timecode track of a QuickTime file is made anew from the video's timecode tag. */
    if (container_is_mov(out->oformat) && from->codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd'))
        return;
    report_log(report, DAIN_LOG_WARNING,
               "stream %d (%s, %s%s%s) is left out: %s files cannot hold it%s", from->index,
               type ? type : "unknown", avcodec_get_name(from->codecpar->codec_id),
               language ? ", " : "", language ? language->value : "", out->oformat->name,
               container_is_matroska(out->oformat) ? "" : " (.mkv might)");
}

static int add_copy(AVFormatContext *out, const AVStream *from, int *number, Report *report)
{
    *number = -1;
    const int held = streams_hold(out->oformat, from);
    if (held < 0)
        return out_of_memory(report);
    if (!held) {
        warn_left_out(out, from, report);
        return DAIN_OK;
    }
    AVStream *const to = avformat_new_stream(out, NULL);
    if (!to || describe(to, from, out->oformat) < 0)
        return out_of_memory(report);
    *number = to->index;
    return DAIN_OK;
}

/* Data and sound cannot be played at another pace as they are. */
static void warn_pace(const AVStream *from, Report *report)
{
    if (from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
        report_log(report, DAIN_LOG_WARNING,
                   "stream %d (sound) is left out of slow motion; --slowmo-audio stretches it",
                   from->index);
}

/* Nothing of one that only gets another length. */
static void warn_recoded(const AVOutputFormat *format, const AVStream *from, enum AVCodecID id,
                         Report *report)
{
    const char *const type = av_get_media_type_string(from->codecpar->codec_type);
    const char *const own = avcodec_get_name(from->codecpar->codec_id);
    if (streams_hold(format, from) != 1)
        report_log(report, DAIN_LOG_WARNING, "stream %d (%s) becomes %s: %s files cannot hold %s%s",
                   from->index, type, avcodec_get_name(id), format->name,
                   id == from->codecpar->codec_id ? "this " : "", own);
    else if (id != from->codecpar->codec_id)
        report_log(report, DAIN_LOG_WARNING, "stream %d (%s) becomes %s: no encoder for %s here",
                   from->index, type, avcodec_get_name(id), own);
}

/* Sound or text as it has become. */
static int add_recoded(AVFormatContext *out, const AVStream *from, const Recode *recode,
                       int *number, Report *report)
{
    const AVCodecContext *const encoder = recode_encoder(recode);
    AVStream *const to = avformat_new_stream(out, NULL);
    if (!to || avcodec_parameters_from_context(to->codecpar, encoder) < 0 ||
        tags_copy(&to->metadata, from->metadata, TAGS_RECODED) < 0)
        return out_of_memory(report);
    warn_recoded(out->oformat, from, encoder->codec_id, report);
    to->time_base = encoder->time_base;
    to->disposition = from->disposition;
    *number = to->index;
    return DAIN_OK;
}

/* ---- the main video ---- */

/* Side data that says something of the picture and not of its old coding. */
static bool describes_picture(enum AVPacketSideDataType type)
{
    switch (type) {
    case AV_PKT_DATA_DISPLAYMATRIX:
    case AV_PKT_DATA_STEREO3D:
    case AV_PKT_DATA_SPHERICAL:
    case AV_PKT_DATA_MASTERING_DISPLAY_METADATA:
    case AV_PKT_DATA_CONTENT_LIGHT_LEVEL:
    case AV_PKT_DATA_ICC_PROFILE:
        return true;
    default:
        return false;
    }
}

static bool has_side_data(const AVStream *stream, enum AVPacketSideDataType type)
{
    for (int i = 0; i < stream_side_data_count(stream); i++)
        if (stream_side_data(stream, i)->type == type)
            return true;
    return false;
}

/* Light levels often stand in the coded stream alone: brought up to the container. */
static int add_from_frame(AVStream *to, const AVFrame *first, enum AVFrameSideDataType frame_type,
                          enum AVPacketSideDataType type)
{
    const AVFrameSideData *const d = av_frame_get_side_data(first, frame_type);
    if (!d || has_side_data(to, type))
        return 0;
    return stream_add_side_data(to, type, d->data, d->size);
}

static int copy_picture_data(AVStream *to, const AVStream *from, const AVFrame *first)
{
    int r = 0;
    for (int i = 0; i < stream_side_data_count(from) && r >= 0; i++) {
        const AVPacketSideData *const d = stream_side_data(from, i);
        if (describes_picture(d->type) && !has_side_data(to, d->type))
            r = stream_add_side_data(to, d->type, d->data, d->size);
    }
    if (r >= 0)
        r = add_from_frame(to, first, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
                           AV_PKT_DATA_MASTERING_DISPLAY_METADATA);
    if (r >= 0)
        r = add_from_frame(to, first, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL,
                           AV_PKT_DATA_CONTENT_LIGHT_LEVEL);
    if (r >= 0) /* of JPEG pictures, by their EXIF data */
        r = add_from_frame(to, first, AV_FRAME_DATA_DISPLAYMATRIX, AV_PKT_DATA_DISPLAYMATRIX);
    return r;
}

/* Light levels that change from scene to scene belong to frames that are not there any more. */
static void warn_dynamic_hdr(const AVStream *from, const AVFrame *first, Report *report)
{
    if (has_side_data(from, AV_PKT_DATA_DOVI_CONF) ||
        av_frame_get_side_data(first, AV_FRAME_DATA_DYNAMIC_HDR_PLUS))
        report_log(
            report, DAIN_LOG_WARNING,
            "the dynamic part of the HDR data (Dolby Vision, HDR10+) is left out; the static "
            "part is kept");
}

static int add_video(AVFormatContext *out, const AVStream *from, const AVCodecContext *encoder,
                     const AVFrame *first, int64_t skipped, int *number, Report *report)
{
    AVStream *const to = avformat_new_stream(out, NULL);
    if (!to || avcodec_parameters_from_context(to->codecpar, encoder) < 0)
        return out_of_memory(report);
    if (container_is_mov(out->oformat) && encoder->codec_id == AV_CODEC_ID_HEVC)
        to->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1'); /* Apple plays no other */
    to->time_base = encoder->time_base;
    to->avg_frame_rate = encoder->framerate;
    to->sample_aspect_ratio = encoder->sample_aspect_ratio;
    to->disposition = from->disposition;
    if (tags_copy(&to->metadata, from->metadata, TAGS_RECODED) < 0 ||
        copy_picture_data(to, from, first) < 0 ||
        tags_move_timecode(&to->metadata, from->avg_frame_rate, to->avg_frame_rate, skipped,
                           report) < 0)
        return out_of_memory(report);
    warn_dynamic_hdr(from, first, report);
#if LIBAVFORMAT_VERSION_INT < AV_VERSION_INT(60, 12, 100)
    if (has_side_data(to, AV_PKT_DATA_DISPLAYMATRIX) && !container_is_mov(out->oformat))
        report_log(report, DAIN_LOG_WARNING,
                   "the rotation of the video cannot be written to %s files here: .mp4 and .mov "
                   "hold it",
                   out->oformat->name);
#endif
    *number = to->index;
    return DAIN_OK;
}

int streams_create(AVFormatContext *out, const AVFormatContext *in, int video, const bool *chosen,
                   bool only_video, const AVCodecContext *encoder, const AVFrame *first,
                   const StreamPace *pace, int *map, Report *report)
{
    for (int i = 0; i < (int)in->nb_streams; i++) {
        const AVStream *const from = in->streams[i];
        int r = DAIN_OK;
        map[i] = -1;
        if (i == video)
            r = add_video(out, from, encoder, first, pace->skipped, &map[i], report);
        else if (only_video || !chosen[i])
            continue;
        else if (pace->recode && pace->recode[i])
            r = add_recoded(out, from, pace->recode[i], &map[i], report);
        else if (pace_changes(pace->pace) && (from->codecpar->codec_type == AVMEDIA_TYPE_AUDIO ||
                                              from->codecpar->codec_type == AVMEDIA_TYPE_DATA))
            warn_pace(from, report);
        else
            r = add_copy(out, from, &map[i], report);
        if (r < 0)
            return r;
    }
    return DAIN_OK;
}

int streams_copy_file_data(AVFormatContext *out, const AVFormatContext *in, int video, int to,
                           const StreamPace *pace, Report *report)
{
    /* In MXF the timecode is the file's. */
    if (tags_copy(&out->metadata, in->metadata, TAGS_FILE) < 0 ||
        tags_move_timecode(&out->metadata, in->streams[video]->avg_frame_rate,
                           out->streams[to]->avg_frame_rate, pace->skipped, report) < 0)
        return out_of_memory(report);
    for (unsigned i = 0; i < in->nb_chapters; i++)
        if (copy_chapter(out, in->chapters[i], pace) < 0)
            return out_of_memory(report);
    return DAIN_OK;
}
