/* Bytes that grow, for writers of files. */
#ifndef DAIN_WEIGHTS_BYTES_H
#define DAIN_WEIGHTS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeros are an empty one. After a failed allocation additions do nothing, so that a writer asks once, at its
 * end. */
typedef struct Bytes {
    unsigned char *data;
    size_t size, capacity;
    bool no_memory;
} Bytes;

void bytes_put(Bytes *b, const void *data, size_t size);
/* The lowest `bytes` bytes of a number, at most 8, little endian. */
void bytes_put_number(Bytes *b, uint64_t number, int bytes);
/* Frees the data; empty afterwards, and no_memory is forgotten. */
void bytes_free(Bytes *b);

#endif
