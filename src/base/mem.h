/* Memory: aligned allocation with failure injection. Every allocation of the library goes through
 * here. */
#ifndef DAIN_BASE_MEM_H
#define DAIN_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

enum { MEM_ALIGN = 64 };

/* size bytes at a multiple of MEM_ALIGN, uninitialised; NULL if there is no memory or size is
 * absurd (above SIZE_MAX / 4). A size of 0 gives a valid pointer. */
void *mem_alloc(size_t size);
/* The same, zeroed, for count * size bytes; NULL on overflow of the product. */
void *mem_calloc(size_t count, size_t size);
/* Makes room for one element more in a list that has count of them, of size bytes each. list: the address of
 * the pointer to the first; *capacity: how many there is room for. Both are 0 at first. What is new is
 * zeroed. False if there is no memory; the list is as it was then. */
bool mem_reserve(void *list, int count, int *capacity, size_t size);
/* Copy of a string, NULL if there is no memory. */
char *mem_strdup(const char *s);
/* Frees what the functions above returned; NULL is allowed. */
void mem_free(void *p);

/* From now on the whole process allocates from these size bytes at memory, which stay the caller's; NULL
 * goes back to the system. 0; -1 if size is too small for anything, -2 if blocks of the memory used
 * so far are still held. The caller sees to it that nobody allocates at the same time. */
int mem_use(void *memory, size_t size);

/* A trial: until mem_trial_end(), the calling thread allocates from address space that has no memory
 * behind it before it is written to. mem_trial_end() returns the bytes that mem_use() would have needed
 * for the same calls; everything must have been freed. 0, or -1 if there is hardly any address space. Where
 * there is little (a limit, strict accounting), allocations fail at that. */
int mem_trial_begin(void);
size_t mem_trial_end(void);

/* Tests: lets the n-th allocation from now (1 = the next) fail, and no other; 0 switches it off.
 * DAIN_FAIL_ALLOC=n in the environment has the tool do it when it starts. */
void mem_fail_at(long n);
/* Allocations made so far and blocks not yet freed; for tests. */
long mem_count(void);
long mem_live(void);

#endif
