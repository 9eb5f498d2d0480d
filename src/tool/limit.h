/* --mem-limit for a video: what the network may have of it beside decoder, frames and encoder. */
#ifndef DAIN_TOOL_LIMIT_H
#define DAIN_TOOL_LIMIT_H

#include "media/pipeline.h"

/*
 * Gives the engine its share of `limit` bytes for frames like first, and makes the encoder look
 * less far ahead and the pipeline convert late where that keeps the network as it was asked for, or
 * makes it possible at all. curved, more: see media_need(). Says what was given up. Errors:
 * DAIN_ENOMEM (the need is in the sentence), those of dain_plan().
 */
int limit_share(DainContext *engine, size_t limit, const AVFrame *first, PipelineChoice *choice,
                bool curved, int more, Report *report);

#endif
