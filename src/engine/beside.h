/*
 * Models of the build folder: what runs where it was built finds them without the path of that folder in
 * its file, so that two builds in two places are the same bytes.
 */
#ifndef DAIN_ENGINE_BESIDE_H
#define DAIN_ENGINE_BESIDE_H

/* models/edge.safetensors beside the program or shared library that this function is in, or above it,
 * three folders at most; the string lives as long as the program. NULL if there is none, and in builds
 * with -Dsource_model=false; systems other than Linux have none. Thread-safety: any thread. */
const char *model_beside(void);

#endif
