/* What the processor and the operating system can do. */
#include "base/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#endif

/* Levels in rising order; each allows its own flag and all of those before it. */
enum {
    LEVEL_AVX2 = CPU_AVX2,
    LEVEL_AVXVNNI = LEVEL_AVX2 | CPU_AVXVNNI,
    LEVEL_AVX512 = LEVEL_AVX2 | CPU_AVX512, /* the first AVX-512 processors had no dot products */
    LEVEL_AVX512VNNI = LEVEL_AVX512 | LEVEL_AVXVNNI | CPU_AVX512VNNI,
    LEVEL_AVX512BF16 = LEVEL_AVX512VNNI | CPU_AVX512BF16,
    LEVEL_NEON = CPU_NEON,
    LEVEL_DOTPROD = LEVEL_NEON | CPU_DOTPROD,
    LEVEL_FP16 = LEVEL_DOTPROD | CPU_FP16,
    LEVEL_BF16 = LEVEL_FP16 | CPU_BF16,
    LEVEL_I8MM = LEVEL_BF16 | CPU_I8MM
};

static const struct {
    const char *name;
    unsigned flag, cap;
} levels[] = {
    { "c", 0, 0 },
    { "avx2", CPU_AVX2, LEVEL_AVX2 },
    { "avxvnni", CPU_AVXVNNI, LEVEL_AVXVNNI },
    { "avx512", CPU_AVX512, LEVEL_AVX512 },
    { "avx512vnni", CPU_AVX512VNNI, LEVEL_AVX512VNNI },
    { "avx512bf16", CPU_AVX512BF16, LEVEL_AVX512BF16 },
    { "neon", CPU_NEON, LEVEL_NEON },
    { "dotprod", CPU_DOTPROD, LEVEL_DOTPROD },
    { "fp16", CPU_FP16, LEVEL_FP16 },
    { "bf16", CPU_BF16, LEVEL_BF16 },
    { "i8mm", CPU_I8MM, LEVEL_I8MM },
};
enum { LEVEL_COUNT = sizeof(levels) / sizeof(levels[0]) };

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* Bits of cpuid leaves (Intel SDM volume 2, CPUID). */
enum {
    LEAF1_ECX_FMA = 1 << 12,
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF1_ECX_F16C = 1 << 29,
    LEAF7_EBX_AVX2 = 1 << 5,
    LEAF7_EBX_AVX512F = 1 << 16,
    LEAF7_EBX_AVX512DQ = 1 << 17,
    LEAF7_EBX_AVX512BW = 1 << 30,
    LEAF7_ECX_AVX512VNNI = 1 << 11,
    LEAF7_1_EAX_AVXVNNI = 1 << 4,
    LEAF7_1_EAX_AVX512BF16 = 1 << 5,
    /* Registers that the system saves (XCR0): xmm and ymm; mask registers and both parts of zmm. */
    XCR0_YMM = 0x06,
    XCR0_ZMM = 0xe6
};
#define LEAF7_EBX_AVX512VL (1u << 31)

static unsigned read_xcr0(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int all_set(unsigned value, unsigned mask)
{
    return (value & mask) == mask;
}

unsigned cpu_flags_detect(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) ||
        !all_set(ecx, LEAF1_ECX_FMA | LEAF1_ECX_OSXSAVE | LEAF1_ECX_F16C))
        return 0;
    const unsigned xcr0 = read_xcr0();
    if (!all_set(xcr0, XCR0_YMM) || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ||
        !all_set(ebx, LEAF7_EBX_AVX2))
        return 0;
    unsigned flags = CPU_AVX2;
    const unsigned last_subleaf = eax, leaf7_ebx = ebx, leaf7_ecx = ecx;
    eax = 0;
    if (last_subleaf >= 1)
        __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx);
    if (all_set(eax, LEAF7_1_EAX_AVXVNNI))
        flags |= CPU_AVXVNNI;
    if (all_set(xcr0, XCR0_ZMM) &&
        all_set(leaf7_ebx,
                LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL)) {
        flags |= CPU_AVX512;
        if (all_set(leaf7_ecx, LEAF7_ECX_AVX512VNNI))
            flags |= CPU_AVX512VNNI;
        if (all_set(eax, LEAF7_1_EAX_AVX512BF16))
            flags |= CPU_AVX512BF16;
    }
    return flags;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

