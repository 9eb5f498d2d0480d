/* Tags of files and streams on their way into a new file, timecodes among them. */
#ifndef DAIN_MEDIA_TAGS_H
#define DAIN_MEDIA_TAGS_H

#include "media/libav.h"

typedef enum TagsOf {
    TAGS_ALL,
    TAGS_FILE,   /* without those that describe the old file */
    TAGS_RECODED /* without those that describe the old coding */
} TagsOf;

/* Adds them to those of *to. Returns 0, AVERROR(ENOMEM). */
int tags_copy(AVDictionary **to, const AVDictionary *from, TagsOf of);

/*
 * The timecode of the first frame, which comes `time` after the source's first, at another rate:
 * 01:00:00:20 of 25 frames a second is 01:00:00:40 of 50. Drop-frame counting exists for multiples of
 * 30000/1001 only; the clock stays what it is.
 * `time` is in microseconds; what is no timecode stays as it is. Returns as tags_copy().
 */
int tags_move_timecode(AVDictionary **tags, AVRational from, AVRational to, int64_t time,
                       Report *report);

#endif
