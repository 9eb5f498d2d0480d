/* A checkpoint of the original network with defined, random values: a fixture, not a useful model. */
#ifndef DAIN_TESTS_GOLDEN_DAIN_CHECKPOINT_H
#define DAIN_TESTS_GOLDEN_DAIN_CHECKPOINT_H

#include "weights/safetensors.h"

#include <stdint.h>

typedef struct Checkpoint {
    WeightTensor *tensors; /* in the order of the published file */
    int count;
} Checkpoint;

/* SHA-256 over name and data of every float tensor by name, of the values made here. */
#define CHECKPOINT_DIGEST "693dd4017f4dff499eddad5b7fcd0b16f5d2ba1c854a4e9464fb87bb891b9d65"

/* Makes the tensors that the table (name, shape, type, count) lists. Ends the program with a message if
 * the table cannot be read or memory is short. */
Checkpoint checkpoint_make(const char *table);
void checkpoint_free(Checkpoint *checkpoint);
/* The digest, 64 hexadecimal digits and a 0. */
void checkpoint_digest(const WeightTensor *tensors, int count, char digest[65]);

#endif
