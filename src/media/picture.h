/* Single pictures: PNG, JPEG, WebP, TIFF, BMP and whatever else FFmpeg reads and writes. */
#ifndef DAIN_MEDIA_PICTURE_H
#define DAIN_MEDIA_PICTURE_H

#include "media/libav.h"

/* Reads a picture (of a file with several, the first) as it is stored: RGB, gray or YUV, 8 or 16
 * bit, with or without alpha. The caller frees *picture with av_frame_free(). Errors: DAIN_EIO,
 * DAIN_EFORMAT, DAIN_EUNSUPPORTED, DAIN_ENOMEM. */
int picture_read(AVFrame **picture, const char *path, Report *report);

/* Writes a picture of any format in the type that the name ends in, with the samples (depth, gray or
 * colour, alpha) and the metadata of like, as far as the type can. inputs: files it must not be,
 * ended by NULL. Errors: as above, DAIN_EINVAL if the file exists and overwrite is not set. */
int picture_write(const AVFrame *picture, const AVFrame *like, const char *path,
                  const char *const *inputs, bool overwrite, Report *report);

#endif
