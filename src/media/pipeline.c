/* From one video file to another: opens both, runs the stages, cleans up. */
#include "media/pipeline.h"

#include "base/mem.h"
#include "media/codec_choice.h"
#include "media/memory.h"
#include "media/pixels.h"
#include "media/stages.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Frames that wait between two threads: enough to even out, few enough for 4K. */
enum { READ_AHEAD = 1, WRITE_BEHIND = 1, PACKETS = 1024 };

/* ---- opening ---- */

static int open_source(Pipeline *p)
{
    SourceSettings settings = p->settings->source;
    settings.cancel = p->settings->cancel;
    int r = source_open(&p->source, p->settings->input, &settings, &p->reader.report);
    if (r < 0)
        return r;
    if (p->settings->dedup && !(p->dedup = dedup_create(source_video(p->source).time_base)))
        return stage_no_memory(&p->reader);
    r = reader_next(p, &p->reader, &p->first);
    if (r == SOURCE_END)
        return source_no_frame(p->source);
    return r < 0 ? r : DAIN_OK;
}

/* The points of a ramp on the clock of the frames, which begins at the part. */
static void set_pace(Pipeline *p)
{
    p->pace = p->settings->pace;
    for (int i = 0; i < p->pace.points; i++)
        p->pace.point[i].time -= 1e-6 * (double)p->settings->source.part.start;
}

static int open_timeline(Pipeline *p, const AVOutputFormat *container, TimelineSettings *t,
                         Ratio *rate)
{
    const PipelineSettings *const s = p->settings;
    const SourceVideo video = source_video(p->source);
    set_pace(p);
    const Ratio stretch = pace_factor(&p->pace);
    *t = (TimelineSettings){ .mode = s->mode,
                             .time_base = video.time_base,
                             .rate = video.rate,
                             .factor = s->factor,
                             .out_rate = s->out_rate,
                             .stretch = stretch,
                             .ramp = p->pace.points ? &p->pace : NULL,
                             .ramp_from =
                                 (double)p->first.decoded->pts * ratio_double(video.time_base) };
    *rate = s->out_rate;
    if (s->mode == TIMELINE_FACTOR &&
        (!video.rate.num || !ratio_multiply(video.rate, s->factor, rate) ||
         !ratio_multiply(*rate, ratio(stretch.den, stretch.num), rate)))
        *rate = (Ratio){ 0, 1 };
    if (t->ramp && !rate->num)
        return report_error(&p->engine.report, DAIN_EINVAL,
                            "the source has no steady rate: a --slowmo that changes needs --fps");
    if (rate->num && codec_needs_constant_rate(&s->output.encoder, container))
        *rate = ratio_of(libav_rational(*rate)); /* as near as headers can say it */
    if (s->variable && codec_needs_constant_rate(&s->output.encoder, container))
        return report_error(&p->engine.report, DAIN_EUNSUPPORTED,
                            "%s: this container or encoder knows one frame rate only, not --vfr; "
                            ".mkv, .mp4, .mov and .webm with libx264, libx265, ffv1, ... do",
                            s->output.path);
    if (s->mode == TIMELINE_FACTOR && rate->num &&
        (s->dedup || t->ramp || codec_needs_constant_rate(&s->output.encoder, container))) {
        /* Without its repetitions the source has no rate to count in. */
        t->mode = s->variable ? TIMELINE_FILL : TIMELINE_RATE;
        t->out_rate = *rate;
    }
    if (timeline_init(&p->timeline, t) < 0)
        return report_error(
            &p->engine.report, DAIN_EINVAL,
            "this frame rate or factor is out of range: a factor is 1/1000 to 1000, "
            "in terms that fit the clock of the source");
    p->out_base = libav_rational(p->timeline.out_base);
    if (ratio_compare(ratio_of(p->out_base), p->timeline.out_base) != 0)
        p->out_base = (AVRational){ 1, 1000000 }; /* too fine for FFmpeg: microseconds do */
    p->pause = PIPELINE_PAUSE;
    if (video.rate.num && 8 / ratio_double(video.rate) > p->pause)
        p->pause = 8 / ratio_double(video.rate);
    p->progress.expected_out = video.frames ? timeline_forecast(t, video.frames) : 0;
    return DAIN_OK;
}

