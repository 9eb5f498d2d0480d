/* Unit tests of dain_push_guided(): motion of one picture, colours of another. */
#include "dain/dain.h"
#include "test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { W = 97, H = 66, SAMPLES = W * H * 3 };

static const char *model_path;

static DainImage floats(float *p)
{
    return (DainImage){ .width = W,
                        .height = H,
                        .sample = DAIN_SAMPLE_F32,
                        .step = 3,
                        .plane = { p, p + 1, p + 2 },
                        .stride = { W * 12, W * 12, W * 12 } };
}

/* Blobs that move to the right with k. */
static void draw(float *p, int k, float scale)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                const int u = x - 3 * k + 64, v = y + 5 * c;
                p[(y * W + x) * 3 + c] = scale * (float)((u * u + 3 * v * v + u * v) % 199) / 199;
            }
}

static DainContext *open_engine(DainPrecision precision, size_t limit)
{
    DainSettings s;
    DainContext *ctx = NULL;
    dain_settings_default(&s);
    s.model = model_path;
    s.threads = 2;
    s.precision = precision;
    s.memory_limit = limit;
    CHECK_INT(dain_open(&ctx, &s), DAIN_OK);
    return ctx;
}

/* Two frames that are frame_scale and guide_scale times the drawing; the picture between them. */
static void middle(DainContext *ctx, float frame_scale, float guide_scale, float *out)
{
    static float frame[SAMPLES], guide[SAMPLES];
    const DainImage f = floats(frame), g = floats(guide), o = floats(out);
    dain_reset(ctx);
    for (int k = 0; k < 2; k++) {
        draw(frame, k, frame_scale);
        draw(guide, k, guide_scale);
        CHECK_INT(dain_push_guided(ctx, &f, guide_scale > 0 ? &g : NULL), DAIN_OK);
    }
    CHECK_INT(dain_interpolate(ctx, 1, 1, &o), DAIN_OK);
    CHECK(!memcmp(out, frame, sizeof frame)); /* at t = 1 it is the frame, not the guide */
    CHECK_INT(dain_interpolate(ctx, 1, 3, &o), DAIN_OK);
}

/* The composition is linear in the frames, but for a residual that hangs on the motion alone: where that
 * stays, half the frames' contrast makes half the difference. */
static void frames_are_composed_and_guides_move(DainPrecision precision, size_t limit)
{
    static float plain[SAMPLES], same[SAMPLES], half[SAMPLES], quarter[SAMPLES], dark[SAMPLES];
    DainContext *ctx = open_engine(precision, limit);
    middle(ctx, 1, 0, plain);
    middle(ctx, 1, 1, same);
    CHECK(!memcmp(plain, same, sizeof plain));
    middle(ctx, 0.5f, 1, half);
    middle(ctx, 0.25f, 1, quarter);
    middle(ctx, 0.5f, 0, dark);
    int wrong = 0, differ = 0;
    for (int i = 0; i < SAMPLES; i++) {
        const bool inside = quarter[i] > 0 && half[i] > 0 && plain[i] > 0 && plain[i] < 1;
        wrong += inside && fabsf(2 * (half[i] - quarter[i]) - (plain[i] - half[i])) > 1e-5f;
        differ += fabsf(dark[i] - half[i]) > 1e-3f;
    }
    CHECK_INT(wrong, 0);
    CHECK(differ > SAMPLES / 20);
    dain_close(&ctx);
}

static void every_precision_takes_guides(void)
{
    frames_are_composed_and_guides_move(DAIN_PRECISION_F32, 0);
    frames_are_composed_and_guides_move(DAIN_PRECISION_BF16, 0);
    frames_are_composed_and_guides_move(DAIN_PRECISION_INT8, 0);
}

static void strips_take_guides(void)
{
    DainContext *ctx = open_engine(DAIN_PRECISION_F32, 1);
    DainPlan plan;
    CHECK_INT(dain_plan(ctx, W, H, &plan), DAIN_ENOMEM); /* the least that is possible */
    dain_close(&ctx);
    CHECK(plan.strip_rows > 0);
    frames_are_composed_and_guides_move(DAIN_PRECISION_F32, plan.total_bytes);
}

static void guides_of_another_kind_are_refused(void)
{
    static float frame[SAMPLES], guide[SAMPLES];
    DainContext *ctx = open_engine(DAIN_PRECISION_F32, 0);
    const DainImage f = floats(frame);
    DainImage g = floats(guide);
    g.width--;
    CHECK_INT(dain_push_guided(ctx, &f, &g), DAIN_EINVAL);
    CHECK(strstr(dain_last_error(ctx), "guide"));
    g.width = W;
    g.plane[2] = NULL;
    CHECK_INT(dain_push_guided(ctx, &f, &g), DAIN_EINVAL);
    CHECK_INT(dain_push_guided(NULL, &f, NULL), DAIN_EINVAL);
    CHECK_INT(dain_push_guided(ctx, NULL, &f), DAIN_EINVAL);
    dain_close(&ctx);
}

static const Test tests[] = {
    { "frames are composed by the motion of guides, in every precision",
      every_precision_takes_guides },
    { "so they are in strips", strips_take_guides },
    { "guides of another size or kind are refused", guides_of_another_kind_are_refused },
};

TEST_MAIN_OF(model_path, tests)
