/*
 * A stream beside the main video that cannot be copied: sound and text whose codec the container does
 * not hold, or that get another length. Sound and subtitles (sound.h, subtitle.h) behind one face.
 *
 *     recode_open(&recode, stream, container, &pace, &report);
 *     recode_send(recode, packet);               // NULL at the end
 *     while ((r = recode_receive(recode, out)) > 0) ...
 *     recode_close(&recode);
 *
 * Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_RECODE_H
#define DAIN_MEDIA_RECODE_H

#include "media/libav.h"
#include "media/pace.h"

typedef struct Recode Recode;

/* pace: of the output beside the stream; must outlive it. Errors: DAIN_EUNSUPPORTED (neither sound nor
 * text, no decoder, or nothing to write it with), DAIN_ENOMEM; *recode is NULL then, and what it was is
 * in report->error, not logged: who asked decides how bad it is. */
int recode_open(Recode **recode, const AVStream *from, const AVOutputFormat *container,
                const Pace *pace, Report *report);
void recode_close(Recode **recode);

/* What the stream would be encoded in (which is tried), AV_CODEC_ID_NONE if that cannot be. */
enum AVCodecID recode_codec(const AVStream *from, const AVOutputFormat *container);

/* A packet of the stream, or NULL at the end; then packets must be taken until there are none. A
 * broken packet is dropped. Errors: DAIN_ENOMEM, DAIN_EUNSUPPORTED. */
int recode_send(Recode *recode, const AVPacket *packet);
/* 1 = a packet, times in the time base of the encoder; 0 = none yet, or none any more. */
int recode_receive(Recode *recode, AVPacket *packet);

/* What went wrong last in recode_send() or recode_receive(). */
const char *recode_error(const Recode *recode);

/* The encoder, for the parameters of the new stream. */
const AVCodecContext *recode_encoder(const Recode *recode);

#endif
