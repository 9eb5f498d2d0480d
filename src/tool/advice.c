/* What was probably meant by a command line that makes no sense. */
#include "tool/advice.h"

#include "base/words.h"
#include "media/still.h"
#include "tool/options.h"

#include <string.h>
#include <unistd.h>

enum { COMMANDS = 32 };

static char text[512];

const char *advice_no_output(const char *input)
{
    const char *names[COMMANDS + 1];
    int count = 0;
    for (; commands[count] && count < COMMANDS; count++)
        names[count] = commands[count]->name;
    names[count] = NULL;
    const char *const near = nearest_word(input, names);
    const char *const slash = strrchr(input, '/'), *const dot = strrchr(slash ? slash : input, '.');
    if (access(input, F_OK) != 0 && near)
        snprintf(text, sizeof text, "; there is no file %s: did you mean the command %s?", input,
                 near);
    else if (access(input, F_OK) == 0 && dot && dot > input)
        snprintf(text, sizeof text, ": dain %s %.*s-2x%s, for example", input, (int)(dot - input),
                 input, still_named(input) ? ".mp4" : dot);
    else
        text[0] = 0;
    return text;
}

const char *advice_too_many(const char *extra)
{
    if (command_find(extra))
        return " (a command comes before its options)";
    if (still_named(extra))
        return "; two pictures are named so: -0 FIRST -1 SECOND -o BETWEEN";
    return "; several videos need a folder as the last one";
}
