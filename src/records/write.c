/* SPDX-License-Identifier: Apache-2.0 */
/* Batches, written: looked up and packed on the caller's thread, decided on the
 * committer's, who alone knows what is there. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "records/records_int.h"

/* What is known of a record by its key. */
struct found {
    int64_t record; /* 0 = there is none */
    int state;
    uint8_t hash[HASH_LEN];
};

static bool find_key(struct sql_conn *conn, int64_t part, const char *external_id,
    struct found *out, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT record, state, hash FROM record_key "
                                   "WHERE part = ? AND external_id = ?");
    enum sql_result step;

    out->record = 0;
    sql_i64(&q, part);
    sql_text(&q, external_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        out->record = sql_take_i64(&q, 0);
        out->state = (int)sql_take_i64(&q, 1);
        memcpy(out->hash, sqlite3_column_blob(q.stmt, 2), HASH_LEN);
    }
    sql_end(&q);
    return step != SQL_FAILED;
}

/* Is nothing to be written for it? */
static bool is_same(
    enum records_kind kind, const struct row *row, const struct found *found)
{
    bool equal = found->record != 0 && memcmp(row->hash, found->hash, HASH_LEN) == 0;

    switch (kind) {
    case RECORDS_SAVE:
        return equal && found->state == STATE_LIVE;
    case RECORDS_DELETE:
        return equal && (found->state & STATE_DELETED) != 0;
    case RECORDS_UPDATE:
        return equal || found->record == 0 || (found->state & STATE_DELETED) != 0;
    }
    return false;
}

/* ---- before the write ---- */

/* Of those that are not done. */
static bool look_up(struct sql_conn *conn, const struct records_batch *batch,
    struct rows *rows, struct part *part, size_t *to_write, struct err *err)
{
    *to_write = 0;
    if (!part_find(conn, &batch->place, part, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[i];
        struct found found = {0};

        if (row->done)
            continue;
        if (part->id != 0 && !find_key(conn, part->id, row->external_id, &found, err))
            return false;
        row->record = found.record;
        memcpy(row->found_hash, found.hash, HASH_LEN);
        row->same = is_same(batch->kind, row, &found);
        *to_write += !row->same;
    }
    return true;
}

static bool read_payload(struct records *records, struct reader *reader,
    const struct row *row, struct buf *out, struct err *err)
{
    struct sql q = sql_begin(reader->conn, "SELECT payload FROM record WHERE id = ?");
    enum sql_result step;
    bool ok = false;

    sql_i64(&q, row->record);
    step = sql_step(&q, err);
    if (step == SQL_ROW && sqlite3_column_bytes(q.stmt, 0) > 0)
        ok = payload_unpack(records, reader, row->uuid, sqlite3_column_blob(q.stmt, 0),
            (size_t)sqlite3_column_bytes(q.stmt, 0), out, err);
    else /* pruned; or gone by now, which the write finds as well */
        ok = step != SQL_FAILED;
    sql_end(&q);
    return ok;
}

/* An update's new payload is what is there, with the row laid over it. */
static bool pack_merged(
    struct records *records, struct reader *reader, struct row *row, struct err *err)
{
    struct buf before, merged;
    bool ok;

    buf_init_secret(&before, 0);
    buf_init_secret(&merged, 0);
    ok = read_payload(records, reader, row, &before, err);
    if (ok) {
        merge_json((struct json_raw){before.data, before.len}, row->text, &merged);
        ok = payload_pack(records, reader, row->uuid,
            (struct json_raw){merged.data, merged.len}, &row->packed, err);
    }
    buf_finish(&before);
    buf_finish(&merged);
    return ok;
}

static bool pack_all(struct records *records, struct reader *reader,
    const struct records_batch *batch, struct rows *rows, struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[i];
        bool ok;

        if (row->done || row->same)
            continue;
        buf_clear(&row->packed);
        ok = batch->kind == RECORDS_UPDATE
                 ? pack_merged(records, reader, row, err)
                 : payload_pack(records, reader, row->uuid, row->text, &row->packed, err);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- the write ---- */

struct writing {
    struct records *records;
    const struct records_batch *batch;
    struct rows *rows;
    /* what it did */
    struct part part;
    int64_t now_us;
    struct records_counts counts;
    int64_t live; /* more of them */
    size_t stale; /* changed since they were looked up */
};

static bool put_key(struct sql_conn *conn, const struct writing *work,
    const struct row *row, int64_t record, int state, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO record_key (part, external_id, record, hash, state) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (part, external_id) DO UPDATE SET "
        "hash = excluded.hash, state = excluded.state");

    sql_i64(&q, work->part.id);
    sql_text(&q, row->external_id);
    sql_i64(&q, record);
    sql_blob(&q, row->hash, HASH_LEN);
    sql_i64(&q, state);
    return sql_run(&q, err);
}

static int64_t deleted_at(const struct writing *work, const struct row *row)
{
    if (work->batch->kind != RECORDS_DELETE)
        return 0;
    return row->deleted_us > 0 ? row->deleted_us : work->now_us;
}

static bool insert(
    struct sql_conn *conn, struct writing *work, struct row *row, struct err *err)
{
    bool deleted = work->batch->kind == RECORDS_DELETE;
    struct sql q = sql_begin(conn,
        "INSERT INTO record (part, external_id, uuid, created, updated, deleted, pruned, "
        "payload) VALUES (?1, ?2, ?3, ?4, ?4, ?5, 0, ?6)");

