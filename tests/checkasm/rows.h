/* checkasm: checks and benchmarks of kernels that fill rows of one output map. */
#ifndef DAIN_TESTS_ROWS_H
#define DAIN_TESTS_ROWS_H

#include "checkasm.h"

/* One call of a kernel: rows y0 .. y1-1 of out; arg holds its inputs. */
typedef void Rows(const Kernels *kernels, void *arg, const View *out, int y0, int y1);

/*
 * Runs the reference on all rows of a copy of out, the tested version on another copy in up to
 * three bands from the last one to the first one, and one row into a buffer of one row (row stride
 * 0); all must agree, and nothing outside the view may be written.
 */
void rows_check(const Check *check, const Buffer *out, Rows *run, void *arg, const char *what);

/* Times all rows of out; ref_part: see Bench. bytes: what the call reads and writes at least. */
void rows_bench(const Check *check, const char *name, const char *shape, const Buffer *out,
                Rows *run, void *arg, double bytes, int ref_part);

/* Displacements that hurt: huge, not numbers, integer, landing on and beside the borders of a map
 * of w x h, among random ones of some pixels. Every second channel is y. */
void fill_flow(Buffer *flow, int w, int h);
/* Smooth displacements of a few pixels, as in a video. */
void fill_motion(Buffer *flow);

#endif
