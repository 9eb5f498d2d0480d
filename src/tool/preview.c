/* dain --preview: source, new, source, at some moments of a video. */
#include "tool/preview.h"

#include "base/mem.h"
#include "media/colour.h"
#include "media/orientation.h"
#include "media/guide.h"
#include "media/picture.h"
#include "media/scene.h"
#include "media/still.h"
#include "tool/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Pairs looked at around a moment; larger pictures are shrunk; pixels between two pictures. */
enum { PAIRS = 8, WIDEST = 1920, GAP = 4, COLUMNS = 3 };
/* Microseconds: steps back from an end without frames; what is shown in hundredths of a second. */
enum { FIRST_STEP_BACK = 20000, SHORT_CLIP = 60000000 };

typedef struct Preview {
    const PipelineSettings *settings;
    Colour *colour;
    int width, height; /* of one picture, before it is turned */
    Orientation turn;
    AVFrame *strip; /* RGB24 */
    int64_t length; /* of what is shown, microseconds; 0 unknown */
    int pairs;      /* looked at around a moment */
    int64_t at[PREVIEW_MOST];
} Preview;

/* Two neighbours of the source, and those around them where the scene goes on. */
enum { BEFORE, OLDER, NEWER, AHEAD, FRAMES };
typedef struct Pair {
    AVFrame *frame[FRAMES];
    double score;
    int64_t time; /* of the first, microseconds of the source */
    Orientation turn;
} Pair;

static int no_memory(const Preview *v)
{
    return report_error(v->settings->report, DAIN_ENOMEM, "out of memory");
}

static void free_pair(Pair *pair)
{
    for (int i = 0; i < FRAMES; i++)
        av_frame_free(&pair->frame[i]);
}

/* ---- finding pairs ---- */

static int next_frame(Source *source, AVFrame **frame)
{
    AVPacket *packet = av_packet_alloc();
    *frame = av_frame_alloc();
    int r = packet && *frame ? SOURCE_PACKET : DAIN_ENOMEM;
    while (r == SOURCE_PACKET)
        r = source_next(source, *frame, packet);
    av_packet_free(&packet);
    if (r != SOURCE_FRAME)
        av_frame_free(frame);
    return r;
}

static int shrunk(const Preview *v, const AVFrame *frame, SceneFrame **out)
{
    AVFrame *rgb = colour_rgb_frame(NULL, frame, false);
    int r = rgb ? colour_convert(v->colour, frame, rgb, v->settings->report) : no_memory(v);
    if (r == DAIN_OK && !(*out = scene_shrink(rgb)))
        r = no_memory(v);
    av_frame_free(&rgb);
    return r;
}

/* A frame on its way past the search; score: of the change from the one before. */
typedef struct Seen {
    AVFrame *frame;
    SceneFrame *scene;
    double score;
} Seen;

static void free_seen(Seen *seen)
{
    av_frame_free(&seen->frame);
    scene_free(seen->scene);
    *seen = (Seen){ 0 };
}

static bool same_size(const AVFrame *a, const AVFrame *b)
{
    return a && b && a->width == b->width && a->height == b->height;
}

/* Takes the pair if it is a better one than before: more change, but no cut. */
static int consider(const Preview *v, Pair *best, const Seen seen[FRAMES])
{
    const double most = v->settings->scene_threshold, score = seen[NEWER].score;
    if (!same_size(seen[OLDER].frame, seen[NEWER].frame) ||
        (best->frame[OLDER] && (score > most || (score <= best->score && best->score <= most))))
        return DAIN_OK;
    free_pair(best);
    best->score = score;
    for (int i = 0; i < FRAMES; i++) {
        const Seen *const to = &seen[i == BEFORE ? OLDER : AHEAD];
        const bool around = i == BEFORE || i == AHEAD;
        if (around && (to->score > most || !same_size(seen[i].frame, seen[NEWER].frame)))
            continue;
        if (!(best->frame[i] = av_frame_clone(seen[i].frame)))
            return no_memory(v);
    }
    return DAIN_OK;
}

