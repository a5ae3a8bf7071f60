/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/turns.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

/* Each who waits has a condition of his own, so that a turn wakes one thread only, the one
 * that has waited longest. */
struct waiter {
    struct waiter *next;
    pthread_cond_t mine;
    bool has_turn;
};

struct turns {
    pthread_mutex_t lock;
    unsigned left;
    size_t waiting;
    struct waiter *first, **last;
};

struct turns *turns_new(unsigned count)
{
    struct turns *turns = MEM_NEW(struct turns);

    pthread_mutex_init(&turns->lock, NULL);
    turns->left = count;
    turns->last = &turns->first;
    return turns;
}

void turns_free(struct turns *turns)
{
    if (turns == NULL)
        return;
    pthread_mutex_destroy(&turns->lock);
    free(turns);
}

void turns_take(struct turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    if (turns->left > 0) { /* nobody waits then */
        turns->left--;
    } else {
        struct waiter self = {0};

        pthread_cond_init(&self.mine, NULL);
        *turns->last = &self;
        turns->last = &self.next;
        turns->waiting++;
        while (!self.has_turn)
            pthread_cond_wait(&self.mine, &turns->lock);
        pthread_cond_destroy(&self.mine);
    }
    pthread_mutex_unlock(&turns->lock);
}

void turns_give(struct turns *turns)
{
    struct waiter *next;

    pthread_mutex_lock(&turns->lock);
    next = turns->first;
    if (next != NULL) { /* handed over, so that nobody slips in between */
        turns->first = next->next;
        if (turns->first == NULL)
            turns->last = &turns->first;
        next->has_turn = true;
        turns->waiting--;
        pthread_cond_signal(&next->mine);
    } else {
        turns->left++;
    }
    pthread_mutex_unlock(&turns->lock);
}

size_t turns_waiting(struct turns *turns)
{
    size_t waiting;

    pthread_mutex_lock(&turns->lock);
    waiting = turns->waiting;
    pthread_mutex_unlock(&turns->lock);
    return waiting;
}
