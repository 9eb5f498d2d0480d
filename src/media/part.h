/* The part of a source that is wanted, from one time to another. Times count from its beginning. */
#ifndef DAIN_MEDIA_PART_H
#define DAIN_MEDIA_PART_H

#include "media/libav.h"

typedef struct Part {
    int64_t start, end; /* microseconds of the source; end 0 = all the rest */
} Part;

/* Whether there is anything to leave out. */
static inline bool part_given(const Part *part)
{
    return part->start || part->end;
}

/* How a time compares with it: -1 before, 0 in it, 1 after. */
int part_compare(const Part *part, int64_t time, AVRational base);
/* Whether a packet beside the video belongs to it. A subtitle that began before is shown from the
 * start on: its times change. */
bool part_keeps(const Part *part, AVPacket *packet, const AVStream *stream);
/* Whether no sound can come any more after a packet with this time. */
bool part_is_past(const Part *part, int64_t dts, AVRational base);
/* Microseconds of it in a file of so many (< 0: unknown), < 0 if unknown. */
int64_t part_length(const Part *part, int64_t whole);

#endif
