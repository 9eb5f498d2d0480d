/* The engine's stage of the pipeline: which frames there are at which times, and what they are made
 * of. */
#include "media/stages.h"

#include "engine/image.h"
#include "media/pixels.h"

#include <inttypes.h>

/* A reference to a source frame, for the encoder. */
static int take_decoded(Pipeline *p, const SourceFrame *from, bool again, AVFrame **out)
{
    *out = av_frame_clone(from->decoded);
    if (!*out)
        return stage_no_memory(&p->engine);
    if (again) /* captions belong to one frame only */
        av_frame_remove_side_data(*out, AV_FRAME_DATA_A53_CC);
    return DAIN_OK;
}

/* Whether the writer works on new frames, beside the network: for that it needs their neighbours. */
static bool pair_is_wanted(const Pipeline *p)
{
    return p->lock || p->settings->match;
}

/* RGB of a frame that was let go; the reader may be converting others at the same time. */
static int colour_again(Pipeline *p, SourceFrame *f)
{
    f->rgb = colour_rgb_frame(p->serial ? &p->rgb_in : &p->rgb_out, f->decoded, p->headroom);
    return f->rgb ? colour_convert(p->colour_late, f->decoded, f->rgb, &p->engine.report)
                  : stage_no_memory(&p->engine);
}

/* Once the engine has a frame, its RGB is needed by the writer at most. */
static void let_go(Pipeline *p, SourceFrame *frame)
{
    if (!pair_is_wanted(p))
        av_frame_free(&frame->rgb);
}

/* Gives a frame to the engine, which keeps what it needs of it. */
static int push(Pipeline *p, SourceFrame *frame)
{
    int r = frame->rgb ? DAIN_OK : colour_again(p, frame);
    if (r >= 0)
        r = guide_push(&p->guide, p->settings->engine, frame->rgb);
    let_go(p, frame);
    return r;
}

/* Whether the motion of the pair may follow that of the pair before. */
static bool goes_on(const Pipeline *p)
{
    return p->curved && p->before.decoded && !p->older.apart;
}

/* Shows the engine the frame after the pair, if things move on to it. */
static int show_ahead(Pipeline *p)
{
    SourceFrame *const ahead = &p->ahead;
    if (!goes_on(p) || !ahead->decoded || !backend_curved(p->settings->engine))
        return DAIN_OK;
    engine_judge(p, &p->newer, ahead, p->progress.frames_in + ahead->left_out);
    const AVFrame *const frame[] = { p->before.decoded, p->older.decoded, p->newer.decoded,
                                     ahead->decoded };
    double before, after;
    if (ahead->apart || !guide_lengths(frame, &before, &after))
        return DAIN_OK;
    int r = ahead->rgb ? DAIN_OK : colour_again(p, ahead);
    if (r >= 0)
        r = guide_push_ahead(&p->guide, p->settings->engine, ahead->rgb, before, after);
    let_go(p, ahead);
    p->shown_ahead = r >= 0;
    return r;
}

/* Brings the pair older, newer into the engine, and the frames around it. Most of that is there
 * already. */
static int load_pair(Pipeline *p)
{
    int r = DAIN_OK;
    if (p->engine_index == p->newer_index)
        return r;
    SourceFrame *const pair[] = { &p->older, &p->newer };
    for (int i = 0; i < 2 && r == DAIN_OK && pair_is_wanted(p); i++)
        if (!pair[i]->rgb)
            r = colour_again(p, pair[i]);
    if (r < 0)
        return r;
    if (p->engine_index == p->newer_index - 1 && p->shown_ahead)
        r = backend_advance(p->settings->engine);
    else {
        if (p->engine_index != p->newer_index - 1) {
            backend_reset(p->settings->engine);
            if (goes_on(p))
                r = push(p, &p->before);
            if (r == DAIN_OK)
                r = push(p, &p->older);
        }
        if (r == DAIN_OK)
            r = push(p, &p->newer);
    }
    p->shown_ahead = false;
    p->engine_index = r == DAIN_OK ? p->newer_index : -1;
    return r == DAIN_OK ? show_ahead(p) : r;
}

