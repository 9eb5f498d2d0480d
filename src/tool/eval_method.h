/* The ways to make a frame half-way between two, which `dain eval` compares. */
#ifndef DAIN_TOOL_EVAL_METHOD_H
#define DAIN_TOOL_EVAL_METHOD_H

#include <stdint.h>

#include "tool/engine.h"

typedef enum EvalKind {
    EVAL_MODEL,  /* a network through the engine */
    EVAL_BLEND,  /* mean of the two frames, halves rounded up */
    EVAL_NEAREST /* the first frame (both are equally near at t = 1/2) */
} EvalKind;

typedef struct EvalMethod {
    EvalKind kind;
    Backend *engine; /* of a model */
    int primed;      /* the engine holds the second frame of the item before */
} EvalMethod;

/* what: "blend", "nearest" or the path of a model (NULL = the default model), which takes the options and
 * runs on that engine. What fails is printed; DAIN_E... then. */
int eval_method_open(EvalMethod *m, const char *what, const CommonOptions *common,
                     const EngineOptions *engine, Report *report);
void eval_method_close(EvalMethod *m);

/* Makes the frame at t = 1/2 between two packed RGB24 pictures, rounded to 8 bits. continues: first
 * is the second of the call before, so what the engine knows of it is used again. */
int eval_method_make(EvalMethod *m, uint8_t *out, const uint8_t *first, const uint8_t *second,
                     int width, int height, int continues, Report *report);

/* "model", "blend", "nearest". */
const char *eval_kind_name(EvalKind kind);

#endif
