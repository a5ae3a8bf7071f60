/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that nobody waits for: a queue of one place for each lane. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/webhooks.h"

#define SELECT                                                                           \
    "SELECT id, uuid, environment, connection, script, input, attempts, max_retries, "   \
    "due_at, outcome, created_at, finished_at, sync FROM async_run "

static struct async_run_row *take_row(const struct sql *q)
{
    struct async_run_row *row = MEM_NEW(struct async_run_row);

    row->id = sql_take_i64(q, 0);
    sql_take_fixed(q, 1, row->uuid, sizeof row->uuid);
    row->environment_id = sql_take_i64(q, 2);
    row->connection_id = sql_take_i64(q, 3);
    row->script_id = sql_take_i64(q, 4);
    row->input = sql_take_blob(q, 5);
    row->attempts = (int)sql_take_i64(q, 6);
    row->max_retries = (int)sql_take_i64(q, 7);
    row->due_at_ms = sql_take_i64(q, 8);
    row->outcome = sql_take_blob(q, 9);
    row->created_at_ms = sql_take_i64(q, 10);
    row->finished_at_ms = sql_take_i64(q, 11);
    row->sync_id = sql_take_i64(q, 12);
    return row;
}

/* ---- putting and finding ---- */

static bool put(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct async_run_row *row = arg;
    struct sql q = sql_begin(conn,
        "INSERT INTO async_run (uuid, lane, environment, connection, script, input, "
        "state, attempts, max_retries, due_at, created_at) "
        "VALUES (?, 'action:' || ?, ?, ?, ?, ?, 1, 0, ?, ?, ?)");

    sql_text(&q, row->uuid);
    sql_i64(&q, row->environment_id);
    sql_i64(&q, row->environment_id);
    sql_i64(&q, row->connection_id);
    sql_i64(&q, row->script_id);
    sql_blob_of(&q, row->input);
    sql_i64(&q, row->max_retries);
    sql_i64(&q, row->due_at_ms);
    sql_i64(&q, row->created_at_ms);
    return sql_run(&q, err);
}

bool sqlite_put_async_run(
    struct backend *b, const struct async_run_row *row, struct err *err)
{
    struct async_run_row copy = *row;

    return sqlite_write(b, put, &copy, err);
}

bool sqlite_order_event_scripts(struct sql_conn *conn, int64_t connection_id,
    int64_t integration_id, const char *event, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO async_run (lane, environment, connection, script, state, attempts, "
        "max_retries, due_at, created_at) "
        "SELECT 'event:' || ?1, s.environment, ?1, s.id, 1, 0, 0, ?2, ?2 FROM script s "
        "WHERE s.integration = ?3 AND s.kind = 'on-event' AND s.event = ?4 "
        "AND s.enabled = 1 AND s.deleted_at = 0 ORDER BY s.name");

    sql_i64(&q, connection_id);
    sql_i64(&q, now_ms);
    sql_i64(&q, integration_id);
    sql_text(&q, event);
    return sql_run(&q, err);
}

