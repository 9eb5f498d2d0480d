/* A computed scene to measure speed on. */
#ifndef DAIN_TOOL_SCENE_DRAWN_H
#define DAIN_TOOL_SCENE_DRAWN_H

#include "dain/dain.h"

/*
 * Frame number n of a scene, packed RGB24: a texture of four waves that pans by 3 pixels a frame, and in
 * front of it a disc with a finer texture that crosses the other way. Every kind of work is there:
 * motion, occlusion, detail.
 */
void scene_draw(uint8_t *rgb, int width, int height, int n);

/* A picture of the engine over packed RGB24. */
DainImage scene_image(uint8_t *rgb, int width, int height);

#endif
