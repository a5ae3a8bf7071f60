/* SPDX-License-Identifier: Apache-2.0 */
/* What providers sent, until it is settled. */
#include "store/inbound.h"

#include <stdlib.h>

#include "store/inbound_int.h"
#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/webhooks.h"

/* ---- accepted ---- */

struct putting {
    const struct inbound_event *event;
    const char *message;
    int64_t now_ms;
    bool repeated;
};

static bool note_message(struct sql_conn *conn, struct putting *work, struct err *err)
{
    struct sql q;

    if (work->message == NULL)
        return true;
    q = sql_begin(conn, "INSERT OR IGNORE INTO webhook_seen (integration, message, "
                        "seen_at) VALUES (?, ?, ?)");
    sql_i64(&q, work->event->integration_id);
    sql_text(&q, work->message);
    sql_i64(&q, work->now_ms);
    if (!sql_run(&q, err))
        return false;
    work->repeated = sql_changed(conn) == 0;
    return true;
}

static bool put_one(struct sql_conn *conn, void *arg, struct err *err)
{
    struct putting *work = arg;
    const struct inbound_event *event = work->event;
    struct sql q;

    work->repeated = false;
    if (!note_message(conn, work, err) || work->repeated)
        return work->repeated;
    q = sql_begin(conn, "INSERT INTO webhook_event (uuid, environment, integration, "
                        "content, received_at) VALUES (?, ?, ?, ?, ?)");
    sql_text(&q, event->uuid);
    sql_i64(&q, event->environment_id);
    sql_i64(&q, event->integration_id);
    sql_blob_of(&q, event->content);
    sql_i64(&q, event->received_at_ms);
    return sql_run(&q, err);
}

static bool put(struct backend *b, const struct inbound_event *event, const char *message,
    bool *repeated, struct err *err)
{
    struct putting work = {event, message, sqlite_now_ms(b), false};
    bool ok = sqlite_write(b, put_one, &work, err);

    *repeated = work.repeated;
    return ok;
}

/* ---- looked through ---- */

static bool list(struct backend *b, size_t max, struct inbound_event **out, size_t *count,
    struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct inbound_event *rows = NULL;
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT id, uuid, environment, integration, content, received_at FROM "
            "webhook_event WHERE integration = (SELECT integration FROM webhook_event "
            "ORDER BY id LIMIT 1) ORDER BY id LIMIT ?");

        sql_i64(&q, (int64_t)max);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            struct inbound_event *row;

            rows = sql_room(rows, used, sizeof *rows);
            row = &rows[used++];
            *row = (struct inbound_event){
                .id = sql_take_i64(&q, 0),
                .environment_id = sql_take_i64(&q, 2),
                .integration_id = sql_take_i64(&q, 3),
                .content = sql_take_blob(&q, 4),
                .received_at_ms = sql_take_i64(&q, 5),
            };
            sql_take_fixed(&q, 1, row->uuid, sizeof row->uuid);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_inbound_free(rows, used);
        rows = NULL;
        used = 0;
    }
    *out = rows;
    *count = used;
    return step != SQL_FAILED;
}

static bool connections(struct backend *b, int64_t integration_id, int64_t after_id,
    size_t max, struct inbound_connection **out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct inbound_connection *rows = NULL;
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT id, connection_id, config, metadata, webhook_url_override FROM "
            "connection WHERE integration = ? AND deleted_at = 0 AND id > ? ORDER BY id "
            "LIMIT ?");

        sql_i64(&q, integration_id);
        sql_i64(&q, after_id);
        sql_i64(&q, (int64_t)max);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used++] = (struct inbound_connection){
                .id = sql_take_i64(&q, 0),
                .connection_id = sql_take_text(&q, 1),
                .config = sql_take_blob(&q, 2),
                .metadata_json = sql_take_text(&q, 3),
                .webhook_url_override = sql_take_text(&q, 4),
            };
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_inbound_connections_free(rows, used);
        rows = NULL;
        used = 0;
    }
    *out = rows;
    *count = used;
    return step != SQL_FAILED;
}

/* ---- settled ---- */

struct settling {
    const struct inbound_settlement *all;
    size_t count;
    int64_t now_ms;
};

/* One at a time for each connection and script: they see what happened in its order. */
static bool order_run(
    struct sql_conn *conn, const struct inbound_run *run, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO async_run (uuid, lane, environment, connection, script, sync, "
        "input, "
        "state, attempts, max_retries, due_at, created_at) SELECT ?1, 'webhook:' || "
        "y.id, "
        "y.environment, y.connection, y.script, y.id, ?2, 1, 0, 0, ?3, ?3 FROM sync y "
        "WHERE y.connection = ?4 AND y.script = ?5 AND y.variant = 'base'");

    sql_text(&q, run->uuid);
    sql_blob_of(&q, run->input);
    sql_i64(&q, now_ms);
    sql_i64(&q, run->connection_id);
    sql_i64(&q, run->script_id);
    return sql_run(&q, err);
}

static bool settle_one(struct sql_conn *conn, const struct inbound_settlement *one,
    int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn, "DELETE FROM webhook_event WHERE id = ?");

    sql_i64(&q, one->event_id);
    if (!sql_run(&q, err))
        return false;
    if (sql_changed(conn) == 0)
        return true;
    for (size_t i = 0; i < one->run_count; i++)
        if (!order_run(conn, &one->runs[i], now_ms, err))
            return false;
    return sqlite_insert_webhooks(conn, one->webhooks, now_ms, err);
}

static bool settle_all(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct settling *work = arg;

    for (size_t i = 0; i < work->count; i++)
        if (!settle_one(conn, &work->all[i], work->now_ms, err))
            return false;
    return true;
}

static bool settle(struct backend *b, const struct inbound_settlement *settlements,
    size_t count, struct err *err)
{
    struct settling work = {settlements, count, sqlite_now_ms(b)};

    return sqlite_write(b, settle_all, &work, err);
}

static bool sweep_seen(struct sql_conn *conn, void *arg, struct err *err)
{
    const int64_t *before = arg;
    struct sql q = sql_begin(conn, "DELETE FROM webhook_seen WHERE seen_at < ?");

    sql_i64(&q, *before);
    return sql_run(&q, err);
}

static bool sweep(struct backend *b, int64_t seen_before_ms, struct err *err)
{
    return sqlite_write(b, sweep_seen, &seen_before_ms, err);
}

const struct inbound_ops sqlite_inbound_ops = {
    .put = put,
    .list = list,
    .connections = connections,
    .settle = settle,
    .sweep = sweep,
};
