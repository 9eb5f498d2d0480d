/* The caller's pictures as the networks in ONNX Runtime take and give them: planes of floats. */
#ifndef DAIN_ENGINE_ORT_PICTURES_H
#define DAIN_ENGINE_ORT_PICTURES_H

#include "dain/dain.h"

#include <stdbool.h>

/* Three planes without gaps, 1 being the peak. */
void ort_load_picture(float *to, const DainImage *p);

/* And back. Floats that a network made are clamped to 0 .. 1; those of a frame are kept. */
void ort_store_picture(const DainImage *p, const float *from, bool made);

#endif
