/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: one row for each key that a connection's scripts ever wrote. */
#include <string.h>

#include "store/sqlite/sqlite_int.h"

struct checkpoint_work {
    int64_t connection_id;
    const char *key;
    const char *value_json;
    int64_t version;
    int64_t now_ms;
};

/* The connection whose checkpoints are meant: the live one, where a row that is held back
 * would go over one. Removed ones are none. */
static bool find_bearer(
    struct sql_conn *conn, int64_t connection_id, int64_t *id, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT coalesce((SELECT l.id FROM connection l WHERE l.integration = "
        "c.integration AND l.connection_id = c.connection_id AND l.deleted_at = 0), "
        "c.id) "
        "FROM connection c WHERE c.id = ? AND c.deleted_at <= 0");
    enum sql_result step;

    *id = 0;
    sql_i64(&q, connection_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *id = sql_take_i64(&q, 0);
    sql_end(&q);
    return step != SQL_FAILED;
}

static bool read_checkpoint(struct sql_conn *conn, int64_t bearer, const char *key,
    struct checkpoint *out, struct err *err)
{
    struct sql q = sql_begin(
        conn, "SELECT value, version FROM checkpoint WHERE connection = ? AND key = ?");
    enum sql_result step;

    sql_i64(&q, bearer);
    sql_text(&q, key);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        out->value_json = sql_take_text(&q, 0);
        out->version = sql_take_i64(&q, 1);
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

bool sqlite_find_checkpoint(struct backend *b, int64_t connection_id, const char *key,
    struct checkpoint *out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    int64_t bearer;
    bool ok;

    memset(out, 0, sizeof *out);
    ok = conn != NULL && find_bearer(conn, connection_id, &bearer, err) &&
         read_checkpoint(conn, bearer, key, out, err);
    sqlite_reader_done(b, conn);
    return ok;
}

static bool put(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct checkpoint_work *work = arg;
    int64_t bearer;
    struct sql q;

    if (!find_bearer(conn, work->connection_id, &bearer, err))
        return false;
    if (bearer == 0)
        return err_set(err, 404, "unknown_connection", "the connection does not exist");
    if (work->version == 0)
        q = sql_begin(conn,
            "INSERT INTO checkpoint (value, updated_at, version, connection, key) "
            "VALUES (?, ?, 1 + ?, ?, ?) ON CONFLICT DO NOTHING");
    else
        q = sql_begin(conn,
            "UPDATE checkpoint SET value = ?, updated_at = ?, version = version + 1 "
            "WHERE version = ? AND connection = ? AND key = ?");
    sql_text(&q, work->value_json);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->version);
    sql_i64(&q, bearer);
    sql_text(&q, work->key);
    if (!sql_run(&q, err))
        return false;
    return sql_changed(conn) > 0 ||
           err_set(err, 409, "checkpoint_conflict",
               "the checkpoint was changed by another in the meantime");
}

bool sqlite_put_checkpoint(struct backend *b, int64_t connection_id, const char *key,
    const char *value_json, int64_t *version, struct err *err)
{
    struct checkpoint_work work = {
        connection_id, key, value_json, *version, sqlite_now_ms(b)};

    if (!sqlite_write(b, put, &work, err))
        return false;
    (*version)++;
    return true;
}

static bool remove_some(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct checkpoint_work *work = arg;
    struct sql q = sql_begin(
        conn, "DELETE FROM checkpoint WHERE connection = ? AND instr(key, ?) = 1");

    sql_i64(&q, work->connection_id);
    sql_text(&q, work->key);
    return sql_run(&q, err);
}

bool sqlite_remove_checkpoints(
    struct backend *b, int64_t connection_id, const char *key_prefix, struct err *err)
{
    struct checkpoint_work work = {.connection_id = connection_id, .key = key_prefix};

    return sqlite_write(b, remove_some, &work, err);
}
