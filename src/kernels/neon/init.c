/* Enters the NEON kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_neon(Kernels *table)
{
    table->conv_f32 = conv_f32_neon;
    table->up2_f32 = up2_f32_neon;
    table->normalise_f32 = normalise_f32_neon;
    table->corr_f32 = corr_f32_neon;
    table->warp_bilinear_f32 = warp_bilinear_f32_neon;
    table->peak_f32 = peak_f32_neon;
    table->clamp_add_f32 = clamp_add_f32_neon;
    table->splat_weights_f32 = splat_weights_f32_neon;
    table->splat_f32 = splat_f32_neon;
    table->project_merge_f32 = project_merge_f32_neon;
    table->luma_half_f32 = luma_half_f32_neon;
    table->lk_polish_f32 = lk_polish_f32_neon;
    table->awarp_f32 = awarp_f32_neon;
    table->shuffle2_f32 = shuffle2_f32_neon;
    table->sigmoid_f32 = sigmoid_f32_neon;
    table->scale_f32 = scale_f32_neon;
    table->conv_u8 = conv_u8_neon;
}
