/* Enters the NEON kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_neon(Kernels *table)
{
#ifndef DAIN_SMALL
    dain_kernels_init_neon(table);
#endif
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
    table->blend_f32 = blend_f32_neon;
    table->image_load_f32 = image_load_f32_neon;
    table->image_store_f32 = image_store_f32_neon;
    table->scale_f32 = scale_f32_neon;
    table->shift_rgb_f32 = shift_rgb_f32_neon;
    table->conv_u8 = conv_u8_neon;
    table->conv_bf16 = conv_bf16_neon;
    table->normalise_u8_s8 = normalise_u8_s8_neon;
    table->corr_s8 = corr_s8_neon;
    table->quantise_f32_u8 = quantise_f32_u8_neon;
    table->dequantise_u8_f32 = dequantise_u8_f32_neon;
    table->f32_to_bf16 = f32_to_bf16_neon;
    table->bf16_to_f32 = bf16_to_f32_neon;
    table->warp_bilinear_u8 = warp_bilinear_u8_neon;
    table->warp_bilinear_bf16 = warp_bilinear_bf16_neon;
    table->up2_u8 = up2_u8_neon;
    table->up2_bf16 = up2_bf16_neon;
}
