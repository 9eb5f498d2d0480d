/* The kernel table: the C reference first, then each instruction set over it. */
#include "kernels/kernels.h"

#include "base/cpu.h"

#include <string.h>

void kernels_init(Kernels *table, unsigned cpu_flags)
{
    memset(table, 0, sizeof *table);
    table->conv_f32 = conv_f32_c;
    table->scale_f32 = scale_f32_c;
    table->fill_f32 = fill_f32_c;
#if defined(__x86_64__)
    if (cpu_flags & CPU_AVX2)
        kernels_init_avx2(table);
    if (cpu_flags & CPU_AVX512)
        kernels_init_avx512(table);
#else
    (void)cpu_flags;
#endif
}
