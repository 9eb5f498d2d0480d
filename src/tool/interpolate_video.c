/* One video into another: runs the pipeline, says how it goes and how it went. */
#include "tool/interpolate.h"

#include "media/picture_list.h"
#include "media/picture_out.h"
#include "media/pipeline.h"
#include "tool/damage.h"
#include "tool/events.h"
#include "tool/facts.h"
#include "tool/limit.h"
#include "tool/plan.h"
#include "tool/preview.h"
#include "tool/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct Job {
    const InterpolateOptions *options;
    const char *input, *output;
    bool events; /* --progress json */
    Report *report;
    Backend *engine;
    Progress progress;
    PipelineStart start;
    bool advised; /* of a faster precision */
} Job;

/* Once the speed is known, and if so many seconds of it lie ahead. */
static const double ADVICE_AFTER = 5, LONG_RUN = 300;

/* ---- while it runs ---- */

static bool progress_line_wanted(const InterpolateOptions *o)
{
    return o->progress ? !strcmp(o->progress, "line") : !o->common.quiet;
}

static void on_start(void *opaque, const PipelineStart *start)
{
    Job *const job = opaque;
    char in[48], out[48];
    job->start = *start;
    report_log(job->report, DAIN_LOG_INFO, "%dx%d, %s fps, %s (%s) -> %s fps, %s (%s)",
               start->width, start->height,
               start->rate_in.num ? ratio_text(start->rate_in, in, sizeof in) : "variable",
               start->decoder, start->format_in,
               start->rate_out.num ? ratio_text(start->rate_out, out, sizeof out) : "variable",
               start->encoder, start->format_out);
    if (!job->options->input_rate.num && picture_list_wanted(job->input) &&
        !picture_out_wanted(job->output))
        report_log(job->report, DAIN_LOG_WARNING,
                   "the pictures are taken as %g frames a second; --input-fps says otherwise",
                   ratio_double(start->rate_in));
    if (start->done && !job->events && !job->options->common.quiet)
        fprintf(stderr, "dain: going on after frame %" PRId64 "\n", start->done);
    progress_start(&job->progress, "frames", !progress_line_wanted(job->options));
    if (job->events)
        events_start(job->input, job->output, start);
}

/* A memory limit is for all of the tool. */
static int on_choice(void *opaque, const AVFrame *first, PipelineChoice *choice)
{
    Job *const job = opaque;
    const CommonOptions *const common = &job->options->common;
    DainContext *const engine = backend_context(job->engine);
    if (!engine)
        return report_error(job->report, DAIN_EUNSUPPORTED, "--mem-limit is for the native engine");
    const int depth = tuning_of(common).depth;
    const int more = (depth > 1 ? depth - 1 : 0) + job->options->denoise_flow +
                     job->options->match + job->options->loop;
    return limit_share(engine, (size_t)common->memory_limit, first, choice, motion_curved(common),
                       more, job->report);
}

/* Who did not choose a precision may not know that there is another. */
static void advise_precision(Job *job, const PipelineProgress *p)
{
    DainContext *const engine = backend_context(job->engine);
    DainInfo info;
    char time[24], text[160];
    const double spent = p->engine_seconds;
    if (job->advised || spent < ADVICE_AFTER || !p->frames_out || p->expected_out <= p->frames_out)
        return;
    job->advised = true;
    const double rest = spent * (double)(p->expected_out - p->frames_out) / (double)p->frames_out;
    if (rest < LONG_RUN || job->options->common.precision || !engine)
        return;
    dain_info(engine, &info);
    const bool arm = strstr(info.cpu, "neon");
    if (strcmp(info.precision, "f32") || strcmp(info.network, "edge") ||
        (arm && !strstr(info.cpu, "dotprod"))) /* 8 bits are no faster there */
        return;
    snprintf(text, sizeof text,
             "the network needs about %s more; --precision int8 takes a third to half of that, for "
             "frames that hardly differ",
             duration_text(rest, time, sizeof time));
    messages_advise(text);
}

static void on_progress(void *opaque, const PipelineProgress *p)
{
    Job *const job = opaque;
    advise_precision(job, p);
    job->progress.before = p->frames_before;
    if (!job->events)
        progress_update_video(&job->progress, p->frames_out, p->expected_out,
                              p->seconds_in - p->seconds_before);
    else if (progress_due(&job->progress))
        events_progress(p, progress_elapsed(&job->progress));
}

