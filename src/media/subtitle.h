/*
 * Subtitles of text in another codec: decoded to FFmpeg's common form (ASS events) and encoded in what
 * the container takes. Pictures (DVD, Blu-ray) stay what they are.
 *
 *     subtitle_open(&subtitle, stream, container, &pace, &report);
 *     subtitle_send(subtitle, packet);                // NULL at the end
 *     while (subtitle_receive(subtitle, out) > 0) ...
 *     subtitle_close(&subtitle);
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_SUBTITLE_H
#define DAIN_MEDIA_SUBTITLE_H

#include "media/libav.h"
#include "media/pace.h"

typedef struct Subtitle Subtitle;

/* pace: of the output beside the stream; must outlive it. Errors: DAIN_EUNSUPPORTED (not text,
 * or no text in this container), DAIN_ENOMEM. *subtitle is NULL then. */
int subtitle_open(Subtitle **subtitle, const AVStream *from, const AVOutputFormat *container,
                  const Pace *pace, Report *report);
void subtitle_close(Subtitle **subtitle);

/* A packet of the stream, or NULL at the end; then subtitle_receive() until there is none. A broken
 * packet is dropped. Errors: DAIN_ENOMEM. */
int subtitle_send(Subtitle *subtitle, const AVPacket *packet);
/* 1 = a packet, times in the time base of the encoder; 0 = none. */
int subtitle_receive(Subtitle *subtitle, AVPacket *packet);

/* The encoder, for the parameters of the new stream. */
const AVCodecContext *subtitle_encoder(const Subtitle *subtitle);

#endif
