/* Timeline: exact instants, exact counts, no drift over hours, odd timestamps. */
#include "test.h"

#include "dain/dain.h"
#include "media/timeline.h"

#include <math.h>

static const Ratio ONE = { 1, 1 };

static TimelineSettings by_rate(Ratio base, Ratio rate, Ratio out)
{
    return (TimelineSettings){
        .mode = TIMELINE_RATE, .time_base = base, .rate = rate, .out_rate = out, .stretch = ONE
    };
}

static TimelineSettings by_factor(Ratio base, Ratio rate, Ratio factor)
{
    return (TimelineSettings){
        .mode = TIMELINE_FACTOR, .time_base = base, .rate = rate, .factor = factor, .stretch = ONE
    };
}

/* Runs a list of timestamps through and keeps what comes out; the count is the function's value. */
static int run(const TimelineSettings *s, const int64_t *pts, int count, int64_t duration,
               Instant *out, int most)
{
    Timeline t;
    int got = 0;
    Instant instant;
    if (!CHECK_INT(timeline_init(&t, s), DAIN_OK))
        return 0;
    for (int i = 0; i < count; i++) {
        timeline_push(&t, pts[i]);
        while (timeline_next(&t, &instant))
            if (got++ < most)
                out[got - 1] = instant;
    }
    timeline_finish(&t, duration);
    while (timeline_next(&t, &instant))
        if (got++ < most)
            out[got - 1] = instant;
    return got;
}

static void check_instant(const Instant *got, int64_t first, int64_t num, int64_t den, int64_t pts)
{
    CHECK_INT(got->first, first);
    CHECK_INT(got->num, num);
    CHECK_INT(got->den, den);
    CHECK_INT(got->pts, pts);
}

static void doubles(void)
{
    const TimelineSettings s = by_factor((Ratio){ 1, 25 }, (Ratio){ 25, 1 }, (Ratio){ 2, 1 });
    const int64_t pts[] = { 7, 8, 9 };
    Instant out[8];
    CHECK_INT(run(&s, pts, 3, 1, out, 8), 6);
    Timeline t;
    timeline_init(&t, &s);
    CHECK_INT(t.out_base.num, 1);
    CHECK_INT(t.out_base.den, 50);
    check_instant(&out[0], 0, 0, 1, 0);
    check_instant(&out[1], 0, 1, 2, 1);
    check_instant(&out[2], 1, 0, 1, 2);
    check_instant(&out[3], 1, 1, 2, 3);
    check_instant(&out[4], 2, 0, 1, 4);
    check_instant(&out[5], 2, 0, 1, 5); /* held: nothing lies beyond */
    for (int i = 0; i < 6; i++)
        CHECK_INT(out[i].duration, 1);
}

/* A loop: beyond the last frame lies the first. */
static void closes_a_loop(void)
{
    static const TimelineMode mode[] = { TIMELINE_FACTOR, TIMELINE_RATE, TIMELINE_FILL };
    for (int m = 0; m < 3; m++) {
        TimelineSettings s = by_factor((Ratio){ 1, 25 }, (Ratio){ 25, 1 }, (Ratio){ 3, 1 });
        s.mode = mode[m];
        s.out_rate = (Ratio){ 75, 1 };
        Timeline t;
        Instant at;
        int count = 0;
        CHECK_INT(timeline_init(&t, &s), DAIN_OK);
        for (int i = 0; i < 3; i++) {
            if (i < 2)
                timeline_push(&t, 4 + i);
            else
                timeline_close(&t, 0);
            while (timeline_next(&t, &at)) {
                CHECK_INT(at.first, count / 3);
                CHECK_INT(at.num, count % 3);
                CHECK_INT(at.den, count % 3 ? 3 : 1);
                count++;
            }
        }
        CHECK_INT(count, 6);
    }
}

static void single_frame(void)
{
    const TimelineSettings s = by_factor((Ratio){ 1, 25 }, (Ratio){ 25, 1 }, (Ratio){ 3, 1 });
    const int64_t pts[] = { -4 };
    Instant out[8];
    CHECK_INT(run(&s, pts, 1, 0, out, 8), 3);
    for (int i = 0; i < 3; i++)
        check_instant(&out[i], 0, 0, 1, i);
    CHECK_INT(run(&s, pts, 0, 0, out, 8), 0);
}

