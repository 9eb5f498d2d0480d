/* checkasm: compares every kernel of every instruction set with the C reference, and measures them.
 *
 * A family of kernels is one file with a table of Test, listed in checkasm.c. A check draws shapes
 * from the random numbers below, runs check->ref and check->tested on equal inputs and compares
 * whole allocations, guards included. Guards are NaNs: a kernel that uses what lies between pixels,
 * rows or channels shows it in its output, one that writes there is caught by buffer_check. The
 * memory after a buffer (and its slack of 16 floats) is not readable.
 */
#ifndef DAIN_TESTS_CHECKASM_H
#define DAIN_TESTS_CHECKASM_H

#include "kernels/kernels.h"

#include <stdint.h>

/* ---- random numbers: the same for the same --seed and test name, whatever --filter ---- */

void rnd_seed(uint64_t seed);
uint64_t rnd(void);
/* An integer in lo .. hi, both included. */
int rnd_int(int lo, int hi);
/* True in one of n cases. */
int rnd_one_in(int n);
/* A float in lo .. hi. */
float rnd_float(float lo, float hi);

typedef enum Fill {
    FILL_UNIT,      /* -1 .. 1 */
    FILL_POSITIVE,  /* 0 .. 1 */
    FILL_SPARSE,    /* half zeros of both signs, as after a ReLU */
    FILL_ADVERSARY, /* denormals, zeros of both signs, 1e-30 .. 1e15 of both signs, mixed */
    FILL_ANY        /* one of the above, drawn once per fill */
} Fill;

void fill_floats(float *dst, size_t count, Fill fill);

/* ---- buffers ---- */

/* A view inside guarded memory. The caller frees it with buffer_free. */
typedef struct Buffer {
    View view;
    int halo;     /* pixels around the view that belong to it */
    float *mem;   /* the whole allocation */
    size_t count; /* its floats, the slack of 16 at the end included */
    void *map;    /* what lies behind, with the unreadable pages */
    size_t map_size;
} Buffer;

/* w x h pixels of c channels with a halo; strides, gaps and the offset of channel 0 are random (and
 * sometimes the tightest possible). Filled with guards, halo with zeros. Out of memory ends the
 * program. */
Buffer buffer_new(int w, int h, int c, int halo);
/* The same with a given distance between pixels (px >= c) and rows that follow each other without
 * gap, 64-byte aligned: the layout of the executor. For benchmarks. */
Buffer buffer_packed(int w, int h, int c, int halo, int px);
/* Same layout, same contents. */
Buffer buffer_clone(const Buffer *b);
void buffer_free(Buffer *b);
/* Random contents of the pixels 0 .. w-1, 0 .. h-1; the halo stays as it is. */
void buffer_fill(Buffer *b, Fill fill);
/* Halo = the nearest pixel (BORDER_REPLICATE) or random numbers (for kernels that may read but must
 * not use it). */
void buffer_replicate(Buffer *b);
void buffer_fill_halo(Buffer *b, Fill fill);
/* Plain array of count floats with guards on both sides, as a buffer of one row (view.c = count). */
Buffer buffer_array(int count, Fill fill);

/* Fails the running check if the allocations differ (reports the first differing pixel). */
void buffer_same(const Buffer *ref, const Buffer *tested, const char *what);
/* Fails the running check if anything outside the view (and its halo) was written. */
void buffer_check(const Buffer *b, const char *what);

/* ---- checks ---- */

typedef struct Check {
    const Kernels *ref;    /* the C reference */
    const Kernels *tested; /* the version under test */
    const char *isa;       /* "c", "avx2", "avx512", ... */
} Check;

typedef struct Test {
    const char *name;                  /* of the kernel, as in DAIN_KERNELS */
    size_t member;                     /* offsetof(Kernels, name) */
    void (*check)(const Check *check); /* called with c too: then ref == tested in content */
    void (*bench)(const Check *check); /* may be NULL */
} Test;

#define TEST(name, check, bench)                                                                   \
    {                                                                                              \
#name, offsetof(Kernels, name), check, bench                                               \
    }

/* Marks the running check as failed; the message says which case, in numbers that repeat it. */
__attribute__((format(printf, 1, 2))) void check_fail(const char *format, ...);
/* True once the running check has failed: loops may stop. */
int check_failed(void);

/* ---- benchmarks ---- */

/* Runs fn(kernels, arg) of the tested version some times, alternating with the peak loop, then once
 * or more with the C reference, and prints a line: nanoseconds per output, GFLOP/s and share of the
 * peak (or GB/s), times faster than C. Times are the best of the rounds. flops, bytes and outputs
 * are those of one call; flops = 0 for kernels that are not arithmetic (bytes moved give GB/s then),
 * bytes = 0 too: only the time. part: what the call with part > 1 computes is 1/part of the whole;
 * the reference is called with ref_part (1: all of it) because it is slow. */
typedef struct Bench {
    const char *name, *shape; /* kernel, case */
    void (*fn)(const Kernels *kernels, void *arg, int part);
    void *arg;
    double flops, bytes, outputs;
    int ref_part;
} Bench;

/* Whether --shape wants this case; bench_run asks too, this saves the preparation. */
int bench_wanted(const char *shape);
void bench_run(const Check *check, const Bench *bench);

/* Runs the peak loop of an instruction set (independent chains of multiply-adds in registers) and
 * returns the floating point operations it did, 0 if there is none for it. */
double peak_run(const char *isa);

#endif
