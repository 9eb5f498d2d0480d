/* A bounded queue between threads. */
#include "media/queue.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>

struct Queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t item_size;
    int limit[2], waiting[2];
    int first, count, size; /* the ring */
    bool ended, aborted;
    unsigned char *kind;  /* of each place */
    unsigned char *items; /* size * item_size bytes */
};

Queue *queue_create(size_t item_size, const int limit[2])
{
    Queue *const q = mem_calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->item_size = item_size;
    q->limit[0] = limit[0];
    q->limit[1] = limit[1];
    q->size = limit[0] + limit[1];
    q->kind = mem_alloc((size_t)q->size);
    q->items = mem_calloc((size_t)q->size, item_size);
    if (!q->kind || !q->items || pthread_mutex_init(&q->lock, NULL))
        goto fail;
    if (pthread_cond_init(&q->changed, NULL)) {
        pthread_mutex_destroy(&q->lock);
        goto fail;
    }
    return q;
fail:
    mem_free(q->kind);
    mem_free(q->items);
    mem_free(q);
    return NULL;
}

void queue_destroy(Queue *q)
{
    if (!q)
        return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    mem_free(q->kind);
    mem_free(q->items);
    mem_free(q);
}

bool queue_push(Queue *q, const void *item, int kind)
{
    pthread_mutex_lock(&q->lock);
    while (q->waiting[kind] >= q->limit[kind] && !q->aborted)
        pthread_cond_wait(&q->changed, &q->lock);
    const bool taken = !q->aborted && !q->ended;
    if (taken) {
        const int place = (q->first + q->count) % q->size;
        memcpy(q->items + (size_t)place * q->item_size, item, q->item_size);
        q->kind[place] = (unsigned char)kind;
        q->waiting[kind]++;
        q->count++;
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return taken;
}

bool queue_wait_room(Queue *q, int kind)
{
    pthread_mutex_lock(&q->lock);
    while (q->waiting[kind] >= q->limit[kind] && !q->aborted && !q->ended)
        pthread_cond_wait(&q->changed, &q->lock);
    const bool room = !q->aborted && !q->ended;
    pthread_mutex_unlock(&q->lock);
    return room;
}

/* With the lock held and something in the ring. */
static void take(Queue *q, void *item)
{
    memcpy(item, q->items + (size_t)q->first * q->item_size, q->item_size);
    q->waiting[q->kind[q->first]]--;
    q->first = (q->first + 1) % q->size;
    q->count--;
    pthread_cond_broadcast(&q->changed);
}

bool queue_pop(Queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->ended && !q->aborted)
        pthread_cond_wait(&q->changed, &q->lock);
    const bool found = q->count > 0 && !q->aborted;
    if (found)
        take(q, item);
    pthread_mutex_unlock(&q->lock);
    return found;
}

bool queue_drain(Queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    const bool found = q->count > 0;
    if (found)
        take(q, item);
    pthread_mutex_unlock(&q->lock);
    return found;
}

void queue_end(Queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ended = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

void queue_abort(Queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->aborted = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}
