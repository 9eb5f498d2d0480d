/* The cache of `dain tune`: lines of "name value" and a checksum. */
#include "tool/tuning.h"

#include "base/cpu.h"
#include "dain/dain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 2048 };

/* FNV-1a. */
static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

/* The processor as Linux names it: "model name" on x86, the part number on ARM. */
static void cpu_model(char *out, size_t size)
{
    static const char *const names[] = { "model name", "CPU part" };
    char line[256];
    snprintf(out, size, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        for (int i = 0; colon && i < 2; i++)
            if (!strncmp(line, names[i], strlen(names[i]))) {
                colon += 1 + strspn(colon + 1, " \t");
                snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
                fclose(f);
                return;
            }
    }
    if (f)
        fclose(f);
}

void tuning_key(char key[TUNING_KEY])
{
    char model[96], flags[96];
    cpu_model(model, sizeof model);
    cpu_flags_name(cpu_flags(), flags, sizeof flags);
    snprintf(key, TUNING_KEY, "%s, %s, %d processors, dain %s", model, flags, cpu_count(),
             dain_version());
}

/* The folder; false if the environment names none. */
static bool tuning_folder(char path[TUNING_PATH])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (cache && cache[0] == '/')
        n = snprintf(path, TUNING_PATH, "%s/dain", cache);
    else if (home && home[0] == '/')
        n = snprintf(path, TUNING_PATH, "%s/.cache/dain", home);
    return n > 0 && n < TUNING_PATH - 64;
}

bool tuning_path(char path[TUNING_PATH])
{
    char key[TUNING_KEY];
    if (!tuning_folder(path))
        return false;
    tuning_key(key);
    const size_t n = strlen(path);
    snprintf(path + n, TUNING_PATH - n, "/tune-%016" PRIx64, hash(key));
    return true;
}

/* All but the checksum. */
static void print_tuning(char *text, size_t size, const Tuning *t)
{
    char key[TUNING_KEY];
    tuning_key(key);
    snprintf(text, size, "key %s\nthreads %d\nstrip-rows %d\ndepth %d\nfastest %s\n", key,
             t->threads, t->strip_rows, t->depth, t->fastest[0] ? t->fastest : "-");
}

static bool in_range(const Tuning *t)
{
    return t->threads >= 0 && t->threads <= 64 && t->strip_rows >= 0 && t->strip_rows <= 4096 &&
           t->depth >= 0 && t->depth <= 64 &&
           (!t->fastest[0] || !strcmp(t->fastest, "f32") || !strcmp(t->fastest, "bf16") ||
            !strcmp(t->fastest, "int8"));
}

/* The text must be, to the letter, what print_tuning() makes of the values in it. */
static bool parse_tuning(const char *text, Tuning *t)
{
    char again[FILE_LIMIT];
    const char *p = strchr(text, '\n');
    if (!p || sscanf(p, " threads %d strip-rows %d depth %d fastest %7s", &t->threads,
                     &t->strip_rows, &t->depth, t->fastest) != 4)
        return false;
    if (!strcmp(t->fastest, "-"))
        t->fastest[0] = 0;
    if (!in_range(t))
        return false;
    print_tuning(again, sizeof again, t);
    const size_t n = strlen(again);
    char sum[32];
    snprintf(sum, sizeof sum, "sum %016" PRIx64 "\n", hash(again));
    return !strncmp(text, again, n) && !strcmp(text + n, sum);
}

bool tuning_load(Tuning *tuning, Report *report)
{
    char path[TUNING_PATH], text[FILE_LIMIT];
    *tuning = (Tuning){ 0 };
    FILE *f = tuning_path(path) ? fopen(path, "r") : NULL;
    if (!f)
        return false;
    const size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    if (parse_tuning(text, tuning))
        return true;
    *tuning = (Tuning){ 0 };
    report_log(report, DAIN_LOG_WARNING, "%s is damaged and ignored; `dain tune` makes it anew",
               path);
    return false;
}

/* Makes the folder and those above it. */
static bool make_folder(char *path)
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            const bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
            *p = '/';
            if (!ok)
                return false;
        }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int tuning_store(const Tuning *tuning, Report *report)
{
    char path[TUNING_PATH], folder[TUNING_PATH], temporary[TUNING_PATH + 32], text[FILE_LIMIT];
    if (!tuning_path(path) || !tuning_folder(folder))
        return report_error(report, DAIN_EIO,
                            "no place for the result: neither $XDG_CACHE_HOME nor $HOME is set");
    if (!make_folder(folder))
        return report_error(report, DAIN_EIO, "%s: %s", folder, strerror(errno));
    print_tuning(text, sizeof text, tuning);
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    FILE *f = fopen(temporary, "w");
    bool ok = f != NULL;
    if (f) {
        ok = fprintf(f, "%ssum %016" PRIx64 "\n", text, hash(text)) > 0;
        ok = fclose(f) == 0 && ok;
        ok = ok && rename(temporary, path) == 0;
    }
    if (ok)
        return DAIN_OK;
    const int error = report_error(report, DAIN_EIO, "%s: %s", path, strerror(errno));
    unlink(temporary);
    return error;
}
