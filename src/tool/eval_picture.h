/* Pictures that `dain eval --save` makes: error maps and comparison strips, packed RGB24. */
#ifndef DAIN_TOOL_EVAL_PICTURE_H
#define DAIN_TOOL_EVAL_PICTURE_H

#include <stdint.h>

#include "base/log.h"

/* An error of 32 levels, averaged over the channels, is white. */
enum { EVAL_ERROR_GAIN = 8 };

/* Grey: EVAL_ERROR_GAIN times the mean absolute difference of the three channels, rounded, at most
 * 255. All three pictures are width x height without gaps. */
void eval_error_map(uint8_t *out, const uint8_t *picture, const uint8_t *truth, int width,
                    int height);

/* Pixels between two pictures of a strip. */
enum { EVAL_GAP = 4, EVAL_STRIP_COLUMNS = 5 };

/* Size of a strip with the given number of rows of five pictures. */
void eval_strip_size(int width, int height, int rows, int *strip_width, int *strip_height);

/* Draws row `row` of a strip: first | made | truth | second | error of made. The gaps are left as
 * they are. */
void eval_strip_row(uint8_t *strip, int row, const uint8_t *const picture[EVAL_STRIP_COLUMNS],
                    int width, int height);

/* Writes a picture without gaps as PNG, over one that exists. */
int eval_picture_write(const char *path, const uint8_t *rgb, int width, int height, Report *report);

#endif
