/*
 * Commands and their options. One table per command drives the parser, --help, the manual page and
 * the shell completions: what is not in the table does not exist.
 *
 * A new command is a file with a struct of its values, a table of Option, and a Command, whose name
 * is then added to the list in commands.c:
 *
 *     typedef struct CropOptions { CommonOptions common; int width; bool round; } CropOptions;
 *     static const Option options[] = {
 *         COMMON_OPTIONS(CropOptions, common),
 *         { 'w', "width", OPTION_INT, offsetof(CropOptions, width), "N", "pixels to keep",
 *           .low = 16, .high = 16384 },
 *         { 0, "round", OPTION_FLAG, offsetof(CropOptions, round), NULL, "round to even" },
 *     };
 *     static const CropOptions defaults = { .width = 640 };
 *     static int run(const void *values, int count, char **operands) { ... return EXIT_DONE; }
 *     const Command command_crop = { "crop", "cut frames smaller", "[options] IN OUT",
 *                                    "Longer text for the manual.", options, OPTION_COUNT(options),
 *                                    sizeof(CropOptions), &defaults, run };
 */
#ifndef DAIN_TOOL_OPTIONS_H
#define DAIN_TOOL_OPTIONS_H

#include "media/pace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes of the program. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3,      /* done, but part of the input was missing or broken */
    EXIT_INTERRUPTED = 130 /* 128 + signal: 130 for Ctrl-C, 143 for SIGTERM */
};

typedef enum OptionKind {
    OPTION_FLAG,     /* bool, set to true */
    OPTION_COUNT_UP, /* int, one more each time (-v -v) */
    OPTION_INT,      /* int, low .. high */
    OPTION_REAL,     /* double, low .. high */
    OPTION_TEXT,     /* const char * */
    OPTION_MODEL,    /* const char *, a file or the name of a model (engine/models.h) */
    OPTION_CHOICE,   /* const char *, one of the words in Option.argument: "f32|bf16|int8" */
    OPTION_ENGINE,   /* const char *: what engine_named() knows */
    OPTION_LIST,     /* TextList: may be given several times */
    OPTION_SETTINGS, /* TextList of KEY=VALUE, likewise */
    OPTION_FACTOR,   /* Ratio: "2", "5/2", "2.5" */
    OPTION_RATE,     /* Ratio: "60", "60000/1001", "59.94", "ntsc"; 1/1000 to 1000 */
    OPTION_THREADS,  /* int: "4", or "1:4:2" as rife-ncnn-vulkan has it (the middle counts) */
    OPTION_SIZE,     /* PictureSize: "640x480" */
    OPTION_TIME,     /* int64_t, microseconds: "90", "1:30", "0:01:30.5" */
    OPTION_PACE,     /* Pace: a factor, or "TIME=FACTOR,TIME=FACTOR,..." with rising times */
    OPTION_BYTES     /* int64_t: "512M", "1.5G", "800000K"; 1 MiB to 1 TiB */
} OptionKind;

enum { LIST_LIMIT = 32 };

/* Texts in the order given, ended by NULL. */
typedef struct TextList {
    const char *text[LIST_LIMIT + 1];
    int count;
} TextList;

typedef struct PictureSize {
    int width, height;
} PictureSize;

typedef struct Option {
    char letter; /* 0 = none */
    const char *name;
    OptionKind kind;
    size_t offset;        /* of the value in the command's struct */
    const char *argument; /* what it is called in the help, NULL for flags */
    const char *help;     /* a phrase without a full stop; the default in brackets */
    double low, high;     /* OPTION_INT, OPTION_REAL */
} Option;

/* Whether it may be given several times and its values are kept. */
static inline bool option_is_list(const Option *option)
{
    return option->kind == OPTION_LIST || option->kind == OPTION_SETTINGS;
}

typedef struct Command {
    const char *name;
    const char *summary;     /* a phrase for the list of commands */
    const char *usage;       /* what follows the name */
    const char *description; /* paragraphs for help and manual, separated by empty lines */
    const Option *options;
    int option_count;
    size_t size;          /* of the struct of values */
    const void *defaults; /* its initial content, NULL = zeros */
    int (*run)(const void *values, int operand_count, char **operands); /* an exit code */
} Command;

#define OPTION_COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* What most commands share. */
typedef struct CommonOptions {
    const char *model;     /* NULL = default */
    int threads;           /* 0 = one per processor */
    const char *precision; /* f32, bf16, int8; NULL = what the model asks for */
    const char *padding;   /* "minimal" or "original"; NULL = minimal */
    const char *scale;     /* of the motion: "1", "0.5", "0.25", "auto"; NULL = 1 */
    const char
        *motion; /* "curved" or "linear"; NULL = linear: for commands that take videos, below */
    int64_t memory_limit; /* bytes, 0 = none */
    bool tta;
    int verbose;
    bool quiet;
    bool no_tune;       /* nothing of what `dain tune` found */
    const char *config; /* a configuration file instead of the usual one */
    bool no_config;
} CommonOptions;

