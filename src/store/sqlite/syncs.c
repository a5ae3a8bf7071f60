/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: made beside scripts and connections, listed, paused, given another rhythm.
 * Their runs are sync_runs.c's. */
#include "store/sqlite/syncs.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/frequency.h"

struct sync_row *sqlite_take_sync(const struct sql *q)
{
    struct sync_row *row = MEM_NEW(struct sync_row);

    row->id = sql_take_i64(q, 0);
    sql_take_fixed(q, 1, row->uuid, sizeof row->uuid);
    row->environment_id = sql_take_i64(q, 2);
    row->integration_id = sql_take_i64(q, 3);
    row->connection_row = sql_take_i64(q, 4);
    row->connection_id = sql_take_text(q, 5);
    row->provider_config_key = sql_take_text(q, 6);
    row->script_id = sql_take_i64(q, 7);
    row->name = sql_take_text(q, 8);
    row->variant = sql_take_text(q, 9);
    row->models_json = sql_take_text(q, 10);
    row->frequency = sql_take_text(q, 11);
    row->interval_ms = sql_take_i64(q, 12);
    row->paused = sql_take_bool(q, 13);
    row->due_at_ms = sql_take_i64(q, 14);
    row->runs = sql_take_i64(q, 15);
    row->last_sync_ms = sql_take_i64(q, 16);
    row->created_at_ms = sql_take_i64(q, 17);
    row->running = sql_take_bool(q, 18);
    row->initial = sql_take_bool(q, 19);
    row->started_at_ms = sql_take_i64(q, 20);
    row->finished_at_ms = sql_take_i64(q, 21);
    row->succeeded = sql_take_bool(q, 22);
    row->result_json = sql_take_text(q, 23);
    row->connection_made_ms = sql_take_i64(q, 24);
    return row;
}

static bool list_syncs(struct backend *b, const struct sync_filter *filter,
    struct sync_row ***out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;
    struct sync_row **rows = NULL;
    size_t n = 0;

    *out = NULL;
    *count = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            SYNC_SELECT "WHERE y.environment = ?1 AND (?2 = 0 OR c.integration = ?2) "
                        "AND (?3 = 0 OR y.connection = ?3) "
                        "AND (?4 IS NULL OR s.name = ?4) "
                        "AND (?5 IS NULL OR y.variant = ?5) "
                        "ORDER BY s.name, y.variant, y.connection, y.id");

        sql_i64(&q, filter->environment_id);
        sql_i64(&q, filter->integration_id);
        sql_i64(&q, filter->connection_row);
        sql_text(&q, filter->name);
        sql_text(&q, filter->variant);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, n, sizeof *rows);
            rows[n++] = sqlite_take_sync(&q);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_syncs_free(rows, n);
        return false;
    }
    *out = rows;
    *count = n;
    return true;
}

/* ---- making ---- */

/* What a deploy took was checked, but for those of the first releases: without a frequency
 * that we can read a sync runs only when it is triggered. */
static int64_t interval_of(const char *frequency)
{
    struct err ignored = {0};
    int64_t interval_ms;

    if (frequency == NULL || !frequency_parse(frequency, &interval_ms, &ignored))
        return 0;
    return interval_ms;
}

struct making {
    int64_t environment_id;
    int64_t connection;
    int64_t script;
    const char *variant;
    int64_t interval_ms;
    bool auto_start;
    int64_t now_ms;
};

