/* The help texts, from the tables of options.h. */
#include "tool/options.h"

#include <string.h>

const char *options_program(const Command *c)
{
    static char name[64];
    snprintf(name, sizeof name, "dain %s", c->name);
    return c == commands[0] ? "dain" : name;
}

/* Words of text in lines of the given width; the first line goes on where the caller stopped. */
static void print_wrapped(FILE *out, const char *text, int indent, int width)
{
    int column = indent;
    while (*text) {
        const int length = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + length > width) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", length, text);
        column += length;
        text += length;
        if (!strncmp(text, "\n\n", 2)) {
            fprintf(out, "\n\n%*s", indent, "");
            column = indent;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

enum { HELP_COLUMN = 30, HELP_WIDTH = 90 };

static void print_option(FILE *out, char letter, const char *name, const char *argument,
                         const char *help)
{
    char head[80];
    const int used = letter ? snprintf(head, sizeof head, "  -%c, ", letter)
                            : snprintf(head, sizeof head, "      ");
    snprintf(head + used, sizeof head - (size_t)used, "--%s%s%s", name, argument ? " " : "",
             argument ? argument : "");
    fprintf(out, "%-*s", HELP_COLUMN, head);
    if (strlen(head) >= HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    print_wrapped(out, help, HELP_COLUMN, HELP_WIDTH);
}

/* Where in the list of the first command something else begins. */
static const char *heading_before(const char *option)
{
    static const struct {
        const char *option, *heading;
    } headings[] = { { "input", "files" },          { "factor", "how many frames, and when" },
                     { "first", "two pictures" },   { "model", "the network" },
                     { "codec", "encoding" },       { "streams", "streams" },
                     { "scene-threshold", "cuts" }, { "progressive", "the input" },
                     { "dry-run", "the run" } };
    for (unsigned i = 0; i < sizeof headings / sizeof *headings; i++)
        if (!strcmp(option, headings[i].option))
            return headings[i].heading;
    return NULL;
}

void options_short_help(FILE *out)
{
    fprintf(
        out,
        "usage: %s %s\n\n"
        "  dain film.mkv smooth.mkv                    twice the frames a second, sound and all\n"
        "  dain --fps 60 film.mkv film-60.mkv          60 frames a second\n"
        "  dain --slowmo 4 clip.mp4 slow.mp4           four times slower\n"
        "  dain --dry-run film.mkv smooth.mkv          what would be done, and how long it takes\n"
        "  dain --preview 4 film.mkv strip.png         a picture of what new frames look like\n"
        "  dain --batch videos results                 all videos of a folder\n"
        "  dain -0 a.png -1 b.png -o between.png       the picture between two\n\n"
        "dain --help has all options; man dain, docs/guide.md: recipes\n",
        options_program(commands[0]), commands[0]->usage);
}

void options_help(const Command *c, FILE *out)
{
    fprintf(out, "usage: %s %s\n\n", options_program(c), c->usage);
    print_wrapped(out, c->description, 0, HELP_WIDTH);
    fprintf(out, "\noptions:\n");
    for (int i = 0; i < c->option_count; i++) {
        const Option *const o = &c->options[i];
        const char *const heading = c == commands[0] ? heading_before(o->name) : NULL;
        if (heading)
            fprintf(out, "%s %s\n", i ? "\n" : "", heading);
        print_option(out, o->letter, o->name, o->argument, o->help);
    }
    print_option(out, 'h', "help", NULL, "show this text");
    if (c != commands[0])
        return;
    fprintf(out, "\ncommands (dain COMMAND --help says more):\n");
    for (const Command *const *other = commands; *other; other++)
        fprintf(out, "  %-14s%s%s\n", (*other)->name, (*other)->summary,
                *other == c ? " (the default)" : "");
    fputc('\n', out);
    print_wrapped(out,
                  "exit status: 0 done, 1 failed, 2 wrong usage, 3 done but the input was damaged, "
                  "130 interrupted",
                  0, HELP_WIDTH);
}
