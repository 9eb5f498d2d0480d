/* Unit tests of what dain.h promises at its edges: extreme settings and pictures, cancellation, what is
 * reported. */
#include "base/mem.h"
#include "dain/dain.h"
#include "test.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { W = 1280, H = 720 }; /* large enough for strips */

static const char *model_path;
static unsigned char frame[H][W][3], made[2][H][W][3];

static DainImage packed(void *p, int w, int h)
{
    DainImage image = { .width = w, .height = h, .sample = DAIN_SAMPLE_U8, .step = 3 };
    for (int c = 0; c < 3; c++) {
        image.plane[c] = (unsigned char *)p + c;
        image.stride[c] = (ptrdiff_t)w * 3;
    }
    return image;
}

static DainSettings settings(void)
{
    DainSettings s;
    dain_settings_default(&s);
    s.model = model_path;
    s.threads = 2;
    return s;
}

static DainContext *opened(const DainSettings *s)
{
    DainContext *ctx = NULL;
    CHECK_INT(dain_open(&ctx, s), DAIN_OK);
    return ctx;
}

static int push(DainContext *ctx, int w, int h, int k)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                ((unsigned char *)frame)[(y * w + x) * 3 + c] =
                    (unsigned char)((x - 3 * k) * (y + c + 2 * k) >> 4);
    const DainImage image = packed(frame, w, h);
    return dain_push(ctx, &image);
}

static void strips_of_any_height_give_the_same_picture(void)
{
    static const int rows[] = { 0, INT_MAX };
    for (int i = 0; i < 2; i++) {
        DainSettings s = settings();
        s.precision = DAIN_PRECISION_INT8; /* the fastest */
        s.strip_rows = rows[i];
        DainContext *ctx = opened(&s);
        const DainImage out = packed(made[i], W, H);
        CHECK_INT(push(ctx, W, H, 0), DAIN_OK);
        CHECK_INT(push(ctx, W, H, 1), DAIN_OK);
        CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
        dain_close(&ctx);
    }
    CHECK(memcmp(made[0], made[1], sizeof made[0]) == 0);
}

static void reserved_settings_must_be_zero(void)
{
    DainSettings s = settings();
    DainContext *ctx = NULL;
    s.reserved[4] = 1;
    CHECK_INT(dain_open(&ctx, &s), DAIN_EINVAL);
    CHECK(!ctx && strstr(dain_open_error(), "dain_settings_default"));
}

static void cancel_every_call(DainMotion motion)
{
    DainSettings s = settings();
    s.motion = motion;
    DainContext *ctx = opened(&s);
    const DainImage out = packed(made[0], 64, 48), wrong = packed(made[0], 64, 47);
    for (int i = 0; i < 2; i++)
        CHECK_INT(push(ctx, 64, 48, i), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_interpolate(ctx, 1, 1, &out), DAIN_ECANCELED); /* a copy of a frame, too */
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &wrong), DAIN_EINVAL);
    CHECK_INT(dain_interpolate(ctx, 1, 3, &out), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(push(ctx, 64, 48, 2), DAIN_ECANCELED); /* the newer frame is left */
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_ESTATE);
    CHECK_INT(push(ctx, 64, 48, 2), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(push(ctx, 64, 48, 3), DAIN_ECANCELED); /* before the pair was computed, too */
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_ESTATE);
    CHECK_INT(push(ctx, 64, 48, 3), DAIN_OK);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
    dain_cancel(ctx);
    dain_reset(ctx);
    CHECK_INT(push(ctx, 64, 48, 0), DAIN_OK);
    dain_close(&ctx);
}

/* Calls that fail for another reason take the wish with them. */
static void a_cancellation_goes_with_any_failure(void)
{
    DainSettings s = settings();
    s.motion = DAIN_MOTION_CURVED;
    DainContext *ctx = opened(&s);
    const DainImage out = packed(made[0], 64, 48);
    dain_cancel(ctx);
    CHECK_INT(dain_push_ahead(ctx, &out, NULL, 1, 1), DAIN_ESTATE);
    CHECK_INT(push(ctx, 64, 48, 0), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_push(ctx, NULL), DAIN_EINVAL);
    CHECK_INT(push(ctx, 64, 48, 1), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_push_ahead(ctx, &out, NULL, 0, 1), DAIN_EINVAL);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_push_ahead(ctx, NULL, NULL, 1, 1), DAIN_EINVAL);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_advance(ctx), DAIN_ESTATE);
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
    dain_cancel(ctx);
    CHECK_INT(dain_interpolate(ctx, 1, 2, NULL), DAIN_EINVAL);
    CHECK_INT(dain_push_ahead(ctx, &out, NULL, 1, 1), DAIN_OK);
    CHECK_INT(dain_advance(ctx), DAIN_OK);
    dain_close(&ctx);
}

