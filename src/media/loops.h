/* How often an animated picture is played: what FFmpeg's demuxers of GIF and APNG do not tell, and
 * its muxers want to be told. */
#ifndef DAIN_MEDIA_LOOPS_H
#define DAIN_MEDIA_LOOPS_H

#include "media/libav.h"

enum { LOOPS_UNKNOWN = -1, LOOPS_ENDLESS = 0, LOOPS_ONCE = 1 };

/* How often, or one of the above, by the first bytes of a GIF or PNG file. Thread-safe. */
int loops_parse(const uint8_t *data, size_t size);

/* The same of a file that was just opened, LOOPS_UNKNOWN if it is no such picture; a pipe may be past it
 * already. 0 or an AVERROR. */
int loops_read(AVFormatContext *format, int *plays);

/* Adds the muxer's option where it has one. What is not known to end goes round for ever, and so does
 * what is to go round (circle) and would be played once. AVERROR(ENOMEM). */
int loops_set(AVDictionary **options, const AVOutputFormat *container, int plays, bool circle);

#endif
