/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshing: lease, journal, and the two ends, publishing and failing. Each end is one
 * write: either all of it is there after a crash, or none, and then the journal still has
 * the answer. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/webhooks.h"

enum {
    ATTEMPTS_MAX = 4,
    REFUSED_FIRST = 4 /* answers */
};
#define DAY_MS INT64_C(86400000)

/* ---- lease ---- */

struct lease {
    int64_t connection_id;
    const char *holder;
    int64_t now_ms;
    int64_t ttl_ms;
    bool taken;
};

static bool take_lease(struct sql_conn *conn, void *arg, struct err *err)
{
    struct lease *work = arg;
    struct sql q = sql_begin(conn,
        "UPDATE connection SET lease_holder = ?, lease_until = ? WHERE id = ? "
        "AND deleted_at <= 0 AND (lease_holder IS NULL OR lease_holder = ? "
        "OR lease_until NOT BETWEEN ? AND ?)");

    sql_text(&q, work->holder);
    sql_i64(&q, work->now_ms + work->ttl_ms);
    sql_i64(&q, work->connection_id);
    sql_text(&q, work->holder);
    sql_i64(&q, work->now_ms + 1);
    sql_i64(&q, work->now_ms + REFRESH_LEASE_MAX_MS);
    if (!sql_run(&q, err))
        return false;
    work->taken = sql_changed(conn) > 0;
    return true;
}

bool sqlite_take_refresh_lease(struct backend *b, int64_t connection_id,
    const char *holder, int64_t ttl_ms, bool *taken, struct err *err)
{
    struct lease work = {connection_id, holder, sqlite_now_ms(b), ttl_ms, false};
    bool ok = sqlite_write(b, take_lease, &work, err);

    *taken = ok && work.taken;
    return ok;
}

static bool release_lease(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct lease *work = arg;
    struct sql q =
        sql_begin(conn, "UPDATE connection SET lease_holder = NULL, lease_until = 0 "
                        "WHERE id = ? AND lease_holder = ?");

    sql_i64(&q, work->connection_id);
    sql_text(&q, work->holder);
    return sql_run(&q, err);
}

bool sqlite_release_refresh_lease(
    struct backend *b, int64_t connection_id, const char *holder, struct err *err)
{
    struct lease work = {.connection_id = connection_id, .holder = holder};

    return sqlite_write(b, release_lease, &work, err);
}

/* ---- journal ---- */

struct journal {
    int64_t id;
    int64_t connection_id;
    const char *holder;
    const void *sealed;
    size_t len;
    int64_t now_ms;
};

static bool put_journal(struct sql_conn *conn, void *arg, struct err *err)
{
    struct journal *work = arg;
    struct sql q = sql_begin(conn,
        "INSERT INTO refresh_journal (connection, holder, answer, created_at) "
        "VALUES (?, ?, ?, ?)");

    sql_i64(&q, work->connection_id);
    sql_text(&q, work->holder);
    sql_blob(&q, work->sealed, work->len);
    sql_i64(&q, work->now_ms);
    if (!sql_run(&q, err))
        return false;
    work->id = sqlite3_last_insert_rowid(conn->db);
    return true;
}

bool sqlite_put_refresh_journal(struct backend *b, int64_t connection_id,
    const char *holder, const void *sealed, size_t len, int64_t *id, struct err *err)
{
    struct journal work = {0, connection_id, holder, sealed, len, sqlite_now_ms(b)};
    bool ok = sqlite_write(b, put_journal, &work, err);

    *id = ok ? work.id : 0;
    return ok;
}

