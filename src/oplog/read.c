/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: see read.h. A listing merges two streams, newest first: rows of operations, and
 * calls out of their blocks. Each has one that is next; the later one is looked at, and is
 * taken when the filter lets it pass. */
#include "oplog/read.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "oplog/oplog_int.h"

enum {
    LOCK_WAIT_MS = 500,
    CLOCK_EVERY = 16, /* looks between two looks at the clock */
};

#define SELECT                                                                           \
    "SELECT id, state, type, action, created_at, started_at, ended_at, integration_id, " \
    "connection_id, script_id, integration, provider, connection, script, message, "     \
    "error, meta FROM operation "
enum column {
    COL_ID,
    COL_STATE,
    COL_TYPE,
    COL_ACTION,
    COL_CREATED,
    COL_STARTED,
    COL_ENDED,
    COL_INTEGRATION_ID,
    COL_CONNECTION_ID,
    COL_SCRIPT_ID,
    COL_INTEGRATION,
    COL_PROVIDER,
    COL_CONNECTION,
    COL_SCRIPT,
    COL_MESSAGE,
    COL_ERROR,
    COL_META,
};

/* ---- connections ---- */

struct reader {
    struct oplog *log;
    struct sql_conn *conn;
    unsigned generation; /* of the file */
};

static bool unavailable(struct err *err)
{
    return err_set(err, 503, "logs_unavailable",
        "The logs cannot be read now: another process holds them. Try again.");
}

static bool reader_open(struct oplog *log, struct reader *out, struct err *err)
{
    *out = (struct reader){.log = log};
    pthread_mutex_lock(&log->reader_lock);
    out->conn = log->idle_readers;
    out->generation = log->generation;
    if (out->conn != NULL)
        log->idle_readers = out->conn->next;
    pthread_mutex_unlock(&log->reader_lock);
    if (out->conn != NULL)
        return true;
    if (!sql_connect(log->path, SQL_READS, &out->conn, err))
        return unavailable(err);
    (void)sqlite3_busy_timeout(out->conn->db, LOCK_WAIT_MS); /* cannot fail */
    return true;
}

static void reader_close(struct reader *reader)
{
    struct oplog *log = reader->log;

    pthread_mutex_lock(&log->reader_lock);
    if (reader->generation == log->generation) {
        reader->conn->next = log->idle_readers;
        log->idle_readers = reader->conn;
        reader->conn = NULL;
    }
    pthread_mutex_unlock(&log->reader_lock);
    sql_disconnect(reader->conn); /* of a file that was set aside */
}

static enum sql_result step(struct sql *q, struct err *err)
{
    enum sql_result result = sql_step(q, err);
    int code = sqlite3_errcode(q->conn->db) & 0xff;

    if (result == SQL_FAILED && (code == SQLITE_BUSY || code == SQLITE_LOCKED))
        unavailable(err);
    return result;
}

/* ---- rows ---- */

void oplog_row_free(struct oplog_row *row)
{
    if (row == NULL)
        return;
    free(row->type);
    free(row->action);
    free(row->integration);
    free(row->provider);
    free(row->connection);
    free(row->script);
    free(row->message);
    free(row->error);
    free(row->meta);
    free(row->exchanges);
    free(row);
}

void oplog_rows_free(struct oplog_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        oplog_row_free(rows[i]);
    free(rows);
}

static struct oplog_row *take_row(const struct sql *q)
{
    struct oplog_row *row = MEM_NEW(struct oplog_row);

    row->id = sql_take_i64(q, COL_ID);
    row->state = (enum oplog_state)sql_take_i64(q, COL_STATE);
    row->type = sql_take_text(q, COL_TYPE);
    row->action = sql_take_text(q, COL_ACTION);
    row->created_at_ms = sql_take_i64(q, COL_CREATED);
    row->started_at_ms = sql_take_i64(q, COL_STARTED);
    row->ended_at_ms = sql_take_i64(q, COL_ENDED);
    row->integration_id = sql_take_i64(q, COL_INTEGRATION_ID);
    row->connection_id = sql_take_i64(q, COL_CONNECTION_ID);
    row->script_id = sql_take_i64(q, COL_SCRIPT_ID);
    row->integration = sql_take_text(q, COL_INTEGRATION);
    row->provider = sql_take_text(q, COL_PROVIDER);
    row->connection = sql_take_text(q, COL_CONNECTION);
    row->script = sql_take_text(q, COL_SCRIPT);
    row->message = sql_take_text(q, COL_MESSAGE);
    row->error = sql_take_text(q, COL_ERROR);
    row->meta = sql_take_text(q, COL_META);
    return row;
}

