/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of syncs: triggered or due, claimed under a lease, ended. A sync has one row of
 * `sync_run` at most, so that nothing here can begin a second run of it. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/syncs.h"
#include "store/sqlite/webhooks.h"

/* ---- triggering ---- */

struct triggering {
    const int64_t *ids;
    size_t count;
    enum sync_trigger how;
    int64_t now_ms;
};

static bool trigger_one(
    struct sql_conn *conn, const struct triggering *work, int64_t id, struct err *err)
{
    /* What waits takes over what is asked for; what goes on is followed by another. */
    struct sql q = sql_begin(conn,
        "INSERT INTO sync_run (sync, state, due_at, attempts, reset, clear) "
        "SELECT id, 1, ?2, 0, ?3 >= 2, ?3 >= 3 FROM sync WHERE id = ?1 "
        "ON CONFLICT (sync) DO UPDATE SET "
        "reset = iif(state = 1, max(reset, excluded.reset), reset), "
        "clear = iif(state = 1, max(clear, excluded.clear), clear), "
        "due_at = iif(state = 1, min(due_at, excluded.due_at), due_at), "
        "again = iif(state = 2, max(again, ?3), again), "
        "cancelled = iif(state = 2 AND ?3 >= 2, 1, cancelled)");

    sql_i64(&q, id);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->how);
    return sql_run(&q, err);
}

static bool trigger_all(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct triggering *work = arg;

    for (size_t i = 0; i < work->count; i++)
        if (!trigger_one(conn, work, work->ids[i], err))
            return false;
    return true;
}

bool sqlite_trigger_syncs(struct backend *b, const int64_t *ids, size_t count,
    enum sync_trigger how, int64_t now_ms, struct err *err)
{
    struct triggering work = {ids, count, how, now_ms};

    return sqlite_write(b, trigger_all, &work, err);
}

/* ---- claiming ---- */

struct claiming {
    const struct sync_claim *claim;
    struct sync_run *runs;
    size_t count;
    int64_t next_ms;
};

/* A list of numbers that a query gave, before anything is changed under it. */
struct numbers {
    int64_t *list;
    size_t count;
};

static bool read_numbers(struct sql *q, struct numbers *out, struct err *err)
{
    enum sql_result step;

    *out = (struct numbers){0};
    while ((step = sql_step(q, err)) == SQL_ROW) {
        out->list = sql_room(out->list, out->count, sizeof *out->list);
        out->list[out->count++] = sql_take_i64(q, 0);
    }
    sql_end(q);
    if (step == SQL_DONE)
        return true;
    free(out->list);
    *out = (struct numbers){0};
    return false;
}

/* Runs that a schedule makes due become rows that wait; those of a disabled script are
 * left out until the next time. */
static bool make_due(
    struct sql_conn *conn, const struct claiming *work, size_t max, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT y.id FROM sync y WHERE y.due_at > 0 AND y.due_at <= ? AND NOT EXISTS "
        "(SELECT 1 FROM sync_run r WHERE r.sync = y.id) ORDER BY y.due_at, y.id "
        "LIMIT ?");
    struct numbers due;
    bool ok = true;

    sql_i64(&q, work->claim->now_ms);
    sql_i64(&q, (int64_t)max);
    if (!read_numbers(&q, &due, err))
        return false;
    for (size_t i = 0; ok && i < due.count; i++) {
        q = sql_begin(conn,
            "INSERT INTO sync_run (sync, state, due_at, attempts, reset, clear) "
            "SELECT y.id, 1, y.due_at, 0, 0, 0 FROM sync y JOIN script s ON "
            "s.id = y.script WHERE y.id = ? AND s.enabled = 1");
        sql_i64(&q, due.list[i]);
        ok = sql_run(&q, err);
        if (!ok)
            break;
        q = sql_begin(conn, "UPDATE sync SET due_at = ?1 - (?1 - created_at) % "
                            "interval_ms + interval_ms WHERE id = ?2");
        sql_i64(&q, work->claim->now_ms);
        sql_i64(&q, due.list[i]);
        ok = sql_run(&q, err);
    }
    free(due.list);
    return ok;
}

static bool begin_run(
    struct sql_conn *conn, const struct claiming *work, int64_t id, struct err *err)
{
    /* Each run is numbered once, however often it is tried; so is what it resets. */
    struct sql q = sql_begin(conn,
        "UPDATE sync SET runs = runs + (r.attempts = 0), last_sync_at = iif(r.reset AND "
        "r.attempts = 0, 0, last_sync_at) FROM sync_run r WHERE r.id = ? "
        "AND sync.id = r.sync");