/* A new one runs at once, unless it is to be started by hand. */
static bool insert_sync(struct sql_conn *conn, const struct making *work,
    char uuid[UUID_TEXT_SIZE], struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO sync (uuid, environment, connection, script, variant, interval_ms, "
        "paused, due_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

    crypto_uuid_v4(uuid);
    sql_text(&q, uuid);
    sql_i64(&q, work->environment_id);
    sql_i64(&q, work->connection);
    sql_i64(&q, work->script);
    sql_text(&q, work->variant);
    sql_i64(&q, work->interval_ms);
    sql_i64(&q, !work->auto_start);
    sql_i64(&q, work->auto_start && work->interval_ms > 0 ? work->now_ms : 0);
    sql_i64(&q, work->now_ms);
    return sql_run(&q, err);
}

#define LACKING                                                                          \
    "SELECT c.environment, c.id, s.id, v.runs, v.auto_start FROM script s "              \
    "JOIN script_version v ON v.script = s.id AND v.active = 1 "                         \
    "JOIN connection c ON c.integration = s.integration AND c.deleted_at = 0 "           \
    "WHERE s.kind = 'sync' AND s.deleted_at = 0 AND NOT EXISTS (SELECT 1 FROM sync y "   \
    "WHERE y.connection = c.id AND y.script = s.id AND y.variant = '" SYNC_BASE "') "

/* Makes what `q`, a LACKING, lists. */
static bool insert_lacking(
    struct sql_conn *conn, struct sql *q, int64_t now_ms, struct err *err)
{
    struct making *list = NULL;
    size_t count = 0;
    enum sql_result step;
    bool ok;

    while ((step = sql_step(q, err)) == SQL_ROW) {
        char *runs = sql_take_text(q, 3);

        list = sql_room(list, count, sizeof *list);
        list[count++] = (struct making){
            .environment_id = sql_take_i64(q, 0),
            .connection = sql_take_i64(q, 1),
            .script = sql_take_i64(q, 2),
            .variant = SYNC_BASE,
            .interval_ms = interval_of(runs),
            .auto_start = sql_take_bool(q, 4),
            .now_ms = now_ms,
        };
        free(runs);
    }
    sql_end(q);
    ok = step != SQL_FAILED;
    for (size_t i = 0; ok && i < count; i++) {
        char uuid[UUID_TEXT_SIZE];

        ok = insert_sync(conn, &list[i], uuid, err);
    }
    free(list);
    return ok;
}

bool sqlite_schedule_connection(
    struct sql_conn *conn, int64_t connection, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn, LACKING "AND c.id = ?");

    sql_i64(&q, connection);
    return insert_lacking(conn, &q, now_ms, err);
}

/* The first time after ?2 in the sync's rhythm, which its creation began; 0 where it has
 * none. */
#define NEXT_DUE "iif(?1 <= 0, 0, ?2 - (?2 - created_at) % ?1 + ?1)"

static bool change_rhythm(struct sql_conn *conn, int64_t script_id, int64_t interval_ms,
    int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE sync SET interval_ms = ?1, due_at = iif(paused, 0, " NEXT_DUE
        ") WHERE script = ?3 AND frequency IS NULL AND interval_ms != ?1");

    sql_i64(&q, interval_ms);
    sql_i64(&q, now_ms);
    sql_i64(&q, script_id);
    return sql_run(&q, err);
}

bool sqlite_schedule_script(
    struct sql_conn *conn, int64_t script_id, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT v.runs FROM script_version v JOIN script s ON "
                                   "s.id = v.script WHERE v.script = ? AND v.active = 1 "
                                   "AND s.kind = 'sync'");
    enum sql_result step;
    char *runs = NULL;
    bool ok;

    sql_i64(&q, script_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        runs = sql_take_text(&q, 0);
    sql_end(&q);
    if (step != SQL_ROW)
        return step == SQL_DONE;
    ok = change_rhythm(conn, script_id, interval_of(runs), now_ms, err);
    free(runs);
    if (!ok)
        return false;
    q = sql_begin(conn, LACKING "AND s.id = ?");
    sql_i64(&q, script_id);
    return insert_lacking(conn, &q, now_ms, err);
}

bool sqlite_schedule_all(struct sql_conn *conn, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin_once(conn, LACKING);

    return insert_lacking(conn, &q, now_ms, err);
}

/* ---- commands ---- */

struct pausing {
    const int64_t *ids;
    size_t count;
    bool paused;
    int64_t now_ms;
};

