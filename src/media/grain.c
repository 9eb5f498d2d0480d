/* Grain: measuring it, and giving new frames what their neighbours have: see grain.h. */
#include "media/grain.h"

#include "base/mem.h"
#include "media/colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL = 16,
    CLASSES = 16, /* of brightness */
    FEWEST = 8,   /* cells that tell something about a class */
    TILES = 24,   /* pieces of grain kept for a class */
    PIXELS = CELL * CELL
};

/* Of the mean response: 6 sqrt(2/pi) for white noise of standard deviation 1. */
#define RESPONSE 4.787f
/* Standard deviations from which there is some grain, and all of it is taken for some. */
#define FAINT (1.0f / 255)
#define PLAIN (1.5f / 255)
/* A cell is flat up to so many times the response of its class. */
#define FLAT 1.5f
/* Pieces may be so much rougher for their response than those of the lower quartile. */
#define ODD 1.25f

/* A piece of a source frame's grain. */
typedef struct Tile {
    float response;
    float excess; /* standard deviation of the samples for it */
    float sample[3][PIXELS];
} Tile;

/* A cell of a source frame. */
typedef struct Cell {
    float response, brightness;
} Cell;

struct Grain {
    int width, height, across, down;
    Cell *source[2]; /* of both frames */
    Cell *made;
    float *sorted;        /* room for the responses of a class */
    float level[CLASSES]; /* response of flat cells, 0 = clean, < 0 = unknown */
    Tile *tiles;          /* TILES for each class */
    int count[CLASSES];
};

static int class_of(float brightness)
{
    const float scaled = brightness * CLASSES;
    return scaled < 0 ? 0 : scaled < CLASSES - 1 ? (int)scaled : CLASSES - 1;
}

/* ---- measuring ---- */

/* Adds columns x0 .. x1-1 of a row to a cell. */
static void add_row(Cell *cell, const float *a, const float *b, const float *c, int x0, int x1)
{
    float response = 0, brightness = 0;
    for (int x = x0; x < x1; x++) {
        response += fabsf(a[x - 1] + a[x + 1] + c[x - 1] + c[x + 1] + 4 * b[x] -
                          2 * (a[x] + b[x - 1] + b[x + 1] + c[x]));
        brightness += b[x];
    }
    cell->response += response;
    cell->brightness += brightness;
}

/* Whole cells only, and of them what has neighbours. */
static void measure(const Grain *g, const AVFrame *f, Cell *cells)
{
    for (int j = 0; j < g->down; j++)
        for (int i = 0; i < g->across; i++) {
            Cell *const cell = &cells[j * g->across + i];
            const int x0 = i ? i * CELL : 1, y0 = j ? j * CELL : 1;
            const int x1 = (i + 1) * CELL < g->width ? (i + 1) * CELL : g->width - 1;
            const int y1 = (j + 1) * CELL < g->height ? (j + 1) * CELL : g->height - 1;
            *cell = (Cell){ 0 };
            for (int y = y0; y < y1; y++)
                add_row(cell, colour_row(f, 0, y - 1), colour_row(f, 0, y), colour_row(f, 0, y + 1),
                        x0, x1);
            const float count = (float)((x1 - x0) * (y1 - y0));
            cell->response /= count;
            cell->brightness /= count;
        }
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The lower quartile of a class, as far as it is grain. */
static float class_level(const Grain *g, int class)
{
    const int cells = g->across * g->down;
    int n = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < cells; i++)
            if (class_of(g->source[k][i].brightness) == class)
                g->sorted[n++] = g->source[k][i].response;
    if (n < FEWEST)
        return -1;
    qsort(g->sorted, (size_t)n, sizeof *g->sorted, compare);
    const float level = g->sorted[n / 4];
    return level > FAINT * RESPONSE ? level : 0;
}

/* The nearest class of which something is known; -1 if there is none. */
static int nearest(const Grain *g, int class, const int *count)
{
    for (int d = 0; d < CLASSES; d++)
        for (int side = -1; side <= 1; side += 2) {
            const int c = class + side * d;
            if (c >= 0 && c < CLASSES && (count ? count[c] > 0 : g->level[c] >= 0))
                return c;
        }
    return -1;
}