/* A new frame that is not to be trusted gives way to the nearer source frame. */
static int doubt_new(Pipeline *p, const Instant *at, AVFrame **out)
{
    const double time = (double)at->num / (double)at->den;
    if (p->settings->fallback <= 0)
        return DAIN_OK;
    const double kept = detail_kept(p->older.detail, p->newer.detail, time, detail_of(*out));
    if (kept >= p->settings->fallback)
        return DAIN_OK;
    report_log(&p->engine.report, DAIN_LOG_INFO,
               "new frame between %" PRId64 " and %" PRId64
               ": confidence %.2f, nearer frame repeated",
               p->source_index - 1, p->source_index, kept);
    av_frame_free(out);
    p->progress.made--;
    p->progress.repeated++;
    p->progress.doubtful++;
    return take_decoded(p, time >= 0.5 ? &p->newer : &p->older, true, out);
}

static int make_new(Pipeline *p, const Instant *at, AVFrame **out)
{
    const double asked = stage_clock();
    if (!queue_wait_room(p->to_writer, KIND_FRAME))
        return DAIN_ECANCELED;
    const double start = stage_clock();
    p->progress.output_seconds += start - asked;
    int r = load_pair(p);
    if (r == DAIN_OK) {
        /* not before: what the pair was loaded from may be used again */
        *out =
            colour_rgb_frame(p->serial ? &p->rgb_in : &p->rgb_out, p->older.decoded, p->headroom);
        if (!*out)
            return stage_no_memory(&p->engine);
        const DainImage image = colour_image(*out);
        r = backend_interpolate(p->settings->engine, at->num, at->den, &image);
    }
    p->progress.engine_seconds += stage_clock() - start;
    p->progress.made++;
    if (r < 0) {
        if (r == DAIN_ECANCELED)
            return r;
        return report_error(&p->engine.report, r, "%s",
                            guide_last_error(&p->guide, p->settings->engine));
    }
    /* What is known of the picture beside its samples. */
    (*out)->sample_aspect_ratio = p->older.decoded->sample_aspect_ratio;
    return doubt_new(p, at, out);
}

/* The frame for an instant. still: nothing moves between the two; cut: nor in front of the newer. */
static int frame_at(Pipeline *p, const Instant *at, bool cut, bool still, bool again, AVFrame **out)
{
    if (at->num == 0) {
        p->progress.repeated += again;
        return take_decoded(p, &p->older, again, out);
    }
    if (cut || still) {
        const bool newer = !still && 2 * (__int128)at->num >= at->den;
        p->progress.repeated++;
        p->progress.same += p->newer.same && !cut;
        return take_decoded(p, newer ? &p->newer : &p->older, true, out);
    }
    return make_new(p, at, out);
}

/* Time and duration for the encoder. */
static WriteItem stamp(Pipeline *p, const Instant *at)
{
    /* The timeline's clock may be too fine for an AVRational. */
    const Ratio from = p->timeline.out_base, to = ratio_of(p->out_base);
    WriteItem item = { .pts = ratio_rescale(at->pts, from, to),
                       .duration = ratio_rescale(at->duration, from, to) };
    if (item.pts < p->next_pts)
        item.pts = p->next_pts;
    p->next_pts = item.pts + 1;
    return item;
}

static void count_output(Pipeline *p)
{
    p->progress.held = atomic_load(&p->held);
    p->progress.frames_out++;
    if (p->settings->progress)
        p->settings->progress(p->settings->opaque, &p->progress);
}

static int add_pair(Pipeline *p, const Instant *at, WriteItem *item)
{
    if (!pair_is_wanted(p))
        return DAIN_OK;
    item->pair[0] = av_frame_clone(p->older.rgb);
    item->pair[1] = av_frame_clone(p->newer.rgb);
    item->pair_index = p->newer_index;
    item->t = (double)at->num / (double)at->den;
    return item->pair[0] && item->pair[1] ? DAIN_OK : stage_no_memory(&p->engine);
}

/* Makes the frame for an instant and hands it to the writer. */
static int write_frame(Pipeline *p, const Instant *at, bool cut, bool still, bool again)
{
    const int64_t made = p->progress.made;
    int r;
    WriteItem item = { .mark = resume_mark(p, &r) };
    if (r >= 0)
        r = frame_at(p, at, cut, still, again, &item.frame);
    if (r >= 0 && p->progress.made > made)
        r = add_pair(p, at, &item);
    if (r >= 0) {
        const WriteItem times = stamp(p, at);
        item.pts = times.pts;
        item.duration = times.duration;
        const double start = stage_clock();
        if (!queue_push(p->to_writer, &item, KIND_FRAME))
            r = DAIN_ECANCELED;
        p->progress.output_seconds += stage_clock() - start;
    }
    if (r < 0)
        release_item(&item);
    else
        count_output(p);
    return r;
}

