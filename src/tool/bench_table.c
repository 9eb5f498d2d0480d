/* dain bench --table: models, sizes and precisions side by side. */
#include "tool/bench.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "engine/models.h"
#include "tool/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const PictureSize usual_sizes[] = { { 640, 480 }, { 1280, 720 }, { 1920, 1080 } };
static const char *const precisions[] = { "f32", "bf16", "int8" };

/* What a process of its own found out about one row. */
typedef struct Measured {
    int error;         /* DAIN_EUNSUPPORTED: the model has no such precision */
    double fps, ms;    /* new frames a second, median time of one */
    double peak_mib;   /* of the process */
    double processors; /* kept busy, in the mean */
    char precision[8];
    int threads;
} Measured;

typedef struct Table {
    const BenchOptions *options;
    Report *report;
    char *models[MODELS_MOST]; /* paths */
    int model_count, rows;
    const char *path, *precision;
    PictureSize size;
} Table;

/* ---- one row ---- */

/* Whether the model can be computed in the precision; errors of other kinds are left to the bench. */
static bool supported(const Table *t)
{
    DainSettings s;
    DainContext *engine = NULL;
    dain_settings_default(&s);
    s.model = t->path;
    s.threads = 1;
    precision_parse(t->precision, &s.precision);
    const int r = dain_open(&engine, &s);
    dain_close(&engine);
    return r != DAIN_EUNSUPPORTED;
}

static Measured measure_here(const Table *t)
{
    BenchOptions o = *t->options;
    Measured m = { .error = DAIN_EUNSUPPORTED };
    Bench b;
    if (!supported(t))
        return m;
    o.common.model = t->path;
    o.common.precision = t->precision;
    o.size = t->size;
    m.error = bench_run(&b, &o, t->report);
    if (m.error == DAIN_OK) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        m.fps = o.frames * o.times / b.total;
        m.ms = b.ms[o.frames / 2];
        m.peak_mib = (double)usage.ru_maxrss / 1024;
        m.processors = b.cpu / b.total;
        m.threads = b.info.threads;
        snprintf(m.precision, sizeof m.precision, "%s", b.info.precision);
    }
    bench_close(&b);
    return m;
}

/* In a process of its own, so that the peak of memory is that of this row alone. */
static int measure_row(const Table *t, Measured *m)
{
    int ends[2];
    *m = (Measured){ .error = DAIN_ESYSTEM };
    if (pipe(ends))
        return report_error(t->report, DAIN_ESYSTEM, "no pipe: %s", strerror(errno));
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        const Measured here = measure_here(t);
        const bool told = write(ends[1], &here, sizeof here) == (ssize_t)sizeof here;
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    const bool read_all = child > 0 && read(ends[0], m, sizeof *m) == (ssize_t)sizeof *m;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    if (!read_all)
        return report_error(t->report, DAIN_ESYSTEM, "%s in %s at %dx%d: the process ended early",
                            t->path, t->precision, t->size.width, t->size.height);
    return m->error == DAIN_EUNSUPPORTED ? DAIN_OK : m->error;
}

static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static double file_mib(const char *path)
{
    struct stat s;
    return stat(path, &s) ? 0 : (double)s.st_size / 1048576;
}

static void print_row(const Table *t, const Measured *m)
{
    const int length = (int)strcspn(short_name(t->path), ".");
    const double mib = file_mib(t->path);
    if (!t->options->json) {
        printf("| %.*s | %dx%d | %s | %.1f | %.1f | %.0f | %.0f %% | %.1f |\n", length,
               short_name(t->path), t->size.width, t->size.height, m->precision, m->fps, m->ms,
               m->peak_mib, 100 * m->processors / m->threads, mib);
        return;
    }
    printf("%s\n    { \"model\": ", t->rows ? "," : "");
    json_print(stdout, t->path);
    printf(", \"width\": %d, \"height\": %d, \"precision\": \"%s\", \"threads\": %d, "
           "\"fps\": %.4f, \"latency_ms\": %.4f, \"peak_mib\": %.2f, \"processors_busy\": %.3f, "
           "\"model_mib\": %.3f }",
           t->size.width, t->size.height, m->precision, m->threads, m->fps, m->ms, m->peak_mib,
           m->processors, mib);
}

/* ---- models ---- */

static bool add_model(Table *t, const char *path)
{
    t->models[t->model_count] = mem_strdup(path);
    if (!t->models[t->model_count])
        return false;
    t->model_count++;
    return true;
}

/* The named model, or all that have a name, or the usual one. */
static int find_models(Table *t)
{
    char path[4096];
    const char *named = t->options->common.model, *usual = dain_default_model();
    ModelPlace *places = mem_alloc(MODELS_MOST * sizeof *places);
    bool ok = places != NULL;
    const int count = ok && !named ? models_list(places) : 0;
    const char *const found = named ? models_find(named, path, sizeof path) : NULL;
    for (int i = 0; i < count && ok; i++)
        ok = add_model(t, places[i].path);
    if (ok && named)
        ok = add_model(t, found ? found : named);
    else if (ok && !count && usual)
        ok = add_model(t, usual);
    mem_free(places);
    if (!ok)
        return report_error(t->report, DAIN_ENOMEM, "out of memory");
    return t->model_count
               ? DAIN_OK
               : report_error(t->report, DAIN_EIO, "there is no model: name one with --model");
}

/* ---- the table ---- */

/* All sizes of one model in one precision. */
static int measure_precision(Table *t)
{
    const PictureSize given = t->options->size;
    const PictureSize *sizes = given.width ? &given : usual_sizes;
    const int count = given.width ? 1 : (int)(sizeof usual_sizes / sizeof *usual_sizes);
    for (int i = 0; i < count; i++) {
        Measured m;
        t->size = sizes[i];
        const int r = measure_row(t, &m);
        if (r < 0)
            return r;
        if (m.error)
            return DAIN_OK; /* no such precision, at any size */
        print_row(t, &m);
        fflush(stdout);
        t->rows++;
    }
    return DAIN_OK;
}

static void print_head(const Table *t)
{
    char flags[128];
    cpu_flags_name(cpu_flags(), flags, sizeof flags);
    if (t->options->json) {
        printf("{\n  \"version\": \"%s\", \"cpu\": \"%s\", \"processors\": %d,\n  \"rows\": [",
               dain_version(), flags, cpu_count());
        return;
    }
    printf("dain %s, %s, %d processors; the network alone, %d new frame%s a pair\n\n",
           dain_version(), flags, cpu_count(), t->options->times, plural(t->options->times));
    printf(
        "| model | size | precision | new frames/s | latency, ms | peak memory, MiB | threads busy "
        "| file, MiB |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
}

int bench_table(const BenchOptions *options, Report *report)
{
    Table t = { .options = options, .report = report };
    const char *only = options->common.precision;
    int r = find_models(&t);
    if (r == DAIN_OK)
        print_head(&t);
    for (int i = 0; i < t.model_count && r == DAIN_OK; i++)
        for (int k = 0; k < (only ? 1 : 3) && r == DAIN_OK; k++) {
            t.path = t.models[i];
            t.precision = only ? only : precisions[k];
            r = measure_precision(&t);
        }
    if (options->json)
        printf("\n  ]\n}\n");
    for (int i = 0; i < t.model_count; i++)
        mem_free(t.models[i]);
    if (r == DAIN_OK && !t.rows)
        r = report_error(report, DAIN_EUNSUPPORTED, "no model found can be computed in %s",
                         only ? only : "any precision");
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}
