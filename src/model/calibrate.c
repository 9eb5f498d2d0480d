/* Calibration: which ranges the activations of a model take on real pictures. */
#include "model/calibrate.h"

#include "base/mem.h"
#include "model/equalise.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1 << 16, CLIPS = 24 };

/* What was seen of one activation: extremes of all values, and a sample of them. */
typedef struct Seen {
    char name[64];
    float lo, hi;
    float *sample;
    int64_t values; /* so far */
    double *square; /* sum of squares of each channel */
    int channels;
    int64_t pixels;
} Seen;

struct Calibration {
    Model *model;
    const Kernels *kernels;
    Pool *pool;
    Report *report;
    Session session;
    Seen *seen;
    int count, capacity;
    uint64_t random;
    float *pixels;  /* the picture that is made on the way */
    float contrast; /* largest range of an input picture */
};

const char *range_method_name(RangeMethod method)
{
    static const char *const names[RANGE_METHODS] = { "mse", "minmax", "percentile" };
    return names[method];
}

int calibration_create(Calibration **calibration, Model *model, const Kernels *kernels, Pool *pool,
                       Report *report)
{
    Calibration *c = *calibration = mem_calloc(1, sizeof *c);
    if (!c)
        return report_error(report, DAIN_ENOMEM, "out of memory for the calibration");
    c->model = model;
    c->kernels = kernels;
    c->pool = pool;
    c->report = report;
    c->random = 88172645463325252u;
    c->capacity = model->params.count + 32;
    c->seen = mem_calloc(c->capacity, sizeof *c->seen);
    if (!c->seen)
        calibration_free(calibration);
    return *calibration ? DAIN_OK
                        : report_error(report, DAIN_ENOMEM, "out of memory for the calibration");
}

static void calibration_forget(Calibration *c)
{
    for (int i = 0; c->seen && i < c->count; i++) {
        mem_free(c->seen[i].sample);
        mem_free(c->seen[i].square);
    }
    c->count = 0;
}

void calibration_free(Calibration **calibration)
{
    Calibration *c = *calibration;
    if (!c)
        return;
    session_close(&c->session);
    calibration_forget(c);
    mem_free(c->seen);
    mem_free(c->pixels);
    mem_free(c);
    *calibration = NULL;
}

static Seen *find(Calibration *c, const char *name, int channels)
{
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->seen[i].name, name))
            return &c->seen[i];
    if (c->count == c->capacity)
        return NULL;
    Seen *s = &c->seen[c->count];
    *s = (Seen){ .lo = FLT_MAX,
                 .hi = -FLT_MAX,
                 .sample = mem_alloc(SAMPLES * sizeof(float)),
                 .square = mem_calloc(channels, sizeof(double)),
                 .channels = channels };
    strncpy(s->name, name, sizeof s->name - 1);
    c->count++; /* calibration_free() takes it from here */
    return s->sample && s->square ? s : NULL;
}

/* Reservoir sampling: every value seen so far is in the sample with the same probability. */
static void look_at(Calibration *c, Seen *s, const View *v)
{
    for (int y = 0; y < v->h; y++)
        for (int x = 0; x < v->w; x++) {
            const float *p = view_at(v, y, x);
            s->pixels++;
            for (int k = 0; k < v->c; k++) {
                s->square[k] += (double)p[k] * p[k];
                s->lo = fminf(s->lo, p[k]);
                s->hi = fmaxf(s->hi, p[k]);
                int64_t at = s->values++;
                if (at >= SAMPLES) {
                    c->random ^= c->random << 13;
                    c->random ^= c->random >> 7;
                    c->random ^= c->random << 17;
                    at = (int64_t)(c->random % (uint64_t)s->values);
                }
                if (at < SAMPLES)
                    s->sample[at] = p[k];
            }
        }
}

static int prepare(Calibration *c, const ImageView *picture)
{
    const Network *n = &c->session.network;
    if (n->w == picture->w && n->h == picture->h)
        return DAIN_OK;
    session_close(&c->session);
    mem_free(c->pixels);
    c->pixels = mem_alloc((size_t)picture->w * picture->h * 3 * sizeof(float));
    if (!c->pixels)
        return report_error(c->report, DAIN_ENOMEM, "out of memory for the calibration");
    return session_open(&c->session, c->model, c->kernels, c->pool, picture->w, picture->h, true,
                        c->report);
}