static void film_to_60(void)
{
    const TimelineSettings s = by_rate((Ratio){ 1, 24 }, (Ratio){ 24, 1 }, (Ratio){ 60, 1 });
    int64_t pts[48];
    for (int i = 0; i < 48; i++)
        pts[i] = i;
    Instant out[128];
    CHECK_INT(run(&s, pts, 48, 1, out, 128), 120);
    for (int k = 0; k < 120; k++) {
        /* time k/60 s = position 24k/60 = 2k/5 frames */
        const int64_t first = 2 * k / 5, rest = 2 * k % 5;
        if (first < 47)
            check_instant(&out[k], first, rest, rest ? 5 : 1, k);
        else
            check_instant(&out[k], 47, 0, 1, k);
    }
}

/* Every instant of a long film against 128-bit arithmetic on its own. */
static void long_film(Ratio base, const char *what)
{
    enum { FRAMES = 200000 };
    const Ratio rate = { 24000, 1001 };
    const TimelineSettings s = by_rate(base, rate, (Ratio){ 60, 1 });
    Timeline t;
    CHECK_INT(timeline_init(&t, &s), DAIN_OK);
    int64_t count = 0;
    for (int64_t i = 0; i <= FRAMES; i++) {
        if (i < FRAMES) {
            /* i * 1001/24000 s in ticks of the base, to nearest */
            const __int128 top = (__int128)i * 1001 * base.den, bottom = 24000 * base.num;
            timeline_push(&t, 1000 + (int64_t)((2 * top + bottom) / (2 * bottom)));
        } else {
            timeline_finish(&t, 0);
        }
        for (Instant instant; timeline_next(&t, &instant); count++) {
            /* time count/60 s = position count * 24000 / (60 * 1001) = 400 count / 1001 frames */
            const int64_t first = 400 * count / 1001, rest = 400 * count % 1001;
            const int64_t common = int_gcd(rest, 1001);
            const int held = first == FRAMES - 1;
            if (!CHECK_INT(instant.first, first) ||
                !CHECK_INT(instant.num, held ? 0 : rest / common) ||
                !CHECK_INT(instant.den, held ? 1 : 1001 / common) ||
                !CHECK_INT(instant.pts, count)) {
                fprintf(stderr, "%s, output %" PRId64 "\n", what, count);
                return;
            }
        }
    }
    CHECK_INT(count, 500500); /* 200000 * 1001/24000 * 60 */
    CHECK_INT(timeline_forecast(&s, FRAMES), 500500);
}

static void two_hours_do_not_drift(void)
{
    long_film((Ratio){ 1001, 24000 }, "exact timestamps");
    long_film((Ratio){ 1, 1000 }, "whole milliseconds");
    long_film((Ratio){ 1, 90000 }, "90 kHz");
    long_film((Ratio){ 1, 1000000000 }, "nanoseconds");
}

static void rounded_timestamps_double_exactly(void)
{
    /* Matroska: 23.976 in milliseconds. Every output lies on the grid of 47.952. */
    enum { FRAMES = 1000 };
    const TimelineSettings s =
        by_factor((Ratio){ 1, 1000 }, (Ratio){ 24000, 1001 }, (Ratio){ 2, 1 });
    static int64_t pts[FRAMES];
    static Instant out[2 * FRAMES];
    for (int64_t i = 0; i < FRAMES; i++)
        pts[i] = (2 * i * 1001 + 24) / 48;
    CHECK_INT(run(&s, pts, FRAMES, 42, out, 2 * FRAMES), 2 * FRAMES);
    Timeline t;
    timeline_init(&t, &s);
    for (int64_t k = 0; k < 2 * FRAMES; k++) {
        /* pts * out_base = k * 1001/48000 */
        const __int128 left = (__int128)out[k].pts * t.out_base.num * 48000;
        if (!CHECK(left == (__int128)k * 1001 * t.out_base.den))
            break;
    }
}

