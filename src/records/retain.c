/* SPDX-License-Identifier: Apache-2.0 */
/* Retention by age: payloads of records that have not changed for long are emptied, as
 * pruning does (contract runner-sdk.md section 5), in writes of bounded size, so that
 * those who save wait for none of them long.
 *
 * A part remembers how far it was emptied. A record before that which is saved again as it
 * was gets its payload back and keeps it until it changes: it would else be emptied at
 * each sweep and restored at each run. */
#include <stdlib.h>

#include "records/records_int.h"

enum {
    STEP = 1000, /* records in one write */
};

struct retaining {
    struct records *records;
    int64_t part;
    int64_t before_us;
    size_t emptied;
};

struct due {
    int64_t *parts;
    size_t count;
};

static bool read_due(
    struct sql_conn *conn, int64_t before_us, struct due *out, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT id FROM part WHERE emptied < ?1 AND EXISTS (SELECT 1 FROM record r WHERE "
        "r.part = part.id AND r.updated >= part.emptied AND r.updated < ?1)");
    enum sql_result step;

    sql_i64(&q, before_us);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        out->parts = sql_room(out->parts, out->count, sizeof *out->parts);
        out->parts[out->count++] = sql_take_i64(&q, 0);
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

struct found {
    int64_t ids[STEP];
    size_t count;
    int64_t last_us; /* of the last one's change */
};

/* What was pruned already is passed over, once. */
static bool read_old(struct sql_conn *conn, const struct retaining *work,
    struct found *out, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT r.id, r.updated FROM record r JOIN part p ON p.id = r.part "
        "WHERE r.part = ? AND r.updated >= p.emptied AND r.updated < ? AND r.pruned = 0 "
        "ORDER BY r.updated, r.uuid LIMIT ?");
    enum sql_result step;

    out->count = 0;
    sql_i64(&q, work->part);
    sql_i64(&q, work->before_us);
    sql_i64(&q, STEP);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        out->ids[out->count++] = sql_take_i64(&q, 0);
        out->last_us = sql_take_i64(&q, 1);
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

/* Others of the last one's moment may be left: the mark stays at that. */
static bool mark(struct sql_conn *conn, const struct retaining *work,
    const struct found *found, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE part SET emptied = ? WHERE id = ?");

    sql_i64(&q, found->count == STEP ? found->last_us : work->before_us);
    sql_i64(&q, work->part);
    return sql_run(&q, err);
}

static bool empty_some(struct sql_conn *conn, void *arg, struct err *err)
{
    struct retaining *work = arg;
    struct found found;
    int64_t now_us;

    work->emptied = 0;
    if (!records_stamp(work->records, conn, &now_us, err) ||
        !read_old(conn, work, &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        if (!record_prune(conn, found.ids[i], now_us, err))
            return false;
    }
    work->emptied = found.count;
    return mark(conn, work, &found, err);
}

bool records_retain(struct records *records, int64_t before_us, size_t limit,
    size_t *emptied, struct err *err)
{
    struct reader *reader = records_reader(records, err);
    struct retaining work = {.records = records, .before_us = before_us};
    struct due due = {0};
    bool ok = reader != NULL && read_due(reader->conn, before_us, &due, err);

    records_reader_done(records, reader);
    *emptied = 0;
    for (size_t i = 0; ok && i < due.count; i++) {
        work.part = due.parts[i];
        do {
            ok = *emptied < limit &&
                 committer_write(records->committer, empty_some, &work, err);
            if (ok)
                *emptied += work.emptied;
        } while (ok && work.emptied == STEP);
    }
    free(due.parts);
    return ok || *emptied >= limit;
}