/* ---- calls ---- */

static int64_t number_of(struct json_raw object, const char *name)
{
    double number = 0;

    return json_raw_number(json_raw_get(object, name), &number) && number >= 0 &&
                   number < 9e15
               ? (int64_t)number
               : 0;
}

static char *raw_text(struct json_raw value)
{
    return value.text != NULL ? str_ndup(value.text, value.len) : NULL;
}

static char *call_message(struct json_raw exchanges)
{
    struct json_raw request = json_raw_get(json_raw_at(exchanges, 0), "request");
    char *method = json_raw_dup_string(json_raw_get(request, "method"));
    char *url = json_raw_dup_string(json_raw_get(request, "url"));
    char *out = method != NULL && url != NULL ? str_printf("%s %s", method, url) : NULL;

    free(method);
    free(url);
    return out;
}

static struct oplog_row *call_row(int64_t id, struct json_raw record)
{
    struct oplog_row *row = MEM_NEW(struct oplog_row);
    struct json_raw exchanges = json_raw_get(record, "h");

    row->id = id;
    row->state = number_of(record, "s") == OPLOG_SUCCESS ? OPLOG_SUCCESS : OPLOG_FAILED;
    row->type = str_dup("proxy");
    row->action = str_dup("call");
    row->created_at_ms = row->started_at_ms = number_of(record, "t");
    row->ended_at_ms = row->created_at_ms + number_of(record, "d");
    row->integration_id = number_of(record, "I");
    row->connection_id = number_of(record, "C");
    row->integration = json_raw_dup_string(json_raw_get(record, "i"));
    row->provider = json_raw_dup_string(json_raw_get(record, "p"));
    row->connection = json_raw_dup_string(json_raw_get(record, "c"));
    row->error = raw_text(json_raw_get(record, "e"));
    row->exchanges = raw_text(exchanges);
    row->message = call_message(exchanges);
    return row;
}

/* A block taken apart. */
struct block {
    int64_t first;
    struct buf records;
    struct json_raw *lines;
    size_t count;
};

static void block_finish(struct block *block)
{
    buf_finish(&block->records);
    free(block->lines);
    memset(block, 0, sizeof *block);
}

/* One that cannot be read has no lines. */
static void block_take(const struct sql *q, struct block *out)
{
    size_t wanted = (size_t)sql_take_i64(q, 1), at = 0;
    struct blob data = sql_take_blob(q, 2);

    memset(out, 0, sizeof *out);
    out->first = sql_take_i64(q, 0);
    buf_init(&out->records, 0);
    if (!oplog_block_read(data.data, data.len, &out->records))
        buf_clear(&out->records);
    free(data.data);
    while (at < out->records.len && out->count < wanted) {
        const char *line = out->records.data + at;
        const char *end = memchr(line, '\n', out->records.len - at);
        size_t len = end != NULL ? (size_t)(end - line) : out->records.len - at;

        out->records.data[at + len] = '\0'; /* for search; json_raw goes by lengths */
        out->lines = sql_room(out->lines, out->count, sizeof *out->lines);
        out->lines[out->count++] = (struct json_raw){line, len};
        at += len + 1;
    }
}

/* ---- listing ---- */

struct listing {
    const struct oplog_filter *filter;
    struct reader reader;
    char *search; /* folded; NULL = none */
    int64_t low, high;
    /* what is next in each stream; 0 = nothing more */
    struct sql operations;
    int64_t operation;
    struct sql blocks;
    struct block block;
    int64_t call;
    struct oplog_row **rows;
    size_t count;
};

static bool names_type(const struct oplog_filter *filter, const char *type)
{
    if (filter->types == NULL)
        return true;
    for (size_t i = 0; filter->types[i] != NULL; i++)
        if (strcmp(filter->types[i], type) == 0)
            return true;
    return false;
}

