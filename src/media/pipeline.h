/*
 * From one video file to another with new frames between the old ones: reader, engine and writer
 * work at the same time, each in its thread, with short queues between them.
 *
 * Source frames that fall on an output instant go to the encoder as they were decoded. Between two
 * frames that a cut separates, the nearer one is repeated; in a pause (see PIPELINE_PAUSE) the
 * older.
 */
#ifndef DAIN_MEDIA_PIPELINE_H
#define DAIN_MEDIA_PIPELINE_H

#include "engine/backend.h"
#include "media/output.h"
#include "media/timeline.h"

/* A gap between two frames longer than this many seconds, and than 8 nominal frame periods, is a
 * pause: nothing moves slowly from one side to the other. */
#define PIPELINE_PAUSE 1.0
/* One longer than this is worth a word. */
#define PIPELINE_LONG_PAUSE 60.0

/* Where the work stands. Counts only grow. */
typedef struct PipelineProgress {
    int64_t frames_in;  /* source frames taken */
    int64_t frames_out; /* frames given to the encoder */
    int64_t made;       /* of these, new ones from the network */
    int64_t repeated;   /* of these, repeated at cuts and pauses and at the end */
    int64_t cuts, pauses;
    int64_t paused;     /* microseconds in these pauses */
    int64_t held;       /* of the new ones: with still things held, see lock.h */
    int64_t doubtful;   /* of the repeated ones: instead of new ones that were not to be trusted */
    int64_t same;       /* of the repeated ones: between two frames that are equal */
    int64_t flashes;    /* not counted as cuts */
    int64_t duplicates; /* source frames left out because they repeated the one before */
    int64_t expected_out;  /* forecast of frames_out at the end, 0 unknown */
    double seconds_in;     /* of source, up to the last frame taken */
    int64_t frames_before; /* of frames_out, made by a run before */
    double seconds_before; /* and of seconds_in */
    double engine_seconds; /* spent in the network */
    double source_seconds; /* in which the network waited for a source frame */
    double output_seconds; /* in which it waited for room in front of the encoder */
} PipelineProgress;

/* What is known once both files are open. */
typedef struct PipelineStart {
    const char *decoder, *encoder;
    int width, height;
    Ratio rate_in, rate_out;            /* nominal, {0, 1} unknown */
    const char *format_in, *format_out; /* pixel formats */
    int64_t done;                       /* frames of output that a run before has made */
} PipelineStart;

/* What may still be chosen when the first frame is known. */
typedef struct PipelineChoice {
    EncoderSettings *encoder;
    /* Convert colours only when the frame is needed, a little slower, and hold no still things,
     * which takes one more RGB frame. */
    bool save_memory;
} PipelineChoice;

typedef struct PipelineSettings {
    const char *input;
    SourceSettings source;
    OutputSettings output; /* time_base, rate, first_pts and inputs are filled in here */
    TimelineMode mode;
    Ratio factor, out_rate; /* by mode, see timeline.h */
    Pace pace; /* of the output beside the source; times of its points count from its beginning */
    bool variable; /* refuse containers and encoders that know one rate only */
    /* The output is written in segments of this many frames (media/segments.h) if it is expected to
     * be longer than one, or if resume is set; 0 = it is not. */
    int segment_frames;
    bool resume;              /* go on with what a run before has done, if there is something */
    const char *const *facts; /* "NAME=VALUE" of all that decides what the output is, but the
                               * input; ended by NULL, or NULL */
    const char *scenes;       /* file for a list of the cuts found, or NULL */
    const char *scene_list;   /* file with the cuts, instead of looking for some, or NULL */
    double fallback;          /* new frames of less confidence (detail.h) give way; 0 = none */
    bool curved; /* motion follows the frames around each pair, where the engine can do that */
    bool denoise_flow; /* estimate motion on denoised copies, see guide.h */
    bool match;        /* sharpness and grain of their neighbours for new frames, see detail.h */
    bool lock;         /* hold still things, see lock.h */
    bool dedup;        /* leave out repeated source frames, see dedup.h */
    bool loop;         /* the first frame follows the last: new frames from there to it */
    double scene_threshold; /* scores above it are cuts; > 1 = look for none */
    int depth;              /* new frames that may wait for the encoder, 0 = usual */
    Backend *engine;        /* the caller's; nobody else may use it meanwhile */
    atomic_bool *cancel;    /* set from outside: stop, but finish the file. NULL = never */
    Report *report;         /* its callback may be called from three threads */
    /* Called from the caller's thread; NULL = not. */
    void (*started)(void *opaque, const PipelineStart *start);
    /* Before the output is opened; an error ends the work. */
    int (*choose)(void *opaque, const AVFrame *first, PipelineChoice *choice);
    void (*progress)(void *opaque, const PipelineProgress *progress);
    void *opaque;
} PipelineSettings;

typedef struct PipelineResult {
    PipelineProgress progress;
    SourceDamage damage;
    double seconds;     /* from the first thread's start to the end of the output */
    double cpu_seconds; /* of processor time in them, all threads */
    bool kept;          /* the output stands under its name */
    int64_t done;       /* if it is not complete: frames that a later run need not make again */
} PipelineResult;

/*
 * Returns when the output is complete (DAIN_OK), or when cancel was set and the part so far was
 * finished (DAIN_ECANCELED; result->kept tells whether there was one), or on an error, and then
 * nothing remains of the output but complete segments. Damage in the input is no error if anything
 * could be decoded: see result->damage.
 */
int pipeline_run(const PipelineSettings *settings, PipelineResult *result);

#endif
