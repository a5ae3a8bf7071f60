/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads emptied, and records taken away for good. */
#include <stdlib.h>
#include <string.h>

#include "records/records_int.h"

/* ---- pruning ---- */

struct pruning {
    struct records *records;
    const struct records_place *place;
    const struct records_cursor *until;
    size_t limit;
    size_t count;
    bool more;
};

static bool read_prunable(struct sql_conn *conn, int64_t part, struct pruning *work,
    int64_t **ids, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT id FROM record WHERE part = ? AND pruned = 0 "
                                   "AND (updated, uuid) <= (?, ?) ORDER BY updated, uuid "
                                   "LIMIT ?");
    enum sql_result step;

    sql_i64(&q, part);
    sql_i64(&q, work->until->updated_us);
    sql_blob(&q, work->until->uuid, RECORDS_UUID_LEN);
    sql_i64(&q, (int64_t)work->limit + 1);
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        if (work->count == work->limit) {
            work->more = true;
            break;
        }
        *ids = sql_room(*ids, work->count, sizeof **ids);
        (*ids)[work->count++] = sql_take_i64(&q, 0);
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

bool record_prune(struct sql_conn *conn, int64_t record, int64_t now_us, struct err *err)
{
    struct sql q =
        sql_begin(conn, "UPDATE record SET pruned = ?, payload = x'' WHERE id = ?");

    sql_i64(&q, now_us);
    sql_i64(&q, record);
    if (!sql_run(&q, err))
        return false;
    q = sql_begin(conn, "UPDATE record_key SET state = state | 1 WHERE (part, "
                        "external_id) = (SELECT part, external_id FROM record WHERE "
                        "id = ?)");
    sql_i64(&q, record);
    return sql_run(&q, err);
}

static bool prune_some(struct sql_conn *conn, void *arg, struct err *err)
{
    struct pruning *work = arg;
    int64_t *ids = NULL, now_us;
    struct part part;
    bool ok;

    work->count = 0;
    work->more = false;
    if (!part_find(conn, work->place, &part, err))
        return false;
    if (part.id == 0)
        return true;
    ok = records_stamp(work->records, conn, &now_us, err) &&
         read_prunable(conn, part.id, work, &ids, err);
    for (size_t i = 0; ok && i < work->count; i++)
        ok = record_prune(conn, ids[i], now_us, err);
    free(ids);
    return ok;
}

bool records_prune(struct records *records, const struct records_place *place,
    const struct records_cursor *until, size_t limit, size_t *count, bool *more,
    struct err *err)
{
    struct pruning work = {
        .records = records, .place = place, .until = until, .limit = limit};
    bool ok = committer_write(records->committer, prune_some, &work, err);

    *count = ok ? work.count : 0;
    *more = ok && work.more;
    return ok;
}

/* ---- dropping ---- */

enum {
    DROP_STEP = 2000, /* records in one write */
};

struct dropping {
    int64_t part;
    bool over;
};

static bool run_for_part(
    struct sql_conn *conn, const char *text, int64_t part, int64_t limit, struct err *err)
{
    struct sql q = sql_begin(conn, text);

    sql_i64(&q, part);
    if (limit > 0)
        sql_i64(&q, limit);
    return sql_run(&q, err);
}

/* The part goes last: until then what is left is found by it. */
static bool drop_some(struct sql_conn *conn, void *arg, struct err *err)
{
    struct dropping *work = arg;

    work->over = false;
    if (!run_for_part(conn,
            "DELETE FROM record_key WHERE part = ?1 AND external_id IN (SELECT "
            "external_id FROM record WHERE part = ?1 ORDER BY updated, uuid LIMIT ?2)",
            work->part, DROP_STEP, err) ||
        !run_for_part(conn,
            "DELETE FROM record WHERE id IN (SELECT id FROM record WHERE part = ?1 "
            "ORDER BY updated, uuid LIMIT ?2)",
            work->part, DROP_STEP, err))
        return false;
    if (sql_changed(conn) == DROP_STEP)
        return true;
    work->over = true;
    return run_for_part(conn, "DELETE FROM seen WHERE part = ?", work->part, 0, err) &&
           run_for_part(conn, "DELETE FROM part WHERE id = ?", work->part, 0, err);
}

static bool drop_part(struct records *records, int64_t part, struct err *err)
{
    struct dropping work = {.part = part};

    while (!work.over)
        if (!committer_write(records->committer, drop_some, &work, err))
            return false;
    return true;
}

bool records_drop(
    struct records *records, const struct records_place *place, struct err *err)
{
    struct part part = {0};

    return records_find_part(records, place, &part, err) &&
           (part.id == 0 || drop_part(records, part.id, err));
}

/* ---- sweeping ---- */

struct swept {
    int64_t part;
    struct records_place place; /* its model, with the variant, is owned */
};

static bool read_parts(
    struct sql_conn *conn, struct swept **out, size_t *count, struct err *err)
{
    struct sql q =
        sql_begin(conn, "SELECT id, environment, connection, made, model FROM part "
                        "ORDER BY connection, made");
    enum sql_result step;

    while ((step = sql_step(&q, err)) == SQL_ROW) {
        *out = sql_room(*out, *count, sizeof **out);
        (*out)[(*count)++] = (struct swept){
            .part = sql_take_i64(&q, 0),
            .place =
                {
                    .environment_id = sql_take_i64(&q, 1),
                    .connection_id = sql_take_i64(&q, 2),
                    .made_ms = sql_take_i64(&q, 3),
                    .model = sql_take_text(&q, 4),
                },
        };
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

static void split_variant(struct records_place *place, char *model)
{
    char *separator = strstr(model, RECORDS_VARIANT);

    if (separator == NULL)
        return;
    *separator = '\0';
    place->variant = separator + strlen(RECORDS_VARIANT);
}

bool records_sweep(struct records *records,
    bool (*is_wanted)(void *arg, const struct records_place *place), void *arg,
    struct err *err)
{
    struct reader *reader = records_reader(records, err);
    struct swept *list = NULL;
    size_t count = 0;
    bool ok = reader != NULL && read_parts(reader->conn, &list, &count, err);

    records_reader_done(records, reader);
    for (size_t i = 0; i < count; i++) {
        char *model = (char *)(uintptr_t)list[i].place.model;

        split_variant(&list[i].place, model);
        if (ok && !is_wanted(arg, &list[i].place))
            ok = drop_part(records, list[i].part, err);
        free(model);
    }
    free(list);
    return ok;
}