static bool pause_all(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct pausing *work = arg;

    for (size_t i = 0; i < work->count; i++) {
        struct sql q = sql_begin(conn,
            "UPDATE sync SET paused = ?1, due_at = iif(?1 OR interval_ms = 0, 0, "
            "?2 - (?2 - created_at) % interval_ms + interval_ms) "
            "WHERE id = ?3 AND paused != ?1");

        sql_i64(&q, work->paused);
        sql_i64(&q, work->now_ms);
        sql_i64(&q, work->ids[i]);
        if (!sql_run(&q, err))
            return false;
    }
    return true;
}

static bool pause_syncs(struct backend *b, const int64_t *ids, size_t count, bool paused,
    int64_t now_ms, struct err *err)
{
    struct pausing work = {ids, count, paused, now_ms};

    return sqlite_write(b, pause_all, &work, err);
}

struct retiming {
    int64_t id;
    const char *frequency;
    int64_t now_ms;
    char *shown;
};

static bool read_frequency(struct sql_conn *conn, struct retiming *work, struct err *err)
{
    struct sql q =
        sql_begin(conn, "SELECT coalesce(?, v.runs) FROM sync y JOIN script_version v ON "
                        "v.script = y.script AND v.active = 1 WHERE y.id = ?");
    enum sql_result step;

    free(work->shown);
    work->shown = NULL;
    sql_text(&q, work->frequency);
    sql_i64(&q, work->id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        work->shown = sql_take_text(&q, 0);
    sql_end(&q);
    if (step == SQL_DONE)
        err_set(err, 404, "unknown_sync", "the sync does not exist");
    return step == SQL_ROW;
}

static bool retime(struct sql_conn *conn, void *arg, struct err *err)
{
    struct retiming *work = arg;
    struct sql q;

    if (!read_frequency(conn, work, err))
        return false;
    q = sql_begin(conn,
        "UPDATE sync SET interval_ms = ?1, due_at = iif(paused, 0, " NEXT_DUE
        "), frequency = ?3 WHERE id = ?4");
    sql_i64(&q, interval_of(work->shown));
    sql_i64(&q, work->now_ms);
    sql_text(&q, work->frequency);
    sql_i64(&q, work->id);
    return sql_run(&q, err);
}

static bool set_frequency(struct backend *b, int64_t id, const char *frequency,
    int64_t now_ms, char **shown, struct err *err)
{
    struct retiming work = {id, frequency, now_ms, NULL};
    bool ok = sqlite_write(b, retime, &work, err);

    if (!ok) {
        free(work.shown);
        work.shown = NULL;
    }
    *shown = work.shown;
    return ok;
}

struct varying {
    const struct sync_variant *variant;
    int64_t now_ms;
    char *uuid;
};

/* The base sync's script and settings: a variant is another of the same. */
static bool find_base(struct sql_conn *conn, const struct varying *work,
    struct making *out, int64_t *variants, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT s.id, v.runs, v.auto_start, (SELECT count(*) FROM sync y WHERE "
        "y.script = s.id AND y.connection = c.id) FROM connection c "
        "JOIN script s ON s.integration = c.integration AND s.deleted_at = 0 "
        "AND s.kind = 'sync' "
        "JOIN script_version v ON v.script = s.id AND v.active = 1 "
        "WHERE c.id = ? AND c.environment = ? AND c.deleted_at = 0 AND s.name = ?");
    enum sql_result step;
    char *runs;

    sql_i64(&q, work->variant->connection_row);
    sql_i64(&q, work->variant->environment_id);
    sql_text(&q, work->variant->name);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        runs = sql_take_text(&q, 1);
        *out = (struct making){
            .environment_id = work->variant->environment_id,
            .connection = work->variant->connection_row,
            .script = sql_take_i64(&q, 0),
            .variant = work->variant->variant,
            .interval_ms = interval_of(runs),
            .auto_start = sql_take_bool(&q, 2),
            .now_ms = work->now_ms,
        };
        *variants = sql_take_i64(&q, 3);
        free(runs);
    }
    sql_end(&q);
    if (step == SQL_DONE)
        err_set(err, 404, "unknown_sync", "the connection has no such sync");
    return step == SQL_ROW;
}

