/* Enters the AVX2 kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_avx2(Kernels *table)
{
    dain_kernels_init_avx2(table);
    table->conv_f32 = conv_f32_avx2;
}
