/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of threads for work that blocks. Threads are started as work arrives, up to
 * `max`, and leave after some idle seconds. Jobs start in the order they were given,
 * except that those of one share may have to wait for each other. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

/* `name`: at most 10 characters, shown as thread name. */
struct pool *pool_new(const char *name, size_t max);
/* Queues a job; false only after pool_stop(). */
bool pool_submit(struct pool *pool, void (*run)(void *arg), void *arg);
/* The same for a job that may hang, and with it all others of its kind, which `share`
 * names: of one share as many run at a time as half of the threads that the other shares
 * leave, at least one. So none takes all threads, and several that hang leave some. */
bool pool_submit_share(
    struct pool *pool, uint64_t share, void (*run)(void *arg), void *arg);
size_t pool_queued(struct pool *pool); /* waiting, not running */
/* What waits shall not be done any more: it is run at once, on this thread, and sees by
 * pool_gives_up() that all there is to do is to say so. Jobs given later see it too. */
void pool_give_up(struct pool *pool);
bool pool_gives_up(const struct pool *pool);
/* Runs what is queued, waits for all threads, refuses new jobs. */
void pool_stop(struct pool *pool);
void pool_free(struct pool *pool); /* after pool_stop(); accepts NULL */

#endif