    sql_i64(&q, work->part.id);
    sql_text(&q, row->external_id);
    sql_blob(&q, row->uuid, RECORDS_UUID_LEN);
    sql_i64(&q, work->now_us);
    sql_i64(&q, deleted_at(work, row));
    sql_blob(&q, row->packed.data, row->packed.len);
    if (!sql_run(&q, err))
        return false;
    row->record = sqlite3_last_insert_rowid(conn->db);
    if (deleted) { /* nobody knew it: nobody loses it */
        work->counts.unchanged++;
    } else {
        work->counts.added++;
        work->live++;
    }
    return put_key(
        conn, work, row, row->record, deleted ? STATE_DELETED : STATE_LIVE, err);
}

/* `created`: it is as one that was never there before. */
static bool overwrite(struct sql_conn *conn, const struct writing *work,
    const struct row *row, bool created, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE record SET created = iif(?1, ?2, created), updated = ?2, deleted = ?3, "
        "pruned = 0, payload = ?5 WHERE id = ?4");
    int state = work->batch->kind == RECORDS_DELETE ? STATE_DELETED : STATE_LIVE;

    sql_i64(&q, created);
    sql_i64(&q, work->now_us);
    sql_i64(&q, deleted_at(work, row));
    sql_i64(&q, row->record);
    sql_blob(&q, row->packed.data, row->packed.len);
    return sql_run(&q, err) && put_key(conn, work, row, row->record, state, err);
}

/* The payload that was pruned is there again; nothing else of it changes. */
static bool restore(struct sql_conn *conn, const struct writing *work,
    const struct row *row, struct err *err)
{
    struct sql q =
        sql_begin(conn, "UPDATE record SET pruned = 0, payload = ?2 WHERE id = ?1");

    sql_i64(&q, row->record);
    sql_blob(&q, row->packed.data, row->packed.len);
    return sql_run(&q, err) && put_key(conn, work, row, row->record, STATE_LIVE, err);
}

/* Was it changed by somebody else, after what is not to be overwritten? */
static bool is_protected(struct sql_conn *conn, const struct records_cursor *unless_after,
    int64_t record, bool *out, struct err *err)
{
    struct sql q;
    enum sql_result step;

    *out = false;
    if (unless_after == NULL)
        return true;
    q = sql_begin(conn, "SELECT (updated, uuid) > (?, ?) FROM record WHERE id = ?");
    sql_i64(&q, unless_after->updated_us);
    sql_blob(&q, unless_after->uuid, RECORDS_UUID_LEN);
    sql_i64(&q, record);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *out = sql_take_bool(&q, 0);
    sql_end(&q);
    return step == SQL_ROW;
}

static bool save_over(struct sql_conn *conn, struct writing *work, struct row *row,
    const struct found *found, struct err *err)
{
    if ((found->state & STATE_DELETED) != 0) {
        work->counts.added++;
        work->live++;
        return overwrite(conn, work, row, true, err);
    }
    if (memcmp(row->hash, found->hash, HASH_LEN) != 0) {
        work->counts.updated++;
        return overwrite(conn, work, row, false, err);
    }
    work->counts.unchanged++;
    return found->state == STATE_LIVE || restore(conn, work, row, err);
}

static bool delete_over(struct sql_conn *conn, struct writing *work, struct row *row,
    const struct found *found, struct err *err)
{
    if ((found->state & STATE_DELETED) != 0) {
        work->counts.unchanged++;
        return memcmp(row->hash, found->hash, HASH_LEN) == 0 ||
               overwrite(conn, work, row, false, err);
    }
    work->counts.deleted++;
    work->live--;
    return overwrite(conn, work, row, false, err);
}

static bool update_over(struct sql_conn *conn, struct writing *work, struct row *row,
    const struct found *found, struct err *err)
{
    /* What it was merged into must be what is there. */
    if (memcmp(row->found_hash, found->hash, HASH_LEN) != 0) {
        row->stale = true;
        work->stale++;
        return true;
    }
    work->counts.updated++;
    return overwrite(conn, work, row, false, err);
}

