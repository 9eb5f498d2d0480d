/* A heap inside one block of memory that somebody else owns: first fit, neighbours joined. */
#ifndef DAIN_BASE_BLOCK_H
#define DAIN_BASE_BLOCK_H

#include <pthread.h>
#include <stddef.h>

typedef struct BlockChunk BlockChunk;

/*
 * The same calls in the same order place everything at the same offsets in any block that is large
 * enough, so what one run needed (peak) is enough for all that repeat it.
 *
 * Thread-safety: all functions may be called from any thread, but for block_init().
 */
typedef struct Block {
    pthread_mutex_t lock;
    BlockChunk *first;
    unsigned char *begin, *end;
    size_t peak; /* bytes from the beginning of the memory to the end of what was ever used */
    long chunks; /* in use */
    unsigned char *memory;
} Block;

/* Makes a heap of size bytes at memory, which need not be aligned; 0, or -1 if it is too small to
 * hold anything. Touches nothing but the first bytes. */
int block_init(Block *block, void *memory, size_t size);
/* size bytes at a multiple of MEM_ALIGN; NULL if no gap is large enough. */
void *block_alloc(Block *block, size_t size);
/* p came from block_alloc() of this block. */
void block_free(Block *block, void *p);
/* Does p lie in it? */
int block_holds(const Block *block, const void *p);

#endif
