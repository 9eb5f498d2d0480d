/* The public engine: frames in, the picture at time t out. What belongs to a frame or to a pair is computed
 * once and kept (docs/architecture.md, "Three rates"). */
#include "dain/dain.h"

#include "base/cpu.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "model/model.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { MIN_SIDE = 16, MAX_SIDE = 16384, MAX_THREADS = 64 };

struct DainContext {
    Report report;
    Model *model;
    Pool *pool;
    Kernels kernels;
    char cpu[64];
    double macs_per_pixel;

    Network network;
    unsigned char *arena, *frame[2], *pair; /* frame[0] is the older */
    float *scratch;
    int width, height; /* of the frames, 0 = none yet */
    int frames;        /* pushed and kept: 0, 1, 2 */
    bool pair_ready;   /* flows between the two frames are in `pair` */
    atomic_bool cancel;
};

static _Thread_local char open_error[sizeof((Report *)0)->error];

const char *dain_open_error(void)
{
    return open_error;
}

void dain_settings_default(DainSettings *settings)
{
    memset(settings, 0, sizeof *settings);
}

/* ---- open and close ---- */

static void release_size(DainContext *c)
{
    network_free(&c->network);
    mem_free(c->arena);
    mem_free(c->frame[0]);
    mem_free(c->frame[1]);
    mem_free(c->pair);
    mem_free(c->scratch);
    c->arena = c->frame[0] = c->frame[1] = c->pair = NULL;
    c->scratch = NULL;
    c->width = c->height = c->frames = 0;
    c->pair_ready = false;
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

static int open_parts(DainContext *c, const DainSettings *s)
{
    const int threads = s->threads ? s->threads : cpu_count();
    if (threads < 1 || s->threads > MAX_THREADS)
        return report_error(&c->report, DAIN_EINVAL, "%d threads; 1 to %d are possible", s->threads,
                            MAX_THREADS);
    if (s->precision != DAIN_PRECISION_AUTO && s->precision != DAIN_PRECISION_F32)
        return report_error(&c->report, DAIN_EINVAL, "unknown precision %d", (int)s->precision);
    const char *path = s->model ? s->model : dain_default_model();
    if (!path)
        return report_error(&c->report, DAIN_EIO,
                            "no model found: none is installed and $DAIN_MODEL is not set");
    const unsigned flags = cpu_flags();
    kernels_init(&c->kernels, flags);
    cpu_flags_name(flags, c->cpu, sizeof c->cpu);
    const int error = model_open(&c->model, path, &c->report);
    if (error)
        return error;
    c->macs_per_pixel = model_macs_per_pixel(c->model);
    c->pool = pool_create(threads < MAX_THREADS ? threads : MAX_THREADS);
    if (!c->pool)
        return report_error(&c->report, DAIN_ESYSTEM, "%d threads could not be started", threads);
    return DAIN_OK;
}

int dain_open(DainContext **ctx, const DainSettings *settings)
{
    open_error[0] = 0;
    if (!ctx)
        return DAIN_EINVAL;
    *ctx = NULL;
    DainSettings defaults;
    dain_settings_default(&defaults);
    const DainSettings *s = settings ? settings : &defaults;
    DainContext *c = mem_calloc(1, sizeof *c);
    if (!c) {
        snprintf(open_error, sizeof open_error, "out of memory");
        return DAIN_ENOMEM;
    }
    c->report.log = s->log;
    c->report.opaque = s->log_opaque;
    const int error = open_parts(c, s);
    if (error) {
        snprintf(open_error, sizeof open_error, "%s", c->report.error);
        dain_close(&c);
    }
    *ctx = c;
    return error;
}

/* ---- frames ---- */

static int check_image(DainContext *c, const DainImage *p)
{
    if (p->width < MIN_SIDE || p->height < MIN_SIDE || p->width > MAX_SIDE || p->height > MAX_SIDE)
        return report_error(&c->report, DAIN_EINVAL,
                            "a picture of %d x %d; sides of %d to %d are possible", p->width,
                            p->height, MIN_SIDE, MAX_SIDE);
    const int most = p->sample == DAIN_SAMPLE_U8 ? 255 : 65535;
    if ((unsigned)p->sample > DAIN_SAMPLE_F32 || p->step < 1 || p->peak < 0 || p->peak > most)
        return report_error(&c->report, DAIN_EINVAL, "a picture of an unknown sample format");
    if (!p->plane[0] || !p->plane[1] || !p->plane[2])
        return report_error(&c->report, DAIN_EINVAL, "a picture without three colour planes");
    return DAIN_OK;
}

static ImageView image_view(const DainImage *p)
{
    ImageView v = { .step = p->step, .sample = (int)p->sample, .w = p->width, .h = p->height };
    for (int i = 0; i < 4; i++) {
        v.plane[i] = p->plane[i];
        v.stride[i] = p->stride[i];
    }
    const float peaks[] = { 255, 65535, 1 };
    v.peak = p->peak && p->sample != DAIN_SAMPLE_F32 ? (float)p->peak : peaks[p->sample];
    return v;
}

static int prepare_size(DainContext *c, int w, int h)
{
    release_size(c);
    int error = model_network(c->model, &c->network, w, h, false, &c->report);
    if (error)
        goto fail;
    c->arena = mem_alloc(c->network.arena_bytes);
    c->frame[0] = mem_alloc(c->network.frame_bytes);
    c->frame[1] = mem_alloc(c->network.frame_bytes);
    c->pair = mem_alloc(c->network.pair_bytes);
    c->scratch = mem_alloc(pool_threads(c->pool) * c->network.scratch_floats * sizeof(float));
    if (!c->arena || !c->frame[0] || !c->frame[1] || !c->pair || !c->scratch) {
        error = report_error(&c->report, DAIN_ENOMEM, "out of memory: %d x %d needs %zu MiB", w, h,
                             (c->network.arena_bytes + 2 * c->network.frame_bytes) >> 20);
        goto fail;
    }
    c->width = w;
    c->height = h;
    return DAIN_OK;
fail:
    release_size(c);
    return error;
}

/* Runs one graph; a call that was cancelled says so and clears the wish. */
static int run(DainContext *c, DainRate rate, int64_t num, int64_t den, const ImageView *input,
               const ImageView *output)
{
    const Run r = { .kernels = &c->kernels,
                    .pool = c->pool,
                    .base = { c->arena, c->frame[0], c->frame[1], c->pair },
                    .scratch = c->scratch,
                    .num = num,
                    .den = den,
                    .input = input,
                    .output = output,
                    .cancel = &c->cancel };
    const int error = network_run(&c->network, rate, &r);
    if (error == DAIN_ECANCELED) {
        atomic_store(&c->cancel, false);
        report_error(&c->report, error, "cancelled");
    }
    return error;
}

static void swap_frames(DainContext *c)
{
    unsigned char *older = c->frame[0];
    c->frame[0] = c->frame[1];
    c->frame[1] = older;
}

int dain_push(DainContext *ctx, const DainImage *frame)
{
    if (!ctx || !frame)
        return DAIN_EINVAL;
    ctx->report.error[0] = 0;
    int error = check_image(ctx, frame);
    if (error)
        return error;
    if (ctx->frames && (frame->width != ctx->width || frame->height != ctx->height))
        return report_error(&ctx->report, DAIN_EINVAL,
                            "the frame is %d x %d, the ones before it were %d x %d", frame->width,
                            frame->height, ctx->width, ctx->height);
    if (frame->width != ctx->width || frame->height != ctx->height) {
        error = prepare_size(ctx, frame->width, frame->height);
        if (error)
            return error;
    }
    /* The frame graph writes to the place of the older frame, which then becomes the newer. If it
     * is cancelled half-way, the older frame is lost and only the newer one is kept. */
    ctx->pair_ready = false;
    const ImageView view = image_view(frame);
    error = run(ctx, DAIN_RATE_FRAME, 0, 1, &view, NULL);
    if (error) {
        ctx->frames = ctx->frames > 0;
        return error;
    }
    swap_frames(ctx);
    ctx->frames = ctx->frames ? 2 : 1;
    return DAIN_OK;
}

void dain_reset(DainContext *ctx)
{
    if (!ctx)
        return;
    ctx->frames = 0;
    ctx->pair_ready = false;
}

/* t = 0 and t = 1: the frame as it was pushed. */
static void store_frame(DainContext *c, int which, const ImageView *out)
{
    const Graph *g = &c->network.graph[DAIN_RATE_TIME];
    const Run r = { .base = { c->arena, c->frame[0], c->frame[1], c->pair } };
    const Scope scope = which ? SCOPE_FRAME1 : SCOPE_FRAME0;
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].scope == scope && !strcmp(g->tensors[i].name, "img")) {
            const View v = graph_view(g, i, &r);
            c->kernels.image_store_f32(out, &v, 0, out->h);
            return;
        }
}