bool sqlite_list_refresh_journal(struct backend *b, int64_t connection_id,
    struct refresh_journal_row **out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct refresh_journal_row *rows = NULL;
    int64_t now_ms = sqlite_now_ms(b);
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    *out = NULL;
    *count = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT j.id, j.connection, j.refused, j.answer, j.created_at "
            "FROM refresh_journal j JOIN connection c ON c.id = j.connection "
            "WHERE j.connection BETWEEN ? AND ? AND (c.lease_holder IS NOT j.holder "
            "OR c.lease_until NOT BETWEEN ? AND ?) ORDER BY j.connection, j.id DESC");

        sql_i64(&q, connection_id);
        sql_i64(&q, connection_id != 0 ? connection_id : INT64_MAX);
        sql_i64(&q, now_ms + 1);
        sql_i64(&q, now_ms + REFRESH_LEASE_MAX_MS);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used].id = sql_take_i64(&q, 0);
            rows[used].connection_id = sql_take_i64(&q, 1);
            rows[used].refused = sql_take_bool(&q, 2);
            rows[used].answer = sql_take_blob(&q, 3);
            rows[used++].created_at_ms = sql_take_i64(&q, 4);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_refresh_journal_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}

static bool delete_journal(struct sql_conn *conn, void *arg, struct err *err)
{
    struct sql q = sql_begin(conn, "DELETE FROM refresh_journal WHERE id = ?");

    sql_i64(&q, *(const int64_t *)arg);
    return sql_run(&q, err);
}

bool sqlite_delete_refresh_journal(struct backend *b, int64_t id, struct err *err)
{
    return sqlite_write(b, delete_journal, &id, err);
}

bool sqlite_empty_refresh_journal(
    struct sql_conn *conn, int64_t connection_id, struct err *err)
{
    struct sql q = sql_begin(conn, "DELETE FROM refresh_journal WHERE connection = ?");

    sql_i64(&q, connection_id);
    return sql_run(&q, err);
}

/* Of the refused ones, the first are kept, as the token that the later ones were asked
 * for with may have been spent for them, and this one, the latest. */
static bool refuse_journal(
    struct sql_conn *conn, int64_t id, int64_t connection_id, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE refresh_journal SET refused = 1 WHERE id = ?");

    sql_i64(&q, id);
    if (!sql_run(&q, err))
        return false;
    q = sql_begin(conn,
        "DELETE FROM refresh_journal WHERE connection = ? AND refused AND id <> ? "
        "AND id NOT IN (SELECT j.id FROM refresh_journal j WHERE j.connection = ? "
        "AND j.refused ORDER BY j.id LIMIT ?)");
    sql_i64(&q, connection_id);
    sql_i64(&q, id);
    sql_i64(&q, connection_id);
    sql_i64(&q, REFUSED_FIRST);
    return sql_run(&q, err);
}

/* ---- the two ends ---- */

#define AUTH_ERROR "auth"

/* `present` without its errors of type "auth", and with a new one when `log_id` is set.
 */
static char *errors_with(const char *present, bool add, const char *log_id)
{
    cJSON *list = json_parse(present, strlen(present), NULL);
    char *text;

    if (!cJSON_IsArray(list)) {
        cJSON_Delete(list);
        list = cJSON_CreateArray();
    }
    for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--) {
        if (str_eq(json_str(cJSON_GetArrayItem(list, i), "type"), AUTH_ERROR))
            cJSON_DeleteItemFromArray(list, i);
    }
    if (add) {
        cJSON *entry = cJSON_CreateObject();

        json_set_str(entry, "type", AUTH_ERROR);
        json_set_str(entry, "log_id", log_id);
        cJSON_AddItemToArray(list, entry);
    }
    text = json_print(list);
    cJSON_Delete(list);
    return text;
}

/* Nobody holds the lease any more; then the row as it now is. */
static bool end_refresh(struct sql_conn *conn, int64_t connection_id, const char *holder,
    struct connection_row **made, struct err *err)
{
    struct lease lease = {.connection_id = connection_id, .holder = holder};

    return release_lease(conn, &lease, err) &&
           sqlite_read_connection(conn, connection_id, made, err);
}

