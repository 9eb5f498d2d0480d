/* Things that stand still stay as they are. */
#include "media/lock.h"

#include "base/mem.h"
#include "media/colour.h"

#include <math.h>
#include <string.h>

enum {
    MOST = 6,  /* of 3x3 pixels that must be equal */
    REACH = 5, /* of the window for the contrast: 11x11 */
    FULL_WEIGHT = 9
};

struct Lock {
    int width, height;
    /* A byte a pixel each, one allocation at equal. In the end high holds the weights, 0 .. 9. */
    uint8_t *equal, *held, *high, *low;
    uint8_t *row[2]; /* with REACH bytes to spare on both sides */
};

Lock *lock_create(void)
{
    return mem_calloc(1, sizeof(Lock));
}

void lock_destroy(Lock *l)
{
    if (!l)
        return;
    mem_free(l->equal);
    mem_free(l->row[0]);
    mem_free(l);
}

static int prepare(Lock *l, int width, int height)
{
    if (l->equal && l->width == width && l->height == height)
        return DAIN_OK;
    mem_free(l->equal);
    mem_free(l->row[0]);
    const size_t size = (size_t)width * (size_t)height, row = (size_t)width + 2 * REACH;
    l->equal = mem_alloc(4 * size);
    l->row[0] = mem_alloc(2 * row);
    if (!l->equal || !l->row[0]) {
        mem_free(l->equal);
        mem_free(l->row[0]);
        l->equal = l->row[0] = NULL;
        return DAIN_ENOMEM;
    }
    l->held = l->equal + size;
    l->high = l->held + size;
    l->low = l->high + size;
    l->row[1] = l->row[0] + row;
    l->width = width;
    l->height = height;
    return DAIN_OK;
}

static uint8_t *at(const Lock *l, uint8_t *plane, int y)
{
    return plane + (size_t)av_clip(y, 0, l->height - 1) * (size_t)l->width;
}

/* Repeats the ends of a row into the spare bytes. Returns its first pixel. */
static uint8_t *spread(uint8_t *row, int width)
{
    memset(row, row[REACH], REACH);
    memset(row + REACH + width, row[REACH + width - 1], REACH);
    return row + REACH;
}

/* The loops below are on rows that do not overlap: said to the compiler, they become vector code. */

static void compare_row(uint8_t *restrict equal, const float *restrict a, const float *restrict b,
                        int width)
{
    for (int x = 0; x < width; x++)
        equal[x] &= fabsf(a[x] - b[x]) <= LOCK_NOISE;
}

static void find_equal(const Lock *l, const AVFrame *a, const AVFrame *b)
{
    for (int y = 0; y < l->height; y++) {
        uint8_t *const e = at(l, l->equal, y);
        memset(e, 1, (size_t)l->width);
        for (int p = 0; p < 4 && a->data[p] && b->data[p]; p++)
            compare_row(e, colour_row(a, p, y), colour_row(b, p, y), l->width);
    }
}

static void add_rows(uint8_t *restrict sum, const uint8_t *a, const uint8_t *b, const uint8_t *c,
                     int width)
{
    for (int x = 0; x < width; x++)
        sum[x] = (uint8_t)(a[x] + b[x] + c[x]);
}

/* Sums of 3x3 bytes around each pixel of a row. */
static const uint8_t *sums(const Lock *l, uint8_t *plane, int y)
{
    uint8_t *const column = l->row[0] + REACH, *const sum = l->row[1] + REACH;
    add_rows(column, at(l, plane, y - 1), at(l, plane, y), at(l, plane, y + 1), l->width);
    spread(l->row[0], l->width);
    add_rows(sum, column - 1, column, column + 1, l->width);
    return sum;
}

static void raise_row(uint8_t *restrict most, const uint8_t *restrict by, int width)
{
    for (int x = 0; x < width; x++)
        most[x] = by[x] > most[x] ? by[x] : most[x];
}

static void lower_row(uint8_t *restrict least, const uint8_t *restrict by, int width)
{
    for (int x = 0; x < width; x++)
        least[x] = by[x] < least[x] ? by[x] : least[x];
}