/* ---- afterwards ---- */

/* ", 12 duplicates left out": what was judged beside cuts, nothing for what did not happen. Things held
 * are in most videos: with details only. */
static const char *judgement_text(const PipelineProgress *p, bool details, char *text, size_t size)
{
    const struct {
        int64_t count;
        const char *before, *one, *many;
    } list[] = {
        { p->doubtful, "", "doubtful frame replaced", "doubtful frames replaced" },
        { p->flashes, "", "flash", "flashes" },
        { p->same, "", "copy between equal frames", "copies between equal frames" },
        { p->duplicates, "", "duplicate left out", "duplicates left out" },
        { details ? p->held : 0, "still things held in ", "new frame", "new frames" },
    };
    size_t used = 0;
    text[0] = 0;
    for (unsigned i = 0; i < sizeof list / sizeof *list && used < size; i++)
        if (list[i].count)
            used +=
                (size_t)snprintf(text + used, size - used, ", %s%" PRId64 " %s", list[i].before,
                                 list[i].count, list[i].count == 1 ? list[i].one : list[i].many);
    if (p->pauses && used < size)
        snprintf(text + used, size - used, ", %" PRId64 " pause%s (%.1f s)", p->pauses,
                 plural(p->pauses), 1e-6 * (double)p->paused);
    return text;
}

/* "demo-2x.mp4: 110 -> 220 frames (109 new, 1 repeated, no cuts) in 0:12, 9.1 new frames/s" */
static void summarise(const Job *job, const char *path, const PipelineResult *result,
                      double seconds)
{
    const PipelineProgress *const p = &result->progress;
    char time[24], judged[240], rate[48] = "";
    if (job->options->common.quiet || job->events)
        return;
    if (job->start.rate_out.num)
        snprintf(rate, sizeof rate, " at %.5g fps", ratio_double(job->start.rate_out));
    fprintf(stderr,
            "%s: %" PRId64 " -> %" PRId64 " frame%s%s, %" PRId64 " new, %" PRId64
            " repeated, %" PRId64 " cut%s%s, in %s",
            path, p->frames_in, p->frames_out, plural(p->frames_out), rate, p->made, p->repeated,
            p->cuts, plural(p->cuts),
            judgement_text(p, job->options->common.verbose > 0, judged, sizeof judged),
            duration_text(seconds, time, sizeof time));
    if (p->engine_seconds > 0 && p->made > 0)
        fprintf(stderr, " (%.3g new frames/s)", (double)p->made / p->engine_seconds);
    fputc('\n', stderr);
}

/* Says how it went to people. An exit code. */
static int conclude(Job *job, int r, const PipelineResult *result)
{
    const char *const in = job->input, *const out = job->output;
    const double seconds = progress_end(&job->progress);
    if (r < 0 && result->done && !job->events)
        fprintf(stderr, "dain: the first %" PRId64 " frames are kept: --resume goes on with them\n",
                result->done);
    if (r == DAIN_ECANCELED) {
        if (job->events)
            ; /* the last event says it */
        else if (result->kept)
            fprintf(stderr,
                    "dain: interrupted; %s has the first %" PRId64 " frames and can be played\n",
                    out, result->progress.frames_out);
        else
            fprintf(stderr, "dain: interrupted, nothing written\n");
        return interruption_code() ? interruption_code() : EXIT_INTERRUPTED;
    }
    if (r < 0 || job->options->dry_run || job->options->preview)
        return r < 0 ? EXIT_FAILED : EXIT_DONE;
    summarise(job, out, result, seconds);
    const bool damaged = damage_tell(job->report, in, &result->damage, result->progress.frames_in);
    return damaged ? EXIT_DAMAGED : EXIT_DONE;
}

static int finish(Job *job, int r, const PipelineResult *result)
{
    const int code = conclude(job, r, result);
    if (job->events)
        events_end(job->input, job->output, code, result, progress_elapsed(&job->progress));
    return code;
}

/* ---- before ---- */

