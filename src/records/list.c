/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: rows are opened one by one, while they are stepped through. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "records/records_int.h"

#define COLUMNS                                                                          \
    "r.external_id, r.uuid, r.created, r.updated, r.deleted, r.pruned, r.payload"

/* The parts of a statement that depend on the query: few enough texts that each is
 * prepared once for a connection. */
#define WANTED                                                                           \
    " (r.updated, r.uuid) > (?2, ?3) AND (?4 = 0 OR (?4 & 1 AND r.deleted = 0 AND "      \
    "r.created = r.updated) OR (?4 & 2 AND r.deleted = 0 AND r.created != r.updated) "   \
    "OR (?4 & 4 AND r.deleted > 0)) ORDER BY "
#define PAGE " LIMIT ?5 OFFSET ?6"
/* In the order of an index: nothing is sorted. */
#define WALK(order)                                                                      \
    "SELECT " COLUMNS " FROM record r WHERE r.part = ?1 AND" WANTED order PAGE
#define WALK_KEYS(order)                                                                 \
    "SELECT " COLUMNS " FROM record_key k CROSS JOIN record r ON r.id = k.record WHERE " \
    "k.part = ?1 AND" WANTED order PAGE
/* What is sorted is in memory until the last of it is read: the ids, not the payloads. */
#define SORT(order)                                                                      \
    "SELECT " COLUMNS                                                                    \
    " FROM (SELECT r.id FROM record r WHERE r.part = ?1 AND" WANTED order PAGE           \
    ") p CROSS JOIN record r ON r.id = p.id"

static const char *const selects[][2] = {
    [RECORDS_BY_CURSOR] = {WALK("r.updated, r.uuid"),
        WALK("r.updated DESC, r.uuid DESC")},
    [RECORDS_BY_ID] = {SORT("r.external_id"), SORT("r.external_id DESC")},
    [RECORDS_BY_CREATED] = {SORT("r.created, r.external_id"),
        SORT("r.created DESC, r.external_id DESC")},
    [RECORDS_BY_UPDATED] = {SORT("r.updated, r.external_id"),
        SORT("r.updated DESC, r.external_id DESC")},
};
/* By id, of all times. */
static const char *const by_keys[2] = {
    WALK_KEYS("k.external_id"), WALK_KEYS("k.external_id DESC")};

struct reading {
    struct records *records;
    struct reader *reader;
    bool (*each)(void *arg, const struct record *record);
    void *arg;
    struct buf text; /* of the record at hand */
    bool enough;
};

/* A pruned one has its id alone. */
static void put_pruned(struct buf *out, const char *external_id)
{
    buf_clear(out);
    buf_puts(out, "{\"id\":");
    json_append_string(out, external_id);
    buf_putc(out, '}');
}

static bool read_row(struct reading *reading, const struct sql *q, struct err *err)
{
    struct record record = {
        .created_us = sql_take_i64(q, 2),
        .at.updated_us = sql_take_i64(q, 3),
        .deleted_us = sql_take_i64(q, 4),
        .pruned_us = sql_take_i64(q, 5),
    };
    bool ok = true;

    record.external_id = (const char *)sqlite3_column_text(q->stmt, 0);
    memcpy(record.at.uuid, sqlite3_column_blob(q->stmt, 1), RECORDS_UUID_LEN);
    if (record.pruned_us > 0)
        put_pruned(&reading->text, record.external_id);
    else
        ok = payload_unpack(reading->records, reading->reader, record.at.uuid,
            sqlite3_column_blob(q->stmt, 6), (size_t)sqlite3_column_bytes(q->stmt, 6),
            &reading->text, err);
    if (ok) {
        record.payload = (struct json_raw){reading->text.data, reading->text.len};
        reading->enough = !reading->each(reading->arg, &record);
    }
    return ok;
}

