/*
 * Going on where a run before stopped: what the engine stage notes at the start of each segment,
 * and how the stages get there again. Inside the pipeline, like media/stages.h.
 *
 * A later run seeks to a key frame before the two source frames at hand, decodes from there and
 * compares them with what was noted (time and content). If they are not the same, or the source was
 * damaged or has no times to seek by, it decodes from the start: all decisions are made anew then,
 * only the network and the encoder leave out the frames that are done.
 */
#ifndef DAIN_MEDIA_RESUME_H
#define DAIN_MEDIA_RESUME_H

#include "media/pipeline.h"

typedef struct Pipeline Pipeline;
typedef struct SourceFrame SourceFrame;

/* Where the engine stage stands before the first output between two source frames. */
typedef struct PairState {
    Timeline timeline;
    int64_t next_pts, frames_out;
} PairState;

typedef struct Resume {
    int64_t from;            /* outputs that are done, 0 = none */
    PipelineProgress before; /* what the run before had counted up to there */
    SourceDamage damage;     /* and found in the source, if nothing but the join is left */
    PairState pair;          /* of the pair at hand */
    bool loaded;             /* the stages begin with that pair, not with the first frame */
    bool reached;            /* the first output that is not done */
    bool whole;              /* nothing is left but to join */
} Resume;

/* "NAME=VALUE" for the input: size, time of change, beginning. Null-ended list of *count + given
 * ones, to be freed with resume_free_facts(). Errors: DAIN_EIO, DAIN_ENOMEM. */
int resume_facts(const PipelineSettings *settings, char ***facts, Report *report);
void resume_free_facts(char **facts);

/* Whether input and output are such that work can go on later; if not, why. */
bool resume_possible(const PipelineSettings *settings, const char **why);

/* After the output is open and before the threads: brings the stages to where the run before
 * stopped. Errors: as of reading. */
int resume_start(Pipeline *pipeline);

/* In the engine stage. Before the outputs of a pair: */
void resume_note_pair(Pipeline *pipeline);
/* The mark for a segment that begins with the next output: NULL if it begins none, or without
 * memory (then *error). */
char *resume_mark(Pipeline *pipeline, int *error);
/* Completes it in the writer, when all frames before it are written; takes it over. NULL without
 * memory. */
char *resume_seal_mark(Pipeline *pipeline, char *mark);
/* The mark at the end of the video. NULL without memory. */
char *resume_last_mark(Pipeline *pipeline);
/* Whether the next output is done already. The caller counts it then, and gives it no work. */
bool resume_skips(Pipeline *pipeline);

#endif
