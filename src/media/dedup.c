/* Repeated frames taken out of a video. */
#include "media/dedup.h"

#include "base/mem.h"
#include "dain/dain.h"
#include "media/cadence.h"
#include "media/pixels.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 16 };

struct Dedup {
    double base;
    Cadence cadence;
    AVFrame *anchor; /* the picture that is shown now: a reference */
    AVFrame *repeat; /* its last repetition */
    int run;         /* how many frames it has been shown */
    int left_out;    /* of them, not handed out, since the last one that was */
    /* Of frames that are no repetitions: a running mean of the differences, in levels of 8 bits. */
    double mean, most;
    DedupFrame ready[2];
    int ready_count;
};

Dedup *dedup_create(Ratio base)
{
    Dedup *const d = mem_calloc(1, sizeof *d);
    if (d)
        d->base = ratio_double(base);
    return d;
}

void dedup_destroy(Dedup *d)
{
    if (!d)
        return;
    av_frame_free(&d->anchor);
    av_frame_free(&d->repeat);
    for (int i = 0; i < d->ready_count; i++)
        av_frame_free(&d->ready[i].frame);
    mem_free(d);
}

/* ---- how much two frames differ ---- */

/* How a row of a component lies in memory, and its unit. */
typedef struct Samples {
    int size;    /* bytes; 4 = float */
    float scale; /* to levels of 8 bits */
} Samples;

static Samples samples_of(const AVPixFmtDescriptor *d, int component)
{
    const int depth = d->comp[component].depth < 8 ? 8 : d->comp[component].depth;
    if (pixels_float(d))
        return (Samples){ 4, 255 };
    return (Samples){ pixels_planar(d) && depth == 8 ? 1 : 2, 255.0f / (float)((1 << depth) - 1) };
}

static float row_difference(const void *a, const void *b, int x0, int x1, int size)
{
    int64_t sum = 0;
    float real = 0;
    if (size == 1)
        for (int x = x0; x < x1; x++)
            sum += abs(((const uint8_t *)a)[x] - ((const uint8_t *)b)[x]);
    else if (size == 2)
        for (int x = x0; x < x1; x++)
            sum += abs(((const uint16_t *)a)[x] - ((const uint16_t *)b)[x]);
    else
        for (int x = x0; x < x1; x++)
            real += fabsf(((const float *)a)[x] - ((const float *)b)[x]);
    return size == 4 ? real : (float)sum;
}

/* Room for two rows and the sums of a row of blocks. */
typedef struct Scratch {
    void *a, *b;
    float *sums;
} Scratch;

/* Adds to *mean the mean difference of a component, and raises *most to that of its worst block. */
static void compare_component(const AVFrame *a, const AVFrame *b, int component, Scratch *s,
                              double *mean, double *most)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(a->format);
    const bool chroma = (component == 1 || component == 2) && !(d->flags & AV_PIX_FMT_FLAG_RGB);
    const int w = chroma ? AV_CEIL_RSHIFT(a->width, d->log2_chroma_w) : a->width;
    const int h = chroma ? AV_CEIL_RSHIFT(a->height, d->log2_chroma_h) : a->height;
    const Samples samples = samples_of(d, component);
    const int across = (w + BLOCK - 1) / BLOCK;
    double sum = 0;
    for (int y0 = 0; y0 < h; y0 += BLOCK) {
        const int y1 = y0 + BLOCK < h ? y0 + BLOCK : h;
        memset(s->sums, 0, (size_t)across * sizeof *s->sums);
        for (int y = y0; y < y1; y++) {
            pixels_read_row(a, component, y, w, s->a);
            pixels_read_row(b, component, y, w, s->b);
            for (int i = 0, x = 0; i < across; i++, x += BLOCK)
                s->sums[i] +=
                    row_difference(s->a, s->b, x, x + BLOCK < w ? x + BLOCK : w, samples.size);
        }
        for (int i = 0; i < across; i++) {
            /* Narrow blocks at the edge count as whole ones: a line is no picture. */
            const double block = (double)(s->sums[i] * samples.scale) / (BLOCK * BLOCK);
            *most = block > *most ? block : *most;
            sum += (double)s->sums[i];
        }
    }
    *mean += sum * (double)samples.scale / ((double)w * h);
}