static bool is_limited_yuv(enum AVPixelFormat format, enum AVColorRange range)
{
    return !pixels_rgb(format) && range == AVCOL_RANGE_MPEG;
}

/* Long videos are made in segments, unless the user wants none. */
static int choose_segments(Pipeline *p, OutputSettings *out, char ***facts)
{
    const PipelineSettings *const s = p->settings;
    const int64_t expected = p->progress.expected_out;
    const char *why;
    const bool possible = resume_possible(s, &why);
    out->segments = NULL;
    if (s->resume && !possible)
        return report_error(&p->engine.report, DAIN_EINVAL, "--resume is not possible: %s", why);
    if (!possible || !s->segment_frames ||
        (!s->resume && expected && expected <= s->segment_frames))
        return DAIN_OK;
    const int r = resume_facts(s, facts, &p->engine.report);
    p->segments = (SegmentSettings){ .frames = s->segment_frames,
                                     .resume = s->resume,
                                     .facts = (const char *const *)*facts };
    out->segments = &p->segments;
    out->source = s->input;
    out->source_settings = s->source;
    return r;
}

static void tell_start(Pipeline *p, Ratio rate)
{
    const PipelineSettings *const s = p->settings;
    const AVFrame *const first = p->first.decoded ? p->first.decoded : p->older.decoded;
    const SourceVideo video = source_video(p->source);
    const PipelineStart start = { .decoder = video.codec,
                                  .encoder = output_codec(p->output),
                                  .width = first->width,
                                  .height = first->height,
                                  .rate_in = video.rate,
                                  .rate_out = rate,
                                  .format_in = av_get_pix_fmt_name(first->format),
                                  .format_out = av_get_pix_fmt_name(output_format(p->output)),
                                  .done = p->resume.from };
    if (s->started)
        s->started(s->opaque, &start);
}

static int open_output(Pipeline *p)
{
    const PipelineSettings *const s = p->settings;
    const AVOutputFormat *const container =
        output_container(s->output.path, s->output.container, &p->writer.report);
    if (!container)
        return DAIN_EUNSUPPORTED;
    TimelineSettings timeline;
    Ratio rate;
    int r = open_timeline(p, container, &timeline, &rate);
    if (r < 0)
        return r;
    if (p->forecast)
        return forecast_make(p, container, &timeline, rate, p->forecast);
    const char *const inputs[] = { s->input, NULL };
    const AVFrame *const first = p->first.decoded;
    OutputSettings out = s->output;
    out.inputs = inputs;
    out.time_base = ratio_of(p->out_base);
    out.rate = rate;
    out.first_pts = first->pts;
    out.strict = s->source.strict;
    out.pace = p->pace;
    out.circle = s->loop;
    PipelineChoice choice = { .encoder = &out.encoder };
    if (s->choose && (r = s->choose(s->opaque, first, &choice)) < 0)
        return r;
    if (choice.save_memory) {
        lock_destroy(p->lock);
        p->lock = NULL;
    }
    p->curved = p->curved && backend_curved(s->engine); /* memory may be too short for it */
    p->serial = choice.save_memory || (int64_t)first->width * first->height > SERIAL_PIXELS;
    char **facts = NULL;
    if ((r = choose_segments(p, &out, &facts)) < 0)
        return r;
    r = output_open(&p->output, &out, p->source, first, &p->writer.report);
    resume_free_facts(facts);
    if (r >= 0) {
        p->headroom = is_limited_yuv(first->format, colour_range(first)) &&
                      is_limited_yuv(output_format(p->output), output_range(p->output));
        r = reader_prepare(p, &p->reader, &p->first);
    }
    if (r >= 0 && s->loop && !(p->opening = av_frame_clone(p->first.decoded)))
        r = stage_no_memory(&p->engine);
    if (r >= 0 && (p->segmented = output_segmented(p->output)))
        r = resume_start(p);
    if (r >= 0)
        tell_start(p, rate);
    return r;
}

