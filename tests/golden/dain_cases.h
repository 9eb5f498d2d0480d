/* Golden files whose tensors are named <case>/<tensor>, and comparison by tolerance. */
#ifndef DAIN_TESTS_GOLDEN_DAIN_CASES_H
#define DAIN_TESTS_GOLDEN_DAIN_CASES_H

#include "weights/safetensors.h"

/* Opens dir/name.safetensors; ends the program with a message if that fails. */
WeightFile *cases_open(const char *dir, const char *name);
/* Next case at or after *index: its name to buf, *index moves behind it. 0 when there is none. */
int cases_next(const WeightFile *f, int *index, char *buf, size_t size);
/* Tensor <case>/<name>, NULL if there is none; it must be float. */
const WeightTensor *cases_tensor(const WeightFile *f, const char *name_of_case, const char *name);
/* Item n of the batch of a tensor of four dimensions. */
const float *cases_item(const WeightTensor *t, int n);

/* Worst difference seen, in units of the tolerance absolute + relative * |expected|. */
typedef struct Worst {
    double ratio, difference; /* largest, each for itself */
    long compared;
    int failed;
} Worst;

/* Adds one comparison. Where expected is finite, got must be; a failure is reported with the words.
 */
void cases_compare(Worst *w, const char *what, const char *detail, const float *got,
                   const float *expected, int64_t count, double absolute, double relative);
/* Prints a line and returns the failures (an empty comparison is one). */
int cases_result(const Worst *w, const char *what);

#endif
