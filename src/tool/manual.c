/* The manual page and the shell completions, from the tables of options. */
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
                 "Sound, subtitles, chapters and metadata are carried over as they are. The "
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
        ".SH ENVIRONMENT\n"
        ".TP\n.B DAIN_MODEL\nThe model used where none is named.\n"
        ".TP\n.B DAIN_CPU\nThe most that may be used of the processor: c, avx2, avx512, neon, "
        "\\&... The result is the same.\n"
        ".SH EXAMPLES\n"
        ".TP\n.B dain film.mkv smooth.mkv\nTwice the frame rate.\n"
        ".TP\n.B dain \\-\\-fps 60 film.mkv film60.mkv\n60 frames a second.\n"
        ".TP\n.B dain \\-0 a.png \\-1 b.png \\-o middle.png\nThe picture half\\-way between two.\n"
        ".SH SEE ALSO\n.BR ffmpeg (1)\n",
        out);
}

/* ---- completions ---- */

/* s in single quotes of the shell. */
static void quoted(FILE *out, const char *s)
{
    fputc('\'', out);
    for (; *s; s++)
        if (*s == '\'')
            fputs("'\\''", out);
        else
            fputc(*s, out);
    fputc('\'', out);
}

static void bash_completion(FILE *out)
{
    fputs(
        "_dain() {\n    local cur=${COMP_WORDS[COMP_CWORD]} words=\n    case ${COMP_WORDS[1]} in\n",
        out);
    for (const Command *const *c = commands + 1; *c; c++) {
        fprintf(out, "    %s) words='", (*c)->name);
        for (int i = 0; i < (*c)->option_count; i++)
            fprintf(out, "--%s ", (*c)->options[i].name);
        fputs("--help' ;;\n", out);
    }
    fputs("    *) words='", out);
    for (int i = 0; i < commands[0]->option_count; i++)
        fprintf(out, "--%s ", commands[0]->options[i].name);
    fputs("--help --version' ;;\n    esac\n    if [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    elif [[ $COMP_CWORD == 1 ]]; then\n        COMPREPLY=($(compgen -f -W '",
          out);
    for (const Command *const *c = commands; *c; c++)
        fprintf(out, "%s%s", (*c)->name, c[1] ? " " : "");
    fputs("' -- \"$cur\"))\n    else\n        COMPREPLY=($(compgen -f -- \"$cur\"))\n    fi\n}\n"
          "complete -o filenames -F _dain dain\n",
          out);
}

static void zsh_options(FILE *out, const Command *c)
{
    for (int i = 0; i < c->option_count; i++) {
        const Option *const o = &c->options[i];
        char text[256];
        /* Brackets end the description in zsh's syntax. */
        snprintf(text, sizeof text, "--%s[%.*s]%s%s", o->name, (int)strcspn(o->help, "["), o->help,
                 o->argument ? ":" : "", o->argument ? o->argument : "");
        if (o->argument && strlen(text) < sizeof text - 8)
            strcat(text, ":_files");
        fputs(" ", out);
        quoted(out, text);
    }
}

static void zsh_completion(FILE *out)
{
    fputs("#compdef dain\n_dain() {\n    case $words[2] in\n", out);
    for (const Command *const *c = commands + 1; *c; c++) {
        fprintf(out, "    %s) _arguments", (*c)->name);
        zsh_options(out, *c);
        fputs(" '*:file:_files' ;;\n", out);
    }
    fputs("    *) _arguments", out);
    zsh_options(out, commands[0]);
    fputs(" '1:command or file:{_alternative \"commands:command:(", out);
    for (const Command *const *c = commands; *c; c++)
        fprintf(out, "%s%s", (*c)->name, c[1] ? " " : "");
    fputs(")\" \"files:file:_files\"}' '*:file:_files' ;;\n    esac\n}\n_dain \"$@\"\n", out);
}

static void fish_completion(FILE *out)
{
    for (const Command *const *c = commands; *c; c++) {
        fprintf(out, "complete -c dain -n __fish_use_subcommand -a %s -d ", (*c)->name);
        quoted(out, (*c)->summary);
        fputc('\n', out);
        for (int i = 0; i < (*c)->option_count; i++) {
            const Option *const o = &(*c)->options[i];
            if (c == commands)
                fputs("complete -c dain -n 'not __fish_seen_subcommand_from", out);
            else
                fprintf(out, "complete -c dain -n '__fish_seen_subcommand_from %s", (*c)->name);
            for (const Command *const *other = commands + 1; c == commands && *other; other++)
                fprintf(out, " %s", (*other)->name);
            fprintf(out, "' -l %s", o->name);
            if (o->letter)
                fprintf(out, " -s %c", o->letter);
            fputs(o->argument ? " -r -d " : " -d ", out);
            quoted(out, o->help);
            fputc('\n', out);
        }
    }
}

int manual_completion(FILE *out, const char *shell)
{
    static const struct {
        const char *shell;
        void (*write)(FILE *);
    } shells[] = { { "bash", bash_completion },
                   { "zsh", zsh_completion },
                   { "fish", fish_completion } };
    for (unsigned i = 0; i < sizeof shells / sizeof *shells; i++)
        if (!strcmp(shell, shells[i].shell)) {
            shells[i].write(out);
            return 0;
        }
    return -1;
}
