/* What decides how an output looks, as text: for going on with a run that ended early. */
#ifndef DAIN_TOOL_FACTS_H
#define DAIN_TOOL_FACTS_H

#include "base/log.h"
#include "tool/options.h"

/*
 * "NAME=VALUE" for each option of the command but those in `other` (names, ended by NULL), which do
 * not change the content of the output; VALUE is empty where the option was not given. The content
 * of the model counts, not its name. A list ended by NULL, for facts_free(); NULL with a sentence if
 * there is no memory.
 */
char **facts_of(const Command *command, const void *values, const char *const *other,
                const char *model, Report *report);
void facts_free(char **facts);

#endif
