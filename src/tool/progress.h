/* Progress of a long work: a line with a bar on terminals, nothing elsewhere. */
#ifndef DAIN_TOOL_PROGRESS_H
#define DAIN_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress {
    bool shown;
    double started, printed; /* seconds_now() */
    const char *unit;        /* "frames" */
    int64_t before;          /* of what is done, by a run before: not this one's speed */
} Progress;

/* quiet: show nothing, terminal or not. */
void progress_start(Progress *progress, const char *unit, bool quiet);
/* done of total (0 = unknown), and the seconds of video that are done (< 0 = not told) for the speed against
 * real time; prints at most four times a second. */
void progress_update_video(Progress *progress, int64_t done, int64_t total, double seconds);
/* Whether an update is due: at most four times a second, and then the next quarter begins. */
bool progress_due(Progress *progress);
/* Takes the line away. Seconds since the start. */
double progress_end(Progress *progress);
double progress_elapsed(const Progress *progress);

/* "1:02:03", "2:03", "0:03". Returns buf. */
char *duration_text(double seconds, char *buf, unsigned size);

#endif
