/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: put, sent, looked at. What is due is found queue by queue, so that a long one
 * hides no other. */
#include "store/sqlite/webhooks.h"

#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sqlite_int.h"

/* ---- put ---- */

static bool insert_delivery(struct sql_conn *conn, const struct webhook_put *put,
    int64_t message, const char *url, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn, "INSERT INTO webhook_delivery (message, environment, "
                                   "url, state, due_at) VALUES (?, ?, ?, 1, ?)");

    sql_i64(&q, message);
    sql_i64(&q, put->environment_id);
    sql_text(&q, url);
    sql_i64(&q, now_ms);
    return sql_run(&q, err);
}

static bool insert_message(
    struct sql_conn *conn, const struct webhook_put *put, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO webhook_message (uuid, environment, type, integration, connection, "
        "body, headers, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    int64_t message;

    sql_text(&q, put->uuid);
    sql_i64(&q, put->environment_id);
    sql_text(&q, put->type);
    sql_text(&q, put->integration);
    sql_text(&q, put->connection_id);
    sql_blob_of(&q, put->body);
    sql_blob_of(&q, put->headers);
    sql_i64(&q, now_ms);
    if (!sql_run(&q, err))
        return false;
    message = sqlite3_last_insert_rowid(conn->db);
    for (size_t i = 0; i < sizeof put->urls / sizeof put->urls[0]; i++)
        if (put->urls[i] != NULL &&
            !insert_delivery(conn, put, message, put->urls[i], now_ms, err))
            return false;
    return true;
}

bool sqlite_insert_webhooks(struct sql_conn *conn, const struct webhook_puts *puts,
    int64_t now_ms, struct err *err)
{
    for (size_t i = 0; puts != NULL && i < puts->count; i++)
        if (!insert_message(conn, &puts->list[i], now_ms, err))
            return false;
    return true;
}

struct putting {
    const struct webhook_puts *puts;
    int64_t now_ms;
};

static bool put_all(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct putting *work = arg;

    return sqlite_insert_webhooks(conn, work->puts, work->now_ms, err);
}

static bool put(struct backend *b, const struct webhook_puts *puts, struct err *err)
{
    struct putting work = {puts, sqlite_now_ms(b)};

    return sqlite_write(b, put_all, &work, err);
}

/* ---- results ---- */

struct turning {
    const struct webhook_turn *turn;
    struct webhook_job *jobs;
    size_t count;
    int64_t next_ms;
};

static bool insert_attempt(
    struct sql_conn *conn, const struct webhook_result *result, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO webhook_attempt (delivery, number, began_at, took_ms, status, "
        "error, "
        "answer) SELECT id, made, ?, ?, ?, ?, ? FROM webhook_delivery WHERE id = ?");

    sql_i64(&q, result->began_ms);
    sql_i64(&q, result->took_ms);
    sql_i64(&q, result->status);
    sql_text(&q, result->error);
    sql_text(&q, result->answer);
    sql_i64(&q, result->id);
    return sql_run(&q, err);
}

/* All that wait for the URL. */
static bool hold_url(
    struct sql_conn *conn, const struct webhook_result *result, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE webhook_delivery SET due_at = ?1 WHERE state = 1 AND due_at < ?1 AND "
        "(environment, url) = (SELECT environment, url FROM webhook_delivery WHERE id = "
        "?2)");

    sql_i64(&q, result->url_until_ms);
    sql_i64(&q, result->id);
    return sql_run(&q, err);
}

static bool write_result(struct sql_conn *conn, const struct webhook_turn *turn,
    const struct webhook_result *result, struct err *err)
{
    bool over = result->state != WEBHOOK_WAITING;
    struct sql q = sql_begin(conn,
        "UPDATE webhook_delivery SET state = ?1, due_at = ?2, holder = NULL, lease_until "
        "= "
        "0, attempts = attempts - ?3, made = made + 1 - ?3, finished_at = ?4 "
        "WHERE id = ?5 AND state = 2 AND holder = ?6");

    sql_i64(&q, result->state);
    sql_i64(&q, over ? 0 : result->due_at_ms);
    sql_i64(&q, result->unsent);
    sql_i64(&q, over ? turn->now_ms : 0);
    sql_i64(&q, result->id);
    sql_text(&q, turn->holder);
    if (!sql_run(&q, err))
        return false;
    if (sql_changed(conn) == 0 || result->unsent)
        return true;
    return insert_attempt(conn, result, err) &&
           (result->url_until_ms == 0 || hold_url(conn, result, err));
}

