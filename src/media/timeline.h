/*
 * The timeline: which instants the output video consists of, and between which two source frames
 * each of them lies. Integers from the source's timestamps to the output's: nothing drifts,
 * whatever the length.
 *
 * Three ways to place the instants:
 * - TIMELINE_FACTOR p/q counts in source frames: output j lies at source position j * q/p, its time
 *   is interpolated between the timestamps of the two frames. Every source frame is kept if q = 1,
 *   and a source of variable rate stays one.
 * - TIMELINE_RATE puts one instant every 1/rate second, whatever the source's rhythm is.
 * - TIMELINE_FILL keeps every source frame at its own time and cuts each gap into as many equal
 *   parts as come nearest to the rate.
 *
 * The last source frame is shown for its duration, so that the output lasts as long as the source:
 * n frames become ceil(n * p/q), and the instants after the last frame repeat it (TIMELINE_FILL: it is
 * shown once, for longer).
 *
 *     timeline_init(&t, &settings);
 *     for each frame:
 *         timeline_push(&t, pts);
 *         while (timeline_next(&t, &instant)) ...
 *     timeline_finish(&t, duration);
 *     while (timeline_next(&t, &instant)) ...
 */
#ifndef DAIN_MEDIA_TIMELINE_H
#define DAIN_MEDIA_TIMELINE_H

#include "media/pace.h"

typedef enum TimelineMode { TIMELINE_FACTOR, TIMELINE_RATE, TIMELINE_FILL } TimelineMode;

typedef struct TimelineSettings {
    TimelineMode mode;
    Ratio time_base; /* seconds per tick of the source's timestamps */
    /* Nominal frames a second of the source, {0, 1} if there is no such thing. Timestamps within
     * one tick of the grid k / rate count as exactly on it: Matroska, for one, writes 23.976 frames
     * a second in whole milliseconds. */
    Ratio rate;
    Ratio factor;   /* TIMELINE_FACTOR: output frames per source frame, 1/1000 .. 1000,
 * terms up to 100,000 */
    Ratio out_rate; /* TIMELINE_RATE, TIMELINE_FILL: output frames a second */
    Ratio stretch;  /* seconds of output for a second of source: 1 as it is, 4 slow motion */
    /* TIMELINE_RATE: a factor that changes on the way, instead of stretch, which is 1 then; must outlive
     * the timeline. NULL = none. */
    const Pace *ramp;
    double ramp_from; /* seconds of the source at the first frame */
} TimelineSettings;

/* One frame of the output. */
typedef struct Instant {
    int64_t first;    /* index (from 0) of the older source frame */
    int64_t num, den; /* t = num / den in [0, 1) towards the next frame; 0 = the older one itself */
    int64_t pts;      /* in Timeline.out_base, 0 = the first source frame */
    int64_t duration; /* nominal, in Timeline.out_base */
} Instant;

typedef struct Timeline {
    TimelineMode mode;
    Ratio out_base;           /* seconds per tick of Instant.pts */
    int64_t tick;             /* clock ticks in a tick of the source */
    int64_t period;           /* clock ticks in a nominal frame period, 0 = do not snap */
    int64_t step;             /* by rate: clock ticks from one output to the next */
    int64_t part;             /* TIMELINE_FILL: the next part of the current gap */
    int64_t multiply, divide; /* TIMELINE_FACTOR: p and q */
    int64_t first_pts;        /* source ticks */
    int64_t time_a, time_b;   /* clock ticks of the current pair, from the first frame */
    const Pace *ramp;         /* NULL = none */
    double ramp_from;         /* see TimelineSettings */
    int64_t clock;            /* ticks a second */
    int64_t source_b;         /* time_b on the clock of the source, where there is a ramp */
    int64_t frames;           /* pushed */
    int64_t next;             /* index of the next output */
    bool finished;
} Timeline;

/* DAIN_EINVAL if a ratio is not positive or the numbers do not fit into 64 bits with room for some
 * days of video. */
int timeline_init(Timeline *timeline, const TimelineSettings *settings);
/* The next source frame. pts must be above the one before, by less than some days. */
void timeline_push(Timeline *timeline, int64_t pts);
/* No more frames. duration of the last one in source ticks; <= 0: the nominal period, else the last
 * distance between two frames. */
void timeline_finish(Timeline *timeline, int64_t duration);
/* The same where the first frame follows the last, after its duration: the instants between are the
 * last that there are. */
void timeline_close(Timeline *timeline, int64_t duration);
/* The next output instant at or after the last but one frame pushed and before the last one (after
 * timeline_finish and timeline_close: before the end). False if there is none yet. */
bool timeline_next(Timeline *timeline, Instant *instant);

/* Frames of output for this many frames of source at its nominal rate (for a forecast); 0 if the
 * rate is unknown and needed. */
int64_t timeline_forecast(const TimelineSettings *settings, int64_t frames);

#endif
