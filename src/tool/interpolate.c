/* dain IN OUT: a video with new frames between the old ones: the command and its options. */
#include "tool/interpolate.h"

#include "base/mem.h"
#include "media/picture_list.h"
#include "media/picture_out.h"
#include "media/scene.h"
#include "media/still.h"
#include "tool/advice.h"
#include "tool/batch.h"
#include "tool/preview.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const Command command_interpolate;

/* Options of videos that say nothing about two pictures. */
static void warn_of_video_options(const InterpolateOptions *o, Report *report)
{
    const struct {
        bool given;
        const char *name;
    } list[] = { { o->factor.num != 0, "factor" },
                 { o->rate.num != 0, "fps" },
                 { o->frames != 0, "frames" },
                 { interpolate_slow(o), "slowmo" },
                 { o->start != 0, "start" },
                 { o->end >= 0, "end" },
                 { o->vfr, "vfr" },
                 { o->dedup, "dedup" },
                 { o->loop, "loop" },
                 { o->streams != NULL, "streams" } };
    for (unsigned i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i].given)
            report_log(report, DAIN_LOG_WARNING, "--%s is for videos and does nothing here",
                       list[i].name);
}

/* A folder as output means pictures in it, by the pattern of -f: *target is their pattern then. The
 * folder is made if it is named as one, by a slash at its end or by -f. */
static int find_target(const InterpolateOptions *o, char **target, bool *made, Report *report)
{
    const size_t length = strlen(o->output);
    const bool slash = length > 0 && o->output[length - 1] == '/';
    struct stat st;
    const bool exists = stat(o->output, &st) == 0;
    if (!strcmp(o->output, "-") && isatty(STDOUT_FILENO))
        return options_wrong(&command_interpolate, "standard output is a terminal");
    const bool folder = exists && S_ISDIR(st.st_mode);
    /* A video into a folder that was only named may be a slip: thousands of pictures. */
    if (!o->pattern && !slash && folder && !picture_list_wanted(o->input)) {
        report_error(report, DAIN_EINVAL,
                     "%s is a folder; name a video in it, or end it in / for a folder of pictures",
                     o->output);
        return EXIT_FAILED;
    }
    if (!o->pattern && !slash && !folder)
        return EXIT_DONE;
    const char *const pattern = o->pattern ? o->pattern : "%08d.png";
    PicturePattern parts;
    if (strchr(pattern, '/') || !picture_pattern_parse(pattern, &parts) || !still_named(pattern))
        return options_wrong(&command_interpolate,
                             "--pattern %s: should be a file name with one %%d, like new_%%05d.png",
                             pattern);
    if (o->resume) /* before a folder is made */
        return options_wrong(&command_interpolate, "--resume is for one file, not for pictures");
    if ((exists && !folder) || (!exists && !o->dry_run && mkdir(o->output, 0777) != 0)) {
        report_error(report, DAIN_EIO, "%s: %s", o->output, strerror(exists ? ENOTDIR : errno));
        return EXIT_FAILED;
    }
    *made = !exists && !o->dry_run;
    if (!o->pattern && !picture_list_wanted(o->input))
        report_log(report, DAIN_LOG_WARNING,
                   "%s is a folder: a picture for each frame goes there; for a video, name one",
                   o->output);
    const size_t size = length + strlen(pattern) + 2;
    *target = mem_alloc(size);
    if (!*target) {
        report_error(report, DAIN_ENOMEM, "out of memory");
        return EXIT_FAILED;
    }
    snprintf(*target, size, "%s%s%s", o->output, slash ? "" : "/", pattern);
    return EXIT_DONE;
}

/* Whether several inputs go into a folder: it is there, or ends in a slash. */
static bool is_batch(const InterpolateOptions *o, int count, char **operands)
{
    const char *const last = o->output ? o->output : count ? operands[count - 1] : "";
    const int inputs = o->output ? count : count - 1;
    struct stat st;
    return !o->input && inputs > 1 && last[0] &&
           (last[strlen(last) - 1] == '/' || (stat(last, &st) == 0 && S_ISDIR(st.st_mode)));
}

static const char *wrong_words(const InterpolateOptions *o)
{
    const char *const time = interpolate_wrong_time(o);
    return time ? time : interpolate_wrong_word(o);
}