static bool write_row(
    struct sql_conn *conn, struct writing *work, struct row *row, struct err *err)
{
    enum records_kind kind = work->batch->kind;
    struct found found;
    bool protected;

    if (row->same) {
        work->counts.unchanged++;
        return true;
    }
    if (!find_key(conn, work->part.id, row->external_id, &found, err))
        return false;
    row->record = found.record;
    if (found.record == 0 && kind != RECORDS_UPDATE)
        return insert(conn, work, row, err);
    if (is_same(kind, row, &found)) {
        work->counts.unchanged++;
        return true;
    }
    if (!is_protected(conn, work->batch->unless_after, found.record, &protected, err))
        return false;
    if (protected) {
        work->counts.unchanged++;
        return true;
    }
    return kind == RECORDS_SAVE     ? save_over(conn, work, row, &found, err)
           : kind == RECORDS_DELETE ? delete_over(conn, work, row, &found, err)
                                    : update_over(conn, work, row, &found, err);
}

static bool note_seen(
    struct sql_conn *conn, int64_t part, int64_t record, struct err *err)
{
    struct sql q = sql_begin(conn, "INSERT INTO seen (part, record) VALUES (?, ?) "
                                   "ON CONFLICT DO NOTHING");

    sql_i64(&q, part);
    sql_i64(&q, record);
    return sql_run(&q, err);
}

static bool write_rows(struct sql_conn *conn, void *arg, struct err *err)
{
    struct writing *work = arg;

    work->counts = (struct records_counts){0};
    work->live = 0;
    work->stale = 0;
    if (!part_make(conn, &work->batch->place, &work->part, err) ||
        !records_stamp(work->records, conn, &work->now_us, err))
        return false;
    for (size_t i = 0; i < work->rows->count; i++) {
        struct row *row = &work->rows->list[i];

        if (row->done)
            continue;
        row->stale = false;
        if (!write_row(conn, work, row, err) ||
            (work->part.tracked && row->record != 0 &&
                work->batch->kind != RECORDS_DELETE &&
                !note_seen(conn, work->part.id, row->record, err)))
            return false;
    }
    return part_count(conn, work->part.id, work->live, err);
}

/* ---- all of it ---- */

static void note_done(const struct records_batch *batch, struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->list[i];

        if (row->done || row->stale)
            continue;
        row->done = true;
        if (batch->seen != NULL && row->record != 0 && batch->kind != RECORDS_DELETE)
            seen_add(batch->seen, row->record);
    }
}

static void add_counts(struct records_counts *to, const struct records_counts *more)
{
    to->added += more->added;
    to->updated += more->updated;
    to->deleted += more->deleted;
    to->unchanged += more->unchanged;
}

/* What is written is this execution's own: it does not protect it from itself. */
static void move_on(struct records_cursor *unless_after, int64_t now_us)
{
    if (unless_after == NULL || now_us <= unless_after->updated_us)
        return;
    unless_after->updated_us = now_us;
    memset(unless_after->uuid, 0xff, RECORDS_UUID_LEN);
}

static bool write_once(struct records *records, const struct records_batch *batch,
    struct rows *rows, struct records_counts *out, bool *again, struct err *err)
{
    struct writing work = {.records = records, .batch = batch, .rows = rows};
    struct reader *reader = records_reader(records, err);
    size_t to_write = 0;
    bool ok;

    *again = false;
    if (reader == NULL)
        return false;
    ok = reader_begin(reader, err) &&
         look_up(reader->conn, batch, rows, &work.part, &to_write, err) &&
         pack_all(records, reader, batch, rows, err);
    records_reader_done(records, reader);
    if (!ok)
        return false;
    if (to_write == 0 && !work.part.tracked) {
        work.counts.unchanged = 0;
        for (size_t i = 0; i < rows->count; i++)
            work.counts.unchanged += !rows->list[i].done;
    } else if (!committer_write(records->committer, write_rows, &work, err)) {
        return false;
    } else {
        move_on(batch->unless_after, work.now_us);
    }
    note_done(batch, rows);
    add_counts(out, &work.counts);
    *again = work.stale > 0;
    return true;
}

bool records_write(struct records *records, const struct records_batch *batch,
    struct records_counts *out, struct err *err)
{
    struct rows rows;
    bool again = true, ok = true;

    if (!rows_cut(records, batch, &rows, err))
        return false;
    while (ok && again)
        ok = write_once(records, batch, &rows, out, &again, err);
    out->repeated += ok ? rows.repeated : 0;
    rows_free(&rows);
    return ok;
}
