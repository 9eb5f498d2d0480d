/* What a container can hold, where FFmpeg's own answer is not enough. */
#ifndef DAIN_MEDIA_CONTAINER_H
#define DAIN_MEDIA_CONTAINER_H

#include "media/libav.h"

/* Whether its name is one of these, ended by NULL. */
bool container_is(const AVOutputFormat *container, const char *const *names);
/* QuickTime and its children; Matroska, not WebM. */
bool container_is_mov(const AVOutputFormat *container);
bool container_is_matroska(const AVOutputFormat *container);

/* As avformat_query_codec(): 1, 0, or below 0 = not known. compliance: FF_COMPLIANCE_... */
int container_holds(const AVOutputFormat *container, enum AVCodecID id, int compliance);

/* Whether a picture is cover art in it; elsewhere it would be one more video. */
bool container_holds_cover(const AVOutputFormat *container);

#endif
