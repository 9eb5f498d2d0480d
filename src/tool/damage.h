/* What was wrong with a video, for people. */
#ifndef DAIN_TOOL_DAMAGE_H
#define DAIN_TOOL_DAMAGE_H

#include "media/decode.h"

/* A line about each kind of fault. True if something of the video is missing; frames: how many there
 * were. */
bool damage_tell(Report *report, const char *path, const SourceDamage *damage, int64_t frames);

#endif
