/* The video encoder: set-up, frames in and packets out. */
#include "media/encode.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "media/codec_choice.h"
#include "media/colour.h"
#include "media/palette.h"
#include "media/pixels.h"

#include <errno.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <string.h>

enum { GIF_RATE = 50 };

struct Encoder {
    Report *report;
    AVCodecContext *context;
    Palette *palette;   /* NULL: frames go in as they are */
    bool sent, flushed; /* a frame; the end */
};

/* Constant quality where none is asked for: visually close to the source. */
static const struct {
    const char *codec;
    int crf;
} default_crf[] = { { "libx264", 18 },    { "libx264rgb", 18 }, { "libx265", 20 },
                    { "libvpx-vp9", 24 }, { "libvpx", 10 },     { "libsvtav1", 24 },
                    { "libaom-av1", 24 } };

/* ---- set-up ---- */

static void set_colour(AVCodecContext *c, const AVFrame *first)
{
    c->color_range = first->color_range;
    c->colorspace = first->colorspace;
    c->color_primaries = first->color_primaries;
    c->color_trc = first->color_trc;
    c->chroma_sample_location = first->chroma_location;
    const bool from_rgb = pixels_rgb(first->format), to_rgb = pixels_rgb(c->pix_fmt);
    const bool from_jpeg = !strncmp(av_get_pix_fmt_name(first->format), "yuvj", 4);
    if (from_jpeg)
        c->color_range = AVCOL_RANGE_JPEG;
    if (c->codec_id == AV_CODEC_ID_MJPEG && !from_jpeg && !from_rgb) {
        /* JPEG files say nothing of matrix and range: there is one of each (JFIF 1.02). */
        c->colorspace = AVCOL_SPC_BT470BG;
        c->color_range = AVCOL_RANGE_JPEG;
        c->chroma_sample_location = AVCHROMA_LOC_CENTER;
    } else if (to_rgb) {
        c->colorspace = AVCOL_SPC_RGB;
        c->color_range = AVCOL_RANGE_JPEG;
    } else if (from_rgb) {
        /* Now a matrix is chosen, so it is written down too. */
        const bool jpeg = !strncmp(av_get_pix_fmt_name(c->pix_fmt), "yuvj", 4);
        c->colorspace = first->height > 576 && !jpeg ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
        c->color_range = jpeg ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
        c->chroma_sample_location = jpeg ? AVCHROMA_LOC_CENTER : AVCHROMA_LOC_LEFT;
    }
}

