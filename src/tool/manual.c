/* The manual page, from the tables of options. */
#include "tool/manual.h"

#include "dain/dain.h"
#include "tool/options.h"

#include <string.h>

/* ---- manual page ---- */

/* Text with what troff would take for its own escaped; an empty line starts a paragraph. */
static void escaped(FILE *out, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (!strncmp(text, "\n\n", 2)) {
            fputs("\n.PP\n", out);
            text++;
            line_start = true;
            continue;
        }
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void manual_option(FILE *out, const Option *o)
{
    fputs(".TP\n", out);
    if (o->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", out);
    escaped(out, o->name);
    fputs("\\fR", out);
    if (o->argument) {
        fputs(" \\fI", out);
        escaped(out, o->argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    escaped(out, o->help);
    fputs(".\n", out);
}

static void manual_command(FILE *out, const Command *c)
{
    fprintf(out, ".SS dain %s\n", c->name);
    fprintf(out, ".B dain %s%s%s\n", c == commands[0] ? "[" : "", c->name,
            c == commands[0] ? "]" : "");
    escaped(out, c->usage);
    fputs("\n.PP\n", out);
    escaped(out, c->description);
    fputc('\n', out);
    for (int i = 0; i < c->option_count; i++)
        manual_option(out, &c->options[i]);
}

void manual_page(FILE *out)
{
    fprintf(out, ".TH DAIN 1 \"\" \"dain %s\" \"User Commands\"\n", dain_version());
    fputs(".SH NAME\ndain \\- put new frames between the frames of a video\n.SH SYNOPSIS\n", out);
    for (const Command *const *c = commands; *c; c++) {
        fprintf(out, "%s.B dain%s%s\n", c == commands ? "" : ".br\n", c == commands ? "" : " ",
                c == commands ? "" : (*c)->name);
        escaped(out, (*c)->usage);
        fputc('\n', out);
    }
    fputs(".SH DESCRIPTION\n", out);
    escaped(out, "dain computes the pictures between two pictures: a video gets twice (or any "
                 "other multiple of) its frame rate, two photographs get what lies between them. "
                 "It runs on ordinary processors and needs no graphics card.\n\n"
                 "Sound, subtitles, chapters and metadata are carried over as they are, or "
                 "converted where the container cannot hold them. The "
                 "frames of the source are kept as they were decoded; only the ones between them "
                 "are new.");
    fputs("\n.SH COMMANDS\n", out);
    for (const Command *const *c = commands; *c; c++)
        manual_command(out, *c);
    fputs(
        ".SH EXIT STATUS\n"
        ".TP\n.B 0\nDone.\n"
        ".TP\n.B 1\nFailed; one line on standard error says why. No output file is left.\n"
        ".TP\n.B 2\nThe command line makes no sense.\n"
        ".TP\n.B 3\nDone, but part of the input was missing or damaged.\n"
        ".TP\n.B 130, 143\nInterrupted by Ctrl\\-C or SIGTERM. The part of the video that was "
        "done is kept and can be played. A second Ctrl\\-C stops at once and keeps nothing.\n"
        ".SH FILES\n"
        ".TP\n.I $XDG_CONFIG_HOME/dain/config\nOptions for every run: names as on the command line "
        "without the dashes, one a line (\\fBfps = 60\\fR, \\fBquiet\\fR); # begins a comment. "
        "The command line wins.\n"
        ".SH ENVIRONMENT\n"
        ".TP\n.B DAIN_MODEL\nThe model used where none is named.\n"
        ".TP\n.B DAIN_MODEL_PATH\nFolders with models, separated by colons, that are searched "
        "first "
        "for the names given with \\-\\-model.\n"
        ".TP\n.B DAIN_CPU\nThe most that may be used of the processor: c, avx2, avx512, neon, "
        "\\&... The result is the same.\n"
        ".SH EXAMPLES\n"
        ".TP\n.B dain film.mkv smooth.mkv\nTwice the frame rate.\n"
        ".TP\n.B dain \\-\\-fps 60 film.mkv film60.mkv\n60 frames a second.\n"
        ".TP\n.B dain \\-0 a.png \\-1 b.png \\-o middle.png\nThe picture half\\-way between two.\n"
        ".SH SEE ALSO\n.BR ffmpeg (1)\n",
        out);
}