unsigned cpu_flags_detect(void)
{
    /* Bits of the kernel's arch/arm64 hwcap interface, spelled out because older headers lack the
     * newer names. */
    const unsigned long asimd = 1ul << 1, fp_half = 1ul << 9, asimd_half = 1ul << 10,
                        asimd_dot = 1ul << 20;              /* AT_HWCAP */
    const unsigned long i8mm = 1ul << 13, bf16 = 1ul << 14; /* AT_HWCAP2 */
    const unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
    if (!(caps & asimd))
        return 0;
    unsigned flags = CPU_NEON;
    if (caps & asimd_dot)
        flags |= CPU_DOTPROD;
    if ((caps & fp_half) && (caps & asimd_half))
        flags |= CPU_FP16;
    if (caps2 & bf16)
        flags |= CPU_BF16;
    if (caps2 & i8mm)
        flags |= CPU_I8MM;
    return flags;
}

#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

static int has_feature(const char *name)
{
    int value = 0;
    size_t size = sizeof(value);
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value;
}

unsigned cpu_flags_detect(void)
{
    unsigned flags = CPU_NEON; /* part of the architecture on this system */
    if (has_feature("hw.optional.arm.FEAT_DotProd"))
        flags |= CPU_DOTPROD;
    if (has_feature("hw.optional.arm.FEAT_FP16"))
        flags |= CPU_FP16;
    if (has_feature("hw.optional.arm.FEAT_BF16"))
        flags |= CPU_BF16;
    if (has_feature("hw.optional.arm.FEAT_I8MM"))
        flags |= CPU_I8MM;
    return flags;
}

#else

unsigned cpu_flags_detect(void)
{
    return 0;
}

#endif

unsigned cpu_flags_cap(const char *level, int *ok)
{
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (!strcmp(level, levels[i].name)) {
            *ok = 1;
            return levels[i].cap;
        }
    *ok = 0;
    return 0;
}

unsigned cpu_flags(void)
{
    const char *const level = getenv("DAIN_CPU");
    int ok = 0;
    const unsigned flags = cpu_flags_detect(), cap = level ? cpu_flags_cap(level, &ok) : 0;
    return ok ? flags & cap : flags;
}

const char *cpu_flags_ignored(char *buf, unsigned size)
{
    const char *const level = getenv("DAIN_CPU");
    int ok;
    if (!level || !*level || (cpu_flags_cap(level, &ok), ok))
        return NULL;
    int used = snprintf(buf, size, "DAIN_CPU=%.40s is ignored; it may be", level);
    for (int i = 0; i < LEVEL_COUNT && used >= 0 && (unsigned)used < size; i++)
        used += snprintf(buf + used, size - (unsigned)used, " %s", levels[i].name);
    return buf;
}

const char *cpu_flags_name(unsigned flags, char *buf, unsigned size)
{
    unsigned used = 0;
    if (size == 0)
        return "";
    buf[0] = '\0';
    for (int i = LEVEL_COUNT - 1; i >= 0; i--) {
        const char *name = levels[i].name;
        const unsigned length = (unsigned)strlen(name) + (used > 0);
        if (!(flags & levels[i].flag) || used + length >= size)
            continue;
        snprintf(buf + used, size - used, "%s%s", used ? "+" : "", name);
        used += length;
    }
    if (used == 0 && size > 1)
        strcpy(buf, "c");
    return buf;
}

int cpu_count(void)
{
#if defined(__linux__)
    /* Room for 65,536 processors: the kernel refuses a set smaller than its own. */
    unsigned long set[65536 / (8 * sizeof(unsigned long))];
    memset(set, 0, sizeof(set));
    if (sched_getaffinity(0, sizeof(set), (cpu_set_t *)set) == 0) {
        int count = 0;
        for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
            count += __builtin_popcountl(set[i]);
        if (count > 0)
            return count;
    }
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