/* Looks through the first pairs of an open source. best stays empty if there is none. */
static int search(const Preview *v, Source *source, Pair *best)
{
    Seen seen[FRAMES] = { 0 };
    int r = SOURCE_FRAME;
    for (int n = 0; n <= v->pairs + 1 && r >= 0; n++) {
        Seen *const last = &seen[AHEAD];
        free_seen(&seen[BEFORE]);
        memmove(seen, seen + 1, AHEAD * sizeof *seen);
        *last = (Seen){ 0 };
        if (r == SOURCE_FRAME)
            r = next_frame(source, &last->frame);
        int done = last->frame ? shrunk(v, last->frame, &last->scene) : DAIN_OK;
        if (last->scene && seen[NEWER].scene)
            last->score = scene_score(seen[NEWER].scene, last->scene);
        if (done == DAIN_OK)
            done = consider(v, best, seen);
        if (done < 0)
            r = done;
    }
    for (int i = 0; i < FRAMES; i++)
        free_seen(&seen[i]);
    return r < 0 ? r : DAIN_OK;
}

static int find_pair(const Preview *v, int64_t start, Pair *best)
{
    SourceSettings settings = v->settings->source;
    settings.video_only = true;
    settings.cancel = v->settings->cancel;
    settings.part.start = start;
    Source *source = NULL;
    int r = source_open(&source, v->settings->input, &settings, v->settings->report);
    if (r == DAIN_OK)
        r = search(v, source, best);
    if (r == DAIN_OK && best->frame[OLDER]) {
        const double base = ratio_double(source_video(source).time_base);
        best->time = start + llround(1e6 * base * (double)best->frame[OLDER]->pts);
        best->turn = orientation_of(source_format(source)->streams[source_video(source).index],
                                    best->frame[OLDER]);
    }
    source_close(&source);
    return r;
}

/* How long the wanted part is, and how far to look from each moment. */
static int find_length(Preview *v, int moments)
{
    SourceSettings settings = v->settings->source;
    settings.video_only = true;
    Source *source = NULL;
    const int r = source_open(&source, v->settings->input, &settings, v->settings->report);
    if (r < 0)
        return r;
    const SourceVideo video = source_video(source);
    const int64_t whole = source_format(source)->duration;
    if (video.frames && video.rate.num)
        v->length = llround(1e6 * (double)video.frames / ratio_double(video.rate));
    else if (whole > 0)
        v->length = part_length(&settings.part, whole);
    /* Rows of a short clip do not look into each other's part of it. */
    const double frames = 1e-6 * (double)v->length * ratio_double(video.rate) / moments;
    v->pairs = frames < 1 ? 1 : frames < PAIRS ? (int)frames : PAIRS;
    source_close(&source);
    return DAIN_OK;
}

/* ---- the strip ---- */

/* Of one picture as it is shown. */
static int shown_width(const Preview *v)
{
    return orientation_swaps(v->turn) ? v->height : v->width;
}

static int shown_height(const Preview *v)
{
    return orientation_swaps(v->turn) ? v->width : v->height;
}

static int create_strip(Preview *v, const AVFrame *first, int moments)
{
    const int widest = orientation_swaps(v->turn) ? first->height : first->width;
    const double shrink = widest > WIDEST ? (double)WIDEST / widest : 1;
    v->width = (int)lround(shrink * first->width);
    v->height = (int)lround(shrink * first->height);
    v->strip = colour_frame(AV_PIX_FMT_RGB24, COLUMNS * shown_width(v) + (COLUMNS - 1) * GAP,
                            moments * shown_height(v) + (moments - 1) * GAP);
    if (!v->strip)
        return no_memory(v);
    v->strip->colorspace = AVCOL_SPC_RGB;
    v->strip->color_range = AVCOL_RANGE_JPEG;
    for (int y = 0; y < v->strip->height; y++)
        memset(v->strip->data[0] + (ptrdiff_t)y * v->strip->linesize[0], 255,
               3 * (size_t)v->strip->width);
    return DAIN_OK;
}

static uint8_t level(float value)
{
    return value > 0 ? (uint8_t)lrintf(255 * (value < 1 ? value : 1)) : 0;
}

static void paste(Preview *v, const AVFrame *rgb, int row, int column)
{
    const int left = column * (shown_width(v) + GAP), top = row * (shown_height(v) + GAP);
    for (int y = 0; y < v->height; y++) {
        const float *const plane[3] = { colour_row(rgb, 2, y), colour_row(rgb, 0, y),
                                        colour_row(rgb, 1, y) };
        for (int x = 0; x < v->width; x++) {
            int to_x, to_y;
            orientation_place(v->turn, v->width, v->height, x, y, &to_x, &to_y);
            uint8_t *const out = v->strip->data[0] +
                                 (ptrdiff_t)(top + to_y) * v->strip->linesize[0] +
                                 3 * (ptrdiff_t)(left + to_x);
            for (int i = 0; i < 3; i++)
                out[i] = level(plane[i][x]);
        }
    }
}

