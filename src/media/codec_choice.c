/* Which encoder and which pixel format: by what was asked for, by container, by the source. */
#include "media/codec_choice.h"

#include "base/words.h"
#include "media/container.h"
#include "media/pixels.h"

#include <stdio.h>
#include <string.h>

static bool holds(const AVOutputFormat *container, enum AVCodecID id)
{
    /* Some that hold H.264 do not tell. */
    static const char *const silent[] = { "mpegts", "hls", "dash", NULL };
    const int answer = container_holds(container, id, FF_COMPLIANCE_NORMAL);
    return answer == 1 || (answer < 0 && id == AV_CODEC_ID_H264 && container_is(container, silent));
}

/* In the order in which they are taken where a codec is named instead of an encoder. */
static const char *const encoders[] = { "libx264",    "libx265", "libsvtav1",  "libaom-av1",
                                        "libvpx-vp9", "ffv1",    "prores_ks",  "dnxhd",
                                        "mpeg4",      "mjpeg",   "mpeg2video", "flv" };
enum { ENCODERS = sizeof encoders / sizeof *encoders };

const AVCodec *codec_named(const char *name)
{
    static const char *const common[][2] = { { "x264", "h264" },
                                             { "avc", "h264" },
                                             { "x265", "hevc" },
                                             { "h265", "hevc" },
                                             { "svtav1", "av1" } };
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    for (unsigned i = 0; i < sizeof common / sizeof *common; i++)
        if (!strcmp(name, common[i][0]))
            name = common[i][1];
    const AVCodecDescriptor *const known = avcodec_descriptor_get_by_name(name);
    for (int i = 0; !codec && known && i < ENCODERS; i++) {
        codec = avcodec_find_encoder_by_name(encoders[i]);
        if (codec && codec->id != known->id)
            codec = NULL;
    }
    return codec && codec->type == AVMEDIA_TYPE_VIDEO ? codec : NULL;
}

static int unknown_codec(const char *name, Report *report)
{
    enum { MOST = 300 };
    const char *names[MOST + 1];
    int count = 0;
    void *state = NULL;
    for (const AVCodec *c; count < MOST && (c = av_codec_iterate(&state));)
        if (av_codec_is_encoder(c) && c->type == AVMEDIA_TYPE_VIDEO)
            names[count++] = c->name;
    names[count] = NULL;
    const char *const near = nearest_word(name, names);
    if (near)
        return report_error(report, DAIN_EUNSUPPORTED,
                            "there is no video encoder %s; did you mean %s?", name, near);
    return report_error(report, DAIN_EUNSUPPORTED,
                        "there is no video encoder %s (try libx264, libx265, libsvtav1, ffv1, "
                        "prores_ks)",
                        name);
}

/* Names what would work instead. */
static void refuse_codec(const AVCodec *codec, const AVOutputFormat *container, Report *report)
{
    char names[96] = "";
    for (int i = 0; i < ENCODERS && strlen(names) < 64; i++) {
        const AVCodec *const other = avcodec_find_encoder_by_name(encoders[i]);
        if (other && holds(container, other->id))
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                     names[0] ? ", " : "", encoders[i]);
    }
    const bool matroska = container_is_matroska(container);
    report_error(report, DAIN_EUNSUPPORTED, "%s files cannot hold %s%s%s%s", container->name,
                 avcodec_get_name(codec->id), names[0] ? "; here work: " : "", names,
                 matroska   ? ""
                 : names[0] ? "; or take a .mkv file"
                            : "; take a .mkv file");
}

const AVCodec *codec_choose(const EncoderSettings *s, const AVOutputFormat *container,
                            Report *report)
{
    const AVCodec *codec = NULL;
    if (s->codec) {
        codec = codec_named(s->codec);
        if (!codec) {
            unknown_codec(s->codec, report);
            return NULL;
        }
        if (container_holds(container, codec->id, FF_COMPLIANCE_UNOFFICIAL) == 0) {
            refuse_codec(codec, container, report);
            return NULL;
        }
        return codec;
    }
    if (holds(container, AV_CODEC_ID_H264))
        codec = avcodec_find_encoder_by_name("libx264");
    if (!codec && container->video_codec != AV_CODEC_ID_NONE)
        codec = avcodec_find_encoder(container->video_codec);
    if (!codec)
        report_error(report, DAIN_EUNSUPPORTED, "no encoder for the video of %s files",
                     container->name);
    return codec;
}

