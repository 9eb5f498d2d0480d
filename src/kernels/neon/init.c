/* Enters the NEON kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_neon(Kernels *table)
{
    table->conv_f32 = conv_f32_neon;
}
