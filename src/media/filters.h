/*
 * A chain of libavfilter's filters with one way in and one way out: buffer or abuffer, what the text
 * says, buffersink or abuffersink.
 */
#ifndef DAIN_MEDIA_FILTERS_H
#define DAIN_MEDIA_FILTERS_H

#include "media/libav.h"

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>

typedef struct Filters {
    AVFilterGraph *graph; /* NULL = none */
    AVFilterContext *source, *sink;
} Filters;

/* type: of what goes through; in: the arguments of its source; text: filters as FFmpeg's command line
 * has them; threads: 0 = as FFmpeg likes. What was open is closed first. 0 or an AVERROR. */
int filters_open(Filters *filters, enum AVMediaType type, const char *in, const char *text,
                 int threads);
void filters_close(Filters *filters);

#endif
