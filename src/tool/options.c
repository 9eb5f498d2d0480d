/* Parsing of command lines, by the tables of options.h. */
#include "tool/options.h"

#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LIMIT = 64, LONG_ONLY = 1000, HELP = 2000 };

static const char *program(const Command *c)
{
    static char name[64];
    snprintf(name, sizeof name, "dain %s", c->name);
    return c == commands[0] ? "dain" : name;
}

__attribute__((format(printf, 2, 3))) static int complain(const Command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program(c));
    vfprintf(stderr, format, args);
    fprintf(stderr, " (%s --help)\n", program(c));
    va_end(args);
    return EXIT_USAGE;
}

/* ---- did you mean ---- */

/* Changes (insertions, deletions, replacements, swaps of neighbours) from one word to another. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    const int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *const now = rows[i % 3];
        const int *const before = rows[(i + 2) % 3], *const two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_before[j - 2] + 1 < best)
                best = two_before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *nearest_word(const char *word, const char *const *list)
{
    const char *best = NULL;
    int best_distance = 1 + (int)strlen(word) / 3;
    for (; *list; list++) {
        const int d = distance(word, *list);
        if (d <= best_distance && (!best || d < best_distance)) {
            best = *list;
            best_distance = d;
        }
    }
    return best;
}

static int unknown_option(const Command *c, const char *given)
{
    if (given[0] == '-' && given[1] != '-')
        return complain(c, "there is no option %s", given);
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    const char *names[OPTION_LIMIT + 2];
    int count = 0;
    for (int i = 0; i < c->option_count; i++)
        names[count++] = c->options[i].name;
    names[count++] = "help";
    names[count] = NULL;
    const char *const near = nearest_word(word, names);
    if (near)
        return complain(c, "there is no option --%s; did you mean --%s?", word, near);
    return complain(c, "there is no option --%s", word);
}

/* ---- values ---- */

/* The words of "f32|bf16|int8" as a list ended by NULL, in buf. */
static void split_words(const char *text, char *buf, size_t size, const char **list, int limit)
{
    int count = 0;
    char *rest = NULL;
    snprintf(buf, size, "%s", text);
    for (char *word = strtok_r(buf, "|", &rest); word && count < limit - 1;
         word = strtok_r(NULL, "|", &rest))
        list[count++] = word;
    list[count] = NULL;
}

enum { WORDS = 8 };

static bool is_choice(const char *text, const char *words)
{
    char buf[80];
    const char *list[WORDS];
    split_words(words, buf, sizeof buf, list, WORDS);
    for (int i = 0; list[i]; i++)
        if (!strcmp(list[i], text))
            return true;
    return false;
}

static int wrong_choice(const Command *c, const Option *o, const char *text)
{
    char buf[80];
    const char *list[WORDS];
    split_words(o->argument, buf, sizeof buf, list, WORDS);
    const char *const near = nearest_word(text, list);
    return complain(c, "--%s %s: should be one of %s%s%s%s", o->name, text, o->argument,
                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static bool parse_int(const char *text, double low, double high, int *out)
{
    char *end;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (end == text || *end || errno || v < low || v > high)
        return false;
    *out = (int)v;
    return true;
}

static bool parse_real(const char *text, double low, double high, double *out)
{
    char *end;
    const double v = strtod(text, &end);
    if (end == text || *end || !(v >= low && v <= high))
        return false;
    *out = v;
    return true;
}

/* "N", or rife-ncnn-vulkan's "load:proc:save" with a number or a list in the middle. */
static bool parse_threads(const char *text, int *out)
{
    const char *const colon = strchr(text, ':');
    if (!colon)
        return parse_int(text, 1, 64, out);
    char *end;
    const long v = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || (*end != ':' && *end != ',') || v < 1 || v > 64)
        return false;
    *out = (int)v;
    return true;
}

static bool parse_size(const char *text, PictureSize *out)
{
    char rest;
    return sscanf(text, "%dx%d%c", &out->width, &out->height, &rest) == 2 && out->width > 0 &&
           out->height > 0;
}

/* [[hours:]minutes:]seconds[.fraction] in microseconds. */
static bool parse_time(const char *text, int64_t *out)
{
    int64_t whole = 0, micro = 0;
    int parts = 0;
    for (;; text++) {
        char *end;
        errno = 0;
        const long v = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : -1;
        if (v < 0 || v > 10000000 || errno || (parts > 0 && v > 59) || ++parts > 3)
            return false;
        whole = 60 * whole + v;
        text = end;
        if (*text != ':')
            break;
    }
    if (*text == '.') {
        int64_t unit = 100000;
        for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
            micro += (*text - '0') * unit;
    }
    *out = whole * 1000000 + micro;
    return !*text;
}

/* Binary units, as memory is counted. */
static bool parse_bytes(const char *text, int64_t *out)
{
    static const char units[] = "KMGT";
    char *end;
    const double v = strtod(text, &end);
    const char *const unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (end == text || (*end && !unit) || !(v > 0 && v < 1e15))
        return false;
    double bytes = v;
    if (unit) {
        end++;
        end += !strcmp(end, "iB") || !strcmp(end, "B") ? strlen(end) : 0;
        if (*end)
            return false;
        for (const char *u = units; u <= unit; u++)
            bytes *= 1024;
    }
    if (!(bytes >= 1 << 20 && bytes <= 1099511627776.0))
        return false;
    *out = (int64_t)bytes;
    return true;
}

static int wrong_value(const Command *c, const Option *o, const char *text)
{
    static const char *const wants[] = {
        [OPTION_FACTOR] = "a factor like 2, 5/2 or 2.5",
        [OPTION_RATE] = "a frame rate like 60, 60000/1001, 59.94 or ntsc",
        [OPTION_THREADS] = "a whole number from 1 to 64",
        [OPTION_SIZE] = "a size like 1280x720",
        [OPTION_TIME] = "seconds or a time like 90.5, 1:30.5 or 0:01:30.5",
        [OPTION_BYTES] = "an amount of memory like 512M or 1.5G, 1M to 1T",
        [OPTION_LIST] = "not more than 32 of them",
    };
    if (o->kind == OPTION_INT)
        return complain(c, "--%s %s: should be a whole number from %g to %g", o->name, text, o->low,
                        o->high);
    if (o->kind == OPTION_REAL)
        return complain(c, "--%s %s: should be a number from %g to %g", o->name, text, o->low,
                        o->high);
    if (o->kind == OPTION_CHOICE)
        return wrong_choice(c, o, text);
    return complain(c, "--%s %s: should be %s", o->name, text, wants[o->kind]);
}

static bool set_value(const Option *o, const char *text, void *values)
{
    void *const at = (char *)values + o->offset;
    TextList *const list = at;
    static const Ratio most = { 1000, 1 }, least = { 1, 1000 };
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return true;
    case OPTION_COUNT_UP:
        ++*(int *)at;
        return true;
    case OPTION_INT:
        return parse_int(text, o->low, o->high, at);
    case OPTION_REAL:
        return parse_real(text, o->low, o->high, at);
    case OPTION_TEXT:
        *(const char **)at = text;
        return true;
    case OPTION_CHOICE:
        *(const char **)at = text;
        return is_choice(text, o->argument);
    case OPTION_LIST:
        if (list->count == LIST_LIMIT)
            return false;
        list->text[list->count++] = text;
        return true;
    case OPTION_FACTOR:
        return ratio_parse(text, at);
    case OPTION_RATE:
        return ratio_parse_rate(text, at) && ratio_compare(*(Ratio *)at, most) <= 0 &&
               ratio_compare(*(Ratio *)at, least) >= 0;
    case OPTION_THREADS:
        return parse_threads(text, at);
    case OPTION_SIZE:
        return parse_size(text, at);
    case OPTION_TIME:
        return parse_time(text, at);
    case OPTION_BYTES:
        return parse_bytes(text, at);
    }
    return false;
}

