/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the SQLite store.
 *
 *   data_dir/            0700
 *     nango.db           0600, WAL; nango.db-wal and -shm take its mode
 *     nangod.lock        0600, locked by the server; holds its process id while it runs
 *
 * The lock file is emptied by an orderly close. Found with a process id in it, it says
 * that the last server died: the database is then checked before it is served from, also
 * where that is not wanted at each start.
 *
 * What can fail, each with its own words: no right to the directory, another server, a
 * damaged file, the file of another program, a schema newer than this program. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/inbound_int.h"
#include "store/sqlite/directory.h"
#include "store/sqlite/function_jobs.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/syncs.h"
#include "store/sqlite/webhooks.h"

static bool fail_errno(const char *doing, const char *path, struct err *err)
{
    return err_internal(err, "%s %s: %s", doing, path, strerror(errno));
}

/* ---- readers ---- */

struct sql_conn *sqlite_reader(struct backend *b, struct err *err)
{
    struct sqlite_store *store = sqlite_of(b);
    struct sql_conn *conn;

    pthread_mutex_lock(&store->lock);
    conn = store->idle_readers;
    if (conn != NULL)
        store->idle_readers = conn->next;
    pthread_mutex_unlock(&store->lock);
    /* As many are opened as threads read at once, and kept. */
    if (conn == NULL && !sql_connect(store->path, store->reads, &conn, err))
        return NULL;
    return conn;
}

void sqlite_reader_done(struct backend *b, struct sql_conn *conn)
{
    struct sqlite_store *store = sqlite_of(b);

    if (conn == NULL)
        return;
    assert(sqlite3_get_autocommit(conn->db) != 0);
    pthread_mutex_lock(&store->lock);
    conn->next = store->idle_readers;
    store->idle_readers = conn;
    pthread_mutex_unlock(&store->lock);
}

bool sqlite_write(struct backend *b, write_fn *fn, void *arg, struct err *err)
{
    struct sqlite_store *store = sqlite_of(b);

    if (store->committer == NULL)
        return err_internal(err, "the store is open for reading only");
    if (!committer_write(store->committer, fn, arg, err))
        return false;
    if (store->guest_fd >= 0) /* durable: from here on nobody may show what was before */
        atomic_fetch_add_explicit(store->changes, 1, memory_order_release);
    return true;
}

int64_t sqlite_now_ms(struct backend *b)
{
    return clock_now_ms(sqlite_of(b)->clock);
}

/* ---- checks ---- */

/* `pragma` answers with one row "ok", or with what is wrong. */
static bool check_references(struct sql_conn *conn, struct err *err)
{
    struct sql q = sql_begin_once(conn, "PRAGMA foreign_key_check");
    enum sql_result step = sql_step(&q, err);
    char table[100] = "";

    if (step == SQL_ROW)
        sql_take_fixed(&q, 0, table, sizeof table);
    sql_end(&q);
    if (step == SQL_ROW)
        err_internal(err,
            "store: the database file is damaged (a row of `%s` refers to none)", table);
    return step == SQL_DONE;
}

bool sqlite_check_all(struct sql_conn *conn, struct err *err)
{
    return sql_check(conn, "PRAGMA integrity_check(1)", err) &&
           check_references(conn, err);
}

static bool check(struct backend *b, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok = conn != NULL && sqlite_check_all(conn, err);

    sqlite_reader_done(b, conn);
    return ok;
}

