/* Completion scripts for shells, from the tables of options. */
#include "tool/manual.h"
#include "tool/options.h"

#include <string.h>

/* ---- what follows an option ---- */

/* Words that are offered after options whose value is a name; others take files or nothing. */
static const struct {
    const char *option, *words;
} names[] = {
    { "codec", "libx264 libx265 libsvtav1 libvpx-vp9 libaom-av1 ffv1 prores_ks dnxhd utvideo" },
    { "preset", "ultrafast superfast veryfast faster fast medium slow slower veryslow" },
    { "fps", "24 25 30 48 50 60 120 film pal ntsc 60000/1001" },
    { "input-fps", "24 25 30 48 50 60 120 film pal ntsc 60000/1001" },
    { "factor", "2 3 4 5/2" },
    { "slowmo", "2 4 8 0=1,1=4,2=1" },
    { "streams", "all none video audio subtitle" },
};

static bool takes_file(const Option *o)
{
    static const char *const words[] = { "FILE", "FOLDER", "DIR", "PATH" };
    for (unsigned i = 0; o->argument && i < sizeof words / sizeof *words; i++)
        if (!strcmp(o->argument, words[i]))
            return true;
    return false;
}

/* NULL: none are known. With bars or blanks between them. */
static const char *words_of(const Option *o)
{
    if (o->kind == OPTION_CHOICE)
        return o->argument;
    for (unsigned i = 0; o->argument && i < sizeof names / sizeof *names; i++)
        if (!strcmp(o->name, names[i].option))
            return names[i].words;
    return NULL;
}

static void put_words(FILE *out, const char *words)
{
    for (; *words; words++)
        fputc(*words == '|' ? ' ' : *words, out);
}

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

/* The help up to its remark in brackets. */
static void short_help(const Option *o, char *buf, size_t size)
{
    int length = (int)strcspn(o->help, "[;:");
    while (length > 0 && o->help[length - 1] == ' ')
        length--;
    snprintf(buf, size, "%.*s", length, o->help);
}

/* ---- bash ---- */

static void bash_values(FILE *out, const Command *c)
{
    for (int i = 0; i < c->option_count; i++) {
        const Option *const o = &c->options[i];
        const char *const words = words_of(o);
        const bool model = !strcmp(o->name, "model");
        if (!o->argument)
            continue;
        fprintf(out, "        --%s", o->name);
        if (o->letter)
            fprintf(out, "|-%c", o->letter);
        if (words) {
            fputs(") values='", out);
            put_words(out, words);
            fputs("' ;;\n", out);
        } else if (model) {
            fputs(") values=$(\"$1\" info --list 2>/dev/null) files=1 ;;\n", out);
        } else {
            fputs(takes_file(o) ? ") files=1 ;;\n" : ") return ;;\n", out);
        }
    }
    fputs("        *) return 1 ;;\n", out);
}

static void bash_command(FILE *out, const Command *c)
{
    fprintf(out, "    %s)\n        words='", c == commands[0] ? "*" : c->name);
    for (int i = 0; i < c->option_count; i++)
        fprintf(out, "--%s ", c->options[i].name);
    fprintf(out, "--help%s'\n        case $prev in\n",
            c == commands[0] ? " --version --completion" : "");
    bash_values(out, c);
    fputs("        esac ;;\n", out);
}

static void bash_completion(FILE *out)
{
    /* _dain_option PROGRAM COMMAND: sets words, values, files; fails if prev takes no value. */
    fputs("# bash completion for dain\n_dain_option() {\n    case $2 in\n", out);
    for (const Command *const *c = commands + 1; *c; c++)
        bash_command(out, *c);
    bash_command(out, commands[0]);
    fputs("    esac\n}\n"
          "_dain() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local words= values= files=\n"
          "    COMPREPLY=()\n"
          "    if [[ $prev == --completion ]]; then\n"
          "        COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\"))\n"
          "    elif _dain_option \"$1\" \"${COMP_WORDS[1]}\" && [[ $COMP_CWORD -gt 1 ]]; then\n"
          "        [[ $values ]] && COMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
          "        [[ $files ]] && COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
          "    elif [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    else\n"
          "        [[ $COMP_CWORD == 1 ]] && COMPREPLY=($(compgen -W '",
          out);
    for (const Command *const *c = commands; *c; c++)
        fprintf(out, "%s%s", (*c)->name, c[1] ? " " : "");
    fputs("' -- \"$cur\"))\n"
          "        COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
          "    fi\n"
          "    return 0\n"
          "}\ncomplete -o filenames -F _dain dain\n",
          out);
}

