/* The queue between threads: order, limits, ends. */
#include "test.h"

#include "media/queue.h"

#include <pthread.h>

enum { COUNT = 20000 };

static void *produce(void *arg)
{
    Queue *const q = arg;
    for (int i = 0; i < COUNT; i++)
        if (!queue_push(q, &i, i % 7 == 0))
            return NULL;
    queue_end(q);
    return NULL;
}

static void keeps_order(void)
{
    static const int limit[2] = { 3, 2 };
    Queue *const q = queue_create(sizeof(int), limit);
    pthread_t thread;
    if (!CHECK(q != NULL) || !CHECK_INT(pthread_create(&thread, NULL, produce, q), 0))
        return;
    int value, next = 0;
    while (queue_pop(q, &value))
        if (!CHECK_INT(value, next++))
            break;
    CHECK_INT(next, COUNT);
    pthread_join(thread, NULL);
    queue_destroy(q);
}

static void *push_third(void *arg)
{
    const int value = 3;
    return queue_push(arg, &value, 0) ? arg : NULL;
}

static void waits_when_full(void)
{
    static const int limit[2] = { 2, 1 };
    Queue *const q = queue_create(sizeof(int), limit);
    int value = 1;
    CHECK(queue_push(q, &value, 0));
    value = 2;
    CHECK(queue_push(q, &value, 0));
    value = 9;
    CHECK(queue_push(q, &value, 1)); /* the other kind has its own room */
    pthread_t thread;
    void *pushed;
    pthread_create(&thread, NULL, push_third, q);
    CHECK(queue_pop(q, &value) && value == 1);
    pthread_join(thread, &pushed); /* room has been made */
    CHECK(pushed != NULL);
    CHECK(queue_pop(q, &value) && value == 2);
    CHECK(queue_pop(q, &value) && value == 9);
    CHECK(queue_pop(q, &value) && value == 3);
    queue_end(q);
    CHECK(!queue_pop(q, &value));
    CHECK(!queue_push(q, &value, 0));
    queue_destroy(q);
}

static void abort_wakes(void)
{
    static const int limit[2] = { 1, 1 };
    Queue *const q = queue_create(sizeof(int), limit);
    int value = 5;
    CHECK(queue_push(q, &value, 0));
    pthread_t thread;
    void *pushed;
    pthread_create(&thread, NULL, push_third, q);
    queue_abort(q);
    pthread_join(thread, &pushed);
    CHECK(pushed == NULL);
    CHECK(!queue_pop(q, &value));
    CHECK(queue_drain(q, &value) && value == 5);
    CHECK(!queue_drain(q, &value));
    queue_destroy(q);
}

static const Test tests[] = {
    { "items come out in order, across threads and kinds", keeps_order },
    { "a full queue makes the pusher wait, each kind by itself", waits_when_full },
    { "abort wakes whoever waits, and leaves the rest to be drained", abort_wakes },
};
TEST_MAIN(tests)