/* Counts a cut and puts it on the list. The end of a flash takes the one at its beginning back. */
static int count_cut(Pipeline *p)
{
    const Cut cut = { p->source_index,
                      (double)p->newer.decoded->pts *
                          ratio_double(source_video(p->source).time_base),
                      p->newer.score };
    if (p->newer.flash) {
        p->progress.cuts--;
        p->progress.flashes++;
        cut_list_drop_last(&p->cuts);
        report_log(&p->engine.report, DAIN_LOG_INFO,
                   "the cut before frame %" PRId64 " was a flash of %d frame%s", p->source_index,
                   p->newer.flash, plural(p->newer.flash));
        return DAIN_OK;
    }
    p->progress.cuts++;
    report_log(&p->engine.report, DAIN_LOG_INFO, "cut at frame %" PRId64 " (score %.2f)",
               p->source_index, p->newer.score);
    return p->settings->scenes && cut_list_add(&p->cuts, cut) < 0 ? stage_no_memory(&p->engine)
                                                                  : DAIN_OK;
}

static void count_pause(Pipeline *p, double seconds)
{
    p->progress.pauses++;
    p->progress.paused += llrint(1e6 * seconds);
    if (seconds > PIPELINE_LONG_PAUSE)
        report_log(&p->engine.report, DAIN_LOG_WARNING,
                   "frame %" PRId64 " comes %.1f s after the one before: the picture stands still "
                   "meanwhile (--max-gap closes gaps)",
                   p->source_index, seconds);
}

/* Nothing moves into a flash and out of it either: it is as sudden as a cut. */
void engine_judge(Pipeline *p, const SourceFrame *from, SourceFrame *to, int64_t index)
{
    const AVFrame *const a = from->decoded, *const b = to->decoded;
    const double base = ratio_double(source_video(p->source).time_base);
    if (to->judged)
        return;
    const bool listed = p->settings->scene_list && cut_list_has(&p->given, index);
    to->cut = listed || to->score > p->settings->scene_threshold || a->width != b->width ||
              a->height != b->height || pixels_alpha(a->format) != pixels_alpha(b->format);
    to->pause = (double)(b->pts - a->pts) * base > p->pause;
    /* What the engine would refuse is refused whatever it shows. */
    const bool possible = image_check_size(a->width, a->height, NULL) == DAIN_OK;
    to->same = possible && !to->still && !to->cut && !to->pause && pixels_equal(a, b);
    to->apart = to->cut || to->pause || to->still || to->same;
    to->judged = true;
}

/* The encoder knows one size. */
static void warn_size(Pipeline *p)
{
    const AVFrame *const a = p->older.decoded, *const b = p->newer.decoded;
    if (p->told_size || (a->width == b->width && a->height == b->height))
        return;
    p->told_size = true;
    report_log(&p->engine.report, DAIN_LOG_WARNING,
               "frame %" PRId64
               " has another size, %dx%d after %dx%d: all are shown in that of the "
               "first",
               p->source_index, b->width, b->height, a->width, a->height);
}

/* Whether the pair belongs to two scenes, or has a pause between or stands still. */
static int judge_pair(Pipeline *p, bool *cut, bool *still)
{
    engine_judge(p, &p->older, &p->newer, p->source_index);
    warn_size(p);
    *cut = p->newer.cut;
    *still = p->newer.pause || p->newer.still || p->newer.same;
    if (p->newer.closing) {
        if (*cut || p->newer.pause)
            report_log(&p->engine.report, DAIN_LOG_WARNING,
                       "no new frames from the last one to the first: %s",
                       *cut ? "nothing leads from one to the other" : "it stands for too long");
        return DAIN_OK;
    }
    if (p->newer.pause)
        count_pause(p, (double)(p->newer.decoded->pts - p->older.decoded->pts) *
                           ratio_double(source_video(p->source).time_base));
    return *cut ? count_cut(p) : DAIN_OK;
}

/* All outputs between older and newer; with nothing newer, up to the end. */
static int write_instants(Pipeline *p)
{
    const bool last = !p->newer.decoded;
    bool cut = false, still = last, again = false;
    if (!last && judge_pair(p, &cut, &still) < 0)
        return DAIN_ENOMEM;
    resume_note_pair(p);
    for (Instant at; timeline_next(&p->timeline, &at); again = true) {
        if (pipeline_canceled(p))
            return DAIN_ECANCELED;
        if (resume_skips(p)) {
            stamp(p, &at);
            count_output(p);
            continue;
        }
        const int r = write_frame(p, &at, cut, still, again);
        if (r < 0)
            return r;
    }
    return DAIN_OK;
}