static bool wants_calls(const struct oplog_filter *filter)
{
    return names_type(filter, "proxy") && filter->script == NULL &&
           (filter->action == NULL || strcmp(filter->action, "call") == 0);
}

static bool wants_operations(const struct oplog_filter *filter)
{
    bool others = filter->types == NULL;

    for (size_t i = 0; !others && filter->types[i] != NULL; i++)
        others = strcmp(filter->types[i], "proxy") != 0;
    return others;
}

static bool next_operation(struct listing *list, struct err *err)
{
    enum sql_result result = step(&list->operations, err);

    list->operation = result == SQL_ROW ? sql_take_i64(&list->operations, COL_ID) : 0;
    return result != SQL_FAILED;
}

/* The one before; the last of the block before; skipping blocks without any. */
static bool next_call(struct listing *list, struct err *err)
{
    if (list->call > list->block.first) {
        list->call--;
        return true;
    }
    list->call = 0;
    while (list->call == 0) {
        enum sql_result result = step(&list->blocks, err);
        int64_t last;

        block_finish(&list->block);
        if (result != SQL_ROW)
            return result == SQL_DONE;
        block_take(&list->blocks, &list->block);
        last = list->block.first + (int64_t)list->block.count - 1;
        if (last >= list->high)
            last = list->high - 1;
        if (last >= list->block.first)
            list->call = last;
    }
    return true;
}

static bool begin(struct listing *list, struct err *err)
{
    const struct oplog_filter *filter = list->filter;

    list->low = filter->from_ms > 0 ? filter->from_ms << ID_SHIFT : 1;
    list->high = INT64_MAX;
    if (filter->to_ms > 0 && filter->to_ms < INT64_MAX >> ID_SHIFT)
        list->high = filter->to_ms << ID_SHIFT;
    if (filter->before > 0 && filter->before < list->high)
        list->high = filter->before;
    if (wants_operations(filter)) {
        list->operations = sql_begin(list->reader.conn,
            SELECT "WHERE environment = ? AND id >= ? AND id < ? ORDER BY id DESC");
        sql_i64(&list->operations, filter->environment_id);
        sql_i64(&list->operations, list->low);
        sql_i64(&list->operations, list->high);
        if (!next_operation(list, err))
            return false;
    }
    if (!wants_calls(filter))
        return true;
    list->blocks = sql_begin(list->reader.conn,
        "SELECT first, count, data FROM call_block WHERE environment = ? AND first >= ? "
        "AND first < ? ORDER BY first DESC");
    sql_i64(&list->blocks, filter->environment_id);
    sql_i64(&list->blocks, list->low);
    sql_i64(&list->blocks, list->high);
    return next_call(list, err);
}

static bool is_text(const char *wanted, const unsigned char *have)
{
    return wanted == NULL || (have != NULL && strcmp(wanted, (const char *)have) == 0);
}

static bool shows(const struct listing *list, const char *text)
{
    return text != NULL && fold_contains(list->reader.conn->letters, text, list->search);
}

static bool has_message(
    struct listing *list, int64_t operation, bool *has, struct err *err)
{
    struct sql q = sql_begin(list->reader.conn,
        "SELECT 1 FROM message WHERE environment = ? AND operation = ? AND "
        "(folded_contains(message, ?3) OR folded_contains(detail, ?3)) LIMIT 1");
    enum sql_result result;

    sql_i64(&q, list->filter->environment_id);
    sql_i64(&q, operation);
    sql_text(&q, list->search);
    result = step(&q, err);
    sql_end(&q);
    *has = result == SQL_ROW;
    return result != SQL_FAILED;
}

static bool is_found(struct listing *list, bool *found, struct err *err)
{
    static const int shown[] = {COL_SCRIPT, COL_INTEGRATION, COL_CONNECTION, COL_MESSAGE,
        COL_ERROR, COL_META, COL_TYPE, COL_ACTION};
    char id[OPLOG_ID_SIZE];

    *found = true;
    if (list->search == NULL)
        return true;
    oplog_id_text(list->operation, id);
    if (shows(list, id))
        return true;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        if (shows(
                list, (const char *)sqlite3_column_text(list->operations.stmt, shown[i])))
            return true;
    return has_message(list, list->operation, found, err);
}