/* ---- zsh ---- */

static void zsh_option(FILE *out, const Option *o)
{
    char help[200], text[640];
    const char *const words = words_of(o);
    short_help(o, help, sizeof help);
    char value[320] = "";
    if (words) {
        snprintf(value, sizeof value, ":%s:(%s)", o->name, words);
        for (char *p = value; *p; p++)
            *p = *p == '|' ? ' ' : *p;
    } else if (!strcmp(o->name, "model")) {
        snprintf(value, sizeof value,
                 ":model:{_alternative \"names:name:($(dain info --list 2>/dev/null))\" "
                 "\"files:file:_files\"}");
    } else if (o->argument) {
        snprintf(value, sizeof value, ":%s:%s", o->name, takes_file(o) ? "_files" : "");
    }
    const char *const again = option_is_list(o) || o->kind == OPTION_COUNT_UP ? "*" : "";
    snprintf(text, sizeof text, "%s--%s[%s]%s", again, o->name, help, value);
    fputs(" \\\n        ", out);
    quoted(out, text);
    if (o->letter) {
        snprintf(text, sizeof text, "%s-%c[%s]%s", again, o->letter, help, value);
        fputs(" \\\n        ", out);
        quoted(out, text);
    }
}

static void zsh_command(FILE *out, const Command *c)
{
    fprintf(out, "    %s) _arguments", c == commands[0] ? "*" : c->name);
    for (int i = 0; i < c->option_count; i++)
        zsh_option(out, &c->options[i]);
    fputs(" \\\n        '--help[show the help]'", out);
}

static void zsh_completion(FILE *out)
{
    fputs("#compdef dain\n_dain() {\n    case $words[2] in\n", out);
    for (const Command *const *c = commands + 1; *c; c++) {
        zsh_command(out, *c);
        fputs(" '*:file:_files' ;;\n", out);
    }
    zsh_command(out, commands[0]);
    fputs(" \\\n        '1:command or file:{_alternative \"commands:command:(", out);
    for (const Command *const *c = commands; *c; c++)
        fprintf(out, "%s%s", (*c)->name, c[1] ? " " : "");
    fputs(")\" \"files:file:_files\"}' '*:file:_files' ;;\n    esac\n}\n"
          "if [[ $funcstack[1] == _dain ]]; then\n    _dain \"$@\"\nelse\n    compdef _dain "
          "dain\nfi\n",
          out);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const Command *c, const Option *o)
{
    const char *const words = words_of(o);
    char help[200];
    fprintf(out, "complete -c dain -n '%s__fish_seen_subcommand_from",
            c == commands[0] ? "not " : "");
    for (const Command *const *other = commands + 1; *other; other++)
        if (c == commands[0] || c == *other)
            fprintf(out, " %s", (*other)->name);
    fprintf(out, "' -l %s", o->name);
    if (o->letter)
        fprintf(out, " -s %c", o->letter);
    if (words) {
        fputs(" -x -a '", out);
        put_words(out, words);
        fputs("'", out);
    } else if (!strcmp(o->name, "model")) {
        fputs(" -r -a '(dain info --list 2>/dev/null)'", out);
    } else if (o->argument) {
        fputs(takes_file(o) ? " -r" : " -x", out);
    }
    short_help(o, help, sizeof help);
    fputs(" -d ", out);
    quoted(out, help);
    fputc('\n', out);
}

static void fish_completion(FILE *out)
{
    for (const Command *const *c = commands; *c; c++) {
        fprintf(out, "complete -c dain -n __fish_use_subcommand -a %s -d ", (*c)->name);
        quoted(out, (*c)->summary);
        fputc('\n', out);
        for (int i = 0; i < (*c)->option_count; i++)
            fish_option(out, *c, &(*c)->options[i]);
    }
    fputs("complete -c dain -n __fish_use_subcommand -l completion -x -a 'bash zsh fish' -d "
          "'print a completion script'\n"
          "complete -c dain -l help -s h -d 'show the help'\n",
          out);
}

int completion_script(FILE *out, const char *shell)
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
