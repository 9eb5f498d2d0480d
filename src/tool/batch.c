/* Several videos into a folder. */
#include "tool/batch.h"

#include "base/mem.h"
#include "media/segments.h"
#include "tool/events.h"
#include "tool/progress.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum Fate { FATE_WAITING, FATE_DONE, FATE_DAMAGED, FATE_SKIPPED, FATE_FAILED } Fate;

typedef struct Item {
    char *input, *output;
    Fate fate;
    PipelineProgress progress;
    double seconds;
    char why[256]; /* of a failure */
} Item;

typedef struct Batch {
    const InterpolateOptions *options;
    Report *report;
    Item *item;
    int count, size;
    bool events;
} Batch;

/* ---- the list ---- */

static int no_memory(const Batch *b)
{
    return report_error(b->report, DAIN_ENOMEM, "out of memory");
}

static const char *ending(const char *path)
{
    const char *const slash = strrchr(path, '/'), *const dot = strrchr(slash ? slash : path, '.');
    return dot ? dot + 1 : "";
}

static bool listed(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcasecmp(word, *list))
            return true;
    return false;
}

/* Files beside the videos (subtitles, pictures, texts) are none of ours. */
static bool is_video(const char *name)
{
    static const char *const endings[] = { "mp4",  "m4v",  "mkv", "mov",  "webm",  "avi",  "ts",
                                           "mts",  "m2ts", "mpg", "mpeg", "vob",   "wmv",  "asf",
                                           "flv",  "f4v",  "ogv", "3gp",  "3g2",   "mxf",  "gif",
                                           "apng", "y4m",  "nut", "dv",   "mjpeg", "mjpg", "h264",
                                           "264",  "hevc", "265", "ivf",  "rm",    NULL };
    return name[0] != '.' && listed(ending(name), endings);
}

/* FOLDER/NAME.END, with the input's ending where that is a container for new videos. */
static char *output_name(const char *folder, const char *input)
{
    static const char *const kept[] = { "mp4", "mkv", "mov",  "webm", "avi",
                                        "ts",  "mts", "m2ts", "gif",  NULL };
    const char *const end = ending(input), *const slash = strrchr(input, '/');
    const char *const name = slash ? slash + 1 : input;
    const char *const new_end = listed(end, kept) ? end : !strcasecmp(end, "m4v") ? "mp4" : "mkv";
    const size_t length = strlen(name) - (*end ? strlen(end) + 1 : 0), last = strlen(folder);
    const size_t size = last + length + strlen(new_end) + 3;
    char *const out = mem_alloc(size);
    if (out)
        snprintf(out, size, "%s%s%.*s.%s", folder, last && folder[last - 1] == '/' ? "" : "/",
                 (int)length, name, new_end);
    return out;
}

static int add(Batch *b, const char *input, const char *folder)
{
    if (!mem_reserve(&b->item, b->count, &b->size, sizeof *b->item))
        return no_memory(b);
    Item *const item = &b->item[b->count++];
    item->input = mem_strdup(input);
    item->output = output_name(folder, input);
    return item->input && item->output ? DAIN_OK : no_memory(b);
}

static int add_folder(Batch *b, const char *from, const char *folder)
{
    DIR *const dir = opendir(from);
    if (!dir)
        return report_error(b->report, DAIN_EIO, "%s: %s", from, strerror(errno));
    int r = DAIN_OK, others = 0;
    for (const struct dirent *e; r == DAIN_OK && (e = readdir(dir));) {
        const size_t size = strlen(from) + strlen(e->d_name) + 2;
        char *const path = mem_alloc(size);
        struct stat st;
        if (!path) {
            r = no_memory(b);
            break;
        }
        snprintf(path, size, "%s%s%s", from, from[strlen(from) - 1] == '/' ? "" : "/", e->d_name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            if (is_video(e->d_name))
                r = add(b, path, folder);
            else
                others += e->d_name[0] != '.';
        }
        mem_free(path);
    }
    closedir(dir);
    if (r == DAIN_OK && !b->count)
        r = report_error(b->report, DAIN_EIO, "%s: there are no videos in this folder", from);
    else if (r == DAIN_OK && others)
        report_log(b->report, DAIN_LOG_WARNING, "%s: %d file%s not named like a video left out",
                   from, others, plural(others));
    return r;
}