static void variable_rate_by_factor(void)
{
    /* A phone: 33, 34, 70 (a frame missing), 33 ms. The gaps stay, each is halved. */
    const TimelineSettings s = by_factor((Ratio){ 1, 1000 }, (Ratio){ 0, 1 }, (Ratio){ 2, 1 });
    const int64_t pts[] = { 100, 133, 167, 237, 270 };
    Instant out[16];
    CHECK_INT(run(&s, pts, 5, 33, out, 16), 10);
    static const int64_t want[] = { 0, 33, 66, 100, 134, 204, 274, 307, 340, 373 };
    for (int i = 0; i < 10; i++) {
        CHECK_INT(out[i].pts, want[i]); /* half milliseconds */
        CHECK_INT(out[i].first, i / 2);
        CHECK_INT(out[i].num, i < 9 ? i % 2 : 0);
    }
}

static void variable_rate_to_constant(void)
{
    const TimelineSettings s = by_rate((Ratio){ 1, 1000 }, (Ratio){ 0, 1 }, (Ratio){ 50, 1 });
    const int64_t pts[] = { 0, 30, 100 };
    Instant out[16];
    CHECK_INT(run(&s, pts, 3, 40, out, 16), 7); /* 0, 20, .. 120 of 140 ms */
    check_instant(&out[0], 0, 0, 1, 0);
    check_instant(&out[1], 0, 2, 3, 1);
    check_instant(&out[2], 1, 1, 7, 2); /* 40 = 30 + 10 of 70 */
    check_instant(&out[4], 1, 5, 7, 4);
    check_instant(&out[5], 2, 0, 1, 5);
    check_instant(&out[6], 2, 0, 1, 6);
}

