/* A model at one picture size, with the memory it works in. */
#include "model/session.h"

#include "base/mem.h"

#include <string.h>

/* ---- open and close ---- */

size_t session_picture_bytes(int views, int w, int h)
{
    return views > 1 ? (size_t)w * (size_t)h * 4 * sizeof(float) * (size_t)views : 0;
}

int session_frames(const Model *m)
{
    return m->curved ? 3 : 2;
}

int session_pairs(const Model *m)
{
    return m->curved ? 3 : 1;
}

void session_close(Session *s)
{
    network_free(&s->network);
    for (int v = 0; v < MODEL_VIEWS_MOST; v++) {
        for (int i = 0; i < SCOPE_COUNT; i++)
            if (!v || i != SCOPE_TEMP)
                mem_free(s->base[v][i]);
        mem_free(s->ahead[v]);
    }
    mem_free(s->pictures);
    mem_free(s->scratch);
    memset(s, 0, sizeof *s);
}

/* NULL for no bytes. Adds to *sum; clears *all if memory is missing. */
static void *part(size_t bytes, size_t *sum, bool *all)
{
    void *const p = bytes ? mem_alloc(bytes) : NULL;
    *sum += bytes;
    *all &= p || !bytes;
    return p;
}

/* False if memory is missing; *sum is what is needed. */
static bool allocate(Session *s, bool curved, int w, int h, size_t *sum)
{
    const Network *const n = &s->network;
    const size_t beside = curved ? n->pair_bytes : 0;
    const size_t bytes[SCOPE_COUNT] = { n->arena_bytes, n->frame_bytes, n->frame_bytes,
                                        n->pair_bytes,  beside,         beside };
    bool all = true;
    for (int v = 0; v < s->views; v++) {
        for (int i = 0; i < SCOPE_COUNT; i++)
            s->base[v][i] = v && i == SCOPE_TEMP ? s->base[0][i] : part(bytes[i], sum, &all);
        s->ahead[v] = part(curved ? n->frame_bytes : 0, sum, &all);
    }
    s->pictures = part(session_picture_bytes(s->views, w, h), sum, &all);
    s->scratch = part(pool_threads(s->pool) * n->scratch_floats * sizeof(float), sum, &all);
    return all;
}

int session_open(Session *s, Model *model, const Kernels *kernels, Pool *pool, int w, int h,
                 bool keep_all, Report *report)
{
    memset(s, 0, sizeof *s);
    s->kernels = kernels;
    s->pool = pool;
    s->views = model_views(model);
    size_t sum = 0;
    int error = model_network(model, &s->network, w, h, keep_all, report);
    if (!error && !allocate(s, model->curved, w, h, &sum))
        error = report_error(report, DAIN_ENOMEM, "out of memory: pictures of %d x %d need %zu MiB",
                             w, h, (sum >> 20) + 1);
    if (error)
        session_close(s);
    return error;
}

/* ---- views ---- */

/* The picture turned by 180 degrees, without moving a sample. */
static ImageView turned(const ImageView *p)
{
    static const int bytes[] = { 1, 2, 4 };
    ImageView v = *p;
    v.step = -p->step;
    for (int i = 0; i < 4; i++) {
        if (!p->plane[i])
            continue;
        v.plane[i] = (unsigned char *)p->plane[i] + (p->h - 1) * p->stride[i] +
                     (ptrdiff_t)(p->w - 1) * p->step * bytes[p->sample];
        v.stride[i] = -p->stride[i];
    }
    return v;
}

static ImageView as_seen(int view, const ImageView *p)
{
    return view ? turned(p) : *p;
}

static Run run_of(const Session *s, int view, atomic_bool *cancel)
{
    Run r = { .kernels = s->kernels,
              .pool = s->pool,
              .scratch = s->scratch,
              .den = 1,
              .before = s->before,
              .after = s->after,
              .cancel = cancel };
    memcpy(r.base, s->base[view], sizeof r.base);
    return r;
}

/* ---- frames ---- */

static void swap(unsigned char **a, unsigned char **b)
{
    unsigned char *const c = *a;
    *a = *b;
    *b = c;
}

int session_frame(Session *s, const ImageView *picture, atomic_bool *cancel)
{
    return session_frame_guided(s, picture, picture, cancel);
}

/* base: where the frame is kept. */
static int view_frame(Session *s, int view, unsigned char *base, const ImageView *picture,
                      const ImageView *guide, atomic_bool *cancel)
{
    const ImageView seen = as_seen(view, picture), guiding = as_seen(view, guide);
    Run r = run_of(s, view, cancel);
    r.base[SCOPE_FRAME0] = base;
    r.input = &guiding;
    const int error = network_run(&s->network, DAIN_RATE_FRAME, &r);
    if (error || guide == picture)
        return error;
    r.input = &seen;
    return network_reload(&s->network, &r);
}

