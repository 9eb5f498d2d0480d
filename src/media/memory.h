/* What the media side of the tool holds while it works: an estimate, for memory limits. */
#ifndef DAIN_MEDIA_MEMORY_H
#define DAIN_MEDIA_MEMORY_H

#include "media/encode.h"

/* Bytes. */
typedef struct MediaNeed {
    size_t program; /* code, libraries, threads */
    size_t frames;  /* decoder, and RGB on the way to and from the engine */
    size_t encoder;
} MediaNeed;

/* For frames like first and the encoder of the settings (its lookahead included). save: see
 * PipelineSettings.save_memory. curved: PipelineSettings.curved. more: RGB frames beside those that
 * every run holds. Calibrated on H.264 to H.264; a little above what is measured. */
MediaNeed media_need(const AVFrame *first, const EncoderSettings *encoder, bool save, bool curved,
                     int more);

/* Frames that the encoder looks ahead by itself; 0 where that is not known or cannot be set. */
int media_lookahead(const EncoderSettings *encoder);

/* Above so many pixels an RGB frame has 60 MB, and frames are converted one at a time. */
enum { SERIAL_PIXELS = 5000000 };

#endif
