/* SPDX-License-Identifier: Apache-2.0 */
/* One event loop on one thread: descriptors, timers, and a mailbox for other threads.
 *
 * Everything that belongs to a reactor (its HTTP server connections, its provider calls,
 * its timers) is touched on its thread only; other threads use reactor_post(). */
#ifndef NET_REACTOR_H
#define NET_REACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct reactor;
struct reactor_timer; /* opaque, one shot */

bool reactor_new(struct reactor **out, struct err *err);
void reactor_free(struct reactor *reactor); /* after its loop returned; accepts NULL */
/* Runs until reactor_stop(). The calling thread becomes the reactor's. */
void reactor_run(struct reactor *reactor);
void reactor_stop(struct reactor *reactor); /* any thread */
bool reactor_is_current(const struct reactor *reactor);

/* Any thread: run(arg) is called on the reactor's thread, in the order posted. */
void reactor_post(struct reactor *reactor, void (*run)(void *arg), void *arg);

/* Reactor thread: calls run(arg) once after delay_ms (monotonic). */
struct reactor_timer *reactor_timer_start(
    struct reactor *reactor, int64_t delay_ms, void (*run)(void *arg), void *arg);
void reactor_timer_cancel(
    struct reactor_timer *timer); /* before it fired; accepts NULL */

/* Reactor thread: watches a descriptor, level-triggered; `events` are EPOLLIN and
 * friends. NULL when the kernel has no room for one more. */
struct reactor_watch;
struct reactor_watch *reactor_watch_add(struct reactor *reactor, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg);
void reactor_watch_change(struct reactor_watch *watch, uint32_t events);
void reactor_watch_remove(
    struct reactor_watch *watch); /* accepts NULL; safe in a callback */

/* Called after each round of events until none of the hooks has work left: for parts that
 * keep their own queue (the HTTP server, libcurl). `run` returns true when it did
 * something. */
void reactor_hook_add(struct reactor *reactor, bool (*run)(void *arg), void *arg);
void reactor_hook_remove(struct reactor *reactor, bool (*run)(void *arg), void *arg);

#endif