static void fewer_frames(void)
{
    /* 2/5 of the frames: positions 0, 2.5, 5, 7.5 of 10. */
    const TimelineSettings s = by_factor((Ratio){ 1, 60 }, (Ratio){ 60, 1 }, (Ratio){ 2, 5 });
    const int64_t pts[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    Instant out[8];
    CHECK_INT(run(&s, pts, 10, 1, out, 8), 4);
    CHECK_INT(timeline_forecast(&s, 10), 4);
    check_instant(&out[0], 0, 0, 1, 0);
    check_instant(&out[1], 2, 1, 2, 5); /* 2.5/60 s in units of 1/120 */
    check_instant(&out[2], 5, 0, 1, 10);
    check_instant(&out[3], 7, 1, 2, 15);
}

static void slow_motion(void)
{
    /* Four times longer at the same rate: 25 -> 25, each interval in four. */
    TimelineSettings s = by_rate((Ratio){ 1, 12800 }, (Ratio){ 25, 1 }, (Ratio){ 25, 1 });
    s.stretch = (Ratio){ 4, 1 };
    const int64_t pts[] = { 0, 512, 1024 };
    Instant out[16];
    CHECK_INT(run(&s, pts, 3, 512, out, 16), 12);
    CHECK_INT(timeline_forecast(&s, 3), 12);
    check_instant(&out[1], 0, 1, 4, 1);
    check_instant(&out[7], 1, 3, 4, 7);
    /* The same by factor: the time base is what is stretched. */
    s = by_factor((Ratio){ 1, 25 }, (Ratio){ 25, 1 }, (Ratio){ 4, 1 });
    s.stretch = (Ratio){ 4, 1 };
    Timeline t;
    CHECK_INT(timeline_init(&t, &s), DAIN_OK);
    CHECK_INT(t.out_base.num, 1);
    CHECK_INT(t.out_base.den, 25);
}

/* From 1 to 3 over two seconds: after s seconds s + s * s / 2 have passed, and 3 a second later on. */
static void ramp(void)
{
    const Pace pace = { .points = 2, .point = { { 10, 1 }, { 12, 3 } } };
    TimelineSettings s = by_rate((Ratio){ 1, 10 }, (Ratio){ 10, 1 }, (Ratio){ 20, 1 });
    s.ramp = &pace;
    s.ramp_from = 10;
    int64_t pts[30];
    Instant out[200];
    for (int i = 0; i < 30; i++)
        pts[i] = 100 + i;
    CHECK_INT(run(&s, pts, 30, 1, out, 200), 140);
    CHECK_INT(timeline_forecast(&s, 30), 140);
    for (int k = 0; k < 134; k++) { /* then the last frame is held */
        const double time = k / 20.0, want = time < 4 ? sqrt(1 + 2 * time) - 1 : 2 + (time - 4) / 3;
        const double got = ((double)out[k].first + (double)out[k].num / (double)out[k].den) / 10;
        CHECK(fabs(got - want) < 2e-3); /* within a pair in a straight line */
        CHECK_INT(out[k].pts, k);
    }
    CHECK(pace_at(&pace, 9) == 1 && pace_at(&pace, 11) == 2 && pace_at(&pace, 99) == 3);
    CHECK_INT(pace_time(&pace, 11000, (Ratio){ 1, 1000 }), 11500);
    CHECK_INT(pace_time(&pace, 9000, (Ratio){ 1, 1000 }), 9000);
    s.mode = TIMELINE_FILL;
    Timeline t;
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
}

static void fills_gaps(void)
{
    /* A phone at about 30, to 60: two parts for each gap, four where a frame is missing, and the
     * source's own times for its frames. */
    TimelineSettings s = by_rate((Ratio){ 1, 1000 }, (Ratio){ 0, 1 }, (Ratio){ 60, 1 });
    s.mode = TIMELINE_FILL;
    const int64_t pts[] = { 100, 133, 167, 234, 244 };
    Instant out[16];
    CHECK_INT(run(&s, pts, 5, 500, out, 16), 10);
    Timeline t;
    timeline_init(&t, &s);
    static const struct {
        int64_t first, num, den, pts; /* milliseconds */
    } want[] = { { 0, 0, 1, 0 },   { 0, 1, 2, 16 }, { 1, 0, 1, 33 },  { 1, 1, 2, 50 },
                 { 2, 0, 1, 67 },  { 2, 1, 4, 83 }, { 2, 1, 2, 100 }, { 2, 3, 4, 117 },
                 { 3, 0, 1, 134 }, { 4, 0, 1, 144 } };
    for (int i = 0; i < 10; i++) {
        const int64_t ms = out[i].pts * t.out_base.num * 1000 / t.out_base.den;
        check_instant(&out[i], want[i].first, want[i].num, want[i].den, out[i].pts);
        CHECK_INT(ms, want[i].pts);
    }
    CHECK_INT(out[9].duration * t.out_base.num * 1000 / t.out_base.den, 500);
}

static void refuses_nonsense(void)
{
    Timeline t;
    TimelineSettings s = by_factor((Ratio){ 1, 25 }, (Ratio){ 25, 1 }, (Ratio){ 0, 1 });
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
    s.factor = (Ratio){ 1001, 1 };
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
    s.factor = (Ratio){ 1, 1001 };
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
    s.factor = (Ratio){ 999999937, 999999929 };
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
    s = by_rate((Ratio){ 1, 25 }, (Ratio){ 25, 1 }, (Ratio){ -1, 1 });
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
    s = by_rate((Ratio){ 0, 25 }, (Ratio){ 25, 1 }, (Ratio){ 60, 1 });
    CHECK_INT(timeline_init(&t, &s), DAIN_EINVAL);
}

static void absurd_timestamps_stay_in_order(void)
{
    const TimelineSettings s = by_factor((Ratio){ 1, 90000 }, (Ratio){ 25, 1 }, (Ratio){ 2, 1 });
    const int64_t pts[] = { 0, 3600, INT64_MAX / 2, INT64_MAX / 2 + 3600 };
    Instant out[8];
    CHECK_INT(run(&s, pts, 4, INT64_MAX, out, 8), 8);
    for (int i = 1; i < 7; i++)
        CHECK(out[i].pts >= out[i - 1].pts);
}

static void parses_ratios(void)
{
    static const struct {
        const char *text;
        Ratio want;
    } good[] = { { "2", { 2, 1 } },
                 { "5/2", { 5, 2 } },
                 { "2.5", { 5, 2 } },
                 { "60000/1001", { 60000, 1001 } },
                 { "59.94", { 60000, 1001 } },
                 { "0.5", { 1, 2 } },
                 { "12.50", { 25, 2 } },
                 { "23.976", { 24000, 1001 } },
                 { ".5", { 1, 2 } },
                 { "30/2", { 15, 1 } } };
    Ratio got;
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++)
        if (CHECK(ratio_parse(good[i].text, &got))) {
            CHECK_INT(got.num, good[i].want.num);
            CHECK_INT(got.den, good[i].want.den);
        }
    static const char *const bad[] = { "",    "0",    "-2",   "2/", "/2",          "2/0",
                                       "a",   "2x",   "1e3",  ".",  "99999999999", "1/99999999999",
                                       "nan", "2//3", "1.2.3" };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!ratio_parse(bad[i], &got));
    CHECK(ratio_parse_rate("NTSC", &got) && got.num == 30000);
    CHECK(ratio_parse_rate("ntsc", &got) && got.num == 30000 && got.den == 1001);
    CHECK(ratio_parse_rate("pal", &got) && got.num == 25);
    CHECK(!ratio_parse("ntsc", &got));
}