static void every_failure_has_its_own_sentence(void)
{
    const DainSettings s = settings();
    DainContext *ctx = opened(&s);
    DainStage stage;
    size_t bytes;
    CHECK_INT(push(ctx, 15, 48, 0), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "15 x 48");
    CHECK_INT(dain_push(ctx, NULL), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "NULL");
    CHECK_INT(dain_stage(ctx, 0, &stage), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "stage");
    CHECK_INT(dain_info(ctx, NULL), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "NULL");
    CHECK_INT(dain_plan(ctx, 8, 64, &(DainPlan){ 0 }), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "8 x 64");
    CHECK_INT(dain_plan(ctx, 64, 64, NULL), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "NULL");
    CHECK_INT(dain_memory_needed(&s, 64, 15, &bytes), DAIN_EINVAL);
    CHECK_CONTAINS(dain_open_error(), "64 x 15");
    CHECK_INT(dain_open(NULL, &s), DAIN_EINVAL);
    CHECK_CONTAINS(dain_open_error(), "NULL");
    CHECK_INT(dain_memory_needed(&s, 64, 64, NULL), DAIN_EINVAL);
    CHECK_CONTAINS(dain_open_error(), "NULL");
    dain_close(&ctx);
}

/* Which allocation it was makes no difference. */
static void missing_memory_is_said_to_be_that(void)
{
    DainSettings s = settings();
    const char *const models[] = { model_path, "edje" };
    for (int i = 0; i < 2; i++) {
        s.model = models[i];
        const long before = mem_count();
        DainContext *ctx;
        CHECK_INT(dain_open(&ctx, &s), i ? DAIN_EIO : DAIN_OK);
        dain_close(&ctx);
        for (long n = mem_count() - before; n > 0; n--) {
            mem_fail_at(n);
            CHECK_INT(dain_open(&ctx, &s), DAIN_ENOMEM);
            mem_fail_at(0);
        }
    }
}

static int write_to(DainContext *ctx, int step, ptrdiff_t stride)
{
    DainImage out = packed(made[0], 64, 48);
    out.step = step;
    for (int c = 0; c < 3; c++)
        out.stride[c] = stride;
    return dain_interpolate(ctx, 1, 2, &out);
}

static void rows_that_are_written_must_not_overlap(void)
{
    const DainSettings s = settings();
    DainContext *ctx = opened(&s);
    DainImage still = packed(frame, 64, 48);
    for (int c = 0; c < 3; c++)
        still.stride[c] = 0;
    for (int i = 0; i < 2; i++)
        CHECK_INT(dain_push(ctx, &still), DAIN_OK); /* one row, again and again */
    CHECK_INT(write_to(ctx, 3, 0), DAIN_EINVAL);
    CHECK_CONTAINS(dain_last_error(ctx), "overlap");
    CHECK_INT(write_to(ctx, 3, 63 * 3), DAIN_EINVAL);
    CHECK_INT(write_to(ctx, 3, 63 * 3 + 1), DAIN_OK);
    CHECK_INT(write_to(ctx, 47, 1), DAIN_EINVAL);
    CHECK_INT(write_to(ctx, 48, 1), DAIN_OK); /* by columns */
    DainImage out = packed(made[0][47], 64, 48);
    for (int c = 0; c < 3; c++)
        out.stride[c] = -100;
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_EINVAL);
    for (int c = 0; c < 3; c++)
        out.stride[c] = -64 * 3;
    CHECK_INT(dain_interpolate(ctx, 1, 2, &out), DAIN_OK);
    dain_close(&ctx);
}

static void samples_must_be_aligned_and_reserved_fields_zero(void)
{
    const DainSettings s = settings();
    DainContext *ctx = opened(&s);
    for (int sample = DAIN_SAMPLE_U8; sample <= DAIN_SAMPLE_F32; sample++) {
        const int bytes = 1 << sample;
        DainImage image = packed(made[0], 64, 48);
        image.sample = (DainSample)sample;
        for (int c = 0; c < 3; c++) {
            image.plane[c] = (unsigned char *)made[0] + c * bytes;
            image.stride[c] = 64 * 3 * bytes;
        }
        CHECK_INT(dain_push(ctx, &image), DAIN_OK);
        image.stride[2] += bytes / 2 + (bytes == 1);
        CHECK_INT(dain_push(ctx, &image), bytes > 1 ? DAIN_EINVAL : DAIN_OK);
        image.stride[2] = image.stride[0];
        image.plane[1] = (unsigned char *)image.plane[1] + 1;
        CHECK_INT(dain_push(ctx, &image), bytes > 1 ? DAIN_EINVAL : DAIN_OK);
        CHECK_INT(dain_interpolate(ctx, 0, 1, &image), bytes > 1 ? DAIN_EINVAL : DAIN_OK);
        image.plane[1] = (unsigned char *)image.plane[1] - 1;
        image.reserved[1] = 1;
        CHECK_INT(dain_push(ctx, &image), DAIN_EINVAL);
        CHECK_CONTAINS(dain_last_error(ctx), "reserved");
    }
    dain_close(&ctx);
}

