/* Test sets on disk: finds the triplets (first frame, truth, second frame) of a folder. */
#ifndef DAIN_MEDIA_TRIPLETS_H
#define DAIN_MEDIA_TRIPLETS_H

#include "base/log.h"

typedef enum TripletLayout {
    TRIPLET_MIDDLEBURY, /* input/SEQ/frame10, frame11; gt/SEQ/frame10i11 */
    TRIPLET_VIMEO,      /* tri_testlist.txt names folders SEQ of sequences/SEQ/im1, im2, im3 */
    TRIPLET_FOLDERS,    /* any tree of folders with im1, im2, im3 or frame0, frame1, frame2 */
    TRIPLET_FRAMES      /* the frames of one clip; every second one is a truth */
} TripletLayout;

typedef struct Triplet {
    char *name;    /* folder below the root, or the file name of the truth */
    char *path[3]; /* first frame, truth (half-way between the two in time), second frame */
} Triplet;

typedef struct TripletList {
    TripletLayout layout;
    Triplet *item; /* in natural order: 2 before 10 */
    int count, room;
} TripletList;

/* Recognises the layout of the folder and lists its triplets, at least one. Files are looked for,
 * not read. A folder that has one part of a triplet but not the others is an error. Errors:
 * DAIN_EIO, DAIN_EFORMAT, DAIN_ENOMEM. */
int triplets_find(TripletList *list, const char *root, Report *report);

/* The pictures of one folder in natural order as the frames of a clip: triplets 0 1 2, 2 3 4, ...
 * Errors: as above, DAIN_EFORMAT for fewer than three pictures. */
int triplets_find_frames(TripletList *list, const char *folder, Report *report);

/* "middlebury", "vimeo", "triplets", "frames". */
const char *triplets_layout_name(TripletLayout layout);

/* Frees what the list holds; a zeroed list is allowed. */
void triplets_free(TripletList *list);

#endif
