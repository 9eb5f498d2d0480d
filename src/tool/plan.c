/* dain --dry-run: opens what it would open, measures for a moment, prints what it would do. */
#include "tool/plan.h"

#include "base/mem.h"
#include "media/forecast.h"
#include "media/outfile.h"
#include "media/picture_out.h"
#include "tool/common.h"
#include "tool/events.h"
#include "tool/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- measurement ---- */

/* Multiply-adds that the measurement may take, about; larger pictures are measured smaller. */
#define MEASURED_MACS 60e9

typedef struct Speed {
    double pair,
        time; /* seconds: the first new frame of a pair with its source frame, each other */
    char network[160]; /* for people */
    double macs;       /* a pixel */
    size_t bytes;      /* of memory that the network takes, 0 unknown */
} Speed;

/* Waves that move to the right: real motion, so that nothing is skipped. */
static void draw(uint8_t *rgb, int width, int height, int n)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, rgb += 3) {
            const int wave = (x - 3 * n) * 5 + y * 3;
            rgb[0] = (uint8_t)(wave & 0xff);
            rgb[1] = (uint8_t)((wave >> 2) & 0xff);
            rgb[2] = (uint8_t)(128 + ((x ^ y) & 31));
        }
}

static DainImage image_of(uint8_t *rgb, int width, int height)
{
    DainImage image = { .width = width, .height = height, .sample = DAIN_SAMPLE_U8, .step = 3 };
    for (int i = 0; i < 3; i++) {
        image.plane[i] = rgb + i;
        image.stride[i] = 3 * (ptrdiff_t)width;
    }
    return image;
}

/* Three frames and three new ones; the first pair warms up. */
static int time_frames(Backend *engine, uint8_t *in, uint8_t *out, int width, int height,
                       Speed *speed)
{
    const DainImage from = image_of(in, width, height), to = image_of(out, width, height);
    int r = DAIN_OK;
    for (int n = 0; n < 3 && r == DAIN_OK; n++) {
        draw(in, width, height, n);
        const double start = seconds_now();
        r = backend_push(engine, &from);
        if (n > 0 && r == DAIN_OK)
            r = backend_interpolate(engine, 1, 2, &to);
        speed->pair = seconds_now() - start;
    }
    const double start = seconds_now();
    if (r == DAIN_OK)
        r = backend_interpolate(engine, 1, 4, &to);
    speed->time = seconds_now() - start;
    return r;
}

/* What our own engine says of itself with a frame of the size in it. */
static int ask_engine(const CommonOptions *common, uint8_t *rgb, int width, int height,
                      Speed *speed, Report *report)
{
    DainInfo info;
    DainContext *engine = engine_open(common);
    if (!engine)
        return DAIN_EIO;
    const DainImage image = image_of(rgb, width, height);
    int r = dain_push(engine, &image);
    if (r == DAIN_OK)
        r = dain_info(engine, &info);
    if (r == DAIN_OK) {
        snprintf(speed->network, sizeof speed->network, "%s, %s, %d thread%s, %s", info.network,
                 info.precision, info.threads, plural(info.threads), info.model);
        speed->bytes =
            info.arena_bytes + (size_t)info.frames * info.frame_bytes + info.weight_bytes;
        speed->macs = info.macs_per_pixel;
    } else if (r != DAIN_ECANCELED) {
        report_error(report, r, "%s", dain_last_error(engine));
    }
    dain_close(&engine);
    return r;
}

/* The size that a measurement of not more than MEASURED_MACS has. */
static double shrink_for(double macs)
{
    return macs > MEASURED_MACS ? sqrt(MEASURED_MACS / macs) : 1;
}

static int measure(Backend *engine, const CommonOptions *common, int width, int height,
                   Speed *speed, Report *report)
{
    const size_t bytes = 3 * (size_t)width * (size_t)height;
    uint8_t *const rgb = mem_calloc(2, bytes);
    if (!rgb)
        return report_error(report, DAIN_ENOMEM, "out of memory");
    snprintf(speed->network, sizeof speed->network, "%s", engine->methods->name);
    speed->macs = 30e3; /* of the network edge, for those that do not tell */
    int r = common ? ask_engine(common, rgb, width, height, speed, report) : DAIN_OK;
    const double shrink = shrink_for(speed->macs * width * height);
    const int w = shrink < 1 ? 64 + (int)(shrink * (width - 64)) : width,
              h = shrink < 1 ? 64 + (int)(shrink * (height - 64)) : height;
    if (r == DAIN_OK) {
        r = time_frames(engine, rgb, rgb + bytes, w, h, speed);
        if (r < 0 && r != DAIN_ECANCELED)
            report_error(report, r, "%s", backend_last_error(engine));
    }
    const double scale = (double)width * height / ((double)w * h);
    speed->pair *= scale;
    speed->time *= scale;
    backend_reset(engine);
    mem_free(rgb);
    return r;
}

