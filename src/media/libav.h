/* What all users of FFmpeg's libraries share: errors as ours, messages, differences of versions. */
#ifndef DAIN_MEDIA_LIBAV_H
#define DAIN_MEDIA_LIBAV_H

#include "base/log.h"
#include "media/ratio.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <stdbool.h>

/* The DAIN_E... value for one of FFmpeg's. */
int libav_code(int error);
/* Stores "FORMAT: what FFmpeg says about error" and returns its DAIN_E... value. */
__attribute__((format(printf, 3, 4))) int libav_error(Report *report, int error, const char *format,
                                                      ...);

/*
 * Sends FFmpeg's own messages, which are global to the process, to report as DAIN_LOG_DEBUG;
 * with NULL they are dropped. report must outlive all use of FFmpeg or be taken back with NULL.
 */
void libav_messages(Report *report);

/* What FFmpeg itself said of the last error in this thread since it was expected, "" if nothing: clearer
 * than most of its error values. Kept while libav_messages() is in force. */
void libav_expect_complaint(void);
const char *libav_complaint(void);

static inline Ratio ratio_of(AVRational a)
{
    return a.num > 0 && a.den > 0 ? ratio(a.num, a.den) : (Ratio){ 0, 1 };
}

/* The nearest AVRational, whose terms have 31 bits. */
AVRational libav_rational(Ratio a);

/* Duration of a decoded frame in the unit of its pts, 0 if unknown. */
static inline int64_t frame_duration(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return frame->duration;
#else
    return frame->pkt_duration;
#endif
}

static inline void frame_set_duration(AVFrame *frame, int64_t duration)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    frame->duration = duration;
#else
    frame->pkt_duration = duration;
#endif
}

static inline bool frame_interlaced(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return frame->flags & AV_FRAME_FLAG_INTERLACED;
#else
    return frame->interlaced_frame;
#endif
}

static inline bool frame_top_first(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
    return frame->top_field_first;
#endif
}

static inline void frame_set_progressive(AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    frame->flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
#else
    frame->interlaced_frame = frame->top_field_first = 0;
#endif
}

/* Pixel formats an encoder takes, ended by AV_PIX_FMT_NONE; NULL if it does not say. */
const enum AVPixelFormat *libav_encoder_formats(const AVCodec *encoder);

/* Side data of a stream (display matrix, mastering display, ...): number, and the i-th. */
int stream_side_data_count(const AVStream *stream);
const AVPacketSideData *stream_side_data(const AVStream *stream, int i);
/* Copies a piece of side data to a stream that is about to be written. 0 or AVERROR(ENOMEM). */
int stream_add_side_data(AVStream *stream, enum AVPacketSideDataType type, const void *data,
                         size_t size);

#endif
