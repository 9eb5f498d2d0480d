/* checkasm: the list of families, the command line, and the stopwatch. */
#include "checkasm.h"

#include "base/cpu.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Each family ends with a Test without a name. */
extern const Test conv_tests[];
extern const Test correlation_tests[];
extern const Test dain_tests[];
extern const Test elementwise_tests[];
extern const Test picture_tests[];
extern const Test polish_tests[];
extern const Test quant_conv_tests[];
extern const Test quant_corr_tests[];
extern const Test quant_row_tests[];
extern const Test resample_tests[];
extern const Test sample_tests[];
extern const Test splat_tests[];

static const Test *const families[] = {
    conv_tests,   quant_conv_tests,  quant_corr_tests,  quant_row_tests,
    sample_tests, correlation_tests, resample_tests,    splat_tests,
    polish_tests, picture_tests,     elementwise_tests, dain_tests,
};

/* Levels tried one after the other, each with all below it. */
static const struct Level {
    const char *name;
    unsigned flags;
} levels[] = {
    { "c", 0 },
    { "avx2", CPU_AVX2 },
    { "avxvnni", CPU_AVX2 | CPU_AVXVNNI },
    { "avx512", CPU_AVX2 | CPU_AVX512 },
    { "avx512vnni", CPU_AVX2 | CPU_AVX512 | CPU_AVX512VNNI },
    { "avx512bf16", CPU_AVX2 | CPU_AVX512 | CPU_AVX512VNNI | CPU_AVX512BF16 },
    { "neon", CPU_NEON },
    { "dotprod", CPU_NEON | CPU_DOTPROD },
    { "bf16", CPU_NEON | CPU_BF16 },
    { "i8mm", CPU_NEON | CPU_DOTPROD | CPU_I8MM },
};

static int failed; /* the running check has failed */
static const char *running_name = "checkasm", *running_isa = "";
static const char *wanted_shape;

void check_fail(const char *format, ...)
{
    va_list args;

    failed = 1;
    fprintf(stderr, "%s %s: ", running_name, running_isa);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int check_failed(void)
{
    return failed;
}

/* Processor time of this thread: other programs on the machine do not count. */
static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double time_calls(const Bench *bench, const Kernels *kernels, int part, int calls)
{
    double start = seconds();

    for (int i = 0; i < calls; i++)
        bench->fn(kernels, bench->arg, part);
    return seconds() - start;
}

/* Best time of one call, of some that take 2 ms together and are measured in batches of at least
 * 20 us, because reading the clock takes time. */
static double time_call(const Bench *bench, const Kernels *kernels, int part)
{
    double best = 1e9, sum = 0.0;
    int calls = 1;

    while (time_calls(bench, kernels, part, calls) < 20e-6)
        calls *= 2;
    do {
        double t = time_calls(bench, kernels, part, calls);

        sum += t;
        if (t / calls < best)
            best = t / calls;
    } while (sum < 2e-3);
    return best;
}

int bench_wanted(const char *shape)
{
    return !wanted_shape || strstr(shape, wanted_shape);
}

void bench_run(const Check *check, const Bench *bench)
{
    double best = 1e9, peak = 0.0, slow, start;
    int part = bench->ref_part > 0 ? bench->ref_part : 1;

    if (!bench_wanted(bench->shape))
        return;
    time_call(bench, check->tested, 1);
    start = seconds();
    for (int round = 0; round < 9 || (round < 200 && seconds() - start < 0.1); round++) {
        double t = seconds(), flops = peak_run(check->isa);

        t = seconds() - t;
        if (flops / t > peak)
            peak = flops / t;
        t = time_call(bench, check->tested, 1);
        if (t < best)
            best = t;
    }
    slow = time_call(bench, check->ref, part) * part;
    printf("%-18s %-28s %-7s %9.3f ns", bench->name, bench->shape, check->isa,
           best / bench->outputs * 1e9);
    if (bench->flops > 0)
        printf(" %8.2f GFLOP/s", bench->flops / best * 1e-9);
    else if (bench->bytes > 0)
        printf(" %8.2f GB/s   ", bench->bytes / best * 1e-9);
    if (bench->flops > 0 && peak > 0)
        printf(" %5.1f %% of %.1f", bench->flops / best / peak * 100, peak * 1e-9);
    printf("  %6.1fx C\n", slow / best);
    fflush(stdout);
}

/* Seeds from the command line's seed and the name, so that one test alone repeats its cases. */
static uint64_t seed_of(uint64_t seed, const char *name)
{
    while (*name)
        seed = (seed ^ (unsigned char)*name++) * 0x100000001b3u;
    return seed;
}

/* A kernel touched the unreadable memory behind a buffer: says which, as far as a handler may. */
static void on_fault(int signal)
{
    static const char text[] = ": touched memory outside of its buffers\n";
    ssize_t n = write(STDERR_FILENO, running_name, strlen(running_name));

    n += write(STDERR_FILENO, " ", 1);
    n += write(STDERR_FILENO, running_isa, strlen(running_isa));
    n += write(STDERR_FILENO, text, sizeof text - 1);
    _exit(n > 0 && signal ? 1 : 2);
}

typedef struct Options {
    uint64_t seed;
    const char *filter, *isa;
    int bench;
} Options;

/* The function a table holds for a test. */
static void *member(const Kernels *kernels, const Test *test)
{
    void *fn;

    memcpy(&fn, (const char *)kernels + test->member, sizeof fn);
    return fn;
}

static int run_test(const Test *test, const Options *options)
{
    const unsigned machine = cpu_flags_detect();
    Kernels ref, tested;
    void *last = NULL;
    int failures = 0;

    kernels_init(&ref, 0);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        Check check = { &ref, &tested, levels[i].name };

        if ((levels[i].flags & machine) != levels[i].flags)
            continue;
        kernels_init(&tested, levels[i].flags);
        if (member(&tested, test) == last) /* this level adds nothing to the one below */
            continue;
        last = member(&tested, test);
        if (options->isa && strcmp(options->isa, levels[i].name) != 0)
            continue;
        failed = 0;
        running_name = test->name;
        running_isa = levels[i].name;
        rnd_seed(seed_of(options->seed, test->name));
        if (options->bench) {
            if (test->bench)
                test->bench(&check);
            continue;
        }
        test->check(&check);
        printf("%-20s %-8s %s\n", test->name, levels[i].name, failed ? "FAILED" : "ok");
        failures += failed;
    }
    return failures;
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--seed N] [--isa NAME] [--bench [--shape TEXT]] [KERNEL]\n"
            "KERNEL: only kernels whose name contains this; --shape: only such cases\n",
            program);
    return 2;
}

static int parse(Options *options, int argc, char **argv)
{
    *options = (Options){ .seed = (uint64_t)time(NULL) };
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--bench") == 0)
            options->bench = 1;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            options->seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
            options->isa = argv[++i];
        else if (strcmp(argv[i], "--shape") == 0 && i + 1 < argc)
            wanted_shape = argv[++i];
        else if (argv[i][0] != '-')
            options->filter = argv[i];
        else
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    Options options;
    int failures = 0;

    if (parse(&options, argc, argv) < 0)
        return usage(argv[0]);
    signal(SIGSEGV, on_fault);
    printf("seed %llu\n", (unsigned long long)options.seed);
    fflush(stdout);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (const Test *test = families[i]; test->name; test++)
            if (!options.filter || strstr(test->name, options.filter))
                failures += run_test(test, &options);
    if (failures)
        fprintf(stderr, "%d failed; --seed %llu repeats them\n", failures,
                (unsigned long long)options.seed);
    return failures != 0;
}