/* Of the operation that is next. False only on failure. */
static bool judge_operation(struct listing *list, bool *passes, struct err *err)
{
    const struct oplog_filter *filter = list->filter;
    sqlite3_stmt *stmt = list->operations.stmt;

    *passes = names_type(filter, (const char *)sqlite3_column_text(stmt, COL_TYPE)) &&
              is_text(filter->action, sqlite3_column_text(stmt, COL_ACTION)) &&
              (filter->states == 0 ||
                  (filter->states >> sqlite3_column_int(stmt, COL_STATE) & 1u) != 0) &&
              is_text(filter->integration, sqlite3_column_text(stmt, COL_INTEGRATION)) &&
              is_text(filter->connection, sqlite3_column_text(stmt, COL_CONNECTION)) &&
              is_text(filter->script, sqlite3_column_text(stmt, COL_SCRIPT));
    return !*passes || is_found(list, passes, err);
}

static bool is_member(const char *wanted, struct json_raw record, const char *name)
{
    return wanted == NULL || json_raw_is_string(json_raw_get(record, name), wanted);
}

static bool judge_call(const struct listing *list, struct json_raw record)
{
    const struct oplog_filter *filter = list->filter;
    char id[OPLOG_ID_SIZE];

    if (json_raw_kind(record) != JSON_RAW_OBJECT ||
        !is_member(filter->integration, record, "i") ||
        !is_member(filter->connection, record, "c") ||
        (filter->states != 0 &&
            (filter->states >> (unsigned)number_of(record, "s") % OPLOG_STATES & 1u) ==
                0))
        return false;
    if (list->search == NULL || shows(list, record.text))
        return true;
    oplog_id_text(list->call, id);
    return shows(list, id);
}

static void add(struct listing *list, struct oplog_row *row)
{
    list->rows = sql_room(list->rows, list->count, sizeof *list->rows);
    list->rows[list->count++] = row;
}

/* Looks at the later of the two that are next, and goes on to the one before it. */
static bool look(struct listing *list, struct err *err)
{
    bool passes;

    if (list->operation > list->call) {
        if (!judge_operation(list, &passes, err))
            return false;
        if (passes)
            add(list, take_row(&list->operations));
        return next_operation(list, err);
    }
    if (judge_call(list, list->block.lines[list->call - list->block.first]))
        add(list,
            call_row(list->call, list->block.lines[list->call - list->block.first]));
    return next_call(list, err);
}

static bool run(struct listing *list, int64_t *next, struct err *err)
{
    int64_t budget_ms =
        list->filter->budget_ms > 0 ? list->filter->budget_ms : OPLOG_BUDGET_MS;
    int64_t until_ms = clock_mono_ms() + budget_ms;

    for (unsigned looks = 1; list->operation != 0 || list->call != 0; looks++) {
        int64_t looked = list->operation > list->call ? list->operation : list->call;

        if (!look(list, err))
            return false;
        if (list->count == list->filter->limit ||
            (looks % CLOCK_EVERY == 0 && clock_mono_ms() >= until_ms)) {
            *next = list->operation != 0 || list->call != 0 ? looked : 0;
            return true;
        }
    }
    return true;
}

bool oplog_list(struct oplog *log, const struct oplog_filter *filter,
    struct oplog_row ***rows, size_t *count, int64_t *next, struct err *err)
{
    struct listing list = {.filter = filter};
    bool ok;

    *rows = NULL;
    *count = 0;
    *next = 0;
    if (!reader_open(log, &list.reader, err))
        return false;
    if (!str_is_empty(filter->search))
        list.search = fold_text(list.reader.conn->letters, filter->search);
    ok = begin(&list, err) && run(&list, next, err);
    sql_end(&list.operations);
    sql_end(&list.blocks);
    block_finish(&list.block);
    free(list.search);
    reader_close(&list.reader);
    if (!ok) {
        oplog_rows_free(list.rows, list.count);
        return false;
    }
    *rows = list.rows;
    *count = list.count;
    return true;
}

