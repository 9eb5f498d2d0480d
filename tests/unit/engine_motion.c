/* Unit tests of curved motion: dain_push_ahead() and dain_advance(). */
#include "dain/dain.h"
#include "test.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { W = 256, H = 160, LARGE_W = 1280, LARGE_H = 720, BYTES = W * H * 3 };

static const char *model_path;

typedef unsigned char Picture[H][W][3];

static DainImage image_of(void *p, int w, int h)
{
    DainImage image = { .width = w, .height = h, .sample = DAIN_SAMPLE_U8, .step = 3 };
    for (int c = 0; c < 3; c++) {
        image.plane[c] = (unsigned char *)p + c;
        image.stride[c] = (ptrdiff_t)w * 3;
    }
    return image;
}

static double lattice(int x, int y, int c)
{
    unsigned h = (unsigned)x * 374761393u + (unsigned)y * 668265263u + (unsigned)c * 2147483647u;
    h = (h ^ h >> 13) * 1274126177u;
    return (h ^ h >> 16) & 255;
}

/* A texture that never repeats, with detail of some ten pixels, at the place (x,y). */
static double texture(double x, double y, int c)
{
    const double u = x / 9, v = y / 9;
    const int i = (int)floor(u), j = (int)floor(v);
    double a = u - i, b = v - j;
    a = a * a * (3 - 2 * a);
    b = b * b * (3 - 2 * b);
    return (lattice(i, j, c) * (1 - a) + lattice(i + 1, j, c) * a) * (1 - b) +
           (lattice(i, j + 1, c) * (1 - a) + lattice(i + 1, j + 1, c) * a) * b;
}

/* Everything moves to the right and speeds up by ten pixels from frame to frame. */
static void draw(void *to, int w, int h, double t)
{
    unsigned char *p = to;
    const double moved = 4 * t + 10 * t * t / 2;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                const double v = texture(x - moved, y + 0.3 * moved, c);
                *p++ = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
            }
}

static DainSettings settings(DainMotion motion)
{
    DainSettings s;
    dain_settings_default(&s);
    s.model = model_path;
    s.threads = 2;
    s.motion = motion;
    return s;
}

static DainContext *opened(DainMotion motion)
{
    const DainSettings s = settings(motion);
    DainContext *ctx = NULL;
    CHECK_INT(dain_open(&ctx, &s), DAIN_OK);
    return ctx;
}

static int push(DainContext *ctx, double t)
{
    static Picture p;
    draw(p, W, H, t);
    const DainImage image = image_of(p, W, H);
    return dain_push(ctx, &image);
}

static int ahead(DainContext *ctx, double t)
{
    static Picture p;
    draw(p, W, H, t);
    const DainImage image = image_of(p, W, H);
    return dain_push_ahead(ctx, &image, NULL, 1, 1);
}

static void middle(DainContext *ctx, Picture out)
{
    const DainImage image = image_of(out, W, H);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &image), DAIN_OK);
}

/* What linear motion makes between the frames 0 and 1. */
static void make_linear(Picture out)
{
    DainContext *ctx = opened(DAIN_MOTION_LINEAR);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    middle(ctx, out);
    dain_close(&ctx);
}

/* Mean difference away from the borders, where new things enter. */
static double error_of(Picture a, Picture b)
{
    enum { BORDER = 40 };
    double sum = 0;
    for (int y = BORDER; y < H - BORDER; y++)
        for (int x = BORDER; x < W - BORDER; x++)
            for (int c = 0; c < 3; c++)
                sum += abs(a[y][x][c] - b[y][x][c]);
    return sum / (3.0 * (W - 2 * BORDER) * (H - 2 * BORDER));
}

/* Made by the first test that needs them. */
static Picture linear, curved, other, truth;

static void curved_motion_follows_the_path(void)
{
    DainContext *ctx = opened(DAIN_MOTION_CURVED);
    make_linear(linear);
    CHECK_INT(push(ctx, -1), DAIN_OK);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    CHECK_INT(ahead(ctx, 2), DAIN_OK);
    middle(ctx, curved);
    dain_close(&ctx);
    draw(truth, W, H, 0.5);
    CHECK(error_of(curved, truth) < 0.6 * error_of(linear, truth));
}

