/* The stages of the pipeline: what they share, the reader and the writer. The engine is in stage_engine.c. */
#include "media/stages.h"

#include "base/mem.h"

#include <math.h>
#include <time.h>

bool pipeline_canceled(const Pipeline *p)
{
    return p->settings->cancel && atomic_load(p->settings->cancel);
}

void pipeline_fail(Pipeline *p, Stage *stage, int error)
{
    Stage *nobody = NULL;
    if (atomic_compare_exchange_strong(&p->failed, &nobody, stage))
        atomic_store(&p->error, error);
    queue_abort(p->to_engine);
    queue_abort(p->to_writer);
}

double stage_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int stage_no_memory(Stage *stage)
{
    return report_error(&stage->report, DAIN_ENOMEM, "out of memory");
}

int64_t stage_duration(const Pipeline *p, const AVFrame *frame)
{
    const SourceVideo video = source_video(p->source);
    const int64_t own = frame_duration(frame);
    if (own > 0 || !video.rate.num)
        return own > 0 ? own : 0;
    return ratio_rescale(1, ratio(video.rate.den, video.rate.num), video.time_base);
}

void release_frame(SourceFrame *f)
{
    av_frame_free(&f->decoded);
    av_frame_free(&f->rgb);
    f->score = 0;
}

void release_item(WriteItem *item)
{
    av_frame_free(&item->frame);
    av_packet_free(&item->packet);
    av_frame_free(&item->pair[0]);
    av_frame_free(&item->pair[1]);
    mem_free(item->mark);
    item->mark = NULL;
}

/* ---- reader ---- */

int reader_prepare(Pipeline *p, Stage *stage, SourceFrame *f)
{
    f->rgb = colour_rgb_frame(&p->rgb_in, f->decoded, p->headroom);
    if (!f->rgb)
        return stage_no_memory(stage);
    const int r = colour_convert(p->colour, f->decoded, f->rgb, &stage->report);
    if (r < 0)
        return r;
    if (p->settings->fallback > 0)
        f->detail = detail_of(f->rgb);
    if (p->settings->scene_threshold > 1 || p->settings->scene_list)
        return DAIN_OK;
    SceneFrame *const scene = scene_shrink(f->rgb);
    if (!scene)
        return stage_no_memory(stage);
    f->score = scene_next(&p->scenes, scene, p->settings->scene_threshold, &f->flash);
    return DAIN_OK;
}

/* Takes a packet over, for the writer: through the queue, or before there are threads in a list. */
static int pass_packet(Pipeline *p, Stage *stage, AVPacket *packet)
{
    const WriteItem item = { .packet = packet };
    if (p->output &&
        p->segmented) { /* the join reads the other streams anew, and nobody waits for this */
        av_packet_free(&packet);
        return DAIN_OK;
    }
    if (p->output)
        return queue_push(p->to_writer, &item, KIND_PACKET) ? DAIN_OK : DAIN_ECANCELED;
    if (!mem_reserve(&p->early, p->early_count, &p->early_size, sizeof *p->early))
        return stage_no_memory(stage);
    p->early[p->early_count++] = packet;
    return DAIN_OK;
}

int reader_decode(Pipeline *p, Stage *stage, SourceFrame *out)
{
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = NULL;
    int r;
    *out = (SourceFrame){ 0 };
    if (!frame)
        return stage_no_memory(stage);
    for (;;) {
        if (!packet && !(packet = av_packet_alloc())) {
            r = stage_no_memory(stage);
            break;
        }
        r = source_next(p->source, frame, packet);
        if (r != SOURCE_PACKET)
            break;
        r = pass_packet(p, stage, packet);
        if (r < 0)
            break;
        packet = NULL;
    }
    av_packet_free(&packet);
    if (r != SOURCE_FRAME) {
        av_frame_free(&frame);
        return r;
    }
    const SourceDamage damage = source_damage(p->source);
    out->decoded = frame;
    out->damaged =
        damage.packets || damage.frames || damage.timestamps || damage.jumps || damage.interlaced;
    return SOURCE_FRAME;
}

/* In a loop the last drawing leads to the first one from where it began, unless it is a still. */
static bool moves_on(Pipeline *p, const AVFrame *last_repetition)
{
    const int64_t stood = last_repetition->pts - p->handed_out;
    if ((double)stood * ratio_double(source_video(p->source).time_base) >= DEDUP_STILL)
        return false;
    p->loop_span = stood + stage_duration(p, last_repetition);
    return true;
}

