/* Memory: aligned allocation, counted, with an injected failure for tests. */
#include "base/mem.h"

#include "base/block.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Blocks from LARGE bytes on begin at a multiple of HUGE_PAGE and ask for huge pages: a network walks
 * through tens of megabytes for each frame, which is thousands of small pages. */
enum { HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

static atomic_long attempts; /* allocations asked for, failed ones included */
static atomic_long live;     /* blocks not yet freed */
static atomic_long fail_at;  /* number of the attempt that fails, 0 = none */
static Block given;          /* memory of the caller's */
static int use_given;
static _Thread_local Block *trial; /* of this thread, instead of the above */
static _Thread_local size_t trial_size;

void mem_fail_at(long n)
{
    atomic_store(&fail_at, n > 0 ? atomic_load(&attempts) + n : 0);
}

void *mem_alloc(size_t size)
{
    if (atomic_fetch_add(&attempts, 1) + 1 == atomic_load(&fail_at))
        return NULL;
    if (size > SIZE_MAX / 4)
        return NULL;
    if (trial || use_given) {
        void *piece = block_alloc(trial ? trial : &given, size);
        if (piece)
            atomic_fetch_add(&live, 1);
        return piece;
    }
    /* Not aligned_alloc(): its size would have to be rounded up, and a sanitizer would then miss
     * writes just past the end. */
    void *p;
    if (posix_memalign(&p, size >= LARGE ? HUGE_PAGE : MEM_ALIGN, size ? size : 1) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (size >= LARGE)
        (void)madvise(p, size, MADV_HUGEPAGE); /* a wish: it is no error if it is not granted */
#endif
    atomic_fetch_add(&live, 1);
    return p;
}

void *mem_calloc(size_t count, size_t size)
{
    const size_t total = size && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    void *p = mem_alloc(total);
    if (p)
        memset(p, 0, total);
    return p;
}

bool mem_reserve(void *list, int count, int *capacity, size_t size)
{
    enum { FIRST = 64 };
    void *old;
    if (count < *capacity)
        return true;
    if (*capacity > INT_MAX / 2)
        return false;
    const int more = *capacity ? 2 * *capacity : FIRST;
    void *const larger = mem_calloc((size_t)more, size);
    if (!larger)
        return false;
    memcpy(&old, list, sizeof old); /* whatever type of pointer it is */
    if (count)
        memcpy(larger, old, (size_t)count * size);
    mem_free(old);
    memcpy(list, &larger, sizeof larger);
    *capacity = more;
    return true;
}

char *mem_strdup(const char *s)
{
    const size_t size = strlen(s) + 1;
    char *copy = mem_alloc(size);
    if (copy)
        memcpy(copy, s, size);
    return copy;
}

void mem_free(void *p)
{
    if (!p)
        return;
    atomic_fetch_sub(&live, 1);
    if (trial && block_holds(trial, p))
        block_free(trial, p);
    else if (use_given && block_holds(&given, p))
        block_free(&given, p);
    else
        free(p);
}

int mem_use(void *memory, size_t size)
{
    if (use_given && given.chunks)
        return -2;
    if (memory && block_init(&given, memory, size))
        return -1; /* and all is as it was */
    use_given = memory != NULL;
    return 0;
}

/* Address space for a trial: more than the largest picture needs, or as much as there is. */
enum { TRIAL_MOST = sizeof(size_t) > 4 ? 38 : 30, TRIAL_LEAST = 26 }; /* powers of two */

int mem_trial_begin(void)
{
    static _Thread_local Block block;
#ifdef MAP_NORESERVE
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#else
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#endif
    void *space = MAP_FAILED;
    for (int power = TRIAL_MOST; space == MAP_FAILED && power >= TRIAL_LEAST; power--) {
        trial_size = (size_t)1 << power;
        space = mmap(NULL, trial_size, PROT_READ | PROT_WRITE, flags, -1, 0);
    }
    if (space == MAP_FAILED)
        return -1;
    block_init(&block, space, trial_size);
    trial = &block;
    return 0;
}

size_t mem_trial_end(void)
{
    const size_t peak = trial->peak;
    munmap(trial->memory, trial_size);
    trial = NULL;
    return peak;
}

long mem_count(void)
{
    return atomic_load(&attempts);
}

long mem_live(void)
{
    return atomic_load(&live);
}