    sql_i64(&q, id);
    if (!sql_run(&q, err))
        return false;
    q = sql_begin(conn,
        "UPDATE sync_run SET state = 2, holder = ?1, lease_until = ?2, "
        "started_at = iif(attempts = 0, ?3, started_at), attempts = attempts + 1, "
        "initial = (SELECT last_sync_at = 0 FROM sync y WHERE y.id = sync_run.sync) "
        "WHERE id = ?4");
    sql_text(&q, work->claim->holder);
    sql_i64(&q, work->claim->lease_until_ms);
    sql_i64(&q, work->claim->now_ms);
    sql_i64(&q, id);
    return sql_run(&q, err);
}

static bool read_run(
    struct sql_conn *conn, struct claiming *work, int64_t id, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT sync, attempts, initial, reset, clear, "
                                   "started_at FROM sync_run WHERE id = ?");
    struct sync_run run = {.id = id};
    enum sql_result step;
    int64_t sync = 0;

    sql_i64(&q, id);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        sync = sql_take_i64(&q, 0);
        run.attempts = (int)sql_take_i64(&q, 1);
        run.initial = sql_take_bool(&q, 2);
        run.reset = sql_take_bool(&q, 3);
        run.clear = sql_take_bool(&q, 4);
        run.started_at_ms = sql_take_i64(&q, 5);
    }
    sql_end(&q);
    if (step != SQL_ROW)
        return step == SQL_DONE;
    q = sql_begin(conn, SYNC_SELECT "WHERE y.id = ?");
    sql_i64(&q, sync);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        run.sync = sqlite_take_sync(&q);
        run.number = run.sync->runs;
        work->runs = sql_room(work->runs, work->count, sizeof *work->runs);
        work->runs[work->count++] = run;
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

/* When there will be something to do, if nothing happens until then. */
static bool read_next(struct sql_conn *conn, struct claiming *work, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT min(t) FROM (SELECT * FROM (SELECT y.due_at AS t FROM sync y WHERE "
        "y.due_at > 0 AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.sync = y.id) "
        "ORDER BY y.due_at, y.id LIMIT 1) UNION ALL SELECT min(due_at) FROM sync_run "
        "WHERE state = 1 "
        "UNION ALL SELECT min(lease_until) FROM sync_run WHERE state = 2)");
    enum sql_result step = sql_step(&q, err);

    if (step == SQL_ROW)
        work->next_ms = sql_take_i64(&q, 0);
    sql_end(&q);
    return step == SQL_ROW;
}

static void forget(struct claiming *work)
{
    store_sync_runs_free(work->runs, work->count);
    work->runs = NULL;
    work->count = 0;
    work->next_ms = 0;
}

static bool claim_all(struct sql_conn *conn, void *arg, struct err *err)
{
    struct claiming *work = arg;
    const struct sync_claim *claim = work->claim;
    struct numbers ids;
    struct sql q;
    bool ok;

    forget(work);
    if (!make_due(conn, work, claim->max, err))
        return false;
    /* First what nobody renews: it is late already. */
    q = sql_begin(conn,
        "SELECT id FROM (SELECT id, 0 AS place, lease_until AS t FROM sync_run WHERE "
        "state = 2 AND lease_until < ?1 UNION ALL SELECT id, 1, due_at FROM sync_run "
        "WHERE state = 1 AND due_at <= ?1) ORDER BY place, t, id LIMIT ?2");
    sql_i64(&q, claim->now_ms);
    sql_i64(&q, (int64_t)claim->max);
    if (!read_numbers(&q, &ids, err))
        return false;
    ok = true;
    for (size_t i = 0; ok && i < ids.count; i++)
        ok = begin_run(conn, work, ids.list[i], err) &&
             read_run(conn, work, ids.list[i], err);
    free(ids.list);
    return ok && read_next(conn, work, err);
}

bool sqlite_claim_sync_runs(struct backend *b, const struct sync_claim *claim,
    struct sync_run **out, size_t *count, int64_t *next_ms, struct err *err)
{
    struct claiming work = {.claim = claim};
    bool ok = sqlite_write(b, claim_all, &work, err);

    if (!ok)
        forget(&work);
    *out = work.runs;
    *count = work.count;
    *next_ms = work.next_ms;
    return ok;
}

/* ---- while they run ---- */

struct renewing {
    const char *holder;
    int64_t lease_until_ms;
    struct numbers kept;
};

static bool renew_all(struct sql_conn *conn, void *arg, struct err *err)
{
    struct renewing *work = arg;
    struct sql q = sql_begin(
        conn, "UPDATE sync_run SET lease_until = ? WHERE state = 2 AND holder = ?");

    free(work->kept.list);
    work->kept = (struct numbers){0};
    sql_i64(&q, work->lease_until_ms);
    sql_text(&q, work->holder);
    if (!sql_run(&q, err))
        return false;
    q = sql_begin(
        conn, "SELECT id FROM sync_run WHERE state = 2 AND holder = ? AND cancelled = 0");
    sql_text(&q, work->holder);
    return read_numbers(&q, &work->kept, err);
}

bool sqlite_renew_sync_runs(struct backend *b, const char *holder, int64_t lease_until_ms,
    int64_t **kept, size_t *count, struct err *err)
{
    struct renewing work = {.holder = holder, .lease_until_ms = lease_until_ms};
    bool ok = sqlite_write(b, renew_all, &work, err);

    if (!ok) {
        free(work.kept.list);
        work.kept = (struct numbers){0};
    }
    *kept = work.kept.list;
    *count = work.kept.count;
    return ok;
}

/* ---- the end ---- */

struct ending {
    const struct sync_end *end;
    bool kept;
};

static bool note_end(struct sql_conn *conn, const struct sync_end *end, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE sync SET started_at = r.started_at, finished_at = ?1, succeeded = ?2, "
        "result = ?3, initial = r.initial, "
        "last_sync_at = iif(?2, r.started_at, last_sync_at) "
        "FROM sync_run r WHERE r.id = ?4 AND sync.id = r.sync");

    sql_i64(&q, end->now_ms);
    sql_i64(&q, end->succeeded);
    sql_text(&q, end->result_json);
    sql_i64(&q, end->run_id);
    return sql_run(&q, err);
}

