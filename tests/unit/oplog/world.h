/* SPDX-License-Identifier: Apache-2.0 */
/* Logs in a directory of their own, with a clock that the test moves. */
#ifndef TESTS_UNIT_OPLOG_WORLD_H
#define TESTS_UNIT_OPLOG_WORLD_H

#include <sqlite3.h>

#include "oplog/read.h"

#define MINUTE_MS ((int64_t)60000)
#define DAY_MS ((int64_t)86400000)
#define WAIT_MS 20000 /* for what is bound to happen */

struct world {
    char dir[64];
    struct clock clock;
    struct log server_log; /* to nowhere */
    struct oplog_config config;
    struct oplog *log;
    sqlite3 *holder; /* another process's connection */
};

/* So many milliseconds pass; the writer may be looking at the clock. */
void world_pass(struct world *w, int64_t ms);
void world_make(struct world *w);    /* not started */
void world_start(struct world *w);   /* asserts that it can */
void world_restart(struct world *w); /* stop and start */
void world_finish(struct world *w);
char *world_path(const struct world *w, const char *file); /* free() */
/* Runs SQL on the file from outside. */
void world_sql(struct world *w, const char *sql);
int64_t world_number(struct world *w, const char *sql); /* of the first row */
/* Locks the file as another process would, and lets go of it. */
void world_hold(struct world *w);
void world_let_go(struct world *w);
void world_flush(struct world *w);
void world_sweep(struct world *w);

/* Of environment 1. */
struct oplog_op world_begin(struct world *w, const char *script);
void world_call(struct world *w, int64_t environment_id, const char *url, int status);
/* All that the filter lets pass; the caller frees. */
struct oplog_row **world_list(
    struct world *w, const struct oplog_filter *filter, size_t *count);
size_t world_count(struct world *w, int64_t environment_id);
struct oplog_row *world_find(struct world *w, int64_t id); /* asserts that it is there */
struct oplog_message **world_messages(
    struct world *w, const struct oplog_op *op, size_t *count);

#endif
