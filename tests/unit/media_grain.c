/* Unit tests of media/grain.h: measured, missed, given back, and only where there is some. */
#include "media/grain.h"
#include "test.h"

#include "media/colour.h"

#include <math.h>

enum { W = 203, H = 150 };

static uint32_t state;

/* About normal, standard deviation 1: twelve uniform numbers. */
static float gaussian(void)
{
    float sum = -6;
    for (int i = 0; i < 12; i++) {
        state = state * 1664525u + 1013904223u;
        sum += (float)(state >> 8) / (1 << 24);
    }
    return sum;
}

static float *row(AVFrame *f, int plane, int y)
{
    return (float *)(f->data[plane] + (ptrdiff_t)y * f->linesize[plane]);
}

/* A gentle slope with some hard edges, and grain of this strength (in 255) on the right of column `from`. */
static AVFrame *draw(uint32_t seed, float grain, int from)
{
    AVFrame *const f = colour_frame(AV_PIX_FMT_GBRPF32, W, H);
    state = seed;
    for (int y = 0; f && y < H; y++)
        for (int x = 0; x < W; x++) {
            const float base = 0.3f + 0.001f * (float)x + (x % 60 == 30 ? 0.2f : 0);
            const float noise = gaussian() * grain / 255;
            for (int p = 0; p < 3; p++)
                row(f, p, y)[x] = base + (x >= from ? noise : 0);
        }
    CHECK(f != NULL);
    return f;
}

static AVFrame *mean(AVFrame *a, AVFrame *b)
{
    AVFrame *const f = colour_frame(AV_PIX_FMT_GBRPF32, W, H);
    for (int p = 0; f && p < 3; p++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                row(f, p, y)[x] = (row(a, p, y)[x] + row(b, p, y)[x]) / 2;
    CHECK(f != NULL);
    return f;
}

/* Standard deviation (in 255) of what differs from the clean drawing in columns x0 .. x1-1. */
static double deviation(AVFrame *f, int x0, int x1)
{
    AVFrame *clean = draw(1, 0, 0);
    double sum = 0;
    for (int y = 0; y < H; y++)
        for (int x = x0; x < x1; x++)
            sum += pow(row(f, 0, y)[x] - row(clean, 0, y)[x], 2);
    av_frame_free(&clean);
    return 255 * sqrt(sum / (H * (x1 - x0)));
}

static bool same(AVFrame *a, AVFrame *b)
{
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < H; y++)
            if (memcmp(row(a, p, y), row(b, p, y), W * sizeof(float)) != 0)
                return false;
    return true;
}

static void free_all(AVFrame *f[], int n)
{
    for (int i = 0; i < n; i++)
        av_frame_free(&f[i]);
}

static void grain_comes_back(void)
{
    for (float strength = 3; strength < 13; strength += 3) {
        AVFrame *f[5] = { draw(1, strength, 0), draw(2, strength, 0) };
        f[2] = mean(f[0], f[1]);
        f[3] = mean(f[0], f[1]);
        f[4] = mean(f[0], f[1]);
        Grain *const g = grain_measure(f[0], f[1]);
        if (!CHECK(g != NULL))
            return;
        CHECK(fabsf(255 * grain_level(g, 0.4f) / strength - 1) < 0.12f);
        CHECK(fabsf(grain_kept(g, f[2]) - (float)M_SQRT1_2) < 0.08f);
        grain_add(g, 7, f[2]);
        grain_add(g, 7, f[3]);
        grain_add(g, 8, f[4]);
        CHECK(fabs(deviation(f[2], 0, W) / strength - 1) < 0.12);
        CHECK(same(f[2], f[3]));
        CHECK(!same(f[2], f[4]));
        grain_free(g);
        free_all(f, 5);
    }
}

static void what_is_clean_stays_clean(void)
{
    for (float strength = 0; strength < 0.8f; strength += 0.35f) {
        AVFrame *f[4] = { draw(1, strength, 0), draw(2, strength, 0) };
        f[2] = mean(f[0], f[1]);
        f[3] = mean(f[0], f[1]);
        Grain *const g = grain_measure(f[0], f[1]);
        if (!CHECK(g != NULL))
            return;
        grain_add(g, 7, f[2]);
        CHECK(same(f[2], f[3]));
        CHECK(grain_level(g, 0.4f) <= 0 && grain_kept(g, f[2]) >= 1);
        grain_free(g);
        free_all(f, 4);
    }
}

static void a_clean_part_stays_clean(void)
{
    AVFrame *f[3] = { draw(1, 8, 96), draw(2, 8, 96) };
    f[2] = mean(f[0], f[1]);
    Grain *const g = grain_measure(f[0], f[1]);
    if (!CHECK(g != NULL))
        return;
    grain_add(g, 3, f[2]);
    CHECK(deviation(f[2], 0, 96) < 0.01);
    CHECK(fabs(deviation(f[2], 112, W) / 8 - 1) < 0.15);
    grain_free(g);
    free_all(f, 3);
}

static void a_frame_with_all_its_grain_is_left_alone(void)
{
    AVFrame *f[4] = { draw(1, 8, 0), draw(2, 8, 0), draw(3, 10, 0), draw(3, 10, 0) };
    Grain *const g = grain_measure(f[0], f[1]);
    if (!CHECK(g != NULL))
        return;
    grain_add(g, 3, f[2]);
    CHECK(fabs(deviation(f[2], 0, W) / deviation(f[3], 0, W) - 1) < 0.01);
    grain_free(g);
    free_all(f, 4);
}

static void the_smallest_pictures_are_taken(void)
{
    AVFrame *f[3];
    for (int i = 0; i < 3; i++) {
        f[i] = colour_frame(AV_PIX_FMT_GBRPF32, 16, 17);
        for (int p = 0; p < 3; p++)
            for (int y = 0; y < 17; y++)
                for (int x = 0; x < 16; x++)
                    row(f[i], p, y)[x] = i < 2 ? 0.5f + gaussian() / 20 : 0.5f;
    }
    Grain *const g = grain_measure(f[0], f[1]);
    if (!CHECK(g != NULL))
        return;
    grain_add(g, 3, f[2]);
    CHECK(row(f[2], 0, 16)[15] == 0.5f); /* two cells say nothing */
    grain_free(g);
    free_all(f, 3);
}

static const Test tests[] = {
    { "grain that a mean has lost comes back, by the seed", grain_comes_back },
    { "clean pictures are left as they are", what_is_clean_stays_clean },
    { "the clean part of a picture with grain stays clean", a_clean_part_stays_clean },
    { "a frame that has its grain gets no more", a_frame_with_all_its_grain_is_left_alone },
    { "the smallest pictures are taken", the_smallest_pictures_are_taken },
};
TEST_MAIN(tests)
