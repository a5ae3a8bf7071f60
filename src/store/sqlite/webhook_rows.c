/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries as people look at them, and what they order: to send again, to forget. */
#include <stdlib.h>

#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/webhooks.h"

/* ---- looking ---- */

static struct webhook_row take_row(const struct sql *q)
{
    struct webhook_row row = {
        .id = sql_take_i64(q, 0),
        .type = sql_take_text(q, 2),
        .integration = sql_take_text(q, 3),
        .connection_id = sql_take_text(q, 4),
        .url = sql_take_text(q, 5),
        .state = (enum webhook_state)sql_take_i64(q, 6),
        .attempts = (int)sql_take_i64(q, 7),
        .due_at_ms = sql_take_i64(q, 8),
        .created_at_ms = sql_take_i64(q, 9),
        .finished_at_ms = sql_take_i64(q, 10),
        .status = (int)sql_take_i64(q, 11),
        .error = sql_take_text(q, 12),
    };

    sql_take_fixed(q, 1, row.uuid, sizeof row.uuid);
    return row;
}

static struct sql begin_list(struct sql_conn *conn, const struct webhook_filter *filter)
{
    struct sql q = sql_begin(conn,
        "SELECT d.id, m.uuid, m.type, m.integration, m.connection, d.url, d.state, "
        "d.made, "
        "d.due_at, m.created_at, d.finished_at, coalesce(a.status, 0), a.error "
        "FROM webhook_delivery d JOIN webhook_message m ON m.id = d.message "
        "LEFT JOIN webhook_attempt a ON a.delivery = d.id AND a.number = d.made "
        "WHERE d.environment = ?1 AND (?2 = 0 OR d.id = ?2) AND (?3 = 0 OR d.state = ?3) "
        "AND (?4 IS NULL OR m.type = ?4) AND (?5 IS NULL OR m.integration = ?5) "
        "AND (?6 IS NULL OR m.connection = ?6) AND d.id < ?7 ORDER BY d.id DESC LIMIT "
        "?8");

    sql_i64(&q, filter->environment_id);
    sql_i64(&q, filter->id);
    sql_i64(&q, filter->state);
    sql_text(&q, filter->type);
    sql_text(&q, filter->integration);
    sql_text(&q, filter->connection_id);
    sql_i64(&q, filter->before_id > 0 ? filter->before_id : INT64_MAX);
    sql_i64(&q, (int64_t)filter->limit);
    return q;
}

bool sqlite_list_webhooks(struct backend *b, const struct webhook_filter *filter,
    struct webhook_row **out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;
    struct webhook_row *rows = NULL;
    size_t used = 0;

    if (conn != NULL) {
        struct sql q = begin_list(conn, filter);

        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used++] = take_row(&q);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_webhooks_free(rows, used);
        rows = NULL;
        used = 0;
    }
    *out = rows;
    *count = used;
    return step != SQL_FAILED;
}

bool sqlite_list_webhook_attempts(struct backend *b, int64_t id,
    struct webhook_attempt_row **out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;
    struct webhook_attempt_row *rows = NULL;
    size_t used = 0;

    if (conn != NULL) {
        struct sql q = sql_begin(conn, "SELECT began_at, took_ms, status, error, answer "
                                       "FROM webhook_attempt WHERE delivery = ? ORDER BY "
                                       "number");

        sql_i64(&q, id);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used++] = (struct webhook_attempt_row){
                .began_ms = sql_take_i64(&q, 0),
                .took_ms = sql_take_i64(&q, 1),
                .status = (int)sql_take_i64(&q, 2),
                .error = sql_take_text(&q, 3),
                .answer = sql_take_text(&q, 4),
            };
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_webhook_attempts_free(rows, used);
        rows = NULL;
        used = 0;
    }
    *out = rows;
    *count = used;
    return step != SQL_FAILED;
}

bool sqlite_read_webhook_body(struct backend *b, int64_t environment_id, int64_t id,
    char uuid[UUID_TEXT_SIZE], struct blob *body, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *body = (struct blob){0};
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT m.uuid, m.body FROM webhook_delivery d JOIN webhook_message m ON "
            "m.id = d.message WHERE d.id = ? AND d.environment = ?");

        sql_i64(&q, id);
        sql_i64(&q, environment_id);
        step = sql_step(&q, err);
        if (step == SQL_ROW) {
            sql_take_fixed(&q, 0, uuid, UUID_TEXT_SIZE);
            *body = sql_take_blob(&q, 1);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

/* ---- again ---- */

struct replaying {
    int64_t environment_id;
    int64_t id;
    int64_t since_ms;
    int64_t now_ms;
    size_t count;
};

static bool replay_some(struct sql_conn *conn, void *arg, struct err *err)
{
    struct replaying *work = arg;
    struct sql q;

    if (work->id != 0) {
        q = sql_begin(conn,
            "UPDATE webhook_delivery SET state = 1, due_at = ?, attempts = "
            "0, finished_at = 0 WHERE environment = ? AND id = ? AND "
            "state <> 2");
        sql_i64(&q, work->now_ms);
        sql_i64(&q, work->environment_id);
        sql_i64(&q, work->id);
    } else {
        q = sql_begin(conn,
            "UPDATE webhook_delivery SET state = 1, due_at = ?, attempts = 0, "
            "finished_at "
            "= 0 WHERE environment = ? AND state = 4 AND (SELECT created_at FROM "
            "webhook_message m WHERE m.id = message) >= ?");
        sql_i64(&q, work->now_ms);
        sql_i64(&q, work->environment_id);
        sql_i64(&q, work->since_ms);
    }
    if (!sql_run(&q, err))
        return false;
    work->count = sql_changed(conn);
    return true;
}

bool sqlite_replay_webhooks(struct backend *b, int64_t environment_id, int64_t id,
    int64_t since_ms, int64_t now_ms, size_t *count, struct err *err)
{
    struct replaying work = {environment_id, id, since_ms, now_ms, 0};
    bool ok = sqlite_write(b, replay_some, &work, err);

    *count = ok ? work.count : 0;
    return ok;
}

/* ---- the sweep ---- */

struct sweeping {
    int64_t delivered_before_ms, dead_before_ms;
};

static bool sweep_over(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct sweeping *work = arg;
    struct sql q = sql_begin(conn, "DELETE FROM webhook_delivery WHERE (state = 3 AND "
                                   "finished_at < ?) OR (state = 4 "
                                   "AND finished_at < ?)");

    sql_i64(&q, work->delivered_before_ms);
    sql_i64(&q, work->dead_before_ms);
    if (!sql_run(&q, err))
        return false;
    if (sql_changed(conn) == 0)
        return true;
    q = sql_begin(conn, "DELETE FROM webhook_message WHERE NOT EXISTS (SELECT 1 FROM "
                        "webhook_delivery d WHERE d.message = webhook_message.id)");
    return sql_run(&q, err);
}

bool sqlite_sweep_webhooks(struct backend *b, int64_t delivered_before_ms,
    int64_t dead_before_ms, struct err *err)
{
    struct sweeping work = {delivered_before_ms, dead_before_ms};

    return sqlite_write(b, sweep_over, &work, err);
}