static int run_batch(const InterpolateOptions *o, int count, char **operands, Report *report)
{
    const char *const folder = o->output ? o->output : count ? operands[--count] : NULL;
    const char *const wrong = wrong_words(o);
    if (!folder)
        return options_wrong(&command_interpolate,
                             "--batch needs a folder for the results: dain --batch %s RESULTS",
                             o->batch);
    if (o->batch && count)
        return options_wrong(&command_interpolate,
                             "either --batch or names of videos, not both: %s", operands[0]);
    const char *const single = o->input        ? "input"
                               : o->pattern    ? "pattern"
                               : o->preview    ? "preview"
                               : o->scenes     ? "scenes"
                               : o->container  ? "container"
                               : o->scene_list ? "scene-list"
                                               : NULL;
    if (single)
        return options_wrong(&command_interpolate, "several videos do not go with --%s", single);
    if (wrong)
        return options_wrong(&command_interpolate, "%s", wrong);
    return batch_run(o, operands, count, folder, report);
}

static int run(const void *values, int count, char **operands)
{
    const InterpolateOptions *const o = values;
    Report report;
    messages_start(&report, &o->common);
    if (o->progress && !strcmp(o->progress, "json"))
        messages_json();
    InterpolateOptions full = *o;
    int used = 0;
    const bool pictures = o->first || o->second;
    if (!pictures && (o->batch || is_batch(o, count, operands)))
        return run_batch(&full, count, operands, &report);
    if (!pictures && !full.input && used < count)
        full.input = operands[used++];
    if (!full.output && used < count)
        full.output = operands[used++];
    if (used < count)
        return options_wrong(&command_interpolate, "one file too many: %s%s", operands[used],
                             advice_too_many(operands[used]));
    if (pictures && (!o->first || !o->second))
        return options_wrong(&command_interpolate, "two pictures are needed: -0 FIRST -1 SECOND");
    if (pictures && (o->dry_run || o->preview))
        return options_wrong(&command_interpolate, "--%s is for videos",
                             o->dry_run ? "dry-run" : "preview");
    if (pictures && o->input)
        return options_wrong(&command_interpolate,
                             "either two pictures (-0, -1) or a video (-i), not both");
    if (!pictures && o->time >= 0)
        return options_wrong(
            &command_interpolate,
            "--time is for two pictures (-0, -1); for a video say --factor or --fps");
    if (full.time < 0)
        full.time = 0.5;
    if (!pictures && !full.input)
        return options_wrong(&command_interpolate, "no input file");
    if (!full.output)
        return options_wrong(&command_interpolate, "no output file%s",
                             advice_no_output(full.input ? full.input : ""));
    if (o->deinterlace && o->progressive)
        return options_wrong(&command_interpolate,
                             "--deinterlace and --progressive exclude each other");
    const char *const wrong = wrong_words(&full);
    if (wrong)
        return options_wrong(&command_interpolate, "%s", wrong);
    if (pictures) {
        warn_of_video_options(o, &report);
        return interpolate_pictures(&full, &report);
    }
    char *target = NULL;
    bool made = false;
    int code = find_target(&full, &target, &made, &report);
    if (code == EXIT_DONE)
        code = interpolate_video(&full, full.input, target ? target : full.output, &report, NULL);
    if (code == EXIT_FAILED && made)
        rmdir(full.output); /* if nothing came into it */
    mem_free(target);
    return code;
}

#define AT(member) offsetof(InterpolateOptions, member)