static float level_at(const Grain *g, float brightness)
{
    const int class = nearest(g, class_of(brightness), NULL);
    return class < 0 ? 0 : g->level[class];
}

static bool is_flat(const Grain *g, const Cell *cell)
{
    return cell->response <= FLAT * level_at(g, cell->brightness);
}

/* ---- pieces of grain ---- */

/* A sample less its surroundings, smoothed by (1 4 6 4 1)/16 both ways. */
static float rough(const AVFrame *f, int plane, int x, int y)
{
    static const float kernel[5] = { 1.0f / 16, 4.0f / 16, 6.0f / 16, 4.0f / 16, 1.0f / 16 };
    float sum = 0;
    for (int v = -2; v <= 2; v++) {
        const float *const row = colour_row(f, plane, y + v);
        float part = 0;
        for (int u = -2; u <= 2; u++) {
            part += kernel[u + 2] * row[av_clip(x + u, 0, f->width - 1)];
        }
        sum += kernel[v + 2] * part;
    }
    return colour_row(f, plane, y)[x] - sum;
}

static void cut_tile(const Grain *g, const AVFrame *f, int cell, float response, Tile *tile)
{
    const int x0 = cell % g->across * CELL, y0 = cell / g->across * CELL;
    float squares = 0;
    for (int plane = 0; plane < 3; plane++)
        for (int i = 0; i < PIXELS; i++) {
            const float v = rough(f, plane, x0 + i % CELL, y0 + i / CELL);
            tile->sample[plane][i] = v;
            squares += plane ? 0 : v * v;
        }
    tile->response = response;
    tile->excess = sqrtf(squares / PIXELS) / response;
}

/* Leaves out what has more in it than grain: lines across and down, which the mask does not answer to. */
static void drop_odd_tiles(Grain *g, int class)
{
    Tile *const tiles = &g->tiles[class * TILES];
    float excess[TILES];
    int kept = 0;
    for (int i = 0; i < g->count[class]; i++)
        excess[i] = tiles[i].excess;
    qsort(excess, (size_t)g->count[class], sizeof *excess, compare);
    for (int i = 0; i < g->count[class]; i++)
        if (tiles[i].excess <= ODD * excess[g->count[class] / 4])
            tiles[kept++] = tiles[i];
    g->count[class] = kept;
}

/* Flat cells of a class, from all over both frames. */
static void cut_tiles(Grain *g, const AVFrame *const frame[2], int class)
{
    const int cells = g->across * g->down;
    int found = 0;
    if (g->level[class] <= 0)
        return;
    for (int pass = 0; pass < 2; pass++) {
        const int step = found > TILES ? found / TILES : 1;
        int n = 0;
        for (int i = 0; i < 2 * cells; i++) {
            const Cell *const cell = &g->source[i % 2][i / 2];
            if (class_of(cell->brightness) != class || cell->response <= 0 || !is_flat(g, cell))
                continue;
            if (pass && n % step == 0 && g->count[class] < TILES)
                cut_tile(g, frame[i % 2], i / 2, cell->response,
                         &g->tiles[class * TILES + g->count[class]++]);
            n++;
        }
        found = n;
    }
    drop_odd_tiles(g, class);
}

Grain *grain_measure(const AVFrame *older, const AVFrame *newer)
{
    const AVFrame *const frame[2] = { older, newer };
    Grain *const g = mem_calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->width = older->width;
    g->height = older->height;
    g->across = g->width / CELL;
    g->down = g->height / CELL;
    const size_t cells = (size_t)g->across * (size_t)g->down;
    g->source[0] = mem_alloc((3 * cells + 1) * sizeof(Cell));
    g->sorted = mem_alloc((2 * cells + 1) * sizeof(float));
    g->tiles = mem_alloc(CLASSES * TILES * sizeof(Tile));
    if (!g->source[0] || !g->sorted || !g->tiles) {
        grain_free(g);
        return NULL;
    }
    g->source[1] = g->source[0] + cells;
    g->made = g->source[1] + cells;
    for (int k = 0; k < 2; k++)
        measure(g, frame[k], g->source[k]);
    for (int i = 0; i < CLASSES; i++)
        g->level[i] = class_level(g, i);
    for (int i = 0; i < CLASSES; i++)
        cut_tiles(g, frame, i);
    return g;
}

