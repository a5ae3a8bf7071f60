/* SPDX-License-Identifier: Apache-2.0 */
/* Turns at the processors: how many scripts may begin to compute at a time.
 *
 * Scripts mostly wait for providers, so many more may run than there are processors. When
 * many begin at once, though, the kernel shares the processors among all their processes,
 * and each takes as long as all of them together. With turns they begin in the order in
 * which they came, on the few processes that are warm. A turn ends at the script's first
 * call, at its end, or after TURN_MAX_MS, whichever is first: one that computes on is the
 * kernel's affair, and holds up nobody who waits here. */
#ifndef SCRIPTS_TURNS_H
#define SCRIPTS_TURNS_H

#include <stddef.h>

#define TURN_MAX_MS 10

struct turns;

struct turns *turns_new(unsigned count);
/* Nobody may have one, or wait for one. Accepts NULL. */
void turns_free(struct turns *turns);

/* Waits for a turn; first come, first served. Both from any thread. */
void turns_take(struct turns *turns);
void turns_give(struct turns *turns);
/* How many wait. */
size_t turns_waiting(struct turns *turns);

#endif
