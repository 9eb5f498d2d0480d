/* The caller's pictures as planar floats: see ort_pictures.h. */
#include "engine/ort_pictures.h"

#include "engine/image.h"

#include <math.h>

void ort_load_picture(float *to, const DainImage *p)
{
    const float peak = image_peak(p);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < p->height; y++) {
            const void *const row = (const char *)p->plane[c] + y * p->stride[c];
            for (int x = 0; x < p->width; x++, to++) {
                const ptrdiff_t i = (ptrdiff_t)x * p->step;
                *to = p->sample == DAIN_SAMPLE_U8    ? ((const uint8_t *)row)[i] / peak
                      : p->sample == DAIN_SAMPLE_U16 ? ((const uint16_t *)row)[i] / peak
                                                     : ((const float *)row)[i];
            }
        }
}

void ort_store_picture(const DainImage *p, const float *from, bool made)
{
    const float peak = image_peak(p);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < p->height; y++) {
            void *const row = (char *)p->plane[c] + y * p->stride[c];
            for (int x = 0; x < p->width; x++, from++) {
                const ptrdiff_t i = (ptrdiff_t)x * p->step;
                const float v = *from > 0 ? *from < 1 ? *from : 1 : 0; /* not a number: 0 */
                if (p->sample == DAIN_SAMPLE_F32)
                    ((float *)row)[i] = made ? v : *from;
                else if (p->sample == DAIN_SAMPLE_U16)
                    ((uint16_t *)row)[i] = (uint16_t)lrintf(v * peak);
                else
                    ((uint8_t *)row)[i] = (uint8_t)lrintf(v * peak);
            }
        }
}
