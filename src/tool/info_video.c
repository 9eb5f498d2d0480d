/* dain info FILE, where the file is a video: what goes in, before anything is made of it. */
#include "tool/info_video.h"

#include "media/colour.h"
#include "media/decode.h"
#include "media/intact.h"
#include "media/orientation.h"
#include "media/picture_list.h"
#include "tool/common.h"
#include "tool/json.h"
#include "tool/progress.h"
#include "weights/pth.h"

#include <inttypes.h>
#include <libavutil/channel_layout.h>
#include <libavutil/mastering_display_metadata.h>
#include <string.h>
#include <sys/stat.h>

typedef struct VideoFacts {
    const char *path;
    const AVFormatContext *format;
    const AVStream *stream;
    const AVFrame *first; /* decoded; colours are seldom known before */
    SourceVideo video;
    Orientation turn;
    bool mirrored;
    int degrees;
    bool interlaced, top_first;
    double seconds; /* 0 = unknown */
    int64_t bytes;  /* 0 = unknown */
    int64_t missing;
} VideoFacts;

enum { HEAD = 16 }; /* bytes by which a file is told */

/* The files of weights that we read begin in these ways. */
static bool begins_like_model(const uint8_t *head, size_t size)
{
    return pth_is(head, size) ||
           (size >= 9 && !head[5] && !head[6] && !head[7] && head[8] == '{') || /* safetensors */
           (size >= 7 && !memcmp(head, "7767517", 7));                          /* ncnn */
}

