/* SPDX-License-Identifier: Apache-2.0 */
/* What lives for minutes: connect sessions and OAuth states; and the sweep, which takes
 * away what nobody can find any more. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite/sqlite_int.h"

/* ---- connect sessions ---- */

struct session_insert {
    const uint8_t *token;
    const struct connect_session_row *row;
    int64_t now_ms;
    int64_t id;
};

static bool insert_session(struct sql_conn *conn, void *arg, struct err *err)
{
    struct session_insert *work = arg;
    const struct connect_session_row *row = work->row;
    struct sql q = sql_begin(conn, "INSERT INTO connect_session (token, environment, "
                                   "connection, payload, created_at, "
                                   "expires_at) VALUES (?, ?, nullif(?, 0), ?, ?, ?)");

    sql_blob(&q, work->token, SHA256_LEN);
    sql_i64(&q, row->environment_id);
    sql_i64(&q, row->connection_id);
    sql_blob_of(&q, row->payload);
    sql_i64(&q, row->created_at_ms != 0 ? row->created_at_ms : work->now_ms);
    sql_i64(&q, row->expires_at_ms);
    if (!sql_run(&q, err))
        return false;
    work->id = sqlite3_last_insert_rowid(conn->db);
    return true;
}

bool sqlite_insert_connect_session(struct backend *b, const uint8_t token[SHA256_LEN],
    const struct connect_session_row *row, int64_t *id, struct err *err)
{
    struct session_insert work = {token, row, sqlite_now_ms(b), 0};
    bool ok = sqlite_write(b, insert_session, &work, err);

    *id = ok ? work.id : 0;
    return ok;
}

bool sqlite_find_connect_session(struct backend *b, const uint8_t token[SHA256_LEN],
    int64_t now_ms, struct connect_session_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT id, environment, coalesce(connection, 0), payload, created_at, "
            "expires_at FROM connect_session WHERE token = ? AND expires_at > ?");

        sql_blob(&q, token, SHA256_LEN);
        sql_i64(&q, now_ms);
        step = sql_step(&q, err);
        if (step == SQL_ROW) {
            struct connect_session_row *row = MEM_NEW(struct connect_session_row);

            row->id = sql_take_i64(&q, 0);
            row->environment_id = sql_take_i64(&q, 1);
            row->connection_id = sql_take_i64(&q, 2);
            row->payload = sql_take_blob(&q, 3);
            row->created_at_ms = sql_take_i64(&q, 4);
            row->expires_at_ms = sql_take_i64(&q, 5);
            *out = row;
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

struct session_removal {
    const uint8_t *token;
    bool found;
};

static bool delete_session(struct sql_conn *conn, void *arg, struct err *err)
{
    struct session_removal *work = arg;
    struct sql q = sql_begin(conn, "DELETE FROM connect_session WHERE token = ?");

    sql_blob(&q, work->token, SHA256_LEN);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    return true;
}

bool sqlite_delete_connect_session(
    struct backend *b, const uint8_t token[SHA256_LEN], bool *found, struct err *err)
{
    struct session_removal work = {token, false};
    bool ok = sqlite_write(b, delete_session, &work, err);

    *found = ok && work.found;
    return ok;
}

/* ---- OAuth states ---- */

struct state_insert {
    const uint8_t *state;
    const struct oauth_state_row *row;
};

static bool insert_state(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct state_insert *work = arg;
    struct sql q =
        sql_begin(conn, "INSERT INTO oauth_state (state, environment, payload, "
                        "expires_at) VALUES (?, ?, ?, ?)");

    sql_blob(&q, work->state, SHA256_LEN);
    sql_i64(&q, work->row->environment_id);
    sql_blob_of(&q, work->row->payload);
    sql_i64(&q, work->row->expires_at_ms);
    return sql_run(&q, err);
}

bool sqlite_insert_oauth_state(struct backend *b, const uint8_t state[SHA256_LEN],
    const struct oauth_state_row *row, struct err *err)
{
    struct state_insert work = {state, row};

    return sqlite_write(b, insert_state, &work, err);
}

bool sqlite_find_oauth_state(struct backend *b, const uint8_t state[SHA256_LEN],
    int64_t now_ms, int64_t *environment_id, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *environment_id = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT environment FROM oauth_state WHERE state = ? AND expires_at > ?");

        sql_blob(&q, state, SHA256_LEN);
        sql_i64(&q, now_ms);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *environment_id = sql_take_i64(&q, 0);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

struct state_take {
    const uint8_t *state;
    int64_t now_ms;
    struct oauth_state_row *row;
};

static bool take_state(struct sql_conn *conn, void *arg, struct err *err)
{
    struct state_take *work = arg;
    enum sql_result step;
    struct sql q =
        sql_begin(conn, "SELECT environment, payload, expires_at FROM oauth_state "
                        "WHERE state = ? AND expires_at > ?");

    oauth_state_row_free(work->row);
    work->row = NULL;
    sql_blob(&q, work->state, SHA256_LEN);
    sql_i64(&q, work->now_ms);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        work->row = MEM_NEW(struct oauth_state_row);
        work->row->environment_id = sql_take_i64(&q, 0);
        work->row->payload = sql_take_blob(&q, 1);
        work->row->expires_at_ms = sql_take_i64(&q, 2);
    }
    sql_end(&q);
    if (step != SQL_ROW)
        return step == SQL_DONE;
    q = sql_begin(conn, "DELETE FROM oauth_state WHERE state = ?");
    sql_blob(&q, work->state, SHA256_LEN);
    return sql_run(&q, err);
}

bool sqlite_take_oauth_state(struct backend *b, const uint8_t state[SHA256_LEN],
    int64_t now_ms, struct oauth_state_row **out, struct err *err)
{
    struct state_take work = {state, now_ms, NULL};
    bool ok = sqlite_write(b, take_state, &work, err);

    if (!ok) {
        oauth_state_row_free(work.row);
        work.row = NULL;
    }
    *out = work.row;
    return ok;
}

/* ---- sweep ---- */

struct sweeping {
    int64_t now_ms;
    int64_t deleted_before_ms;
};

static bool run_with(
    struct sql_conn *conn, const char *text, int64_t value, struct err *err)
{
    struct sql q = sql_begin(conn, text);

    sql_i64(&q, value);
    return sql_run(&q, err);
}

static bool sweep(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct sweeping *work = arg;
    struct sql q;

    if (!run_with(conn, "DELETE FROM connect_session WHERE expires_at <= ?", work->now_ms,
            err) ||
        !run_with(
            conn, "DELETE FROM oauth_state WHERE expires_at <= ?", work->now_ms, err) ||
        !run_with(conn, "DELETE FROM connection WHERE deleted_at > 0 AND deleted_at < ?",
            work->deleted_before_ms, err) ||
        !run_with(conn, "DELETE FROM integration WHERE deleted_at > 0 AND deleted_at < ?",
            work->deleted_before_ms, err) ||
        !sqlite_sweep_scripts(conn, work->deleted_before_ms, err))
        return false;
    /* Persons of whom no connection is left. */
    q = sql_begin(conn, "DELETE FROM end_user WHERE NOT EXISTS "
                        "(SELECT 1 FROM connection c WHERE c.end_user = end_user.id)");
    return sql_run(&q, err);
}

bool sqlite_sweep(
    struct backend *b, int64_t now_ms, int64_t deleted_before_ms, struct err *err)
{
    struct sweeping work = {now_ms, deleted_before_ms};

    return sqlite_write(b, sweep, &work, err);
}