/* clip2 before clip10. */
static int by_name(const void *a, const void *b)
{
    return strverscmp(((const Item *)a)->input, ((const Item *)b)->input);
}

static int prepare_folder(const Batch *b, const char *folder)
{
    struct stat to, from;
    if (stat(folder, &to) != 0) {
        if (!b->options->dry_run && mkdir(folder, 0777) != 0)
            return report_error(b->report, DAIN_EIO, "%s: %s", folder, strerror(errno));
        return DAIN_OK;
    }
    if (!S_ISDIR(to.st_mode))
        return report_error(b->report, DAIN_EINVAL, "%s is no folder for the results", folder);
    if (b->options->batch && stat(b->options->batch, &from) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        return report_error(b->report, DAIN_EINVAL,
                            "the results need a folder of their own, not %s itself", folder);
    return DAIN_OK;
}

/* ---- the work ---- */

static const Item *earlier_with_output(const Batch *b, int i)
{
    for (int k = 0; k < i; k++)
        if (!strcmp(b->item[k].output, b->item[i].output))
            return &b->item[k];
    return NULL;
}

/* The playable part that an interrupted run leaves would be taken for the whole by the next one, unless
 * there are segments to go on with. */
static void set_apart(const Batch *b, const Item *item)
{
    static const char mark[] = ".unfinished";
    struct stat st;
    if (stat(item->output, &st) != 0 || segments_exist(item->output))
        return;
    const char *const slash = strrchr(item->output, '/'), *const dot = strrchr(item->output, '.');
    const char *const end = dot && dot > slash ? dot : item->output + strlen(item->output);
    const size_t size = strlen(item->output) + sizeof mark;
    char *const apart = mem_alloc(size);
    if (!apart)
        return;
    snprintf(apart, size, "%.*s%s%s", (int)(end - item->output), item->output, mark, end);
    if (rename(item->output, apart) == 0)
        report_log(b->report, DAIN_LOG_WARNING, "what is done of it is %s", apart);
    mem_free(apart);
}

static int make(Batch *b, int i)
{
    Item *const item = &b->item[i];
    const Item *const same = earlier_with_output(b, i);
    if (same) {
        item->fate = FATE_FAILED;
        report_error(b->report, DAIN_EINVAL, "%s and %s would both become %s", same->input,
                     item->input, item->output);
        snprintf(item->why, sizeof item->why, "another video has become %s", item->output);
        return EXIT_FAILED;
    }
    if (!b->options->overwrite && !b->options->dry_run && access(item->output, F_OK) == 0 &&
        !segments_exist(item->output)) { /* else it is the playable part of an unfinished one */
        item->fate = FATE_SKIPPED;
        return EXIT_DONE;
    }
    if (!b->options->common.quiet && !b->events)
        fprintf(stderr, "[%d/%d] %s\n", i + 1, b->count, item->input);
    PipelineResult result = { 0 };
    const double start = seconds_now();
    b->report->error[0] = 0;
    const int code = interpolate_video(b->options, item->input, item->output, b->report, &result);
    item->seconds = seconds_now() - start;
    if (code != EXIT_DONE && code != EXIT_DAMAGED && code != EXIT_FAILED && result.kept)
        set_apart(b, item);
    item->progress = result.progress;
    item->fate = code == EXIT_DONE      ? FATE_DONE
                 : code == EXIT_DAMAGED ? FATE_DAMAGED
                 : code == EXIT_FAILED  ? FATE_FAILED
                                        : FATE_WAITING;
    snprintf(item->why, sizeof item->why, "%s", b->report->error);
    return code;
}

/* ---- the table ---- */

static void print_item(const Item *item, int width)
{
    char time[24];
    const char *const slash = strrchr(item->input, '/');
    fprintf(stderr, "  %-*s  ", width, slash ? slash + 1 : item->input);
    switch (item->fate) {
    case FATE_DONE:
    case FATE_DAMAGED:
        fprintf(stderr, "%-8s%8" PRId64 " -> %-8" PRId64 "%8s\n",
                item->fate == FATE_DONE ? "done" : "damaged", item->progress.frames_in,
                item->progress.frames_out, duration_text(item->seconds, time, sizeof time));
        break;
    case FATE_SKIPPED:
        fprintf(stderr, "exists already, left alone (-y replaces it)\n");
        break;
    case FATE_FAILED:
        fprintf(stderr, "failed: %s\n", item->why);
        break;
    case FATE_WAITING:
        fprintf(stderr, "not done\n");
        break;
    }
}

static int conclude(const Batch *b, int interrupted)
{
    int of[FATE_FAILED + 1] = { 0 }, width = 4;
    double seconds = 0;
    char time[24];
    for (int i = 0; i < b->count; i++) {
        const char *const slash = strrchr(b->item[i].input, '/');
        const int length = (int)strlen(slash ? slash + 1 : b->item[i].input);
        width = length > width ? length < 48 ? length : 48 : width;
        of[b->item[i].fate]++;
        seconds += b->item[i].seconds;
    }
    if (b->events) {
        events_batch(of[FATE_DONE], of[FATE_DAMAGED], of[FATE_SKIPPED], of[FATE_FAILED],
                     of[FATE_WAITING], seconds);
    } else if (!b->options->common.quiet) {
        fprintf(stderr, "\n  %-*s  result    frames              time\n", width, "file");
        for (int i = 0; i < b->count; i++)
            print_item(&b->item[i], width);
        fprintf(stderr, "%d video%s in %s: %d done, %d damaged, %d there already, %d failed",
                b->count, plural(b->count), duration_text(seconds, time, sizeof time),
                of[FATE_DONE], of[FATE_DAMAGED], of[FATE_SKIPPED], of[FATE_FAILED]);
        if (of[FATE_WAITING])
            fprintf(stderr, ", %d not done", of[FATE_WAITING]);
        fputc('\n', stderr);
    }
    return interrupted        ? interrupted
           : of[FATE_FAILED]  ? EXIT_FAILED
           : of[FATE_DAMAGED] ? EXIT_DAMAGED
                              : EXIT_DONE;
}

int batch_run(const InterpolateOptions *options, char *const *inputs, int count, const char *folder,
              Report *report)
{
    Batch b = { .options = options,
                .report = report,
                .events = options->progress && !strcmp(options->progress, "json") };
    int code = EXIT_FAILED, interrupted = 0;
    int r = prepare_folder(&b, folder);
    if (r == DAIN_OK && options->batch)
        r = add_folder(&b, options->batch, folder);
    for (int i = 0; i < count && r == DAIN_OK; i++)
        r = add(&b, inputs[i], folder);
    if (r == DAIN_OK && options->batch)
        qsort(b.item, (size_t)b.count, sizeof *b.item, by_name);
    for (int i = 0; i < b.count && r == DAIN_OK && !interrupted; i++) {
        const int now = make(&b, i);
        if (now >= 128)
            interrupted = now;
        else if (now == EXIT_USAGE)
            r = DAIN_EINVAL; /* it is the same for all of them */
    }
    if (r == DAIN_OK)
        code = conclude(&b, interrupted);
    for (int i = 0; i < b.count; i++) {
        mem_free(b.item[i].input);
        mem_free(b.item[i].output);
    }
    mem_free(b.item);
    return code;
}
