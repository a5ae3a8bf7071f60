/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting what is too old, and the oldest of what is too much; by a few thousand rows at
 * a time, so that writing goes on in between. Ids are times: what goes is a range of them
 * in each environment. Pages that became free are given back to the disk in small steps
 * as well. */
#include "oplog/oplog_int.h"

enum {
    STEP_ROWS = 2000,
    MIN_FREE_PAGES = 256, /* fewer are kept for what comes next */
    PARTS = 16,           /* of the time kept: one goes when the file is too large */
};

/* The first column of the first row; 0 for none. `arg`: -1 = no parameter. */
static bool ask(
    struct oplog *log, const char *text, int64_t arg, int64_t *out, struct err *err)
{
    struct sql q = sql_begin(log->conn, text);
    enum sql_result step;

    *out = 0;
    if (arg >= 0)
        sql_i64(&q, arg);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *out = sql_take_i64(&q, 0);
    sql_end(&q);
    return step != SQL_FAILED;
}

static bool size_in_use(
    struct oplog *log, int64_t *bytes, int64_t *unused, struct err *err)
{
    int64_t pages, size;

    if (!ask(log, "PRAGMA page_count", -1, &pages, err) ||
        !ask(log, "PRAGMA freelist_count", -1, unused, err) ||
        !ask(log, "PRAGMA page_size", -1, &size, err))
        return false;
    *bytes = (pages - *unused) * size;
    return true;
}

bool oplog_is_too_large(struct oplog *log)
{
    int64_t bytes, unused;

    return log->config.max_bytes > 0 && size_in_use(log, &bytes, &unused, NULL) &&
           (uint64_t)bytes > log->config.max_bytes;
}

/* ---- ranges ---- */

/* One row for each kind of thing that has a time. */
static const struct table {
    /* the environment after the one given; nothing when there is none */
    const char *next;
    /* the lowest and the highest id of an environment */
    const char *lowest, *highest;
    /* of an environment, below an id: the id behind the first STEP_ROWS; deletion */
    const char *boundary, *remove;
} tables[] = {
    {"SELECT min(environment) FROM operation WHERE environment > ?",
        "SELECT min(id) FROM operation WHERE environment = ?",
        "SELECT max(id) FROM operation WHERE environment = ?",
        "SELECT id FROM operation WHERE environment = ? AND id < ? ORDER BY id LIMIT 1 "
        "OFFSET ?",
        "DELETE FROM operation WHERE environment = ? AND id < ?"},
    /* of all environments at once */
    {"SELECT 1 FROM message WHERE ? = 0 LIMIT 1",
        "SELECT min(id) FROM message WHERE ? > 0",
        "SELECT max(id) FROM message WHERE ? > 0",
        "SELECT id FROM message WHERE ? > 0 AND id < ? ORDER BY id LIMIT 1 OFFSET ?",
        "DELETE FROM message WHERE ? > 0 AND id < ?"},
    {"SELECT min(environment) FROM call_block WHERE environment > ?",
        "SELECT min(first) FROM call_block WHERE environment = ?",
        "SELECT max(first) FROM call_block WHERE environment = ?",
        "SELECT first FROM call_block WHERE environment = ? AND first < ? ORDER BY first "
        "LIMIT 1 OFFSET ?",
        "DELETE FROM call_block WHERE environment = ? AND first < ?"},
};
#define TABLES (sizeof tables / sizeof tables[0])

/* Deletes some rows of one environment below `cut`. */
static bool remove_some(struct oplog *log, const struct table *table, int64_t environment,
    int64_t cut, bool *more, struct err *err)
{
    struct sql q = sql_begin(log->conn, table->boundary);
    enum sql_result step;

    sql_i64(&q, environment);
    sql_i64(&q, cut);
    sql_i64(&q, STEP_ROWS);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        cut = sql_take_i64(&q, 0);
        *more = true;
    }
    sql_end(&q);
    if (step == SQL_FAILED)
        return false;
    q = sql_begin(log->conn, table->remove);
    sql_i64(&q, environment);
    sql_i64(&q, cut);
    return sql_run(&q, err);
}

/* Some rows of every environment below `cut`. */
static bool remove_below(struct oplog *log, int64_t cut, bool *more, struct err *err)
{
    for (size_t i = 0; i < TABLES; i++) {
        int64_t environment = 0;

        for (;;) {
            if (!ask(log, tables[i].next, environment, &environment, err))
                return false;
            if (environment == 0)
                break;
            if (!remove_some(log, &tables[i], environment, cut, more, err))
                return false;
        }
    }
    return true;
}

/* The time that is kept, as ids; *newest 0: there is nothing. */
static bool find_span(
    struct oplog *log, int64_t *oldest, int64_t *newest, struct err *err)
{
    *oldest = INT64_MAX;
    *newest = 0;
    for (size_t i = 0; i < TABLES; i++) {
        int64_t environment = 0, low, high;

        for (;;) {
            if (!ask(log, tables[i].next, environment, &environment, err))
                return false;
            if (environment == 0)
                break;
            if (!ask(log, tables[i].lowest, environment, &low, err) ||
                !ask(log, tables[i].highest, environment, &high, err))
                return false;
            *oldest = low < *oldest ? low : *oldest;
            *newest = high > *newest ? high : *newest;
        }
    }
    return true;
}

/* ---- what goes ---- */

static bool remove_old(struct oplog *log, bool *more, struct err *err)
{
    int64_t cut_ms = clock_now_ms(log->config.clock) - log->config.retention_ms;

    return cut_ms <= 0 || remove_below(log, cut_ms << ID_SHIFT, more, err);
}

static bool remove_much(struct oplog *log, bool *more, struct err *err)
{
    int64_t oldest, newest, part;

    if (!oplog_is_too_large(log))
        return true;
    if (!find_span(log, &oldest, &newest, err))
        return false;
    if (newest == 0)
        return true;
    part = (newest - oldest) / PARTS;
    *more = true;
    return remove_below(log, oldest + part + 1, more, err);
}

/* Ends that were never told. */
static bool expire(struct oplog *log, struct err *err)
{
    struct sql q = sql_begin(log->conn,
        "UPDATE operation SET state = ?1, ended_at = ?2 WHERE state < 2 AND "
        "expires_at < ?2");

    sql_i64(&q, OPLOG_TIMEOUT);
    sql_i64(&q, clock_now_ms(log->config.clock));
    return sql_run(&q, err);
}

static bool give_back(struct oplog *log, struct err *err)
{
    int64_t bytes, unused;

    if (!size_in_use(log, &bytes, &unused, err))
        return false;
    return unused < MIN_FREE_PAGES ||
           sql_execute(log->conn, "PRAGMA incremental_vacuum(2000)", err);
}

static bool run(struct oplog *log, const char *text, struct err *err)
{
    struct sql q = sql_begin(log->conn, text);

    return sql_run(&q, err);
}

bool oplog_sweep_some(struct oplog *log, bool by_time, bool *more, struct err *err)
{
    bool ok;

    *more = false;
    ok = run(log, "BEGIN IMMEDIATE", err) &&
         (!by_time || (remove_old(log, more, err) && expire(log, err))) &&
         remove_much(log, more, err) && give_back(log, err) && run(log, "COMMIT", err);
    if (!ok && sqlite3_get_autocommit(log->conn->db) == 0)
        (void)run(log, "ROLLBACK", NULL); /* *err has the cause */
    return ok;
}