/* The first frame again, a frame's duration behind the last. */
static void close_loop(Pipeline *p, const SourceFrame *last, SourceFrame *frame)
{
    if (!p->loop_span)
        p->loop_span = stage_duration(p, last->decoded);
    *frame = (SourceFrame){ .decoded = p->opening, .closing = true, .left_out = p->loop_left_out };
    p->opening = NULL;
    frame->decoded->pts = last->decoded->pts + (p->loop_span > 0 ? p->loop_span : 1);
}

/* The next source frame, ready for the engine; without one decoded at the end. last: the one before it. */
static int take_frame(Pipeline *p, const SourceFrame *last, SourceFrame *frame)
{
    const double start = stage_clock();
    const bool taken = queue_pop(p->to_engine, frame);
    p->progress.source_seconds += stage_clock() - start;
    if (!taken)
        *frame = (SourceFrame){ 0 };
    if (!taken && p->opening && last && !pipeline_canceled(p) && !atomic_load(&p->failed))
        close_loop(p, last, frame);
    if (!frame->decoded || frame->rgb)
        return DAIN_OK;
    /* Converted here, when at most one RGB frame is still with the writer. */
    return queue_wait_room(p->to_writer, KIND_FRAME) ? reader_prepare(p, &p->engine, frame)
                                                     : DAIN_ECANCELED;
}

/* The same where one more frame is looked at. */
static int next_frame(Pipeline *p, SourceFrame *frame)
{
    if (!p->curved)
        return take_frame(p, p->newer.decoded ? &p->newer : NULL, frame);
    *frame = p->ahead;
    p->ahead = (SourceFrame){ 0 };
    if (!frame->decoded)
        return DAIN_OK;
    const int r = take_frame(p, frame->closing ? NULL : frame, &p->ahead);
    if (p->serial) /* one RGB frame less while pictures are made */
        av_frame_free(&p->ahead.rgb);
    /* What ended too soon is no end of the video. */
    const bool stopped = !p->ahead.decoded && (pipeline_canceled(p) || atomic_load(&p->failed));
    return r >= 0 && stopped ? DAIN_ECANCELED : r;
}

/* The pair moves on by a frame. */
static void move_on(Pipeline *p, SourceFrame frame)
{
    release_frame(&p->before);
    if (p->curved)
        p->before = p->older;
    else
        release_frame(&p->older);
    p->older = p->newer;
    p->newer = frame;
}

/* What comes after the last frame: it stands to its end, or leads to the first. */
static int write_end(Pipeline *p)
{
    if (p->newer.closing) {
        p->newer_index++;
        p->source_index = p->progress.frames_in += p->newer.left_out;
        p->progress.duplicates += p->newer.left_out;
        timeline_close(&p->timeline, p->loop_span);
    } else {
        move_on(p, (SourceFrame){ 0 });
        timeline_finish(&p->timeline, frame_duration(p->older.decoded));
    }
    return write_instants(p);
}

int engine_main(Pipeline *p)
{
    SourceFrame frame;
    int r = p->curved ? take_frame(p, NULL, &p->ahead) : DAIN_OK;
    if (r >= 0 && p->resume.loaded)
        r = write_instants(p);
    while (r >= 0) {
        release_frame(&p->before);
        av_frame_free(&p->older.rgb); /* its pair is done */
        r = next_frame(p, &frame);
        if (r < 0)
            release_frame(&frame);
        if (r < 0 || !frame.decoded)
            break;
        move_on(p, frame);
        if (frame.closing)
            break;
        p->newer_index++;
        p->source_index = p->progress.frames_in + frame.left_out;
        p->progress.frames_in = p->source_index + 1;
        p->progress.duplicates += frame.left_out;
        p->progress.seconds_in = (double)(frame.decoded->pts - p->timeline.first_pts) *
                                 ratio_double(source_video(p->source).time_base);
        timeline_push(&p->timeline, frame.decoded->pts);
        if (p->newer_index == 0) {
            p->progress.seconds_in = 0;
            continue;
        }
        r = write_instants(p);
    }
    if (r < 0)
        return r;
    if (pipeline_canceled(p) || atomic_load(&p->failed))
        return DAIN_ECANCELED;
    return write_end(p);
}
