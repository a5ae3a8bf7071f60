/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "test.h"

void world_pass(struct world *w, int64_t ms)
{
    __atomic_store_n(&w->clock.frozen_ms, w->clock.frozen_ms + ms, __ATOMIC_RELAXED);
}

void world_make(struct world *w)
{
    memset(w, 0, sizeof *w);
    str_copy(w->dir, sizeof w->dir, "/tmp/test_oplog.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->clock.frozen_ms = INT64_C(1700000000000);
    w->server_log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    w->server_log.clock = &w->clock;
    w->config = (struct oplog_config){
        .dir = w->dir,
        .clock = &w->clock,
        .log = &w->server_log,
        .level = OPLOG_DEBUG,
        .retention_ms = 15 * DAY_MS,
        .queue_bytes = (size_t)1 << 20,
    };
}

void world_start(struct world *w)
{
    struct err err = {0};

    if (!oplog_start(&w->config, &w->log, &err))
        fail_msg("oplog_start: %s", err.message);
}

void world_restart(struct world *w)
{
    oplog_stop(w->log);
    w->log = NULL;
    world_start(w);
}

void world_finish(struct world *w)
{
    static const char *const files[] = {
        "logs.db", "logs.db-wal", "logs.db-shm", "logs.db.damaged"};

    oplog_stop(w->log);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = world_path(w, files[i]);

        (void)unlink(path);
        free(path);
    }
    assert_int_equal(rmdir(w->dir), 0); /* nothing else was left */
    close(w->server_log.fd);
}

char *world_path(const struct world *w, const char *file)
{
    return str_printf("%s/%s", w->dir, file);
}

static sqlite3 *connect_to(struct world *w)
{
    char *path = world_path(w, "logs.db");
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, WAIT_MS);
    free(path);
    return db;
}

static void execute(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

void world_sql(struct world *w, const char *sql)
{
    sqlite3 *db = connect_to(w);

    execute(db, sql);
    sqlite3_close(db);
}

int64_t world_number(struct world *w, const char *sql)
{
    sqlite3 *db = connect_to(w);
    sqlite3_stmt *stmt;
    int64_t number;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return number;
}

void world_hold(struct world *w)
{
    w->holder = connect_to(w);
    execute(w->holder, "BEGIN IMMEDIATE");
}

void world_let_go(struct world *w)
{
    execute(w->holder, "ROLLBACK");
    sqlite3_close(w->holder);
    w->holder = NULL;
}

void world_flush(struct world *w)
{
    assert_true(oplog_flush(w->log, WAIT_MS));
}

void world_sweep(struct world *w)
{
    assert_true(oplog_sweep(w->log, WAIT_MS));
}

struct oplog_op world_begin(struct world *w, const char *script)
{
    const struct oplog_subject subject = {
        .environment_id = 1,
        .type = "action",
        .action = "run",
        .integration_id = 3,
        .integration = "github",
        .provider = "github",
        .connection_id = 5,
        .connection = "user-1",
        .script = script,
        .message = "An action",
        .meta = "{\"version\":\"1.2\"}",
    };

    return oplog_begin(w->log, &subject, OPLOG_RUNNING);
}

void world_call(struct world *w, int64_t environment_id, const char *url, int status)
{
    const struct oplog_subject subject = {
        .environment_id = environment_id,
        .integration_id = 3,
        .integration = "github",
        .provider = "github",
        .connection_id = 5,
        .connection = "user-1",
    };
    const struct oplog_http http = {
        .method = "GET",
        .url = url,
        .status = status,
        .attempt = 1,
        .began_ms = w->clock.frozen_ms - 12,
        .took_ms = 12,
    };
    struct oplog_error error = {.type = "status", .message = "not good"};
    struct buf exchanges;

    buf_init(&exchanges, 0);
    oplog_http_append(w->log, &http, &exchanges);
    oplog_call(w->log, &(struct oplog_call){
                           .subject = &subject,
                           .ok = status < 400,
                           .began_ms = w->clock.frozen_ms - 12,
                           .took_ms = 12,
                           .error = status < 400 ? NULL : &error,
                           .exchanges = &exchanges,
                       });
    buf_finish(&exchanges);
}

struct oplog_row **world_list(
    struct world *w, const struct oplog_filter *filter, size_t *count)
{
    struct oplog_filter page = *filter;
    struct oplog_row **all = NULL;
    struct err err = {0};

    *count = 0;
    if (page.limit == 0)
        page.limit = 1000;
    world_flush(w);
    do {
        struct oplog_row **rows;
        int64_t next;
        size_t some;

        if (!oplog_list(w->log, &page, &rows, &some, &next, &err))
            fail_msg("oplog_list: %s", err.message);
        assert_true(some <= page.limit);
        all = mem_resize_array(all, *count + some + 1, sizeof *all);
        if (some > 0)
            memcpy(all + *count, rows, some * sizeof *rows);
        *count += some;
        free(rows);
        page.before = next;
    } while (page.before != 0);
    return all;
}

size_t world_count(struct world *w, int64_t environment_id)
{
    const struct oplog_filter filter = {.environment_id = environment_id};
    size_t count;
    struct oplog_row **rows = world_list(w, &filter, &count);

    oplog_rows_free(rows, count);
    return count;
}

struct oplog_row *world_find(struct world *w, int64_t id)
{
    struct oplog_row *row = NULL;
    struct err err = {0};

    world_flush(w);
    if (!oplog_find(w->log, 1, id, &row, &err))
        fail_msg("oplog_find: %s", err.message);
    assert_non_null(row);
    return row;
}

struct oplog_message **world_messages(
    struct world *w, const struct oplog_op *op, size_t *count)
{
    const struct oplog_message_filter filter = {
        .environment_id = op->environment_id, .operation = op->id, .limit = 1000};
    struct oplog_message **list;
    struct err err = {0};
    int64_t next;

    world_flush(w);
    if (!oplog_list_messages(w->log, &filter, &list, count, &next, &err))
        fail_msg("oplog_list_messages: %s", err.message);
    assert_int_equal(next, 0);
    return list;
}
