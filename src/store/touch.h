/* SPDX-License-Identifier: Apache-2.0 */
/* When connections were last fetched: noted in memory, written in batches. See touch.c.
 */
#ifndef STORE_TOUCH_H
#define STORE_TOUCH_H

#include <stdint.h>

#include "base/log.h"

struct backend;
struct touches;

/* Starts the thread that writes to `backend`. */
struct touches *touches_new(struct backend *backend, const struct log *log);
/* Writes what is noted, and ends. Accepts NULL. */
void touches_free(struct touches *touches);

void touches_note(struct touches *touches, int64_t id, int64_t now_ms);
/* The latest noted time that is perhaps not written yet; 0 = none. */
int64_t touches_latest(struct touches *touches, int64_t id);

#endif
