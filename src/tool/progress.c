/* The progress line: bar, share, count, speed, time left. */
#include "tool/progress.h"

#include "tool/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR = 24 };

char *duration_text(double seconds, char *buf, unsigned size)
{
    const int64_t s = (int64_t)(seconds + 0.5);
    if (s >= 3600)
        snprintf(buf, size, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    else
        snprintf(buf, size, "%d:%02d", (int)(s / 60), (int)(s % 60));
    return buf;
}

void progress_start(Progress *p, const char *unit, bool quiet)
{
    *p = (Progress){ .shown = !quiet && isatty(STDERR_FILENO),
                     .started = seconds_now(),
                     .unit = unit };
}

bool progress_due(Progress *p)
{
    const double now = seconds_now();
    if (now - p->printed < 0.25)
        return false;
    p->printed = now;
    return true;
}

double progress_elapsed(const Progress *p)
{
    return seconds_now() - p->started;
}

/* "  0.38x", or nothing. */
static void speed_text(double seconds, double elapsed, char *buf, unsigned size)
{
    if (seconds >= 0)
        snprintf(buf, size, "  %.3gx", seconds / elapsed);
    else
        *buf = 0;
}

void progress_update_video(Progress *p, int64_t done, int64_t total, double seconds)
{
    const double elapsed = progress_elapsed(p);
    if (!p->shown || elapsed <= 0 || !progress_due(p))
        return;
    const double fps = (double)(done - p->before) / elapsed;
    char line[192], speed[24];
    speed_text(seconds, elapsed, speed, sizeof speed);
    if (total > 0) {
        char bar[BAR + 1], left[24];
        const double share = done < total ? (double)done / (double)total : 1;
        const int full = (int)(share * BAR);
        memset(bar, '.', BAR);
        memset(bar, '#', (size_t)full);
        bar[BAR] = 0;
        duration_text(fps > 0 ? (double)(total - done) / fps : 0, left, sizeof left);
        snprintf(line, sizeof line,
                 "[%s] %3.0f %%  %" PRId64 "/%" PRId64 " %s  %.1f fps%s  %s left", bar, 100 * share,
                 done, total, p->unit, fps, speed, done ? left : "-");
    } else {
        char spent[24];
        snprintf(line, sizeof line, "%" PRId64 " %s  %.1f fps%s  %s", done, p->unit, fps, speed,
                 duration_text(elapsed, spent, sizeof spent));
    }
    messages_status(line);
}

double progress_end(Progress *p)
{
    if (p->shown)
        messages_status("");
    return progress_elapsed(p);
}
