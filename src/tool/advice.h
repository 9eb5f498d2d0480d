/* What was probably meant by a command line that makes no sense. */
#ifndef DAIN_TOOL_ADVICE_H
#define DAIN_TOOL_ADVICE_H

/* A remark that begins with a blank or semicolon, "" if there is nothing to say. Good until the next
 * call. */

/* There is one operand, which is the input. */
const char *advice_no_output(const char *input);
/* There is one operand too many. */
const char *advice_too_many(const char *extra);

#endif