/* ---- one ---- */

static bool find_call(struct reader *reader, int64_t environment_id, int64_t id,
    struct oplog_row **out, struct err *err)
{
    struct sql q = sql_begin(reader->conn,
        "SELECT first, count, data FROM call_block WHERE environment = ? AND first <= ? "
        "ORDER BY first DESC LIMIT 1");
    enum sql_result result;
    struct block block;

    sql_i64(&q, environment_id);
    sql_i64(&q, id);
    result = step(&q, err);
    if (result == SQL_ROW) {
        block_take(&q, &block);
        if (id - block.first < (int64_t)block.count)
            *out = call_row(id, block.lines[id - block.first]);
        block_finish(&block);
    }
    sql_end(&q);
    return result != SQL_FAILED;
}

static bool find_operation(struct reader *reader, int64_t environment_id, int64_t id,
    struct oplog_row **out, struct err *err)
{
    struct sql q = sql_begin(reader->conn, SELECT "WHERE environment = ? AND id = ?");
    enum sql_result result;

    sql_i64(&q, environment_id);
    sql_i64(&q, id);
    result = step(&q, err);
    if (result == SQL_ROW)
        *out = take_row(&q);
    sql_end(&q);
    return result != SQL_FAILED;
}

bool oplog_find(struct oplog *log, int64_t environment_id, int64_t id,
    struct oplog_row **out, struct err *err)
{
    struct reader reader;
    bool ok;

    *out = NULL;
    if (!reader_open(log, &reader, err))
        return false;
    ok = (id & ID_CALL) != 0 ? find_call(&reader, environment_id, id, out, err)
                             : find_operation(&reader, environment_id, id, out, err);
    reader_close(&reader);
    return ok;
}

/* ---- messages ---- */

void oplog_messages_free(struct oplog_message **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i]->text);
        free(list[i]->detail);
        free(list[i]);
    }
    free(list);
}

static struct oplog_message *take_message(const struct sql *q)
{
    struct oplog_message *message = MEM_NEW(struct oplog_message);
    int64_t source = sql_take_i64(q, 3);

    message->id = sql_take_i64(q, 0);
    message->at_ms = sql_take_i64(q, 1);
    message->level = (enum oplog_level)(sql_take_i64(q, 2) & 3);
    message->http = source == SOURCE_HTTP;
    message->by_script = source == SOURCE_SCRIPT;
    message->text = sql_take_text(q, 4);
    message->detail = sql_take_text(q, 5);
    return message;
}

bool oplog_list_messages(struct oplog *log, const struct oplog_message_filter *filter,
    struct oplog_message ***list, size_t *count, int64_t *next, struct err *err)
{
    struct reader reader;
    enum sql_result result;
    char *search = NULL;
    struct sql q;

    *list = NULL;
    *count = 0;
    *next = 0;
    if (!reader_open(log, &reader, err))
        return false;
    if (!str_is_empty(filter->search))
        search = fold_text(reader.conn->letters, filter->search);
    q = sql_begin(reader.conn,
        "SELECT id, created_at, level, kind, message, detail FROM message WHERE "
        "environment = ?1 AND operation = ?2 AND id > ?3 AND (?4 = 0 OR (?4 >> level & "
        "1) "
        "= 1) AND (?5 IS NULL OR folded_contains(message, ?5) OR folded_contains(detail, "
        "?5)) ORDER BY id LIMIT ?6");
    sql_i64(&q, filter->environment_id);
    sql_i64(&q, filter->operation);
    sql_i64(&q, filter->after);
    sql_i64(&q, filter->levels);
    sql_text(&q, search);
    sql_i64(&q, (int64_t)filter->limit + 1);
    while ((result = step(&q, err)) == SQL_ROW && *count < filter->limit) {
        *list = sql_room(*list, *count, sizeof **list);
        (*list)[(*count)++] = take_message(&q);
    }
    sql_end(&q);
    free(search);
    reader_close(&reader);
    if (result == SQL_ROW)
        *next = (*list)[*count - 1]->id;
    if (result != SQL_FAILED)
        return true;
    oplog_messages_free(*list, *count);
    *list = NULL;
    *count = 0;
    return false;
}
