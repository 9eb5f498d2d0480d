/* Enters the AVX2 kernels into the table. */
#include "kernels/kernels.h"

void kernels_init_avx2(Kernels *table)
{
#ifndef DAIN_SMALL
    dain_kernels_init_avx2(table);
#endif
    table->conv_f32 = conv_f32_avx2;
    table->up2_f32 = up2_f32_avx2;
    table->normalise_f32 = normalise_f32_avx2;
    table->corr_f32 = corr_f32_avx2;
    table->warp_bilinear_f32 = warp_bilinear_f32_avx2;
    table->peak_f32 = peak_f32_avx2;
    table->clamp_add_f32 = clamp_add_f32_avx2;
    table->splat_weights_f32 = splat_weights_f32_avx2;
    table->splat_f32 = splat_f32_avx2;
    table->project_merge_f32 = project_merge_f32_avx2;
    table->luma_half_f32 = luma_half_f32_avx2;
    table->lk_polish_f32 = lk_polish_f32_avx2;
    table->awarp_f32 = awarp_f32_avx2;
    table->shuffle2_f32 = shuffle2_f32_avx2;
    table->sigmoid_f32 = sigmoid_f32_avx2;
    table->blend_f32 = blend_f32_avx2;
    table->image_load_f32 = image_load_f32_avx2;
    table->image_store_f32 = image_store_f32_avx2;
    table->scale_f32 = scale_f32_avx2;
    table->shift_rgb_f32 = shift_rgb_f32_avx2;
    table->conv_u8 = conv_u8_avx2;
    table->conv_bf16 = conv_bf16_avx2;
    table->normalise_u8_s8 = normalise_u8_s8_avx2;
    table->corr_s8 = corr_s8_avx2;
    table->quantise_f32_u8 = quantise_f32_u8_avx2;
    table->dequantise_u8_f32 = dequantise_u8_f32_avx2;
    table->f32_to_bf16 = f32_to_bf16_avx2;
    table->bf16_to_f32 = bf16_to_f32_avx2;
    table->warp_bilinear_u8 = warp_bilinear_u8_avx2;
    table->warp_bilinear_bf16 = warp_bilinear_bf16_avx2;
    table->up2_u8 = up2_u8_avx2;
    table->up2_bf16 = up2_bf16_avx2;
}
