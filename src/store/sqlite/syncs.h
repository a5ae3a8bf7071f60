/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs in SQLite: what their two files share, and what writers of scripts and connections
 * call inside their own transaction. */
#ifndef STORE_SQLITE_SYNCS_H
#define STORE_SQLITE_SYNCS_H

#include "store/sqlite/sqlite_int.h"
#include "store/syncs_int.h"

extern const struct sync_ops sqlite_sync_ops;

/* The columns that sqlite_take_sync() reads, and where they come from. */
#define SYNC_SELECT                                                                      \
    "SELECT y.id, y.uuid, y.environment, c.integration, y.connection, "                  \
    "c.connection_id, i.unique_key, y.script, s.name, y.variant, v.models, "             \
    "coalesce(y.frequency, v.runs), y.interval_ms, y.paused, y.due_at, y.runs, "         \
    "y.last_sync_at, y.created_at, coalesce(r.state = 2, 0), "                           \
    "iif(r.state = 2, r.initial, y.initial), y.started_at, y.finished_at, "              \
    "y.succeeded, y.result, c.created_at FROM sync y JOIN connection c ON c.id = "       \
    "y.connection "                                                                      \
    "JOIN integration i ON i.id = c.integration JOIN script s ON s.id = y.script "       \
    "JOIN script_version v ON v.script = s.id AND v.active = 1 "                         \
    "LEFT JOIN sync_run r ON r.sync = y.id "
struct sync_row *sqlite_take_sync(const struct sql *q);

/* After a sync script was written: base variants for connections that lack one, and the
 * script's frequency for those that have none of their own. */
bool sqlite_schedule_script(
    struct sql_conn *conn, int64_t script_id, int64_t now_ms, struct err *err);
/* After a migration from a version that knew of no syncs. */
bool sqlite_schedule_all(struct sql_conn *conn, int64_t now_ms, struct err *err);
/* After a connection was made. */
bool sqlite_schedule_connection(
    struct sql_conn *conn, int64_t connection, int64_t now_ms, struct err *err);

/* sync_runs.c */
bool sqlite_trigger_syncs(struct backend *b, const int64_t *ids, size_t count,
    enum sync_trigger how, int64_t now_ms, struct err *err);
bool sqlite_claim_sync_runs(struct backend *b, const struct sync_claim *claim,
    struct sync_run **out, size_t *count, int64_t *next_ms, struct err *err);
bool sqlite_renew_sync_runs(struct backend *b, const char *holder, int64_t lease_until_ms,
    int64_t **kept, size_t *count, struct err *err);
bool sqlite_end_sync_run(
    struct backend *b, const struct sync_end *end, bool *kept, struct err *err);
bool sqlite_free_sync_runs(struct backend *b, struct err *err);

#endif
