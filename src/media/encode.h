/* The video encoder: chosen by name or by container, set up like the source's frames. */
#ifndef DAIN_MEDIA_ENCODE_H
#define DAIN_MEDIA_ENCODE_H

#include "media/libav.h"

typedef struct EncoderSettings {
    const char *codec;  /* FFmpeg's name of an encoder; NULL = libx264 where the container takes
                          * H.264, else the container's own default */
    double crf;         /* constant quality; < 0 = the encoder's entry in the table (18 for x264) */
    const char *preset; /* NULL = the encoder's default */
    const char *pix_fmt;        /* NULL = the source's, or the nearest that the encoder takes */
    const char *const *options; /* "key=value" for the encoder, ended by NULL; NULL = none */
    int threads;                /* 0 = the encoder's choice */
    int lookahead;              /* frames that x264 looks ahead at most; 0 = its choice */
} EncoderSettings;

typedef struct Encoder Encoder;

/*
 * Opens an encoder for frames like first. time_base: seconds a tick of their pts; rate: nominal
 * frames a second. Colour properties, aspect and light levels are taken from first. Errors:
 * DAIN_EINVAL (an option), DAIN_EUNSUPPORTED, DAIN_ENOMEM.
 */
int encoder_open(Encoder **encoder, const EncoderSettings *settings,
                 const AVOutputFormat *container, const AVFrame *first, Ratio time_base, Ratio rate,
                 Report *report);
void encoder_close(Encoder **encoder);

/* A new, empty frame as the encoder wants it. NULL if there is no memory. */
AVFrame *encoder_frame(const Encoder *encoder);
/* Whether a frame can go to encoder_send() as it is. */
bool encoder_takes(const Encoder *encoder, const AVFrame *frame);

/* Gives a frame (pts in time_base), or NULL at the end. Then takes packets until the value is 0 (1 =
 * a packet). Errors: DAIN_ENOMEM, DAIN_EIO, ... */
int encoder_send(Encoder *encoder, const AVFrame *frame);
int encoder_receive(Encoder *encoder, AVPacket *packet);

const AVCodecContext *encoder_context(const Encoder *encoder);
/* Of the frames that it is given. Where the codec has palettes they are made in encoder_send(). */
enum AVPixelFormat encoder_format(const Encoder *encoder);

#endif