/* x264 and x265 take the mastering display and light levels as text of their own. */
static void light_levels(const AVFrame *first, char *text, size_t size)
{
    const AVFrameSideData *const display =
        av_frame_get_side_data(first, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    const AVFrameSideData *const light =
        av_frame_get_side_data(first, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    text[0] = 0;
    if (display) {
        const AVMasteringDisplayMetadata *const m = (const void *)display->data;
        if (m->has_primaries && m->has_luminance) {
            /* green, blue, red, white in 1/50000; luminance in 1/10000 cd/m2 */
            int v[10];
            static const int order[] = { 1, 2, 0 };
            for (int i = 0; i < 6; i++)
                v[i] = (int)(av_q2d(m->display_primaries[order[i / 2]][i % 2]) * 50000 + 0.5);
            v[6] = (int)(av_q2d(m->white_point[0]) * 50000 + 0.5);
            v[7] = (int)(av_q2d(m->white_point[1]) * 50000 + 0.5);
            v[8] = (int)(av_q2d(m->max_luminance) * 10000 + 0.5);
            v[9] = (int)(av_q2d(m->min_luminance) * 10000 + 0.5);
            snprintf(text, size, "G(%d,%d)B(%d,%d)R(%d,%d)WP(%d,%d)L(%d,%d)", v[0], v[1], v[2],
                     v[3], v[4], v[5], v[6], v[7], v[8], v[9]);
        }
    }
    if (light) {
        const AVContentLightMetadata *const l = (const void *)light->data;
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "|%u,%u", l->MaxCLL, l->MaxFALL);
    }
}

static int set_light_levels(AVDictionary **options, const AVCodec *codec, const AVFrame *first)
{
    const bool x265 = !strcmp(codec->name, "libx265");
    const char *const key = x265 ? "x265-params" : "x264-params";
    if (!x265 && strcmp(codec->name, "libx264"))
        return 0;
    char text[192], value[256] = "";
    light_levels(first, text, sizeof text);
    char *const bar = strchr(text, '|');
    if (bar)
        *bar = 0;
    if (text[0])
        snprintf(value, sizeof value, x265 ? "master-display=%s" : "mastering-display=%s", text);
    if (bar) {
        const size_t used = strlen(value);
        snprintf(value + used, sizeof value - used, "%s%s=%s", used ? ":" : "",
                 x265 ? "max-cll" : "cll", bar + 1);
    }
    if (!value[0])
        return 0;
    if (av_dict_get(*options, key, NULL, 0))
        av_dict_set(options, key, ":", AV_DICT_APPEND);
    return av_dict_set(options, key, value, AV_DICT_APPEND);
}

/* x265 writes to standard error itself, past FFmpeg's messages. */
static void hush_x265(AVDictionary **options, const AVCodec *codec)
{
    static const char key[] = "x265-params";
    const AVDictionaryEntry *const own = av_dict_get(*options, key, NULL, 0);
    if (strcmp(codec->name, "libx265") || (own && strstr(own->value, "log-level")))
        return;
    if (own)
        av_dict_set(options, key, ":", AV_DICT_APPEND);
    av_dict_set(options, key, "log-level=error", AV_DICT_APPEND);
}

/* On processors with AVX-512, x264 (0.164 as of 2022) reads memory that nobody has written when the
 * width is no multiple of eight macroblocks: its choices, and so the file, differ from run to run.
 * (MALLOC_PERTURB_=N ffmpeg -i IN -c:v libx264 shows it.) With AVX2 they do not. */
static int keep_x264_repeatable(AVDictionary **options, const AVCodecContext *c)
{
    static const char key[] = "x264-params";
    const AVDictionaryEntry *const given = av_dict_get(*options, key, NULL, 0);
    if (strncmp(c->codec->name, "libx264", 7) || (c->width + 15) / 16 % 8 == 0 ||
        !(cpu_flags_detect() & CPU_AVX512) || (given && strstr(given->value, "asm")))
        return 0;
    if (given)
        av_dict_set(options, key, ":", AV_DICT_APPEND);
    return av_dict_set(options, key, "asm=AVX2", AV_DICT_APPEND);
}

static bool has_option(const AVCodec *codec, const char *name)
{
    return codec->priv_class &&
           av_opt_find((void *)&codec->priv_class, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ);
}

/* Whether the user's options choose rate or quality by themselves. */
static bool sets_rate(const char *const *options)
{
    static const char *const keys[] = {
        "crf=", "qp=", "b=", "b:v=", "cqp=", "global_quality=", "lossless=", "qscale="
    };
    for (; options && *options; options++)
        for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++)
            if (!strncmp(*options, keys[i], strlen(keys[i])))
                return true;
    return false;
}

static int set_quality(AVDictionary **options, const EncoderSettings *s, const AVCodec *codec,
                       AVCodecContext *c, Report *report)
{
    double crf = s->crf;
    for (unsigned i = 0; i < sizeof default_crf / sizeof *default_crf; i++)
        if (crf < 0 && !sets_rate(s->options) && !strcmp(codec->name, default_crf[i].codec))
            crf = default_crf[i].crf;
    if (crf >= 0) {
        if (!has_option(codec, "crf"))
            return report_error(report, DAIN_EINVAL, "%s has no constant quality (--crf)",
                                codec->name);
        char text[32];
        snprintf(text, sizeof text, "%g", crf);
        av_dict_set(options, "crf", text, 0);
        if (!strncmp(codec->name, "libvpx", 6))
            c->bit_rate = 0; /* else the quality is capped by a rate */
    }
    if (s->preset) {
        if (!has_option(codec, "preset"))
            return report_error(report, DAIN_EINVAL, "%s has no presets", codec->name);
        if (codec_check_preset(codec, s->preset, report) < 0)
            return DAIN_EINVAL;
        av_dict_set(options, "preset", s->preset, 0);
    }
    for (const char *const *o = s->options; o && *o; o++)
        if (av_dict_parse_string(options, *o, "=", "", 0) < 0)
            return report_error(report, DAIN_EINVAL, "%s is no KEY=VALUE for the encoder", *o);
    if (s->lookahead && !strcmp(codec->name, "libx264"))
        av_dict_set_int(options, "rc-lookahead", s->lookahead, AV_DICT_DONT_OVERWRITE);
    hush_x265(options, codec);
    return DAIN_OK;
}

