/* dain bench: how fast the network runs here, and where the time goes. */
#include "tool/bench.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "tool/json.h"
#include "tool/scene_drawn.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const Command command_bench;

/* ---- running ---- */

/* Seconds that all threads of the process have computed. */
static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int push(Bench *b, int n)
{
    const PictureSize *const size = &b->options->size;
    scene_draw(b->in, size->width, size->height, n);
    const DainImage image = scene_image(b->in, size->width, size->height);
    const double start = seconds_now(), cpu = cpu_now();
    const int r = backend_push(b->engine, &image);
    b->total += seconds_now() - start;
    b->cpu += cpu_now() - cpu;
    return r;
}

/* One source frame more and the new frames before it; ms gets the time per new frame. */
static int step(Bench *b, int n, double *ms)
{
    const PictureSize *const size = &b->options->size;
    const DainImage image = scene_image(b->out, size->width, size->height);
    const double before = b->total;
    int r = push(b, n);
    for (int k = 1; k <= b->options->times && r == DAIN_OK; k++) {
        const double start = seconds_now(), cpu = cpu_now();
        r = backend_interpolate(b->engine, k, b->options->times + 1, &image);
        b->total += seconds_now() - start;
        b->cpu += cpu_now() - cpu;
    }
    *ms = 1e3 * (b->total - before) / b->options->times;
    return r;
}

static int measure(Bench *b)
{
    double ignored;
    int n = 0, r = push(b, n++);
    for (int i = 0; i < b->options->warmup && r == DAIN_OK; i++)
        r = step(b, n++, &ignored);
    if (b->context)
        dain_stages_reset(b->context);
    b->total = b->cpu = 0;
    for (int i = 0; i < b->options->frames && r == DAIN_OK; i++)
        r = step(b, n++, &b->ms[i]);
    return r;
}

/* Of another engine only what it was asked for is known. */
static int describe(Bench *b)
{
    const CommonOptions *const common = &b->options->common;
    if (b->context)
        return dain_info(b->context, &b->info);
    b->info = (DainInfo){
        .model = common->model ? common->model : dain_default_model(),
        .network = b->options->engine.name,
        .precision = common->precision ? common->precision : "f32",
        .cpu = "",
        .threads = common->threads ? common->threads : cpu_count(),
    };
    return DAIN_OK;
}

/* ---- the table ---- */

static BenchRow *row_for(Bench *b, const DainStage *stage)
{
    for (int i = 0; i < b->row_count; i++)
        if (b->rows[i].rate == stage->rate && !strcmp(b->rows[i].name, stage->name))
            return &b->rows[i];
    BenchRow *const row = &b->rows[b->row_count++];
    *row = (BenchRow){ .rate = stage->rate };
    memcpy(row->name, stage->name, sizeof row->name);
    return row;
}

