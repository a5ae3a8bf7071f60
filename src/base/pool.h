/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of threads for work that blocks. Threads are started as work arrives, up to
 * `max`, and leave after some idle seconds. Jobs start in the order they were given. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool;

/* `name`: at most 10 characters, shown as thread name. */
struct pool *pool_new(const char *name, size_t max);
/* Queues a job; false only after pool_stop(). */
bool pool_submit(struct pool *pool, void (*run)(void *arg), void *arg);
size_t pool_queued(struct pool *pool); /* waiting, not running */
/* Runs what is queued, waits for all threads, refuses new jobs. */
void pool_stop(struct pool *pool);
void pool_free(struct pool *pool); /* after pool_stop(); accepts NULL */

#endif
