/* What was wrong with a video, for people. */
#include "tool/damage.h"

#include <inttypes.h>
#include <stdio.h>

/* Faults that cost no frame. */
static void tell_repaired(Report *report, const char *path, const SourceDamage *d)
{
    if (d->interlaced)
        report_log(report, DAIN_LOG_WARNING,
                   "%s: %" PRId64 " frame%s flagged as interlaced were treated as progressive",
                   path, d->interlaced, plural(d->interlaced));
    if (d->timestamps)
        report_log(report, DAIN_LOG_WARNING,
                   "%s: %" PRId64 " timestamp%s missing or out of order, "
                   "replaced",
                   path, d->timestamps, plural(d->timestamps));
    if (d->jumps)
        report_log(report, DAIN_LOG_WARNING,
                   "%s: its clock jumps %" PRId64 " time%s; what follows was moved to join on",
                   path, d->jumps, plural(d->jumps));
}

/* Why the reading ended where it did, "" if at the end. */
static void end_text(const SourceDamage *d, char *text, size_t size)
{
    text[0] = 0;
    if (d->read_error)
        av_strerror(d->read_error, text, size);
    else if (d->truncated && d->missing_bytes > 1)
        snprintf(text, size,
                 "it ends before the length that its header gives (%" PRId64 " bytes are missing)",
                 d->missing_bytes);
    else if (d->truncated)
        snprintf(text, size, "it ends before the length that its header gives");
    else if (d->missing)
        snprintf(text, size, "%" PRId64 " missing picture%s", d->missing, plural(d->missing));
}

bool damage_tell(Report *report, const char *path, const SourceDamage *d, int64_t frames)
{
    tell_repaired(report, path, d);
    if (!d->packets && !d->frames && !d->read_error && !d->truncated && !d->missing)
        return false;
    char why[128], broken[96] = "";
    end_text(d, why, sizeof why);
    if (d->packets || d->frames)
        snprintf(broken, sizeof broken, "%" PRId64 " broken packet%s, %" PRId64 " broken frame%s",
                 d->packets, plural(d->packets), d->frames, plural(d->frames));
    report_error(report, DAIN_EFORMAT, "%s is damaged: %s%s%s; %" PRId64 " frame%s could be used",
                 path, broken, broken[0] && why[0] ? ", " : "", why, frames, plural(frames));
    return true;
}