void grain_free(Grain *g)
{
    if (!g)
        return;
    mem_free(g->source[0]);
    mem_free(g->sorted);
    mem_free(g->tiles);
    mem_free(g);
}

float grain_level(const Grain *g, float brightness)
{
    return level_at(g, brightness) / RESPONSE;
}

/* ---- what is missing ---- */

/* The response that the grain of a cell should have: that of its class, but no more than all the detail
 * that the source has there, so that a clean overlay stays clean. */
static float wanted(const Grain *g, int cell)
{
    const float level = level_at(g, g->made[cell].brightness);
    const float there = fmaxf(g->source[0][cell].response, g->source[1][cell].response);
    return fminf(level, there);
}

static bool flat_in_all(const Grain *g, int cell)
{
    return is_flat(g, &g->source[0][cell]) && is_flat(g, &g->source[1][cell]) &&
           is_flat(g, &g->made[cell]) && wanted(g, cell) > 0;
}

float grain_kept(Grain *g, const AVFrame *made)
{
    float have = 0, want = 0;
    measure(g, made, g->made);
    for (int i = 0; i < g->across * g->down; i++)
        if (flat_in_all(g, i)) {
            have += g->made[i].response * g->made[i].response;
            want += wanted(g, i) * wanted(g, i);
        }
    return want > 0 && have < want ? sqrtf(have / want) : 1;
}

/* The response that is missing in a cell. Variances add up, and the response goes with their root. */
static float missing(const Grain *g, int cell, float kept)
{
    const float want = wanted(g, cell), made = g->made[cell].response;
    const float have = flat_in_all(g, cell) ? made : want * kept;
    const float sure = fminf(fmaxf((want / RESPONSE - FAINT) / (PLAIN - FAINT), 0), 1);
    return want > have ? sqrtf((want * want - have * have) * sure) : 0;
}

/* A number of 32 bits that looks random (the finaliser of MurmurHash3). */
static uint32_t scatter(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(x ^ x >> 33);
}

/* The last cells of a row or column take what is left of the picture. */
static void add_tile(const Grain *g, const Tile *tile, float gain, int cell, AVFrame *made)
{
    const int i = cell % g->across, j = cell / g->across;
    const int x1 = i + 1 < g->across ? (i + 1) * CELL : g->width;
    const int y1 = j + 1 < g->down ? (j + 1) * CELL : g->height;
    const bool bounded = made->color_range != AVCOL_RANGE_MPEG; /* no headroom, see colour.h */
    for (int plane = 0; plane < 3; plane++)
        for (int y = j * CELL; y < y1; y++) {
            float *const out = colour_row(made, plane, y);
            const float *const from = tile->sample[plane] + y % CELL * CELL;
            for (int x = i * CELL; x < x1; x++) {
                const float v = out[x] + gain * from[x % CELL];
                out[x] = bounded ? fminf(fmaxf(v, 0), 1) : v;
            }
        }
}

void grain_add(Grain *g, int64_t seed, AVFrame *made)
{
    const float kept = grain_kept(g, made);
    for (int i = 0; i < g->across * g->down; i++) {
        const float lack = missing(g, i, kept);
        const int class = nearest(g, class_of(g->made[i].brightness), g->count);
        if (lack <= 0 || class < 0)
            continue;
        const uint32_t number =
            scatter((uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)i);
        const Tile *const tile =
            &g->tiles[class * TILES + (int)(number % (uint32_t)g->count[class])];
        add_tile(g, tile, lack / tile->response, i, made);
    }
}