/* Frames of the source, by decoding it: headers are often wrong by a few. */
static int count_frames(const char *path, const SourceSettings *how, Report *report, int64_t *count)
{
    SourceSettings settings = *how;
    settings.video_only = true;
    settings.cancel = interruption();
    Source *source = NULL;
    int r = source_open(&source, path, &settings, report);
    if (r < 0)
        return r;
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    r = frame && packet ? SOURCE_FRAME : report_error(report, DAIN_ENOMEM, "out of memory");
    for (*count = 0; r == SOURCE_FRAME; ++*count) {
        av_frame_unref(frame);
        r = source_next(source, frame, packet);
    }
    if (--*count < 1 && r == SOURCE_END)
        r = source_no_frame(source);
    av_frame_free(&frame);
    av_packet_free(&packet);
    source_close(&source);
    return r;
}

static PipelineSettings settings_of(const InterpolateOptions *o, Job *job)
{
    PipelineSettings s = {
        .input = job->input,
        .source = { .threads = o->common.memory_limit ? 1 : 0, /* each holds frames */
                    .progressive = o->progressive,
                    .deinterlace = o->deinterlace,
                    .strict = o->strict,
                    .max_gap = o->max_gap,
                    .input_rate = o->input_rate,
                    .streams = o->streams },
        .output = { .path = job->output,
                    .container = o->container,
                    .overwrite = o->overwrite,
                    .only_video = o->no_streams,
                    .encoder = { .codec = o->codec,
                                 .crf = o->crf,
                                 .preset = o->preset,
                                 .pix_fmt = o->pix_fmt,
                                 .options = o->encoder_options.text } },
        .segment_frames = o->resume && !o->segment ? SEGMENT_FRAMES : o->segment,
        .resume = o->resume,
        .scenes = o->scenes,
        .scene_list = o->scene_list,
        .scene_threshold = o->no_scene ? 2 : o->scene_threshold,
        .fallback = o->fallback,
        .curved = motion_curved(&o->common),
        .denoise_flow = o->denoise_flow,
        .match = o->match,
        .lock = !o->no_lock,
        .dedup = o->dedup,
        .loop = o->loop,
        .depth = tuning_of(&o->common).depth,
        .engine = job->engine,
        .cancel = interruption(),
        .report = job->report,
        .started = on_start,
        .choose = o->common.memory_limit ? on_choice : NULL,
        .progress = on_progress,
        .opaque = job,
    };
    interpolate_set_time(o, &s);
    return s;
}

/* The video, or what is wanted instead of it. */
static int work(Job *job, PipelineSettings *s, PipelineResult *result)
{
    const InterpolateOptions *const o = job->options;
    if (o->frames) {
        int64_t count = 0;
        const int r = count_frames(job->input, &s->source, job->report, &count);
        if (r != DAIN_OK)
            return r;
        s->factor = ratio(o->frames, count);
    }
    if (o->dry_run)
        return plan_print(s, backend_context(job->engine) ? &o->common : NULL, job->events);
    if (o->preview)
        return preview_write(s, o->preview, o->common.quiet || job->events);
    return pipeline_run(s, result);
}

int interpolate_video(const InterpolateOptions *o, const char *in, const char *out, Report *report,
                      PipelineResult *copy)
{
    /* Options that do not change what the output is. */
    static const char *const other[] = { "input",     "output",   "model",     "threads",
                                         "quiet",     "verbose",  "resume",    "segment",
                                         "overwrite", "progress", "batch",     "preview",
                                         "dry-run",   "config",   "no-config", NULL };
    const char *const model = o->common.model ? o->common.model : dain_default_model();
    Job job = { .options = o,
                .input = in,
                .output = out,
                .events = o->progress && !strcmp(o->progress, "json"),
                .report = report };
    PipelineResult result = { 0 };
    progress_start(&job.progress, "frames", true);
    job.engine = backend_open(&o->common, &o->engine, report);
    if (!job.engine)
        return finish(&job, DAIN_EIO, &result);
    PipelineSettings s = settings_of(o, &job);
    char **const facts = facts_of(commands[0], o, other, model, report);
    s.facts = (const char *const *)facts;
    interruption_start(NULL);
    interruption_watch(job.engine);
    const int r = facts ? work(&job, &s, &result) : DAIN_EIO;
    interruption_stop();
    facts_free(facts);
    backend_close(&job.engine);
    if (copy)
        *copy = result;
    return finish(&job, r, &result);
}
