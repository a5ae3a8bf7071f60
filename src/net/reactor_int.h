/* SPDX-License-Identifier: Apache-2.0 */
/* One round of a reactor by hand: for tests and fuzzers that must stay on one thread. */
#ifndef NET_REACTOR_INT_H
#define NET_REACTOR_INT_H

#include "net/reactor.h"

/* Runs what is due (mail, timers, hooks), then waits up to `wait_ms` (-1 = for ever, cut
 * short by the next timer) for events and runs their callbacks. */
void reactor_round(struct reactor *reactor, int wait_ms);
/* The calling thread becomes the reactor's. */
void reactor_adopt(struct reactor *reactor);

#endif
