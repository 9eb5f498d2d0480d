/* --mem-limit for a video: tries what costs little first. */
#include "tool/limit.h"

#include "media/memory.h"

#include <limits.h>
#include <string.h>

/* Frames that the encoder may look ahead. */
static const int looks[] = { 20, 10, 5, 1 };
enum { LOOKS = sizeof looks / sizeof *looks };

typedef struct Trial {
    bool save_memory;
    int lookahead; /* 0 = the encoder's own */
    MediaNeed media;
    DainPlan plan;
} Trial;

static size_t mib(size_t bytes)
{
    return (bytes >> 20) + 1;
}

static size_t media_bytes(const Trial *t)
{
    return t->media.program + t->media.frames + t->media.encoder;
}

/* Whether the network fits into what the rest leaves. */
static int attempt(DainContext *engine, size_t limit, const AVFrame *first,
                   const EncoderSettings *encoder, bool curved, int more, Trial *t)
{
    EncoderSettings e = *encoder;
    e.lookahead = t->lookahead;
    t->media = media_need(first, &e, t->save_memory, curved, more);
    const size_t rest = limit > media_bytes(t) ? limit - media_bytes(t) : 1;
    int r = dain_set_memory_limit(engine, rest);
    if (r == DAIN_OK)
        r = dain_plan(engine, first->width, first->height, &t->plan);
    return r;
}

/* What a plan loses: the path of the motion, precision, then resolution of the motion. */
static int loss_of(const DainPlan *p)
{
    const int precision = !strcmp(p->precision, "f32") ? 0 : !strcmp(p->precision, "bf16") ? 1 : 2;
    return 6 * p->flow_divisor + 2 * precision + (p->frames < 3);
}

static void say(const Trial *t, size_t limit, Report *report)
{
    char look[80] = "";
    if (t->lookahead)
        snprintf(look, sizeof look, "; the encoder looks %d frame%s ahead", t->lookahead,
                 plural(t->lookahead));
    report_log(report, t->lookahead ? DAIN_LOG_WARNING : DAIN_LOG_INFO,
               "within %zu MiB: network %zu, program and frames %zu, encoder %zu%s%s", limit >> 20,
               mib(t->plan.total_bytes), mib(t->media.program + t->media.frames),
               mib(t->media.encoder), look, t->save_memory ? "; still things are not held" : "");
}

static int refuse(const Trial *t, size_t limit, const AVFrame *first, Report *report)
{
    return report_error(report, DAIN_ENOMEM,
                        "%zu MiB are too little for %dx%d: the network needs %zu, program and "
                        "frames %zu, the encoder %zu (--preset ultrafast needs least)",
                        limit >> 20, first->width, first->height, mib(t->plan.total_bytes),
                        mib(t->media.program + t->media.frames), mib(t->media.encoder));
}

int limit_share(DainContext *engine, size_t limit, const AVFrame *first, PipelineChoice *choice,
                bool curved, int more, Report *report)
{
    const int own = media_lookahead(choice->encoder);
    Trial t = { 0 }, fits = { 0 };
    DainPlan wished;
    int r = dain_set_memory_limit(engine, 0);
    if (r == DAIN_OK)
        r = dain_plan(engine, first->width, first->height, &wished);
    int best = INT_MAX;
    const int least = r == DAIN_OK ? loss_of(&wished) : 0;
    /* with late conversion, and without holding still things, in the second half */
    for (int i = -1; i < 2 * LOOKS && best > least && (r == DAIN_OK || r == DAIN_ENOMEM); i++) {
        const int look = i < 0 ? 0 : looks[i % LOOKS];
        if (look >= own && i >= 0 && i != LOOKS)
            continue;
        t = (Trial){ .save_memory = i >= LOOKS, .lookahead = look < own ? look : 0 };
        r = attempt(engine, limit, first, choice->encoder, curved, more, &t);
        if (r == DAIN_OK && loss_of(&t.plan) < best) {
            fits = t;
            best = loss_of(&t.plan);
        }
    }
    if (best == INT_MAX)
        return r == DAIN_ENOMEM ? refuse(&t, limit, first, report)
                                : report_error(report, r, "%s", dain_last_error(engine));
    r = attempt(engine, limit, first, choice->encoder, curved, more, &fits);
    choice->save_memory = fits.save_memory;
    choice->encoder->lookahead = fits.lookahead;
    if (fits.save_memory || (int64_t)first->width * first->height > SERIAL_PIXELS)
        choice->encoder->threads = 1; /* each holds frames */
    say(&fits, limit, report);
    return r;
}
