/* The three parts of a network as ONNX files in a cache: written the first time, found afterwards. */
#ifndef DAIN_ENGINE_ORT_PARTS_H
#define DAIN_ENGINE_ORT_PARTS_H

#include "base/log.h"
#include "model/onnx.h"

enum { ORT_PARTS = 3, ORT_PATH_LENGTH = 1024 };

/*
 * Exports one part of the model and gives the path of the file. Its name has a sum of its content, so
 * that a file of that name is never out of date; programs that write the same one at the same time
 * do not disturb each other. folder: NULL = $XDG_CACHE_HOME/dain, ~/.cache/dain.
 * Errors: as model_export_onnx(), and DAIN_EIO (the folder cannot be written).
 */
int ort_part_export(char path[ORT_PATH_LENGTH], const char *folder, const Model *model,
                    OnnxPart part, const OnnxSettings *settings, Report *report);

/* The file of one part that `dain export --split -o FILE` wrote: film.onnx -> film-pair.onnx. Errors:
 * DAIN_EIO (it is not there), DAIN_EINVAL (too long). */
int ort_part_named(char path[ORT_PATH_LENGTH], const char *file, OnnxPart part, Report *report);

#endif
