/* The timeline: output instants as exact fractions between source frames. */
#include "media/timeline.h"

#include "dain/dain.h"

#include <math.h>
#include <string.h>

/* Clock ticks a second, at most: 10^18 ticks in 64 bits leave 11 days. */
static const int64_t CLOCK_LIMIT = 1000000000000;
/* Terms of a factor: frames of long films, where a number of frames is wanted. Whether timestamps can be
 * multiplied by it is asked with the clock. */
enum { FACTOR_TERM = 100000000 };

/* Ticks a second at least where times are no multiples of the source's. */
enum { RAMP_CLOCK = 1000000 };

/* Ticks in period (seconds) at clock ticks a second; exact by choice of clock. */
static int64_t ticks(Ratio period, int64_t clock)
{
    return period.num * (clock / period.den);
}

static bool set_clock(Timeline *t, const TimelineSettings *s, Ratio nominal, Ratio step)
{
    int64_t clock = s->time_base.den;
    if (nominal.num && !int_lcm(clock, nominal.den, &clock))
        return false;
    if (s->ramp && !int_lcm(clock, RAMP_CLOCK, &clock))
        return false;
    if (s->mode != TIMELINE_FACTOR && !int_lcm(clock, step.den, &clock))
        return false;
    const int64_t multiply = s->mode == TIMELINE_FACTOR ? s->factor.num : 1;
    if (clock > CLOCK_LIMIT / multiply || s->time_base.num > CLOCK_LIMIT)
        return false;
    t->clock = clock;
    t->tick = ticks(s->time_base, clock);
    t->period = nominal.num ? ticks(nominal, clock) : 0;
    /* A grid finer than a few ticks of the source cannot be recognised in its timestamps. */
    if (t->tick > t->period / 4 && t->tick != t->period)
        t->period = 0;
    t->step = s->mode != TIMELINE_FACTOR ? ticks(step, clock) : 0;
    t->multiply = multiply;
    t->divide = s->mode == TIMELINE_FACTOR ? s->factor.den : 1;
    if (s->mode == TIMELINE_RATE) {
        t->out_base = ratio(s->out_rate.den, s->out_rate.num);
        return true;
    }
    return ratio_multiply(ratio(1, clock * multiply), s->stretch, &t->out_base);
}

int timeline_init(Timeline *t, const TimelineSettings *s)
{
    static const Ratio most = { 1000, 1 }, least = { 1, 1000 };
    memset(t, 0, sizeof *t);
    t->mode = s->mode;
    t->ramp = s->ramp;
    t->ramp_from = s->ramp_from;
    if (t->ramp && s->mode != TIMELINE_RATE)
        return DAIN_EINVAL;
    if (s->time_base.num <= 0 || s->time_base.den <= 0 || s->stretch.num <= 0 ||
        s->stretch.den <= 0)
        return DAIN_EINVAL;
    Ratio step = { 1, 1 };
    if (s->mode == TIMELINE_FACTOR) {
        if (s->factor.num <= 0 || s->factor.den <= 0 || ratio_compare(s->factor, most) > 0 ||
            ratio_compare(s->factor, least) < 0 || s->factor.num > FACTOR_TERM ||
            s->factor.den > FACTOR_TERM)
            return DAIN_EINVAL;
    } else if (s->out_rate.num <= 0 || s->out_rate.den <= 0 ||
               !ratio_multiply(ratio(s->out_rate.den, s->out_rate.num),
                               ratio(s->stretch.den, s->stretch.num), &step)) {
        return DAIN_EINVAL;
    }
    const Ratio nominal =
        s->rate.num > 0 && s->rate.den > 0 ? ratio(s->rate.den, s->rate.num) : (Ratio){ 0, 1 };
    if (set_clock(t, s, nominal, step) || set_clock(t, s, (Ratio){ 0, 1 }, step))
        return DAIN_OK;
    return DAIN_EINVAL;
}

/* Clock time of a span of source ticks, moved to the nominal grid if it is within a tick of it. */
static int64_t snap(const Timeline *t, int64_t span)
{
    const __int128 exact = (__int128)span * t->tick;
    if (exact > INT64_MAX / 4 / t->multiply)
        return 0; /* months: no timestamp; the caller moves on by the least step */
    const int64_t time = (int64_t)exact;
    if (!t->period)
        return time;
    const int64_t on_grid = (time + t->period / 2) / t->period * t->period;
    const int64_t distance = time > on_grid ? time - on_grid : on_grid - time;
    return distance <= t->tick ? on_grid : time;
}

/* Seconds of output from the first frame, for seconds of source from there. */
static double ramp_seconds(const Pace *ramp, double from, double seconds)
{
    return pace_seconds(ramp, from + seconds) - pace_seconds(ramp, from);
}