static int write_early(Pipeline *p)
{
    int r = DAIN_OK;
    for (int i = 0; i < p->early_count; i++) {
        if (r >= 0)
            r = output_packet(p->output, p->early[i]);
        av_packet_free(&p->early[i]);
    }
    p->early_count = 0;
    return r;
}

static int create_queues(Pipeline *p)
{
    const int depth = p->settings->depth ? p->settings->depth : WRITE_BEHIND;
    const int read_limit[2] = { READ_AHEAD, 1 }, write_limit[2] = { depth, PACKETS };
    p->to_engine = queue_create(sizeof(SourceFrame), read_limit);
    p->to_writer = queue_create(sizeof(WriteItem), write_limit);
    p->colour = colour_create();
    p->colour_late = colour_create();
    if (p->settings->lock && !(p->lock = lock_create()))
        return stage_no_memory(&p->engine);
    return p->to_engine && p->to_writer && p->colour && p->colour_late
               ? DAIN_OK
               : stage_no_memory(&p->engine);
}

static int start(Pipeline *p, Stage *stage, void *(*run)(void *))
{
    if (pthread_create(&stage->thread, NULL, run, p))
        return report_error(&p->engine.report, DAIN_ESYSTEM, "cannot start a thread");
    stage->running = true;
    return DAIN_OK;
}

static void join(Stage *stage)
{
    if (stage->running)
        pthread_join(stage->thread, NULL);
    stage->running = false;
}

/* Runs the threads to the end of the source, of the patience, or of the luck. */
static int run_threads(Pipeline *p)
{
    int r = start(p, &p->writer, writer_main);
    if (r == DAIN_OK)
        r = start(p, &p->reader, reader_main);
    if (r == DAIN_OK)
        r = engine_main(p);
    /* Whatever it was, the reader must come to its end, and then the writer. */
    if (r < 0) {
        if (pipeline_canceled(p))
            queue_abort(p->to_engine);
        else if (!atomic_load(&p->failed))
            pipeline_fail(p, &p->engine, r);
    }
    join(&p->reader);
    queue_end(p->to_writer);
    join(&p->writer);
    if (atomic_load(&p->failed))
        return atomic_load(&p->error);
    return pipeline_canceled(p) ? DAIN_ECANCELED : r;
}

static void release(Pipeline *p)
{
    SourceFrame frame;
    WriteItem item;
    while (p->to_engine && queue_drain(p->to_engine, &frame))
        release_frame(&frame);
    while (p->to_writer && queue_drain(p->to_writer, &item))
        release_item(&item);
    for (int i = 0; i < p->early_count; i++)
        av_packet_free(&p->early[i]);
    mem_free(p->early);
    release_frame(&p->first);
    release_frame(&p->before);
    release_frame(&p->older);
    release_frame(&p->newer);
    release_frame(&p->ahead);
    av_frame_free(&p->opening);
    frame_pool_free(&p->rgb_in);
    frame_pool_free(&p->rgb_out);
    queue_destroy(p->to_engine);
    queue_destroy(p->to_writer);
    guide_free(&p->guide);
    dedup_destroy(p->dedup);
    lock_destroy(p->lock);
    scene_forget(&p->scenes);
    cut_list_free(&p->cuts);
    cut_list_free(&p->given);
    outfile_abandon(&p->cuts_file);
    colour_destroy(p->colour);
    colour_destroy(p->colour_late);
    output_close(&p->output);
    source_close(&p->source);
    if (p->settings->engine)
        backend_reset(p->settings->engine);
}

static int open_cut_lists(Pipeline *p)
{
    const PipelineSettings *const s = p->settings;
    const char *const inputs[] = { s->input, NULL };
    int r = DAIN_OK;
    if (s->scene_list)
        r = cut_list_read(&p->given, s->scene_list, &p->engine.report);
    if (r >= 0 && s->scenes && !p->forecast)
        r = outfile_open(&p->cuts_file, s->scenes, inputs, s->output.overwrite, &p->engine.report);
    return r;
}

static int write_cuts(Pipeline *p)
{
    if (!p->settings->scenes)
        return DAIN_OK;
    const int r = cut_list_write(&p->cuts, outfile_path(&p->cuts_file), &p->engine.report);
    return r < 0 ? r : outfile_commit(&p->cuts_file, &p->engine.report);
}

