/* Thread pool: workers made once, asleep between jobs, taking bands of a job by an atomic counter.
 *
 * A worker takes part in a job only if it joins it under the lock while the job is open. The caller
 * closes the job when no band is left and then waits for those that joined: a worker that wakes too
 * late misses the job and delays nobody, and none can touch the counter of the next job by mistake.
 */
#include "base/pool.h"

#include "base/cpu.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    /* How long a thread polls before it sleeps, once, after a job that it took part in. The gap
     * between two operators of a network is shorter than this; waking a sleeper takes longer. */
    SPIN_NANOSECONDS = 10000,
    SPIN_POLLS_PER_CLOCK = 16,
    CACHE_LINE = 64
};

typedef struct Worker {
    Pool *pool;
    pthread_t thread;
    int index;
} Worker;

struct Pool {
    int threads;
    int started; /* entries of workers that run */
    int spin;    /* polling pays only if every thread has a processor to itself */
    Worker *workers;

    pthread_mutex_t lock;
    pthread_cond_t work;     /* a job was opened, or stop */
    pthread_cond_t finished; /* the last of those that joined has left */
    /* Under the lock; opened is also polled without it. */
    atomic_uint opened; /* jobs opened so far */
    int open;           /* the last of them may be joined */
    int asleep;         /* workers in pthread_cond_wait */
    atomic_int stop;
    PoolFn fn;
    void *arg;
    int count;

    _Alignas(CACHE_LINE) atomic_int next;   /* band that is taken next */
    _Alignas(CACHE_LINE) atomic_int joined; /* workers inside the job */
};

/* For calls that fail only if the pool itself was overwritten: going on would return frames that
 * nobody computed. */
static void must(int error, const char *call)
{
    if (error == 0)
        return;
    fprintf(stderr, "dain: %s failed with error %d\n", call, error);
    abort();
}

static void lock(Pool *pool)
{
    must(pthread_mutex_lock(&pool->lock), "pthread_mutex_lock");
}

