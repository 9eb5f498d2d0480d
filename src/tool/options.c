/* Parsing of command lines, by the tables of options.h. */
#include "tool/options.h"

#include "base/mem.h"
#include "base/words.h"
#include "tool/common.h"
#include "tool/config.h"
#include "tool/engine.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_LIMIT = 96, LONG_ONLY = 1000, HELP = 2000 };

/* Where the option stands that is being read: "FILE:LINE", or "" for the command line. */
static char place[4200];

int options_wrong(const Command *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (place[0])
        fprintf(stderr, "dain: %s: ", place);
    else
        fprintf(stderr, "%s: ", options_program(c));
    vfprintf(stderr, format, args);
    if (!place[0])
        fprintf(stderr, " (%s --help)", options_program(c));
    fputc('\n', stderr);
    va_end(args);
    return EXIT_USAGE;
}

static int unknown_option(const Command *c, const char *given)
{
    if (given[0] == '-' && given[1] != '-')
        return options_wrong(c, "there is no option %s", given);
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
        return options_wrong(c, "there is no option --%s; did you mean --%s?", word, near);
    return options_wrong(c, "there is no option --%s", word);
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
    return options_wrong(c, "--%s %s: should be one of %s%s%s%s", o->name, text, o->argument,
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

static bool parse_factor(const char *text, Ratio *out)
{
    static const Ratio most = { 1000, 1 }, least = { 1, 1000 };
    return ratio_parse(text, out) && ratio_compare(*out, most) <= 0 &&
           ratio_compare(*out, least) >= 0;
}

/* One factor, or points of a ramp. */
static bool parse_pace(const char *text, Pace *out)
{
    char copy[1024], *rest = copy, *word;
    *out = (Pace){ 0 };
    if (!strchr(text, '='))
        return parse_factor(text, &out->factor);
    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
        return false;
    while ((word = strsep(&rest, ","))) { /* strtok() would pass over empty ones */
        char *const sign = strchr(word, '=');
        int64_t time;
        Ratio factor;
        if (!sign || out->points == PACE_POINTS)
            return false;
        *sign = 0;
        if (!parse_time(word, &time) || !parse_factor(sign + 1, &factor))
            return false;
        const PacePoint point = { 1e-6 * (double)time, ratio_double(factor) };
        if (out->points && point.time <= out->point[out->points - 1].time)
            return false;
        out->point[out->points++] = point;
    }
    return out->points > 0;
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

/* KEY=VALUE, neither of them empty. */
static bool is_setting(const char *text)
{
    const char *const sign = strchr(text, '=');
    return sign && sign > text && sign[1];
}

static int wrong_value(const Command *c, const Option *o, const char *text)
{
    static const char *const wants[] = {
        [OPTION_FACTOR] = "a factor like 2, 5/2 or 2.5, 1/1000 to 1000",
        [OPTION_RATE] = "a frame rate like 60, 60000/1001, 59.94 or ntsc, 1/1000 to 1000",
        [OPTION_THREADS] = "a whole number from 1 to 64",
        [OPTION_SIZE] = "a size like 1280x720",
        [OPTION_TIME] = "seconds or a time like 90.5, 1:30.5 or 0:01:30.5",
        [OPTION_PACE] = "a factor like 4 or 5/2, or points like 0=1,2.5=4,4=1 with rising times "
                        "(32 at most), each from 1/1000 to 1000",
        [OPTION_BYTES] = "an amount of memory like 512M or 1.5G, 1M to 1T",
        [OPTION_ENGINE] = "native, onnxruntime or onnxruntime:PROVIDER",
        [OPTION_LIST] = "not more than 32 of them",
        [OPTION_SETTINGS] = "KEY=VALUE, not more than 32 of them",
    };
    if (o->kind == OPTION_INT)
        return options_wrong(c, "--%s %s: should be a whole number from %g to %g", o->name, text,
                             o->low, o->high);
    if (o->kind == OPTION_REAL)
        return options_wrong(c, "--%s %s: should be a number from %g to %g", o->name, text, o->low,
                             o->high);
    if (o->kind == OPTION_CHOICE)
        return wrong_choice(c, o, text);
    return options_wrong(c, "--%s %s: should be %s", o->name, text, wants[o->kind]);
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
    case OPTION_MODEL:
        *(const char **)at = model_named(text);
        return true;
    case OPTION_CHOICE:
        *(const char **)at = text;
        return is_choice(text, o->argument);
    case OPTION_ENGINE:
        *(const char **)at = text;
        return engine_named(text);
    case OPTION_SETTINGS:
        if (!is_setting(text))
            return false;
        /* fall through */
    case OPTION_LIST:
        if (list->count == LIST_LIMIT)
            return false;
        list->text[list->count++] = text;
        return true;
    case OPTION_FACTOR:
        return parse_factor(text, at);
    case OPTION_RATE:
        return ratio_parse_rate(text, at) && ratio_compare(*(Ratio *)at, most) <= 0 &&
               ratio_compare(*(Ratio *)at, least) >= 0;
    case OPTION_THREADS:
        return parse_threads(text, at);
    case OPTION_SIZE:
        return parse_size(text, at);
    case OPTION_TIME:
        return parse_time(text, at);
    case OPTION_PACE:
        return parse_pace(text, at);
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

/* ---- the configuration file ---- */

static const Option *option_named(const Command *c, const char *name)
{
    for (int i = 0; i < c->option_count; i++)
        if (!strcmp(c->options[i].name, name))
            return &c->options[i];
    return NULL;
}

static bool listed(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(word, *list))
            return true;
    return false;
}

/* Whether the command line has this option, or one that would contradict it. */
static bool overruled(const Command *c, const Option *o, const bool *given)
{
    static const char *const rivals[][4] = { { "factor", "fps", "frames", NULL },
                                             { "deinterlace", "progressive", NULL },
                                             { "streams", "no-streams", NULL },
                                             { "scene-threshold", "no-scene", NULL },
                                             { "quiet", "verbose", NULL } };
    if (given[o - c->options] && !option_is_list(o))
        return true;
    for (unsigned i = 0; i < sizeof rivals / sizeof *rivals; i++)
        for (int k = 0; k < c->option_count; k++)
            if (given[k] && listed(o->name, rivals[i]) && listed(c->options[k].name, rivals[i]))
                return true;
    return false;
}

/* Names that no command has, and those that make no sense for every run. */
static int wrong_name(const Command *c, const char *name)
{
    static const char *const single[] = { "input",  "output", "first",     "second",
                                          "time",   "batch",  "preview",   "dry-run",
                                          "config", "help",   "no-config", NULL };
    if (listed(name, single))
        return options_wrong(c, "%s belongs on the command line, not in a configuration file",
                             name);
    const char *names[OPTION_LIMIT + 1];
    int count = 0;
    for (const Command *const *other = commands; *other; other++)
        if (option_named(*other, name))
            return EXIT_DONE;
    for (; count < commands[0]->option_count && count < OPTION_LIMIT; count++)
        names[count] = commands[0]->options[count].name;
    names[count] = NULL;
    const char *const near = nearest_word(name, names);
    return options_wrong(c, "there is no option %s%s%s%s", name, near ? "; did you mean " : "",
                         near ? near : "", near ? "?" : "");
}

/* Flags may be switched off; what is in a list comes before what the command line adds. */
static bool set_from_config(const Option *o, const char *text, int *in_list, void *values)
{
    static const char *const yes[] = { "", "yes", "true", "on", "1", NULL }, *const no[] = {
        "no", "false", "off", "0", NULL
    };
    void *const at = (char *)values + o->offset;
    if (o->kind == OPTION_FLAG || o->kind == OPTION_COUNT_UP) {
        if (listed(text, no))
            return true; /* as it is without */
        return listed(text, yes) && set_value(o, text, values);
    }
    if (!*text || !set_value(o, text, values))
        return false;
    TextList *const list = at;
    if (option_is_list(o)) {
        for (int i = list->count - 1; i > *in_list; i--)
            list->text[i] = list->text[i - 1];
        list->text[(*in_list)++] = text;
    }
    return true;
}

static int wrong_config_value(const Command *c, const Option *o, const char *text)
{
    if (!*text)
        return options_wrong(c, "%s needs a value", o->name);
    if (o->kind == OPTION_FLAG || o->kind == OPTION_COUNT_UP)
        return options_wrong(c, "%s is on or off, not %s", o->name, text);
    return wrong_value(c, o, text);
}

/* given: which options the command line has. */
static int apply_config(const Command *c, const bool *given, void *values)
{
    static Config config; /* values point into its text */
    const Option *const named = option_named(c, "config"), *const off =
                                                               option_named(c, "no-config");
    int in_list[OPTION_LIMIT] = { 0 };
    if (!named || !off || *(const bool *)((char *)values + off->offset))
        return EXIT_DONE;
    int code = config_load(&config, *(const char **)((char *)values + named->offset));
    for (int i = 0; i < config.count && code == EXIT_DONE; i++) {
        const ConfigEntry *const e = &config.entry[i];
        const Option *const o = option_named(c, e->name);
        snprintf(place, sizeof place, "%s:%d", config.path, e->line);
        code = wrong_name(c, e->name);
        if (code == EXIT_DONE && o && !overruled(c, o, given) &&
            !set_from_config(o, e->value, &in_list[o - c->options], values))
            code = wrong_config_value(c, o, e->value);
    }
    place[0] = 0;
    return code;
}

int options_parse(const Command *c, int argc, char **argv, void *values, int *operand_count)
{
    struct option longs[OPTION_LIMIT + 2];
    char shorts[2 * OPTION_LIMIT + 4];
    bool is_given[OPTION_LIMIT] = { false };
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
        if (given[0] == '-' && given[1] != '-' && option_named(c, given + 1))
            return options_wrong(c, "%s: long options have two dashes, --%s", given, given + 1);
        if (code == ':')
            return options_wrong(c, "%s needs a value", given);
        if (code == '?') {
            const char letter[3] = { '-', (char)optopt, 0 };
            const bool is_letter = optopt > 0 && optopt < LONG_ONLY && given[1] != '-';
            if (optopt >= LONG_ONLY)
                return options_wrong(c, "%s takes no value", given);
            return unknown_option(c, is_letter ? letter : given);
        }
        const Option *const o = option_of(c, code);
        if (!set_value(o, optarg, values))
            return wrong_value(c, o, optarg);
        is_given[o - c->options] = true;
    }
    const int code = apply_config(c, is_given, values);
    if (code != EXIT_DONE)
        return code;
    *operand_count = argc - optind;
    memmove(argv + 1, argv + optind, (size_t)*operand_count * sizeof *argv);
    return EXIT_DONE;
}
