/* Unit tests of DainSettings.tta: the mean over the frames as they are and turned by 180 degrees. */
#include "dain/dain.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { W = 101, H = 70, PIXELS = W * H };

static const char *model_path;

/* Packed, with alpha or without. */
static DainImage packed(void *p, DainSample sample, int channels)
{
    static const int bytes[] = { 1, 2, 4 };
    const int size = bytes[sample];
    DainImage image = { .width = W, .height = H, .sample = sample, .step = channels };
    for (int c = 0; c < channels; c++) {
        image.plane[c] = (unsigned char *)p + (ptrdiff_t)c * size;
        image.stride[c] = (ptrdiff_t)W * channels * size;
    }
    return image;
}

/* Stripes and blobs that move with k. */
static void draw(float *p, int channels, int k)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++) {
                const int u = x - 4 * k + 64, v = y + 3 * k + 7 * c;
                p[(y * W + x) * channels + c] = (float)((u * u + 2 * v * v + u * v) % 211) / 211;
            }
}

static void turn(float *p, int channels)
{
    for (int i = 0, j = PIXELS - 1; i < j; i++, j--)
        for (int c = 0; c < channels; c++) {
            const float t = p[i * channels + c];
            p[i * channels + c] = p[j * channels + c];
            p[j * channels + c] = t;
        }
}

static DainContext *open_engine(int tta, DainPrecision precision, size_t limit, int threads)
{
    DainSettings s;
    DainContext *ctx = NULL;
    dain_settings_default(&s);
    s.model = model_path;
    s.threads = threads;
    s.precision = precision;
    s.memory_limit = limit;
    s.tta = tta;
    CHECK_INT(dain_open(&ctx, &s), DAIN_OK);
    return ctx;
}

/* The picture at 1/3, of frames turned or not, their guides a little brighter where wished. */
static void third(DainContext *ctx, int channels, int turned, int guided, float *out)
{
    static float frame[PIXELS * 4], guide[PIXELS * 4];
    const DainImage f = packed(frame, DAIN_SAMPLE_F32, channels),
                    g = packed(guide, DAIN_SAMPLE_F32, channels),
                    o = packed(out, DAIN_SAMPLE_F32, channels);
    dain_reset(ctx);
    for (int k = 0; k < 2; k++) {
        draw(frame, channels, k);
        if (turned)
            turn(frame, channels);
        for (int i = 0; i < PIXELS * channels; i++)
            guide[i] = 0.5f + 0.5f * frame[i];
        CHECK_INT(dain_push_guided(ctx, &f, guided ? &g : NULL), DAIN_OK);
    }
    CHECK_INT(dain_interpolate(ctx, 0, 1, &o), DAIN_OK);
    draw(frame, channels, 0);
    if (turned)
        turn(frame, channels);
    CHECK(!memcmp(out, frame, sizeof(float) * PIXELS * (size_t)channels));
    CHECK_INT(dain_interpolate(ctx, 1, 3, &o), DAIN_OK);
}

static void is_the_mean(DainPrecision precision, int channels, int guided, size_t limit)
{
    static float a[PIXELS * 4], b[PIXELS * 4], mean[PIXELS * 4];
    DainContext *plain = open_engine(0, precision, 0, 1);
    third(plain, channels, 0, guided, a);
    third(plain, channels, 1, guided, b);
    turn(b, channels);
    CHECK(memcmp(a, b, sizeof(float) * PIXELS * (size_t)channels));
    dain_close(&plain);
    DainContext *tta = open_engine(1, precision, limit, 2);
    third(tta, channels, 0, guided, mean);
    dain_close(&tta);
    int wrong = 0;
    for (int i = 0; i < PIXELS * channels; i++)
        wrong += mean[i] != 0.5f * (a[i] + b[i]);
    CHECK_INT(wrong, 0);
}

static void mean_of_two_views(void)
{
    is_the_mean(DAIN_PRECISION_F32, 3, 0, 0);
    is_the_mean(DAIN_PRECISION_F32, 4, 1, 0);
    is_the_mean(DAIN_PRECISION_BF16, 3, 0, 0);
    is_the_mean(DAIN_PRECISION_INT8, 3, 1, 0);
}