bool info_is_video(const char *name)
{
    uint8_t head[HEAD];
    struct stat st;
    if (strstr(name, "://") || picture_list_wanted(name))
        return true;
    if (stat(name, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    if (st.st_size == 0)
        return true; /* neither: that reader says so in a word */
    FILE *const f = fopen(name, "rbe");
    const size_t size = f ? fread(head, 1, sizeof head, f) : 0;
    const char *const dot = strrchr(name, '.');
    static const char *const models[] = { ".safetensors", ".pth", ".pt", ".param", ".bin" };
    bool model = begins_like_model(head, size);
    for (unsigned i = 0; dot && i < sizeof models / sizeof *models; i++)
        model |= !strcmp(dot, models[i]);
    if (f)
        fclose(f);
    return f && !model;
}

/* ---- finding out ---- */

static int first_frame(Source *source, AVFrame *frame, Report *report)
{
    AVPacket *packet = av_packet_alloc();
    int r = packet ? SOURCE_PACKET : report_error(report, DAIN_ENOMEM, "out of memory");
    while (r == SOURCE_PACKET) {
        r = source_next(source, frame, packet);
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    return r;
}

static void find_facts(const Source *source, const AVFrame *frame, VideoFacts *f)
{
    struct stat st;
    f->format = source_format(source);
    f->video = source_video(source);
    f->stream = f->format->streams[f->video.index];
    f->first = frame;
    f->turn = orientation_of(f->stream, frame);
    f->degrees = orientation_degrees(f->turn, &f->mirrored);
    const enum AVFieldOrder order = f->stream->codecpar->field_order;
    f->interlaced = order > AV_FIELD_PROGRESSIVE || frame_interlaced(frame);
    f->top_first = frame_interlaced(frame) ? frame_top_first(frame)
                                           : order == AV_FIELD_TT || order == AV_FIELD_TB;
    if (f->format->duration != AV_NOPTS_VALUE)
        f->seconds = 1e-6 * (double)f->format->duration;
    if (stat(f->path, &st) == 0 && S_ISREG(st.st_mode)) {
        f->bytes = st.st_size;
        f->missing = intact_missing_bytes(f->path);
    }
}

/* ---- text ---- */

static void print_container(const VideoFacts *f)
{
    const AVInputFormat *const container = f->format->iformat;
    const char *const name = !container             ? "pictures"
                             : container->long_name ? container->long_name
                                                    : container->name;
    char time[24];
    printf("%s\n  %-10s%s", f->path, "container", name);
    if (f->seconds > 0)
        printf(", %s (%.3f s)", duration_text(f->seconds, time, sizeof time), f->seconds);
    if (f->bytes)
        printf(", %.1f MB", 1e-6 * (double)f->bytes);
    if (f->bytes && f->seconds > 0)
        printf(", %.2f Mbit/s", 8e-6 * (double)f->bytes / f->seconds);
    printf("\n");
    if (f->missing > 0)
        printf("  %-10sits end is missing\n", "damage");
}

static void print_video(const VideoFacts *f)
{
    const AVFrame *const a = f->first;
    const AVRational ratio_of_samples = a->sample_aspect_ratio;
    char rate[48];
    printf("  %-10s%dx%d, ", "video", a->width, a->height);
    if (f->video.rate.num)
        printf("%.5g fps (%s)", ratio_double(f->video.rate),
               ratio_text(f->video.rate, rate, sizeof rate));
    else
        printf("variable rate");
    if (f->video.frames)
        printf(", %" PRId64 " frames by its header", f->video.frames);
    printf(", %s\n", f->video.codec);
    if (f->degrees || f->mirrored)
        printf("  %-10sturned by %d degrees%s when it is shown\n", "rotation", f->degrees,
               f->mirrored ? " and mirrored" : "");
    if (ratio_of_samples.num > 0 && ratio_of_samples.num != ratio_of_samples.den)
        printf("  %-10spixels %d:%d\n", "aspect", ratio_of_samples.num, ratio_of_samples.den);
    if (f->interlaced)
        printf("  %-10sinterlaced, %s field first: --deinterlace makes a frame of each field\n",
               "fields", f->top_first ? "top" : "bottom");
}

static const char *or_unknown(const char *name)
{
    return name && strcmp(name, "unknown") ? name : NULL;
}

static int depth_of(const AVFrame *frame)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(frame->format);
    return d ? d->comp[0].depth : 0;
}

static void print_colour(const VideoFacts *f)
{
    const AVFrame *const a = f->first;
    const char *const matrix = or_unknown(av_color_space_name(a->colorspace)),
                      *const primaries = or_unknown(av_color_primaries_name(a->color_primaries)),
                      *const transfer = or_unknown(av_color_transfer_name(a->color_trc));
    printf("  %-10s%s, %d bits, %s range%s, ", "colour", av_get_pix_fmt_name(a->format),
           depth_of(a), colour_range(a) == AVCOL_RANGE_JPEG ? "full" : "limited",
           a->color_range == AVCOL_RANGE_UNSPECIFIED ? " (not said)" : "");
    if (matrix)
        printf("matrix %s", matrix);
    else
        printf("matrix %s (not said)", av_color_space_name(colour_matrix(a)));
    printf(", primaries %s, transfer %s\n", primaries ? primaries : "not said",
           transfer ? transfer : "not said");
}

static const void *side_data(const VideoFacts *f, enum AVFrameSideDataType of_frame,
                             enum AVPacketSideDataType of_stream)
{
    const AVFrameSideData *const d = av_frame_get_side_data(f->first, of_frame);
    for (int i = 0; !d && i < stream_side_data_count(f->stream); i++)
        if (stream_side_data(f->stream, i)->type == of_stream)
            return stream_side_data(f->stream, i)->data;
    return d ? d->data : NULL;
}

static void print_hdr(const VideoFacts *f)
{
    const AVMasteringDisplayMetadata *const m = side_data(
        f, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_MASTERING_DISPLAY_METADATA);
    const AVContentLightMetadata *const l =
        side_data(f, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_CONTENT_LIGHT_LEVEL);
    if (m && m->has_luminance)
        printf("  %-10smastered for %.4g to %.4g cd/m2\n", "HDR", av_q2d(m->min_luminance),
               av_q2d(m->max_luminance));
    if (l)
        printf("  %-10sbrightest %u, frame average at most %u cd/m2\n", "light", l->MaxCLL,
               l->MaxFALL);
}

/* "audio aac, 48000 Hz, stereo, fra" */
static void print_stream(const VideoFacts *f, const AVStream *s, bool first)
{
    const AVCodecParameters *const c = s->codecpar;
    const char *const kind = av_get_media_type_string(c->codec_type);
    const AVDictionaryEntry *const language = av_dict_get(s->metadata, "language", NULL, 0),
                                   *const title = av_dict_get(s->metadata, "title", NULL, 0);
    printf("  %-10s%d %s %s", first ? "streams" : "", s->index, kind ? kind : "unknown",
           s == f->stream ? f->video.codec : avcodec_get_name(c->codec_id));
    if (c->codec_type == AVMEDIA_TYPE_AUDIO) {
        char layout[64];
        if (av_channel_layout_describe(&c->ch_layout, layout, sizeof layout) > 0)
            printf(", %d Hz, %s", c->sample_rate, layout);
    } else if (c->codec_type == AVMEDIA_TYPE_VIDEO && s != f->stream) {
        printf(s->disposition & AV_DISPOSITION_ATTACHED_PIC ? ", cover" : ", %dx%d", c->width,
               c->height);
    }
    if (language)
        printf(", %.20s", language->value);
    if (title)
        printf(", \"%.60s\"", title->value);
    printf(s == f->stream ? ": gets new frames\n" : "\n");
}

static void print_text(const VideoFacts *f)
{
    print_container(f);
    print_video(f);
    print_colour(f);
    print_hdr(f);
    for (unsigned i = 0; i < f->format->nb_streams; i++)
        print_stream(f, f->format->streams[i], i == 0);
    if (f->format->nb_chapters)
        printf("  %-10s%u\n", "chapters", f->format->nb_chapters);
    printf("dain --dry-run FILE OUT says what would become of it\n");
}

/* ---- JSON ---- */

static void put(const char *key, const char *text)
{
    printf(", \"%s\": ", key);
    json_print(stdout, text);
}

static void print_json(const VideoFacts *f)
{
    const AVFrame *const a = f->first;
    char rate[48];
    printf("{ \"path\": ");
    json_print(stdout, f->path);
    put("container", f->format->iformat ? f->format->iformat->name : "pictures");
    printf(", \"seconds\": %.6f, \"bytes\": %" PRId64 ", \"missing_bytes\": %" PRId64
           ",\n  \"width\": %d, \"height\": %d, \"frames\": %" PRId64,
           f->seconds, f->bytes, f->missing, a->width, a->height, f->video.frames);
    put("rate", f->video.rate.num ? ratio_text(f->video.rate, rate, sizeof rate) : NULL);
    put("codec", f->video.codec);
    printf(", \"stream\": %d, \"rotation\": %d, \"mirrored\": %s, \"interlaced\": %s",
           f->video.index, f->degrees, f->mirrored ? "true" : "false",
           f->interlaced ? "true" : "false");
    printf(",\n  \"bits\": %d", depth_of(a));
    put("pixel_format", av_get_pix_fmt_name(a->format));
    put("range", av_color_range_name(a->color_range));
    put("matrix", av_color_space_name(a->colorspace));
    put("primaries", av_color_primaries_name(a->color_primaries));
    put("transfer", av_color_transfer_name(a->color_trc));
    printf(",\n  \"streams\": [");
    for (unsigned i = 0; i < f->format->nb_streams; i++) {
        const AVStream *const s = f->format->streams[i];
        const AVDictionaryEntry *const language = av_dict_get(s->metadata, "language", NULL, 0);
        printf("%s{ \"index\": %d", i ? ", " : " ", s->index);
        put("kind", av_get_media_type_string(s->codecpar->codec_type));
        put("codec", avcodec_get_name(s->codecpar->codec_id));
        put("language", language ? language->value : NULL);
        printf(" }");
    }
    printf(" ], \"chapters\": %u }\n", f->format->nb_chapters);
}

int info_print_video(const char *path, bool json, Report *report)
{
    const SourceSettings settings = { .progressive = true, .video_only = true, .threads = 1 };
    VideoFacts facts = { .path = path };
    Source *source = NULL;
    AVFrame *frame = av_frame_alloc();
    int r = frame ? source_open(&source, path, &settings, report)
                  : report_error(report, DAIN_ENOMEM, "out of memory");
    if (r == DAIN_OK) {
        r = first_frame(source, frame, report);
        if (r == SOURCE_END)
            r = source_no_frame(source);
    }
    if (r == SOURCE_FRAME) {
        find_facts(source, frame, &facts);
        (json ? print_json : print_text)(&facts);
    }
    av_frame_free(&frame);
    source_close(&source);
    return r < 0 ? r : DAIN_OK;
}