bool codec_needs_constant_rate(const EncoderSettings *s, const AVOutputFormat *container)
{
    /* FFmpeg has a flag for this, but 5.1 does not set it for MP4. */
    static const char *const containers[] = { "avi", "mxf",  "gxf", "dv",  "mpeg",         "vob",
                                              "dvd", "svcd", "vcd", "swf", "yuv4mpegpipe", NULL };
    static const enum AVCodecID codecs[] = { AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO,
                                             AV_CODEC_ID_MPEG4,      AV_CODEC_ID_H263,
                                             AV_CODEC_ID_DNXHD,      AV_CODEC_ID_DVVIDEO,
                                             AV_CODEC_ID_THEORA,     AV_CODEC_ID_H261 };
    if ((container->flags & AVFMT_NOTIMESTAMPS) || container_is(container, containers))
        return true;
    const AVCodec *const codec = codec_choose(s, container, NULL);
    for (unsigned i = 0; codec && i < sizeof codecs / sizeof *codecs; i++)
        if (codec->id == codecs[i])
            return true;
    return false;
}

/* What the encoder takes and the container holds. The codecs of pictures take YUV too, but their
 * files do not say by which matrix and range: RGB is safe. */
static const enum AVPixelFormat *formats_of(const AVCodec *codec, const AVOutputFormat *container)
{
    static const enum AVPixelFormat y4m[] = {
        AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P,   AV_PIX_FMT_YUV444P,   AV_PIX_FMT_YUV411P,
        AV_PIX_FMT_GRAY8,   AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10,
        AV_PIX_FMT_GRAY10,  AV_PIX_FMT_YUV420P12, AV_PIX_FMT_YUV422P12, AV_PIX_FMT_YUV444P12,
        AV_PIX_FMT_GRAY12,  AV_PIX_FMT_YUV420P16, AV_PIX_FMT_YUV422P16, AV_PIX_FMT_YUV444P16,
        AV_PIX_FMT_GRAY16,  AV_PIX_FMT_NONE
    };
    static const enum AVPixelFormat tiff[] = { AV_PIX_FMT_RGB24, AV_PIX_FMT_RGB48LE,
                                               AV_PIX_FMT_RGBA,  AV_PIX_FMT_RGBA64LE,
                                               AV_PIX_FMT_GRAY8, AV_PIX_FMT_GRAY16LE,
                                               AV_PIX_FMT_YA8,   AV_PIX_FMT_YA16LE,
                                               AV_PIX_FMT_NONE };
    static const enum AVPixelFormat jpeg2000[] = { AV_PIX_FMT_RGB24, AV_PIX_FMT_RGB48,
                                                   AV_PIX_FMT_GRAY8, AV_PIX_FMT_GRAY16,
                                                   AV_PIX_FMT_NONE };
    static const enum AVPixelFormat webp[] = { AV_PIX_FMT_RGB32, AV_PIX_FMT_NONE };
    if (!strcmp(container->name, "yuv4mpegpipe"))
        return y4m;
    if (!strcmp(codec->name, "tiff"))
        return tiff;
    if (!strcmp(codec->name, "jpeg2000"))
        return jpeg2000;
    return codec->id == AV_CODEC_ID_WEBP ? webp : libav_encoder_formats(codec);
}

static bool listed(const enum AVPixelFormat *list, enum AVPixelFormat format)
{
    if (!list)
        return true;
    for (; *list != AV_PIX_FMT_NONE; list++)
        if (*list == format)
            return true;
    return false;
}

/* The source's format, else the same samples in planes, else what loses least. */
static enum AVPixelFormat choose_format(const enum AVPixelFormat *list, const AVFrame *first)
{
    const enum AVPixelFormat planar = pixels_to_planar(first->format);
    const bool full_yuv = !strncmp(av_get_pix_fmt_name(first->format), "yuvj", 4);
    /* New frames have colours between those of a palette. */
    const bool own = listed(list, first->format) && first->format != AV_PIX_FMT_PAL8;
    if (own && !full_yuv)
        return first->format;
    if (listed(list, planar))
        return planar;
    if (own)
        return first->format;
    enum AVPixelFormat best = AV_PIX_FMT_NONE;
    for (; *list != AV_PIX_FMT_NONE; list++)
        if (pixels_writable(*list))
            best = av_find_best_pix_fmt_of_2(best, *list, planar, pixels_alpha(planar), NULL);
    return best;
}

