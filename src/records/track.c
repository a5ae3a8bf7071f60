/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting what an execution did not save. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "records/records_int.h"

enum {
    DELETE_STEP = 1000, /* records in one write: others want to write as well */
};

void records_ids_free(struct records_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->list[i]);
    free(ids->list);
    *ids = (struct records_ids){0};
}

/* ---- the mark ---- */

struct marking {
    const struct records_place *place;
    bool on;
};

static bool forget_seen(struct sql_conn *conn, int64_t part, struct err *err)
{
    struct sql q = sql_begin(conn, "DELETE FROM seen WHERE part = ?");

    sql_i64(&q, part);
    return sql_run(&q, err);
}

static bool mark(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct marking *work = arg;
    struct part part;
    struct sql q;

    if (!part_make(conn, work->place, &part, err))
        return false;
    if (part.tracked == work->on)
        return true;
    q = sql_begin(conn, "UPDATE part SET tracked = ? WHERE id = ?");
    sql_i64(&q, work->on);
    sql_i64(&q, part.id);
    return sql_run(&q, err) && forget_seen(conn, part.id, err);
}

bool records_track_start(
    struct records *records, const struct records_place *place, struct err *err)
{
    struct marking work = {place, true};

    return committer_write(records->committer, mark, &work, err);
}

/* ---- what was not seen ---- */

struct unseen {
    int64_t *records;
    struct records_ids ids;
};

static void unseen_free(struct unseen *unseen)
{
    free(unseen->records);
    records_ids_free(&unseen->ids);
    *unseen = (struct unseen){0};
}

/* Live records that are not in `seen`, or, where that is NULL, not in the table. */
static bool read_unseen(struct sql_conn *conn, int64_t part,
    const struct records_seen *seen, struct unseen *out, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT k.record, k.external_id FROM record_key k WHERE k.part = ?1 "
        "AND k.state < 2 AND (?2 OR NOT EXISTS (SELECT 1 FROM seen s WHERE "
        "s.part = k.part AND s.record = k.record))");
    enum sql_result step;

    *out = (struct unseen){0};
    sql_i64(&q, part);
    sql_i64(&q, seen != NULL);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        int64_t record = sql_take_i64(&q, 0);

        if (seen != NULL && seen_has(seen, record))
            continue;
        out->records = sql_room(out->records, out->ids.count, sizeof *out->records);
        out->ids.list = sql_room(out->ids.list, out->ids.count, sizeof(char *));
        out->records[out->ids.count] = record;
        out->ids.list[out->ids.count++] = sql_take_text(&q, 1);
    }
    sql_end(&q);
    if (step != SQL_FAILED)
        return true;
    unseen_free(out);
    return false;
}

/* ---- deleting it ---- */

struct deleting {
    struct records *records;
    int64_t part;
    const int64_t *list;
    size_t count;
};

static bool delete_one(
    struct sql_conn *conn, int64_t record, int64_t now_us, bool *deleted, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE record SET deleted = ?1, updated = ?1 "
                                   "WHERE id = ?2 AND deleted = 0");

    sql_i64(&q, now_us);
    sql_i64(&q, record);
    if (!sql_run(&q, err))
        return false;
    *deleted = sql_changed(conn) > 0;
    if (!*deleted)
        return true;
    q = sql_begin(conn, "UPDATE record_key SET state = state | 2 WHERE part = (SELECT "
                        "part FROM record WHERE id = ?1) AND external_id = (SELECT "
                        "external_id FROM record WHERE id = ?1)");
    sql_i64(&q, record);
    return sql_run(&q, err);
}

static bool delete_some(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct deleting *work = arg;
    int64_t now_us, live = 0;

    if (!records_stamp(work->records, conn, &now_us, err))
        return false;
    for (size_t i = 0; i < work->count; i++) {
        bool deleted;

        if (!delete_one(conn, work->list[i], now_us, &deleted, err))
            return false;
        live -= deleted;
    }
    return part_count(conn, work->part, live, err);
}

/* In steps. One that ends in between leaves the mark, and the rest is deleted by the next
 * execution that comes this far. */
static bool delete_unseen(struct records *records, int64_t part,
    const struct records_seen *seen, struct records_ids *deleted, struct err *err)
{
    struct reader *reader = records_reader(records, err);
    struct unseen unseen = {0};
    bool ok = reader != NULL && read_unseen(reader->conn, part, seen, &unseen, err);

    records_reader_done(records, reader);
    for (size_t at = 0; ok && at < unseen.ids.count; at += DELETE_STEP) {
        size_t left = unseen.ids.count - at;
        struct deleting work = {
            records, part, unseen.records + at, left < DELETE_STEP ? left : DELETE_STEP};

        ok = committer_write(records->committer, delete_some, &work, err);
    }
    if (ok) {
        *deleted = unseen.ids;
        unseen.ids = (struct records_ids){0};
    }
    unseen_free(&unseen);
    return ok;
}

bool records_track_end(struct records *records, const struct records_place *place,
    bool *was_tracked, struct records_ids *deleted, struct err *err)
{
    struct marking work = {place, false};
    struct part part = {0};

    *deleted = (struct records_ids){0};
    *was_tracked = false;
    if (!records_find_part(records, place, &part, err))
        return false;
    if (!part.tracked)
        return true;
    *was_tracked = true;
    if (!delete_unseen(records, part.id, NULL, deleted, err))
        return false;
    if (committer_write(records->committer, mark, &work, err))
        return true;
    records_ids_free(deleted);
    return false;
}

bool records_delete_unseen(struct records *records, const struct records_place *place,
    const struct records_seen *seen, struct records_ids *deleted, struct err *err)
{
    struct part part = {0};

    *deleted = (struct records_ids){0};
    return records_find_part(records, place, &part, err) &&
           (part.id == 0 || delete_unseen(records, part.id, seen, deleted, err));
}
