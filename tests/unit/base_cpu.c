/* CPU features: names, caps, and agreement with the compiler's own detection. */
#include "test.h"

#include "base/cpu.h"

static void names(void)
{
    char buf[128];
    CHECK_STRING(cpu_flags_name(0, buf, sizeof(buf)), "c");
    CHECK_STRING(cpu_flags_name(CPU_AVX2, buf, sizeof(buf)), "avx2");
    CHECK_STRING(cpu_flags_name(CPU_AVX2 | CPU_AVX512, buf, sizeof(buf)), "avx512+avx2");
    CHECK_STRING(cpu_flags_name(CPU_NEON | CPU_DOTPROD, buf, sizeof(buf)), "dotprod+neon");
    /* Everything fits in 128 bytes, and a short buffer holds whole names only. */
    CHECK_CONTAINS(cpu_flags_name(~0u, buf, sizeof(buf)), "+avx2");
    CHECK_STRING(cpu_flags_name(CPU_AVX2 | CPU_AVX512, buf, 11), "avx512");
    CHECK_STRING(cpu_flags_name(CPU_AVX2, buf, 1), "");
}

static void caps(void)
{
    static const char *const rising[][5] = {
        { "c", "avx2", "avx512", "avx512vnni", "avx512bf16" },
        { "c", "neon", "dotprod", "bf16", "i8mm" },
    };
    for (int family = 0; family < 2; family++) {
        unsigned below = 0;
        for (int i = 0; i < 5; i++) {
            int ok = 0;
            const unsigned cap = cpu_flags_cap(rising[family][i], &ok);
            CHECK_INT(ok, 1);
            CHECK_INT(below & ~cap, 0);
            CHECK(i == 0 || cap != below);
            below = cap;
        }
    }
    int ok;
    CHECK_INT(cpu_flags_cap("avx512", &ok), CPU_AVX2 | CPU_AVX512);
    CHECK_INT(cpu_flags_cap("avx512f", &ok), 0);
    CHECK_INT(ok, 0);
    CHECK_INT(cpu_flags_cap("", &ok), 0);
    CHECK_INT(ok, 0);
}

static void environment(void)
{
    char text[160], *before = getenv("DAIN_CPU");
    char *kept = before ? strdup(before) : NULL;
    const unsigned machine = cpu_flags_detect();
    unsetenv("DAIN_CPU");
    CHECK_INT(cpu_flags(), machine);
    setenv("DAIN_CPU", "c", 1);
    CHECK_INT(cpu_flags(), 0);
    setenv("DAIN_CPU", "avx2", 1);
    CHECK_INT(cpu_flags(), machine & CPU_AVX2);
    CHECK(!cpu_flags_ignored(text, sizeof text));
    setenv("DAIN_CPU", "avx3", 1);
    CHECK_INT(cpu_flags(), machine);
    CHECK_STRING(cpu_flags_ignored(text, sizeof text), text);
    CHECK_CONTAINS(text, "avx3");
    CHECK_CONTAINS(text, "i8mm");
    if (kept)
        setenv("DAIN_CPU", kept, 1);
    else
        unsetenv("DAIN_CPU");
    free(kept);
}

static void agrees_with_compiler(void)
{
#if defined(__x86_64__)
    const unsigned flags = cpu_flags_detect();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    /* Every processor with AVX2 and FMA has F16C too. */
    CHECK_INT((flags & CPU_AVX2) != 0, avx2);
    CHECK_INT((flags & CPU_AVX512) != 0, avx2 && avx512);
    CHECK_INT((flags & CPU_AVX512VNNI) != 0,
              avx2 && avx512 && __builtin_cpu_supports("avx512vnni"));
    CHECK_INT((flags & CPU_AVX512BF16) != 0,
              avx2 && avx512 && __builtin_cpu_supports("avx512bf16"));
    CHECK(!(flags & CPU_AVX512) || (flags & CPU_AVX2));
#else
    SKIP("not an x86-64 processor");
#endif
}

static void processors(void)
{
    CHECK(cpu_count() >= 1);
    CHECK(cpu_count() <= 65536);
}

static const Test tests[] = {
    { "flags have names", names },
    { "a cap allows its level and all below it", caps },
    { "DAIN_CPU caps the flags", environment },
    { "detection agrees with the compiler's", agrees_with_compiler },
    { "there is at least one processor", processors },
};
TEST_MAIN(tests)
