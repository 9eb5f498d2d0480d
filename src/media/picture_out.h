/* A video written as pictures, one file a frame, by a pattern like out/%08d.png. Each is written
 * beside its name and renamed when it is whole (outfile.h). */
#ifndef DAIN_MEDIA_PICTURE_OUT_H
#define DAIN_MEDIA_PICTURE_OUT_H

#include "media/libav.h"

typedef struct PictureOut PictureOut;

/* Whether the name is such a pattern. */
bool picture_out_wanted(const char *path);

/* The encoder for pictures whose names end like this one, and FFmpeg's container for single
 * pictures. NULL with a sentence if the ending is not known. */
const AVCodec *picture_encoder(const char *path, const AVOutputFormat **container, Report *report);
/* Settings of such an encoder that lose nothing (JPEG: little), ended by NULL; NULL if none. */
const char *const *picture_encoder_options(const AVCodec *codec);

/* Numbers from 1. Fails if the first picture exists and overwrite is not set, or if an input (a list
 * ended by NULL) is in the same folder: new pictures would mix with old ones. Errors: DAIN_EINVAL,
 * DAIN_EIO, DAIN_ENOMEM. */
int picture_out_open(PictureOut **out, const char *path, const char *const *inputs, bool overwrite,
                     Report *report);
/* The next picture, coded. */
int picture_out_write(PictureOut *out, const AVPacket *packet);
/* Warns if the folder has further pictures from before. */
void picture_out_finish(PictureOut *out);
void picture_out_close(PictureOut **out);

/* Writes a packet to a file that is there; for pictures that stand alone too. */
int picture_file_write(const AVPacket *packet, const char *path, Report *report);

#endif
