/* SPDX-License-Identifier: Apache-2.0 */
/* Time, injected. Code that asks for the time gets a `struct clock`, so that tests move
 * it.
 *
 * A clock may carry an offset that lives in a file of eight bytes (milliseconds, native
 * byte order, mapped): a test moves a running nangod through time by writing there. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct clock {
    const volatile int64_t *offset_ms; /* NULL = none */
    int64_t frozen_ms;                 /* > 0: this instant, always */
};

/* Maps `path` (which must hold 8 bytes) as the offset. */
bool clock_map_offset(struct clock *clock, const char *path, struct err *err);
int64_t clock_now_ms(const struct clock *clock); /* since 1970, UTC */
int64_t clock_now_us(const struct clock *clock);
/* Monotonic, for timers and durations; not moved by the offset. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

#define CLOCK_TEXT_SIZE 40
/* How far JavaScript's dates reach from 1970, either way (ECMA-262 section 21.4.1.1). */
#define CLOCK_MAX_MS 8.64e15
/* 2023-03-08T09:43:03.725Z */
void clock_text_z(int64_t ms, char out[CLOCK_TEXT_SIZE]);
/* 2023-03-08T09:43:03.725+00:00 */
void clock_text_offset(int64_t ms, char out[CLOCK_TEXT_SIZE]);
/* ISO 8601 as JavaScript's Date reads it: date alone (UTC), date and time with optional
 * seconds and fraction (cut to ms), `T` or space, zone Z or ±hh:mm or ±hhmm; no zone =
 * UTC. Or `Mon, 15 Jan 2024 12:36:00 GMT` (RFC 9110 section 5.6.7). */
bool clock_parse(const char *text, int64_t *ms);

#endif
