/* The configuration file. */
#include "tool/config.h"

#include "base/mem.h"
#include "tool/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES = 65536, CONFIG_LINES = 1000 };

static int wrong(const Config *c, int line, const char *what)
{
    if (line)
        fprintf(stderr, "dain: %s:%d: %s\n", c->path, line, what);
    else
        fprintf(stderr, "dain: %s: %s\n", c->path, what);
    return EXIT_USAGE;
}

/* False if the environment does not tell where it would be. */
static bool usual_place(Config *c)
{
    const char *const config = getenv("XDG_CONFIG_HOME"), *const home = getenv("HOME");
    if (config && config[0] == '/')
        snprintf(c->path, sizeof c->path, "%s/dain/config", config);
    else if (home && *home)
        snprintf(c->path, sizeof c->path, "%s/.config/dain/config", home);
    else
        return false;
    return true;
}

static char *trim(char *text)
{
    static const char blank[] = " \t\r";
    text += strspn(text, blank);
    size_t length = strlen(text);
    while (length && strchr(blank, text[length - 1]))
        text[--length] = 0;
    return text;
}

/* "name = value", "name value" or "name"; quotes around a value are taken off. */
static void split(char *line, ConfigEntry *entry)
{
    line += strncmp(line, "--", 2) ? 0 : 2;
    char *rest = line + strcspn(line, " \t=");
    const bool more = *rest;
    const bool equals = *rest == '=';
    *rest = 0;
    entry->name = line;
    entry->value = "";
    if (!more)
        return;
    rest = trim(rest + 1);
    if (!equals && *rest == '=')
        rest = trim(rest + 1);
    const size_t length = strlen(rest);
    if (length > 1 && rest[0] == '"' && rest[length - 1] == '"') {
        rest[length - 1] = 0;
        rest++;
    }
    entry->value = rest;
}

static int parse(Config *c)
{
    int number = 0;
    for (char *line = c->text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        number++;
        line = trim(line);
        if (!*line || *line == '#')
            continue;
        if (c->count == CONFIG_LINES)
            return wrong(c, number, "too many lines");
        ConfigEntry *const entry = &c->entry[c->count++];
        split(line, entry);
        entry->line = number;
    }
    return EXIT_DONE;
}

static int read_text(Config *c, FILE *f)
{
    c->text = mem_alloc(CONFIG_BYTES + 1);
    c->entry = mem_calloc(CONFIG_LINES, sizeof *c->entry);
    if (!c->text || !c->entry)
        return wrong(c, 0, "out of memory");
    const size_t size = fread(c->text, 1, CONFIG_BYTES + 1, f);
    if (ferror(f))
        return wrong(c, 0, strerror(errno));
    if (size > CONFIG_BYTES)
        return wrong(c, 0, "this is too long for a configuration file");
    c->text[size] = 0;
    if (strlen(c->text) != size)
        return wrong(c, 0, "this is no text file");
    return parse(c);
}

int config_load(Config *c, const char *path)
{
    *c = (Config){ 0 };
    if (path)
        snprintf(c->path, sizeof c->path, "%s", path);
    else if (!usual_place(c))
        return EXIT_DONE;
    FILE *const f = fopen(c->path, "r");
    if (!f && !path && (errno == ENOENT || errno == ENOTDIR))
        return EXIT_DONE;
    if (!f)
        return wrong(c, 0, strerror(errno));
    const int code = read_text(c, f);
    fclose(f);
    return code;
}