/* ---- claims ---- */

/* A queue: its first that waits. */
struct head {
    int64_t environment;
    char *url;
    int64_t due_ms;
};
struct heads {
    struct head *list;
    size_t count;
};

static void heads_free(struct heads *heads)
{
    for (size_t i = 0; i < heads->count; i++)
        free(heads->list[i].url);
    free(heads->list);
}

/* One step in the index for each queue, however long it is. */
static bool read_heads(struct sql_conn *conn, struct heads *out, struct err *err)
{
    enum sql_result step;

    memset(out, 0, sizeof *out);
    do {
        const struct head *last = out->count > 0 ? &out->list[out->count - 1] : NULL;
        struct sql q = sql_begin(conn,
            "SELECT environment, url, due_at FROM webhook_delivery WHERE state = 1 AND "
            "(environment, url) > (?, ?) ORDER BY environment, url, due_at LIMIT 1");

        sql_i64(&q, last != NULL ? last->environment : 0);
        sql_text(&q, last != NULL ? last->url : "");
        step = sql_step(&q, err);
        if (step == SQL_ROW) {
            out->list = sql_room(out->list, out->count, sizeof *out->list);
            out->list[out->count++] = (struct head){
                .environment = sql_take_i64(&q, 0),
                .url = sql_take_text(&q, 1),
                .due_ms = sql_take_i64(&q, 2),
            };
        }
        sql_end(&q);
    } while (step == SQL_ROW);
    return step == SQL_DONE;
}

static int by_due(const void *a, const void *b)
{
    const struct head *x = a, *y = b;

    return (x->due_ms > y->due_ms) - (x->due_ms < y->due_ms);
}

static bool read_job(
    struct sql_conn *conn, struct turning *work, int64_t id, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT m.uuid, m.environment, m.type, m.integration, "
                                   "m.connection, d.url, m.body, "
                                   "m.headers, d.attempts, m.created_at FROM "
                                   "webhook_delivery d JOIN webhook_message "
                                   "m ON m.id = d.message WHERE d.id = ?");
    enum sql_result step;
    struct webhook_job *job;

    sql_i64(&q, id);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        work->jobs = sql_room(work->jobs, work->count, sizeof *work->jobs);
        job = &work->jobs[work->count++];
        *job = (struct webhook_job){
            .id = id,
            .environment_id = sql_take_i64(&q, 1),
            .type = sql_take_text(&q, 2),
            .integration = sql_take_text(&q, 3),
            .connection_id = sql_take_text(&q, 4),
            .url = sql_take_text(&q, 5),
            .body = sql_take_blob(&q, 6),
            .headers = sql_take_blob(&q, 7),
            .attempts = (int)sql_take_i64(&q, 8),
            .created_at_ms = sql_take_i64(&q, 9),
        };
        sql_take_fixed(&q, 0, job->uuid, sizeof job->uuid);
    }
    sql_end(&q);
    return step == SQL_ROW;
}

static bool claim_one(
    struct sql_conn *conn, struct turning *work, int64_t id, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE webhook_delivery SET state = 2, attempts = "
                                   "attempts + 1, holder = ?, lease_until = ? WHERE id = "
                                   "?");

    sql_text(&q, work->turn->holder);
    sql_i64(&q, work->turn->lease_until_ms);
    sql_i64(&q, id);
    return sql_run(&q, err) && read_job(conn, work, id, err);
}

/* The first of a queue that are due, as many as may be under way. */
static bool claim_queue(struct sql_conn *conn, struct turning *work,
    const struct head *head, size_t max, struct err *err)
{
    int64_t *ids = NULL;
    size_t count = 0;
    enum sql_result step;
    bool ok;
    struct sql q = sql_begin(conn,
        "SELECT id FROM webhook_delivery WHERE environment = ?1 AND url = ?2 AND state = "
        "1 "
        "AND due_at <= ?3 ORDER BY due_at, id LIMIT max(0, min(?4, ?5 - (SELECT count(*) "
        "FROM webhook_delivery WHERE environment = ?1 AND url = ?2 AND state = 2)))");

    sql_i64(&q, head->environment);
    sql_text(&q, head->url);
    sql_i64(&q, work->turn->now_ms);
    sql_i64(&q, (int64_t)max);
    sql_i64(&q, (int64_t)work->turn->per_url);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        ids = sql_room(ids, count, sizeof *ids);
        ids[count++] = sql_take_i64(&q, 0);
    }
    sql_end(&q);
    ok = step != SQL_FAILED;
    for (size_t i = 0; ok && i < count; i++)
        ok = claim_one(conn, work, ids[i], err);
    free(ids);
    return ok;
}

