/* dain tune: measures this machine and keeps what is fastest for later runs. */
#include "base/cpu.h"
#include "base/mem.h"
#include "media/pipeline.h"
#include "tool/common.h"
#include "tool/scene_drawn.h"
#include "tool/tuning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const Command command_tune;

typedef struct TuneOptions {
    CommonOptions common;
    double seconds; /* after which nothing new is begun */
    bool dry_run;
} TuneOptions;

/* A choice other than the usual one must be faster by so much: less is noise. */
#define CLEARLY 1.03
/* A slower machine measures on smaller pictures. */
#define SLOW_FRAME 0.4

enum {
    SMALL_W = 640,
    SMALL_H = 480,
    LARGE_W = 1280,
    LARGE_H = 720,
    ROUNDS = 3,
    MAX_CHOICES = 8,
    CLIP_FRAMES = 16
};

typedef struct Tuner {
    const TuneOptions *options;
    Report *report;
    Tuning result;
    double end; /* clock */
    int w, h;
    int divisor; /* of the sizes */
} Tuner;

/* One thing to try. */
typedef struct Choice {
    char name[24];
    DainSettings settings;
    int value;
    DainContext *engine;
    double best; /* seconds a new frame */
} Choice;

/* ---- measuring ---- */

static DainSettings base_settings(const Tuner *t)
{
    DainSettings s;
    dain_settings_default(&s);
    s.model = t->options->common.model;
    s.threads = t->result.threads;
    s.strip_rows = t->result.strip_rows;
    return s;
}

/* A source frame and a new one. */
static int one_frame(DainContext *engine, uint8_t *rgb, int w, int h, int n, double *seconds)
{
    scene_draw(rgb, w, h, n);
    const DainImage image = scene_image(rgb, w, h);
    const double start = seconds_now();
    int r = dain_push(engine, &image);
    if (r == DAIN_OK && n > 0)
        r = dain_interpolate(engine, 1, 2, &image);
    *seconds = seconds_now() - start;
    return r;
}

/*
 * The choices in turn, a frame each, several rounds, so that what else the machine does meets all alike.
 * The best time counts. Choices for which the budget leaves no time keep INFINITY.
 */
static int measure(Tuner *t, Choice *choices, int count, int w, int h)
{
    uint8_t *rgb = mem_alloc(3 * (size_t)w * (size_t)h);
    int r = rgb ? DAIN_OK : report_error(t->report, DAIN_ENOMEM, "out of memory");
    for (int i = 0; i < count; i++) {
        choices[i].best = INFINITY;
        choices[i].engine = NULL;
    }
    /* rounds 0 and 1: the first frame, the first pair (memory is new) */
    for (int round = 0; round < 2 + ROUNDS && r == DAIN_OK; round++)
        for (int i = 0; i < count && r == DAIN_OK; i++) {
            double seconds;
            Choice *c = &choices[i];
            if (round == 0 && seconds_now() < t->end && dain_open(&c->engine, &c->settings) < 0)
                c->engine = NULL;
            if (!c->engine || (round > 2 && seconds_now() > t->end))
                continue;
            r = one_frame(c->engine, rgb, w, h, round, &seconds);
            if (r < 0)
                report_error(t->report, r, "%s", dain_last_error(c->engine));
            if (round >= 2 && seconds < c->best)
                c->best = seconds;
            if (interruption_code())
                r = DAIN_ECANCELED;
        }
    for (int i = 0; i < count; i++)
        dain_close(&choices[i].engine);
    mem_free(rgb);
    return r;
}

/* Prints a row and returns the choice to take: the usual one unless another is clearly faster. */
static int pick(const char *what, const Choice *choices, int count, int usual)
{
    int best = usual;
    for (int i = 0; i < count; i++)
        if (choices[i].best < choices[best].best && choices[i].best * CLEARLY < choices[usual].best)
            best = i;
    printf("%-12s", what);
    for (int i = 0; i < count; i++)
        if (isfinite(choices[i].best))
            printf("  %s: %.1f%s", choices[i].name, 1 / choices[i].best, i == best ? " *" : "");
    printf("\n");
    fflush(stdout);
    return best;
}

/* ---- what is tried ---- */

static int tune_threads(Tuner *t)
{
    const int all = cpu_count() < 64 ? cpu_count() : 64;
    const int values[] = { all, all - 1, all * 3 / 4, all / 2, all / 4, 1 };
    Choice choices[MAX_CHOICES] = { 0 };
    int n = 0;
    for (int i = 0; i < 6; i++) {
        bool known = values[i] < 1;
        for (int k = 0; k < n; k++)
            known = known || choices[k].value == values[i];
        if (known)
            continue;
        choices[n].value = values[i];
        choices[n].settings = base_settings(t);
        choices[n].settings.threads = values[i];
        snprintf(choices[n].name, sizeof choices[n].name, "%d", values[i]);
        n++;
    }
    const int r = measure(t, choices, n, t->w, t->h);
    if (r == DAIN_OK)
        t->result.threads = choices[pick("threads", choices, n, 0)].value;
    return r;
}

