/* A heap inside one block of memory that somebody else owns: first fit, neighbours joined. */
#include "base/block.h"

#include "base/mem.h"

#include <stdint.h>

/* In front of each piece, used or free; pieces follow each other without gaps. The library makes a
 * few hundred allocations when it opens and none while it works, so a walk from the front is
 * cheap. */
struct BlockChunk {
    BlockChunk *next, *before;
    size_t size; /* of the memory behind this header, a multiple of MEM_ALIGN */
    int used;
};

enum { HEADER = MEM_ALIGN };
_Static_assert(sizeof(BlockChunk) <= HEADER, "the header of a piece keeps the alignment");

static unsigned char *chunk_memory(BlockChunk *c)
{
    return (unsigned char *)c + HEADER;
}

int block_init(Block *block, void *memory, size_t size)
{
    const uintptr_t start = (uintptr_t)memory;
    const size_t skip = (size_t)(-start & (MEM_ALIGN - 1));
    if (!memory || size < skip || size - skip < 2 * HEADER)
        return -1;
    const size_t whole = (size - skip) / MEM_ALIGN * MEM_ALIGN;
    BlockChunk *first = (BlockChunk *)((unsigned char *)memory + skip);
    *first = (BlockChunk){ .size = whole - HEADER };
    *block = (Block){ .lock = PTHREAD_MUTEX_INITIALIZER,
                      .first = first,
                      .begin = (unsigned char *)first,
                      .end = (unsigned char *)first + whole,
                      .memory = memory };
    return 0;
}

/* Cuts a free piece after size bytes, if a piece fits behind. */
static void split(BlockChunk *c, size_t size)
{
    if (c->size - size < 2 * HEADER)
        return;
    BlockChunk *rest = (BlockChunk *)(chunk_memory(c) + size);
    *rest = (BlockChunk){ .next = c->next, .before = c, .size = c->size - size - HEADER };
    if (rest->next)
        rest->next->before = rest;
    c->next = rest;
    c->size = size;
}

void *block_alloc(Block *block, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size = size ? (size + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN : MEM_ALIGN;
    pthread_mutex_lock(&block->lock);
    BlockChunk *c = block->first;
    while (c && (c->used || c->size < size))
        c = c->next;
    if (c) {
        split(c, size);
        c->used = 1;
        block->chunks++;
        const size_t end = (size_t)(chunk_memory(c) + size - block->memory);
        block->peak = end > block->peak ? end : block->peak;
    }
    pthread_mutex_unlock(&block->lock);
    return c ? chunk_memory(c) : NULL;
}

/* Joins a free piece with the one behind it if that is free too. */
static void join(BlockChunk *c)
{
    BlockChunk *next = c->next;
    if (!next || next->used)
        return;
    c->size += HEADER + next->size;
    c->next = next->next;
    if (c->next)
        c->next->before = c;
}

void block_free(Block *block, void *p)
{
    BlockChunk *c = (BlockChunk *)((unsigned char *)p - HEADER);
    pthread_mutex_lock(&block->lock);
    c->used = 0;
    block->chunks--;
    join(c);
    if (c->before && !c->before->used)
        join(c->before);
    pthread_mutex_unlock(&block->lock);
}

int block_holds(const Block *block, const void *p)
{
    return (uintptr_t)p >= (uintptr_t)block->begin && (uintptr_t)p < (uintptr_t)block->end;
}