/* What the first one is after: the index is entered there. */
static void find_start(const struct records_query *query, struct records_cursor *out)
{
    out->updated_us = query->modified_since_us - 1;
    memset(out->uuid, 0xff, RECORDS_UUID_LEN);
    if (query->after != NULL && query->after->updated_us > out->updated_us)
        *out = *query->after;
}

static void bind(struct sql *q, int64_t part, const struct records_query *query,
    const struct records_cursor *start)
{
    sql_i64(q, part);
    sql_i64(q, start->updated_us);
    sql_blob(q, start->uuid, RECORDS_UUID_LEN);
    sql_i64(q, query->filter);
    sql_i64(q, query->limit > 0 ? (int64_t)query->limit + 1 : -1);
    sql_i64(q, (int64_t)query->offset);
}

static bool read_all(struct reading *reading, struct sql_conn *conn, int64_t part,
    const struct records_query *query, bool *more, struct err *err)
{
    bool keys = query->order == RECORDS_BY_ID && query->after == NULL &&
                query->modified_since_us == 0;
    struct sql q = sql_begin(conn,
        keys ? by_keys[query->descending] : selects[query->order][query->descending]);
    enum sql_result step = SQL_DONE;
    size_t count = 0;
    struct records_cursor start;
    bool ok = true;

    find_start(query, &start);
    bind(&q, part, query, &start);
    while (ok && !reading->enough && (step = sql_step(&q, err)) == SQL_ROW) {
        if (query->limit > 0 && count == query->limit) {
            *more = true;
            break;
        }
        count++;
        ok = read_row(reading, &q, err);
    }
    if (ok && reading->enough) { /* the caller's choice: is there another? */
        step = sql_step(&q, err);
        *more = step == SQL_ROW;
    }
    sql_end(&q);
    return ok && step != SQL_FAILED;
}

/* ---- by their ids ---- */

static bool is_wanted(const struct records_query *query, int64_t created, int64_t updated,
    int64_t deleted, const uint8_t *uuid)
{
    unsigned kind = deleted > 0          ? RECORDS_DELETED
                    : created == updated ? RECORDS_ADDED
                                         : RECORDS_UPDATED;

    if (updated < query->modified_since_us ||
        (query->filter != 0 && (query->filter & kind) == 0))
        return false;
    return query->after == NULL || updated > query->after->updated_us ||
           (updated == query->after->updated_us &&
               memcmp(uuid, query->after->uuid, RECORDS_UUID_LEN) > 0);
}

struct hit {
    int64_t record;
    struct records_cursor at;
};

static int compare_hits(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    if (x->at.updated_us != y->at.updated_us)
        return x->at.updated_us < y->at.updated_us ? -1 : 1;
    return memcmp(x->at.uuid, y->at.uuid, RECORDS_UUID_LEN);
}

