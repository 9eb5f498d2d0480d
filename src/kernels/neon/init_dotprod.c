/* Enters the NEON kernels with dot products of bytes into the table. */
#include "kernels/kernels.h"

void kernels_init_dotprod(Kernels *table)
{
    table->conv_u8 = conv_u8_dotprod;
    table->normalise_u8_s8 = normalise_u8_s8_dotprod;
    table->corr_s8 = corr_s8_dotprod;
}
