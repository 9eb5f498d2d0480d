/* Thread pool: each band once, distinct workers, many jobs, failure to start, sleep when idle. */
#include "test.h"

#include "base/mem.h"
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BANDS = 200, MAX_THREADS = 8 };

typedef struct Job {
    int hits[MAX_BANDS]; /* written by one thread each; a second writer is a data race */
    atomic_int busy[MAX_THREADS];
    atomic_int strange; /* worker out of range, or two bands with the same worker at once */
    int threads;
} Job;

static void band(void *arg, int index, int worker)
{
    Job *job = arg;
    if (worker < 0 || worker >= job->threads || atomic_fetch_add(&job->busy[worker], 1) != 0) {
        job->strange++;
        return;
    }
    job->hits[index]++;
    for (volatile int i = 0; i < index % 7 * 50; i++) {
    }
    atomic_fetch_sub(&job->busy[worker], 1);
}

static void each_band_once(void)
{
    static const int counts[] = { 0, 1, 2, 3, 5, 64, MAX_BANDS };
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        Pool *pool = pool_create(threads);
        if (!CHECK(pool != NULL))
            return;
        CHECK_INT(pool_threads(pool), threads);
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            Job job = { .threads = threads };
            pool_run(pool, band, &job, counts[i]);
            CHECK_INT(job.strange, 0);
            for (int k = 0; k < MAX_BANDS; k++)
                CHECK_INT(job.hits[k], k < counts[i]);
        }
        pool_destroy(pool);
    }
}

/* Plain memory written by one job and read by the next, on whatever thread: the pool must order
 * them. The thread sanitizer sees it if not. */
static void add_neighbour(void *arg, int index, int worker)
{
    int **buffers = arg;
    buffers[1][index] = buffers[0][(index + 1) % 16] + 1;
}

static void jobs_follow_each_other(void)
{
    enum { JOBS = 20000 };
    for (int threads = 2; threads <= 4; threads += 2) {
        int a[16] = { 0 }, b[16] = { 0 };
        Pool *pool = pool_create(threads);
        if (!CHECK(pool != NULL))
            return;
        for (int i = 0; i < JOBS; i++) {
            int *buffers[2] = { i % 2 ? b : a, i % 2 ? a : b };
            pool_run(pool, add_neighbour, buffers, 16);
        }
        for (int i = 0; i < 16; i++)
            CHECK_INT(a[i], JOBS);
        pool_destroy(pool);
    }
}

/* Bands that wait for each other. */
typedef struct Meeting {
    atomic_int present;
    int wanted;
} Meeting;