/* 4:2:0 video of odd size cannot be written as H.264 or H.265: one row or column less. */
static void set_size(AVCodecContext *c, const AVFrame *first, Report *report)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(c->pix_fmt);
    c->width = first->width;
    c->height = first->height;
    if (c->codec_id != AV_CODEC_ID_H264 && c->codec_id != AV_CODEC_ID_HEVC)
        return;
    c->width &= ~((1 << d->log2_chroma_w) - 1);
    c->height &= ~((1 << d->log2_chroma_h) - 1);
    if (c->width != first->width || c->height != first->height)
        report_log(report, DAIN_LOG_WARNING,
                   "%s cannot hold %dx%d in %s: the last row or column is cut off (%dx%d); "
                   "--pix-fmt yuv444p or -c ffv1 keeps it",
                   c->codec->name, first->width, first->height, d->name, c->width, c->height);
}

static int set_up(AVCodecContext *c, const EncoderSettings *s, const AVOutputFormat *container,
                  const AVFrame *first, Ratio time_base, Ratio rate, Report *report)
{
    const int format = codec_choose_format(c->codec, container, s->pix_fmt, first, report);
    if (format < 0)
        return format;
    c->pix_fmt = format;
    set_size(c, first, report);
    set_colour(c, first);
    if (pixels_alpha(first->format) && !pixels_alpha(c->pix_fmt))
        report_log(report, DAIN_LOG_WARNING,
                   "%s has no transparency: alpha is left out (-c ffv1 or prores_ks keeps it)",
                   c->codec->name);
    c->sample_aspect_ratio = first->sample_aspect_ratio;
    c->time_base = libav_rational(time_base);
    c->framerate = libav_rational(rate);
    if (c->codec_id == AV_CODEC_ID_GIF && rate.num && ratio_double(rate) > GIF_RATE)
        report_log(report, DAIN_LOG_WARNING,
                   "players show GIF at %d frames a second at most, and slowly what asks for more",
                   GIF_RATE);
    c->field_order = AV_FIELD_PROGRESSIVE;
    c->thread_count = s->threads;
    if (container->flags & AVFMT_GLOBALHEADER)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return DAIN_OK;
}

static int open_codec(Encoder *e, const EncoderSettings *s, const AVFrame *first, Report *report)
{
    AVDictionary *options = NULL;
    const AVCodec *const codec = e->context->codec;
    int r = set_quality(&options, s, codec, e->context, report);
    if (r >= 0) {
        set_light_levels(&options, codec, first);
        keep_x264_repeatable(&options, e->context);
        libav_expect_complaint();
        r = avcodec_open2(e->context, codec, &options);
        const AVDictionaryEntry *const left = av_dict_get(options, "", NULL, AV_DICT_IGNORE_SUFFIX);
        if (r < 0 && libav_complaint()[0])
            r = report_error(report, libav_code(r), "%s refuses its settings (%dx%d, %s): %s",
                             codec->name, e->context->width, e->context->height,
                             av_get_pix_fmt_name(e->context->pix_fmt), libav_complaint());
        else if (r < 0)
            r = libav_error(report, r, "%s refuses its settings (%dx%d, %s)", codec->name,
                            e->context->width, e->context->height,
                            av_get_pix_fmt_name(e->context->pix_fmt));
        else if (left)
            r = report_error(report, DAIN_EINVAL, "%s has no option %s", codec->name, left->key);
    }
    av_dict_free(&options);
    return r;
}

