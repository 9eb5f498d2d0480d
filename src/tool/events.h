/*
 * What `--progress json` prints on standard error: one JSON object a line, and nothing else. The
 * keys are an interface for programs (docs/progress.md): some may be added, none is renamed.
 */
#ifndef DAIN_TOOL_EVENTS_H
#define DAIN_TOOL_EVENTS_H

#include "media/forecast.h"
#include "media/pipeline.h"

/* {"event":"message"}: a warning or an error that would else be a line for people. */
void events_message(DainLogLevel level, const char *text);
/* {"event":"start"} */
void events_start(const char *input, const char *output, const PipelineStart *start);
/* {"event":"plan"}, of --dry-run: memory and time are estimates, seconds < 0 unknown. */
void events_plan(const char *input, const char *output, const Forecast *forecast,
                 size_t memory_bytes, double seconds);
/* {"event":"progress"}: elapsed seconds since the start of the work. */
void events_progress(const PipelineProgress *progress, double elapsed);
/* {"event":"end"}: exit code of this piece of work. */
void events_end(const char *input, const char *output, int code, const PipelineResult *result,
                double elapsed);
/* {"event":"batch"}: numbers of videos. */
void events_batch(int done, int damaged, int skipped, int failed, int waiting, double elapsed);

#endif
