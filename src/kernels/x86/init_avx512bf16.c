/* Enters the AVX-512 BF16 kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_avx512bf16(Kernels *table)
{
    table->conv_bf16 = conv_bf16_avx512bf16;
}
