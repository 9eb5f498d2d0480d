/* `--dry-run`: what would be done, and how long it would take. */
#ifndef DAIN_TOOL_PLAN_H
#define DAIN_TOOL_PLAN_H

#include "media/pipeline.h"
#include "tool/options.h"

/* Prints the plan on standard output, or as an event with json. settings as for pipeline_run(); the
 * engine is used for a short measurement. common: the options of our own engine, NULL if another one
 * works, of which less is known. A DAIN_E... value. */
int plan_print(const PipelineSettings *settings, const CommonOptions *common, bool json);

#endif
