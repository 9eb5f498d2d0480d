/* Times of the source as times of the output. */
#include "media/pace.h"

#include <math.h>

Ratio pace_factor(const Pace *p)
{
    return p->points || !p->factor.num ? (Ratio){ 1, 1 } : p->factor;
}

bool pace_changes(const Pace *p)
{
    for (int i = 0; i < p->points; i++)
        if (p->point[i].factor != 1)
            return true;
    return ratio_compare(pace_factor(p), (Ratio){ 1, 1 }) != 0;
}

/* The factor between points i and i + 1. */
static double between(const PacePoint *p, double time)
{
    return p[0].factor +
           (p[1].factor - p[0].factor) * ((time - p[0].time) / (p[1].time - p[0].time));
}

double pace_at(const Pace *p, double seconds)
{
    if (!p->points)
        return ratio_double(pace_factor(p));
    const PacePoint *const last = &p->point[p->points - 1];
    if (seconds <= p->point[0].time)
        return p->point[0].factor;
    if (seconds >= last->time)
        return last->factor;
    int i = 0;
    while (seconds >= p->point[i + 1].time)
        i++;
    return between(&p->point[i], seconds);
}

/* From the first point to a time. */
static double integral(const Pace *p, double seconds)
{
    const PacePoint *const a = p->point, *const last = &a[p->points - 1];
    if (seconds <= a[0].time)
        return (seconds - a[0].time) * a[0].factor;
    double sum = 0;
    for (int i = 0; i + 1 < p->points; i++) {
        if (seconds < a[i + 1].time)
            return sum + (seconds - a[i].time) * (a[i].factor + between(&a[i], seconds)) / 2;
        sum += (a[i + 1].time - a[i].time) * (a[i].factor + a[i + 1].factor) / 2;
    }
    return sum + (seconds - last->time) * last->factor;
}

double pace_seconds(const Pace *p, double seconds)
{
    return p->points ? integral(p, seconds) - integral(p, 0)
                     : seconds * ratio_double(pace_factor(p));
}

int64_t pace_time(const Pace *p, int64_t time, Ratio base)
{
    if (!p->points)
        return ratio_rescale(time, pace_factor(p), (Ratio){ 1, 1 });
    const double tick = ratio_double(base);
    return llrint(pace_seconds(p, (double)time * tick) / tick);
}
