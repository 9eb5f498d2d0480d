/* Bytes that grow: see bytes.h. */
#include "weights/bytes.h"

#include "base/mem.h"

#include <string.h>

/* Room for size more, twice what there was so that many small additions stay cheap. */
static bool grow(Bytes *b, size_t size)
{
    size_t wanted = b->capacity < SIZE_MAX / 2 ? 2 * b->capacity : b->capacity;
    if (size > SIZE_MAX - b->size)
        return false;
    if (wanted < b->size + size)
        wanted = b->size + size;
    if (wanted < 256)
        wanted = 256;
    unsigned char *const larger = mem_alloc(wanted);
    if (!larger)
        return false;
    if (b->size)
        memcpy(larger, b->data, b->size);
    mem_free(b->data);
    b->data = larger;
    b->capacity = wanted;
    return true;
}

void bytes_put(Bytes *b, const void *data, size_t size)
{
    if (b->no_memory || !size)
        return;
    if (size > b->capacity - b->size && !grow(b, size)) {
        b->no_memory = true;
        return;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

void bytes_put_number(Bytes *b, uint64_t number, int bytes)
{
    unsigned char raw[8];
    for (int i = 0; i < bytes; i++)
        raw[i] = (unsigned char)(number >> (8 * i));
    bytes_put(b, raw, (size_t)bytes);
}

void bytes_free(Bytes *b)
{
    mem_free(b->data);
    *b = (Bytes){ 0 };
}