static bool find_hit(struct sql_conn *conn, int64_t part, const char *external_id,
    const struct records_query *query, struct hit *hits, size_t *count, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT r.id, r.created, r.updated, r.deleted, r.uuid FROM record_key k JOIN "
        "record r ON r.id = k.record WHERE k.part = ? AND k.external_id = ?");
    enum sql_result step;

    sql_i64(&q, part);
    sql_text(&q, external_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW && is_wanted(query, sql_take_i64(&q, 1), sql_take_i64(&q, 2),
                               sql_take_i64(&q, 3), sqlite3_column_blob(q.stmt, 4))) {
        hits[*count].record = sql_take_i64(&q, 0);
        hits[*count].at.updated_us = sql_take_i64(&q, 2);
        memcpy(hits[*count].at.uuid, sqlite3_column_blob(q.stmt, 4), RECORDS_UUID_LEN);
        ++*count;
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

static bool read_hit(
    struct reading *reading, struct sql_conn *conn, int64_t record, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT " COLUMNS " FROM record r WHERE r.id = ?");
    enum sql_result step;
    bool ok = true;

    sql_i64(&q, record);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        ok = read_row(reading, &q, err);
    sql_end(&q);
    return ok && step != SQL_FAILED;
}

static bool read_by_ids(struct reading *reading, struct sql_conn *conn, int64_t part,
    const struct records_query *query, bool *more, struct err *err)
{
    struct hit *hits = mem_zalloc(query->id_count * sizeof *hits);
    size_t count = 0;
    bool ok = true;

    for (size_t i = 0; ok && i < query->id_count; i++)
        ok = find_hit(conn, part, query->ids[i], query, hits, &count, err);
    qsort(hits, count, sizeof *hits, compare_hits);
    for (size_t i = 0, read = 0; ok && i < count; i++) {
        if (i > 0 && hits[i].record == hits[i - 1].record)
            continue; /* an id that was given twice */
        if (reading->enough || (query->limit > 0 && read == query->limit)) {
            *more = true;
            break;
        }
        read++;
        ok = read_hit(reading, conn, hits[i].record, err);
    }
    free(hits);
    return ok;
}

bool records_list(struct records *records, const struct records_query *query,
    bool (*each)(void *arg, const struct record *record), void *arg, bool *more,
    struct err *err)
{
    struct reader *reader = records_reader(records, err);
    struct reading reading = {
        .records = records, .reader = reader, .each = each, .arg = arg};
    struct part part = {0};
    bool ignored = false, ok;

    if (more == NULL)
        more = &ignored;
    *more = false;
    if (reader == NULL)
        return false;
    buf_init_secret(&reading.text, 0);
    ok = reader_begin(reader, err) && part_find(reader->conn, &query->place, &part, err);
    if (ok && part.id != 0)
        ok = query->id_count > 0
                 ? read_by_ids(&reading, reader->conn, part.id, query, more, err)
                 : read_all(&reading, reader->conn, part.id, query, more, err);
    buf_finish(&reading.text);
    records_reader_done(records, reader);
    return ok;
}

/* ---- what there is ---- */

bool records_last_cursor(struct records *records, const struct records_place *place,
    struct records_cursor *out, bool *found, struct err *err)
{
    struct reader *reader = records_reader(records, err);
    enum sql_result step = SQL_FAILED;
    struct part part = {0};

    *found = false;
    if (reader != NULL && part_find(reader->conn, place, &part, err)) {
        struct sql q =
            sql_begin(reader->conn, "SELECT updated, uuid FROM record WHERE part = ? "
                                    "ORDER BY updated DESC, uuid DESC LIMIT 1");

        sql_i64(&q, part.id);
        step = sql_step(&q, err);
        if (step == SQL_ROW) {
            *found = true;
            out->updated_us = sql_take_i64(&q, 0);
            memcpy(out->uuid, sqlite3_column_blob(q.stmt, 1), RECORDS_UUID_LEN);
        }
        sql_end(&q);
    }
    records_reader_done(records, reader);
    return step != SQL_FAILED;
}

bool records_models(struct records *records, const struct records_place *place,
    struct records_model **out, size_t *count, struct err *err)
{
    struct reader *reader = records_reader(records, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    *count = 0;
    if (reader != NULL) {
        struct sql q =
            sql_begin(reader->conn, "SELECT model, live FROM part WHERE connection = ? "
                                    "AND made = ? ORDER BY model");

        sql_i64(&q, place->connection_id);
        sql_i64(&q, place->made_ms);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            *out = sql_room(*out, *count, sizeof **out);
            (*out)[(*count)++] = (struct records_model){
                .model = sql_take_text(&q, 0), .live = sql_take_i64(&q, 1)};
        }
        sql_end(&q);
    }
    records_reader_done(records, reader);
    if (step != SQL_FAILED)
        return true;
    records_models_free(*out, *count);
    *out = NULL;
    *count = 0;
    return false;
}

void records_models_free(struct records_model *models, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(models[i].model);
    free(models);
}
