/* dain info FILE, where the file is a video. */
#ifndef DAIN_TOOL_INFO_VIDEO_H
#define DAIN_TOOL_INFO_VIDEO_H

#include "base/log.h"

#include <stdbool.h>

/* Whether the name means a video or pictures, and no model: it is there, and begins like none. */
bool info_is_video(const char *name);

/* Prints size, rate, length, colour and streams. Errors: as source_open(). */
int info_print_video(const char *path, bool json, Report *report);

#endif
