/*
 * Times of a source, put in order. Packets: where the clock of the file jumps, as in broadcasts and in
 * recordings put one after the other, all streams are moved by the same amount, each from its own
 * jump on, so that they go on where they were and stay together. Frames: each gets a time above that
 * of the one before.
 *
 * A jump is a step back, or one ahead that leaves all streams behind: as long as one goes on, the
 * others are only silent. A packet after which the old times go on was wrong alone.
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_CLOCK_H
#define DAIN_MEDIA_CLOCK_H

#include "media/libav.h"

/* Steps ahead that are jumps unless the user says otherwise, in microseconds: where the container is
 * known to have jumps, and elsewhere, where a pause is more likely. */
#define CLOCK_GAP (INT64_C(10) * AV_TIME_BASE)
#define CLOCK_GAP_RARE (INT64_C(86400) * AV_TIME_BASE)

/* Of one stream, in microseconds. */
typedef struct StreamClock {
    int64_t last, length; /* decoding time of the last packet, moved; AV_NOPTS_VALUE at first */
    int64_t shift;
    int64_t old_last, old_shift; /* as they were before that packet */
    bool jumped;                 /* that packet, and no other stream before it */
} StreamClock;

typedef struct Clock {
    /* packets, microseconds */
    int64_t start; /* what is taken off all times */
    int64_t gap, back;
    int64_t shift;  /* of the stream that jumped first */
    int64_t newest; /* time of all streams, moved */
    int64_t end;    /* end of the last packet, not moved, from start on */
    StreamClock *stream;
    int streams; /* those the file had when it was opened: only their packets have a clock */
    bool late;   /* there were packets of others */

    /* frames, in ticks of the stream */
    AVRational base;
    int64_t ticks;    /* nominal distance of frames, at least 1 */
    int64_t first;    /* time of the first, if it has none */
    bool counted;     /* the file has no times: count frames, at this rate */
    Ratio rate;       /* then */
    int64_t frames;   /* handed out */
    int64_t last_pts; /* of the last frame */
    int64_t moved;    /* added to those of frames after their clock went back */
    bool sought;      /* the next frame follows on none */

    int64_t replaced; /* times that were missing or wrong */
    int64_t jumps;
} Clock;

/* gap: seconds for the step ahead that is a jump, 0 = the usual.
 * Errors: DAIN_ENOMEM. */
int clock_init(Clock *clock, const AVFormatContext *format, const AVStream *video, double gap);
void clock_free(Clock *clock);

/* Whether the packet is of a stream that was there from the beginning. Some demuxers add streams while
 * they read. */
bool clock_knows(const Clock *clock, const AVPacket *packet);
/* Moves the times of a packet. Of a stream that is not known: leaves them. */
void clock_packet(Clock *clock, AVPacket *packet, const AVStream *stream);

/* Whether a frame comes so long after the one before that its time may be wrong. */
bool clock_doubts(const Clock *clock, const AVFrame *frame);
/* Looks at the frame after a doubtful one. If that comes before it, the doubtful one loses its time. */
void clock_judge(const Clock *clock, AVFrame *doubtful, const AVFrame *next);
/* Sets frame->pts. */
void clock_frame(Clock *clock, AVFrame *frame);

/* After a seek to somewhere before a time of the video: frames before it were so many. */
void clock_seek(Clock *clock, int64_t pts, int64_t frames);

#endif
