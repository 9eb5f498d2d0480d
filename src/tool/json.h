/* Writing JSON. */
#ifndef DAIN_TOOL_JSON_H
#define DAIN_TOOL_JSON_H

#include <stdio.h>

/* A string with quotes, escaped; NULL gives null. Bytes that are no UTF-8 come out as U+FFFD. */
void json_print(FILE *out, const char *text);

#endif