/* The levels of the pixels held; what changes nothing for the others. */
static void take_levels(uint8_t *restrict most, uint8_t *restrict least,
                        const uint8_t *restrict held, const float *restrict green, int width)
{
    for (int x = 0; x < width; x++) {
        const float scaled = green[x] * 255;
        const float positive = scaled > 0 ? scaled : 0;
        const int level = (int)(positive < 255 ? positive : 255), mask = -(int)held[x];
        most[x] = (uint8_t)(level & mask);
        least[x] = (uint8_t)(level | ~mask);
    }
}

static void mark_held(uint8_t *restrict held, const uint8_t *restrict equal,
                      const uint8_t *restrict sum, int width)
{
    for (int x = 0; x < width; x++)
        held[x] = equal[x] & (sum[x] >= MOST);
}

/* Pixels in equal company, and the range of green among them across. */
static void find_held(const Lock *l, const AVFrame *a)
{
    const int width = l->width;
    uint8_t *const most = l->row[0] + REACH, *const least = l->row[1] + REACH;
    for (int y = 0; y < l->height; y++) {
        uint8_t *const held = at(l, l->held, y);
        mark_held(held, at(l, l->equal, y), sums(l, l->equal, y), width);
        take_levels(most, least, held, colour_row(a, 0, y), width);
        spread(l->row[0], width);
        spread(l->row[1], width);
        uint8_t *const high = at(l, l->high, y), *const low = at(l, l->low, y);
        memcpy(high, most, (size_t)width);
        memcpy(low, least, (size_t)width);
        for (int k = -REACH; k <= REACH; k++) {
            raise_row(high, most + k, width);
            lower_row(low, least + k, width);
        }
    }
}

static void keep_contrast(uint8_t *restrict held, const uint8_t *restrict most,
                          const uint8_t *restrict least, int width)
{
    for (int x = 0; x < width; x++)
        held[x] &= most[x] >= least[x] + LOCK_CONTRAST;
}

/* Leaves of them those with contrast around. */
static void demand_contrast(const Lock *l)
{
    uint8_t *const most = l->row[0], *const least = l->row[1];
    for (int y = 0; y < l->height; y++) {
        memcpy(most, at(l, l->high, y), (size_t)l->width);
        memcpy(least, at(l, l->low, y), (size_t)l->width);
        for (int k = -REACH; k <= REACH; k++) {
            raise_row(most, at(l, l->high, y + k), l->width);
            lower_row(least, at(l, l->low, y + k), l->width);
        }
        keep_contrast(at(l, l->held, y), most, least, l->width);
    }
}

/* Weights of a row; how many are not 0. */
static int weigh(uint8_t *restrict weight, const uint8_t *restrict equal,
                 const uint8_t *restrict sum, int width)
{
    int count = 0;
    for (int x = 0; x < width; x++) {
        weight[x] = (uint8_t)(sum[x] & -(int)equal[x]);
        count += weight[x] > 0;
    }
    return count;
}

int64_t lock_find(Lock *l, const AVFrame *older, const AVFrame *newer)
{
    int64_t count = 0;
    if (prepare(l, older->width, older->height) < 0)
        return DAIN_ENOMEM;
    find_equal(l, older, newer);
    find_held(l, older);
    demand_contrast(l);
    for (int y = 0; y < l->height; y++)
        count += weigh(at(l, l->high, y), at(l, l->equal, y), sums(l, l->held, y), l->width);
    return count;
}

void lock_apply(const Lock *l, const AVFrame *older, const AVFrame *newer, double t, AVFrame *made)
{
    const float t1 = (float)t;
    for (int y = 0; y < l->height; y++) {
        const uint8_t *const weight = at(l, l->high, y);
        for (int p = 0; p < 4 && made->data[p] && older->data[p] && newer->data[p]; p++) {
            const float *const a = colour_row(older, p, y), *const b = colour_row(newer, p, y);
            float *const m = colour_row(made, p, y);
            for (int x = 0; x < l->width; x++)
                if (weight[x]) {
                    const float still = a[x] + t1 * (b[x] - a[x]);
                    m[x] = weight[x] == FULL_WEIGHT
                               ? still
                               : m[x] + (still - m[x]) * (float)weight[x] / FULL_WEIGHT;
                }
        }
    }
}
