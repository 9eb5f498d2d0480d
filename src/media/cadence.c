/* The rhythm of repeated frames. */
#include "media/cadence.h"

#include <math.h>
#include <string.h>

/* Frames of video for so many of film, and over how many pictures a line must hold to be believed:
 * longer than a line of another slope could. */
static const struct {
    double slope;
    int length;
} known[] = {
    { 5.0 / 2, 16 },   /* 24 in 60; animation on twos in 30 */
    { 5.0 / 4, 16 },   /* 24 in 30 */
    { 15.0 / 4, 16 },  /* animation on threes in 30 */
    { 12.0 / 5, 16 },  /* 25 in 60 */
    { 6.0 / 5, 16 },   /* 25 in 30 */
    { 3.0 / 2, 16 },   /* 20 in 30, 40 in 60 */
    { 25.0 / 24, 50 }, /* 24 in 25 */
};
enum { KNOWN = sizeof known / sizeof *known };

/* Half a frame and what computing costs. */
static const double ROUNDING = 0.51;
/* Once a line is believed: how far a picture may be from it, and how many pictures in a row may be
 * missing because they look like the one before. */
static const double LOYAL = 0.76;
enum { MISSING = 3 };

static void add(Cadence *c, int64_t pts, int run)
{
    if (c->count == CADENCE_MEMORY) {
        memmove(c->shown, c->shown + 1, (CADENCE_MEMORY - 1) * sizeof *c->shown);
        memmove(c->pts, c->pts + 1, (CADENCE_MEMORY - 1) * sizeof *c->pts);
        c->count--;
    }
    c->shown[c->count] = c->count ? c->shown[c->count - 1] + run : 0;
    c->pts[c->count++] = pts;
}

/* Whether the last pictures lie on a line of this slope: then *place is that of the newest. */
static bool on_line(const Cadence *c, int i, double *place)
{
    const int newest = c->count - 1, length = known[i].length;
    double low = -HUGE_VAL, high = HUGE_VAL;
    if (c->count < length)
        return false;
    for (int k = 0; k < length; k++) {
        /* Where the line could be at the newest picture, as far as this one tells. With a slope of
         * two and more it is clear how many pictures of the film lie between. */
        const double back = (double)(c->shown[newest] - c->shown[newest - k]);
        const double steps = known[i].slope < 2 ? k : round(back / known[i].slope);
        const double at = (double)c->shown[newest - k] + steps * known[i].slope;
        low = fmax(low, at - ROUNDING);
        high = fmin(high, at + ROUNDING);
    }
    *place = (low + high) / 2;
    return low <= high;
}

static void follow(Cadence *c)
{
    const double shown = (double)c->shown[c->count - 1];
    for (int i = 0; c->slope && i <= MISSING; i++) {
        c->place += known[c->slope - 1].slope;
        if (fabs(c->place - shown) <= (i ? ROUNDING : LOYAL))
            return;
    }
    c->slope = 0;
    for (int i = 0; i < KNOWN && !c->slope; i++)
        if (on_line(c, i, &c->place))
            c->slope = i + 1;
}

int64_t cadence_next(Cadence *c, int64_t pts, int run)
{
    if (run <= 0)
        c->count = c->slope = 0;
    add(c, pts, run);
    follow(c);
    int64_t time = pts;
    if (c->slope) {
        const int newest = c->count - 1, before = newest - 8; /* a line is longer than that */
        const double frame =
            (double)(pts - c->pts[before]) / (double)(c->shown[newest] - c->shown[before]);
        time += llround((c->place - (double)c->shown[newest]) * frame);
    }
    if (c->any && time <= c->last)
        time = c->last + 1;
    c->any = true;
    c->last = time;
    return time;
}
