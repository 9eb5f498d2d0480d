/* The command `interpolate`: its options, and its two kinds of work. */
#ifndef DAIN_TOOL_INTERPOLATE_H
#define DAIN_TOOL_INTERPOLATE_H

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
    double scene_threshold;
    bool no_scene, progressive, overwrite, no_streams;
    bool deinterlace, strict;
    Ratio input_rate;     /* of pictures and raw streams, {0, 0} = not given */
    const char *streams;  /* --streams, NULL = all */
    const char *progress; /* "line", "json", "none"; NULL = line, unless quiet */
    const char *codec, *preset, *pix_fmt;
    double crf;
    TextList encoder_options;
} InterpolateOptions;

/* Makes the picture at options->time between two. An exit code. */
int interpolate_pictures(const InterpolateOptions *options, Report *report);

#endif