static void unlock(Pool *pool)
{
    must(pthread_mutex_unlock(&pool->lock), "pthread_mutex_unlock");
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return INT64_MAX; /* ends any polling at once */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Polls for a job after number seen, or for the end. Says nothing: the caller looks again under
 * the lock. */
static void poll_for_work(Pool *pool, unsigned seen)
{
    const int64_t start = nanoseconds();
    do {
        for (int i = 0; i < SPIN_POLLS_PER_CLOCK; i++) {
            if (atomic_load_explicit(&pool->opened, memory_order_relaxed) != seen ||
                atomic_load_explicit(&pool->stop, memory_order_relaxed))
                return;
            relax();
        }
    } while (nanoseconds() - start < SPIN_NANOSECONDS);
}

static void poll_for_end(Pool *pool)
{
    const int64_t start = nanoseconds();
    do {
        for (int i = 0; i < SPIN_POLLS_PER_CLOCK; i++) {
            if (atomic_load_explicit(&pool->joined, memory_order_relaxed) == 0)
                return;
            relax();
        }
    } while (nanoseconds() - start < SPIN_NANOSECONDS);
}

static void take_bands(Pool *pool, PoolFn fn, void *arg, int count, int worker)
{
    for (;;) {
        const int band = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (band >= count)
            return;
        fn(arg, band, worker);
    }
}

static void *worker_main(void *opaque)
{
    Worker *worker = opaque;
    Pool *pool = worker->pool;
    unsigned seen = 0;
    lock(pool);
    for (;;) {
        while (!pool->stop && (!pool->open || pool->opened == seen)) {
            pool->asleep++;
            must(pthread_cond_wait(&pool->work, &pool->lock), "pthread_cond_wait");
            pool->asleep--;
        }
        if (pool->stop)
            break;
        seen = pool->opened;
        const PoolFn fn = pool->fn;
        void *const arg = pool->arg;
        const int count = pool->count;
        atomic_fetch_add(&pool->joined, 1);
        unlock(pool);

        take_bands(pool, fn, arg, count, worker->index);
        if (atomic_fetch_sub(&pool->joined, 1) == 1) {
            lock(pool);
            must(pthread_cond_signal(&pool->finished), "pthread_cond_signal");
            unlock(pool);
        }
        if (pool->spin)
            poll_for_work(pool, seen);
        lock(pool);
    }
    unlock(pool);
    return NULL;
}

/* What workers block: handlers belong to the program's own threads. But a fault comes to the thread that
 * makes it, and kills the process past any handler where it is blocked. */
static void blocked_signals(sigset_t *set)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
    sigfillset(set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(set, faults[i]);
}

/* Threads inherit the signals that are blocked where they are made. 0 or an errno. */
static int start_workers(Pool *pool)
{
    sigset_t blocked, before;
    blocked_signals(&blocked);
    int error = pthread_sigmask(SIG_SETMASK, &blocked, &before);
    if (error)
        return error;
    for (int i = 1; i < pool->threads && !error; i++) {
        Worker *worker = &pool->workers[pool->started];
        worker->pool = pool;
        worker->index = i;
        error = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (!error)
            pool->started++;
    }
    must(pthread_sigmask(SIG_SETMASK, &before, NULL), "pthread_sigmask");
    return error;
}

Pool *pool_create(int threads)
{
    int error = threads < 1 ? EINVAL : ENOMEM;
    Pool *pool = threads < 1 ? NULL : mem_calloc(1, sizeof(*pool));
    if (!pool)
        goto fail;
    pool->threads = threads;
    pool->spin = threads <= cpu_count();
    pool->workers = mem_calloc((size_t)threads, sizeof(*pool->workers));
    if (!pool->workers)
        goto fail_memory;
    if ((error = pthread_mutex_init(&pool->lock, NULL)) != 0)
        goto fail_memory;
    if ((error = pthread_cond_init(&pool->work, NULL)) != 0)
        goto fail_lock;
    if ((error = pthread_cond_init(&pool->finished, NULL)) != 0)
        goto fail_work;
    if ((error = start_workers(pool)) != 0) {
        pool_destroy(pool);
        goto fail;
    }
    return pool;

fail_work:
    pthread_cond_destroy(&pool->work);
fail_lock:
    pthread_mutex_destroy(&pool->lock);
fail_memory:
    mem_free(pool->workers);
    mem_free(pool);
fail:
    errno = error;
    return NULL;
}

void pool_destroy(Pool *pool)
{
    if (!pool)
        return;
    lock(pool);
    atomic_store(&pool->stop, 1);
    must(pthread_cond_broadcast(&pool->work), "pthread_cond_broadcast");
    unlock(pool);
    for (int i = 0; i < pool->started; i++)
        must(pthread_join(pool->workers[i].thread, NULL), "pthread_join");
    must(pthread_cond_destroy(&pool->finished), "pthread_cond_destroy");
    must(pthread_cond_destroy(&pool->work), "pthread_cond_destroy");
    must(pthread_mutex_destroy(&pool->lock), "pthread_mutex_destroy");
    mem_free(pool->workers);
    mem_free(pool);
}

int pool_threads(const Pool *pool)
{
    return pool->threads;
}

void pool_run(Pool *pool, PoolFn fn, void *arg, int count)
{
    if (pool->threads == 1 || count <= 1) {
        for (int band = 0; band < count; band++)
            fn(arg, band, 0);
        return;
    }

    lock(pool);
    pool->fn = fn;
    pool->arg = arg;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->open = 1;
    atomic_fetch_add(&pool->opened, 1);
    const int wanted = count - 1 < pool->asleep ? count - 1 : pool->asleep;
    for (int i = 0; i < wanted; i++)
        must(pthread_cond_signal(&pool->work), "pthread_cond_signal");
    unlock(pool);

    take_bands(pool, fn, arg, count, 0);

    lock(pool);
    pool->open = 0;
    unlock(pool);
    if (pool->spin)
        poll_for_end(pool);
    lock(pool);
    while (atomic_load(&pool->joined) > 0)
        must(pthread_cond_wait(&pool->finished, &pool->lock), "pthread_cond_wait");
    unlock(pool);
}