/* A frame as the strip shows it. */
static AVFrame *rgb_frame(const Preview *v)
{
    AVFrame *const f = colour_frame(AV_PIX_FMT_GBRPF32, v->width, v->height);
    if (f) {
        f->colorspace = AVCOL_SPC_RGB;
        f->color_range = AVCOL_RANGE_JPEG;
    }
    return f;
}

static int draw_row(Preview *v, const Pair *pair, int row)
{
    Backend *const engine = v->settings->engine;
    AVFrame *rgb = rgb_frame(v);
    Guide guide = { .denoise = v->settings->denoise_flow };
    double before, after;
    const bool curved = v->settings->curved && backend_curved(engine) && pair->frame[BEFORE] &&
                        pair->frame[AHEAD] &&
                        guide_lengths((const AVFrame *const *)pair->frame, &before, &after);
    int r = rgb ? DAIN_OK : no_memory(v);
    backend_reset(engine);
    for (int i = curved ? BEFORE : OLDER; i <= (curved ? AHEAD : NEWER) && r == DAIN_OK; i++) {
        r = colour_convert(v->colour, pair->frame[i], rgb, v->settings->report);
        if (r < 0)
            break;
        if (i == OLDER || i == NEWER)
            paste(v, rgb, row, i == OLDER ? 0 : 2);
        r = i == AHEAD ? guide_push_ahead(&guide, engine, rgb, before, after)
                       : guide_push(&guide, engine, rgb);
    }
    if (r == DAIN_OK) {
        const DainImage image = colour_image(rgb);
        r = backend_interpolate(engine, 1, 2, &image);
    }
    if (r == DAIN_OK)
        paste(v, rgb, row, 1);
    else if (r != DAIN_ECANCELED && !v->settings->report->error[0])
        report_error(v->settings->report, r, "%s", guide_last_error(&guide, engine));
    guide_free(&guide);
    av_frame_free(&rgb);
    return r;
}

static int show(Preview *v, int row, int moments)
{
    Pair pair = { 0 };
    const int64_t start = v->settings->source.part.start;
    int64_t at = start + v->length * (2 * row + 1) / (2 * moments);
    int r = find_pair(v, at, &pair);
    for (int64_t back = FIRST_STEP_BACK; r == DAIN_OK && !pair.frame[OLDER] && at > start;
         back *= 2) {
        at = at - start > back ? at - back : start; /* it was too near the end */
        r = find_pair(v, at, &pair);
    }
    if (r == DAIN_OK && !pair.frame[OLDER])
        r = report_error(v->settings->report, DAIN_EFORMAT, "%s has less than two frames to show",
                         v->settings->input);
    if (r == DAIN_OK && row == 0) {
        v->turn = pair.turn;
        r = create_strip(v, pair.frame[OLDER], moments);
    }
    v->at[row] = pair.time;
    if (r == DAIN_OK)
        r = draw_row(v, &pair, row);
    free_pair(&pair);
    return r;
}

/* Hundredths of a second where whole ones would all look alike. */
static void print_moment(const Preview *v, int row)
{
    char time[24];
    const double seconds = 1e-6 * (double)v->at[row];
    if (v->length < SHORT_CLIP)
        snprintf(time, sizeof time, "%.2f s", seconds);
    else
        duration_text(seconds, time, sizeof time);
    fprintf(stderr, "%s %s", row ? "," : "", time);
}

int preview_write(const PipelineSettings *settings, int moments, bool quiet)
{
    const char *const path = settings->output.path, *const inputs[] = { settings->input, NULL };
    Preview v = { .settings = settings };
    if (!still_named(path))
        return report_error(settings->report, DAIN_EINVAL,
                            "%s: --preview makes a picture; end the name in .png or .jpg", path);
    v.colour = colour_create();
    int r = v.colour ? find_length(&v, moments) : no_memory(&v);
    for (int row = 0; row < moments && r == DAIN_OK; row++)
        r = show(&v, row, moments);
    if (r == DAIN_OK)
        r = picture_write(v.strip, v.strip, path, inputs, settings->output.overwrite,
                          settings->report);
    if (r == DAIN_OK && !quiet) {
        fprintf(stderr, "%s: source, new, source; at", path);
        for (int row = 0; row < moments; row++)
            print_moment(&v, row);
        fputc('\n', stderr);
    }
    av_frame_free(&v.strip);
    colour_destroy(v.colour);
    return r;
}
