/* Enters the AVX-512 VNNI kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_avx512vnni(Kernels *table)
{
    table->winograd = false; /* the dot products of bytes do as much at once */
    table->conv_u8 = conv_u8_avx512vnni;
    table->corr_s8 = corr_s8_avx512vnni;
}
