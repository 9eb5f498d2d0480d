/* Enters the AVX-VNNI kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_avxvnni(Kernels *table)
{
    table->winograd = false; /* the dot products of bytes do as much at once */
    table->conv_u8 = conv_u8_avxvnni;
}