static int tune_strips(Tuner *t)
{
    static const int rows[] = { 32, 16, 64, 128 };
    Choice choices[MAX_CHOICES] = { 0 };
    for (int i = 0; i < 4; i++) {
        choices[i].value = rows[i];
        choices[i].settings = base_settings(t);
        choices[i].settings.strip_rows = rows[i];
        snprintf(choices[i].name, sizeof choices[i].name, "%d", rows[i]);
    }
    const int r = measure(t, choices, 4, LARGE_W, LARGE_H);
    if (r == DAIN_OK)
        t->result.strip_rows = choices[pick("strip rows", choices, 4, 0)].value;
    return r;
}

static int tune_precision(Tuner *t)
{
    static const char *const names[] = { "f32", "bf16", "int8" };
    Choice choices[MAX_CHOICES] = { 0 };
    for (int i = 0; i < 3; i++) {
        choices[i].settings = base_settings(t);
        choices[i].settings.precision = (DainPrecision)(DAIN_PRECISION_F32 + i);
        snprintf(choices[i].name, sizeof choices[i].name, "%s", names[i]);
    }
    const int r = measure(t, choices, 3, t->w, t->h);
    if (r == DAIN_OK)
        snprintf(t->result.fastest, sizeof t->result.fastest, "%s",
                 choices[pick("precision", choices, 3, 0)].name);
    return r;
}

/* ---- the pipeline ---- */

/* A short raw video of the scene. */
static int write_clip(const Tuner *t, const char *path)
{
    const int w = t->w, h = t->h;
    const size_t pixels = (size_t)w * (size_t)h;
    uint8_t *rgb = mem_alloc(3 * pixels), *luma = mem_alloc(pixels);
    FILE *f = rgb && luma ? fopen(path, "wb") : NULL;
    bool ok = f && fprintf(f, "YUV4MPEG2 W%d H%d F25:1 Ip Cmono\n", w, h) > 0;
    for (int n = 0; n < CLIP_FRAMES && ok; n++) {
        scene_draw(rgb, w, h, n);
        for (size_t i = 0; i < pixels; i++)
            luma[i] = rgb[3 * i];
        ok = fputs("FRAME\n", f) >= 0 && fwrite(luma, 1, pixels, f) == pixels;
    }
    if (f)
        ok = fclose(f) == 0 && ok;
    mem_free(rgb);
    mem_free(luma);
    return ok ? DAIN_OK : report_error(t->report, DAIN_EIO, "%s cannot be written", path);
}

/* Seconds for the clip from file to file. */
static int run_clip(const Tuner *t, Backend *engine, const char *in, const char *out, int depth,
                    double *seconds)
{
    PipelineResult result;
    const PipelineSettings s = {
        .input = in,
        .output = { .path = out, .overwrite = true, .encoder = { .crf = -1 } },
        .mode = TIMELINE_FACTOR,
        .factor = { 2, 1 },
        .scene_threshold = 2,
        .depth = depth,
        .engine = engine,
        .cancel = interruption(),
        .report = t->report
    };
    const double start = seconds_now();
    const int r = pipeline_run(&s, &result);
    *seconds = seconds_now() - start;
    backend_reset(engine);
    return r;
}

static int tune_depth(Tuner *t, const char *in, const char *out)
{
    static const int depths[] = { 2, 1, 4, 8 };
    Choice choices[MAX_CHOICES] = { 0 };
    DainContext *context = NULL;
    Backend *engine = NULL;
    DainSettings s = base_settings(t);
    s.precision = !strcmp(t->result.fastest, "int8")   ? DAIN_PRECISION_INT8
                  : !strcmp(t->result.fastest, "bf16") ? DAIN_PRECISION_BF16
                                                       : DAIN_PRECISION_F32;
    int r = write_clip(t, in);
    if (r == DAIN_OK && (r = dain_open(&context, &s)) < 0)
        report_error(t->report, r, "%s", dain_open_error());
    if (r == DAIN_OK && !(engine = backend_native(context)))
        r = report_error(t->report, DAIN_ENOMEM, "out of memory");
    for (int i = 0; i < 4; i++) {
        choices[i].value = depths[i];
        choices[i].best = INFINITY;
        snprintf(choices[i].name, sizeof choices[i].name, "%d", depths[i]);
    }
    for (int round = 0; round < 2 && r == DAIN_OK; round++)
        for (int i = 0; i < 4 && r == DAIN_OK && (!round || seconds_now() < t->end); i++) {
            double seconds = INFINITY;
            r = run_clip(t, engine, in, out, depths[i], &seconds);
            seconds /= CLIP_FRAMES - 1;
            choices[i].best = fmin(choices[i].best, seconds);
        }
    backend_close(&engine);
    if (r == DAIN_OK)
        t->result.depth = choices[pick("depth", choices, 4, 0)].value;
    return r;
}

