/* The kernel table: the C reference first, then each instruction set over it. */
#include "kernels/kernels.h"

#include "base/cpu.h"

unsigned kernels_flags(void)
{
#if defined(__x86_64__) && defined(DAIN_SMALL)
    return CPU_AVX2 | CPU_AVXVNNI;
#elif defined(__x86_64__)
    return CPU_AVX2 | CPU_AVXVNNI | CPU_AVX512 | CPU_AVX512VNNI | CPU_AVX512BF16;
#elif defined(__aarch64__)
    return CPU_NEON | CPU_DOTPROD | CPU_BF16 | CPU_I8MM;
#else
    return 0;
#endif
}

void kernels_init(Kernels *table, unsigned cpu_flags)
{
#define KERNEL_C(name, args) table->name = name##_c;
    DAIN_KERNELS(KERNEL_C)
    DAIN_KERNELS_QUANT(KERNEL_C)
#undef KERNEL_C
    table->winograd = false;
#if defined(__x86_64__)
    if (cpu_flags & CPU_AVX2)
        kernels_init_avx2(table);
    if (cpu_flags & CPU_AVXVNNI)
        kernels_init_avxvnni(table);
#ifndef DAIN_SMALL
    if (cpu_flags & CPU_AVX512)
        kernels_init_avx512(table);
    if (cpu_flags & CPU_AVX512VNNI)
        kernels_init_avx512vnni(table);
    if (cpu_flags & CPU_AVX512BF16)
        kernels_init_avx512bf16(table);
#endif
#elif defined(__aarch64__)
    if (cpu_flags & CPU_NEON)
        kernels_init_neon(table);
    if (cpu_flags & CPU_DOTPROD)
        kernels_init_dotprod(table);
    if (cpu_flags & CPU_BF16)
        kernels_init_bf16(table);
    if ((cpu_flags & CPU_I8MM) && (cpu_flags & CPU_DOTPROD))
        kernels_init_i8mm(table);
#else
    (void)cpu_flags;
#endif
}
