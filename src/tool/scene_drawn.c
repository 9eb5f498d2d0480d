/* The computed scene: waves that pan, a disc that crosses them. */
#include "tool/scene_drawn.h"

#include <math.h>
#include <stdbool.h>

void scene_draw(uint8_t *rgb, int width, int height, int n)
{
    const int radius = height / 5 + 1, cx = width / 4 + 5 * n % (width / 2 + 1), cy = height / 2;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *const p = rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);
            const int dx = x - cx, dy = y - cy;
            const bool disc = dx * dx + dy * dy < radius * radius;
            const float u = (float)(disc ? dx : x + 3 * n), v = (float)(disc ? dy : y);
            const float scale = disc ? 0.31f : 0.11f;
            const float wave = sinf(u * scale) + sinf(v * scale * 0.83f) +
                               sinf((u + v) * scale * 0.47f) + sinf((u - v) * scale * 1.7f);
            const float level = 128 + 25 * wave;
            p[0] = (uint8_t)level;
            p[1] = (uint8_t)(disc ? 255 - level : level);
            p[2] = (uint8_t)(level / 2 + 60);
        }
}

DainImage scene_image(uint8_t *rgb, int width, int height)
{
    DainImage image = { .width = width, .height = height, .sample = DAIN_SAMPLE_U8, .step = 3 };
    for (int i = 0; i < 3; i++) {
        image.plane[i] = rgb + i;
        image.stride[i] = 3 * (ptrdiff_t)width;
    }
    return image;
}