static bool collect(Bench *b)
{
    const int count = b->context ? dain_stage_count(b->context) : 0;
    b->rows = mem_calloc((size_t)count + 1, sizeof *b->rows);
    for (int i = 0; b->rows && i < count; i++) {
        DainStage stage;
        if (dain_stage(b->context, i, &stage) < 0)
            continue;
        BenchRow *const row = row_for(b, &stage);
        row->seconds += stage.seconds;
        row->macs += stage.macs * (double)stage.runs;
        row->runs += stage.runs;
    }
    return b->rows;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const char *rate_name(DainRate rate)
{
    static const char *const names[] = { "frame", "pair", "time" };
    return names[rate];
}

static double sum_macs(const Bench *b)
{
    double sum = 0;
    for (int i = 0; i < b->row_count; i++)
        sum += b->rows[i].macs;
    return sum;
}

static void print_table(const Bench *b)
{
    const int made = b->options->frames * b->options->times;
    double staged = 0;
    printf("\n%-22s %-6s %10s %7s %9s\n", "stage", "rate", "ms/frame", "share", "GMAC/s");
    for (int i = 0; i < b->row_count; i++) {
        const BenchRow *const row = &b->rows[i];
        staged += row->seconds;
        if (!row->runs)
            continue;
        printf("%-22s %-6s %10.3f %6.1f%% ", row->name, rate_name(row->rate),
               1e3 * row->seconds / made, 100 * row->seconds / b->total);
        if (row->macs > 0 && row->seconds > 0)
            printf("%9.1f\n", 1e-9 * row->macs / row->seconds);
        else
            printf("%9s\n", "-");
    }
    printf("%-22s %-6s %10.3f %6.1f%%\n", "(between the stages)", "",
           1e3 * (b->total - staged) / made, 100 * (b->total - staged) / b->total);
}

static void print_text(const Bench *b)
{
    const BenchOptions *const o = b->options;
    const int made = o->frames * o->times;
    printf("%s: %s, %s, %s%s%d thread%s, %dx%d, %d new frame%s\n", b->info.model, b->info.network,
           b->info.precision, b->info.cpu, b->context ? ", " : "", b->info.threads,
           plural(b->info.threads), o->size.width, o->size.height, made, plural(made));
    if (!b->context) {
        printf("%.2f new frames/s: median %.2f ms, best %.2f, worst %.2f\n", made / b->total,
               b->ms[o->frames / 2], b->ms[0], b->ms[o->frames - 1]);
        return;
    }
    printf(
        "%.2f new frames/s: median %.2f ms, best %.2f, worst %.2f; %.1f GMAC/s; %.0f MiB working "
        "memory\n",
        made / b->total, b->ms[o->frames / 2], b->ms[0], b->ms[o->frames - 1],
        1e-9 * sum_macs(b) / b->total,
        (double)(b->info.arena_bytes + b->info.weight_bytes +
                 (size_t)b->info.frames * b->info.frame_bytes) /
            1048576);
    print_table(b);
}

static void print_json(const Bench *b)
{
    const BenchOptions *const o = b->options;
    const int made = o->frames * o->times;
    printf("{\n  \"version\": ");
    json_print(stdout, dain_version());
    printf(",\n  \"model\": ");
    json_print(stdout, b->info.model);
    printf(",\n  \"engine\": ");
    json_print(stdout, b->context ? "native" : o->engine.name);
    printf(",\n  \"network\": \"%s\", \"precision\": \"%s\", \"cpu\": \"%s\", \"threads\": %d,\n",
           b->context ? b->info.network : "", b->info.precision, b->info.cpu, b->info.threads);
    printf("  \"width\": %d, \"height\": %d, \"new_frames\": %d, \"times_per_pair\": %d,\n",
           o->size.width, o->size.height, made, o->times);
    printf("  \"seconds\": %.6f, \"fps\": %.4f, \"ms_median\": %.4f, \"ms_best\": %.4f, "
           "\"ms_worst\": %.4f,\n",
           b->total, made / b->total, b->ms[o->frames / 2], b->ms[0], b->ms[o->frames - 1]);
    printf("  \"gmac_per_second\": %.3f, \"arena_bytes\": %zu, \"weight_bytes\": %zu, "
           "\"frame_bytes\": %zu,\n  \"stages\": [",
           1e-9 * sum_macs(b) / b->total, b->info.arena_bytes, b->info.weight_bytes,
           b->info.frame_bytes);
    for (int i = 0; i < b->row_count; i++) {
        const BenchRow *const row = &b->rows[i];
        printf("%s\n    { \"name\": ", i ? "," : "");
        json_print(stdout, row->name);
        printf(", \"rate\": \"%s\", \"runs\": %" PRId64
               ", \"ms_per_frame\": %.5f, \"share\": %.5f, "
               "\"gmac_per_second\": %.3f }",
               rate_name(row->rate), row->runs, 1e3 * row->seconds / made, row->seconds / b->total,
               row->seconds > 0 ? 1e-9 * row->macs / row->seconds : 0);
    }
    printf("\n  ]\n}\n");
}

int bench_run(Bench *b, const BenchOptions *o, Report *report)
{
    *b = (Bench){ .options = o };
    int r = DAIN_ENOMEM;
    const size_t bytes = 3 * (size_t)o->size.width * (size_t)o->size.height;
    b->engine = backend_open(&o->common, &o->engine, report);
    if (!b->engine)
        return DAIN_EIO;
    b->context = backend_context(b->engine);
    b->in = mem_alloc(bytes);
    b->out = mem_alloc(bytes);
    b->ms = mem_calloc((size_t)o->frames, sizeof *b->ms);
    if (b->in && b->out && b->ms) {
        r = measure(b);
        if (r < 0)
            return report_error(report, r, "%s", backend_last_error(b->engine));
        r = describe(b);
        if (r == DAIN_OK && !collect(b))
            r = DAIN_ENOMEM;
    }
    if (r == DAIN_ENOMEM)
        return report_error(report, r, "out of memory");
    qsort(b->ms, (size_t)o->frames, sizeof *b->ms, compare);
    return r;
}

void bench_close(Bench *b)
{
    mem_free(b->rows);
    mem_free(b->ms);
    mem_free(b->out);
    mem_free(b->in);
    backend_close(&b->engine);
}

static int run(const void *values, int count, char **operands)
{
    BenchOptions o = *(const BenchOptions *)values;
    Report report;
    Bench b;
    messages_start(&report, &o.common);
    if (count)
        return options_wrong(&command_bench, "takes no file: %s", operands[0]);
    if (o.table && o.engine.name && strcmp(o.engine.name, "native"))
        return options_wrong(&command_bench, "--table needs --engine native");
    if (o.table)
        return bench_table(&o, &report);
    if (!o.size.width)
        o.size = (PictureSize){ 1280, 720 };
    const int r = bench_run(&b, &o, &report);
    if (r == DAIN_OK && o.json)
        print_json(&b);
    else if (r == DAIN_OK)
        print_text(&b);
    bench_close(&b);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

#define AT(member) offsetof(BenchOptions, member)

static const Option options[] = {
    { 0, "size", OPTION_SIZE, AT(size), "WxH", "size of the frames [1280x720]", 0, 0 },
    { 'n', "frames", OPTION_INT, AT(frames), "N", "pairs of frames that are measured [8]", 1,
      100000 },
    { 0, "warmup", OPTION_INT, AT(warmup), "N", "pairs before, not measured [1]", 0, 1000 },
    { 0, "times", OPTION_INT, AT(times), "N", "new frames in each pair: 1 = twice the rate [1]", 1,
      64 },
    { 0, "json", OPTION_FLAG, AT(json), NULL, "print JSON", 0, 0 },
    { 0, "table", OPTION_FLAG, AT(table), NULL,
      "a table, in Markdown or JSON, of every model found (or --model), precision (or --precision) "
      "and usual size (or --size)",
      0, 0 },
    COMMON_OPTIONS(BenchOptions, common),
    ENGINE_OPTIONS(BenchOptions, engine),
};

static const BenchOptions defaults = { .frames = 8, .warmup = 1, .times = 1 };

const Command command_bench = {
    "bench",
    "measure the speed of the network on this machine",
    "[options]",
    "Interpolates a computed scene and prints new frames a second, and for each stage of the "
    "network "
    "its time for a new frame, its share and its multiply-adds a second. Nothing is decoded or "
    "encoded.",
    options,
    OPTION_COUNT(options),
    sizeof(BenchOptions),
    &defaults,
    run,
};
