/* Cadence: pulldown becomes even, everything else stays. */
#include "test.h"

#include "media/cadence.h"

enum { TICKS = 1000 }; /* a frame of the video */

/* Shows `count` frames by a pattern of runs; times[i] of each. */
static void show(Cadence *c, const int *pattern, int length, int count, int64_t *shown,
                 int64_t *times)
{
    int64_t at = c->any ? c->pts[c->count - 1] + TICKS : 0;
    for (int i = 0; i < count; i++) {
        shown[i] = at;
        times[i] = cadence_next(c, at, i ? pattern[(i - 1) % length] : 0);
        at += (int64_t)pattern[i % length] * TICKS;
    }
}

/* From `from` on the distances are equal, and nothing is further than four fifths of a frame from its place. */
static void check_even(const int *pattern, int length, int from, int64_t distance, const char *what)
{
    enum { COUNT = 120 };
    int64_t shown[COUNT], times[COUNT];
    Cadence c = { 0 };
    show(&c, pattern, length, COUNT, shown, times);
    for (int i = 1; i < COUNT; i++) {
        CHECK(times[i] > times[i - 1]);
        if (!CHECK(llabs(times[i] - shown[i]) * 5 <= 4 * TICKS))
            fprintf(stderr, "%s: frame %d shown at %" PRId64 ", put at %" PRId64 "\n", what, i,
                    shown[i], times[i]);
        if (i > from && !CHECK(llabs(times[i] - times[i - 1] - distance) <= 1))
            fprintf(stderr, "%s: frame %d is %" PRId64 " after the one before\n", what, i,
                    times[i] - times[i - 1]);
    }
}

static void pulldown(void)
{
    check_even((const int[]){ 2, 3 }, 2, 17, 2500, "24 in 60");
    check_even((const int[]){ 3, 2 }, 2, 17, 2500, "24 in 60, three first");
    check_even((const int[]){ 2, 3, 3, 2, 2, 3, 2, 3, 3, 2 }, 10, 17, 2500, "badly rounded");
    check_even((const int[]){ 2, 2, 3, 2, 3 }, 5, 17, 2400, "25 in 60");
    check_even((const int[]){ 2, 1, 1, 1 }, 4, 17, 1250, "24 in 30");
    check_even((const int[]){ 1, 1, 2, 1 }, 4, 17, 1250, "24 in 30, from the third");
    check_even((const int[]){ 2, 1, 1, 1, 1 }, 5, 17, 1200, "25 in 30");
    check_even(
        (const int[]){ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 }, 24,
        49, 1042, "24 in 25");
}

/* A picture of the film that looks like the one before is missed. */
static void pulldown_with_pauses(void)
{
    int64_t shown[60], times[60];
    Cadence c = { 0 };
    const int pattern[] = { 2, 3, 2, 3, 5, 2, 3, 2, 3, 2, 3, 5, 5, 2, 3, 2, 3, 2, 3, 2, 3 };
    show(&c, pattern, 21, 60, shown, times);
    for (int i = 18; i < 60; i++) {
        const int64_t step = times[i] - times[i - 1];
        CHECK(step == 2500 || step == 5000);
    }
}

static void even_stays(void)
{
    enum { COUNT = 50 };
    for (int run = 1; run <= 4; run++) {
        int64_t shown[COUNT], times[COUNT];
        Cadence c = { 0 };
        show(&c, &run, 1, COUNT, shown, times);
        CHECK_BYTES(times, shown, sizeof shown);
    }
}

static void uneven_stays(void)
{
    static const int drawn[] = { 2, 2, 3, 1, 2, 4, 2, 1, 1, 3, 2, 2, 2, 1, 3, 4, 1, 2, 2, 3 };
    int64_t shown[20], times[20];
    Cadence c = { 0 };
    show(&c, drawn, 20, 20, shown, times);
    CHECK_BYTES(times, shown, sizeof shown);
}

static void ends_with_its_pattern(void)
{
    enum { COUNT = 30 };
    int64_t shown[COUNT], times[COUNT];
    Cadence c = { 0 };
    show(&c, (const int[]){ 2, 3 }, 2, COUNT, shown, times);
    show(&c, (const int[]){ 1 }, 1, COUNT, shown, times);
    for (int i = 0; i < COUNT; i++)
        CHECK(llabs(times[i] - shown[i]) < TICKS && (i == 0 || times[i] > times[i - 1]));
    CHECK_INT(times[COUNT - 1], shown[COUNT - 1]);
    /* A break in the middle: the next frame is where it is shown, then the pattern is found again. */
    Cadence d = { 0 };
    show(&d, (const int[]){ 2, 3 }, 2, COUNT, shown, times);
    const int64_t at = shown[COUNT - 1] + 3 * TICKS;
    CHECK_INT(cadence_next(&d, at, 4), at);
}

static const Test tests[] = {
    { "pulldown becomes even", pulldown },
    { "a repetition in the film is no end of it", pulldown_with_pauses },
    { "frames on ones, twos, threes stay", even_stays },
    { "drawings of any length stay", uneven_stays },
    { "a pattern that ends is let go", ends_with_its_pattern },
};

TEST_MAIN(tests)
