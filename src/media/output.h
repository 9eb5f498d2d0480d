/*
 * Writing a video: encodes frames, copies the packets of other streams beside them, and gives the
 * file its name when it is complete.
 *
 *     output_open(&output, &settings, source, first, &report);
 *     output_frame(output, frame, pts, duration);   // and output_packet(), in any order
 *     output_finish(output);
 *     output_close(&output);                        // without output_finish() nothing remains
 *
 * The path may be a pattern for pictures (picture_out.h), of which those that are written remain
 * whatever follows, or "-": standard output, as YUV4MPEG unless a container is named.
 *
 * With segments (media/segments.h) the frames go into segments first, and output_finish() joins them
 * with the packets of other streams, which it reads from the source again.
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_OUTPUT_H
#define DAIN_MEDIA_OUTPUT_H

#include "media/decode.h"
#include "media/encode.h"
#include "media/pace.h"
#include "media/segments.h"

typedef struct OutputSettings {
    const char *path;
    const char *container;     /* by name, NULL = as the path tells */
    const char *const *inputs; /* files it must not be, ended by NULL */
    bool overwrite;
    bool only_video;         /* leave out all other streams */
    EncoderSettings encoder; /* see there */
    Ratio time_base;         /* seconds a tick of the frames' pts */
    Ratio rate;              /* nominal frames a second, {0, 1} unknown */
    int64_t first_pts;       /* of the first source frame, in the source's time base */
    Pace pace;               /* of the output's clock beside the source's */
    bool circle;             /* the last frame leads to the first */
    bool stretch_sound;      /* at another pace: stretch the sound instead of leaving it out */
    bool strict;             /* a packet of another stream that the container refuses is an error */
    const SegmentSettings *segments; /* NULL: the frames go into the file at once */
    /* With segments, where the other streams are read. */
    const char *source;
    SourceSettings source_settings;
} OutputSettings;

typedef struct Output Output;

/* The container that a file name asks for, or the one of this name ("mkv", "matroska") if that is not NULL.
 * NULL with a sentence in report if none is known. */
const AVOutputFormat *output_container(const char *path, const char *name, Report *report);

/* first: the first frame of the source, whose format and colour the output takes over. Errors:
 * DAIN_EINVAL, DAIN_EIO, DAIN_EUNSUPPORTED, DAIN_ENOMEM. */
int output_open(Output **output, const OutputSettings *settings, const Source *source,
                const AVFrame *first, Report *report);

/* Encodes a frame of any format: one that the encoder takes goes in as it is, others (the engine's
 * RGB among them) are converted. pts above that of the frame before. */
int output_frame(Output *output, const AVFrame *frame, int64_t pts, int64_t duration);
/* Writes a packet of another stream (as source_next() gave it) and leaves it empty; one of a stream
 * that is left out is dropped. */
int output_packet(Output *output, AVPacket *packet);
/* Writes what the encoder still holds and the file's end, and renames it. whole: the video is
 * complete; else segments stay for a later run. */
int output_finish(Output *output, bool whole);
void output_close(Output **output);

/* Packets of other streams that the container found broken; they are left out. */
int64_t output_refused(const Output *output);

/* Whether it is written in segments, and then how many frames are done already (by a run before),
 * the mark of where that run stood there (or NULL), and whether these are all of the video. */
bool output_segmented(const Output *output);
int64_t output_done(const Output *output, const char **mark, bool *whole);
/* Notes where the work stands before the next frame, for a later run: to be called for each frame
 * that begins a segment. Takes the text over. */
void output_mark(Output *output, char *mark);

/* Name of the encoder, its pixel format and range. */
const char *output_codec(const Output *output);
enum AVColorRange output_range(const Output *output);
enum AVPixelFormat output_format(const Output *output);

#endif
