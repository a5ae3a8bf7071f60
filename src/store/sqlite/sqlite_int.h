/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store: one file, nango.db, in WAL mode. Readers take a connection from a
 * pool and see the last commit; all writes go through the committer's one connection
 * (committer.h).
 *
 *   open.c          life: files, lock, checks, the pool of readers, backup
 *   directory.c     who may use the data directory
 *   migrate.c       the schema's versions
 *   committer.c     group commit
 *   sql.c           statements
 *   <domain>.c      the ops, one file for each subject */
#ifndef STORE_SQLITE_INT_H
#define STORE_SQLITE_INT_H

#include <pthread.h>

#include "store/sqlite/committer.h"
#include "store/sqlite/directory.h"
#include "store/sqlite/sql.h"
#include "store/store_int.h"

#define SQLITE_DB_NAME "nango.db"

struct sqlite_store {
    struct backend head;
    const struct clock *clock;
    const struct log *log;
    char *dir;
    char *path;   /* of nango.db */
    int lock_fd;  /* -1 unless this is the directory's server */
    int guest_fd; /* -1 unless this is a guest in the directory */
    enum sql_use reads;
    pthread_mutex_t lock; /* of the pool */
    struct sql_conn *idle_readers;
    struct committer *committer; /* NULL when read only */
    change_count *changes;       /* of guests; NULL when read only */
};

static inline struct sqlite_store *sqlite_of(struct backend *b)
{
    return (struct sqlite_store *)b; /* `head` is its first member */
}

/* A reading connection, to be given back by the same thread. NULL, with *err set, when
 * there is none to be had. */
struct sql_conn *sqlite_reader(struct backend *b, struct err *err);
void sqlite_reader_done(struct backend *b, struct sql_conn *conn);

/* Runs `fn` inside a transaction and returns when that is durable: see committer_write().
 */
bool sqlite_write(struct backend *b, write_fn *fn, void *arg, struct err *err);
int64_t sqlite_now_ms(struct backend *b);
/* Everything that can be checked of a database: seconds for a large one. */
bool sqlite_check_all(struct sql_conn *conn, struct err *err);

/* environments.c */
bool sqlite_find_environment(struct backend *b, const struct environment_key *key,
    struct environment_row **out, struct err *err);
bool sqlite_list_environments(
    struct backend *b, struct environment_row ***out, size_t *count, struct err *err);
bool sqlite_insert_environment(struct backend *b, const struct environment_row *row,
    struct environment_row **out, struct err *err);
bool sqlite_patch_environment(struct backend *b, int64_t id,
    const struct environment_patch *patch, struct err *err);
bool sqlite_delete_environment(
    struct backend *b, int64_t id, bool *found, struct err *err);

/* keys.c: data keys, api keys, variables */
bool sqlite_read_keys(
    struct sql_conn *conn, struct store_key **out, size_t *count, struct err *err);
bool sqlite_list_keys(
    struct backend *b, struct store_key **out, size_t *count, struct err *err);
bool sqlite_put_key(
    struct backend *b, uint32_t number, const void *wrapped, size_t len, struct err *err);
bool sqlite_replace_keys(
    struct backend *b, const struct store_key *keys, size_t count, struct err *err);
bool sqlite_find_api_key(struct backend *b, const uint8_t sha256[SHA256_LEN],
    struct api_key_row **out, struct err *err);
bool sqlite_list_api_keys(struct backend *b, int64_t environment_id,
    struct api_key_row ***out, size_t *count, struct err *err);
bool sqlite_insert_api_key(struct backend *b, const struct api_key_row *row,
    struct api_key_row **out, struct err *err);
bool sqlite_delete_api_key(
    struct backend *b, int64_t environment_id, int64_t id, bool *found, struct err *err);
bool sqlite_list_variables(struct backend *b, int64_t environment_id,
    struct variable_row **out, size_t *count, struct err *err);
bool sqlite_put_variable(struct backend *b, int64_t environment_id, const char *name,
    const void *value, size_t len, struct err *err);
bool sqlite_delete_variable(struct backend *b, int64_t environment_id, const char *name,
    bool *found, struct err *err);

/* integrations.c */
bool sqlite_find_integration(struct backend *b, int64_t environment_id,
    const char *unique_key, struct integration_row **out, struct err *err);