/* What was published makes worthless what could not be read. */
static bool clear_journal(
    struct sql_conn *conn, const struct credentials_update *update, struct err *err)
{
    struct sql q = sql_begin(
        conn, "DELETE FROM refresh_journal WHERE connection = ? AND (refused OR id = ?)");

    sql_i64(&q, update->connection_id);
    sql_i64(&q, update->journal_id);
    return sql_run(&q, err);
}

struct publishing {
    const struct credentials_update *update;
    struct connection_row *made;
};

static bool publish(struct sql_conn *conn, void *arg, struct err *err)
{
    struct publishing *work = arg;
    const struct credentials_update *update = work->update;
    struct connection_row *row = NULL;
    struct sql q;
    char *errors;
    bool ok;

    connection_row_unref(work->made);
    work->made = NULL;
    if (!sqlite_read_connection(conn, update->connection_id, &row, err))
        return false;
    if (row == NULL || row->version != update->version) {
        connection_row_unref(row);
        return err_set(
            err, 409, "stale_connection", "the connection was changed in the meantime");
    }
    errors = errors_with(row->errors_json, false, NULL);
    q = sql_begin(conn,
        "UPDATE connection SET credentials = ?, config = coalesce(?, config), "
        "has_refresh_token = ?, expires_at = ?, updated_at = ?, "
        "last_refresh_success = ?, last_refresh_failure = 0, refresh_attempts = 0, "
        "refresh_exhausted = 0, errors = ?, version = version + 1 WHERE id = ?");
    sql_blob_of(&q, update->credentials);
    sql_blob_of(&q, update->config);
    sql_i64(&q, update->has_refresh_token);
    sql_i64(&q, update->expires_at_ms);
    sql_i64(&q, update->now_ms);
    sql_i64(&q, update->now_ms);
    sql_text(&q, errors);
    sql_i64(&q, update->connection_id);
    ok = sql_run(&q, err) && clear_journal(conn, update, err) &&
         end_refresh(conn, update->connection_id, update->holder, &work->made, err);
    free(errors);
    connection_row_unref(row);
    return ok;
}

bool sqlite_publish_credentials(struct backend *b,
    const struct credentials_update *update, struct connection_row **out, struct err *err)
{
    struct publishing work = {.update = update};
    bool ok = sqlite_write(b, publish, &work, err);

    if (!ok) {
        connection_row_unref(work.made);
        work.made = NULL;
    }
    *out = work.made;
    return ok;
}

struct failing {
    const struct refresh_failure *failure;
    bool counted;
    struct connection_row *made;
};

/* The first failure counts 1; then each day (UTC) with a failure counts one more. */
static int attempts_after(const struct connection_row *row, int64_t now_ms)
{
    if (row->last_refresh_failure_ms == 0 || row->refresh_attempts == 0)
        return 1;
    if (row->last_refresh_failure_ms / DAY_MS < now_ms / DAY_MS)
        return row->refresh_attempts + 1;
    return row->refresh_attempts;
}

static bool has_credentials(const struct connection_row *row, const uint8_t *sha256)
{
    uint8_t now[SHA256_LEN];

    if (sha256 == NULL)
        return true;
    crypto_sha256(row->credentials.data, row->credentials.len, now);
    return memcmp(now, sha256, SHA256_LEN) == 0;
}

static bool count_failure(struct sql_conn *conn, const struct connection_row *row,
    const struct refresh_failure *failure, struct err *err)
{
    int attempts = attempts_after(row, failure->now_ms);
    char *errors = errors_with(row->errors_json, true, failure->log_id);
    struct sql q = sql_begin(conn,
        "UPDATE connection SET last_refresh_failure = ?, last_refresh_success = 0, "
        "refresh_attempts = ?, refresh_exhausted = ?, errors = ?, version = version + 1 "
        "WHERE id = ?");
    bool ok;

    sql_i64(&q, failure->now_ms);
    sql_i64(&q, attempts);
    sql_i64(&q, attempts >= ATTEMPTS_MAX);
    sql_text(&q, errors);
    sql_i64(&q, failure->connection_id);
    ok = sql_run(&q, err);
    free(errors);
    return ok;
}