static void a_frame_shown_ahead_is_as_good_as_one_pushed(void)
{
    DainContext *ctx = opened(DAIN_MOTION_CURVED);
    CHECK_INT(push(ctx, -1), DAIN_OK);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(ahead(ctx, 1), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_advance(ctx), DAIN_ECANCELED);
    CHECK_INT(dain_advance(ctx), DAIN_OK);
    CHECK_INT(dain_advance(ctx), DAIN_ESTATE);
    CHECK_INT(ahead(ctx, 2), DAIN_OK);
    middle(ctx, other);
    dain_close(&ctx);
    CHECK(memcmp(curved, other, BYTES) == 0);
}

static void without_neighbours_motion_is_linear(void)
{
    DainContext *ctx = opened(DAIN_MOTION_CURVED);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    CHECK_INT(ahead(ctx, 2), DAIN_OK); /* nothing before */
    middle(ctx, other);
    CHECK(memcmp(linear, other, BYTES) == 0);

    dain_reset(ctx);
    CHECK_INT(push(ctx, -1), DAIN_OK);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK); /* nothing after */
    middle(ctx, other);
    CHECK(memcmp(linear, other, BYTES) == 0);

    dain_reset(ctx);
    CHECK_INT(push(ctx, -1), DAIN_OK);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    dain_reset(ctx); /* a cut */
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    CHECK_INT(ahead(ctx, 2), DAIN_OK);
    middle(ctx, other);
    CHECK(memcmp(linear, other, BYTES) == 0);
    dain_close(&ctx);
}

static void calls_out_of_order_are_refused(void)
{
    DainContext *ctx = opened(DAIN_MOTION_CURVED);
    Picture *const small = calloc(1, sizeof *small);
    const DainImage wrong = image_of(small, W / 2, H), right = image_of(small, W, H);
    CHECK_INT(dain_push_ahead(NULL, &right, NULL, 1, 1), DAIN_EINVAL);
    CHECK_INT(dain_advance(NULL), DAIN_EINVAL);
    CHECK_INT(dain_advance(ctx), DAIN_ESTATE);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(ahead(ctx, 1), DAIN_ESTATE);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    CHECK_INT(dain_push_ahead(ctx, &wrong, NULL, 1, 1), DAIN_EINVAL);
    static const double bad[] = { 0, -1, 1e-9, 1e9, NAN, INFINITY };
    for (int i = 0; i < 6; i++) {
        CHECK_INT(dain_push_ahead(ctx, &right, NULL, bad[i], 1), DAIN_EINVAL);
        CHECK_INT(dain_push_ahead(ctx, &right, NULL, 1, bad[i]), DAIN_EINVAL);
    }
    CHECK_INT(dain_advance(ctx), DAIN_ESTATE);
    free(small);
    dain_close(&ctx);

    ctx = opened(DAIN_MOTION_LINEAR); /* nothing is kept */
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    CHECK_INT(ahead(ctx, 2), DAIN_OK);
    CHECK_INT(dain_advance(ctx), DAIN_ESTATE);
    dain_close(&ctx);

    DainSettings s = settings((DainMotion)2);
    CHECK_INT(dain_open(&ctx, &s), DAIN_EINVAL);
}

