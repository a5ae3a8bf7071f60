/* SPDX-License-Identifier: Apache-2.0 */
#include "store/function_jobs_int.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite/function_jobs.h"
#include "store/sqlite/sqlite_int.h"

static struct function_job_row *take_row(const struct sql *q)
{
    struct function_job_row *row = MEM_NEW(struct function_job_row);
    char *kind = sql_take_text(q, 6);

    row->id = sql_take_i64(q, 0);
    sql_take_fixed(q, 1, row->uuid, sizeof row->uuid);
    row->environment_id = sql_take_i64(q, 2);
    row->kind = (enum function_job_kind)sql_take_i64(q, 3);
    row->state = (enum function_job_state)sql_take_i64(q, 4);
    row->integration_key = sql_take_text(q, 5);
    (void)script_kind_parse(kind, &row->function_kind);
    free(kind);
    row->name = sql_take_text(q, 7);
    row->outcome = sql_take_blob(q, 8);
    row->created_at_ms = sql_take_i64(q, 9);
    row->updated_at_ms = sql_take_i64(q, 10);
    row->started_at_ms = sql_take_i64(q, 11);
    row->finished_at_ms = sql_take_i64(q, 12);
    return row;
}

static bool put(struct sql_conn *conn, void *arg, struct err *err)
{
    struct function_job_row *row = arg;
    struct sql q = sql_begin(conn,
        "INSERT INTO function_job (uuid, environment, kind, state, integration_key, "
        "function_kind, name, created_at, updated_at) VALUES (?, ?, ?, 1, ?, ?, ?, ?, "
        "?)");

    sql_text(&q, row->uuid);
    sql_i64(&q, row->environment_id);
    sql_i64(&q, (int64_t)row->kind);
    sql_text(&q, row->integration_key);
    sql_text(&q, script_kind_name(row->function_kind));
    sql_text(&q, row->name);
    sql_i64(&q, row->created_at_ms);
    sql_i64(&q, row->created_at_ms);
    if (!sql_run(&q, err))
        return false;
    row->id = sqlite3_last_insert_rowid(conn->db);
    return true;
}

static bool put_job(struct backend *b, struct function_job_row *row, struct err *err)
{
    row->state = FUNCTION_JOB_WAITING;
    row->created_at_ms = row->updated_at_ms = sqlite_now_ms(b);
    return sqlite_write(b, put, row, err);
}

static bool find_job(struct backend *b, int64_t environment_id,
    enum function_job_kind kind, const char *uuid, struct function_job_row **out,
    struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT id, uuid, environment, kind, state, integration_key, function_kind, "
            "name, outcome, created_at, updated_at, started_at, finished_at FROM "
            "function_job WHERE uuid = ? AND environment = ? AND kind = ?");

        sql_text(&q, uuid);
        sql_i64(&q, environment_id);
        sql_i64(&q, (int64_t)kind);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *out = take_row(&q);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

struct moving {
    int64_t id;
    const struct blob *outcome;
    int64_t now_ms;
};

static bool begin(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct moving *work = arg;
    struct sql q = sql_begin(conn, "UPDATE function_job SET state = 2, started_at = ?, "
                                   "updated_at = ? WHERE id = ? AND state = 1");

    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->id);
    return sql_run(&q, err);
}

static bool begin_job(struct backend *b, int64_t id, struct err *err)
{
    struct moving work = {.id = id, .now_ms = sqlite_now_ms(b)};

    return sqlite_write(b, begin, &work, err);
}

static bool end(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct moving *work = arg;
    struct sql q = sql_begin(conn, "UPDATE function_job SET state = 3, outcome = ?, "
                                   "updated_at = ?, finished_at = ? WHERE id = ?");

    sql_blob_of(&q, *work->outcome);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->id);
    return sql_run(&q, err);
}

static bool end_job(
    struct backend *b, int64_t id, const struct blob *outcome, struct err *err)
{
    struct moving work = {id, outcome, sqlite_now_ms(b)};

    return sqlite_write(b, end, &work, err);
}

static bool lose(struct sql_conn *conn, void *arg, struct err *err)
{
    const int64_t *now_ms = arg;
    struct sql q = sql_begin(conn, "UPDATE function_job SET state = 4, updated_at = ?, "
                                   "finished_at = ? WHERE state < 3");

    sql_i64(&q, *now_ms);
    sql_i64(&q, *now_ms);
    return sql_run(&q, err);
}

static bool lose_jobs(struct backend *b, struct err *err)
{
    int64_t now_ms = sqlite_now_ms(b);

    return sqlite_write(b, lose, &now_ms, err);
}

static bool sweep(struct sql_conn *conn, void *arg, struct err *err)
{
    const int64_t *before = arg;
    struct sql q =
        sql_begin(conn, "DELETE FROM function_job WHERE state > 2 AND finished_at < ?");

    sql_i64(&q, *before);
    return sql_run(&q, err);
}

static bool sweep_jobs(struct backend *b, int64_t finished_before_ms, struct err *err)
{
    return sqlite_write(b, sweep, &finished_before_ms, err);
}

const struct function_job_ops sqlite_function_job_ops = {
    .put = put_job,
    .find = find_job,
    .begin = begin_job,
    .end = end_job,
    .lose = lose_jobs,
    .sweep = sweep_jobs,
};
