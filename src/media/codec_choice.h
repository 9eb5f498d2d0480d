/* Which encoder and which pixel format an output gets: what encode.c is set up by. */
#ifndef DAIN_MEDIA_CODEC_CHOICE_H
#define DAIN_MEDIA_CODEC_CHOICE_H

#include "media/encode.h"

/* The video encoder of that name, or the best known one of the codec of that name (h264, av1, x265);
 * NULL if there is none. */
const AVCodec *codec_named(const char *name);

/* The encoder that was asked for, else libx264 where the container takes H.264, else the container's
 * own. NULL with a sentence if there is none, or the container cannot hold it. */
const AVCodec *codec_choose(const EncoderSettings *settings, const AVOutputFormat *container,
                            Report *report);

/* The format of that name (NULL: the one that loses least of the source's frames) among those that
 * the encoder takes. Errors: DAIN_EINVAL, DAIN_EUNSUPPORTED. */
int codec_choose_format(const AVCodec *codec, const AVOutputFormat *container, const char *name,
                        const AVFrame *first, Report *report);

/* Whether the encoder has such a preset, where its presets have the names of x264's; others have
 * numbers, or say themselves what is wrong. DAIN_EINVAL. */
int codec_check_preset(const AVCodec *codec, const char *preset, Report *report);

/* Whether encoder, pixel format and preset have names that mean something, whatever the video. The
 * preset is looked at if the settings or the container (may be NULL) tell the encoder. Errors:
 * DAIN_EINVAL, DAIN_EUNSUPPORTED. */
int codec_check_names(const EncoderSettings *settings, const AVOutputFormat *container,
                      Report *report);

/* Whether the container or the encoder that would be chosen knows one frame rate only, instead of a
 * time for each frame. */
bool codec_needs_constant_rate(const EncoderSettings *settings, const AVOutputFormat *container);

#endif
