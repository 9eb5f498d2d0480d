/* A model at one picture size, with the memory it works in. */
#include "model/session.h"

#include "base/mem.h"

#include <string.h>

void session_close(Session *s)
{
    network_free(&s->network);
    for (int i = 0; i < SCOPE_COUNT; i++)
        mem_free(s->base[i]);
    mem_free(s->scratch);
    memset(s, 0, sizeof *s);
}

int session_open(Session *s, Model *model, const Kernels *kernels, Pool *pool, int w, int h,
                 bool keep_all, Report *report)
{
    memset(s, 0, sizeof *s);
    s->kernels = kernels;
    s->pool = pool;
    int error = model_network(model, &s->network, w, h, keep_all, report);
    const Network *n = &s->network;
    const size_t bytes[SCOPE_COUNT] = { n->arena_bytes, n->frame_bytes, n->frame_bytes,
                                        n->pair_bytes };
    size_t sum = 0;
    bool missing = false;
    for (int i = 0; i < SCOPE_COUNT && !error; i++) {
        s->base[i] = mem_alloc(bytes[i]);
        missing |= !s->base[i];
        sum += bytes[i];
    }
    if (!error) {
        s->scratch = mem_alloc(pool_threads(pool) * n->scratch_floats * sizeof(float));
        missing |= !s->scratch;
    }
    if (missing)
        error = report_error(report, DAIN_ENOMEM, "out of memory: pictures of %d x %d need %zu MiB",
                             w, h, (sum >> 20) + 1);
    if (error)
        session_close(s);
    return error;
}

static Run run_of(const Session *s, atomic_bool *cancel)
{
    Run r = {
        .kernels = s->kernels, .pool = s->pool, .scratch = s->scratch, .den = 1, .cancel = cancel
    };
    memcpy(r.base, s->base, sizeof r.base);
    return r;
}

int session_frame(Session *s, const ImageView *picture, atomic_bool *cancel)
{
    return session_frame_guided(s, picture, picture, cancel);
}

int session_frame_guided(Session *s, const ImageView *picture, const ImageView *guide,
                         atomic_bool *cancel)
{
    Run r = run_of(s, cancel);
    r.input = guide;
    int error = network_run(&s->network, DAIN_RATE_FRAME, &r);
    if (!error && guide != picture) {
        r.input = picture;
        error = network_reload(&s->network, &r);
    }
    if (error)
        return error;
    unsigned char *newer = s->base[SCOPE_FRAME0]; /* the frame graph wrote over the older one */
    s->base[SCOPE_FRAME0] = s->base[SCOPE_FRAME1];
    s->base[SCOPE_FRAME1] = newer;
    return DAIN_OK;
}

int session_pair(Session *s, atomic_bool *cancel)
{
    const Run r = run_of(s, cancel);
    return network_run(&s->network, DAIN_RATE_PAIR, &r);
}

int session_time(Session *s, int64_t num, int64_t den, const ImageView *out, atomic_bool *cancel)
{
    Run r = run_of(s, cancel);
    r.num = num;
    r.den = den;
    r.output = out;
    return network_run(&s->network, DAIN_RATE_TIME, &r);
}

View session_view(const Session *s, DainRate rate, int tensor)
{
    const Run r = run_of(s, NULL);
    return graph_view(&s->network.graph[rate], tensor, &r);
}

void session_store_frame(const Session *s, Scope frame, const ImageView *out)
{
    const Graph *g = &s->network.graph[DAIN_RATE_TIME];
    for (int i = 0; i < g->tensor_count; i++)
        if (g->tensors[i].scope == frame && !strcmp(g->tensors[i].name, "img")) {
            View v = session_view(s, DAIN_RATE_TIME, i);
            v.data = view_at(&v, s->network.pad_top, s->network.pad_left);
            s->kernels->image_store_f32(out, &v, 0, out->h);
            return;
        }
}
