/* SPDX-License-Identifier: Apache-2.0 */
/* One batch: what was told within a moment, in one transaction.
 *
 * Most operations begin and end within one batch: the end is then written with the
 * beginning, as one row. Calls of one environment become one row (call.c). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "oplog/oplog_int.h"

enum {
    BUCKETS = 1024, /* of beginnings in a batch */
};
#define HOUR_MS ((int64_t)3600 * 1000)

struct calls {
    int64_t environment_id;
    int64_t count;
    struct buf records;
};

struct batch {
    struct oplog *log;
    struct entry *begun[BUCKETS];
    struct calls *calls;
    size_t environments;
    uint64_t operations, messages;
};

/* ---- beginnings and ends ---- */

static struct entry **bucket_of(struct batch *batch, const struct entry *entry)
{
    uint64_t hash = ((uint64_t)entry->id ^ (uint64_t)entry->environment_id << 40) *
                    UINT64_C(0x9e3779b97f4a7c15);

    return &batch->begun[hash >> 54];
}

static struct entry *find_begun(struct batch *batch, const struct entry *entry)
{
    struct entry *found = *bucket_of(batch, entry);

    while (found != NULL &&
           (found->id != entry->id || found->environment_id != entry->environment_id))
        found = found->same_bucket;
    return found;
}

/* Puts what is told later of an operation into its beginning. */
static void fold(struct batch *batch, struct entry *first)
{
    for (struct entry *entry = first; entry != NULL; entry = entry->next) {
        struct entry **bucket, *begun;

        entry->folded = false;
        entry->end = NULL;
        entry->started_ms = entry->state == OPLOG_WAITING ? 0 : entry->at_ms;
        if (entry->kind == ENTRY_BEGIN) {
            bucket = bucket_of(batch, entry); /* before an earlier one of that name */
            entry->same_bucket = *bucket;
            *bucket = entry;
        } else if (entry->kind == ENTRY_MOVE || entry->kind == ENTRY_END) {
            begun = find_begun(batch, entry);
            if (begun == NULL)
                continue;
            entry->folded = true;
            begun->end = entry->kind == ENTRY_END ? entry : NULL;
            if (entry->kind == ENTRY_MOVE && entry->state == OPLOG_RUNNING &&
                begun->started_ms == 0)
                begun->started_ms = entry->at_ms;
            begun->last_state = entry->state;
        }
        if (entry->kind == ENTRY_BEGIN)
            entry->last_state = entry->state;
    }
}

static bool write_begin(struct sql_conn *conn, const struct entry *entry, struct err *err)
{
    const struct entry *end = entry->end;
    struct sql q = sql_begin(conn,
        "INSERT INTO operation (environment, id, state, durable, type, action, "
        "created_at, started_at, ended_at, expires_at, integration_id, integration, "
        "provider, connection_id, connection, script_id, script, message, error, meta) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
        "?17, ?18, ?19, ?20) "
        "ON CONFLICT (environment, id) DO UPDATE SET state = excluded.state, "
        "ended_at = excluded.ended_at, error = excluded.error, "
        "started_at = iif(started_at > 0, started_at, excluded.started_at), "
        "expires_at = excluded.expires_at, "
        "integration_id = iif(excluded.integration_id > 0, excluded.integration_id, "
        "integration_id), "
        "integration = coalesce(excluded.integration, integration), "
        "provider = coalesce(excluded.provider, provider), "
        "connection_id = iif(excluded.connection_id > 0, excluded.connection_id, "
        "connection_id), "
        "connection = coalesce(excluded.connection, connection), "
        "message = coalesce(excluded.message, message), "
        "meta = coalesce(excluded.meta, meta)");

    sql_i64(&q, entry->environment_id);
    sql_i64(&q, entry->id);
    sql_i64(&q, entry->last_state);
    sql_i64(&q, entry->durable);
    sql_text(&q, entry_part(entry, PART_TYPE));
    sql_text(&q, entry_part(entry, PART_ACTION));
    sql_i64(&q, entry->at_ms);
    sql_i64(&q, entry->started_ms);
    sql_i64(&q, end != NULL ? end->at_ms : 0);
    sql_i64(&q, entry->expires_ms);
    sql_i64(&q, entry->integration_id);
    sql_text(&q, none_if_empty(entry_part(entry, PART_INTEGRATION)));
    sql_text(&q, none_if_empty(entry_part(entry, PART_PROVIDER)));
    sql_i64(&q, entry->connection_id);
    sql_text(&q, none_if_empty(entry_part(entry, PART_CONNECTION)));
    sql_i64(&q, entry->script_id);
    sql_text(&q, none_if_empty(entry_part(entry, PART_SCRIPT)));
    sql_text(&q, none_if_empty(entry_part(entry, PART_MESSAGE)));
    sql_text(&q, end != NULL ? none_if_empty(entry_part(end, 0)) : NULL);
    sql_text(&q, none_if_empty(entry_part(entry, PART_META)));
    return sql_run(&q, err);
}