/* Those that waited longest first; none takes more than half of what the others left, so
 * that several that hang leave some. */
static bool claim_due(struct sql_conn *conn, struct turning *work,
    const struct heads *heads, struct err *err)
{
    size_t left;

    if (heads->count > 1)
        qsort(heads->list, heads->count, sizeof *heads->list, by_due);
    for (size_t i = 0; i < heads->count; i++) {
        left = work->turn->max - work->count;
        if (left == 0 || heads->list[i].due_ms > work->turn->now_ms)
            return true;
        if (!claim_queue(conn, work, &heads->list[i],
                heads->count > 1 && left > 1 ? left / 2 : left, err))
            return false;
    }
    return true;
}

/* Of what is due now the end of another is the time, which wakes whoever claims. */
static bool read_next(struct sql_conn *conn, struct turning *work,
    const struct heads *heads, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT coalesce(min(lease_until), 0) FROM webhook_delivery WHERE state = 2 AND "
        "holder <> ?");
    enum sql_result step;

    sql_text(&q, work->turn->holder);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        work->next_ms = sql_take_i64(&q, 0);
    sql_end(&q);
    for (size_t i = 0; i < heads->count; i++)
        if (heads->list[i].due_ms > work->turn->now_ms &&
            (work->next_ms == 0 || heads->list[i].due_ms < work->next_ms))
            work->next_ms = heads->list[i].due_ms;
    return step == SQL_ROW;
}

static bool take_back(
    struct sql_conn *conn, const struct webhook_turn *turn, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE webhook_delivery SET state = 1, holder = NULL "
                                   "WHERE state = 2 AND lease_until < ?");

    sql_i64(&q, turn->now_ms);
    return sql_run(&q, err);
}

static void forget(struct turning *work)
{
    store_webhook_jobs_free(work->jobs, work->count);
    work->jobs = NULL;
    work->count = 0;
    work->next_ms = 0;
}

static bool turn_all(struct sql_conn *conn, void *arg, struct err *err)
{
    struct turning *work = arg;
    const struct webhook_turn *turn = work->turn;
    struct heads heads;
    bool ok;

    forget(work);
    for (size_t i = 0; i < turn->result_count; i++)
        if (!write_result(conn, turn, &turn->results[i], err))
            return false;
    if (!take_back(conn, turn, err))
        return false;
    ok = read_heads(conn, &heads, err) && claim_due(conn, work, &heads, err) &&
         read_next(conn, work, &heads, err);
    heads_free(&heads);
    return ok;
}

static bool turn(struct backend *b, const struct webhook_turn *turn,
    struct webhook_job **out, size_t *count, int64_t *next_ms, struct err *err)
{
    struct turning work = {.turn = turn};
    bool ok = sqlite_write(b, turn_all, &work, err);

    if (!ok)
        forget(&work);
    *out = work.jobs;
    *count = work.count;
    *next_ms = work.next_ms;
    return ok;
}

static bool free_all(struct sql_conn *conn, void *arg, struct err *err)
{
    struct sql q = sql_begin(
        conn, "UPDATE webhook_delivery SET state = 1, holder = NULL WHERE state = 2");

    (void)arg;
    return sql_run(&q, err);
}

static bool free_leases(struct backend *b, struct err *err)
{
    return sqlite_write(b, free_all, NULL, err);
}

const struct webhook_ops sqlite_webhook_ops = {
    .put = put,
    .turn = turn,
    .free_leases = free_leases,
    .list = sqlite_list_webhooks,
    .attempts = sqlite_list_webhook_attempts,
    .body = sqlite_read_webhook_body,
    .replay = sqlite_replay_webhooks,
    .sweep = sqlite_sweep_webhooks,
};