static int tune_pipeline(Tuner *t)
{
    const char *folder = getenv("TMPDIR");
    char base[512], in[544], out[544];
    snprintf(base, sizeof base, "%s/dain-tune-XXXXXX", folder && *folder ? folder : "/tmp");
    if (!mkdtemp(base))
        return report_error(t->report, DAIN_EIO, "%s: no temporary folder", base);
    snprintf(in, sizeof in, "%s/in.y4m", base);
    snprintf(out, sizeof out, "%s/out.mkv", base);
    const int r = tune_depth(t, in, out);
    unlink(in);
    unlink(out);
    rmdir(base);
    return r;
}

/* ---- the command ---- */

/* Finds a size at which a frame takes no too long time. */
static int find_size(Tuner *t)
{
    Choice c = { .settings = base_settings(t) };
    DainContext *engine = NULL;
    const int r = dain_open(&engine, &c.settings);
    if (r < 0)
        return report_error(t->report, r, "%s", dain_open_error());
    dain_close(&engine);
    t->w = SMALL_W;
    t->h = SMALL_H;
    for (;;) {
        const int error = measure(t, &c, 1, t->w, t->h);
        if (error < 0 || c.best < SLOW_FRAME || t->w <= SMALL_W / 8)
            return error;
        t->w /= 2;
        t->h /= 2;
    }
}

static int tune(Tuner *t)
{
    char key[TUNING_KEY];
    tuning_key(key);
    t->end = seconds_now() + t->options->seconds;
    int r = find_size(t);
    if (r == DAIN_OK)
        printf("%s\nnew frames a second at %dx%d (strips: %dx%d), * = kept:\n", key, t->w, t->h,
               LARGE_W, LARGE_H);
    if (r == DAIN_OK)
        r = tune_threads(t);
    if (r == DAIN_OK && t->w == SMALL_W)
        r = tune_strips(t);
    if (r == DAIN_OK)
        r = tune_precision(t);
    if (r == DAIN_OK && seconds_now() < t->end)
        r = tune_pipeline(t);
    return r;
}

static int run(const void *values, int count, char **operands)
{
    const TuneOptions *o = values;
    Report report;
    char path[TUNING_PATH];
    messages_start(&report, &o->common);
    if (count)
        return options_wrong(&command_tune, "takes no file: %s", operands[0]);
    interruption_start(NULL);
    Tuner t = { .options = o, .report = &report };
    int r = tune(&t);
    interruption_stop();
    if (interruption_code())
        return interruption_code();
    if (r == DAIN_OK && !o->dry_run)
        r = tuning_store(&t.result, &report);
    if (r == DAIN_OK && !o->dry_run && tuning_path(path))
        printf("kept in %s\n", path);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

#define AT(member) offsetof(TuneOptions, member)

static const Option options[] = {
    { 'm', "model", OPTION_MODEL, AT(common.model), "FILE",
      "measure with this model [the installed one, or $DAIN_MODEL]", 0, 0 },
    { 0, "seconds", OPTION_REAL, AT(seconds), "S", "begin nothing new after so many seconds [40]",
      1, 3600 },
    { 'n', "dry-run", OPTION_FLAG, AT(dry_run), NULL, "measure, keep nothing", 0, 0 },
    { 'q', "quiet", OPTION_FLAG, AT(common.quiet), NULL, "no warnings, only errors", 0, 0 },
    { 'v', "verbose", OPTION_COUNT_UP, AT(common.verbose), NULL, "say more", 0, 0 },
};

static const TuneOptions defaults = { .seconds = 40 };

const Command command_tune = {
    "tune",
    "measure this machine, for later runs to be as fast as it can be",
    "[options]",
    "Tries, in less than a minute, how many threads, how many rows of a large picture at a time, "
    "which precision and how many frames waiting for the encoder are fastest here, and keeps it in "
    "$XDG_CACHE_HOME/dain (or ~/.cache/dain) for this processor and version. Later runs use it "
    "where nothing else is asked for; --no-tune ignores it. Pictures stay the same to the bit: the "
    "fastest precision is used only with --precision fastest.\n\nIt is best run while the machine "
    "has nothing else to do.",
    options,
    OPTION_COUNT(options),
    sizeof(TuneOptions),
    &defaults,
    run,
};
