/* Memory of the caller's: the heap inside a block, and the sizes that the library names. */
#include "test.h"

#include "base/block.h"
#include "base/mem.h"
#include "dain/dain.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void pieces_do_not_overlap(void)
{
    enum { SIZE = 1 << 16, PIECES = 40, STEPS = 4000 };
    static unsigned char memory[SIZE + 7];
    struct {
        unsigned char *p;
        size_t size;
    } piece[PIECES] = { { 0 } };
    Block block;
    uint32_t seed = 1;

    if (!CHECK_INT(block_init(&block, memory + 7, SIZE), 0))
        return;
    for (int step = 0; step < STEPS; step++) {
        const int i = (int)((seed = seed * 1664525 + 1013904223) >> 16) % PIECES;
        if (piece[i].p) {
            for (size_t k = 0; k < piece[i].size; k++)
                if (!CHECK_INT(piece[i].p[k], i))
                    return;
            block_free(&block, piece[i].p);
            piece[i].p = NULL;
            continue;
        }
        piece[i].size = (seed = seed * 1664525 + 1013904223) >> 16 & 4095;
        piece[i].p = block_alloc(&block, piece[i].size);
        if (!piece[i].p)
            continue;
        CHECK_INT((uintptr_t)piece[i].p % MEM_ALIGN, 0);
        CHECK(block_holds(&block, piece[i].p) && piece[i].p + piece[i].size <= block.end);
        memset(piece[i].p, i, piece[i].size);
    }
    for (int i = 0; i < PIECES; i++)
        if (piece[i].p)
            block_free(&block, piece[i].p);
    CHECK_INT(block.chunks, 0);
    /* All gaps were joined: one piece of nearly everything is possible again. */
    void *all = block_alloc(&block, SIZE - 3 * MEM_ALIGN);
    CHECK(all != NULL);
    CHECK(block_alloc(&block, MEM_ALIGN) == NULL);
}

static void too_small_a_block(void)
{
    unsigned char memory[64];
    CHECK_INT(dain_use_memory(memory, sizeof memory), DAIN_EINVAL);
    CHECK_INT(dain_use_memory(NULL, 0), DAIN_OK);
}

static void a_refusal_changes_nothing(void)
{
    static unsigned char memory[4096], small[64];
    CHECK_INT(dain_use_memory(memory, sizeof memory), DAIN_OK);
    CHECK_INT(dain_use_memory(small, sizeof small), DAIN_EINVAL);
    unsigned char *p = mem_alloc(100);
    CHECK(p >= memory && p < memory + sizeof memory);
    mem_free(p);
    CHECK_INT(dain_use_memory(NULL, 0), DAIN_OK);
}

static const char *model_path;

static DainImage picture(unsigned char *p, int w, int h)
{
    return (DainImage){ .width = w,
                        .height = h,
                        .step = 3,
                        .plane = { p, p + 1, p + 2 },
                        .stride = { w * 3, w * 3, w * 3 } };
}

/* One pair in a block of this size; what the first call that failed said. */
static int run_in(const DainSettings *s, void *block, size_t size, int w, int h, unsigned char *out)
{
    static unsigned char first[96 * 64 * 3], second[96 * 64 * 3];
    for (int i = 0; i < w * h * 3; i++) {
        first[i] = (unsigned char)(i * 7 % 251);
        second[i] = (unsigned char)(i * 7 % 241);
    }
    const DainImage a = picture(first, w, h), b = picture(second, w, h), m = picture(out, w, h);
    DainContext *ctx = NULL;
    int error = dain_use_memory(block, size);
    if (!error)
        error = dain_open(&ctx, s);
    if (!error)
        error = dain_push(ctx, &a);
    if (!error)
        CHECK_INT(dain_use_memory(NULL, 0), block ? DAIN_ESTATE : DAIN_OK);
    if (!error)
        error = dain_push(ctx, &b);
    if (!error)
        error = dain_interpolate(ctx, 1, 3, &m);
    dain_close(&ctx);
    CHECK_INT(dain_use_memory(NULL, 0), DAIN_OK);
    return error;
}