bool sqlite_find_async_run(struct backend *b, int64_t environment_id, const char *uuid,
    struct async_run_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    if (conn != NULL) {
        struct sql q = sql_begin(conn, SELECT "WHERE uuid = ? AND environment = ?");

        sql_text(&q, uuid);
        sql_i64(&q, environment_id);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *out = take_row(&q);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

/* ---- taking and ending ---- */

struct taking {
    int64_t now_ms;
    struct async_run_row *row;
    int64_t next_ms;
};

#define FREE_TO_RUN                                                                      \
    "WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM async_run r WHERE r.state = 2 "       \
    "AND r.lane = async_run.lane) "

static bool read_next(struct sql_conn *conn, struct taking *work, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT min(due_at) FROM async_run " FREE_TO_RUN);
    enum sql_result step = sql_step(&q, err);

    if (step == SQL_ROW)
        work->next_ms = sql_take_i64(&q, 0);
    sql_end(&q);
    return step == SQL_ROW;
}

static bool take(struct sql_conn *conn, void *arg, struct err *err)
{
    struct taking *work = arg;
    enum sql_result step;
    struct sql q;

    async_run_row_free(work->row);
    work->row = NULL;
    work->next_ms = 0;
    q = sql_begin(conn, SELECT FREE_TO_RUN "AND due_at <= ? ORDER BY due_at, id LIMIT 1");
    sql_i64(&q, work->now_ms);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        work->row = take_row(&q);
    sql_end(&q);
    if (step != SQL_ROW)
        return step == SQL_DONE && read_next(conn, work, err);
    work->row->attempts++;
    q = sql_begin(
        conn, "UPDATE async_run SET state = 2, attempts = attempts + 1 WHERE id = ?");
    sql_i64(&q, work->row->id);
    return sql_run(&q, err);
}

bool sqlite_take_async_run(struct backend *b, int64_t now_ms, struct async_run_row **out,
    int64_t *next_ms, struct err *err)
{
    struct taking work = {.now_ms = now_ms};
    bool ok = sqlite_write(b, take, &work, err);

    if (!ok) {
        async_run_row_free(work.row);
        work.row = NULL;
    }
    *out = work.row;
    *next_ms = work.next_ms;
    return ok;
}

struct ending {
    int64_t id;
    const struct blob *outcome;
    int64_t due_at_ms;
    int64_t now_ms;
    const struct webhook_puts *webhooks;
};

static bool end(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct ending *work = arg;
    struct sql q;

    if (work->outcome == NULL) {
        q = sql_begin(conn, "UPDATE async_run SET state = 1, due_at = ? WHERE id = ?");
        sql_i64(&q, work->due_at_ms);
    } else {
        q = sql_begin(conn, "UPDATE async_run SET state = 3, input = NULL, outcome = "
                            "?, finished_at = ? WHERE id = ?");
        sql_blob_of(&q, *work->outcome);
        sql_i64(&q, work->now_ms);
    }
    sql_i64(&q, work->id);
    return sql_run(&q, err) &&
           sqlite_insert_webhooks(conn, work->webhooks, work->now_ms, err);
}

bool sqlite_end_async_run(struct backend *b, int64_t id, const struct blob *outcome,
    int64_t due_at_ms, const struct webhook_puts *webhooks, struct err *err)
{
    struct ending work = {id, outcome, due_at_ms, sqlite_now_ms(b), webhooks};

    return sqlite_write(b, end, &work, err);
}

struct dropping {
    int64_t id;
    const struct webhook_puts *webhooks;
    int64_t now_ms;
};

static bool drop(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct dropping *work = arg;
    struct sql q = sql_begin(conn, "DELETE FROM async_run WHERE id = ?");

    sql_i64(&q, work->id);
    return sql_run(&q, err) &&
           sqlite_insert_webhooks(conn, work->webhooks, work->now_ms, err);
}

bool sqlite_drop_async_run(
    struct backend *b, int64_t id, const struct webhook_puts *webhooks, struct err *err)
{
    struct dropping work = {id, webhooks, sqlite_now_ms(b)};

    return sqlite_write(b, drop, &work, err);
}

static bool resume(struct sql_conn *conn, void *arg, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE async_run SET state = 1 WHERE state = 2");

    (void)arg;
    return sql_run(&q, err);
}

bool sqlite_resume_async_runs(struct backend *b, struct err *err)
{
    return sqlite_write(b, resume, NULL, err);
}

static bool sweep_over(struct sql_conn *conn, void *arg, struct err *err)
{
    const int64_t *before = arg;
    struct sql q =
        sql_begin(conn, "DELETE FROM async_run WHERE state = 3 AND finished_at < ?");

    sql_i64(&q, *before);
    return sql_run(&q, err);
}

bool sqlite_sweep_async_runs(
    struct backend *b, int64_t finished_before_ms, struct err *err)
{
    return sqlite_write(b, sweep_over, &finished_before_ms, err);
}
