/* SPDX-License-Identifier: Apache-2.0 */
/* The store's own threads. */
#ifndef STORE_THREAD_H
#define STORE_THREAD_H

#include <pthread.h>

/* Starts a thread that no signal is delivered to. Aborts when there are no threads to be
 * had, as without memory: it happens at the start or not at all. `name`: at most 15
 * characters. */
void thread_start(
    pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg);

#endif