static void the_size_named_is_enough_and_needed(void)
{
    static const struct {
        int w, h, threads;
        DainPrecision precision;
    } cases[] = { { 64, 64, 1, DAIN_PRECISION_F32 },
                  { 96, 63, 3, DAIN_PRECISION_F32 },
                  { 64, 48, 1, DAIN_PRECISION_BF16 },
                  { 64, 48, 2, DAIN_PRECISION_INT8 } };
    const long live = mem_live();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int w = cases[i].w, h = cases[i].h;
        static unsigned char want[96 * 64 * 3], got[96 * 64 * 3];
        DainSettings s;
        dain_settings_default(&s);
        s.model = model_path;
        s.threads = cases[i].threads;
        s.precision = cases[i].precision;
        size_t needed;
        if (!CHECK_INT(dain_memory_needed(&s, w, h, &needed), DAIN_OK))
            continue;
        unsigned char *block = malloc(needed + 1);
        if (!CHECK(block != NULL))
            return;
        CHECK_INT(run_in(&s, NULL, 0, w, h, want), DAIN_OK);
        for (int odd = 0; odd < 2; odd++) {
            memset(got, 0, sizeof got);
            CHECK_INT(run_in(&s, block + odd, needed, w, h, got), DAIN_OK);
            CHECK_BYTES(got, want, (size_t)w * h * 3);
        }
        if (s.precision != DAIN_PRECISION_INT8) /* there some processors need less */
            CHECK_INT(run_in(&s, block, needed - 256, w, h, got), DAIN_ENOMEM);
        free(block);
    }
    CHECK_INT(mem_live(), live);
}

static void a_block_fits_on_every_processor(void)
{
    static const char *const levels[] = { "c", "avx2", "neon", "" };
    static unsigned char got[64 * 48 * 3];
    const char *const before = getenv("DAIN_CPU");
    char *const kept = before ? strdup(before) : NULL;
    size_t first = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        DainSettings s;
        dain_settings_default(&s);
        s.model = model_path;
        s.threads = 1;
        s.precision = DAIN_PRECISION_INT8;
        setenv("DAIN_CPU", levels[i], 1);
        size_t needed = 0;
        CHECK_INT(dain_memory_needed(&s, 64, 48, &needed), DAIN_OK);
        first = i ? first : needed;
        CHECK_INT(needed, first);
        void *const block = malloc(first);
        if (CHECK(block != NULL))
            CHECK_INT(run_in(&s, block, first, 64, 48, got), DAIN_OK);
        free(block);
    }
    if (kept)
        setenv("DAIN_CPU", kept, 1);
    else
        unsetenv("DAIN_CPU");
    free(kept);
}

/* Bytes of address space in use, 0 if the system does not say. */
static size_t address_space(void)
{
    unsigned long pages = 0;
    FILE *const file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* In a process of its own: nothing is left of the limit afterwards. */
static void sizes_are_named_where_address_space_is_short(void)
{
    const size_t used = address_space();
    if (!used)
        SKIP("no /proc/self/statm");
    const pid_t pid = fork();
    if (!CHECK(pid >= 0))
        return;
    if (pid == 0) {
        DainSettings s;
        size_t needed = 0;
        const struct rlimit limit = { used + (512u << 20), used + (512u << 20) };
        dain_settings_default(&s);
        s.model = model_path;
        s.threads = 1;
        if (setrlimit(RLIMIT_AS, &limit))
            _exit(2);
        _exit(dain_memory_needed(&s, 64, 64, &needed) == DAIN_OK && needed ? 0 : 1);
    }
    int status = -1;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void the_largest_picture_can_be_counted(void)
{
    DainSettings s;
    size_t needed = 0;
    dain_settings_default(&s);
    s.model = model_path;
    s.threads = 1;
    s.tta = 1;
    s.motion = DAIN_MOTION_CURVED;
    if (sizeof(size_t) < 8)
        SKIP("it does not fit into the address space");
    const int error = dain_memory_needed(&s, 16384, 16384, &needed);
    if (error == DAIN_ENOMEM)
        SKIP("the system does not reserve as much");
    CHECK_INT(error, DAIN_OK);
    CHECK(needed >> 36);
}

static void sizes_that_are_refused(void)
{
    size_t needed;
    CHECK_INT(dain_memory_needed(NULL, 15, 64, &needed), DAIN_EINVAL);
    CHECK_INT(dain_memory_needed(NULL, 64, 16385, &needed), DAIN_EINVAL);
    CHECK_INT(dain_memory_needed(NULL, 64, 64, NULL), DAIN_EINVAL);
    DainSettings s;
    dain_settings_default(&s);
    s.model = "/nonexistent";
    CHECK_INT(dain_memory_needed(&s, 64, 64, &needed), DAIN_EIO);
    CHECK_CONTAINS(dain_open_error(), "/nonexistent");
}

static const Test tests[] = {
    { "pieces of a block do not overlap and are joined again", pieces_do_not_overlap },
    { "a block too small for anything is refused", too_small_a_block },
    { "a block that is refused leaves the one before in use", a_refusal_changes_nothing },
    { "the size named is enough, needed, and gives the same picture",
      the_size_named_is_enough_and_needed },
    { "a block fits on every processor", a_block_fits_on_every_processor },
    { "sizes are named where address space is short",
      sizes_are_named_where_address_space_is_short },
    { "the largest picture can be counted", the_largest_picture_can_be_counted },
    { "sizes and models that cannot be are refused", sizes_that_are_refused },
};

TEST_MAIN_OF(model_path, tests)