/* The same in ticks of the clock. */
static int64_t paced(Timeline *t, int64_t time)
{
    const double clock = (double)t->clock;
    t->source_b = time;
    if (!t->ramp)
        return time;
    const double out = ramp_seconds(t->ramp, t->ramp_from, (double)time / clock) * clock;
    return out < (double)(INT64_MAX / 4) ? llrint(out) : 0;
}

void timeline_push(Timeline *t, int64_t pts)
{
    if (t->frames == 0)
        t->first_pts = pts;
    t->time_a = t->time_b;
    t->time_b = t->frames ? paced(t, snap(t, pts - t->first_pts)) : 0;
    if (t->frames && t->time_b <= t->time_a)
        t->time_b = t->time_a + 1;
    t->frames++;
    t->part = 0;
}

void timeline_close(Timeline *t, int64_t duration)
{
    int64_t span = duration > 0 ? snap(t, duration) : 0;
    if (span <= 0)
        span = t->period;
    if (span <= 0)
        span = t->time_b - t->time_a;
    if (span <= 0)
        span = t->tick;
    t->time_a = t->time_b;
    t->time_b = t->ramp ? paced(t, t->source_b + span) : t->time_b + span;
    if (t->time_b <= t->time_a)
        t->time_b = t->time_a + 1;
    t->frames++;
    t->part = 0;
}

void timeline_finish(Timeline *t, int64_t duration)
{
    if (t->frames == 0 || t->finished)
        return;
    timeline_close(t, duration);
    t->finished = true;
}

static bool next_by_factor(Timeline *t, Instant *instant)
{
    const __int128 position = (__int128)t->next * t->divide;
    const int64_t first = (int64_t)(position / t->multiply);
    if (first > t->frames - 2)
        return false;
    const int64_t num = (int64_t)(position % t->multiply), span = t->time_b - t->time_a;
    const int64_t common = int_gcd(num, t->multiply);
    const __int128 duration = (__int128)span * t->divide;
    *instant = (Instant){ .first = first,
                          .num = num / common,
                          .den = t->multiply / common,
                          .pts = t->time_a * t->multiply + num * span,
                          .duration = duration < INT64_MAX ? (int64_t)duration : INT64_MAX };
    return true;
}

static bool next_by_rate(Timeline *t, Instant *instant)
{
    const __int128 time = (__int128)t->next * t->step;
    if (t->frames < 2 || time >= t->time_b)
        return false;
    const int64_t num = (int64_t)(time - t->time_a), span = t->time_b - t->time_a;
    const int64_t common = int_gcd(num, span);
    *instant = (Instant){ .first = t->frames - 2,
                          .num = num / common,
                          .den = span / common,
                          .pts = t->next,
                          .duration = 1 };
    return true;
}

static bool next_to_fill(Timeline *t, Instant *instant)
{
    const int64_t span = t->time_b - t->time_a;
    int64_t parts = (span + t->step / 2) / t->step;
    if (parts < 1 || t->finished)
        parts = 1;
    if (t->frames < 2 || t->part >= parts)
        return false;
    const int64_t common = int_gcd(t->part, parts), at = t->part++;
    *instant = (Instant){ .first = t->frames - 2,
                          .num = at / common,
                          .den = parts / common,
                          .pts = t->time_a + (int64_t)((__int128)span * at / parts),
                          .duration = span / parts };
    return true;
}

bool timeline_next(Timeline *t, Instant *instant)
{
    const bool found = t->mode == TIMELINE_FACTOR ? next_by_factor(t, instant)
                       : t->mode == TIMELINE_RATE ? next_by_rate(t, instant)
                                                  : next_to_fill(t, instant);
    if (!found)
        return false;
    t->next++;
    if (t->finished) {
        /* Nothing lies beyond the last frame: hold it. */
        instant->num = 0;
        instant->den = 1;
    }
    return true;
}

int64_t timeline_forecast(const TimelineSettings *s, int64_t frames)
{
    if (s->mode == TIMELINE_FACTOR)
        return (int64_t)(((__int128)frames * s->factor.num + s->factor.den - 1) / s->factor.den);
    if (s->ramp && s->rate.num > 0) {
        const double seconds = (double)frames / ratio_double(s->rate);
        const double out = ramp_seconds(s->ramp, s->ramp_from, seconds);
        return (int64_t)ceil(out * ratio_double(s->out_rate) - 1e-6);
    }
    /* ceil(frames / rate * stretch * out_rate) */
    Ratio per_frame;
    if (s->rate.num <= 0 ||
        !ratio_multiply(ratio(s->rate.den, s->rate.num), s->stretch, &per_frame) ||
        !ratio_multiply(per_frame, s->out_rate, &per_frame))
        return 0;
    return (int64_t)(((__int128)frames * per_frame.num + per_frame.den - 1) / per_frame.den);
}