int dain_interpolate(DainContext *ctx, int64_t num, int64_t den, const DainImage *out)
{
    if (!ctx || !out)
        return DAIN_EINVAL;
    ctx->report.error[0] = 0;
    if (ctx->frames < 2)
        return report_error(&ctx->report, DAIN_ESTATE, "two frames are needed first, %d given",
                            ctx->frames);
    int error = check_image(ctx, out);
    if (error)
        return error;
    if (out->width != ctx->width || out->height != ctx->height)
        return report_error(&ctx->report, DAIN_EINVAL,
                            "the output is %d x %d, the frames are %d x %d", out->width,
                            out->height, ctx->width, ctx->height);
    if (den <= 0 || num < 0 || num > den)
        return report_error(&ctx->report, DAIN_EINVAL, "the time %lld/%lld is not between 0 and 1",
                            (long long)num, (long long)den);
    const ImageView view = image_view(out);
    if (num == 0 || num == den) {
        store_frame(ctx, num != 0, &view);
        return DAIN_OK;
    }
    if (!ctx->pair_ready) {
        error = run(ctx, DAIN_RATE_PAIR, 0, 1, NULL, NULL);
        if (error)
            return error;
        ctx->pair_ready = true;
    }
    return run(ctx, DAIN_RATE_TIME, num, den, NULL, &view);
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

/* ---- information ---- */

int dain_info(const DainContext *ctx, DainInfo *info)
{
    if (!ctx || !info)
        return DAIN_EINVAL;
    *info = (DainInfo){ .model = ctx->model->path,
                        .network = ctx->model->kind->name,
                        .precision = "f32",
                        .cpu = ctx->cpu,
                        .threads = pool_threads(ctx->pool),
                        .parameters = ctx->model->params.elements,
                        .macs_per_pixel = ctx->macs_per_pixel,
                        .width = ctx->width,
                        .height = ctx->height,
                        .arena_bytes = ctx->network.arena_bytes,
                        .weight_bytes = ctx->model->params.bytes,
                        .frame_bytes = ctx->network.frame_bytes };
    return DAIN_OK;
}

int dain_stage_count(const DainContext *ctx)
{
    int n = 0;
    for (int r = 0; ctx && r < 3; r++)
        n += ctx->network.graph[r].op_count;
    return n;
}

int dain_stage(const DainContext *ctx, int index, DainStage *stage)
{
    if (!ctx || !stage || index < 0)
        return DAIN_EINVAL;
    for (int r = 0; r < 3; r++) {
        const Graph *g = &ctx->network.graph[r];
        if (index < g->op_count) {
            const Op *op = &g->ops[index];
            *stage = (DainStage){ .name = op->name,
                                  .rate = g->rate,
                                  .runs = op->runs,
                                  .seconds = op->seconds,
                                  .macs = op_macs(g, op) };
            return DAIN_OK;
        }
        index -= g->op_count;
    }
    return DAIN_EINVAL;
}

void dain_stages_reset(DainContext *ctx)
{
    for (int r = 0; ctx && r < 3; r++)
        for (int i = 0; i < ctx->network.graph[r].op_count; i++) {
            ctx->network.graph[r].ops[i].runs = 0;
            ctx->network.graph[r].ops[i].seconds = 0;
        }
}
