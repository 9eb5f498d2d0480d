/* What `dain eval` measures: triplets from a test set, a folder of frames or a video. */
#ifndef DAIN_TOOL_EVAL_SOURCE_H
#define DAIN_TOOL_EVAL_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

typedef struct EvalSource EvalSource;

/* Two frames and what lies half-way between them, packed RGB24 without gaps, all of one size.
 * Valid until the next call. */
typedef struct EvalItem {
    const char *name;
    int width, height;
    const uint8_t *first, *truth, *second;
    int continues; /* first is the second of the item before */
} EvalItem;

/* path: a folder (frames of a clip if drop_odd) or a video. cancel, set from outside, ends a read
 * with DAIN_ECANCELED. *source is NULL on failure. */
int eval_source_open(EvalSource **source, const char *path, int drop_odd, atomic_bool *cancel,
                     Report *report);
void eval_source_close(EvalSource **source);

/* 1 with the next item, 0 at the end, negative on error. */
int eval_source_next(EvalSource *source, EvalItem *item, Report *report);

/* Whether a video that was read to its end had damaged parts (a warning has said so). */
bool eval_source_damaged(const EvalSource *source);

/* "middlebury", ..., "video". */
const char *eval_source_layout(const EvalSource *source);
/* Length of the longest name there will be. */
int eval_source_name_width(const EvalSource *source);

#endif
