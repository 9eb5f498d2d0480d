/* Memory budget: tries layouts, from the one that costs nothing to the one that loses most. */
#include "model/budget.h"

#include "model/session.h"

#include <limits.h>
#include <stdint.h>

/* What costs little or no time and no quality; rows < 0: by the size of the picture. Steps get
 * shorter and coarser layers join, until there is nothing left to gain. */
static const struct {
    int rows, level;
} strips[] = { { -1, 0 }, { 32, 4 }, { 16, 8 }, { 8, 2 }, { 8, 16 } };
/* Each more costs the original some 6 % of its time; other networks gain nothing from them. */
static const int bands[] = { 1, 2, 3, 4, 6, 8 };
enum { STRIPS = sizeof strips / sizeof *strips, BANDS = sizeof bands / sizeof *bands };

/* What costs quality. On 40 clips of the validation set bfloat16 costs nothing, 8 bits 0.01 dB (on
 * Middlebury 0.2) and motion at half resolution 0.3 dB (where frames are large it costs nothing,
 * but saves little memory); on training clips at half their rate linear motion costs 0.08 dB. */
typedef struct Loss {
    DainPrecision precision;
    int reduce;
    bool linear; /* motion, though it was to be curved */
} Loss;
enum { OVER_LIMIT = 1 }; /* of what was tried: no error */
enum { LOSSES = 7, HALF_PIXELS = 1600 * 900, QUARTER_PIXELS = 2880 * 1620 };

static int wished_reduce(const Model *m, DainFlowScale flow, int w, int h)
{
    if (m->pad_original)
        return 1; /* the published program knows no other */
    const int64_t pixels = (int64_t)w * h;
    switch (flow) {
    case DAIN_FLOW_HALF:
        return 2;
    case DAIN_FLOW_QUARTER:
        return 4;
    case DAIN_FLOW_AUTO:
        return pixels > QUARTER_PIXELS ? 4 : pixels > HALF_PIXELS ? 2 : 1;
    default:
        return 1;
    }
}

/* The wish first, then what may be tried instead of it, the least loss first. */
static int list_losses(const Model *m, const Budget *b, int w, int h, Loss list[LOSSES])
{
    const bool open =
        !m->pad_original && (b->flow == DAIN_FLOW_DEFAULT || b->flow == DAIN_FLOW_AUTO);
    int reduce = wished_reduce(m, b->flow, w, h), n = 0;
    list[n++] = (Loss){ b->precision, reduce, false };
    if (!b->limit)
        return n;
    const bool any = b->precision == DAIN_PRECISION_AUTO;
    if (any)
        list[n++] = (Loss){ DAIN_PRECISION_BF16, reduce, false };
    if (b->curved)
        list[n++] = (Loss){ any ? DAIN_PRECISION_BF16 : b->precision, reduce, true };
    const bool int8 = any && m->params.range_count > 0;
    if (int8 && b->curved)
        list[n++] = (Loss){ DAIN_PRECISION_INT8, reduce, false };
    if (int8)
        list[n++] = (Loss){ DAIN_PRECISION_INT8, reduce, true };
    for (reduce *= 2; open && reduce <= 4; reduce *= 2, n++)
        list[n] = (Loss){ list[n - 1].precision, reduce, true };
    return n;
}

/* The need of a layout; -1 if it is no different from those before. */
static int measure(Model *m, const Budget *b, int w, int h, Need *need, Report *report)
{
    Network n;
    const size_t views = (size_t)model_views(m);
    const int error = model_network(m, &n, w, h, false, report);
    *need = (Need){ .precision = m->precision,
                    .reduce = m->reduce,
                    .strip_rows = n.strip_rows,
                    .bands = n.graph[DAIN_RATE_TIME].bands,
                    .arena = n.arena_bytes + session_picture_bytes((int)views, w, h),
                    .scratch = (size_t)b->threads * n.scratch_floats * sizeof(float),
                    .weights = m->params.bytes,
                    .frames = session_frames(m),
                    .pairs = session_pairs(m),
                    .frame = views * n.frame_bytes,
                    .pair = views * n.pair_bytes };
    need->total = need->arena + need->scratch + need->weights + (size_t)need->frames * need->frame +
                  (size_t)need->pairs * need->pair;
    network_free(&n);
    return error;
}

static void set_layout(Model *m, int i, int parts)
{
    m->strip_rows = strips[i].rows;
    m->strip_level = strips[i].level;
    m->bands = parts;
}

/* Tries layouts of one precision and flow resolution; *least gets the smallest need. OVER_LIMIT
 * where none is small enough, which a failed allocation (DAIN_ENOMEM) is not. */
static int try_layouts(Model *m, const Budget *b, int w, int h, Need *need, Need *least,
                       Report *report)
{
    for (int k = 0; k < BANDS; k++)
        for (int i = k > 0; i < STRIPS; i++) {
            set_layout(m, i, bands[k]);
            const int error = measure(m, b, w, h, need, report);
            if (error)
                return error;
            if (need->bands < bands[k])
                return OVER_LIMIT; /* this network has no bands */
            if (need->total < least->total)
                *least = *need;
            if (!b->limit || need->total <= b->limit)
                return DAIN_OK;
        }
    return OVER_LIMIT;
}

int model_fit(Model *m, const Budget *b, int w, int h, Need *need, Report *report)
{
    Loss list[LOSSES];
    Need least = { .total = SIZE_MAX };
    const int n = list_losses(m, b, w, h, list);
    DainPrecision at = INT_MAX;
    for (int i = 0; i < n; i++) {
        int error = list[i].precision == at ? DAIN_OK : model_set_precision(m, list[i].precision);
        if (error)
            return error;
        at = list[i].precision;
        m->reduce = list[i].reduce;
        m->curved = b->curved && !list[i].linear;
        error = try_layouts(m, b, w, h, need, &least, report);
        need->reduced = i > 0;
        if (error != OVER_LIMIT)
            return error;
    }
    *need = least;
    return report_error(report, DAIN_ENOMEM,
                        "pictures of %d x %d need %zu MiB, the limit is %zu MiB", w, h,
                        (least.total >> 20) + 1, b->limit >> 20);
}