#define MOTION_OPTION(Type, member)                                                                \
    {                                                                                              \
        0, "motion", OPTION_CHOICE, offsetof(Type, member.motion), "curved|linear",                \
            "curved: things move on the path that the frames around each pair show, speeding up "  \
            "and "                                                                                 \
            "slowing down; linear: straight and steadily from frame to frame [curved]",            \
            0, 0                                                                                   \
    }

#define COMMON_OPTIONS(Type, member)                                                               \
    { 'm',                                                                                         \
      "model",                                                                                     \
      OPTION_MODEL,                                                                                \
      offsetof(Type, member.model),                                                                \
      "NAME",                                                                                      \
      "the network: a name like edge (dain info lists them) or a .safetensors file [$DAIN_MODEL, " \
      "or edge]",                                                                                  \
      0,                                                                                           \
      0 },                                                                                         \
        { 'j',                                                                                     \
          "threads",                                                                               \
          OPTION_THREADS,                                                                          \
          offsetof(Type, member.threads),                                                          \
          "N",                                                                                     \
          "threads of the network, 1 to 64 [one per processor]",                                   \
          0,                                                                                       \
          0 },                                                                                     \
        { 0,                                                                                       \
          "precision",                                                                             \
          OPTION_CHOICE,                                                                           \
          offsetof(Type, member.precision),                                                        \
          "f32|bf16|int8|fastest|f16",                                                             \
          "arithmetic of the network; fastest is what dain tune found; f16 is for --engine "       \
          "onnxruntime only [what the model file asks for]",                                       \
          0,                                                                                       \
          0 },                                                                                     \
        { 0,                                                                                       \
          "pad",                                                                                   \
          OPTION_CHOICE,                                                                           \
          offsetof(Type, member.padding),                                                          \
          "minimal|original",                                                                      \
          "for the original network: enlarge pictures as the published program does, which "       \
          "costs up to 43 % more [minimal]",                                                       \
          0,                                                                                       \
          0 },                                                                                     \
        { 0,           "no-tune",                                                                  \
          OPTION_FLAG, offsetof(Type, member.no_tune),                                             \
          NULL,        "ignore what dain tune measured on this machine",                           \
          0,           0 },                                                                        \
        { 0,                                                                                       \
          "scale",                                                                                 \
          OPTION_CHOICE,                                                                           \
          offsetof(Type, member.scale),                                                            \
          "1|0.5|0.25|auto",                                                                       \
          "estimate motion at this part of the resolution, auto: by the "                          \
          "size of the frames; new frames are made at full resolution in any case [1]",            \
          0,                                                                                       \
          0 },                                                                                     \
        { 'x',                                                                                     \
          "tta",                                                                                   \
          OPTION_FLAG,                                                                             \
          offsetof(Type, member.tta),                                                              \
          NULL,                                                                                    \
          "better frames in twice the time: each is the mean of what the network makes of the "    \
          "frames and of the frames turned by 180 degrees",                                        \
          0,                                                                                       \
          0 },                                                                                     \
        { 0,                                                                                       \
          "mem-limit",                                                                             \
          OPTION_BYTES,                                                                            \
          offsetof(Type, member.memory_limit),                                                     \
          "SIZE",                                                                                  \
          "stay within so much memory: 512M, 1.5G; takes what costs least: strips, bands, then, "  \
          "if not asked otherwise, bf16, int8, motion at lower resolution, and says so [none]",    \
          0,                                                                                       \
          0 },                                                                                     \
        { 0,                                                                                       \
          "config",                                                                                \
          OPTION_TEXT,                                                                             \
          offsetof(Type, member.config),                                                           \
          "FILE",                                                                                  \
          "read options from FILE instead of ~/.config/dain/config: a long name and its value on " \
          "each line",                                                                             \
          0,                                                                                       \
          0 },                                                                                     \
        { 0,           "no-config",                                                                \
          OPTION_FLAG, offsetof(Type, member.no_config),                                           \
          NULL,        "read no configuration file",                                               \
          0,           0 },                                                                        \
        { 'q',         "quiet",                                                                    \
          OPTION_FLAG, offsetof(Type, member.quiet),                                               \
          NULL,        "no progress and no warnings, only errors",                                 \
          0,           0 },                                                                        \
    {                                                                                              \
        'v', "verbose", OPTION_COUNT_UP, offsetof(Type, member.verbose), NULL,                     \
            "say more; twice: messages of the media libraries too", 0, 0                           \
    }

/* All commands, the default one first; ended by NULL. */
extern const Command *const commands[];

/* NULL if there is none of that name. */
const Command *command_find(const char *name);

/* Parses argv[1..] into values (command->size bytes, initialised here) and puts the operands into
 * argv[1 .. *operand_count]. EXIT_DONE, EXIT_USAGE (a sentence was printed), or -1 if help was
 * asked for and printed. */
int options_parse(const Command *command, int argc, char **argv, void *values, int *operand_count);

/* Says what is wrong with a command line, and which help tells more. EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int options_wrong(const Command *command, const char *format,
                                                        ...);

/* How the command is called: "dain" for the first one, "dain eval". Good until the next call. */
const char *options_program(const Command *command);
/* Help of one command. */
void options_help(const Command *command, FILE *out);
/* Some lines for someone who typed nothing. */
void options_short_help(FILE *out);

#endif
