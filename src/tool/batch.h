/* Several videos into a folder: `--batch FOLDER`, or more than one input. */
#ifndef DAIN_TOOL_BATCH_H
#define DAIN_TOOL_BATCH_H

#include "tool/interpolate.h"

/*
 * Makes each of the inputs, or the videos of the folder options->batch if that is set, into a file of
 * its name in `folder`, which is created if need be. Results that exist are left alone unless
 * options->overwrite is set. Prints a table at the end. An exit code: that of the interruption, or
 * EXIT_FAILED if one failed, or EXIT_DAMAGED if one was damaged, or EXIT_DONE.
 */
int batch_run(const InterpolateOptions *options, char *const *inputs, int count, const char *folder,
              Report *report);

#endif