bool sqlite_list_integrations(struct backend *b, int64_t environment_id,
    struct integration_row ***out, size_t *count, struct err *err);
bool sqlite_insert_integration(struct backend *b, const struct integration_row *row,
    struct integration_row **out, struct err *err);
bool sqlite_update_integration(struct backend *b, const struct integration_row *row,
    bool *renamed, struct integration_row **out, struct err *err);
bool sqlite_delete_integration(
    struct backend *b, int64_t id, bool *found, struct err *err);
bool sqlite_count_connections(
    struct backend *b, int64_t integration_id, size_t *out, struct err *err);

/* connection_rows.c: reading one */
bool sqlite_find_connection(struct backend *b, const struct connection_key *key,
    struct connection_row **out, struct err *err);
bool sqlite_reload_connection(
    struct backend *b, int64_t id, struct connection_row **out, struct err *err);
/* *out = NULL when there is none. */
bool sqlite_read_connection(
    struct sql_conn *conn, int64_t id, struct connection_row **out, struct err *err);

/* connection_list.c */
bool sqlite_list_idle_connections(struct backend *b, const struct idle_query *query,
    struct idle_row *out, size_t *count, struct err *err);
bool sqlite_list_connections(struct backend *b, const struct connection_filter *filter,
    struct connection_row ***out, size_t *count, struct err *err);

/* connections.c: writing */
bool sqlite_put_connection(struct backend *b, const struct connection_row *row,
    const struct put_terms *terms, struct put_effect *effect, struct connection_row **out,
    struct err *err);
bool sqlite_patch_connection(struct backend *b, int64_t id,
    const struct connection_patch *patch, struct put_effect *effect, struct err *err);
bool sqlite_delete_connection(
    struct backend *b, int64_t id, bool *found, struct err *err);
bool sqlite_drop_held_connections(struct backend *b, int64_t id, struct err *err);
bool sqlite_set_metadata(struct backend *b, const struct metadata_change *change,
    int64_t *ids, struct err *err);
bool sqlite_touch_connections(struct backend *b, const int64_t *ids,
    const int64_t *times_ms, size_t count, struct err *err);

/* refresh.c */
bool sqlite_take_refresh_lease(struct backend *b, int64_t connection_id,
    const char *holder, int64_t ttl_ms, bool *taken, struct err *err);
bool sqlite_release_refresh_lease(
    struct backend *b, int64_t connection_id, const char *holder, struct err *err);
bool sqlite_put_refresh_journal(struct backend *b, int64_t connection_id,
    const char *holder, const void *sealed, size_t len, int64_t *id, struct err *err);
bool sqlite_list_refresh_journal(struct backend *b, int64_t connection_id,
    struct refresh_journal_row **out, size_t *count, struct err *err);
bool sqlite_delete_refresh_journal(struct backend *b, int64_t id, struct err *err);
/* Inside a transaction: whatever is kept of the connection. */
bool sqlite_empty_refresh_journal(
    struct sql_conn *conn, int64_t connection_id, struct err *err);
bool sqlite_publish_credentials(struct backend *b,
    const struct credentials_update *update, struct connection_row **out,
    struct err *err);
bool sqlite_note_refresh_failure(struct backend *b, const struct refresh_failure *failure,
    bool *counted, struct connection_row **out, struct err *err);

/* sessions.c: connect sessions, OAuth states, the sweep */
bool sqlite_insert_connect_session(struct backend *b, const uint8_t token[SHA256_LEN],
    const struct connect_session_row *row, int64_t *id, struct err *err);
bool sqlite_find_connect_session(struct backend *b, const uint8_t token[SHA256_LEN],
    int64_t now_ms, struct connect_session_row **out, struct err *err);
bool sqlite_delete_connect_session(
    struct backend *b, const uint8_t token[SHA256_LEN], bool *found, struct err *err);
bool sqlite_insert_oauth_state(struct backend *b, const uint8_t state[SHA256_LEN],
    const struct oauth_state_row *row, struct err *err);
bool sqlite_find_oauth_state(struct backend *b, const uint8_t state[SHA256_LEN],
    int64_t now_ms, int64_t *environment_id, struct err *err);
