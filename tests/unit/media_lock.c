/* What stands still is held, what moves is not. */
#include "test.h"

#include "media/colour.h"
#include "media/lock.h"

#include <math.h>

enum { W = 96, H = 64 };

/* A texture that moves by dx, and in front of it, if wanted, a white card with a black frame. */
static AVFrame *picture(int dx, bool card)
{
    AVFrame *const f = colour_frame(AV_PIX_FMT_GBRPF32, W, H);
    if (!CHECK(f != NULL))
        exit(1);
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float v = 0.5f + 0.3f * sinf((float)(x - dx) * 0.7f + (float)(p + y) * 0.4f);
                if (card && x >= 40 && x < 60 && y >= 20 && y < 34)
                    v = x < 42 || x >= 58 || y < 22 || y >= 32 ? 0 : 1;
                ((float *)(f->data[p] + y * f->linesize[p]))[x] = v;
            }
    return f;
}

static float sample(const AVFrame *f, int x, int y)
{
    return ((const float *)(f->data[0] + y * f->linesize[0]))[x];
}

static void holds_a_card(void)
{
    AVFrame *a = picture(0, true), *b = picture(3, true), *made = picture(1, false);
    Lock *const lock = lock_create();
    const int64_t count = lock_find(lock, a, b);
    CHECK(count >= 19 * 13 && count < 22 * 16);
    lock_apply(lock, a, b, 0.5, made);
    for (int y = 22; y < 32; y++)
        for (int x = 42; x < 58; x++)
            CHECK(sample(made, x, y) == sample(a, x, y));
    AVFrame *without = picture(1, false);
    CHECK(sample(made, 10, 10) == sample(without, 10, 10));
    CHECK(sample(made, 37, 25) == sample(without, 37, 25));
    lock_destroy(lock);
    av_frame_free(&a);
    av_frame_free(&b);
    av_frame_free(&made);
    av_frame_free(&without);
}

static void holds_nothing_that_moves(void)
{
    AVFrame *a = picture(0, false), *b = picture(3, false);
    Lock *const lock = lock_create();
    CHECK_INT(lock_find(lock, a, b), 0);
    /* Flat areas are equal wherever they move: no reason to hold them. */
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                ((float *)(a->data[p] + y * a->linesize[p]))[x] =
                    ((float *)(b->data[p] + y * b->linesize[p]))[x] = 0.7f;
    CHECK_INT(lock_find(lock, a, b), 0);
    lock_destroy(lock);
    av_frame_free(&a);
    av_frame_free(&b);
}

static void takes_small_pictures(void)
{
    Lock *const lock = lock_create();
    static const int sizes[][2] = { { 1, 1 }, { 2, 5 }, { 7, 1 }, { 16, 3 }, { 3, 16 } };
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AVFrame *f = colour_frame(AV_PIX_FMT_GBRAPF32, sizes[i][0], sizes[i][1]);
        for (int p = 0; p < 4; p++)
            memset(f->data[p], 0, (size_t)f->linesize[p] * (size_t)f->height);
        CHECK_INT(lock_find(lock, f, f), 0);
        lock_apply(lock, f, f, 0.25, f);
        av_frame_free(&f);
    }
    lock_destroy(lock);
}

static const Test tests[] = {
    { "a card in front of a moving picture is held", holds_a_card },
    { "what moves, and what is flat, is not held", holds_nothing_that_moves },
    { "any size is taken", takes_small_pictures },
};
TEST_MAIN(tests)