static void note_contrast(Calibration *c)
{
    const Graph *f = &c->session.network.graph[DAIN_RATE_FRAME];
    const int luma = graph_find(f, "luma");
    const View v = session_view(&c->session, DAIN_RATE_FRAME, luma);
    float lo = FLT_MAX, hi = -FLT_MAX;
    for (int y = 0; y < v.h; y++)
        for (int x = 0; x < v.w; x++) {
            lo = fminf(lo, *view_at(&v, y, x));
            hi = fmaxf(hi, *view_at(&v, y, x));
        }
    c->contrast = fmaxf(c->contrast, hi - lo);
}

int calibration_add(Calibration *c, const ImageView *first, const ImageView *second)
{
    const int w = first->w, h = first->h;
    int error = prepare(c, first);
    if (error)
        return error;
    const ptrdiff_t stride = (ptrdiff_t)w * 3 * sizeof(float);
    const ImageView out = { .plane = { c->pixels, c->pixels + 1, c->pixels + 2 },
                            .stride = { stride, stride, stride },
                            .step = 3,
                            .sample = 2,
                            .peak = 1,
                            .w = w,
                            .h = h };
    session_frame(&c->session, first, NULL);
    session_frame(&c->session, second, NULL);
    session_pair(&c->session, NULL);
    session_time(&c->session, 1, 2, &out, NULL);
    note_contrast(c);
    for (int r = 0; r < 3; r++) {
        const Graph *g = &c->session.network.graph[r];
        for (int i = 0; i < g->op_count; i++) {
            const char *name = op_range_name(&g->ops[i]);
            if (!name)
                continue;
            const View v = session_view(&c->session, (DainRate)r, g->ops[i].out[0]);
            Seen *s = find(c, name, v.c);
            if (!s)
                return report_error(c->report, DAIN_ENOMEM, "out of memory for the calibration");
            look_at(c, s, &v);
        }
    }
    return DAIN_OK;
}

/* ---- choosing ---- */

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Mean square error of codes over [lo, hi], what precision.c will make of it. */
static double code_error(const float *sample, int n, float lo, float hi)
{
    const float scale = (hi - lo) / 255, zero = rintf(-lo / scale);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const float q = fminf(fmaxf(rintf(sample[i] / scale + zero), 0), 255);
        const double d = (double)(q - zero) * scale - sample[i];
        sum += d * d;
    }
    return sum;
}

static void choose(const Seen *s, RangeMethod method, float *lo, float *hi)
{
    const int n = s->values < SAMPLES ? (int)s->values : SAMPLES;
    *lo = fminf(s->lo, 0);
    *hi = fmaxf(s->hi, 0);
    if (method == RANGE_MINMAX || *hi <= *lo)
        return;
    if (method == RANGE_PERCENTILE) {
        qsort(s->sample, n, sizeof(float), ascending);
        const int cut = n / 20000;
        *lo = fminf(s->sample[cut], 0);
        *hi = fmaxf(s->sample[n - 1 - cut], 0);
        return;
    }
    /* each end by itself: activations after a leaky rectifier are far from symmetric */
    for (int end = 0; end < 2; end++) {
        float *edge = end ? lo : hi, best = *edge;
        const float full = *edge;
        double least = code_error(s->sample, n, *lo, *hi);
        for (int i = 1; i < CLIPS && full != 0; i++) {
            *edge = full * (1 - (float)i / (CLIPS + 4));
            const double e = code_error(s->sample, n, *lo, *hi);
            if (e < least) {
                least = e;
                best = *edge;
            }
        }
        *edge = best;
    }
}

static float strength(void *opaque, const ConvParam *conv, int channel)
{
    const Calibration *c = opaque;
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->seen[i].name, conv->name) && channel < c->seen[i].channels)
            return (float)sqrt(c->seen[i].square[channel] / (double)c->seen[i].pixels);
    return 0;
}

int calibration_equalise(Calibration *c)
{
    const int changed = model_equalise(c->model, strength, c, c->report);
    calibration_forget(c);
    session_close(&c->session);
    return changed;
}

int calibration_finish(Calibration *c, RangeMethod method)
{
    if (c->count == 0)
        return report_error(c->report, DAIN_EINVAL, "there is nothing to calibrate with");
    if (c->contrast < 1.0f / 64)
        return report_error(c->report, DAIN_EINVAL,
                            "the calibration pictures are of one flat colour");
    for (int i = 0; i < c->count; i++) {
        float lo, hi;
        choose(&c->seen[i], method, &lo, &hi);
        const int error = params_set_range(&c->model->params, c->seen[i].name, lo, hi);
        if (error)
            return error;
    }
    return DAIN_OK;
}