static void rescales_exactly(void)
{
    const Ratio us = { 1, 1000000 }, fine = { 1, INT64_C(29970000000) };
    CHECK_INT(ratio_rescale(INT64_C(29970000000) * 3600, fine, us), INT64_C(3600000000));
    CHECK_INT(ratio_rescale(-14985, fine, us), -1); /* half away from zero */
    CHECK_INT(ratio_rescale(14984, fine, us), 0);
    CHECK_INT(ratio_rescale(1001, (Ratio){ 1, 24000 }, (Ratio){ 1001, 24000 }), 1);
    CHECK_INT(ratio_rescale(7, (Ratio){ INT64_C(39042541), INT64_C(1170090000) },
                            (Ratio){ INT64_C(39042541), INT64_C(1170090000) }),
              7);
    CHECK_INT(ratio_rescale(INT64_MAX, (Ratio){ 3, 1 }, us), INT64_MAX);
    CHECK_INT(ratio_rescale(-INT64_MAX, (Ratio){ 3, 1 }, us), INT64_MIN);
    CHECK_INT(ratio_rescale(INT64_MAX, us, (Ratio){ 3, 1 }), INT64_MAX / 3000000);
}

static void frames_of_a_long_film_are_a_factor(void)
{
    Timeline t;
    const TimelineSettings s = { .mode = TIMELINE_FACTOR,
                                 .time_base = { 1, 90000 },
                                 .rate = { 24000, 1001 },
                                 .factor = { 150000, 100003 },
                                 .stretch = { 1, 1 } };
    CHECK_INT(timeline_init(&t, &s), DAIN_OK);
    int64_t count = 0, last = -1;
    Instant at;
    for (int i = 0; i < 100003; i++) {
        timeline_push(&t, (int64_t)i * 90090 / 24);
        while (timeline_next(&t, &at)) {
            CHECK(at.pts > last);
            last = at.pts;
            count++;
        }
    }
    timeline_finish(&t, 0);
    while (timeline_next(&t, &at))
        count++;
    CHECK_INT(count, 150000);
}

static const Test tests[] = {
    { "times are rescaled exactly, whatever the clocks", rescales_exactly },
    { "a number of frames for a long film is a factor", frames_of_a_long_film_are_a_factor },
    { "the factor 2 keeps every frame and puts one between each two", doubles },
    { "in a loop the last frame leads to the first", closes_a_loop },
    { "one frame is held for its duration, no frame gives none", single_frame },
    { "24 to 60 lies at fifths", film_to_60 },
    { "23.976 to 60 is exact over 200,000 frames", two_hours_do_not_drift },
    { "rounded timestamps of a constant rate double exactly", rounded_timestamps_double_exactly },
    { "a factor halves every gap of a variable rate", variable_rate_by_factor },
    { "a rate makes a variable source constant", variable_rate_to_constant },
    { "a factor below one drops frames", fewer_frames },
    { "slow motion stretches time", slow_motion },
    { "a ramp is its integral", ramp },
    { "gaps are filled, source times kept", fills_gaps },
    { "nonsense is refused", refuses_nonsense },
    { "absurd timestamps stay in order", absurd_timestamps_stay_in_order },
    { "ratios are read exactly", parses_ratios },
};
TEST_MAIN(tests)
