/* What all users of FFmpeg's libraries share: errors as ours, messages, differences of versions. */
#include "media/libav.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

int libav_code(int error)
{
    switch (error) {
    case AVERROR(ENOMEM):
        return DAIN_ENOMEM;
    case AVERROR_EXIT:
        return DAIN_ECANCELED;
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
        return DAIN_EFORMAT;
    case AVERROR(EINVAL):
    case AVERROR_OPTION_NOT_FOUND:
        return DAIN_EINVAL;
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_ENCODER_NOT_FOUND:
    case AVERROR_MUXER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
    case AVERROR(ENOSYS):
        return DAIN_EUNSUPPORTED;
    case AVERROR(EAGAIN):
        return DAIN_ESYSTEM;
    default:
        return DAIN_EIO;
    }
}

int libav_error(Report *report, int error, const char *format, ...)
{
    char what[192], why[AV_ERROR_MAX_STRING_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (av_strerror(error, why, sizeof why) < 0)
        snprintf(why, sizeof why, "error %d", error);
    return report_error(report, libav_code(error), "%s: %s", what, why);
}

static _Atomic(Report *) messages;

/* The last error that FFmpeg complained of in this thread, without the part that names who did. */
static _Thread_local char complaint[160];

void libav_expect_complaint(void)
{
    complaint[0] = 0;
}

const char *libav_complaint(void)
{
    return complaint;
}

static void receive_message(void *context, int level, const char *format, va_list args)
{
    Report *const report = atomic_load(&messages);
    if (level > AV_LOG_WARNING)
        return;
    /* A line may come in pieces; each thread collects its own. */
    static _Thread_local char line[512];
    static _Thread_local int prefix = 1;
    char piece[512];
    av_log_format_line2(context, level, format, args, piece, sizeof piece, &prefix);
    const size_t used = strlen(line);
    snprintf(line + used, sizeof line - used, "%s", piece);
    char *const end = strchr(line, '\n');
    if (!end)
        return;
    *end = 0;
    if (level <= AV_LOG_ERROR) {
        const char *const who = line[0] == '[' ? strstr(line, "] ") : NULL;
        snprintf(complaint, sizeof complaint, "%.*s", (int)sizeof complaint - 1,
                 who ? who + 2 : line);
    }
    if (report)
        report_log(report, DAIN_LOG_DEBUG, "%s", line);
    line[0] = 0;
}

void libav_messages(Report *report)
{
    atomic_store(&messages, report);
    av_log_set_callback(receive_message);
}

AVRational libav_rational(Ratio a)
{
    AVRational out;
    av_reduce(&out.num, &out.den, a.num, a.den, INT32_MAX);
    return out;
}

const enum AVPixelFormat *libav_encoder_formats(const AVCodec *encoder)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *formats = NULL;
    if (avcodec_get_supported_config(NULL, encoder, AV_CODEC_CONFIG_PIX_FORMAT, 0, &formats, NULL) <
        0)
        return NULL;
    return formats;
#else
    return encoder->pix_fmts;
#endif
}

#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)

int stream_side_data_count(const AVStream *stream)
{
    return stream->codecpar->nb_coded_side_data;
}

const AVPacketSideData *stream_side_data(const AVStream *stream, int i)
{
    return &stream->codecpar->coded_side_data[i];
}

int stream_add_side_data(AVStream *stream, enum AVPacketSideDataType type, const void *data,
                         size_t size)
{
    AVPacketSideData *const to = av_packet_side_data_new(
        &stream->codecpar->coded_side_data, &stream->codecpar->nb_coded_side_data, type, size, 0);
    if (!to)
        return AVERROR(ENOMEM);
    memcpy(to->data, data, size);
    return 0;
}

#else

int stream_side_data_count(const AVStream *stream)
{
    return stream->nb_side_data;
}

const AVPacketSideData *stream_side_data(const AVStream *stream, int i)
{
    return &stream->side_data[i];
}

int stream_add_side_data(AVStream *stream, enum AVPacketSideDataType type, const void *data,
                         size_t size)
{
    uint8_t *const to = av_stream_new_side_data(stream, type, size);
    if (!to)
        return AVERROR(ENOMEM);
    memcpy(to, data, size);
    return 0;
}

#endif
