/*
 * Whether a file is as long as the structure of its container says. Demuxers read what is there and
 * take the end of a file for the end of the video; but most containers tell in advance how long their
 * parts are, and then what is missing is known to the byte.
 *
 * Matroska and WebM (the segment, or its clusters where a live recording leaves its length open), MP4
 * and MOV (boxes), AVI (RIFF chunks), Ogg (the mark on the last page). Elsewhere nothing is known.
 */
#ifndef DAIN_MEDIA_INTACT_H
#define DAIN_MEDIA_INTACT_H

#include <stdint.h>

/* Bytes that are missing at the end of a file, 0 if it is whole, or if nobody can know. */
int64_t intact_missing_bytes(const char *path);

#endif
