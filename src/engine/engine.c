/* The public engine: frames in, the picture at time t out. What belongs to a frame or to a pair is
 * computed once and kept (docs/architecture.md, "Three rates"). */
#include "dain/dain.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "base/words.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/models.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_THREADS = 64 };

static _Thread_local char open_error[sizeof((Report *)0)->error];

void engine_open_error(const char *sentence)
{
    snprintf(open_error, sizeof open_error, "%s", sentence);
}

const char *dain_open_error(void)
{
    return open_error;
}

void dain_settings_default(DainSettings *settings)
{
    memset(settings, 0, sizeof *settings);
}

/* ---- open and close ---- */

static void forget_frames(DainContext *c)
{
    c->frames = 0;
    c->pair_ready = c->before_ready = c->ahead_ready = false;
}

static void release_size(DainContext *c)
{
    session_close(&c->session);
    c->width = c->height = 0;
    forget_frames(c);
}

void dain_close(DainContext **ctx)
{
    if (!ctx || !*ctx)
        return;
    release_size(*ctx);
    pool_destroy((*ctx)->pool);
    model_close(&(*ctx)->model);
    mem_free(*ctx);
    *ctx = NULL;
}

/* No model of that name: what there is instead. */
static int unknown_model(DainContext *c, const char *name)
{
    ModelPlace *const list = mem_calloc(MODELS_MOST, sizeof *list);
    const char *names[MODELS_MOST + 1] = { NULL };
    if (!list)
        return report_error(&c->report, DAIN_ENOMEM, "%s: out of memory", name);
    const int count = models_list(list);
    char all[160] = "";
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", list[i].name);
        names[i] = list[i].name;
    }
    const char *const near = nearest_word(name, names);
    const int error =
        report_error(&c->report, DAIN_EIO,
                     "%s: there is no such file and no model of that name%s%s%s (there %s %s)",
                     name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
                     count == 1 ? "is" : "are", count ? all : "none");
    mem_free(list);
    return error;
}

static int open_parts(DainContext *c, const DainSettings *s, const bool *winograd)
{
    const int threads = s->threads ? s->threads : cpu_count();
    if (threads < 1 || s->threads > MAX_THREADS)
        return report_error(&c->report, DAIN_EINVAL, "%d threads; 1 to %d are possible", s->threads,
                            MAX_THREADS);
    if ((unsigned)s->precision > DAIN_PRECISION_INT8)
        return report_error(&c->report, DAIN_EINVAL, "unknown precision %d", (int)s->precision);
    if ((unsigned)s->padding > DAIN_PADDING_ORIGINAL)
        return report_error(&c->report, DAIN_EINVAL, "unknown padding %d", (int)s->padding);
    if ((unsigned)s->flow > DAIN_FLOW_AUTO)
        return report_error(&c->report, DAIN_EINVAL, "unknown flow resolution %d", (int)s->flow);
    for (unsigned i = 0; i < sizeof s->reserved / sizeof *s->reserved; i++)
        if (s->reserved[i])
            return report_error(
                &c->report, DAIN_EINVAL,
                "settings of another version: dain_settings_default() fills in all");
    const char *const named = s->model ? s->model : dain_default_model();
    if (!named)
        return report_error(&c->report, DAIN_EIO,
                            "no model found: none is installed and $DAIN_MODEL is not set");
    char found[1024];
    const char *const path = models_find(named, found, sizeof found);
    if (!path)
        return unknown_model(c, named);
    char ignored[160];
    if (cpu_flags_ignored(ignored, sizeof ignored))
        report_log(&c->report, DAIN_LOG_WARNING, "%s", ignored);
    const unsigned flags = cpu_flags() & kernels_flags();
    kernels_init(&c->kernels, flags);
    cpu_flags_name(flags, c->cpu, sizeof c->cpu);
    int error = model_open(&c->model, path, &c->report);
    if (!error)
        error = model_set_precision(c->model, s->precision);
    if (error)
        return error;
    c->model->params.winograd = winograd ? *winograd : c->kernels.winograd;
    c->model->pad_original = s->padding == DAIN_PADDING_ORIGINAL;
    if ((unsigned)s->tta > 1)
        return report_error(&c->report, DAIN_EINVAL, "tta is 0 or 1, not %d", s->tta);
    c->model->tta = s->tta;
    if ((unsigned)s->motion > DAIN_MOTION_CURVED)
        return report_error(&c->report, DAIN_EINVAL, "unknown motion %d", (int)s->motion);
    c->model->curved = s->motion == DAIN_MOTION_CURVED && c->model->kind->curves;
    if (s->strip_rows < 0)
        return report_error(&c->report, DAIN_EINVAL, "%d rows in a strip", s->strip_rows);
    if (s->strip_rows > 0)
        c->model->strip_large = s->strip_rows;
    error = model_macs_per_pixel(c->model, &c->macs_per_pixel, &c->report);
    if (error)
        return error;
    c->budget = (Budget){ .limit = s->memory_limit,
                          .threads = threads < MAX_THREADS ? threads : MAX_THREADS,
                          .precision = s->precision,
                          .flow = s->flow,
                          .curved = c->model->curved };
    c->pool = pool_create(c->budget.threads);
    if (!c->pool && errno == ENOMEM)
        return report_error(&c->report, DAIN_ENOMEM, "out of memory");
    return c->pool ? DAIN_OK
                   : report_error(&c->report, DAIN_ESYSTEM, "%d threads could not be started: %s",
                                  c->budget.threads, strerror(errno));
}