int encoder_open(Encoder **encoder, const EncoderSettings *settings,
                 const AVOutputFormat *container, const AVFrame *first, Ratio time_base, Ratio rate,
                 Report *report)
{
    *encoder = NULL;
    const AVCodec *const codec = codec_choose(settings, container, report);
    if (!codec)
        return DAIN_EUNSUPPORTED;
    Encoder *e = mem_calloc(1, sizeof *e);
    if (!e || !(e->context = avcodec_alloc_context3(codec))) {
        mem_free(e);
        return report_error(report, DAIN_ENOMEM, "out of memory");
    }
    e->report = report;
    int r = set_up(e->context, settings, container, first, time_base, rate, report);
    if (r >= 0)
        r = open_codec(e, settings, first, report);
    if (r >= 0 && e->context->pix_fmt == AV_PIX_FMT_PAL8)
        r = palette_open(&e->palette, e->context->width, e->context->height,
                         pixels_alpha(first->format), report);
    if (r < 0) {
        encoder_close(&e);
        return r;
    }
    *encoder = e;
    return DAIN_OK;
}

/* A frame of any content. NULL if there is no memory. */
static AVFrame *filler(const Encoder *e)
{
    AVFrame *const f = encoder_frame(e);
    for (int i = 0; f && i < AV_NUM_DATA_POINTERS && f->buf[i]; i++)
        memset(f->buf[i]->data, 0, f->buf[i]->size);
    return f;
}

/* SVT-AV1 1.4 waits for ever when it is closed before it had a frame and was told that there are no
 * more. */
static void flush_svt(Encoder *e)
{
    AVCodecContext *const c = e->context;
    if (!c || !avcodec_is_open(c) || strcmp(c->codec->name, "libsvtav1") || e->flushed)
        return;
    AVFrame *frame = filler(e);
    AVPacket *packet = av_packet_alloc();
    if (frame && packet && (e->sent || avcodec_send_frame(c, frame) == 0) &&
        avcodec_send_frame(c, NULL) == 0)
        while (avcodec_receive_packet(c, packet) == 0)
            av_packet_unref(packet);
    av_packet_free(&packet);
    av_frame_free(&frame);
}

void encoder_close(Encoder **encoder)
{
    if (!*encoder)
        return;
    flush_svt(*encoder);
    avcodec_free_context(&(*encoder)->context);
    palette_close(&(*encoder)->palette);
    mem_free(*encoder);
    *encoder = NULL;
}

/* ---- frames and packets ---- */

AVFrame *encoder_frame(const Encoder *e)
{
    const AVCodecContext *const c = e->context;
    AVFrame *const f = colour_frame(encoder_format(e), c->width, c->height);
    if (f) {
        f->colorspace = c->colorspace;
        f->color_range = c->color_range;
        f->color_primaries = c->color_primaries;
        f->color_trc = c->color_trc;
        f->chroma_location = c->chroma_sample_location;
        f->sample_aspect_ratio = c->sample_aspect_ratio;
    }
    return f;
}

bool encoder_takes(const Encoder *e, const AVFrame *f)
{
    const AVCodecContext *const c = e->context;
    if (f->width != c->width || f->height != c->height)
        return false;
    /* yuvj420p is yuv420p by another name; its range is compared by itself. */
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(f->format);
    const enum AVPixelFormat format = encoder_format(e);
    if (f->format != format && !(d && pixels_planar(d) && pixels_to_planar(f->format) == format))
        return false;
    AVFrame like = { .format = format,
                     .height = c->height,
                     .colorspace = c->colorspace,
                     .color_range = c->color_range };
    return colour_matrix(f) == colour_matrix(&like) && colour_range(f) == colour_range(&like);
}

enum AVPixelFormat encoder_format(const Encoder *e)
{
    return e->palette ? AV_PIX_FMT_RGB32 : e->context->pix_fmt;
}

int encoder_send(Encoder *e, const AVFrame *frame)
{
    AVFrame *mapped = NULL;
    int r = frame && e->palette ? palette_apply(e->palette, frame, &mapped) : DAIN_OK;
    if (r < 0)
        return r;
    r = avcodec_send_frame(e->context, mapped ? mapped : frame);
    av_frame_free(&mapped);
    *(frame ? &e->sent : &e->flushed) = true;
    return r < 0 ? libav_error(e->report, r, "%s failed", e->context->codec->name) : DAIN_OK;
}

int encoder_receive(Encoder *e, AVPacket *packet)
{
    const int r = avcodec_receive_packet(e->context, packet);
    if (r == AVERROR(EAGAIN) || r == AVERROR_EOF)
        return 0;
    return r < 0 ? libav_error(e->report, r, "%s failed", e->context->codec->name) : 1;
}

const AVCodecContext *encoder_context(const Encoder *e)
{
    return e->context;
}