/* ---- getopt's own tables ---- */

static void make_tables(const Command *c, struct option *longs, char *shorts)
{
    *shorts++ = ':'; /* missing arguments are told apart */
    for (int i = 0; i < c->option_count; i++) {
        const Option *const o = &c->options[i];
        longs[i] = (struct option){ o->name, o->argument ? required_argument : no_argument, NULL,
                                    LONG_ONLY + i };
        if (o->letter) {
            *shorts++ = o->letter;
            if (o->argument)
                *shorts++ = ':';
        }
    }
    longs[c->option_count] = (struct option){ "help", no_argument, NULL, HELP };
    longs[c->option_count + 1] = (struct option){ 0 };
    *shorts++ = 'h';
    *shorts = 0;
}

static const Option *option_of(const Command *c, int code)
{
    if (code >= LONG_ONLY)
        return &c->options[code - LONG_ONLY];
    for (int i = 0; i < c->option_count; i++)
        if (c->options[i].letter == code)
            return &c->options[i];
    return NULL;
}

int options_parse(const Command *c, int argc, char **argv, void *values, int *operand_count)
{
    struct option longs[OPTION_LIMIT + 2];
    char shorts[2 * OPTION_LIMIT + 4];
    if (c->option_count > OPTION_LIMIT)
        return EXIT_USAGE;
    if (c->defaults)
        memcpy(values, c->defaults, c->size);
    else
        memset(values, 0, c->size);
    make_tables(c, longs, shorts);
    opterr = 0;
    optind = 1;
    for (;;) {
        const int before = optind;
        const int code = getopt_long(argc, argv, shorts, longs, NULL);
        if (code == -1)
            break;
        if (code == 'h' || code == HELP) {
            options_help(c, stdout);
            return -1;
        }
        const char *const given = argv[optind > before ? optind - 1 : before];
        if (code == ':')
            return complain(c, "%s needs a value", given);
        if (code == '?') {
            const char letter[3] = { '-', (char)optopt, 0 };
            const bool is_letter = optopt > 0 && optopt < LONG_ONLY && given[1] != '-';
            if (optopt >= LONG_ONLY)
                return complain(c, "%s takes no value", given);
            return unknown_option(c, is_letter ? letter : given);
        }
        const Option *const o = option_of(c, code);
        if (!set_value(o, optarg, values))
            return wrong_value(c, o, optarg);
    }
    *operand_count = argc - optind;
    memmove(argv + 1, argv + optind, (size_t)*operand_count * sizeof *argv);
    return EXIT_DONE;
}

/* ---- help ---- */

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

void options_help(const Command *c, FILE *out)
{
    fprintf(out, "usage: %s %s\n\n", program(c), c->usage);
    print_wrapped(out, c->description, 0, HELP_WIDTH);
    fprintf(out, "\noptions:\n");
    for (int i = 0; i < c->option_count; i++) {
        const Option *const o = &c->options[i];
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