int dain_open(DainContext **ctx, const DainSettings *settings)
{
    return engine_open_as(ctx, settings, NULL);
}

int engine_open_as(DainContext **ctx, const DainSettings *settings, const bool *winograd)
{
    engine_open_error(ctx ? "" : "an argument is NULL");
    if (!ctx)
        return DAIN_EINVAL;
    *ctx = NULL;
    DainSettings defaults;
    dain_settings_default(&defaults);
    const DainSettings *s = settings ? settings : &defaults;
    DainContext *c = mem_calloc(1, sizeof *c);
    if (!c) {
        engine_open_error("out of memory");
        return DAIN_ENOMEM;
    }
    c->report.log = s->log;
    c->report.opaque = s->log_opaque;
    const int error = open_parts(c, s, winograd);
    if (error) {
        engine_open_error(c->report.error);
        dain_close(&c);
    }
    *ctx = c;
    return error;
}

/* ---- frames ---- */

static ImageView image_view(const DainImage *p)
{
    ImageView v = { .step = p->step,
                    .sample = (int)p->sample,
                    .w = p->width,
                    .h = p->height,
                    .peak = image_peak(p) };
    for (int i = 0; i < 4; i++) {
        v.plane[i] = p->plane[i];
        v.stride[i] = p->stride[i];
    }
    return v;
}

/* What each call begins with: the sentence of the one before goes. */
static int begin(DainContext *c, const void *argument)
{
    if (!c)
        return DAIN_EINVAL;
    c->report.error[0] = 0;
    return argument ? DAIN_OK : report_error(&c->report, DAIN_EINVAL, "an argument is NULL");
}

/* "bf16, motion at 1/2 of the resolution, strips of 8 rows, 2 bands" */
static void describe(const DainContext *c, const Need *n, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", n->precision);
    if (n->reduce > 1)
        used += (size_t)snprintf(text + used, size - used, ", motion at 1/%d of the resolution",
                                 n->reduce);
    if (c->budget.curved && !c->model->curved)
        used += (size_t)snprintf(text + used, size - used, ", linear motion");
    if (n->strip_rows)
        used += (size_t)snprintf(text + used, size - used, ", strips of %d rows", n->strip_rows);
    if (n->bands > 1)
        snprintf(text + used, size - used, ", %d bands", n->bands);
}

