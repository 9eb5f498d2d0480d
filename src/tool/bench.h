/* Measuring the speed of the network: what `dain bench` and its table share. */
#ifndef DAIN_TOOL_BENCH_H
#define DAIN_TOOL_BENCH_H

#include "tool/engine.h"

typedef struct BenchOptions {
    CommonOptions common;
    EngineOptions engine;
    PictureSize size; /* 0 x 0 = not given */
    int frames, warmup, times;
    bool json, table;
} BenchOptions;

/* Stages of one name and rate, together. */
typedef struct BenchRow {
    char name[sizeof((DainStage *)0)->name];
    DainRate rate;
    double seconds, macs; /* of all runs */
    int64_t runs;
} BenchRow;

typedef struct Bench {
    const BenchOptions *options;
    Backend *engine;
    DainContext *context; /* of our own engine, NULL of another, of which there are no stages */
    DainInfo info;
    uint8_t *in, *out;
    double *ms;        /* of each new frame, the shortest first */
    double total, cpu; /* seconds on the clock and of all processors, in the engine */
    BenchRow *rows;
    int row_count;
} Bench;

/* Measures as the options say; afterwards (also after an error, of which a sentence was printed) the bench
 * is to be closed. */
int bench_run(Bench *bench, const BenchOptions *options, Report *report);
void bench_close(Bench *bench);

/* The table over models, sizes and precisions, on standard output. An exit code. */
int bench_table(const BenchOptions *options, Report *report);

#endif
