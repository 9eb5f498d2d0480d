/* The program dain: finds the command, parses its options, runs it. */
#include "base/mem.h"
#include "dain/dain.h"
#include "tool/manual.h"
#include "tool/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_completion(const char *shell)
{
    if (completion_script(stdout, shell) == 0)
        return EXIT_DONE;
    fprintf(stderr, "dain: --completion needs the name of a shell: bash, zsh or fish\n");
    return EXIT_USAGE;
}

/* What is asked for without a command. EXIT_DONE, or -1 if it is none of these. */
static int run_special(int argc, char **argv)
{
    if (!strcmp(argv[1], "--version"))
        printf("dain %s\n", dain_version());
    else if (!strcmp(argv[1], "--dump-man"))
        manual_page(stdout);
    else if (!strcmp(argv[1], "--completion"))
        return run_completion(argc > 2 ? argv[2] : "");
    else if (!strcmp(argv[1], "help")) {
        const Command *const c = argc > 2 ? command_find(argv[2]) : commands[0];
        if (!c) {
            fprintf(stderr, "dain: there is no command %s (dain --help)\n", argv[2]);
            return EXIT_USAGE;
        }
        options_help(c, stdout);
    } else
        return -1;
    return EXIT_DONE;
}

static int run(const Command *command, int argc, char **argv)
{
    int count = 0;
    void *const values = mem_alloc(command->size);
    if (!values) {
        fprintf(stderr, "dain: out of memory\n");
        return EXIT_FAILED;
    }
    int code = options_parse(command, argc, argv, values, &count);
    if (code == EXIT_DONE)
        code = command->run(values, count, argv + 1);
    else if (code < 0)
        code = EXIT_DONE; /* help */
    mem_free(values);
    return code;
}

/* Standard output to a full disk must not pass for success. */
static int check_output(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("dain: standard output");
        return code == EXIT_DONE ? EXIT_FAILED : code;
    }
    return code;
}

/* For tests: the n-th allocation of the program fails. */
static void fail_as_told(void)
{
    const char *const n = getenv("DAIN_FAIL_ALLOC");
    if (n)
        mem_fail_at(atol(n));
}

int main(int argc, char **argv)
{
    fail_as_told();
    if (argc < 2) {
        options_short_help(stderr);
        return EXIT_USAGE;
    }
    const int special = run_special(argc, argv);
    if (special >= 0)
        return check_output(special);
    const Command *const named = command_find(argv[1]);
    if (named)
        return check_output(run(named, argc - 1, argv + 1));
    return check_output(run(commands[0], argc, argv));
}
