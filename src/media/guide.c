/* The picture that the engine takes the motion from: see guide.h. */
#include "media/guide.h"

#include "base/mem.h"
#include "media/colour.h"

enum { REACH = 2 };

static float binomial(float a, float b, float c, float d, float e)
{
    return (a + e + 4 * (b + d) + 6 * c) / 16;
}

static void smooth_columns(float *restrict out, const AVFrame *f, int plane, int y)
{
    const float *const a = colour_row(f, plane, y - 2), *const b = colour_row(f, plane, y - 1),
                       *const c = colour_row(f, plane, y), *const d = colour_row(f, plane, y + 1),
                       *const e = colour_row(f, plane, y + 2);
    for (int x = 0; x < f->width; x++)
        out[x] = binomial(a[x], b[x], c[x], d[x], e[x]);
}

static void smooth_row(float *restrict out, const float *restrict in, int width)
{
    for (int x = 0; x < width; x += x == REACH - 1 && width > 2 * REACH ? width - 2 * REACH + 1 : 1)
        out[x] = binomial(in[av_clip(x - 2, 0, width - 1)], in[av_clip(x - 1, 0, width - 1)], in[x],
                          in[av_clip(x + 1, 0, width - 1)], in[av_clip(x + 2, 0, width - 1)]);
    for (int x = REACH; x < width - REACH; x++)
        out[x] = binomial(in[x - 2], in[x - 1], in[x], in[x + 1], in[x + 2]);
}

/* Writes the smoothed copy of a frame of the same size; row: as many floats as a row has pixels. */
static void guide_smooth(AVFrame *smooth, const AVFrame *rgb, float *row)
{
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < rgb->height; y++) {
            smooth_columns(row, rgb, plane, y);
            smooth_row(colour_row(smooth, plane, y), row, rgb->width);
        }
}

static int prepare(Guide *g, const AVFrame *rgb)
{
    if (g->smooth && g->smooth->width == rgb->width && g->smooth->height == rgb->height)
        return DAIN_OK;
    guide_free(g);
    g->smooth = colour_frame(AV_PIX_FMT_GBRPF32, rgb->width, rgb->height);
    g->row = mem_alloc((size_t)rgb->width * sizeof *g->row);
    g->no_memory = !g->smooth || !g->row;
    if (g->no_memory)
        guide_free(g);
    return g->no_memory ? DAIN_ENOMEM : DAIN_OK;
}

/* What shows the motion of a frame: NULL in *guide for the frame itself, else *own. */
static int guide_of(Guide *g, const AVFrame *rgb, DainImage *own, const DainImage **guide)
{
    *guide = NULL;
    if (!g->denoise)
        return DAIN_OK;
    const int r = prepare(g, rgb);
    if (r < 0)
        return r;
    guide_smooth(g->smooth, rgb, g->row);
    *own = colour_image(g->smooth);
    *guide = own;
    return DAIN_OK;
}

int guide_push(Guide *g, Backend *engine, const AVFrame *rgb)
{
    const DainImage frame = colour_image(rgb), *guide;
    DainImage own;
    const int r = guide_of(g, rgb, &own, &guide);
    return r < 0 ? r : backend_push_guided(engine, &frame, guide);
}

int guide_push_ahead(Guide *g, Backend *engine, const AVFrame *rgb, double before, double after)
{
    const DainImage frame = colour_image(rgb), *guide;
    DainImage own;
    const int r = guide_of(g, rgb, &own, &guide);
    return r < 0 ? r : backend_push_ahead(engine, &frame, guide, before, after);
}

bool guide_lengths(const AVFrame *const frame[4], double *before, double *after)
{
    enum { MOST = 4 };
    const double pair = (double)(frame[2]->pts - frame[1]->pts);
    *before = (double)(frame[1]->pts - frame[0]->pts) / pair;
    *after = (double)(frame[3]->pts - frame[2]->pts) / pair;
    return *before <= MOST && *after <= MOST && *before * MOST >= 1 && *after * MOST >= 1;
}

const char *guide_last_error(const Guide *g, const Backend *engine)
{
    return g->no_memory ? "out of memory" : backend_last_error(engine);
}

void guide_free(Guide *g)
{
    av_frame_free(&g->smooth);
    mem_free(g->row);
    g->row = NULL;
}
