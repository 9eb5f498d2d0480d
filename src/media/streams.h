/* What a file holds beside its main video: other streams, metadata, chapters, carried over to a new
 * file bit by bit. */
#ifndef DAIN_MEDIA_STREAMS_H
#define DAIN_MEDIA_STREAMS_H

#include "media/pace.h"
#include "media/recode.h"

/* Another pace or a part of the source. */
typedef struct StreamPace {
    int64_t start, end;    /* microseconds on the clock of the source's packets that are kept */
    int64_t skipped;       /* microseconds of the main video before its first frame that is kept */
    const Pace *pace;      /* of the output's clock */
    Recode *const *recode; /* for each stream what makes it anew, or NULL */
} StreamPace;

/* 1 the container holds a copy of the stream, 0 it does not, AVERROR(ENOMEM). */
int streams_hold(const AVOutputFormat *format, const AVStream *from);
/* The same of a stream that this encoder makes. */
int streams_hold_encoded(const AVOutputFormat *format, const AVCodecContext *encoder);

/* What becomes of a stream in the new file. One that is to be recoded is left out if that cannot be. */
typedef enum StreamFate {
    STREAM_NEW_FRAMES,
    STREAM_COPIED,
    STREAM_RECODED,
    STREAM_LEFT_OUT
} StreamFate;

/* Of a stream beside the main video; AVERROR(ENOMEM). stretch_sound: at another pace sound is made anew
 * instead of left out. */
int streams_fate(const AVOutputFormat *format, const AVStream *from, const Pace *pace,
                 bool stretch_sound);

/*
 * Adds to out a stream for every stream of in, in order: for in's stream number `video` one with the
 * parameters of the encoder, for the others copies, or what they are made into anew, with a note.
 * Streams that the container cannot hold are left out with a warning. map gets, for each stream of in, its number in out, or -1. Those that are not
 * chosen, and with only_video all others, are left out silently. At another pace, streams of data are
 * left out too, and sound that has not been made anew. Errors: DAIN_ENOMEM.
 */
int streams_create(AVFormatContext *out, const AVFormatContext *in, int video, const bool *chosen,
                   bool only_video, const AVCodecContext *encoder, const AVFrame *first,
                   const StreamPace *pace, int *map, Report *report);

/* Copies metadata and chapters of the file; chapters are moved and cut like the rest, a timecode goes
 * with the main video, which is stream `video` of in and `to` of out. Errors: DAIN_ENOMEM. */
int streams_copy_file_data(AVFormatContext *out, const AVFormatContext *in, int video, int to,
                           const StreamPace *pace, Report *report);

#endif