static bool note_failure(struct sql_conn *conn, void *arg, struct err *err)
{
    struct failing *work = arg;
    const struct refresh_failure *failure = work->failure;
    int64_t journal_id = failure->journal_id;
    struct connection_row *row = NULL;
    bool ok;

    connection_row_unref(work->made);
    work->made = NULL;
    if (!sqlite_read_connection(conn, failure->connection_id, &row, err))
        return false;
    if (row == NULL)
        return err_set(err, 404, "not_found", "Failed to find connection");
    work->counted = has_credentials(row, failure->credentials);
    if (work->counted)
        ok = count_failure(conn, row, failure, err) &&
             (journal_id == 0 || refuse_journal(conn, journal_id, row->id, err)) &&
             sqlite_insert_webhooks(conn, failure->webhooks, failure->now_ms, err);
    else
        ok = delete_journal(conn, &journal_id, err);
    ok = ok &&
         end_refresh(conn, failure->connection_id, failure->holder, &work->made, err);
    connection_row_unref(row);
    return ok;
}

bool sqlite_note_refresh_failure(struct backend *b, const struct refresh_failure *failure,
    bool *counted, struct connection_row **out, struct err *err)
{
    struct failing work = {.failure = failure};
    bool ok = sqlite_write(b, note_failure, &work, err);

    if (!ok) {
        connection_row_unref(work.made);
        work.made = NULL;
    }
    *counted = ok && work.counted;
    *out = work.made;
    return ok;
}

/* ---- what nobody has fetched for long ---- */

#define IDLE_FROM " FROM connection c LEFT JOIN connection_use u ON u.connection = c.id "
#define IDLE_REST                                                                        \
    " AND c.deleted_at = 0 AND c.refresh_exhausted = 0 "                                 \
    "AND max(c.created_at, ifnull(u.last_fetched_at, 0)) < ? "
#define IDLE_TRIED "max(c.created_at, c.last_refresh_success, c.last_refresh_failure)"

/* The indices are those of 0012_idle_connections.sql. */
static const char expiring_text[] =
    "SELECT c.id, c.expires_at" IDLE_FROM "WHERE c.expires_at > 0 AND c.expires_at < ? "
    "AND (c.expires_at, c.id) > (?, ?)" IDLE_REST "ORDER BY c.expires_at, c.id LIMIT ?";
static const char to_try_text[] =
    "SELECT c.id, " IDLE_TRIED IDLE_FROM "WHERE c.integration = ? "
    "AND c.auth_type IN ('API_KEY', 'BASIC', 'TBA') AND " IDLE_TRIED " < ? "
    "AND (" IDLE_TRIED ", c.id) > (?, ?)" IDLE_REST "ORDER BY " IDLE_TRIED
    ", c.id LIMIT ?";

bool sqlite_list_idle_connections(struct backend *b, const struct idle_query *query,
    struct idle_row *out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;
    size_t used = 0;
    struct sql q;

    *count = 0;
    if (conn == NULL)
        return false;
    q = sql_begin(conn, query->expiring ? expiring_text : to_try_text);
    if (!query->expiring)
        sql_i64(&q, query->integration_id);
    sql_i64(&q, query->before_ms);
    sql_i64(&q, query->after_key);
    sql_i64(&q, query->after_id);
    sql_i64(&q, query->idle_since_ms);
    sql_i64(&q, IDLE_PAGE);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        out[used].id = sql_take_i64(&q, 0);
        out[used++].key = sql_take_i64(&q, 1);
    }
    sql_end(&q);
    sqlite_reader_done(b, conn);
    *count = used;
    return step != SQL_FAILED;
}
