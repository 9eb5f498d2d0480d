/*
 * A list of cuts as a text file: a line for each, with the number of the first frame of the new scene
 * (the first frame of the video, or of the part that is taken, is 0), its time in seconds and the
 * score. A list that is read needs the numbers only; what follows them, empty lines, and lines that
 * begin with # are skipped.
 */
#ifndef DAIN_MEDIA_CUT_LIST_H
#define DAIN_MEDIA_CUT_LIST_H

#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Cut {
    int64_t frame;
    double time, score; /* 0 in a list that was read */
} Cut;

/* Zero-initialised is empty. */
typedef struct CutList {
    Cut *cut; /* by frame */
    int count, size;
} CutList;

void cut_list_free(CutList *list);
/* Frames must come in order. DAIN_ENOMEM. */
int cut_list_add(CutList *list, Cut cut);
/* Takes the last one back. */
void cut_list_drop_last(CutList *list);
bool cut_list_has(const CutList *list, int64_t frame);

/* Errors: DAIN_EIO, DAIN_EFORMAT (a line without a number, numbers out of order), DAIN_ENOMEM. */
int cut_list_read(CutList *list, const char *path, Report *report);
/* DAIN_EIO. */
int cut_list_write(const CutList *list, const char *path, Report *report);

#endif