/* Pictures in RGB would become 4:4:4, which hardly any player of these containers decodes. */
static bool wants_subsampling(const AVCodec *codec, const AVOutputFormat *container,
                              const AVFrame *first, enum AVPixelFormat format)
{
    static const char *const containers[] = { "mp4", "mov", "ipod", "flv", "mpegts", NULL };
    return pixels_rgb(first->format) && format == AV_PIX_FMT_YUV444P &&
           (codec->id == AV_CODEC_ID_H264 || codec->id == AV_CODEC_ID_HEVC) &&
           container_is(container, containers) && !(first->width % 2 || first->height % 2);
}

static bool writable(enum AVPixelFormat format)
{
    return format != AV_PIX_FMT_NONE && (pixels_writable(format) || format == AV_PIX_FMT_PAL8);
}

static int unknown_format(const char *name, Report *report)
{
    return report_error(report, DAIN_EINVAL, "unknown pixel format %s", name);
}

static int named_format(const AVCodec *codec, const enum AVPixelFormat *list, const char *name,
                        Report *report)
{
    const enum AVPixelFormat format = av_get_pix_fmt(name);
    if (!writable(format))
        return unknown_format(name, report);
    if (listed(list, format))
        return format;
    char names[160] = "";
    for (; *list != AV_PIX_FMT_NONE && strlen(names) < sizeof names - 24; list++)
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s",
                 av_get_pix_fmt_name(*list));
    return report_error(report, DAIN_EUNSUPPORTED, "%s does not take pixel format %s, but:%s",
                        codec->name, name, names);
}

int codec_choose_format(const AVCodec *codec, const AVOutputFormat *container, const char *name,
                        const AVFrame *first, Report *report)
{
    const enum AVPixelFormat *const list = formats_of(codec, container);
    if (name)
        return named_format(codec, list, name, report);
    const enum AVPixelFormat format = choose_format(list, first);
    const bool loses_colour = format != AV_PIX_FMT_NONE &&
                              pixels_gray(av_pix_fmt_desc_get(format)) &&
                              !pixels_gray(av_pix_fmt_desc_get(first->format));
    if (loses_colour && listed(list, AV_PIX_FMT_PAL8)) /* GIF */
        return AV_PIX_FMT_PAL8;
    if (loses_colour)
        return report_error(report, DAIN_EUNSUPPORTED,
                            "%s would lose the colours; write a video (.mkv with -c ffv1 loses "
                            "nothing) and convert that, or say --pix-fmt gray",
                            codec->name);
    if (wants_subsampling(codec, container, first, format) && listed(list, AV_PIX_FMT_YUV420P))
        return AV_PIX_FMT_YUV420P;
    if (format == AV_PIX_FMT_NONE)
        return report_error(report, DAIN_EUNSUPPORTED, "%s takes no pixel format like %s",
                            codec->name, av_get_pix_fmt_name(first->format));
    return format;
}

int codec_check_preset(const AVCodec *codec, const char *preset, Report *report)
{
    static const char *const presets[] = { "ultrafast", "superfast", "veryfast", "faster",
                                           "fast",      "medium",    "slow",     "slower",
                                           "veryslow",  "placebo",   NULL };
    if (strcmp(codec->name, "libx264") && strcmp(codec->name, "libx265"))
        return DAIN_OK;
    for (int i = 0; presets[i]; i++)
        if (!strcmp(preset, presets[i]) || (preset[0] == '0' + i && !preset[1]))
            return DAIN_OK;
    const char *const near = nearest_word(preset, presets);
    return report_error(report, DAIN_EINVAL, "%s has no preset %s%s%s%s (ultrafast ... veryslow)",
                        codec->name, preset, near ? "; did you mean " : "", near ? near : "",
                        near ? "?" : "");
}

int codec_check_names(const EncoderSettings *s, const AVOutputFormat *container, Report *report)
{
    const AVCodec *const codec = s->codec    ? codec_named(s->codec)
                                 : container ? codec_choose(s, container, NULL)
                                             : NULL;
    if (s->codec && !codec)
        return unknown_codec(s->codec, report);
    if (s->pix_fmt && !writable(av_get_pix_fmt(s->pix_fmt)))
        return unknown_format(s->pix_fmt, report);
    return s->preset && codec ? codec_check_preset(codec, s->preset, report) : DAIN_OK;
}
