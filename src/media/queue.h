/* A queue between two or more threads, bounded so that memory is. */
#ifndef DAIN_MEDIA_QUEUE_H
#define DAIN_MEDIA_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Queue Queue;

/* Items of item_size bytes, copied in and out. They are of two kinds, counted apart: at most
 * limit[kind] of each wait at a time, but all come out in the order they went in. NULL if memory or
 * a lock cannot be had. */
Queue *queue_create(size_t item_size, const int limit[2]);
/* Items that are still in it are lost: take them out before. */
void queue_destroy(Queue *queue);

/* Waits while there are limit[kind] items of the kind. False if the queue was aborted; the item was
 * not taken then. */
bool queue_push(Queue *queue, const void *item, int kind);
/* Waits until there is room for an item of the kind, which an only producer then finds: so that what is
 * large is not made before. False if the queue was aborted. */
bool queue_wait_room(Queue *queue, int kind);
/* Waits for an item. False if there will be none: the queue was ended and is empty, or aborted. */
bool queue_pop(Queue *queue, void *item);
/* No more items will be pushed. */
void queue_end(Queue *queue);
/* Ends all waiting and makes push and pop fail from now on. */
void queue_abort(Queue *queue);
/* Takes an item out of an aborted queue, without waiting; false if it is empty. For cleaning up. */
bool queue_drain(Queue *queue, void *item);

#endif
