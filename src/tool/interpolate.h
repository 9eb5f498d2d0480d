/* The command `interpolate`: its options, and its two kinds of work. */
#ifndef DAIN_TOOL_INTERPOLATE_H
#define DAIN_TOOL_INTERPOLATE_H

#include "media/pipeline.h"
#include "tool/common.h"
#include "tool/engine.h"
#include "tool/options.h"

typedef struct InterpolateOptions {
    CommonOptions common;
    EngineOptions engine;
    const char *input, *output;
    const char *first, *second; /* -0 and -1: two pictures */
    double time;                /* between the two pictures, < 0 = not given */
    Ratio factor, rate;         /* {0, 0} = not given */
    int frames;                 /* -n, 0 = not given */
    Pace slowmo;                /* all zero = not given */
    int64_t start, end;         /* microseconds of the source; end < 0 = not given */
    bool slowmo_audio, vfr, dedup, no_lock, loop;
    const char *scenes, *scene_list;
    double fallback;
    bool match, denoise_flow;
    double scene_threshold;
    bool no_scene, progressive, overwrite, no_streams;
    bool deinterlace, strict;
    double max_gap;        /* seconds, 0 = not given */
    Ratio input_rate;      /* of pictures and raw streams, {0, 0} = not given */
    const char *streams;   /* --streams, NULL = all */
    const char *container; /* --container, NULL = as the name of the output tells */
    const char *pattern;   /* -f: names of pictures in a folder, NULL = %08d.png */
    bool dry_run;
    int preview;          /* rows, 0 = not given */
    const char *batch;    /* a folder of inputs */
    const char *progress; /* "line", "json", "none"; NULL = line, unless quiet */
    bool resume;
    int segment; /* frames of output, 0 = all in one */
    const char *codec, *preset, *pix_fmt;
    double crf;
    TextList encoder_options;
} InterpolateOptions;

/* See --segment. At 60 frames a second of output a quarter of a minute of video; x264 sets a key
 * frame every 250 frames anyway. */
enum { SEGMENT_FRAMES = 1000 };

/* Whether it is slow motion (or fast). */
bool interpolate_slow(const InterpolateOptions *options);
/* NULL, or what is wrong with the options about time. */
const char *interpolate_wrong_time(const InterpolateOptions *options);
/* NULL, or what is wrong with names of streams, encoders and the like whatever the files are. Good until
 * the next call. */
const char *interpolate_wrong_word(const InterpolateOptions *options);
/* Sets what those about time mean. */
void interpolate_set_time(const InterpolateOptions *options, PipelineSettings *settings);

/* Makes one video into another, says how it went. result may be NULL. An exit code. */
int interpolate_video(const InterpolateOptions *options, const char *in, const char *out,
                      Report *report, PipelineResult *result);

/* Makes the picture at options->time between two. An exit code. */
int interpolate_pictures(const InterpolateOptions *options, Report *report);

#endif
