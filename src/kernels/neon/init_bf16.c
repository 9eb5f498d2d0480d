/* Enters the NEON kernels with dot products of bfloat16 into the table. */
#include "kernels/kernels.h"

void kernels_init_bf16(Kernels *table)
{
    table->conv_bf16 = conv_bf16_bf16;
}
