/* A test program: named tests in one table, each run once, a line for each.
 *
 *     static void adds(void) { CHECK_INT(1 + 1, 2); }
 *     static const Test tests[] = { { "one and one are two", adds } };
 *     TEST_MAIN(tests)
 *
 * A name is a sentence about what holds. Arguments choose tests by a part of their name. The output
 * is "ok NAME", "not ok NAME" or "skip NAME: why" on standard output; what went wrong is on
 * standard error. The program returns 0, or 1 if a test failed.
 */
#ifndef DAIN_TESTS_TEST_H
#define DAIN_TESTS_TEST_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Test {
    const char *name;
    void (*run)(void);
} Test;

static int test_failures;            /* of the test that runs */
static const char *test_skip_reason; /* set: it did not run */

__attribute__((unused, format(printf, 3, 4))) static void test_fail(const char *file, int line,
                                                                    const char *format, ...)
{
    if (test_failures++ < 10) {
        fprintf(stderr, "%s:%d: ", file, line);
        __builtin_va_list args;
        __builtin_va_start(args, format);
        vfprintf(stderr, format, args);
        __builtin_va_end(args);
        fputc('\n', stderr);
    }
}

/* All of these go on after a failure; their value is 1 if the check held, 0 if not. */
#define CHECK(condition)                                                                           \
    ((condition) ? 1 : (test_fail(__FILE__, __LINE__, "not so: %s", #condition), 0))
#define CHECK_INT(got, want) test_int((got), (want), #got, __FILE__, __LINE__)
#define CHECK_STRING(got, want) test_string((got), (want), #got, __FILE__, __LINE__)
#define CHECK_CONTAINS(got, part) test_contains((got), (part), #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, want, size) test_bytes((got), (want), (size), #got, __FILE__, __LINE__)
/* Ends the test as not run. */
#define SKIP(reason)                                                                               \
    do {                                                                                           \
        test_skip_reason = (reason);                                                               \
        return;                                                                                    \
    } while (0)

__attribute__((unused)) static int test_int(int64_t got, int64_t want, const char *what,
                                            const char *file, int line)
{
    if (got == want)
        return 1;
    test_fail(file, line, "%s is %" PRId64 ", not %" PRId64, what, got, want);
    return 0;
}

__attribute__((unused)) static int test_string(const char *got, const char *want, const char *what,
                                               const char *file, int line)
{
    if (got && !strcmp(got, want))
        return 1;
    test_fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)", want);
    return 0;
}

__attribute__((unused)) static int test_contains(const char *got, const char *part,
                                                 const char *what, const char *file, int line)
{
    if (got && strstr(got, part))
        return 1;
    test_fail(file, line, "%s is \"%s\", without \"%s\"", what, got ? got : "(null)", part);
    return 0;
}

__attribute__((unused)) static int test_bytes(const void *got, const void *want, size_t size,
                                              const char *what, const char *file, int line)
{
    const unsigned char *g = got, *w = want;
    for (size_t i = 0; i < size; i++)
        if (g[i] != w[i]) {
            test_fail(file, line, "byte %zu of %s is %d, not %d", i, what, g[i], w[i]);
            return 0;
        }
    return 1;
}

/* Whether an argument of the program names this test; without arguments all are. */
static int test_chosen(const Test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(test->name, argv[i]))
            return 1;
    return argc < 2;
}

static int test_main(const Test *tests, int count, int argc, char **argv)
{
    int failed = 0;
    for (int i = 0; i < count; i++) {
        if (!test_chosen(&tests[i], argc, argv))
            continue;
        test_failures = 0;
        test_skip_reason = NULL;
        tests[i].run();
        if (test_failures)
            printf("not ok %s\n", tests[i].name);
        else if (test_skip_reason)
            printf("skip %s: %s\n", tests[i].name, test_skip_reason);
        else
            printf("ok %s\n", tests[i].name);
        fflush(stdout);
        failed |= test_failures > 0;
    }
    return failed;
}

#define TEST_MAIN(tests)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main((tests), (int)(sizeof(tests) / sizeof((tests)[0])), argc, argv);          \
    }

/* The same for tests of a file, which is the first argument and goes into `path`. */
#define TEST_MAIN_OF(path, tests)                                                                  \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        if (argc < 2)                                                                              \
            return 2;                                                                              \
        (path) = argv[1];                                                                          \
        argv[1] = argv[0];                                                                         \
        return test_main((tests), (int)(sizeof(tests) / sizeof((tests)[0])), argc - 1, argv + 1);  \
    }

#endif
