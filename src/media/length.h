/* How long the main video of a file is, by what the file says before it is read. */
#ifndef DAIN_MEDIA_LENGTH_H
#define DAIN_MEDIA_LENGTH_H

#include "media/part.h"

/* Frames of the part that is wanted, 0 unknown. start: where the file begins on its own clock, in
 * microseconds. */
int64_t length_frames(const AVFormatContext *format, const AVStream *video, Ratio rate,
                      const Part *part, int64_t start);

#endif