bool sqlite_take_oauth_state(struct backend *b, const uint8_t state[SHA256_LEN],
    int64_t now_ms, struct oauth_state_row **out, struct err *err);
bool sqlite_sweep(
    struct backend *b, int64_t now_ms, int64_t deleted_before_ms, struct err *err);

/* code.c: what scripts run, compressed */
struct packed_code {
    uint8_t sha256[SHA256_LEN];
    size_t size;
    struct blob content;
};
bool sqlite_pack_code(const char *text, struct packed_code *out, struct err *err);
/* Inside a transaction. */
bool sqlite_put_code(
    struct sql_conn *conn, const struct packed_code *code, struct err *err);
bool sqlite_load_code(struct backend *b, const uint8_t sha256[SHA256_LEN],
    struct blob *out, struct err *err);

/* script_rows.c: reading */
bool sqlite_list_scripts(struct backend *b, const struct script_filter *filter,
    struct script_row ***out, size_t *count, size_t *total, struct err *err);
bool sqlite_has_event_script(struct backend *b, int64_t environment_id,
    int64_t integration_id, const char *event, bool *has, struct err *err);
bool sqlite_list_script_versions(struct backend *b, int64_t script_id,
    struct script_row ***out, size_t *count, struct err *err);
/* NULL when there is none. */
bool sqlite_read_script_version(
    struct sql_conn *conn, int64_t version_id, struct script_row **out, struct err *err);

/* scripts.c: writing */
bool sqlite_deploy_scripts(struct backend *b, const struct script_deploy *deploy,
    struct script_row ***made, struct err *err);
bool sqlite_activate_script_version(struct backend *b, int64_t script_id,
    int64_t version_id, bool *found, struct err *err);
bool sqlite_enable_script(
    struct backend *b, int64_t script_id, bool enabled, bool *found, struct err *err);
/* Inside a transaction. */
bool sqlite_remove_scripts_of(
    struct sql_conn *conn, int64_t integration_id, int64_t now_ms, struct err *err);
bool sqlite_sweep_scripts(
    struct sql_conn *conn, int64_t deleted_before_ms, struct err *err);

/* async_runs.c */
bool sqlite_put_async_run(
    struct backend *b, const struct async_run_row *row, struct err *err);
bool sqlite_find_async_run(struct backend *b, int64_t environment_id, const char *uuid,
    struct async_run_row **out, struct err *err);
bool sqlite_take_async_run(struct backend *b, int64_t now_ms, struct async_run_row **out,
    int64_t *next_ms, struct err *err);
bool sqlite_end_async_run(struct backend *b, int64_t id, const struct blob *outcome,
    int64_t due_at_ms, const struct webhook_puts *webhooks, struct err *err);
bool sqlite_drop_async_run(
    struct backend *b, int64_t id, const struct webhook_puts *webhooks, struct err *err);
/* The enabled scripts of the event, in the write that makes it happen. */
bool sqlite_order_event_scripts(struct sql_conn *conn, int64_t connection_id,
    int64_t integration_id, const char *event, int64_t now_ms, struct err *err);
bool sqlite_resume_async_runs(struct backend *b, struct err *err);
bool sqlite_sweep_async_runs(
    struct backend *b, int64_t finished_before_ms, struct err *err);

/* checkpoints.c */
bool sqlite_find_checkpoint(struct backend *b, int64_t connection_id, const char *key,
    struct checkpoint *out, struct err *err);
bool sqlite_put_checkpoint(struct backend *b, int64_t connection_id, const char *key,
    const char *value_json, int64_t *version, struct err *err);
bool sqlite_remove_checkpoints(
    struct backend *b, int64_t connection_id, const char *key_prefix, struct err *err);

/* backup.c */
bool sqlite_backup(struct backend *b, const char *file, struct err *err);
/* Copies a database, as one read transaction sees it, into `path`, which exists and is
 * empty: one file, without a log beside it. Not synced. */
bool sqlite_copy(sqlite3 *from, const char *path, struct err *err);

/* restore.c */
/* Brings to its end a restore that was cut short after it was decided. Under the server's
 * lock. */
bool sqlite_finish_restore(const char *dir, const struct log *log, struct err *err);
bool sqlite_refuse_half_restored(const char *dir, struct err *err);

#endif
