/* Fine detail: measuring it, and bringing new frames to that of their neighbours (and to their grain). */
#include "media/detail.h"

#include "base/mem.h"
#include "media/colour.h"
#include "media/grain.h"

#include <math.h>
#include <string.h>

/* Below this there is nothing to lose: a flat picture. */
static const double NOTHING = 0.5 / 255;

/* Sum of the detail in columns x0 .. x1-1 of a row, borders left out. */
static float row_detail(const AVFrame *f, int y, int x0, int x1)
{
    const float *const up = colour_row(f, 0, y - 1), *const c = colour_row(f, 0, y),
                       *const down = colour_row(f, 0, y + 1);
    float sum = 0;
    for (int x = x0 > 1 ? x0 : 1; x < (x1 < f->width - 1 ? x1 : f->width - 1); x++)
        sum += fabsf(4 * c[x] - c[x - 1] - c[x + 1] - up[x] - down[x]);
    return sum;
}

double detail_of(const AVFrame *f)
{
    double sum = 0;
    for (int y = 1; y < f->height - 1; y++)
        sum += (double)row_detail(f, y, 0, f->width);
    return sum / ((double)f->width * f->height);
}

double detail_kept(double older, double newer, double t, double made)
{
    const double source = older + t * (newer - older);
    return source < NOTHING || made >= source ? 1 : made / source;
}

/* ---- matching ---- */

enum { CELL = 32 }; /* pixels; between their centres the strength is interpolated */
static const float STRONGEST = 1;
/* Sharpening by s raises the detail by some 4/3 s. */
static const float STEP = 0.75f;
/* What is not surely less is left alone: up to here, and where the grain is more than the detail. */
static const float TOLERANCE = 1.10f;
/* Mean response of |4c - left - right - above - below| to white noise: sqrt(20) sqrt(2/pi). */
static const float GRAIN_DETAIL = 3.568f;

/* Detail in each cell, CELL x CELL pixels. */
static void measure(const AVFrame *f, int across, int down, float *cells)
{
    memset(cells, 0, (size_t)across * (size_t)down * sizeof *cells);
    for (int y = 0; y < f->height; y++)
        for (int i = 0; i < across; i++)
            cells[y / CELL * across + i] += row_detail(f, y, i * CELL, (i + 1) * CELL);
}

/* The mean of a cell and its eight neighbours, so that motion from cell to cell does not matter. */
static float around(const float *cells, int across, int down, int i, int j)
{
    float sum = 0;
    int count = 0;
    for (int v = j > 0 ? j - 1 : 0; v <= j + 1 && v < down; v++)
        for (int u = i > 0 ? i - 1 : 0; u <= i + 1 && u < across; u++, count++)
            sum += cells[v * across + u];
    return sum / (float)count;
}

static float strength_at(const float *strength, int across, int down, float x, float y)
{
    const float u = fminf(fmaxf(x / CELL - 0.5f, 0), (float)(across - 1)),
                v = fminf(fmaxf(y / CELL - 0.5f, 0), (float)(down - 1));
    const int i = (int)u, j = (int)v, i1 = i + 1 < across ? i + 1 : i,
              j1 = j + 1 < down ? j + 1 : j;
    const float a = u - (float)i, b = v - (float)j;
    return (1 - b) * ((1 - a) * strength[j * across + i] + a * strength[j * across + i1]) +
           b * ((1 - a) * strength[j1 * across + i] + a * strength[j1 * across + i1]);
}

/* Adds the difference from the mean of 3x3, times the strength, to a plane. rows: three of them. */
static void sharpen(AVFrame *f, int plane, const float *strength, int across, int down, float *rows)
{
    const size_t size = (size_t)f->width * sizeof *rows;
    const bool bounded = f->color_range != AVCOL_RANGE_MPEG; /* no headroom, see colour.h */
    float *above = rows, *here = rows + f->width, *below = rows + 2 * f->width;
    memcpy(here, colour_row(f, plane, 0), size);
    memcpy(above, here, size);
    for (int y = 0; y < f->height; y++) {
        memcpy(below, colour_row(f, plane, y + 1), size);
        float *const out = colour_row(f, plane, y);
        for (int x = 0; x < f->width; x++) {
            const int l = x > 0 ? x - 1 : x, r = x + 1 < f->width ? x + 1 : x;
            const float mean = (above[l] + above[x] + above[r] + here[l] + here[x] + here[r] +
                                below[l] + below[x] + below[r]) /
                               9;
            const float s = strength_at(strength, across, down, (float)x, (float)y);
            const float v = here[x] + s * (here[x] - mean);
            out[x] = bounded ? fminf(fmaxf(v, 0), 1) : v;
        }
        float *const oldest = above;
        above = here;
        here = below;
        below = oldest;
    }
}

/* Mean of the green samples of a cell. */
static float brightness(const AVFrame *f, int i, int j)
{
    const int x1 = (i + 1) * CELL < f->width ? (i + 1) * CELL : f->width;
    const int y1 = (j + 1) * CELL < f->height ? (j + 1) * CELL : f->height;
    float sum = 0;
    for (int y = j * CELL; y < y1; y++) {
        const float *const row = colour_row(f, 0, y);
        for (int x = i * CELL; x < x1; x++)
            sum += row[x];
    }
    return sum / (float)((x1 - i * CELL) * (y1 - j * CELL));
}

/* Detail without that of the grain: variances add up. */
static float without_grain(float detail, float grain)
{
    return detail > grain ? sqrtf(detail * detail - grain * grain) : 0;
}

/* How much to sharpen for detail like `want`; grain: the part of it that the source's grain makes. */
static float strength_for(float want, float have, float grain, float kept)
{
    const float sure = without_grain(want, grain), made = without_grain(have, kept * grain);
    if (sure < grain || sure < (float)NOTHING * CELL * CELL || made <= 0)
        return 0;
    return fminf(fmaxf(STEP * (sure / made - TOLERANCE), 0), STRONGEST);
}

/* Sharpens; grain: of the two source frames. */
static int match_sharpness(const AVFrame *older, const AVFrame *newer, double t, Grain *grain,
                           AVFrame *made)
{
    const int across = (made->width + CELL - 1) / CELL, down = (made->height + CELL - 1) / CELL;
    const size_t cells = (size_t)across * (size_t)down;
    float *const memory = mem_alloc((4 * cells + 3 * (size_t)made->width) * sizeof *memory);
    if (!memory)
        return DAIN_ENOMEM;
    float *const a = memory, *const b = a + cells, *const m = b + cells, *const s = m + cells;
    const float kept = grain_kept(grain, made);
    measure(older, across, down, a);
    measure(newer, across, down, b);
    measure(made, across, down, m);
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++) {
            const float want = around(a, across, down, i, j) * (float)(1 - t) +
                               around(b, across, down, i, j) * (float)t;
            const float level = grain_level(grain, brightness(made, i, j));
            s[j * across + i] = strength_for(want, around(m, across, down, i, j),
                                             level * GRAIN_DETAIL * CELL * CELL, kept);
        }
    for (int plane = 0; plane < 3; plane++)
        sharpen(made, plane, s, across, down, memory + 4 * cells);
    mem_free(memory);
    return DAIN_OK;
}

int detail_match(const AVFrame *older, const AVFrame *newer, double t, int64_t seed, AVFrame *made)
{
    Grain *const grain = grain_measure(older, newer);
    if (!grain)
        return DAIN_ENOMEM;
    const int r = match_sharpness(older, newer, t, grain, made);
    if (r >= 0)
        grain_add(grain, seed, made);
    grain_free(grain);
    return r;
}
