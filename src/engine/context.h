/* What an open engine consists of, for the files that implement dain.h. */
#ifndef DAIN_ENGINE_CONTEXT_H
#define DAIN_ENGINE_CONTEXT_H

#include "base/log.h"
#include "base/pool.h"
#include "model/budget.h"
#include "model/session.h"

#include <stdatomic.h>

struct DainContext {
    Report report;
    Model *model;
    Pool *pool;
    Kernels kernels;
    char cpu[64];
    double macs_per_pixel;

    Budget budget;
    Session session;
    int width, height;   /* of the frames, 0 = none yet */
    int frames;          /* pushed and kept: 0, 1, 2 */
    bool pair_ready;     /* what depends on the pair alone is there, */
    bool before_ready;   /* likewise of the pair before, */
    bool ahead_ready;    /* and of the frame after and the pair that it ends */
    float before, after; /* how long those pairs last beside the one at hand */
    atomic_bool cancel;
};

#endif