static void a_cancelled_look_ahead_leaves_the_pair(void)
{
    DainContext *ctx = opened(DAIN_MOTION_CURVED);
    for (int t = -1; t < 2; t++)
        CHECK_INT(push(ctx, t), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(ahead(ctx, 2), DAIN_ECANCELED);
    CHECK_INT(dain_advance(ctx), DAIN_ESTATE);
    middle(ctx, other);
    CHECK(memcmp(linear, other, BYTES) == 0);
    CHECK_INT(ahead(ctx, 2), DAIN_OK);
    middle(ctx, other);
    CHECK(memcmp(curved, other, BYTES) == 0);
    dain_close(&ctx);
}

/* Neighbours of other lengths: the same path, its frames at other times. */
static void pairs_need_not_last_equally_long(void)
{
    DainContext *ctx = opened(DAIN_MOTION_CURVED);
    static Picture p;
    CHECK_INT(push(ctx, -0.5), DAIN_OK);
    CHECK_INT(push(ctx, 0), DAIN_OK);
    CHECK_INT(push(ctx, 1), DAIN_OK);
    draw(p, W, H, 1.8);
    const DainImage image = image_of(p, W, H);
    CHECK_INT(dain_push_ahead(ctx, &image, NULL, 0.5, 0.8), DAIN_OK);
    middle(ctx, other);
    CHECK(error_of(other, truth) < 0.6 * error_of(linear, truth));
    dain_close(&ctx);
}

static void a_short_memory_gives_up_the_path(void)
{
    DainSettings s = settings(DAIN_MOTION_CURVED);
    DainContext *ctx = NULL;
    DainPlan all, least;
    s.precision = DAIN_PRECISION_F32;
    s.flow = DAIN_FLOW_FULL;
    CHECK_INT(dain_open(&ctx, &s), DAIN_OK);
    CHECK_INT(dain_plan(ctx, W, H, &all), DAIN_OK);
    CHECK(all.total_bytes == all.arena_bytes + all.scratch_bytes + all.weight_bytes +
                                 3 * all.frame_bytes + 3 * all.pair_bytes);
    CHECK(all.frames == 3 && all.pairs == 3);
    CHECK_INT(dain_set_memory_limit(ctx, 1), DAIN_OK);
    CHECK_INT(dain_plan(ctx, W, H, &least), DAIN_ENOMEM);
    CHECK(least.total_bytes == least.arena_bytes + least.scratch_bytes + least.weight_bytes +
                                   2 * least.frame_bytes + least.pair_bytes);
    CHECK_INT(dain_set_memory_limit(ctx, least.total_bytes), DAIN_OK);
    for (int t = -1; t < 2; t++)
        CHECK_INT(push(ctx, t), DAIN_OK);
    CHECK_INT(ahead(ctx, 2), DAIN_OK);
    middle(ctx, other);
    CHECK(memcmp(linear, other, BYTES) == 0);
    dain_close(&ctx);
}

/* In strips and 8 bits, in strips of all rows, and turned. */
static void make_large(unsigned char *out, int strip_rows, int tta)
{
    DainSettings s = settings(DAIN_MOTION_CURVED);
    DainContext *ctx = NULL;
    unsigned char *const p = malloc((size_t)LARGE_W * LARGE_H * 3);
    const DainImage image = image_of(p, LARGE_W, LARGE_H), made = image_of(out, LARGE_W, LARGE_H);
    s.precision = DAIN_PRECISION_INT8;
    s.strip_rows = strip_rows;
    s.tta = tta;
    CHECK_INT(dain_open(&ctx, &s), DAIN_OK);
    for (int t = -1; p && t < 3; t++) {
        draw(p, LARGE_W, LARGE_H, t);
        CHECK_INT(t < 2 ? dain_push(ctx, &image) : dain_push_ahead(ctx, &image, NULL, 1, 1),
                  DAIN_OK);
    }
    CHECK_INT(dain_interpolate(ctx, 1, 3, &made), DAIN_OK);
    dain_close(&ctx);
    free(p);
}

static void strips_make_no_difference(void)
{
    const size_t size = (size_t)LARGE_W * LARGE_H * 3;
    unsigned char *const a = calloc(1, size), *const b = calloc(1, size);
    if (CHECK(a && b)) {
        make_large(a, 0, 0);
        make_large(b, INT_MAX, 0);
        CHECK(memcmp(a, b, size) == 0);
        make_large(b, 0, 1);
        CHECK(memcmp(a, b, size) != 0);
    }
    free(a);
    free(b);
}

static const Test tests[] = {
    { "curved motion follows the path", curved_motion_follows_the_path },
    { "a frame shown ahead is as good as one pushed",
      a_frame_shown_ahead_is_as_good_as_one_pushed },
    { "without neighbours motion is linear", without_neighbours_motion_is_linear },
    { "calls out of order are refused", calls_out_of_order_are_refused },
    { "a cancelled look ahead leaves the pair", a_cancelled_look_ahead_leaves_the_pair },
    { "pairs need not last equally long", pairs_need_not_last_equally_long },
    { "a short memory gives up the path", a_short_memory_gives_up_the_path },
    { "strips make no difference", strips_make_no_difference },
};

TEST_MAIN_OF(model_path, tests)
