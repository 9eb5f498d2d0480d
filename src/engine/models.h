/*
 * Models by name. NAME means NAME.safetensors in the first of these folders that has it:
 * $DAIN_MODEL_PATH (several, separated by colons), $XDG_DATA_HOME/dain (or ~/.local/share/dain), the
 * installed models, those of the build folder.
 */
#ifndef DAIN_ENGINE_MODELS_H
#define DAIN_ENGINE_MODELS_H

#include <stddef.h>

/* Path of the model that `name` means: name itself if it has a slash or is there as a file, else found in
 * the folders and written to buf. NULL if there is none of that name. */
const char *models_find(const char *name, char *buf, size_t size);

enum { MODELS_MOST = 64 };

typedef struct ModelPlace {
    char name[64], path[1024];
} ModelPlace;

/* All that models_find() would find by name, in the order of the folders; at most MODELS_MOST.
 * Number of them. */
int models_list(ModelPlace *list);

#endif
