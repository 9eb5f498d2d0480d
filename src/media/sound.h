/*
 * Sound in another codec or of another length: decoded, stretched by libavfilter's atempo, or
 * rubberband on a ramp (the pitch stays), encoded again, in the codec that it had if that can be written.
 *
 *     sound_open(&sound, stream, container, &pace, &report);
 *     sound_send(sound, packet);               // NULL at the end
 *     while ((r = sound_receive(sound, out)) > 0) ...
 *     sound_close(&sound);
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_SOUND_H
#define DAIN_MEDIA_SOUND_H

#include "media/libav.h"
#include "media/pace.h"

typedef struct Sound Sound;

/* pace: of the output beside the stream; must outlive it. Errors: DAIN_EUNSUPPORTED (no
 * decoder, or nothing to write it with), DAIN_ENOMEM. *sound is NULL then. */
int sound_open(Sound **sound, const AVStream *from, const AVOutputFormat *container,
               const Pace *pace, Report *report);
void sound_close(Sound **sound);

/* A packet of the stream, or NULL at the end; then packets must be taken until there are none. A
 * broken packet is dropped. Errors: DAIN_ENOMEM, DAIN_EUNSUPPORTED. */
int sound_send(Sound *sound, const AVPacket *packet);
/* 1 = a packet, times in the time base of the encoder; 0 = none yet, or none any more. */
int sound_receive(Sound *sound, AVPacket *packet);

/* The encoder, for the parameters of the new stream. */
const AVCodecContext *sound_encoder(const Sound *sound);

#endif
