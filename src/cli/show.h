/* SPDX-License-Identifier: Apache-2.0 */
/* What commands show of a server: texts that are not ours, times that people write. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Control characters as \xNN: none of them reaches the terminal. */
void show_plain(const char *text);
/* `before` and the text; nothing when it is NULL. */
void show_field(const char *before, const char *text);
/* A line of JSON. */
void show_json(const cJSON *value);

/* "90s", "15m", "1h", "2d" in milliseconds; false with code `usage`. */
bool show_read_since(const char *text, int64_t *ms, struct err *err);

#endif
