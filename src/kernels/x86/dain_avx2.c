/* The original network's kernels for AVX2. */
#include "kernels/x86/dain_vec8.h"

#include "kernels/vector/dain_layers.h"
#include "kernels/vector/dain_project.h"
#include "kernels/vector/dain_sepconv.h"
#include "kernels/vector/dain_warp.h"

void dain_kernels_init_avx2(Kernels *t)
{
    t->pwc_warp_f32 = pwc_warp_f32_avx2;
    t->filter_interp_f32 = filter_interp_f32_avx2;
    t->interpolation_f32 = interpolation_f32_avx2;
    t->flow_splat_f32 = flow_splat_f32_avx2;
    t->flow_splat_min_f32 = flow_splat_min_f32_avx2;
    t->flow_mean_f32 = flow_mean_f32_avx2;
    t->fill_holes_f32 = fill_holes_f32_avx2;
    t->sepconv_f32 = sepconv_f32_avx2;
    t->sepconv_flow_f32 = sepconv_flow_f32_avx2;
    t->up4_f32 = up4_f32_avx2;
    t->pool2_f32 = pool2_f32_avx2;
    t->nearest2_f32 = nearest2_f32_avx2;
    t->leaky_f32 = leaky_f32_avx2;
    t->mix_f32 = mix_f32_avx2;
    t->depth_weight_f32 = depth_weight_f32_avx2;
}
