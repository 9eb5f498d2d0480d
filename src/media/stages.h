/* Inside the pipeline: what its threads share. */
#ifndef DAIN_MEDIA_STAGES_H
#define DAIN_MEDIA_STAGES_H

#include "media/colour.h"
#include "media/cut_list.h"
#include "media/dedup.h"
#include "media/detail.h"
#include "media/forecast.h"
#include "media/guide.h"
#include "media/lock.h"
#include "media/outfile.h"
#include "media/pipeline.h"
#include "media/queue.h"
#include "media/resume.h"
#include "media/scene.h"

#include <pthread.h>

/* A frame on its way to the engine. */
struct SourceFrame {
    AVFrame *decoded;
    AVFrame *rgb;
    double score;    /* of the change from the frame before */
    double detail;   /* see detail.h, if it is needed */
    int flash;       /* frames of the flash that it ends, 0 = none */
    bool still;      /* it stands still since the frame before, see dedup.h */
    bool same;       /* equal to the frame before, bit for bit */
    bool judged;     /* the following are known: */
    bool cut, pause; /* between the frame before and it */
    bool apart;      /* nothing moves from there to it: it stands still, or one of these */
    int left_out;    /* frames between the two that repeated the older */
    bool damaged;    /* something was wrong with the source up to here */
    bool closing;    /* the first frame again, behind the last: no frame of the source */
};

/* A frame or a packet on its way to the output. */
typedef struct WriteItem {
    AVFrame *frame;
    AVPacket *packet;
    int64_t pts, duration;
    char *mark; /* with a frame that begins a segment: see media/resume.h */
    /* Of a new frame that the writer still works on: between which frames it lies, and where. */
    AVFrame *pair[2];
    int64_t pair_index;
    double t;
} WriteItem;

enum { KIND_FRAME = 0, KIND_PACKET = 1 };

/* A thread's own sentence; whoever fails first decides what the whole returns. */
typedef struct Stage {
    Report report;
    pthread_t thread;
    bool running;
} Stage;

struct Pipeline {
    const PipelineSettings *settings;
    PipelineProgress progress;
    Source *source;
    Output *output;
    Queue *to_engine, *to_writer;
    Stage reader, engine, writer;
    _Atomic(Stage *) failed;
    atomic_int error; /* of that stage */
    Timeline timeline;
    Pace pace;
    AVRational out_base; /* of the encoder */
    double pause;        /* seconds */

    /* reader */
    Colour *colour;
    bool headroom; /* of the RGB frames, see colour.h */
    SceneHistory scenes;
    FramePool rgb_in;
    bool serial;        /* the engine's thread converts, so that few RGB frames exist at a time */
    Dedup *dedup;       /* NULL = keep all frames */
    int64_t handed_out; /* pts of the last frame that it kept */
    SourceFrame first;  /* read ahead of the threads */
    AVPacket **early;   /* and the packets before it */
    int early_count, early_size;

    /* engine */
    Colour *colour_late;       /* for RGB frames that were let go and are needed again */
    SourceFrame older, newer;  /* the pair */
    SourceFrame before, ahead; /* and the frames around it, where motion may be curved */
    CutList cuts, given;       /* found; from a list to read */
    OutFile cuts_file;         /* for the ones found */
    int64_t source_index;      /* of newer in the file */
    int64_t newer_index;       /* of newer among those that the engine sees, -1 = none */
    int64_t engine_index;      /* of the newer frame of the pair in the engine, -1 = none */
    bool told_size;            /* that it changes on the way */
    bool shown_ahead;          /* the engine knows the frame after it */
    bool curved;               /* frames are taken one earlier, to be shown ahead */
    AVFrame *opening;          /* the first frame, to close a loop; NULL = none */
    int64_t loop_span;         /* from the last frame to it in ticks of the source, 0 = as usual */
    int loop_left_out;         /* repetitions of the last frame; both by the reader */
    int64_t next_pts;          /* least pts that the encoder takes */
    FramePool rgb_out;
    Guide guide;

    /* writer */
    bool wrote;
    Lock *lock;           /* NULL = hold nothing */
    int64_t lock_index;   /* newer_index of the pair that it knows, -1 = none */
    int64_t lock_pixels;  /* held in that pair */
    _Atomic int64_t held; /* frames */

    Forecast *forecast; /* wanted instead of the work, else NULL */

    bool segmented; /* the output is */
    SegmentSettings segments;
    Resume resume;
};

/* Whether the user wants to stop. */
bool pipeline_canceled(const Pipeline *pipeline);
/* Ends the work of all stages because of an error in one. The first one counts. */
void pipeline_fail(Pipeline *pipeline, Stage *stage, int error);
/* Stores the sentence; DAIN_ENOMEM. */
int stage_no_memory(Stage *stage);
/* Of a source frame in its ticks, the nominal one if it says nothing, 0 if there is none. */
int64_t stage_duration(const Pipeline *pipeline, const AVFrame *frame);
/* Seconds of a clock that only goes forward. */
double stage_clock(void);
void release_frame(SourceFrame *frame);
void release_item(WriteItem *item);

/* The next frame, decoded: SOURCE_FRAME, SOURCE_END or an error. Packets that come before it go to
 * the writer, or to Pipeline.early while there is no output yet. */
int reader_decode(Pipeline *pipeline, Stage *stage, SourceFrame *out);
/* The same without repeated frames, where they are not wanted. */
int reader_next(Pipeline *pipeline, Stage *stage, SourceFrame *out);
/* Makes what the engine needs of it: RGB and the scene score. */
int reader_prepare(Pipeline *pipeline, Stage *stage, SourceFrame *frame);

/* Fills in a forecast once source, first frame and timeline are known. */
int forecast_make(Pipeline *pipeline, const AVOutputFormat *container,
                  const TimelineSettings *timeline, Ratio rate, Forecast *forecast);

/* The threads' loops; the engine's runs in the caller's thread and returns its error. */
void *reader_main(void *pipeline);
int engine_main(Pipeline *pipeline);
/* Whether b follows a so suddenly or so late, or so unchanged, that nothing moves between them:
 * fills in what SourceFrame says of it. index: of b in the file. */
void engine_judge(Pipeline *pipeline, const SourceFrame *a, SourceFrame *b, int64_t index);
void *writer_main(void *pipeline);

#endif
