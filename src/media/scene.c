/* Scene cuts: block matching on shrunk luma. */
#include "media/scene.h"

#include "base/mem.h"
#include "media/colour.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 96, /* at least so many samples across, if the picture has them */
    HEIGHT = 54,
    BLOCK = 8,
    REACH = 8, /* samples that a block may have moved */
    FLAT_CUT =
        96, /* levels that a cut to black changes at full score: the last step of a fade is none */
    NOISE = 2 /* levels: differences this small are grain, not content */
};

/* Mean luma, in 0 .. 255, of a square of side pixels. Every second row stands for both. */
static unsigned char mean_luma(const AVFrame *rgb, int x0, int y0, int side)
{
    const int step = side > 3 ? 2 : 1;
    float sum = 0;
    int count = 0;
    for (int y = y0; y < y0 + side; y += step) {
        const float *const g = colour_row(rgb, 0, y);
        const float *const b = colour_row(rgb, 1, y);
        const float *const r = colour_row(rgb, 2, y);
        for (int x = x0; x < x0 + side; x++)
            sum += r[x] + 2 * g[x] + b[x];
        count += side;
    }
    const float luma = sum * 63.75f / (float)count;
    return luma <= 0 ? 0 : luma >= 255 ? 255 : (unsigned char)lrintf(luma);
}

SceneFrame *scene_shrink(const AVFrame *rgb)
{
    int side =
        rgb->width / WIDTH < rgb->height / HEIGHT ? rgb->width / WIDTH : rgb->height / HEIGHT;
    if (side < 1)
        side = 1;
    SceneFrame *const f = mem_calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->width = rgb->width / side;
    f->height = rgb->height / side;
    f->luma = mem_alloc((size_t)f->width * (size_t)f->height);
    if (!f->luma) {
        mem_free(f);
        return NULL;
    }
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < f->width; x++)
            f->luma[y * f->width + x] = mean_luma(rgb, x * side, y * side, side);
    return f;
}

void scene_free(SceneFrame *f)
{
    if (!f)
        return;
    mem_free(f->luma);
    mem_free(f);
}

/* Sum of absolute differences of a block at b and its candidate at a, both in rows of width. */
static int block_difference(const unsigned char *a, const unsigned char *b, int width)
{
    int sum = 0;
    for (int y = 0; y < BLOCK; y++)
        for (int x = 0; x < BLOCK; x++)
            sum += abs(a[y * width + x] - b[y * width + x]);
    return sum;
}

static int best_match(const SceneFrame *older, const SceneFrame *newer, int x0, int y0)
{
    const int w = newer->width, h = newer->height;
    const unsigned char *const block = newer->luma + y0 * w + x0;
    int best = block_difference(older->luma + y0 * w + x0, block, w);
    const int top = y0 > REACH ? y0 - REACH : 0, left = x0 > REACH ? x0 - REACH : 0;
    const int bottom = y0 + REACH < h - BLOCK ? y0 + REACH : h - BLOCK;
    const int right = x0 + REACH < w - BLOCK ? x0 + REACH : w - BLOCK;
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            const int difference = block_difference(older->luma + y * w + x, block, w);
            if (difference < best)
                best = difference;
        }
    return best;
}

/* Mean |a - b| over all pairs of a sample of one frame and a sample of the other. */
static double random_difference(const SceneFrame *older, const SceneFrame *newer)
{
    int a[256] = { 0 }, b[256] = { 0 };
    const int count = newer->width * newer->height;
    for (int i = 0; i < count; i++) {
        a[older->luma[i]]++;
        b[newer->luma[i]]++;
    }
    /* The integral of P(a <= v < b) + P(b <= v < a). */
    double below_a = 0, below_b = 0, sum = 0;
    for (int v = 0; v < 256; v++) {
        below_a += a[v];
        below_b += b[v];
        const double pa = below_a / count, pb = below_b / count;
        sum += pa * (1 - pb) + pb * (1 - pa);
    }
    return sum;
}

static void statistics(const SceneFrame *f, double *mean, double *deviation)
{
    const int count = f->width * f->height;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        sum += f->luma[i];
        squares += f->luma[i] * f->luma[i];
    }
    *mean = sum / count;
    *deviation = sqrt(fmax(squares / count - *mean * *mean, 0));
}

/* Black, or white, or any one colour. */
static bool is_flat(const SceneFrame *f)
{
    double mean, deviation;
    statistics(f, &mean, &deviation);
    return deviation < NOISE;
}

static double compare(const SceneFrame *older, const SceneFrame *newer)
{
    double residual = 0;
    int blocks = 0;
    for (int y = 0; y + BLOCK <= newer->height; y += BLOCK)
        for (int x = 0; x + BLOCK <= newer->width; x += BLOCK, blocks++)
            residual += best_match(older, newer, x, y);
    residual = residual / blocks / (BLOCK * BLOCK) - NOISE;
    double most = random_difference(older, newer) + NOISE;
    if (most < FLAT_CUT && (is_flat(older) || is_flat(newer)))
        most = FLAT_CUT;
    const double score = residual / most;
    return score < 0 ? 0 : score > 1 ? 1 : score;
}

/* The older frame with brightness and contrast of the newer one; false if they are too far apart or
 * near enough anyway. */
static bool adjust(const SceneFrame *older, const SceneFrame *newer, SceneFrame *out)
{
    double mean_a, mean_b, a, b;
    statistics(older, &mean_a, &a);
    statistics(newer, &mean_b, &b);
    if (a < NOISE || b < NOISE || a > b * SCENE_GAIN || b > a * SCENE_GAIN ||
        (fabs(mean_a - mean_b) < NOISE && fabs(a - b) < NOISE))
        return false;
    *out = *older;
    out->luma = mem_alloc((size_t)older->width * (size_t)older->height);
    for (int i = 0; out->luma && i < older->width * older->height; i++) {
        const double v = (older->luma[i] - mean_a) * b / a + mean_b;
        out->luma[i] = v <= 0 ? 0 : v >= 255 ? 255 : (unsigned char)lrint(v);
    }
    return out->luma;
}

/* No fade takes so much of a step below this that trying would pay. */
#define LOW_SCORE 0.1

double scene_score(const SceneFrame *older, const SceneFrame *newer)
{
    SceneFrame adjusted;
    if (older->width != newer->width || older->height != newer->height)
        return 1;
    double score = compare(older, newer);
    if (score > LOW_SCORE && adjust(older, newer, &adjusted)) {
        score = fmin(score, compare(&adjusted, newer));
        mem_free(adjusted.luma);
    }
    return score;
}

double scene_next(SceneHistory *h, SceneFrame *frame, double threshold, int *flash)
{
    *flash = 0;
    const double score = h->frame[0] ? scene_score(h->frame[0], frame) : 0;
    const int since = h->since_cut;
    if (since > 0 && ++h->since_cut > SCENE_FLASH)
        h->since_cut = 0;
    if (score > threshold) {
        h->since_cut = 1;
        if (since > 0 && h->frame[since] && scene_score(h->frame[since], frame) <= threshold) {
            *flash = since;
            h->since_cut = 0;
        }
    }
    scene_free(h->frame[SCENE_FLASH]);
    for (int i = SCENE_FLASH; i > 0; i--)
        h->frame[i] = h->frame[i - 1];
    h->frame[0] = frame;
    return score;
}

void scene_forget(SceneHistory *h)
{
    for (int i = 0; i <= SCENE_FLASH; i++)
        scene_free(h->frame[i]);
    *h = (SceneHistory){ 0 };
}