static bool is_there(
    struct sql_conn *conn, const struct making *sync, bool *there, struct err *err)
{
    struct sql q = sql_begin(
        conn, "SELECT 1 FROM sync WHERE connection = ? AND script = ? AND variant = ?");
    enum sql_result step;

    sql_i64(&q, sync->connection);
    sql_i64(&q, sync->script);
    sql_text(&q, sync->variant);
    step = sql_step(&q, err);
    sql_end(&q);
    *there = step == SQL_ROW;
    return step != SQL_FAILED;
}

static bool make_variant(struct sql_conn *conn, void *arg, struct err *err)
{
    struct varying *work = arg;
    struct making sync;
    int64_t variants = 0;
    bool there = false;

    if (!find_base(conn, work, &sync, &variants, err) ||
        !is_there(conn, &sync, &there, err))
        return false;
    if (there)
        return err_set(err, 409, "sync_variant_already_exists",
            "the sync has that variant already for this connection");
    if (variants > SYNC_MAX_VARIANTS)
        return err_set(err, 400, "resource_capped",
            "a sync has at most %d variants for a connection", SYNC_MAX_VARIANTS);
    return insert_sync(conn, &sync, work->uuid, err);
}

static bool create_variant(struct backend *b, const struct sync_variant *variant,
    int64_t now_ms, char uuid[UUID_TEXT_SIZE], struct err *err)
{
    struct varying work = {variant, now_ms, uuid};

    return sqlite_write(b, make_variant, &work, err);
}

struct deleting {
    int64_t id;
    bool found;
};

static bool delete_one(struct sql_conn *conn, void *arg, struct err *err)
{
    struct deleting *work = arg;
    struct sql q = sql_begin(conn, "DELETE FROM sync WHERE id = ?");

    sql_i64(&q, work->id);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    return true;
}

static bool remove_sync(struct backend *b, int64_t id, bool *found, struct err *err)
{
    struct deleting work = {id, false};
    bool ok = sqlite_write(b, delete_one, &work, err);

    *found = ok && work.found;
    return ok;
}

struct dating {
    int64_t id;
    int64_t last_sync_ms;
};

static bool set_date(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct dating *work = arg;
    struct sql q = sql_begin(conn, "UPDATE sync SET last_sync_at = ? WHERE id = ?");

    sql_i64(&q, work->last_sync_ms);
    sql_i64(&q, work->id);
    return sql_run(&q, err);
}

static bool set_last_sync(
    struct backend *b, int64_t sync_id, int64_t last_sync_ms, struct err *err)
{
    struct dating work = {sync_id, last_sync_ms};

    return sqlite_write(b, set_date, &work, err);
}

static bool forget_all(struct sql_conn *conn, void *arg, struct err *err)
{
    size_t *count = arg;
    struct sql q =
        sql_begin(conn, "UPDATE sync SET last_sync_at = 0 WHERE last_sync_at > 0");

    if (!sql_run(&q, err))
        return false;
    *count = sql_changed(conn);
    q = sql_begin(conn, "UPDATE checkpoint SET value = NULL, version = version + 1 WHERE "
                        "key GLOB 'sync:*' AND value IS NOT NULL");
    return sql_run(&q, err);
}

static bool forget(struct backend *b, size_t *count, struct err *err)
{
    return sqlite_write(b, forget_all, count, err);
}

const struct sync_ops sqlite_sync_ops = {
    .list = list_syncs,
    .pause = pause_syncs,
    .trigger = sqlite_trigger_syncs,
    .set_frequency = set_frequency,
    .create_variant = create_variant,
    .remove = remove_sync,
    .claim = sqlite_claim_sync_runs,
    .renew = sqlite_renew_sync_runs,
    .end = sqlite_end_sync_run,
    .free_runs = sqlite_free_sync_runs,
    .forget = forget,
    .set_last_sync = set_last_sync,
};