/* Another try of the same, another run that was asked for meanwhile, or none. */
static bool end_row(struct sql_conn *conn, const struct sync_end *end, struct err *err)
{
    struct sql q;

    if (end->retry_at_ms > 0) {
        q = sql_begin(conn, "UPDATE sync_run SET state = 1, due_at = ?, holder = NULL, "
                            "lease_until = 0 WHERE id = ? AND again = 0");
        sql_i64(&q, end->retry_at_ms);
        sql_i64(&q, end->run_id);
        if (!sql_run(&q, err))
            return false;
        if (sql_changed(conn) > 0)
            return true;
    }
    q = sql_begin(conn,
        "UPDATE sync_run SET state = 1, due_at = ?, attempts = 0, reset = again >= 2, "
        "clear = again >= 3, again = 0, cancelled = 0, holder = NULL, lease_until = 0 "
        "WHERE id = ? AND again > 0");
    sql_i64(&q, end->now_ms);
    sql_i64(&q, end->run_id);
    if (!sql_run(&q, err))
        return false;
    if (sql_changed(conn) > 0)
        return true;
    q = sql_begin(conn, "DELETE FROM sync_run WHERE id = ?");
    sql_i64(&q, end->run_id);
    return sql_run(&q, err);
}

static bool end_run(struct sql_conn *conn, void *arg, struct err *err)
{
    struct ending *work = arg;
    const struct sync_end *end = work->end;
    struct sql q = sql_begin(
        conn, "SELECT 1 FROM sync_run WHERE id = ? AND state = 2 AND holder = ?");
    enum sql_result step;

    sql_i64(&q, end->run_id);
    sql_text(&q, end->holder);
    step = sql_step(&q, err);
    sql_end(&q);
    work->kept = step == SQL_ROW;
    if (step != SQL_ROW)
        return step == SQL_DONE;
    return (end->retry_at_ms > 0 || note_end(conn, end, err)) &&
           end_row(conn, end, err) &&
           sqlite_insert_webhooks(conn, end->webhooks, end->now_ms, err);
}

bool sqlite_end_sync_run(
    struct backend *b, const struct sync_end *end, bool *kept, struct err *err)
{
    struct ending work = {end, false};
    bool ok = sqlite_write(b, end_run, &work, err);

    *kept = ok && work.kept;
    return ok;
}

static bool free_all(struct sql_conn *conn, void *arg, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE sync_run SET lease_until = 0 WHERE state = 2");

    (void)arg;
    return sql_run(&q, err);
}

bool sqlite_free_sync_runs(struct backend *b, struct err *err)
{
    return sqlite_write(b, free_all, NULL, err);
}
