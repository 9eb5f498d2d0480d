/*
 * Pictures of a folder or a pattern as a video of constant rate: the part of a Source (decode.h)
 * that stands in for demuxer and decoder.
 */
#ifndef DAIN_MEDIA_SEQUENCE_H
#define DAIN_MEDIA_SEQUENCE_H

#include "media/libav.h"

typedef struct Sequence Sequence;

/* Of pictures whose rate is not given. */
#define SEQUENCE_RATE ((Ratio){ 24, 1 })

/*
 * Lists the pictures of `path` and reads the first one that can be. Broken ones before it are
 * counted. Errors: as picture_list_read() and still_read().
 */
int sequence_open(Sequence **sequence, const char *path, Ratio rate, Report *report);
void sequence_close(Sequence **sequence);

/*
 * The next picture that can be decoded: 1 and its place as pts (in periods of the rate), 0 at the
 * end. *broken is raised by one for each that is damaged, whether it could be used or not, with a
 * warning that names it. Errors: DAIN_ENOMEM.
 */
int sequence_next(Sequence *sequence, AVFrame *frame, int64_t *broken);

/* Leaves out the pictures before a place (in periods of the rate). */
void sequence_skip(Sequence *sequence, int64_t place);

/* A description as a demuxer would give it, with one video stream. */
AVFormatContext *sequence_format(const Sequence *sequence);
/* Name of the first picture's decoder. */
const char *sequence_codec(const Sequence *sequence);
/* Pictures that are lacking in the numbering. */
int64_t sequence_missing(const Sequence *sequence);

#endif