/* Rounded once, after the mean. */
static void bytes_are_rounded_once(void)
{
    static float frame[PIXELS * 3], mean[PIXELS * 3];
    static unsigned char codes[PIXELS * 3], copy[PIXELS * 3];
    DainContext *ctx = open_engine(1, DAIN_PRECISION_F32, 0, 2);
    const DainImage f = packed(frame, DAIN_SAMPLE_F32, 3), o = packed(mean, DAIN_SAMPLE_F32, 3),
                    bytes = packed(codes, DAIN_SAMPLE_U8, 3);
    for (int k = 0; k < 2; k++) {
        draw(frame, 3, k);
        CHECK_INT(dain_push(ctx, &f), DAIN_OK);
    }
    CHECK_INT(dain_interpolate(ctx, 1, 2, &o), DAIN_OK);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &bytes), DAIN_OK);
    int wrong = 0;
    for (int i = 0; i < PIXELS * 3; i++) {
        const float off = mean[i] * 255.0f - codes[i];
        wrong += off > 0.5001f || off < -0.5001f;
    }
    CHECK_INT(wrong, 0);
    /* a picture that was cancelled leaves nothing behind */
    dain_cancel(ctx);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &bytes), DAIN_ECANCELED);
    const DainImage again = packed(copy, DAIN_SAMPLE_U8, 3);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &again), DAIN_OK);
    CHECK(!memcmp(codes, copy, sizeof codes));
    dain_close(&ctx);
}

static void planned_size_is_kept(void)
{
    DainPlan one, two;
    DainInfo info, info_one;
    DainContext *plain = open_engine(0, DAIN_PRECISION_F32, 0, 2),
                *tta = open_engine(1, DAIN_PRECISION_F32, 0, 2);
    CHECK_INT(dain_plan(plain, W, H, &one), DAIN_OK);
    CHECK_INT(dain_plan(tta, W, H, &two), DAIN_OK);
    CHECK(two.frame_bytes == 2 * one.frame_bytes && two.pair_bytes == 2 * one.pair_bytes);
    CHECK(two.weight_bytes == one.weight_bytes && two.scratch_bytes == one.scratch_bytes);
    CHECK(two.arena_bytes == one.arena_bytes + 2 * PIXELS * 4 * sizeof(float));
    CHECK_INT(dain_info(plain, &info_one), DAIN_OK);
    CHECK_INT(dain_info(tta, &info), DAIN_OK);
    CHECK(info.macs_per_pixel == 2 * info_one.macs_per_pixel);
    dain_close(&plain);
    dain_close(&tta);

    /* within the least that is possible: strips */
    tta = open_engine(1, DAIN_PRECISION_F32, 1, 2);
    CHECK_INT(dain_plan(tta, W, H, &two), DAIN_ENOMEM);
    dain_close(&tta);
    CHECK(two.strip_rows > 0);
    is_the_mean(DAIN_PRECISION_F32, 3, 0, two.total_bytes);
}

static void memory_of_the_caller_is_enough(void)
{
    static float frame[PIXELS * 3];
    DainSettings s;
    DainContext *ctx;
    size_t bytes, plain;
    dain_settings_default(&s);
    s.model = model_path;
    s.threads = 1;
    CHECK_INT(dain_memory_needed(&s, W, H, &plain), DAIN_OK);
    s.tta = 1;
    CHECK_INT(dain_memory_needed(&s, W, H, &bytes), DAIN_OK);
    CHECK(bytes > plain);
    void *const memory = malloc(bytes);
    CHECK_INT(dain_use_memory(memory, bytes), DAIN_OK);
    CHECK_INT(dain_open(&ctx, &s), DAIN_OK);
    const DainImage f = packed(frame, DAIN_SAMPLE_F32, 3);
    CHECK_INT(dain_push(ctx, &f), DAIN_OK);
    CHECK_INT(dain_push(ctx, &f), DAIN_OK);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &f), DAIN_OK);
    dain_close(&ctx);
    CHECK_INT(dain_use_memory(NULL, 0), DAIN_OK);
    free(memory);
}

static void other_values_are_refused(void)
{
    DainSettings s;
    DainContext *ctx;
    dain_settings_default(&s);
    s.model = model_path;
    s.tta = 2;
    CHECK_INT(dain_open(&ctx, &s), DAIN_EINVAL);
    CHECK(strstr(dain_open_error(), "tta"));
}

static const Test tests[] = {
    { "a new picture is the mean over two views, in every precision", mean_of_two_views },
    { "it is rounded once, and cancelled cleanly", bytes_are_rounded_once },
    { "what it holds is planned", planned_size_is_kept },
    { "the caller's memory is enough for it", memory_of_the_caller_is_enough },
    { "there is no third view", other_values_are_refused },
};

TEST_MAIN_OF(model_path, tests)
