/* Enters the kernels of one width of vectors into the table. */
#include "kernels/kernels.h"
#include "kernels/vector/vec.h"

void KERNEL(kernels_init)(Kernels *table)
{
#define ENTER(name, args) table->name = KERNEL(name);
    DAIN_VECTOR_KERNELS(ENTER)
    DAIN_VECTOR_KERNELS_QUANT(ENTER)
#ifndef DAIN_SMALL
    DAIN_ORIGINAL_KERNELS(ENTER)
#endif
#undef ENTER
#if defined(__x86_64__) && !defined(DAIN_SMALL)
    table->conv_u8_winograd = KERNEL(conv_u8_winograd);
    table->winograd = true;
#endif
}
