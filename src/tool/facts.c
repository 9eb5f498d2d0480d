/* Options as text, to tell whether two runs make the same output. */
#include "tool/facts.h"

#include "base/mem.h"

#include <inttypes.h>
#include <libavutil/crc.h>
#include <string.h>

enum { LONGEST = 1024 };

static bool listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (!strcmp(*names, name))
            return true;
    return false;
}

static void print_list(const TextList *list, char *text)
{
    size_t used = 0;
    for (int i = 0; i < list->count && used < LONGEST; i++)
        used += (size_t)snprintf(text + used, LONGEST - used, i ? " %s" : "%s", list->text[i]);
}

static void print_pace(const Pace *pace, char *text)
{
    size_t used =
        (size_t)snprintf(text, LONGEST, "%" PRId64 "/%" PRId64, pace->factor.num, pace->factor.den);
    for (int i = 0; i < pace->points && used < LONGEST; i++)
        used += (size_t)snprintf(text + used, LONGEST - used, " %.6f=%.15g", pace->point[i].time,
                                 pace->point[i].factor);
}

static void print_value(const Option *o, const void *values, char *text)
{
    const void *const at = (const char *)values + o->offset;
    const Ratio *const ratio = at;
    const char *const word = o->kind == OPTION_TEXT || o->kind == OPTION_CHOICE ||
                                     o->kind == OPTION_MODEL || o->kind == OPTION_ENGINE
                                 ? *(const char *const *)at
                                 : NULL;
    text[0] = 0;
    switch (o->kind) {
    case OPTION_FLAG:
        snprintf(text, LONGEST, "%s", *(const bool *)at ? "given" : "");
        break;
    case OPTION_COUNT_UP:
    case OPTION_INT:
    case OPTION_THREADS:
        snprintf(text, LONGEST, "%d", *(const int *)at);
        break;
    case OPTION_REAL:
        snprintf(text, LONGEST, "%.15g", *(const double *)at);
        break;
    case OPTION_TIME:
        snprintf(text, LONGEST, "%.6f s", 1e-6 * (double)*(const int64_t *)at);
        break;
    case OPTION_PACE:
        print_pace(at, text);
        break;
    case OPTION_BYTES:
        snprintf(text, LONGEST, "%" PRId64, *(const int64_t *)at);
        break;
    case OPTION_TEXT:
    case OPTION_MODEL:
    case OPTION_CHOICE:
    case OPTION_ENGINE:
        snprintf(text, LONGEST, "%s", word ? word : "");
        break;
    case OPTION_LIST:
    case OPTION_SETTINGS:
        print_list(at, text);
        break;
    case OPTION_FACTOR:
    case OPTION_RATE:
        snprintf(text, LONGEST, "%" PRId64 "/%" PRId64, ratio->num, ratio->den);
        break;
    case OPTION_SIZE:
        snprintf(text, LONGEST, "%dx%d", ((const PictureSize *)at)->width,
                 ((const PictureSize *)at)->height);
        break;
    }
}

static char *fact(const Command *c, const Option *o, const void *values)
{
    char value[LONGEST], normal[LONGEST] = "", text[LONGEST + 64];
    print_value(o, values, value);
    if (c->defaults)
        print_value(o, c->defaults, normal);
    const bool given = c->defaults && strcmp(value, normal);
    snprintf(text, sizeof text, "--%s=%s", o->name, given ? value : "");
    return mem_strdup(text);
}

/* The content of the model, as a sum. One that cannot be read is somebody else's trouble. */
static char *model_fact(const char *path)
{
    char text[64];
    uint8_t buffer[16384];
    uint32_t sum = 0;
    FILE *const f = path ? fopen(path, "rb") : NULL;
    if (f) {
        for (size_t got; (got = fread(buffer, 1, sizeof buffer, f)) > 0;)
            sum = av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), sum, buffer, got);
        fclose(f);
    }
    snprintf(text, sizeof text, "content of the model=%08" PRIx32, sum);
    return mem_strdup(text);
}

void facts_free(char **facts)
{
    for (int i = 0; facts && facts[i]; i++)
        mem_free(facts[i]);
    mem_free(facts);
}

char **facts_of(const Command *c, const void *values, const char *const *other, const char *model,
                Report *report)
{
    char **const facts = mem_calloc((size_t)c->option_count + 2, sizeof *facts);
    int n = 0;
    if (!facts) {
        report_error(report, DAIN_ENOMEM, "out of memory");
        return NULL;
    }
    if (!(facts[n++] = model_fact(model)))
        goto fail;
    for (int i = 0; i < c->option_count; i++) {
        if (listed(other, c->options[i].name))
            continue;
        if (!(facts[n++] = fact(c, &c->options[i], values)))
            goto fail;
    }
    return facts;
fail:
    report_error(report, DAIN_ENOMEM, "out of memory");
    facts_free(facts);
    return NULL;
}
