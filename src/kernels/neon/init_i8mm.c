/* Enters the NEON kernels with mixed dot products of bytes into the table. */
#include "kernels/kernels.h"

void kernels_init_i8mm(Kernels *table)
{
    table->conv_u8 = conv_u8_i8mm;
}
