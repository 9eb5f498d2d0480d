/* Thread pool: workers made once; a job is split into bands that the workers and the caller take in
 * turn. */
#ifndef DAIN_BASE_POOL_H
#define DAIN_BASE_POOL_H

typedef struct Pool Pool;

/* A band: index 0 .. count-1, worker 0 .. threads-1 (distinct among bands that run at the same
 * time; use it to pick scratch memory). */
typedef void (*PoolFn)(void *arg, int band, int worker);

/* threads >= 1, the caller of pool_run included (so threads - 1 are started). NULL with errno if memory
 * (ENOMEM) or threads (EAGAIN) cannot be had; nothing stays behind then. Workers sleep when idle (they may spin some
 * microseconds first). */
Pool *pool_create(int threads);
void pool_destroy(Pool *pool);
int pool_threads(const Pool *pool);
/* Runs fn for every band and returns when all are done. One caller at a time. Allocates nothing,
 * cannot fail. */
void pool_run(Pool *pool, PoolFn fn, void *arg, int count);

#endif
