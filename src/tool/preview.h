/* `--preview N`: a picture that shows new frames between their neighbours. */
#ifndef DAIN_TOOL_PREVIEW_H
#define DAIN_TOOL_PREVIEW_H

#include "media/pipeline.h"

enum { PREVIEW_MOST = 20 };

/*
 * Writes a picture to settings->output.path: for `moments` moments, spread evenly over the source, a
 * row of three: a source frame, the new frame half-way, the next source frame. Near each moment the
 * pair is taken that changes most without being a cut. settings as for pipeline_run(). A DAIN_E...
 * value.
 */
int preview_write(const PipelineSettings *settings, int moments, bool quiet);

#endif