int session_frame_guided(Session *s, const ImageView *picture, const ImageView *guide,
                         atomic_bool *cancel)
{
    for (int v = 0; v < s->views; v++) {
        const int error = view_frame(s, v, s->base[v][SCOPE_FRAME0], picture, guide, cancel);
        if (error)
            return error;
    }
    for (int v = 0; v < s->views; v++) /* the frame graph wrote over the older one */
        swap(&s->base[v][SCOPE_FRAME0], &s->base[v][SCOPE_FRAME1]);
    return DAIN_OK;
}

int session_pair(Session *s, atomic_bool *cancel)
{
    int error = DAIN_OK;
    for (int v = 0; v < s->views && !error; v++) {
        const Run r = run_of(s, v, cancel);
        error = network_run(&s->network, DAIN_RATE_PAIR, &r);
    }
    return error;
}

/* ---- the frames around the pair ---- */

void session_keep_pair(Session *s)
{
    for (int v = 0; v < s->views; v++)
        swap(&s->base[v][SCOPE_PAIR], &s->base[v][SCOPE_BEFORE]);
}

int session_ahead(Session *s, const ImageView *picture, const ImageView *guide, atomic_bool *cancel)
{
    int error = DAIN_OK;
    for (int v = 0; v < s->views && !error; v++) {
        error = view_frame(s, v, s->ahead[v], picture, guide, cancel);
        Run r = run_of(s, v, cancel);
        r.base[SCOPE_FRAME0] = r.base[SCOPE_FRAME1];
        r.base[SCOPE_FRAME1] = s->ahead[v];
        r.base[SCOPE_PAIR] = r.base[SCOPE_AFTER];
        if (!error)
            error = network_run(&s->network, DAIN_RATE_PAIR, &r);
    }
    return error;
}

void session_advance(Session *s)
{
    session_keep_pair(s);
    for (int v = 0; v < s->views; v++) {
        swap(&s->base[v][SCOPE_PAIR], &s->base[v][SCOPE_AFTER]);
        swap(&s->base[v][SCOPE_FRAME0], &s->base[v][SCOPE_FRAME1]);
        swap(&s->base[v][SCOPE_FRAME1], &s->ahead[v]);
    }
}

View session_view(const Session *s, DainRate rate, int tensor)
{
    const Run r = run_of(s, 0, NULL);
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

/* ---- new pictures ---- */

static float *picture_of(const Session *s, int view, int w, int h)
{
    return s->pictures + (size_t)view * (size_t)w * (size_t)h * 4;
}

/* Our own picture of what a view gives: four floats a pixel, turned back. */
static ImageView own_picture(const Session *s, int view, int w, int h)
{
    ImageView v = { .step = 4, .sample = 2, .peak = 1, .w = w, .h = h };
    for (int c = 0; c < 4; c++) {
        v.plane[c] = picture_of(s, view, w, h) + c;
        v.stride[c] = (ptrdiff_t)w * 4 * (ptrdiff_t)sizeof(float);
    }
    return as_seen(view, &v);
}

typedef struct Mean {
    const Session *session;
    const ImageView *out;
} Mean;

static void mean_row(void *arg, int y, int worker)
{
    const Mean *const m = arg;
    const int w = m->out->w, h = m->out->h;
    const View x = { picture_of(m->session, 0, w, h), (ptrdiff_t)w * 4, 4, w, h, 4 };
    float *const a = view_at(&x, y, 0);
    const float *const b = picture_of(m->session, 1, w, h) + (a - x.data);
    (void)worker;
    for (int i = 0; i < 4 * w; i++)
        a[i] = 0.5f * (a[i] + b[i]);
    m->session->kernels->image_store_f32(m->out, &x, y, y + 1);
}

int session_time(Session *s, int64_t num, int64_t den, const ImageView *out, atomic_bool *cancel)
{
    for (int v = 0; v < s->views; v++) {
        const ImageView own = s->views > 1 ? own_picture(s, v, out->w, out->h) : *out;
        Run r = run_of(s, v, cancel);
        r.num = num;
        r.den = den;
        r.output = &own;
        const int error = network_run(&s->network, DAIN_RATE_TIME, &r);
        if (error)
            return error;
    }
    if (s->views > 1)
        pool_run(s->pool, mean_row, &(Mean){ s, out }, out->h);
    return DAIN_OK;
}
