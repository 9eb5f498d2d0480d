/* Inside of a Source (media/decode.h): what opening and reading it share. */
#ifndef DAIN_MEDIA_SOURCE_H
#define DAIN_MEDIA_SOURCE_H

#include "media/clock.h"
#include "media/decode.h"
#include "media/deinterlace.h"
#include "media/sequence.h"

struct Source {
    Report *report;
    SourceSettings settings;
    char *url;
    Sequence *sequence; /* of pictures: then there is no demuxer and no decoder of ours */
    AVFormatContext *format;
    AVIOContext *io;   /* ours in picture mode */
    AVIOContext *pipe; /* ours for a pipe */
    AVCodecContext *decoder;
    AVStream *stream;
    bool *chosen; /* of the streams, those that are wanted */
    bool all;     /* no stream is left out */
    AVPacket *packet;
    AVFrame *held; /* a frame read ahead, or one that waits for the next to be judged by */
    enum { HELD_NONE, HELD_DOUBTFUL, HELD_READY } holding;
    Deinterlacer *deinterlacer;
    SourceDamage damage;
    Clock clock;
    Ratio rate;
    int plays;          /* see loops.h */
    int64_t packets;    /* of the main video stream, read */
    int failures;       /* of the decoder in a row */
    int64_t last_field; /* timestamp of the last frame out of the deinterlacer */
    bool draining, deinterlacer_ended;
    bool past_end; /* the last frame of the part was handed out */
    bool sought;   /* not all packets were read */
};

/* Whether the user wants to stop. */
bool source_interrupted(const Source *source);

/* Demuxer, streams and decoder, or the pictures. Errors: as source_open(). */
int source_open_streams(Source *source);

/* The error for a first frame that is interlaced. */
int source_refuse_interlaced(Source *source, bool top_first);

#endif
