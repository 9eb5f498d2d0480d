/* Enters the AVX-512 kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_avx512(Kernels *table)
{
    dain_kernels_init_avx512(table);
    table->conv_f32 = conv_f32_avx512;
}
