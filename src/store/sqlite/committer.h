/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: see committer.c. */
#ifndef STORE_SQLITE_COMMITTER_H
#define STORE_SQLITE_COMMITTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct committer;
struct sql_conn;

/* Does the statements of one write. False undoes them and leaves other writes alone. May
 * be run a second time (when the database gave up the whole transaction), so it begins by
 * dropping what an earlier run put into `arg`. */
typedef bool write_fn(struct sql_conn *conn, void *arg, struct err *err);

/* Starts the thread, which owns `conn` from here on. */
struct committer *committer_new(struct sql_conn *conn, const struct log *log);
/* Commits what is queued, ends the thread, closes the connection. Accepts NULL. */
void committer_free(struct committer *committer);

/* Runs `fn` on the committer's thread. True: it succeeded, and its effects are on the
 * disk. */
bool committer_write(
    struct committer *committer, write_fn *fn, void *arg, struct err *err);

void committer_counts(struct committer *committer, uint64_t *commits, uint64_t *writes);

#endif
