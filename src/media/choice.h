/* Which streams of a file are wanted. */
#ifndef DAIN_MEDIA_CHOICE_H
#define DAIN_MEDIA_CHOICE_H

#include "media/libav.h"

/*
 * Reads a list like "audio,s:1,4" against the streams of a file. Its terms: all, none, the number of
 * a stream in the file, a kind (video, audio, subtitle, data, attachment, or their letters v a s d
 * t), a kind with the number of a stream among its kind (a:0) or with a language (s:fra).
 *
 * chosen[i] tells for each stream of format whether it is listed. *video becomes the number of the
 * first video stream that is named by a number, -1 if none is. Errors: DAIN_EINVAL (no term, or no
 * such stream).
 */
int stream_choice(const char *text, const AVFormatContext *format, bool *chosen, int *video,
                  Report *report);

/* Whether text is such a list for some file. DAIN_EINVAL with a sentence. */
int stream_choice_check(const char *text, Report *report);

/* A video stream of moving pictures: no cover art, no thumbnails. */
bool stream_is_video(const AVStream *stream);

#endif