static double seconds(clockid_t clock)
{
    struct timespec t = { 0 };
    CHECK_INT(clock_gettime(clock, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void meet(void *arg, int index, int worker)
{
    Meeting *meeting = arg;
    meeting->present++;
    const double deadline = seconds(CLOCK_MONOTONIC) + 20;
    while (meeting->present < meeting->wanted && seconds(CLOCK_MONOTONIC) < deadline)
        usleep(100);
}

static void bands_run_at_once(void)
{
    Pool *pool = pool_create(3);
    if (!CHECK(pool != NULL))
        return;
    for (int i = 0; i < 20; i++) {
        Meeting meeting = { .wanted = 3 };
        const double start = seconds(CLOCK_MONOTONIC);
        pool_run(pool, meet, &meeting, 3);
        CHECK_INT(meeting.present, 3);
        if (!CHECK(seconds(CLOCK_MONOTONIC) - start < 20))
            break;
        usleep(1000); /* so that the workers are asleep at the next job */
    }
    pool_destroy(pool);
}

typedef struct Slow {
    Meeting meeting;
    atomic_int ended;
} Slow;

/* All bands have begun before any ends, and those of workers end long after the caller's. */
static void end_late(void *arg, int index, int worker)
{
    Slow *slow = arg;
    meet(&slow->meeting, index, worker);
    if (worker > 0)
        usleep(5000);
    slow->ended++;
}

static void waits_for_the_last(void)
{
    for (int threads = 2; threads <= 4; threads++) {
        Pool *pool = pool_create(threads);
        if (!CHECK(pool != NULL))
            return;
        for (int i = 0; i < 5; i++) {
            Slow slow = { .meeting.wanted = threads };
            pool_run(pool, end_late, &slow, threads);
            CHECK_INT(slow.ended, threads);
        }
        pool_destroy(pool);
    }
}

static void note_mask(void *arg, int index, int worker)
{
    sigset_t *masks = arg;
    CHECK_INT(pthread_sigmask(SIG_BLOCK, NULL, &masks[worker]), 0);
    usleep(2000);
}

static void signals_stay_away(void)
{
    sigset_t masks[2];
    memset(masks, 0, sizeof(masks));
    Pool *pool = pool_create(2);
    if (!CHECK(pool != NULL))
        return;
    for (int i = 0; i < 100 && !sigismember(&masks[1], SIGINT); i++)
        pool_run(pool, note_mask, masks, 4);
    CHECK(sigismember(&masks[1], SIGINT));
    CHECK(sigismember(&masks[1], SIGTERM));
    CHECK(!sigismember(&masks[0], SIGINT)); /* the caller's own mask is as it was */
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        CHECK(!sigismember(&masks[1], faults[i]));
    pool_destroy(pool);
}

static void leave(int signal)
{
    _exit(signal == SIGSEGV ? 42 : 1);
}

/* As soon as two bands run at once, that of the worker faults. */
static void fault_in_worker(void *arg, int index, int worker)
{
    meet(arg, index, worker);
    if (worker == 1)
        pthread_kill(pthread_self(), SIGSEGV);
}

static void faults_reach_the_handler(void)
{
    const pid_t pid = fork();
    if (!CHECK(pid >= 0))
        return;
    if (pid == 0) {
        Meeting meeting = { .wanted = 2 };
        signal(SIGSEGV, leave);
        Pool *pool = pool_create(2);
        if (pool)
            pool_run(pool, fault_in_worker, &meeting, 2);
        _exit(1);
    }
    int status = -1;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void idle_is_asleep(void)
{
    Pool *pool = pool_create(2);
    if (!CHECK(pool != NULL))
        return;
    Meeting meeting = { .wanted = 2 };
    pool_run(pool, meet, &meeting, 2);
    usleep(20000);
    const double before = seconds(CLOCK_PROCESS_CPUTIME_ID);
    usleep(200000);
    const double used = seconds(CLOCK_PROCESS_CPUTIME_ID) - before;
    if (used >= 0.02)
        test_fail(__FILE__, __LINE__, "%.3f s of processor time in 0.2 s of idleness", used);
    pool_destroy(pool);
}

static void no_threads(void)
{
    CHECK(pool_create(0) == NULL);
    CHECK(pool_create(-3) == NULL);
    pool_destroy(NULL);
}

static void no_memory(void)
{
    const long live = mem_live();
    for (int n = 1; n <= 2; n++) {
        mem_fail_at(n);
        errno = 0;
        CHECK(pool_create(3) == NULL);
        CHECK_INT(errno, ENOMEM);
        mem_fail_at(0);
        CHECK_INT(mem_live(), live);
    }
}

/* The linker sends pthread_create() of the library here (--wrap). */
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static int refuse_from; /* number of the thread that is refused, 0 = none */
static int created;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *arg)
{
    if (refuse_from && created + 1 >= refuse_from)
        return EAGAIN;
    created++;
    return __real_pthread_create(thread, attributes, start, arg);
}

static void threads_refused(void)
{
    const long live = mem_live();
    for (int first = 1; first <= 4; first++) {
        refuse_from = first;
        created = 0;
        errno = 0;
        CHECK(pool_create(5) == NULL);
        CHECK_INT(errno, EAGAIN);
        CHECK_INT(created, first - 1);
        CHECK_INT(mem_live(), live);
    }
    refuse_from = 0;
    created = 0;
    Pool *pool = pool_create(5);
    CHECK(pool != NULL);
    CHECK_INT(created, 4);
    pool_destroy(pool);
    CHECK_INT(mem_live(), live);
}

static const Test tests[] = {
    { "every band runs once and workers are distinct", each_band_once },
    { "a job sees what the job before it wrote", jobs_follow_each_other },
    { "as many bands run at once as there are threads", bands_run_at_once },
    { "a job has ended when its slowest band has", waits_for_the_last },
    { "signals are left to the program's own threads", signals_stay_away },
    { "a fault in a worker reaches the handler of the program", faults_reach_the_handler },
    { "an idle pool uses no processor time", idle_is_asleep },
    { "a pool without threads is refused", no_threads },
    { "without memory there is no pool and nothing leaks", no_memory },
    { "when a thread is refused those before it end and nothing leaks", threads_refused },
};
TEST_MAIN(tests)
