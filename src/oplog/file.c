/* SPDX-License-Identifier: Apache-2.0 */
/* The life of logs.db: WAL, synchronous NORMAL. A commit is then in the system's memory,
 * which a killed process leaves behind, and the file is whole after a power cut, which may
 * take the last seconds.
 *
 * A file that is damaged is worth less than a server that serves: it is renamed, and a new
 * one made. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "oplog/oplog_int.h"
#include "store/sqlite/migrate.h"

#define LOCK_WAIT_MS 200

extern const struct schema oplog_schema;

bool oplog_is_busy(struct oplog *log)
{
    int code = sqlite3_errcode(log->conn->db) & 0xff;

    return code == SQLITE_BUSY || code == SQLITE_LOCKED;
}

void oplog_file_close(struct oplog *log)
{
    sql_disconnect(log->conn);
    log->conn = NULL;
}

/* The highest id there is, so that what is written now comes after it. One that lies far
 * ahead is of a clock that was set back: what is written now is not hidden behind it. */
static bool read_highest(
    struct oplog *log, const char *select, int64_t *out, struct err *err)
{
    int64_t ahead = (clock_now_ms(log->config.clock) + 3600000) << ID_SHIFT;
    struct sql q = sql_begin_once(log->conn, select);
    enum sql_result step;

    sql_i64(&q, ahead);
    step = sql_step(&q, err);
    if (step == SQL_ROW && sql_take_i64(&q, 0) > *out)
        *out = sql_take_i64(&q, 0);
    sql_end(&q);
    return step != SQL_FAILED;
}

/* What the last server had begun and not ended. What goes on after a restart waits until
 * whoever goes on with it says so. */
static bool end_unfinished(struct oplog *log, struct err *err)
{
    struct sql q = sql_begin_once(log->conn,
        "UPDATE operation SET state = ?, ended_at = ?, error = ? WHERE state < 2 AND "
        "durable = 0");

    sql_i64(&q, OPLOG_FAILED);
    sql_i64(&q, clock_now_ms(log->config.clock));
    sql_text(&q, "{\"type\":\"server_ended\",\"message\":\"The server ended before the "
                 "operation did\"}");
    return sql_run(&q, err) &&
           sql_execute(log->conn, "UPDATE operation SET state = 0 WHERE state = 1", err);
}

static bool prepare(struct oplog *log, struct err *err)
{
    if (!sql_execute(log->conn,
            "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL", err) ||
        !sql_set_wal(log->conn, err) ||
        !sql_execute(log->conn,
            "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF;"
            "PRAGMA cache_size = -4000; PRAGMA wal_autocheckpoint = 1000;"
            "PRAGMA journal_size_limit = 16777216",
            err) ||
        !sqlite_migrate(log->conn->db, &oplog_schema, true, log->config.log, err) ||
        !sql_execute(log->conn, "PRAGMA foreign_keys = OFF", err))
        return false;
    return read_highest(log, "SELECT max(first + count) FROM call_block WHERE first < ?",
               &log->last_call_id, err) &&
           read_highest(log, "SELECT max(id) FROM message WHERE id < ?",
               &log->last_message_id, err) &&
           end_unfinished(log, err);
}

static bool open_once(struct oplog *log, struct err *err)
{
    bool ok;

    if (!sql_make_file(log->path, err) ||
        !sql_connect(log->path, SQL_WRITES, &log->conn, err))
        return false;
    (void)sqlite3_busy_timeout(log->conn->db, LOCK_WAIT_MS); /* cannot fail */
    ok = prepare(log, err);
    if (!ok && oplog_is_busy(log))
        str_copy(err->code, sizeof err->code, OPLOG_BUSY);
    if (!ok)
        oplog_file_close(log);
    return ok;
}

void oplog_file_set_aside(struct oplog *log, const char *why)
{
    char *aside = str_printf("%s.damaged", log->path);
    static const char *const beside[] = {"-wal", "-shm"};

    log_event(log->config.log, LOG_ERROR, "the operation logs are damaged: set aside",
        LOG_STR("as", aside), LOG_STR("reason", why), LOG_END);
    oplog_file_close(log);
    oplog_drop_readers(log);
    if (rename(log->path, aside) != 0)
        log_event(log->config.log, LOG_ERROR, "the file cannot be renamed",
            LOG_STR("file", log->path), LOG_END);
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        char *path = str_printf("%s%s", log->path, beside[i]);

        (void)unlink(path); /* may not be there */
        free(path);
    }
    free(aside);
}

bool oplog_file_open(struct oplog *log, struct err *err)
{
    if (open_once(log, err))
        return true;
    if (!str_eq(err->code, SQL_DAMAGED))
        return false;
    oplog_file_set_aside(log, err->message);
    *err = (struct err){0};
    return open_once(log, err);
}