static bool is_ready(struct backend *b)
{
    struct sql_conn *conn = sqlite_reader(b, NULL);
    bool ready = false;

    if (conn != NULL) {
        struct sql q = sql_begin(conn, "SELECT count(*) FROM key_ring");

        ready = sql_step(&q, NULL) == SQL_ROW;
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return ready;
}

static void stats(const struct backend *b, struct store_stats *out)
{
    const struct sqlite_store *store = (const struct sqlite_store *)b;

    if (store->committer != NULL)
        committer_counts(store->committer, &out->commits, &out->writes);
}

/* ---- opening and closing ---- */

/* Does the opener have the key of what is in the database? Every version of the schema
 * keeps the ring in the same table. */
static bool ask_for_keys(
    const struct store_config *config, struct sql_conn *conn, struct err *err)
{
    struct store_key *keys = NULL;
    size_t count = 0;
    int version;
    bool ok;

    if (!sqlite_schema_version(conn->db, &store_schema, &version, err))
        return false;
    if (version == 0 || config->accept_keys == NULL)
        return true;
    if (!sqlite_read_keys(conn, &keys, &count, err))
        return false;
    ok = config->accept_keys(config->accept_keys_arg, keys, count, err);
    store_keys_free(keys, count);
    return ok;
}

/* The first version that has schedules: what was deployed before gets its own, also when
 * the server died on the way there. */
#define VERSION_OF_SYNCS 10

static bool migrate(
    struct sqlite_store *store, struct sql_conn *conn, bool unclean, struct err *err)
{
    int version;

    if (!sqlite_schema_version(conn->db, &store_schema, &version, err) ||
        !sqlite_migrate(conn->db, &store_schema, true, store->log, err))
        return false;
    return (version >= VERSION_OF_SYNCS && !unclean) ||
           sqlite_schedule_all(conn, clock_now_ms(store->clock), err);
}

/* The directory's server. */
static bool open_as_server(
    struct sqlite_store *store, const struct store_config *config, struct err *err)
{
    struct sql_conn *conn = NULL;
    bool unclean = false;

    if (config->existing && access(store->path, F_OK) != 0)
        return fail_errno("opening", store->path, err);
    if (!directory_make(store->dir, err) ||
        !directory_lock(store->dir, &store->lock_fd, &unclean, err))
        return false;
    if (!sqlite_finish_restore(store->dir, store->log, err) ||
        !sql_make_file(store->path, err) ||
        !sql_connect(store->path, SQL_WRITES, &conn, err) ||
        !sql_execute(conn, "PRAGMA page_size = 8192", err) || !sql_set_wal(conn, err))
        goto fail;
    if (unclean)
        log_event(store->log, LOG_WARN, "the last server did not stop in order: checking",
            LOG_END);
    if ((unclean || !config->check_after_crash_only) &&
        !sql_check(conn, "PRAGMA quick_check(1)", err))
        goto fail;
    if (!ask_for_keys(config, conn, err) || !migrate(store, conn, unclean, err) ||
        !directory_sync(store->dir, err))
        goto fail;
    /* The directory has one server: whoever held these leases is dead. One that stopped
     * in order gave back what it could; the rest would only keep the journal unread. */
    if (!sql_execute(conn,
            unclean ? "UPDATE connection SET lease_holder = NULL, lease_until = 0 "
                      "WHERE lease_holder IS NOT NULL"
                    : "UPDATE connection SET lease_holder = NULL, lease_until = 0 "
                      "WHERE id IN (SELECT connection FROM refresh_journal)",
            err))
        goto fail;
    if (!directory_map_changes(store->dir, &store->changes, err))
        goto fail;
    store->head.others = store->changes;
    store->committer = committer_new(conn, store->log);
    return true;

fail:
    sql_disconnect(conn);
    return false;
}

/* A tool's way in: the file must be there, with this program's schema. */
static bool open_as_guest(struct sqlite_store *store, bool read_only, struct err *err)
{
    struct sql_conn *conn = NULL;

    if (access(store->path, F_OK) != 0)
        return fail_errno("opening", store->path, err);
    if (!directory_enter(store->dir, false, &store->guest_fd, err) ||
        !sqlite_refuse_half_restored(store->dir, err) ||
        !sql_connect(store->path, read_only ? SQL_READ_ONLY : SQL_WRITES, &conn, err))
        return false;
    if (!sqlite_migrate(conn->db, &store_schema, false, store->log, err) ||
        (!read_only && !directory_map_changes(store->dir, &store->changes, err))) {
        sql_disconnect(conn);
        return false;
    }
    if (read_only)
        sqlite_reader_done(&store->head, conn);
    else
        store->committer = committer_new(conn, store->log);
    return true;
}

static void close_readers(struct sqlite_store *store)
{
    while (store->idle_readers != NULL) {
        struct sql_conn *conn = store->idle_readers;

        store->idle_readers = conn->next;
        sql_disconnect(conn);
    }
}

static void finish(struct sqlite_store *store)
{
    close_readers(store);
    committer_free(
        store->committer); /* the last connection: moves the log into the file */
    if (store->guest_fd >= 0)
        (void)close(store->guest_fd); /* after the last connection */
    directory_unmap_changes(store->changes);
    pthread_mutex_destroy(&store->lock);
    free(store->dir);
    free(store->path);
    free(store);
}

static void close_store(struct backend *b)
{
    struct sqlite_store *store = sqlite_of(b);
    const struct log *log = store->log;
    int lock_fd = store->lock_fd;

    finish(store);
    if (lock_fd >= 0)
        directory_unlock(lock_fd, log);
}

static const struct store_ops ops = {
    .close = close_store,
    .check = check,
    .backup = sqlite_backup,
    .is_ready = is_ready,
    .stats = stats,
    .list_keys = sqlite_list_keys,
    .put_key = sqlite_put_key,
    .replace_keys = sqlite_replace_keys,
    .find_environment = sqlite_find_environment,
    .list_environments = sqlite_list_environments,
    .insert_environment = sqlite_insert_environment,
    .patch_environment = sqlite_patch_environment,
    .delete_environment = sqlite_delete_environment,
    .find_api_key = sqlite_find_api_key,
    .list_api_keys = sqlite_list_api_keys,
    .insert_api_key = sqlite_insert_api_key,
    .delete_api_key = sqlite_delete_api_key,
    .list_variables = sqlite_list_variables,
    .put_variable = sqlite_put_variable,
    .delete_variable = sqlite_delete_variable,
    .find_integration = sqlite_find_integration,
    .list_integrations = sqlite_list_integrations,
    .insert_integration = sqlite_insert_integration,
    .update_integration = sqlite_update_integration,
    .delete_integration = sqlite_delete_integration,
    .count_connections = sqlite_count_connections,
    .find_connection = sqlite_find_connection,
    .reload_connection = sqlite_reload_connection,
    .list_connections = sqlite_list_connections,
    .list_idle_connections = sqlite_list_idle_connections,
    .put_connection = sqlite_put_connection,
    .patch_connection = sqlite_patch_connection,
    .delete_connection = sqlite_delete_connection,
    .drop_held_connections = sqlite_drop_held_connections,
    .set_metadata = sqlite_set_metadata,
    .touch_connections = sqlite_touch_connections,
    .take_refresh_lease = sqlite_take_refresh_lease,
    .release_refresh_lease = sqlite_release_refresh_lease,
    .put_refresh_journal = sqlite_put_refresh_journal,
    .list_refresh_journal = sqlite_list_refresh_journal,
    .delete_refresh_journal = sqlite_delete_refresh_journal,
    .publish_credentials = sqlite_publish_credentials,
    .note_refresh_failure = sqlite_note_refresh_failure,
    .insert_connect_session = sqlite_insert_connect_session,
    .find_connect_session = sqlite_find_connect_session,
    .delete_connect_session = sqlite_delete_connect_session,
    .insert_oauth_state = sqlite_insert_oauth_state,
    .find_oauth_state = sqlite_find_oauth_state,
    .take_oauth_state = sqlite_take_oauth_state,
    .list_scripts = sqlite_list_scripts,
    .has_event_script = sqlite_has_event_script,
    .list_script_versions = sqlite_list_script_versions,
    .load_code = sqlite_load_code,
    .deploy_scripts = sqlite_deploy_scripts,
    .activate_script_version = sqlite_activate_script_version,
    .enable_script = sqlite_enable_script,
    .put_async_run = sqlite_put_async_run,
    .find_async_run = sqlite_find_async_run,
    .take_async_run = sqlite_take_async_run,
    .end_async_run = sqlite_end_async_run,
    .drop_async_run = sqlite_drop_async_run,
    .resume_async_runs = sqlite_resume_async_runs,
    .sweep_async_runs = sqlite_sweep_async_runs,
    .find_checkpoint = sqlite_find_checkpoint,
    .put_checkpoint = sqlite_put_checkpoint,
    .remove_checkpoints = sqlite_remove_checkpoints,
    .function_jobs = &sqlite_function_job_ops,
    .syncs = &sqlite_sync_ops,
    .webhooks = &sqlite_webhook_ops,
    .inbound = &sqlite_inbound_ops,
    .sweep = sqlite_sweep,
};

/* Before SQLite's first use in the process: no locks inside connections, no counting of
 * memory. Refused, without harm, when something else in the process used SQLite before.
 */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool sqlite_open(const struct store_config *config, struct backend **out, struct err *err)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    struct sqlite_store *store = MEM_NEW(struct sqlite_store);
    bool ok;

    (void)pthread_once(&configured, configure_library);
    store->head = (struct backend){.ops = &ops, .reads_are_local = true};
    store->clock = config->clock;
    store->log = config->log;
    store->dir = str_dup(config->data_dir);
    store->path = str_printf("%s/" SQLITE_DB_NAME, config->data_dir);
    store->lock_fd = -1;
    store->guest_fd = -1;
    store->reads = config->read_only ? SQL_READ_ONLY : SQL_READS;
    pthread_mutex_init(&store->lock, NULL);

    if (config->read_only || config->beside_server)
        ok = open_as_guest(store, config->read_only, err);
    else
        ok = open_as_server(store, config, err);
    if (!ok) {
        err_context(err, "%s", store->path);
        if (store->lock_fd >= 0)
            (void)close(store->lock_fd); /* with its mark: it was not an orderly end */
        finish(store);
        *out = NULL;
        return false;
    }
    *out = &store->head;
    return true;
}