static bool comparable(const AVFrame *a, const AVFrame *b)
{
    return a->format == b->format && a->width == b->width && a->height == b->height &&
           pixels_readable(a->format);
}

/* DAIN_OK or DAIN_ENOMEM. */
static int compare(const AVFrame *a, const AVFrame *b, double *mean, double *most)
{
    const AVPixFmtDescriptor *const d = av_pix_fmt_desc_get(a->format);
    const int components = d->flags & AV_PIX_FMT_FLAG_PAL ? 4 : d->nb_components;
    const size_t row = ((size_t)a->width + BLOCK) * sizeof(float);
    Scratch s = { mem_alloc(row), mem_alloc(row), mem_alloc(row) };
    *mean = *most = 0;
    if (s.a && s.b && s.sums)
        for (int c = 0; c < components; c++)
            compare_component(a, b, c, &s, mean, most);
    const int r = s.a && s.b && s.sums ? DAIN_OK : DAIN_ENOMEM;
    *mean /= components;
    mem_free(s.a);
    mem_free(s.b);
    mem_free(s.sums);
    return r;
}

static double within(double low, double high, double value)
{
    return value < low ? low : value > high ? high : value;
}

/* Whether the frame repeats the anchor: 1, 0, or DAIN_ENOMEM. */
static int repeats(Dedup *d, const AVFrame *frame)
{
    double mean, most;
    if (!comparable(d->anchor, frame))
        return 0;
    const int r = compare(d->anchor, frame, &mean, &most);
    if (r < 0)
        return r;
    if (mean <= within(0.3, 0.8, 0.3 + 0.05 * d->mean) && most <= within(3, 9, 3 + 0.06 * d->most))
        return 1;
    d->mean += (mean - d->mean) / 8;
    d->most += (most - d->most) / 8;
    return 0;
}

/* ---- what comes out ---- */

static void hand_out(Dedup *d, AVFrame *frame, bool still, int run)
{
    frame->pts = cadence_next(&d->cadence, frame->pts, run);
    d->ready[d->ready_count++] = (DedupFrame){ frame, still, d->left_out };
    d->left_out = 0;
}

/* The last repetition, as a frame of its own, if the picture stood so long that it is a still or if
 * it is the end. */
static bool end_still(Dedup *d, bool end)
{
    AVFrame *const last = d->repeat;
    if (!last || (!end && (double)(last->pts - d->anchor->pts) * d->base < DEDUP_STILL))
        return false;
    d->repeat = NULL;
    d->left_out--;
    hand_out(d, last, true, 0);
    return true;
}

int dedup_add(Dedup *d, AVFrame *frame)
{
    const int same = d->anchor ? repeats(d, frame) : 0;
    AVFrame *const reference = same ? NULL : av_frame_clone(frame);
    if (same < 0 || (!same && !reference)) {
        av_frame_free(&frame);
        return DAIN_ENOMEM;
    }
    if (same) {
        av_frame_free(&d->repeat);
        d->repeat = frame;
        d->run++;
        d->left_out++;
        return DAIN_OK;
    }
    const bool fresh = end_still(d, false) || !d->anchor;
    hand_out(d, frame, false, fresh ? 0 : d->run);
    av_frame_free(&d->repeat);
    av_frame_free(&d->anchor);
    d->anchor = reference;
    d->run = 1;
    return DAIN_OK;
}

void dedup_end(Dedup *d)
{
    if (d->ready_count == 0)
        end_still(d, true);
}

bool dedup_take(Dedup *d, DedupFrame *out)
{
    if (d->ready_count == 0)
        return false;
    *out = d->ready[0];
    d->ready[0] = d->ready[1];
    d->ready_count--;
    return true;
}