static int fit(DainContext *c, int w, int h, Need *need, bool say)
{
    char text[120];
    release_size(c);
    const int error = model_fit(c->model, &c->budget, w, h, need, &c->report);
    if (error || !c->budget.limit || !say)
        return error;
    describe(c, need, text, sizeof text);
    report_log(&c->report, need->reduced ? DAIN_LOG_WARNING : DAIN_LOG_INFO,
               "within %zu MiB at %dx%d: %s, %zu MiB", c->budget.limit >> 20, w, h, text,
               (need->total >> 20) + 1);
    return DAIN_OK;
}

int engine_prepare(DainContext *c, int w, int h)
{
    Need need;
    int error = fit(c, w, h, &need, true);
    if (!error) /* precision and resolution of the motion are known now */
        error = model_macs_per_pixel(c->model, &c->macs_per_pixel, &c->report);
    if (!error)
        error = session_open(&c->session, c->model, &c->kernels, c->pool, w, h, false, &c->report);
    if (error)
        return error;
    c->width = w;
    c->height = h;
    return DAIN_OK;
}

/* A call that was cancelled says so; one that failed, whatever for, takes the wish with it. */
static int finish(DainContext *c, int error)
{
    if (error == DAIN_ECANCELED)
        report_error(&c->report, error, "cancelled");
    if (error && c)
        atomic_store(&c->cancel, false);
    return error;
}

static int prepare_pair(DainContext *ctx)
{
    if (ctx->pair_ready)
        return DAIN_OK;
    const int error = session_pair(&ctx->session, &ctx->cancel);
    ctx->pair_ready = !error;
    return error;
}

/* Before a frame is pushed: the pair at hand becomes the one before. */
static int keep_pair(DainContext *ctx)
{
    int error = DAIN_OK;
    ctx->ahead_ready = ctx->before_ready = false;
    if (ctx->model->curved && ctx->frames == 2) {
        error = prepare_pair(ctx);
        if (!error)
            session_keep_pair(&ctx->session);
        ctx->before_ready = !error;
    }
    ctx->pair_ready = false;
    return error;
}

int dain_push(DainContext *ctx, const DainImage *frame)
{
    return dain_push_guided(ctx, frame, NULL);
}

int dain_push_guided(DainContext *ctx, const DainImage *frame, const DainImage *guide)
{
    int error = begin(ctx, frame);
    if (!error)
        error = image_check_frame(frame, guide, ctx->frames, ctx->width, ctx->height, &ctx->report);
    if (!error && (frame->width != ctx->width || frame->height != ctx->height))
        error = engine_prepare(ctx, frame->width, frame->height);
    if (error)
        return finish(ctx, error);
    error = keep_pair(ctx);
    if (error) { /* as below: what is left does not depend on when it was cancelled */
        ctx->frames = 1;
        return finish(ctx, error);
    }
    const ImageView view = image_view(frame), guide_view = image_view(guide ? guide : frame);
    error = finish(
        ctx, session_frame_guided(&ctx->session, &view, guide ? &guide_view : &view, &ctx->cancel));
    if (error) { /* half a frame was written over the older one */
        ctx->frames = ctx->frames > 0;
        ctx->before_ready = false;
        return error;
    }
    ctx->frames = ctx->frames ? 2 : 1;
    return DAIN_OK;
}

bool engine_curved(const DainContext *c)
{
    return c->model->curved;
}

int dain_push_ahead(DainContext *ctx, const DainImage *frame, const DainImage *guide, double before,
                    double after)
{
    int error = begin(ctx, frame);
    if (!error && ctx->frames < 2)
        error = report_error(&ctx->report, DAIN_ESTATE, "a frame ahead needs a pair before it");
    if (!error && !(before >= 1e-6 && before <= 1e6 && after >= 1e-6 && after <= 1e6))
        error =
            report_error(&ctx->report, DAIN_EINVAL,
                         "the neighbours of a pair last %g and %g times as long", before, after);
    if (!error)
        error = image_check_frame(frame, guide, ctx->frames, ctx->width, ctx->height, &ctx->report);
    if (!error && atomic_load(&ctx->cancel))
        error = DAIN_ECANCELED;
    if (error || !ctx->model->curved)
        return finish(ctx, error);
    ctx->ahead_ready = false;
    error = prepare_pair(ctx);
    const ImageView view = image_view(frame), guide_view = image_view(guide ? guide : frame);
    if (!error)
        error = session_ahead(&ctx->session, &view, guide ? &guide_view : &view, &ctx->cancel);
    if (error)
        return finish(ctx, error);
    ctx->ahead_ready = true;
    ctx->before = (float)before;
    ctx->after = (float)after;
    return DAIN_OK;
}

