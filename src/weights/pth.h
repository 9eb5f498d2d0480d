/*
 * PyTorch checkpoints (.pth, .pt): dictionaries of tensors as torch.save() writes them, in the
 * legacy form of PyTorch before 1.6 and in the zip form since. Nothing in them is executed.
 */
#ifndef DAIN_WEIGHTS_PTH_H
#define DAIN_WEIGHTS_PTH_H

#include "weights/safetensors.h"

/* Tensors of a checkpoint, sorted by name, contiguous in their order of dimensions. */
typedef struct PthFile PthFile;

/* True if the bytes begin like one of the two forms. */
int pth_is(const void *data, size_t size);
/* The same for a file; 0 for one that cannot be read. */
int pth_is_file(const char *path);

/*
 * Reads a checkpoint: a dictionary of tensors, or a dictionary with such a one under "state_dict".
 * Errors: DAIN_EIO, DAIN_ENOMEM, DAIN_EFORMAT (damaged; the sentence names the tensor and what is
 * wrong), DAIN_EUNSUPPORTED (big-endian storages, classes that are not weights). *file is NULL on
 * failure.
 */
int pth_open(PthFile **file, const char *path, Report *report);
/* The same from memory, which must outlive the file. name is used in messages. */
int pth_parse(PthFile **file, const void *data, size_t size, const char *name, Report *report);
void pth_close(PthFile **file);

int pth_count(const PthFile *file);
const WeightTensor *pth_at(const PthFile *file, int index);

/* Writes float, double, half and int64 tensors in the zip form, readable by torch.load(). Written
 * beside the target and renamed. Errors: DAIN_EIO, DAIN_ENOMEM, DAIN_EINVAL (another data type). */
int pth_write(const char *path, const WeightTensor *tensors, int count, Report *report);

#endif
