/* The pictures of a sequence: a folder, or a pattern like frame_%05d.png. */
#ifndef DAIN_MEDIA_PICTURE_LIST_H
#define DAIN_MEDIA_PICTURE_LIST_H

#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

/* A picture and its place: periods of the frame rate after the first. */
typedef struct PictureFile {
    char *path;
    int64_t place;
} PictureFile;

/* Zero-initialised is empty. */
typedef struct PictureList {
    PictureFile *file;
    int count, room;
    int64_t missing; /* places without a picture between the first and the last */
} PictureList;

/* One %d in a pattern: "in/frame_%05d.png" is "in/frame_", a number of at least 5 digits, ".png". */
typedef struct PicturePattern {
    int prefix; /* characters before the percent sign */
    int digits; /* least number of digits, 1 if it does not say */
    int suffix; /* where the rest begins */
} PicturePattern;

/* False if what follows the last slash has not exactly one %d, %Nd or %0Nd (%% stands for a percent sign and is not
 * counted, but is not replaced either: such patterns are refused). */
bool picture_pattern_parse(const char *text, PicturePattern *pattern);

/* Whether the name means several pictures: a folder, or a pattern and no file of that very name. */
bool picture_list_wanted(const char *path);

/*
 * Finds the pictures. A folder's: all files whose names end like pictures, in natural order (frame_2
 * before frame_10), one period after the other; other files are left out and counted in a message.
 * A pattern's: by their numbers, whose greatest common step is the period; a number that is lacking
 * leaves its place empty. Errors: DAIN_EIO, DAIN_EFORMAT (there is none), DAIN_ENOMEM.
 */
int picture_list_read(PictureList *list, const char *path, Report *report);
void picture_list_free(PictureList *list);

#endif