/* ---- the text ---- */

static const char *rate_text(Ratio rate, char *buf, size_t size)
{
    if (!rate.num)
        snprintf(buf, size, "variable rate");
    else
        snprintf(buf, size, rate.den == 1 ? "%.0f fps" : "%.3f fps", ratio_double(rate));
    return buf;
}

static void print_length(int64_t frames, double seconds)
{
    char time[24];
    if (frames)
        printf("%" PRId64 " frames", frames);
    else
        printf("unknown number of frames");
    if (seconds > 0)
        printf(" (%s)", duration_text(seconds, time, sizeof time));
}

static void print_streams(const Forecast *f)
{
    static const char *const fate[] = { "new frames", "copied", "becomes ", "left out" };
    for (int i = 0; i < f->streams; i++) {
        const ForecastStream *const s = &f->stream[i];
        printf("  %-10s%d %s %s: %s%s\n", i ? "" : "streams", s->index, s->kind, s->codec,
               fate[s->fate], s->fate == STREAM_RECODED ? s->becomes : "");
    }
}

static double mib(size_t bytes)
{
    return (double)bytes / 1048576;
}

/* Seconds of work in the network, < 0 if the number of frames is unknown. */
static double estimate(const Forecast *f, const Speed *v)
{
    if (!f->frames_in)
        return -1;
    return (double)f->pairs * v->pair + (double)(f->made - f->pairs) * v->time;
}

static void print_text(const PipelineSettings *s, const Forecast *f, const Speed *v)
{
    const PipelineStart *const w = &f->start;
    const double seconds = estimate(f, v);
    char rate[48], time[24];
    printf("%s\n  %-10s%dx%d, %s, ", s->input, "video", w->width, w->height,
           rate_text(w->rate_in, rate, sizeof rate));
    print_length(f->frames_in, f->seconds_in);
    printf(", %s, %s\n", w->decoder, w->format_in);
    print_streams(f);
    printf("%s\n  %-10s%s, ", s->output.path, "video", rate_text(w->rate_out, rate, sizeof rate));
    print_length(f->frames_out,
                 w->rate_out.num ? (double)f->frames_out / ratio_double(w->rate_out) : 0);
    printf(", %s, %s, in %s\n", w->encoder, w->format_out, f->container);
    if (f->frames_in)
        printf("  %-10s%" PRId64 " new, %" PRId64 " as in the source (more at scene cuts)\n",
               "frames", f->made, f->frames_out - f->made);
    if (!s->output.overwrite && access(s->output.path, F_OK) == 0 &&
        !outfile_is_direct(s->output.path))
        printf("  %-10sthis file exists; -y replaces it\n", "note");
    printf("work\n  %-10s%s\n", "network", v->network);
    if (v->bytes)
        printf("  %-10sabout %.0f MiB: %.0f for the network, %.0f for frames under way; decoder "
               "and encoder not counted\n",
               "memory", mib(v->bytes + f->frame_bytes), mib(v->bytes), mib(f->frame_bytes));
    if (seconds > 0)
        printf("  %-10sabout %s (%.3gx real time) if decoder and encoder keep up\n", "time",
               duration_text(seconds, time, sizeof time), f->seconds_in / seconds);
    else if (seconds == 0)
        printf("  %-10snothing for the network to do; decoder and encoder set the pace\n", "time");
    printf("  %-10s%.3g new frames a second of the network, measured just now\n", "speed",
           1 / v->pair);
    printf("nothing was written\n");
}

/* Whether the folder of a file can be written to. */
static int check_folder(const char *path, Report *report)
{
    if (!strcmp(path, "-") || strstr(path, "://") || outfile_is_direct(path))
        return DAIN_OK;
    const char *const slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    if (slash && (size_t)(slash - path) < sizeof folder - 1)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    if (access(folder, W_OK) == 0)
        return DAIN_OK;
    if (errno == ENOENT && picture_out_wanted(path)) /* a folder for pictures would be made */
        return DAIN_OK;
    return report_error(report, DAIN_EIO, "cannot write to %s: %s", folder, strerror(errno));
}

int plan_print(const PipelineSettings *settings, const CommonOptions *common, bool json)
{
    Forecast *const f = mem_calloc(1, sizeof *f);
    Speed speed = { 0 };
    if (!f)
        return report_error(settings->report, DAIN_ENOMEM, "out of memory");
    int r = check_folder(settings->output.path, settings->report);
    if (r == DAIN_OK)
        r = pipeline_forecast(settings, f);
    if (r == DAIN_OK)
        r = measure(settings->engine, common, f->start.width, f->start.height, &speed,
                    settings->report);
    if (r == DAIN_OK && json)
        events_plan(settings->input, settings->output.path, f, speed.bytes + f->frame_bytes,
                    estimate(f, &speed));
    else if (r == DAIN_OK)
        print_text(settings, f, &speed);
    mem_free(f);
    return r;
}
