/* SPDX-License-Identifier: Apache-2.0 */
/* How often a sync runs, as people write it: `every hour`, `every 30 m`, `every half day`
 * (contract runner-sdk.md section 7). */
#ifndef STORE_FREQUENCY_H
#define STORE_FREQUENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FREQUENCY_MIN_MS INT64_C(30000)                   /* 30 seconds */
#define FREQUENCY_MAX_MS (INT64_C(31) * 24 * 3600 * 1000) /* 31 days */

/* The grammar alone: what has this shape may still be too short or too long. */
bool frequency_is_shaped(const char *text);
/* 400 `sync_interval_invalid` when the text is none or stands for more than 31 days,
 * 400 `sync_interval_too_short` under 30 seconds. */
bool frequency_parse(const char *text, int64_t *interval_ms, struct err *err);

#endif