static bool write_move(struct sql_conn *conn, const struct entry *entry, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE operation SET state = ?1, ended_at = 0, error = NULL, started_at = "
        "iif(started_at = 0 AND ?1 = 1, ?2, started_at) WHERE environment = ?3 AND "
        "id = ?4");

    sql_i64(&q, entry->state);
    sql_i64(&q, entry->at_ms);
    sql_i64(&q, entry->environment_id);
    sql_i64(&q, entry->id);
    return sql_run(&q, err);
}

static bool write_end(struct sql_conn *conn, const struct entry *entry, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE operation SET state = ?, ended_at = ?, error = ? WHERE environment = ? "
        "AND id = ?");

    sql_i64(&q, entry->state);
    sql_i64(&q, entry->at_ms);
    sql_text(&q, none_if_empty(entry_part(entry, 0)));
    sql_i64(&q, entry->environment_id);
    sql_i64(&q, entry->id);
    return sql_run(&q, err);
}

/* ---- messages ---- */

/* An id of now, or the one after `*last`, which is not taken for long after the clock was
 * set back. */
static int64_t id_after(const struct oplog *log, int64_t last, int64_t kind)
{
    int64_t now_ms = clock_now_ms(log->config.clock);
    int64_t id = now_ms << ID_SHIFT | kind;

    return last >= id && last < (now_ms + HOUR_MS) << ID_SHIFT ? last : id;
}

