/* The manual page and the shell completions, from the tables of options.h. */
#ifndef DAIN_TOOL_MANUAL_H
#define DAIN_TOOL_MANUAL_H

#include <stdio.h>

/* dain.1, as troff. */
void manual_page(FILE *out);
/* A completion script for "bash", "zsh" or "fish"; 0, or -1 for another shell. */
int completion_script(FILE *out, const char *shell);

#endif
