/* What pipeline_run() would do, without writing anything. */
#ifndef DAIN_MEDIA_FORECAST_H
#define DAIN_MEDIA_FORECAST_H

#include "media/pipeline.h"
#include "media/streams.h"

enum { FORECAST_STREAMS = 64 };

/* A stream of the source. */
typedef struct ForecastStream {
    int index;
    const char *kind, *codec; /* "audio", "aac" */
    StreamFate fate;
    const char *becomes; /* the codec of one that is made anew */
} ForecastStream;

/* Strings are FFmpeg's own and last. Counts are those of the source's header, 0 where it says
 * nothing; cuts and pauses, where frames are repeated, are not known beforehand. */
typedef struct Forecast {
    PipelineStart start;
    const char *container;
    double seconds_in;             /* length of the source */
    int64_t frames_in, frames_out; /* of the video */
    int64_t made;                  /* frames_out that come from the network */
    int64_t pairs;                 /* pairs of source frames that it sees for that */
    size_t frame_bytes;            /* frames on their way, about; without decoder and encoder */
    ForecastStream stream[FORECAST_STREAMS];
    int streams; /* at most FORECAST_STREAMS, the rest is not told */
} Forecast;

/* Opens the source and an encoder. settings->engine may be NULL. Errors: as pipeline_run() for the
 * same settings, as far as they show before the first frame is written. */
int pipeline_forecast(const PipelineSettings *settings, Forecast *forecast);

#endif
