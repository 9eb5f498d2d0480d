/* Enters the NEON kernels with dot products of bytes into the table. */
#include "kernels/kernels.h"

void kernels_init_dotprod(Kernels *table)
{
    table->conv_u8 = conv_u8_dotprod;
}
