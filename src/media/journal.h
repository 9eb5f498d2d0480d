/*
 * The journal of a video that is made in segments: what it is made from and how, and which segments
 * are complete. A text file, replaced as a whole after each segment, so that a run that dies leaves
 * either the old or the new one.
 */
#ifndef DAIN_MEDIA_JOURNAL_H
#define DAIN_MEDIA_JOURNAL_H

#include "base/log.h"

#include <stdbool.h>
#include <stdint.h>

/* A complete segment. */
typedef struct JournalSegment {
    int64_t bytes;
    uint32_t sum; /* CRC-32 of the file */
    char *mark;   /* of the maker: where it stood when the next segment began; NULL = none */
} JournalSegment;

/* Zero-initialised is empty. */
typedef struct Journal {
    char **facts; /* "NAME=VALUE": what must be the same for the work to go on */
    int fact_count;
    JournalSegment *segments;
    int count, room;
    bool replace; /* a file under the target's name may be replaced */
    bool whole;   /* the last segment is the last of the video */
} Journal;

/* Takes a copy of the facts, ended by NULL. DAIN_ENOMEM. */
int journal_start(Journal *journal, const char *const *facts, bool replace, Report *report);
/* Takes the mark over, whatever happens. DAIN_ENOMEM. */
int journal_add(Journal *journal, int64_t bytes, uint32_t sum, char *mark, Report *report);
/* Forgets the segments from number count on. */
void journal_cut(Journal *journal, int count);
void journal_free(Journal *journal);

/* Errors: DAIN_EIO (with errno ENOENT: there is none, and no sentence), DAIN_EFORMAT (damaged),
 * DAIN_ENOMEM. */
int journal_read(Journal *journal, const char *path, Report *report);
/* Writes beside the path and renames. Errors: DAIN_EIO, DAIN_ENOMEM. */
int journal_write(const Journal *journal, const char *path, Report *report);

/* The first difference between the facts of the journal and others, as a phrase ("crf was 18 and is
 * 20"); false if there is none. */
bool journal_differs(const Journal *journal, const char *const *facts, char *phrase, size_t size);

#endif
