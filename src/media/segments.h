/*
 * A video in pieces on its way to a file: its packets go into segments of a fixed number of frames,
 * in a folder beside the target, and are read again at the end, when all are joined. What a run that
 * died has completed is there for the next one.
 *
 *     segments_open(&s, target, &settings, &report);      // segments_count(s) are there already
 *     segments_write(s, packet); ... segments_close(s, mark);   // for each further one
 *     segments_rewind(s);
 *     while (segments_read(s, packet) > 0) ...
 *     segments_free(&s, true);
 *
 * The packets are stored as they are (times, side data, content), not in a container, because none
 * keeps the times of all encoders. Thread-safety: one thread at a time.
 */
#ifndef DAIN_MEDIA_SEGMENTS_H
#define DAIN_MEDIA_SEGMENTS_H

#include "media/libav.h"

typedef struct SegmentSettings {
    int frames;               /* in a segment, at least 1 */
    bool resume;              /* go on with what is there */
    const char *const *facts; /* see journal.h; ended by NULL */
} SegmentSettings;

typedef struct Segments Segments;

/*
 * Makes or takes over the folder. Errors: DAIN_EINVAL (without resume: an unfinished video is there,
 * and overwrite is not set; with it: it was begun with other facts), DAIN_EFORMAT, DAIN_EIO,
 * DAIN_ENOMEM.
 */
int segments_open(Segments **segments, const char *target, const SegmentSettings *settings,
                  bool overwrite, Report *report);
/* Frees; all_done removes the folder too. A folder without a complete segment goes in any case. */
void segments_free(Segments **segments, bool all_done);

/* Whether an unfinished video lies beside the target (resolved). */
bool segments_exist(const char *target);
/* Whether the run that left it might replace a file under the target's name. */
bool segments_may_replace(const char *target);
/* Removes it. DAIN_EIO if that cannot be done. */
int segments_remove(const char *target, Report *report);

int segments_count(const Segments *segments);
/* Whether the last one is the last of the video. */
bool segments_whole(const Segments *segments);
/* What was given to segments_close() for the last one; NULL if nothing was or there is none. */
const char *segments_mark(const Segments *segments);

/* Adds a packet to the segment after those that are complete. Errors: DAIN_EIO, DAIN_ENOMEM. */
int segments_write(Segments *segments, const AVPacket *packet);
/* The segment is complete and safe when this returns. mark (or NULL) is taken over; whole: it is
 * the last of the video. Errors: DAIN_EIO, DAIN_ENOMEM. */
int segments_close(Segments *segments, char *mark, bool whole);
/* From now on a file under the target's name is one that the next run may replace. */
int segments_set_replace(Segments *segments);

/* Reading, from the first segment to the last packet written, complete or not. */
int segments_rewind(Segments *segments);
/* 1 = a packet, 0 = the end. Errors: DAIN_EIO, DAIN_EFORMAT, DAIN_ENOMEM. */
int segments_read(Segments *segments, AVPacket *packet);

#endif