static void cancelling_reaches_every_call_and_goes_with_a_reset(void)
{
    cancel_every_call(DAIN_MOTION_LINEAR);
    cancel_every_call(DAIN_MOTION_CURVED);
}

static void the_least_possible_plan_is_one(void)
{
    static const int sides[] = { 16, 64, 320 }; /* weights count more in small pictures */
    const DainSettings s = settings();
    DainContext *ctx = opened(&s);
    for (int i = 0; i < 3; i++) {
        DainPlan least, plan;
        CHECK_INT(dain_set_memory_limit(ctx, 1), DAIN_OK);
        CHECK_INT(dain_plan(ctx, sides[i], sides[i], &least), DAIN_ENOMEM);
        CHECK_INT(dain_set_memory_limit(ctx, least.total_bytes), DAIN_OK);
        CHECK_INT(dain_plan(ctx, sides[i], sides[i], &plan), DAIN_OK);
        CHECK_STRING(least.precision, plan.precision);
        CHECK_INT(least.total_bytes, plan.total_bytes);
        CHECK_INT(least.flow_divisor, plan.flow_divisor);
    }
    dain_close(&ctx);
}

static void multiply_adds_are_those_of_the_motion_in_use(void)
{
    DainInfo full, quarter, opened_only;
    DainSettings s = settings();
    DainContext *ctx = opened(&s);
    CHECK_INT(push(ctx, 64, 48, 0), DAIN_OK);
    CHECK_INT(dain_info(ctx, &full), DAIN_OK);
    dain_close(&ctx);
    s.flow = DAIN_FLOW_QUARTER;
    ctx = opened(&s);
    CHECK_INT(dain_info(ctx, &opened_only), DAIN_OK);
    CHECK_INT(push(ctx, 64, 48, 0), DAIN_OK);
    CHECK_INT(dain_info(ctx, &quarter), DAIN_OK);
    CHECK(full.macs_per_pixel > 29000 && quarter.macs_per_pixel < full.macs_per_pixel);
    CHECK(opened_only.macs_per_pixel == full.macs_per_pixel);
    dain_close(&ctx);
}

static void the_default_model_is_a_copy_and_may_be_a_name(void)
{
    CHECK_INT(setenv("DAIN_MODEL", model_path, 1), 0);
    const char *const path = dain_default_model();
    CHECK_INT(setenv("DAIN_MODEL", "elsewhere", 1), 0);
    CHECK_STRING(path, model_path);
    DainSettings s = settings();
    DainContext *ctx = NULL;
    s.model = NULL;
    CHECK_INT(dain_open(&ctx, &s), DAIN_EIO); /* looked up by name, as --model is */
    CHECK(strstr(dain_open_error(), "no model of that name"));
    CHECK_INT(unsetenv("DAIN_MODEL"), 0);
}

static void count_message(void *opaque, DainLogLevel level, const char *message)
{
    *(int *)opaque += level == DAIN_LOG_WARNING && strstr(message, "DAIN_CPU=avx3");
}

static void an_unknown_level_of_the_processor_is_logged(void)
{
    int messages = 0;
    size_t bytes;
    DainSettings s = settings();
    s.log = count_message;
    s.log_opaque = &messages;
    const char *const before = getenv("DAIN_CPU");
    char *const kept = before ? strdup(before) : NULL;
    setenv("DAIN_CPU", "avx3", 1);
    DainContext *ctx = opened(&s);
    CHECK_INT(messages, 1);
    CHECK_INT(dain_memory_needed(&s, 64, 64, &bytes), DAIN_OK);
    CHECK_INT(messages, 2);
    if (kept)
        setenv("DAIN_CPU", kept, 1);
    else
        unsetenv("DAIN_CPU");
    free(kept);
    dain_close(&ctx);
}

static const Test tests[] = {
    { "strips of any height give the same picture", strips_of_any_height_give_the_same_picture },
    { "reserved settings must be zero", reserved_settings_must_be_zero },
    { "cancelling reaches every call and goes with a reset",
      cancelling_reaches_every_call_and_goes_with_a_reset },
    { "a cancellation goes with any failure", a_cancellation_goes_with_any_failure },
    { "every failure has its own sentence", every_failure_has_its_own_sentence },
    { "missing memory is said to be that", missing_memory_is_said_to_be_that },
    { "rows that are written must not overlap", rows_that_are_written_must_not_overlap },
    { "samples must be aligned and reserved fields zero",
      samples_must_be_aligned_and_reserved_fields_zero },
    { "the least possible plan is one", the_least_possible_plan_is_one },
    { "multiply-adds are those of the motion in use",
      multiply_adds_are_those_of_the_motion_in_use },
    { "an unknown level of the processor is logged", an_unknown_level_of_the_processor_is_logged },
    { "the default model is a copy and may be a name",
      the_default_model_is_a_copy_and_may_be_a_name },
};

TEST_MAIN_OF(model_path, tests)
