/* SPDX-License-Identifier: Apache-2.0 */
/* Structured log: one JSON object a line on a file descriptor. It is written by whoever
 * logs, or after log_start() by a thread, so that a slow reader of the log holds up
 * nobody.
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

struct log_writer;

struct log {
    int fd;
    _Atomic enum log_level level; /* quieter events are dropped; a reload may change it */
    const struct clock *clock;
    bool text;                 /* for a person at a terminal instead of JSON */
    struct log_writer *writer; /* NULL = none: write at once */
};

/* Starts the thread. What it cannot write soon enough is lost, and the number of lines
 * lost is logged. abort() writes what waits. One log a process. */
void log_start(struct log *log);
/* Waits until all is written, but not for long when nobody reads. */
void log_flush(const struct log *log);
void log_stop(struct log *log); /* flushes; accepts a log without a thread */

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