int reader_next(Pipeline *p, Stage *stage, SourceFrame *out)
{
    if (!p->dedup)
        return reader_decode(p, stage, out);
    DedupFrame next;
    int r = SOURCE_FRAME;
    while (!dedup_take(p->dedup, &next)) {
        if (r == SOURCE_END)
            return r;
        r = reader_decode(p, stage, out);
        if (r < 0)
            return r;
        if (r == SOURCE_END) {
            dedup_end(p->dedup);
            continue;
        }
        const int added =
            dedup_add(p->dedup, out->decoded); /* the frame is its own, whatever comes */
        out->decoded = NULL;
        if (added < 0)
            return stage_no_memory(stage);
    }
    if (r == SOURCE_END && p->opening && next.still && moves_on(p, next.frame)) {
        p->loop_left_out = next.left_out + 1;
        av_frame_free(&next.frame);
        return SOURCE_END;
    }
    p->handed_out = next.frame->pts;
    *out = (SourceFrame){ .decoded = next.frame, .still = next.still, .left_out = next.left_out };
    return SOURCE_FRAME;
}

void *reader_main(void *arg)
{
    Pipeline *const p = arg;
    SourceFrame frame = p->first;
    p->first = (SourceFrame){ 0 };
    int r = SOURCE_FRAME;
    while (r == SOURCE_FRAME && !pipeline_canceled(p)) {
        /* Going on, the first frames are with the engine already. */
        if (frame.decoded && !queue_push(p->to_engine, &frame, KIND_FRAME)) {
            release_frame(&frame);
            return NULL;
        }
        frame = (SourceFrame){ 0 };
        r = reader_next(p, &p->reader, &frame);
        if (r != SOURCE_FRAME || p->serial)
            continue;
        if (!queue_wait_room(p->to_engine, KIND_FRAME))
            break;
        const int prepared = reader_prepare(p, &p->reader, &frame);
        if (prepared < 0)
            r = prepared;
    }
    release_frame(&frame);
    if (r < 0 && !pipeline_canceled(p))
        pipeline_fail(p, &p->reader, r);
    queue_end(p->to_engine);
    return NULL;
}

/* ---- writer ---- */

/* The sharpness and grain of its neighbours for a new frame. */
static int match_detail(Pipeline *p, const WriteItem *item)
{
    if (!item->pair[0] || !p->settings->match)
        return DAIN_OK;
    return detail_match(item->pair[0], item->pair[1], item->t, item->pts, item->frame) < 0
               ? stage_no_memory(&p->writer)
               : DAIN_OK;
}

/* What stands still in both source frames stays in the new one. */
static int hold_still_things(Pipeline *p, const WriteItem *item)
{
    if (!item->pair[0] || !p->lock)
        return DAIN_OK;
    if (p->lock_index != item->pair_index) {
        p->lock_pixels = lock_find(p->lock, item->pair[0], item->pair[1]);
        p->lock_index = item->pair_index;
        if (p->lock_pixels < 0)
            return stage_no_memory(&p->writer);
    }
    if (p->lock_pixels > 0) {
        lock_apply(p->lock, item->pair[0], item->pair[1], item->t, item->frame);
        atomic_fetch_add(&p->held, 1);
    }
    return DAIN_OK;
}

static int hand_over_mark(Pipeline *p, WriteItem *item)
{
    char *const mark = item->mark ? resume_seal_mark(p, item->mark) : NULL;
    const bool lost = item->mark && !mark;
    item->mark = NULL;
    if (mark)
        output_mark(p->output, mark);
    return lost ? stage_no_memory(&p->writer) : DAIN_OK;
}

void *writer_main(void *arg)
{
    Pipeline *const p = arg;
    WriteItem item;
    while (queue_pop(p->to_writer, &item)) {
        int r;
        if (item.packet) {
            r = output_packet(p->output, item.packet);
        } else {
            r = hand_over_mark(p, &item);
            if (r >= 0)
                r = match_detail(p, &item);
            if (r >= 0)
                r = hold_still_things(p, &item);
            if (r >= 0)
                r = output_frame(p->output, item.frame, item.pts, item.duration);
            p->wrote = true;
        }
        release_item(&item);
        if (r < 0) {
            pipeline_fail(p, &p->writer, r);
            return NULL;
        }
    }
    return NULL;
}