static const Option options[] = {
    { 'i', "input", OPTION_TEXT, AT(input), "FILE",
      "the video, instead of naming it first: a file, a URL, a folder of pictures, a pattern like "
      "in/%05d.png, or - for standard input",
      0, 0 },
    { 'o', "output", OPTION_TEXT, AT(output), "FILE",
      "the result, instead of naming it last; the end of its name chooses the container (.mp4, "
      ".mkv, .mov, .webm, ...) or picture type; a folder, or a pattern like out/%05d.png: a "
      "picture "
      "for each frame; -: YUV4MPEG on standard output",
      0, 0 },
    { 'f', "pattern", OPTION_TEXT, AT(pattern), "NAME",
      "names of the pictures when the output is a folder, counted from 1; the end chooses their "
      "type "
      "(.png, .jpg, .tif, .webp, .exr, ...) [%08d.png]",
      0, 0 },
    { 0, "factor", OPTION_FACTOR, AT(factor), "N",
      "frames of output for each frame of the video: 2, 5/2, 2.5 [2]", 0, 0 },
    { 'r', "fps", OPTION_RATE, AT(rate), "RATE",
      "frames a second of output: 60, 60000/1001, 59.94, ntsc, pal, film", 0, 0 },
    { 'n', "frames", OPTION_INT, AT(frames), "N",
      "frames of output altogether, spread evenly over the video (which is read twice)", 1, 1e9 },
    { 0, "slowmo", OPTION_PACE, AT(slowmo), "N",
      "slow motion: make the video N times longer at its own frame rate (or at --factor times "
      "that, or --fps); sound is left out. Or a ramp: TIME=N,TIME=N,... goes from one N to the "
      "next "
      "in between (0=1,2=4,3=4,3.5=1)",
      0, 0 },
    { 0, "slowmo-audio", OPTION_FLAG, AT(slowmo_audio), NULL,
      "with --slowmo: stretch the sound too, at its pitch", 0, 0 },
    { 0, "vfr", OPTION_FLAG, AT(vfr), NULL,
      "keep every source frame at its own time and put new ones evenly between: as many as "
      "--factor "
      "says, or in each gap as many as come nearest to --fps",
      0, 0 },
    { 0, "start", OPTION_TIME, AT(start), "TIME",
      "begin there: seconds, or hours:minutes:seconds with decimals", 0, 0 },
    { 0, "end", OPTION_TIME, AT(end), "TIME", "end there, on the clock of the source", 0, 0 },
    { 0, "dedup", OPTION_FLAG, AT(dedup), NULL,
      "leave out frames that repeat the one before and make new ones in their place: for animation "
      "on twos and threes, film in 30 or 60 frames a second (2:3 pulldown), screen recordings",
      0, 0 },
    { 0, "loop", OPTION_FLAG, AT(loop), NULL,
      "for videos that are played in a circle: new frames between the last frame and the first too",
      0, 0 },
    { 0, "fallback", OPTION_REAL, AT(fallback), "LEVEL",
      "repeat the nearer frame instead of a new one of less confidence than this, 0 to 1: how much "
      "of "
      "the fine detail of its neighbours it has; 0.7 takes out the worst, less where there is "
      "grain [0]",
      0, 1 },
    { 0, "match", OPTION_FLAG, AT(match), NULL,
      "sharpen new frames where they are softer than their neighbours, and give them their grain",
      0, 0 },
    { 0, "denoise-flow", OPTION_FLAG, AT(denoise_flow), NULL,
      "estimate the motion on denoised copies of the frames; new ones are made of the frames as "
      "they "
      "are: for night and surveillance video",
      0, 0 },
    { 0, "no-lock", OPTION_FLAG, AT(no_lock), NULL,
      "do not hold what stands still in both frames: logos, subtitles, counters", 0, 0 },
    { '0', "first", OPTION_TEXT, AT(first), "FILE", "the first of two pictures", 0, 0 },
    { '1', "second", OPTION_TEXT, AT(second), "FILE", "the second of two pictures", 0, 0 },
    { 's', "time", OPTION_REAL, AT(time), "T",
      "where between the two pictures, from 0 (the first) to 1 [0.5]", 0, 1 },
    MOTION_OPTION(InterpolateOptions, common),
    COMMON_OPTIONS(InterpolateOptions, common),
    ENGINE_OPTIONS(InterpolateOptions, engine),
    { 0, "container", OPTION_TEXT, AT(container), "NAME",
      "mkv, mp4, webm, nut, ...: instead of what the end of OUT tells, and with - as OUT instead "
      "of "
      "YUV4MPEG",
      0, 0 },
    { 'c', "codec", OPTION_TEXT, AT(codec), "NAME",
      "encoder: libx264, libx265, libsvtav1, ffv1, prores_ks, ... [libx264, or what the container "
      "wants]",
      0, 0 },
    { 0, "crf", OPTION_REAL, AT(crf), "Q",
      "quality of the encoder, lower is better [18 for libx264]", 0, 63 },
    { 0, "preset", OPTION_TEXT, AT(preset), "NAME",
      "speed of the encoder: slow, fast, ... [its own]", 0, 0 },
    { 0, "pix-fmt", OPTION_TEXT, AT(pix_fmt), "NAME",
      "pixel format of the output [that of the video, or the nearest]", 0, 0 },
    { 'e', "encoder-option", OPTION_SETTINGS, AT(encoder_options), "KEY=VALUE",
      "any other option of the encoder; may be repeated", 0, 0 },
    { 0, "streams", OPTION_TEXT, AT(streams), "LIST",
      "which streams to keep, with commas: all, none, numbers, kinds (video, audio, subtitle, "
      "data, "
      "attachment, or their letters v a s d t), one of a kind (a:0), a language (s:fra); a video "
      "stream named by its number is the one that gets new frames [all]",
      0, 0 },
    { 0, "no-streams", OPTION_FLAG, AT(no_streams), NULL,
      "leave out sound, subtitles and all other streams", 0, 0 },
    { 0, "scene-threshold", OPTION_REAL, AT(scene_threshold), "X",
      "how much must change between two frames for a scene cut, 0 to 1; at a cut the nearer frame "
      "is "
      "repeated [0.25]",
      0, 1 },
    { 0, "scenes", OPTION_TEXT, AT(scenes), "FILE",
      "write a list of the cuts: number of the first frame of each new scene (from 0), seconds, "
      "score",
      0, 0 },
    { 0, "scene-list", OPTION_TEXT, AT(scene_list), "FILE",
      "take the cuts from such a list, a frame number a line, instead of looking for them", 0, 0 },
    { 0, "no-scene", OPTION_FLAG, AT(no_scene), NULL, "look for no cuts", 0, 0 },
    { 0, "progressive", OPTION_FLAG, AT(progressive), NULL,
      "the video is progressive whatever its flags say", 0, 0 },
    { 0, "deinterlace", OPTION_FLAG, AT(deinterlace), NULL,
      "the video is interlaced: make a frame of each field first, so that 25 frames a second count "
      "as 50",
      0, 0 },
    { 0, "input-fps", OPTION_RATE, AT(input_rate), "RATE",
      "frames a second of a sequence of pictures or a raw stream [24 for pictures]", 0, 0 },
    { 0, "strict", OPTION_FLAG, AT(strict), NULL,
      "stop at the first damaged part of the input instead of leaving it out", 0, 0 },
    { 0, "max-gap", OPTION_REAL, AT(max_gap), "SECONDS",
      "close gaps in the times of the input that are longer, where no stream has anything [10 in "
      ".ts and the like, else a day]",
      0.1, 1e6 },
    { 0, "dry-run", OPTION_FLAG, AT(dry_run), NULL,
      "only say what would be done: formats, frames, streams, memory, and the time it would take "
      "by "
      "a short measurement; nothing is written",
      0, 0 },
    { 0, "preview", OPTION_INT, AT(preview), "N",
      "make no video but a picture OUT with N rows, from all over the video: a source frame, the "
      "new "
      "one half-way, the next source frame",
      1, PREVIEW_MOST },
    { 0, "batch", OPTION_TEXT, AT(batch), "FOLDER",
      "all videos of a folder; OUT is the folder for the results, which keep the names; those that "
      "exist are left alone unless -y is given",
      0, 0 },
    { 0, "progress", OPTION_CHOICE, AT(progress), "line|json|none",
      "how to show progress: a line on terminals, or JSON on standard error for programs [line, "
      "none with -q]",
      0, 0 },
    { 0, "resume", OPTION_FLAG, AT(resume), NULL,
      "go on where a run with the same options ended early; begin anew if there is nothing to go "
      "on "
      "with",
      0, 0 },
    { 0, "segment", OPTION_INT, AT(segment), "N",
      "frames that may have to be made again after a crash: a longer output is written in parts of "
      "N "
      "frames that are joined at the end, which takes its space twice meanwhile; 0 = in one [1000]",
      0, 1e9 },
    { 'y', "overwrite", OPTION_FLAG, AT(overwrite), NULL, "replace the output file if it exists", 0,
      0 },
};

static const InterpolateOptions defaults = { .common.motion = "curved",
                                             .time = -1,
                                             .end = -1,
                                             .crf = -1,
                                             .segment = SEGMENT_FRAMES,
                                             .scene_threshold = SCENE_THRESHOLD };

const Command command_interpolate = {
    "interpolate",
    "put new frames between those of a video, or between two pictures",
    "[options] IN OUT\n       dain [options] IN IN... FOLDER\n       dain [options] -0 FIRST -1 "
    "SECOND -o OUT",
    "Writes the video IN to OUT with twice as many frames a second (or as --factor, --fps or "
    "--frames "
    "say). Sound, subtitles, chapters and metadata come along. With -0 and -1: writes the picture "
    "between two pictures.\n\n"
    "OUT appears under its name only when it is complete. Ctrl-C ends the work early and keeps the "
    "part that is done as a file that can be played.",
    options,
    OPTION_COUNT(options),
    sizeof(InterpolateOptions),
    &defaults,
    run,
};