static bool write_message(struct batch *batch, int64_t environment_id, int64_t operation,
    const struct entry *entry, const char *text, const char *detail, struct err *err)
{
    struct oplog *log = batch->log;
    struct sql q = sql_begin(log->conn,
        "INSERT OR IGNORE INTO message (environment, operation, id, created_at, level, "
        "kind, message, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    log->last_message_id = id_after(log, log->last_message_id, 0) + 1;
    sql_i64(&q, environment_id);
    sql_i64(&q, operation);
    sql_i64(&q, log->last_message_id);
    sql_i64(&q, entry->at_ms);
    sql_i64(&q, entry->kind == ENTRY_MESSAGE ? entry->level : OPLOG_WARN);
    sql_i64(&q, entry->kind == ENTRY_MESSAGE ? entry->source : SOURCE_OURS);
    sql_text(&q, text);
    sql_text(&q, detail);
    batch->messages++;
    return sql_run(&q, err);
}

/* At an operation's end: what of it was not taken. */
static bool write_loss(struct batch *batch, const struct entry *end, struct err *err)
{
    uint64_t count = oplog_take_loss(batch->log, end->environment_id, end->id);
    char *text;
    bool ok;

    if (count == 0)
        return true;
    text = str_printf("%llu %s dropped: more was told than could be written",
        (unsigned long long)count, count == 1 ? "message was" : "messages were");
    ok = write_message(batch, end->environment_id, end->id, end, text, NULL, err);
    free(text);
    return ok;
}

/* ---- calls ---- */

static bool write_calls(struct batch *batch, struct calls *calls, struct err *err)
{
    struct oplog *log = batch->log;
    struct buf block;
    struct sql q;
    int64_t first;
    bool ok;

    if (calls->count == 0)
        return true;
    first = id_after(log, log->last_call_id, ID_CALL);
    if ((first & ID_CALL) == 0 ||
        (first & ID_NUMBER_MASK) + calls->count > ID_NUMBER_MASK) /* full: the next ms */
        first = (((first >> ID_SHIFT) + 1) << ID_SHIFT) | ID_CALL;
    log->last_call_id = first + calls->count;
    buf_init(&block, 0);
    oplog_block_write(&calls->records, &block);
    q = sql_begin(log->conn,
        "INSERT OR IGNORE INTO call_block (environment, first, count, "
        "data) VALUES (?, ?, ?, ?)");
    sql_i64(&q, calls->environment_id);
    sql_i64(&q, first);
    sql_i64(&q, calls->count);
    sql_blob(&q, block.data, block.len);
    ok = sql_run(&q, err);
    buf_finish(&block);
    batch->operations += (uint64_t)calls->count;
    calls->count = 0;
    buf_clear(&calls->records);
    return ok;
}

static struct calls *calls_of(struct batch *batch, int64_t environment_id)
{
    for (size_t i = 0; i < batch->environments; i++)
        if (batch->calls[i].environment_id == environment_id)
            return &batch->calls[i];
    batch->calls = sql_room(batch->calls, batch->environments, sizeof *batch->calls);
    batch->calls[batch->environments] = (struct calls){.environment_id = environment_id};
    return &batch->calls[batch->environments++];
}

static bool add_call(struct batch *batch, const struct entry *entry, struct err *err)
{
    struct calls *calls = calls_of(batch, entry->environment_id);

    buf_puts(&calls->records, entry->parts);
    buf_putc(&calls->records, '\n');
    calls->count++;
    return calls->records.len < CALL_BLOCK_BYTES || write_calls(batch, calls, err);
}

/* ---- the whole ---- */

static bool write_entry(struct batch *batch, const struct entry *entry, struct err *err)
{
    struct sql_conn *conn = batch->log->conn;

    switch (entry->kind) {
    case ENTRY_BEGIN:
        batch->operations++;
        return write_begin(conn, entry, err);
    case ENTRY_MOVE:
        return entry->folded || write_move(conn, entry, err);
    case ENTRY_END:
        return (entry->folded || write_end(conn, entry, err)) &&
               write_loss(batch, entry, err);
    case ENTRY_MESSAGE:
        return write_message(batch, entry->environment_id, entry->id, entry,
            entry_part(entry, 0), none_if_empty(entry_part(entry, 1)), err);
    case ENTRY_CALL:
        return add_call(batch, entry, err);
    }
    return true;
}

static bool run(struct oplog *log, const char *text, struct err *err)
{
    struct sql q = sql_begin(log->conn, text);

    return sql_run(&q, err);
}

bool oplog_batch_write(struct oplog *log, struct entry *first, struct err *err)
{
    struct batch *batch = MEM_NEW(struct batch);
    bool ok;

    batch->log = log;
    fold(batch, first);
    ok = run(log, "BEGIN IMMEDIATE", err);
    for (struct entry *entry = first; ok && entry != NULL; entry = entry->next)
        ok = write_entry(batch, entry, err);
    for (size_t i = 0; ok && i < batch->environments; i++)
        ok = write_calls(batch, &batch->calls[i], err);
    ok = ok && run(log, "COMMIT", err);
    if (!ok && oplog_is_busy(log))
        str_copy(err->code, sizeof err->code, OPLOG_BUSY);
    if (!ok && sqlite3_get_autocommit(log->conn->db) == 0)
        (void)run(log, "ROLLBACK", NULL); /* *err has the cause */
    for (size_t i = 0; i < batch->environments; i++)
        buf_finish(&batch->calls[i].records);
    if (ok) {
        atomic_fetch_add_explicit(
            &log->operations, batch->operations, memory_order_relaxed);
        atomic_fetch_add_explicit(&log->messages, batch->messages, memory_order_relaxed);
    }
    free(batch->calls);
    free(batch);
    return ok;
}
