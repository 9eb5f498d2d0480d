/*
 * One picture file as a frame: the type is told by the content, and a file that lacks its end is
 * noticed, which decoders pass over in silence.
 */
#ifndef DAIN_MEDIA_STILL_H
#define DAIN_MEDIA_STILL_H

#include "media/libav.h"

/* Whether the name ends like that of a picture (.png, .jpg, .tif, ...). */
bool still_named(const char *path);
/* Those endings as people read them: "png, jpg, tif, webp, ...". */
extern const char still_endings[];

/*
 * Reads and decodes the file into frame (emptied before). *damaged: something is missing or wrong,
 * and frame is what could be had. *codec: FFmpeg's name of the decoder. Errors: DAIN_EIO, DAIN_ENOMEM,
 * DAIN_EFORMAT (no picture, or nothing of it can be decoded), DAIN_EUNSUPPORTED.
 */
int still_read(const char *path, AVFrame *frame, bool *damaged, const char **codec, Report *report);

/* Whether the content begins like one of the types that still_read() knows. */
bool still_known(const char *path);

#endif
