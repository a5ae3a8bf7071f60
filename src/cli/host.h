/* SPDX-License-Identifier: Apache-2.0 */
/* The host of scripts that nangoctl runs: one nango-runner, one run after the other. What a
 * script asks for is answered by whoever wants the run. */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_raw.h"
#include "runner/launch.h"

/* A zeroed one is a host without a process yet. */
struct host {
    char *program;
    struct runner runner;
    bool running;
};

struct host_run {
    void *arg;
    /* Appends the members of the `run` message but `t`, `id` and `limits`, each after a comma. */
    bool (*append)(void *arg, struct buf *out, struct err *err);
    /* Appends the `result` frame of a call. NULL: every call is refused. */
    void (*answer)(void *arg, struct json_raw call, struct buf *out);
    void (*log)(void *arg, struct json_raw log); /* NULL: nobody listens */
    int64_t wall_ms;
};

/* Runs to the end. Appends `{"status":"ok"` with an `output`, or `{"status":"error"` with the
 * `error`, without the closing brace. False and *err when it could not be run. */
bool host_run(
    struct host *host, const struct host_run *run, struct buf *result, struct err *err);
void host_finish(struct host *host);

/* Appends `,"NAME":"VALUE"`. */
void host_append_text(struct buf *out, const char *name, const char *value);
/* Appends a `result` frame: the value, the error unless that is empty, or nothing. */
void host_append_result(struct buf *out, struct json_raw call, const struct buf *value,
    const struct buf *error);

#endif
