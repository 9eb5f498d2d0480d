/* The original network's kernels for NEON. */
#include "kernels/neon/dain_vec4.h"

#include "kernels/vector/dain_layers.h"
#include "kernels/vector/dain_project.h"
#include "kernels/vector/dain_sepconv.h"
#include "kernels/vector/dain_warp.h"

void dain_kernels_init_neon(Kernels *t)
{
    t->pwc_warp_f32 = pwc_warp_f32_neon;
    t->filter_interp_f32 = filter_interp_f32_neon;
    t->interpolation_f32 = interpolation_f32_neon;
    t->flow_splat_f32 = flow_splat_f32_neon;
    t->flow_splat_min_f32 = flow_splat_min_f32_neon;
    t->flow_mean_f32 = flow_mean_f32_neon;
    t->fill_holes_f32 = fill_holes_f32_neon;
    t->sepconv_f32 = sepconv_f32_neon;
    t->sepconv_flow_f32 = sepconv_flow_f32_neon;
    t->up4_f32 = up4_f32_neon;
    t->pool2_f32 = pool2_f32_neon;
    t->nearest2_f32 = nearest2_f32_neon;
    t->leaky_f32 = leaky_f32_neon;
    t->mix_f32 = mix_f32_neon;
    t->depth_weight_f32 = depth_weight_f32_neon;
}
