/* Inside the output: what its files share. See output.h. */
#ifndef DAIN_MEDIA_OUTPUT_PRIVATE_H
#define DAIN_MEDIA_OUTPUT_PRIVATE_H

#include "media/output.h"

#include "media/colour.h"
#include "media/outfile.h"
#include "media/picture_out.h"
#include "media/recode.h"

/* A frame in the encoder: packets come out without their duration. */
typedef struct Pending {
    int64_t pts, duration;
} Pending;

struct Output {
    Report *report;
    OutFile file;
    PictureOut *pictures; /* instead of a file */
    AVFormatContext *format;
    Encoder *encoder;
    Colour *colour;
    AVPacket *packet;
    AVStream *video;
    int *map;         /* stream of the source -> of the output, or -1 */
    AVRational *base; /* time base of each stream of the source */
    int source_streams;
    Pace pace;
    Recode **recode;   /* of each stream of the source, NULL = copied or left out */
    int64_t *last_dts; /* of each stream of the output */
    int64_t refused;   /* see output_refused() */
    int64_t offset;    /* of the first frame, in the output's time base */
    Pending *pending;
    int pending_count, pending_size;
    bool header_written;
    const char *path; /* for messages; the caller's */
    /* Only with segments. */
    Segments *segments;
    OutputSettings settings; /* inputs and segments are gone once it is open */
    const AVOutputFormat *container;
    AVFrame *first;            /* what the encoder is opened with again */
    char *mark;                /* for the end of the segment at hand */
    int frames_in_segment;     /* as set */
    int in_segment;            /* frames given to the encoder since it was opened */
    AVCodecParameters *header; /* of the first encoder */
    Report reopened;           /* of further encoders: their warnings were said once */
};

/* output_packets.c: packets on their way to the file, which leaves them empty. */

/* A packet of the encoder, with its times in the encoder's time base. */
int output_write_video(Output *output, AVPacket *packet);
/* A packet of another stream, as the source gave it. */
int output_write_other(Output *output, AVPacket *packet);
/* Packets of a stream made anew, from one of the old or (packet NULL) the end. */
int output_write_recoded(Output *output, int index, const AVPacket *packet);

/* output.c: what the encoder has ready, to the file or the segment. */
int output_write_encoded(Output *output);

/* output_segments.c */

/* Before a frame: the next segment, if this one is full. */
int output_make_room(Output *output);
/* Takes the last packets out of the encoder and completes the segment. */
int output_close_segment(Output *output, bool whole);
/* Copies the segments and the other streams' packets into the file. */
int output_join(Output *output, bool whole);

#endif