int dain_advance(DainContext *ctx)
{
    int error = begin(ctx, ctx);
    if (!error && !ctx->ahead_ready)
        error = report_error(&ctx->report, DAIN_ESTATE, "no frame has been shown ahead");
    if (!error && atomic_load(&ctx->cancel))
        error = DAIN_ECANCELED;
    if (error)
        return finish(ctx, error);
    session_advance(&ctx->session);
    ctx->ahead_ready = false;
    ctx->before_ready = true;
    return DAIN_OK;
}

void dain_reset(DainContext *ctx)
{
    if (!ctx)
        return;
    forget_frames(ctx);
    atomic_store(&ctx->cancel, false);
}

int dain_interpolate(DainContext *ctx, int64_t num, int64_t den, const DainImage *out)
{
    int error = begin(ctx, out);
    if (!error)
        error =
            image_check_output(out, num, den, ctx->frames, ctx->width, ctx->height, &ctx->report);
    if (!error && atomic_load(&ctx->cancel))
        error = DAIN_ECANCELED;
    if (error)
        return finish(ctx, error);
    const ImageView view = image_view(out);
    if (num == 0 || num == den) {
        session_store_frame(&ctx->session, num ? SCOPE_FRAME1 : SCOPE_FRAME0, &view);
        return DAIN_OK;
    }
    error = prepare_pair(ctx);
    if (error)
        return finish(ctx, error);
    const bool curved = ctx->before_ready && ctx->ahead_ready;
    ctx->session.before = curved ? ctx->before : 0;
    ctx->session.after = curved ? ctx->after : 0;
    return finish(ctx, session_time(&ctx->session, num, den, &view, &ctx->cancel));
}

void dain_cancel(DainContext *ctx)
{
    if (ctx)
        atomic_store(&ctx->cancel, true);
}

const char *dain_last_error(const DainContext *ctx)
{
    return ctx ? ctx->report.error : "";
}

/* ---- memory ---- */

static int begin_empty(DainContext *c, const void *argument)
{
    const int error = begin(c, argument);
    return !error && c->frames
               ? report_error(&c->report, DAIN_ESTATE, "frames have been pushed already")
               : error;
}

int dain_set_memory_limit(DainContext *ctx, size_t bytes)
{
    const int error = begin_empty(ctx, ctx);
    if (error)
        return error;
    release_size(ctx);
    ctx->budget.limit = bytes;
    return DAIN_OK;
}

int dain_plan(DainContext *ctx, int width, int height, DainPlan *plan)
{
    int error = begin_empty(ctx, plan);
    if (!error)
        error = image_check_size(width, height, &ctx->report);
    if (error)
        return error;
    Need need = { .precision = ctx->model->precision };
    error = fit(ctx, width, height, &need, false);
    if (!error)
        error = model_macs_per_pixel(ctx->model, &ctx->macs_per_pixel, &ctx->report);
    *plan = (DainPlan){ .width = width,
                        .height = height,
                        .precision = need.precision,
                        .flow_divisor = need.reduce,
                        .strip_rows = need.strip_rows,
                        .bands = need.bands,
                        .arena_bytes = need.arena,
                        .scratch_bytes = need.scratch,
                        .weight_bytes = need.weights,
                        .frame_bytes = need.frame,
                        .pair_bytes = need.pair,
                        .total_bytes = need.total,
                        .frames = need.frames,
                        .pairs = need.pairs };
    return error;
}
