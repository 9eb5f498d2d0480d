/* What the golden programs cannot do without: its absence ends them with a sentence. */
#ifndef DAIN_TESTS_GOLDEN_NEED_H
#define DAIN_TESTS_GOLDEN_NEED_H

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

/* What an allocation returned. */
static inline void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return p;
}

/* What a function returned that leaves its sentence in the report. */
static inline void must(int error, const Report *report)
{
    if (error) {
        fprintf(stderr, "%s\n", report->error);
        exit(1);
    }
}

#endif
