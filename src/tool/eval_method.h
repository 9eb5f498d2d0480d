/* The ways to make a frame half-way between two, which `dain eval` compares. */
#ifndef DAIN_TOOL_EVAL_METHOD_H
#define DAIN_TOOL_EVAL_METHOD_H

#include <stdint.h>

#include "tool/engine.h"
#include "tool/eval_source.h"

typedef enum EvalKind {
    EVAL_MODEL,  /* a network through the engine */
    EVAL_BLEND,  /* mean of the two frames, halves rounded up */
    EVAL_NEAREST /* the first frame (both are equally near at t = 1/2) */
} EvalKind;

typedef struct EvalMethod {
    EvalKind kind;
    Backend *engine; /* of a model */
    int primed;      /* the engine holds the second frame of the item before */
    int shown;       /* and has seen that of this one, ahead */
} EvalMethod;

/* what: "blend", "nearest" or the path of a model (NULL = the default model), which takes the
 * options and runs on that engine. What fails is printed; DAIN_E... then. */
int eval_method_open(EvalMethod *m, const char *what, const CommonOptions *common,
                     const EngineOptions *engine, Report *report);
void eval_method_close(EvalMethod *m);

/* Makes the frame at t = 1/2 of an item, rounded to 8 bits. What the engine knows of an item that
 * this one continues is used again. ahead: the second frame of the next item if that continues this
 * one, else NULL. */
int eval_method_make(EvalMethod *m, uint8_t *out, const EvalItem *item, const uint8_t *ahead,
                     Report *report);

/* "model", "blend", "nearest". */
const char *eval_kind_name(EvalKind kind);

#endif