/* Seconds of processor time, all threads together. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Where the time went: what the network waits for is what slows the whole. */
static void tell_times(Pipeline *p, const PipelineResult *result)
{
    const PipelineProgress *const g = &p->progress;
    const double engine = g->engine_seconds - p->resume.before.engine_seconds,
                 all = result->seconds;
    if (all > 0 && engine > 0)
        report_log(&p->engine.report, DAIN_LOG_INFO,
                   "network busy for %.1f %% of %.2f s, waiting %.1f %% for source frames and "
                   "%.1f %% for the encoder; %.2f processors used",
                   100 * engine / all, all, 100 * g->source_seconds / all,
                   100 * g->output_seconds / all, result->cpu_seconds / all);
}

static int work(Pipeline *p, PipelineResult *result)
{
    int r = write_early(p);
    if (r < 0)
        return r;
    r = p->resume.whole && !p->settings->scenes ? DAIN_OK : run_threads(p);
    if (p->resume.whole) /* if they ran, then to find the cuts again */
        p->progress = p->resume.before;
    if (r == DAIN_OK || (r == DAIN_ECANCELED && (p->wrote || p->resume.from))) {
        if (p->segmented)
            output_mark(p->output, resume_last_mark(p));
        const int finished = output_finish(p->output, r == DAIN_OK);
        result->kept = finished == DAIN_OK;
        if (finished < 0)
            r = finished;
    }
    return r == DAIN_OK ? write_cuts(p) : r;
}

static int run(Pipeline *p, PipelineResult *result)
{
    int r = create_queues(p);
    if (r >= 0)
        r = open_cut_lists(p);
    if (r >= 0)
        r = open_source(p);
    if (r >= 0)
        r = open_output(p);
    if (r < 0 || p->forecast)
        return r;
    const double start = stage_clock(), processor = processor_seconds();
    r = work(p, result);
    result->seconds = stage_clock() - start;
    result->cpu_seconds = processor_seconds() - processor;
    tell_times(p, result);
    return r;
}

/* The sentence of whoever failed. */
static void pass_on(Pipeline *p)
{
    const Stage *const failed = atomic_load(&p->failed);
    const Stage *const order[] = { failed ? failed : &p->engine, &p->writer, &p->reader,
                                   &p->engine };
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        if (order[i]->report.error[0]) {
            snprintf(p->settings->report->error, sizeof p->settings->report->error, "%s",
                     order[i]->report.error);
            return;
        }
}

static int perform(const PipelineSettings *settings, Forecast *forecast, PipelineResult *result)
{
    *result = (PipelineResult){ 0 };
    Pipeline *const p = mem_calloc(1, sizeof *p);
    if (!p)
        return report_error(settings->report, DAIN_ENOMEM, "out of memory");
    p->settings = settings;
    p->forecast = forecast;
    p->guide.denoise = settings->denoise_flow;
    p->curved = settings->curved && settings->engine && backend_curved(settings->engine);
    p->newer_index = p->engine_index = p->lock_index = -1;
    Stage *const stages[] = { &p->reader, &p->engine, &p->writer };
    for (int i = 0; i < 3; i++) {
        stages[i]->report.log = settings->report->log;
        stages[i]->report.opaque = settings->report->opaque;
    }
    const int r = run(p, result);
    p->progress.held = p->resume.whole ? p->progress.held : atomic_load(&p->held);
    result->progress = p->progress;
    if (r < 0 && p->output) {
        const char *mark;
        bool whole;
        result->done = output_done(p->output, &mark, &whole);
    }
    if (p->resume.whole)
        result->damage = p->resume.damage;
    else if (p->source)
        result->damage = source_damage(p->source);
    if (p->output)
        result->damage.packets += output_refused(p->output);
    if (r < 0)
        pass_on(p);
    release(p);
    mem_free(p);
    return r;
}

int pipeline_run(const PipelineSettings *settings, PipelineResult *result)
{
    return perform(settings, NULL, result);
}

int pipeline_forecast(const PipelineSettings *settings, Forecast *forecast)
{
    PipelineResult unused;
    return perform(settings, forecast, &unused);
}
