/* What `dain eval` measures: triplets from a test set, a folder of frames or a video. */
#include "tool/eval_source.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "media/colour.h"
#include "media/decode.h"
#include "media/picture.h"
#include "media/triplets.h"

struct EvalSource {
    const char *path;
    TripletList list; /* of a folder */
    Source *video;    /* of a file */
    int at;           /* triplets handed out, or number of the next frame of the video */
    atomic_bool *cancel;
    Colour *colour;
    AVFrame *decoded;
    AVPacket *packet;
    AVFrame *rgb; /* of the last size */
    int width, height;
    uint8_t *buffer[3]; /* first, truth, second; all of the size above, without gaps */
    char name[32];      /* of a frame of the video */
};

static int no_memory(Report *report)
{
    return report_error(report, DAIN_ENOMEM, "out of memory");
}

/* ---- pictures ---- */

static int prepare_size(EvalSource *s, int width, int height, Report *report)
{
    if (s->rgb && s->width == width && s->height == height)
        return DAIN_OK;
    av_frame_free(&s->rgb);
    for (int i = 0; i < 3; i++) {
        mem_free(s->buffer[i]);
        s->buffer[i] = mem_alloc(3 * (size_t)width * height);
        if (!s->buffer[i])
            return no_memory(report);
    }
    s->rgb = colour_frame(AV_PIX_FMT_RGB24, width, height);
    if (!s->rgb)
        return no_memory(report);
    s->rgb->colorspace = AVCOL_SPC_RGB;
    s->rgb->color_range = AVCOL_RANGE_JPEG;
    s->width = width;
    s->height = height;
    return DAIN_OK;
}

/* Converts a decoded frame into a buffer. Part 0 fixes the size of the triplet. */
static int store(EvalSource *s, int part, const AVFrame *frame, const char *path, Report *report)
{
    const int width = frame->width, height = frame->height;
    if (part > 0 && (width != s->width || height != s->height))
        return report_error(report, DAIN_EFORMAT, "%s is %dx%d, the frame before it %dx%d", path,
                            width, height, s->width, s->height);
    int ret = prepare_size(s, width, height, report);
    if (!ret)
        ret = colour_convert(s->colour, frame, s->rgb, report);
    if (ret)
        return ret;
    for (int y = 0; y < height; y++)
        memcpy(s->buffer[part] + 3 * (size_t)width * y,
               s->rgb->data[0] + (ptrdiff_t)s->rgb->linesize[0] * y, 3 * (size_t)width);
    return DAIN_OK;
}

static int read_picture(EvalSource *s, int part, const char *path, Report *report)
{
    AVFrame *picture = NULL;
    int ret = picture_read(&picture, path, report);
    if (!ret)
        ret = store(s, part, picture, path, report);
    av_frame_free(&picture);
    return ret;
}

/* The second frame of the item before becomes the first. */
static void advance(EvalSource *s)
{
    uint8_t *first = s->buffer[0];
    s->buffer[0] = s->buffer[2];
    s->buffer[2] = first;
}

static void fill_item(const EvalSource *s, EvalItem *item, const char *name, int continues)
{
    *item = (EvalItem){ .name = name,
                        .width = s->width,
                        .height = s->height,
                        .first = s->buffer[0],
                        .truth = s->buffer[1],
                        .second = s->buffer[2],
                        .continues = continues };
}

static int next_triplet(EvalSource *s, EvalItem *item, Report *report)
{
    if (s->at == s->list.count)
        return 0;
    const Triplet *const t = &s->list.item[s->at];
    const int continues = s->list.layout == TRIPLET_FRAMES && s->at > 0;
    if (continues)
        advance(s);
    for (int part = continues; part < 3; part++) {
        const int ret = read_picture(s, part, t->path[part], report);
        if (ret)
            return ret;
    }
    fill_item(s, item, t->name, continues);
    s->at++;
    return 1;
}

/* ---- video ---- */

/* 1, 0 at the end, or an error. */
static int read_frame(EvalSource *s, int part, Report *report)
{
    int ret = source_next(s->video, s->decoded, s->packet);
    if (ret != SOURCE_FRAME)
        return ret;
    ret = store(s, part, s->decoded, s->path, report);
    av_frame_unref(s->decoded);
    s->at++;
    return ret ? ret : 1;
}

bool eval_source_damaged(const EvalSource *s)
{
    if (!s->video)
        return false;
    const SourceDamage d = source_damage(s->video);
    return d.packets || d.frames || d.read_error || d.truncated;
}

static int end_of_video(const EvalSource *s, Report *report)
{
    if (s->at < 3)
        return report_error(report, DAIN_EFORMAT, "%s has %d frames, at least 3 are needed",
                            s->path, s->at);
    if (eval_source_damaged(s))
        report_log(report, DAIN_LOG_WARNING,
                   "%s is damaged: some of what was measured are the decoder's repairs", s->path);
    return 0;
}

static int next_frames(EvalSource *s, EvalItem *item, Report *report)
{
    const int continues = s->at > 0;
    if (continues)
        advance(s);
    for (int part = continues; part < 3; part++) {
        const int ret = read_frame(s, part, report);
        if (ret == 0)
            return end_of_video(s, report);
        if (ret < 0)
            return ret;
    }
    snprintf(s->name, sizeof(s->name), "frame %d", s->at - 2);
    fill_item(s, item, s->name, continues);
    return 1;
}

/* ---- open and close ---- */

void eval_source_close(EvalSource **source)
{
    EvalSource *const s = *source;
    if (!s)
        return;
    triplets_free(&s->list);
    source_close(&s->video);
    colour_destroy(s->colour);
    av_frame_free(&s->decoded);
    av_frame_free(&s->rgb);
    av_packet_free(&s->packet);
    for (int i = 0; i < 3; i++)
        mem_free(s->buffer[i]);
    mem_free(s);
    *source = NULL;
}

static int open_path(EvalSource *s, int drop_odd, Report *report)
{
    struct stat st;
    if (stat(s->path, &st) == 0 && S_ISDIR(st.st_mode))
        return drop_odd ? triplets_find_frames(&s->list, s->path, report)
                        : triplets_find(&s->list, s->path, report);
    const SourceSettings settings = { .progressive = true,
                                      .video_only = true,
                                      .cancel = s->cancel };
    return source_open(&s->video, s->path, &settings, report);
}

int eval_source_open(EvalSource **source, const char *path, int drop_odd, atomic_bool *cancel,
                     Report *report)
{
    *source = NULL;
    EvalSource *s = mem_calloc(1, sizeof(*s));
    if (!s)
        return no_memory(report);
    s->path = path;
    s->cancel = cancel;
    s->colour = colour_create();
    s->decoded = av_frame_alloc();
    s->packet = av_packet_alloc();
    const int ret =
        s->colour && s->decoded && s->packet ? open_path(s, drop_odd, report) : no_memory(report);
    if (ret)
        eval_source_close(&s);
    *source = s;
    return ret;
}

int eval_source_next(EvalSource *s, EvalItem *item, Report *report)
{
    return s->video ? next_frames(s, item, report) : next_triplet(s, item, report);
}

const char *eval_source_layout(const EvalSource *s)
{
    return s->video ? "video" : triplets_layout_name(s->list.layout);
}

int eval_source_name_width(const EvalSource *s)
{
    size_t longest = s->video ? strlen("frame 12345") : 0;
    for (int i = 0; i < s->list.count; i++)
        if (strlen(s->list.item[i].name) > longest)
            longest = strlen(s->list.item[i].name);
    return longest < 1000 ? (int)longest : 1000;
}
