/*
 * How the output's clock runs beside the source's: slow motion, by one factor or by one that changes
 * on the way (a speed ramp). Factors are seconds of output for a second of source: 4 is four times
 * slower. Between two points the factor goes from one to the other in a straight line, before the first
 * and after the last it stays; the time of the output is its integral, so that it has no jumps. Both
 * clocks show 0 at the same moment.
 *
 * One factor is exact. Ramps are in double, with the same result on every machine.
 */
#ifndef DAIN_MEDIA_PACE_H
#define DAIN_MEDIA_PACE_H

#include "media/ratio.h"

enum { PACE_POINTS = 32 };

typedef struct PacePoint {
    double time;   /* seconds of the source */
    double factor; /* 1/1000 .. 1000 */
} PacePoint;

/* All zero: as it is. */
typedef struct Pace {
    Ratio factor; /* where there are no points; {0, 0} = 1 */
    int points;
    PacePoint point[PACE_POINTS]; /* times rise */
} Pace;

/* The one factor; {1, 1} where it changes on the way. */
Ratio pace_factor(const Pace *pace);
/* Whether the two clocks ever differ. */
bool pace_changes(const Pace *pace);

/* The factor at a time of the source. */
double pace_at(const Pace *pace, double seconds);
/* Seconds of the output's clock at a time of the source. */
double pace_seconds(const Pace *pace, double seconds);
/* A time of the source as one of the output, both in ticks of base seconds. */
int64_t pace_time(const Pace *pace, int64_t time, Ratio base);

#endif
