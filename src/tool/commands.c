/* The list of commands. */
#include "tool/options.h"

#include <string.h>

extern const Command command_bench;
extern const Command command_convert;
extern const Command command_eval;
extern const Command command_export;
extern const Command command_info;
extern const Command command_interpolate;
extern const Command command_prune;
extern const Command command_quantize;
extern const Command command_tune;

const Command *const commands[] = {
    &command_interpolate, &command_bench, &command_tune,    &command_info,   &command_eval,
    &command_quantize,    &command_prune, &command_convert, &command_export, NULL
};

const Command *command_find(const char *name)
{
    for (const Command *const *c = commands; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}
