/* SPDX-License-Identifier: Apache-2.0 */
/* Structured log: one JSON object a line on a file descriptor, written by one write().
 *
 *   log_event(log, LOG_INFO, "listening", LOG_STR("address", a), LOG_INT("port", p),
 * LOG_END);
 *
 * Values must not be secrets: never pass a header, a body, a credential or a query
 * string. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
};

struct log {
    int fd;
    _Atomic enum log_level level; /* quieter events are dropped; a reload may change it */
    const struct clock *clock;
    bool text; /* for a person at a terminal instead of JSON */
};

enum log_kind {
    LOG_KIND_END,
    LOG_KIND_STR,
    LOG_KIND_INT,
    LOG_KIND_BOOL,
};

#define LOG_STR(key, value) LOG_KIND_STR, (const char *)(key), (const char *)(value)
#define LOG_INT(key, value) LOG_KIND_INT, (const char *)(key), (int64_t)(value)
#define LOG_BOOL(key, value) LOG_KIND_BOOL, (const char *)(key), (int)(value)
#define LOG_END LOG_KIND_END

/* `log` may be NULL: nothing is written. Safe from any thread. */
void log_event(const struct log *log, enum log_level level, const char *event, ...);
bool log_level_parse(const char *name, enum log_level *out);

#endif
