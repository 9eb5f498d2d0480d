/* What the library says of itself: version, error texts, the default model; an open engine and where its time
 * goes. */
#include "dain/dain.h"

#include "engine/beside.h"
#include "engine/context.h"
#include "engine/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT(x) #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *dain_version(void)
{
    return VERSION(DAIN_VERSION_MAJOR, DAIN_VERSION_MINOR, DAIN_VERSION_PATCH);
}

const char *dain_strerror(int error)
{
    switch (error) {
    case DAIN_OK:
        return "success";
    case DAIN_EINVAL:
        return "invalid argument";
    case DAIN_ENOMEM:
        return "out of memory";
    case DAIN_EIO:
        return "input/output error";
    case DAIN_EFORMAT:
        return "damaged or unexpected data";
    case DAIN_EUNSUPPORTED:
        return "not supported";
    case DAIN_ESTATE:
        return "call out of order";
    case DAIN_ECANCELED:
        return "cancelled";
    case DAIN_ESYSTEM:
        return "the operating system refused a resource";
    default:
        return "unknown error";
    }
}

const char *dain_default_model(void)
{
    const char *named = getenv("DAIN_MODEL");
    if (named && *named) {
        static _Thread_local char kept[4096]; /* the environment may change */
        char found[sizeof kept];
        const char *const path = models_find(named, found, sizeof found);
        snprintf(kept, sizeof kept, "%s", path ? path : named);
        return kept;
    }
    /* Installed first, so that an installed library never depends on what lies around it. */
    return access(DAIN_MODEL_INSTALLED, R_OK) == 0 ? DAIN_MODEL_INSTALLED : model_beside();
}

/* ---- of an open engine ---- */

/* Only the sentence of a context is ever written to here. */
static int refuse(const DainContext *c, const char *sentence)
{
    return c ? report_error(&((DainContext *)c)->report, DAIN_EINVAL, "%s", sentence) : DAIN_EINVAL;
}

int dain_info(const DainContext *ctx, DainInfo *info)
{
    if (!ctx || !info)
        return refuse(ctx, "an argument is NULL");
    const int views = model_views(ctx->model);
    *info = (DainInfo){ .model = ctx->model->path,
                        .network = ctx->model->kind->name,
                        .precision = ctx->model->precision,
                        .cpu = ctx->cpu,
                        .threads = pool_threads(ctx->pool),
                        .parameters = ctx->model->params.elements,
                        .macs_per_pixel = ctx->macs_per_pixel,
                        .width = ctx->width,
                        .height = ctx->height,
                        .arena_bytes = ctx->session.network.arena_bytes +
                                       session_picture_bytes(views, ctx->width, ctx->height),
                        .weight_bytes = ctx->model->params.bytes,
                        .frame_bytes = (size_t)views * ctx->session.network.frame_bytes,
                        .frames = session_frames(ctx->model) };
    return DAIN_OK;
}

int dain_stage_count(const DainContext *ctx)
{
    int n = 0;
    for (int r = 0; ctx && r < 3; r++)
        n += ctx->session.network.graph[r].op_count;
    return n;
}

int dain_stage(const DainContext *ctx, int index, DainStage *stage)
{
    if (!ctx || !stage)
        return refuse(ctx, "an argument is NULL");
    if (index < 0 || index >= dain_stage_count(ctx))
        return refuse(ctx, "there is no stage of that number");
    for (int r = 0; r < 3; r++) {
        const Graph *g = &ctx->session.network.graph[r];
        if (index < g->op_count) {
            const Op *op = &g->ops[index];
            *stage = (DainStage){
                .rate = g->rate, .runs = op->runs, .seconds = op->seconds, .macs = op_macs(g, op)
            };
            snprintf(stage->name, sizeof stage->name, "%s", op->name);
            break;
        }
        index -= g->op_count;
    }
    return DAIN_OK;
}

void dain_stages_reset(DainContext *ctx)
{
    for (int r = 0; ctx && r < 3; r++)
        for (int i = 0; i < ctx->session.network.graph[r].op_count; i++) {
            ctx->session.network.graph[r].ops[i].runs = 0;
            ctx->session.network.graph[r].ops[i].seconds = 0;
        }
}
