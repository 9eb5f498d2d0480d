/* The ncnn networks of dain-ncnn-vulkan as tensors with the published names. */
#ifndef DAIN_MODEL_CONVERT_NCNN_H
#define DAIN_MODEL_CONVERT_NCNN_H

#include "weights/safetensors.h"

/* Tensors with memory of their own. */
typedef struct TensorList {
    WeightTensor *tensors;
    int count, capacity;
} TensorList;

void tensor_list_free(TensorList *list);

/*
 * Reads the four networks in a folder. Their layers stand in the order in which the published program
 * runs them and carry no names of ours, so every shape is compared; batch norms that were folded into
 * convolutions come out as norms that do nothing. Errors: as ncnn_open(). Free the list in any case.
 */
int convert_ncnn_folder(TensorList *list, const char *folder, Report *report);

#endif
