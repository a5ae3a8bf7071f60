/* SPDX-License-Identifier: Apache-2.0 */
/* Integrations. Deleting one marks it, its connections and its scripts; the sweep takes
 * them away later. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/sqlite_int.h"

#define SELECT                                                                           \
    "SELECT id, environment, uid, unique_key, provider, display_name, "                  \
    "forward_webhooks, settings, created_at, updated_at, version FROM integration "

static struct integration_row *take_row(const struct sql *q)
{
    struct integration_row *row = MEM_NEW(struct integration_row);

    row->refs = 1;
    row->id = sql_take_i64(q, 0);
    row->environment_id = sql_take_i64(q, 1);
    sql_take_fixed(q, 2, row->uid, sizeof row->uid);
    row->unique_key = sql_take_text(q, 3);
    row->provider = sql_take_text(q, 4);
    row->display_name = sql_take_text(q, 5);
    row->forward_webhooks = sql_take_bool(q, 6);
    row->settings = sql_take_blob(q, 7);
    row->created_at_ms = sql_take_i64(q, 8);
    row->updated_at_ms = sql_take_i64(q, 9);
    row->version = sql_take_i64(q, 10);
    return row;
}

static bool read_row(
    struct sql_conn *conn, int64_t id, struct integration_row **out, struct err *err)
{
    struct sql q = sql_begin(conn, SELECT "WHERE id = ? AND deleted_at = 0");
    enum sql_result step;

    sql_i64(&q, id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *out = take_row(&q);
    sql_end(&q);
    return step != SQL_FAILED;
}

bool sqlite_find_integration(struct backend *b, int64_t environment_id,
    const char *unique_key, struct integration_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    if (conn != NULL) {
        struct sql q = sql_begin(
            conn, SELECT "WHERE environment = ? AND unique_key = ? AND deleted_at = 0");

        sql_i64(&q, environment_id);
        sql_text(&q, unique_key);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *out = take_row(&q);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

bool sqlite_list_integrations(struct backend *b, int64_t environment_id,
    struct integration_row ***out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct integration_row **rows = NULL;
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    *out = NULL;
    *count = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            SELECT "WHERE environment = ? AND deleted_at = 0 ORDER BY created_at, id");

        sql_i64(&q, environment_id);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used++] = take_row(&q);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_integrations_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}

bool sqlite_count_connections(
    struct backend *b, int64_t integration_id, size_t *out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            "SELECT count(*) FROM connection WHERE integration = ? AND deleted_at = 0");

        sql_i64(&q, integration_id);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *out = (size_t)sql_take_i64(&q, 0);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

/* ---- writing ---- */

#define TAKEN "duplicate_provider_config"
#define TAKEN_MESSAGE "an integration with that key exists"
#define STALE "stale_integration"

struct integration_write {
    const struct integration_row *row;
    int64_t now_ms;
    struct integration_row *made;
    bool renamed;
};

static bool finish_write(
    struct integration_write *work, bool ok, struct integration_row **out)
{
    if (!ok) {
        integration_row_unref(work->made);
        work->made = NULL;
    }
    *out = work->made;
    return ok;
}

static bool insert(struct sql_conn *conn, void *arg, struct err *err)
{
    struct integration_write *work = arg;
    const struct integration_row *row = work->row;
    struct sql q = sql_begin(conn,
        "INSERT INTO integration (environment, uid, unique_key, provider, display_name, "
        "forward_webhooks, settings, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

    integration_row_unref(work->made);
    work->made = NULL;
    sql_i64(&q, row->environment_id);
    sql_text(&q, row->uid);
    sql_text(&q, row->unique_key);
    sql_text(&q, row->provider);
    sql_text(&q, row->display_name);
    sql_i64(&q, row->forward_webhooks);
    sql_blob_of(&q, row->settings);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->now_ms);
    if (!sql_run_unique(&q, TAKEN, TAKEN_MESSAGE, err))
        return false;
    return read_row(conn, sqlite3_last_insert_rowid(conn->db), &work->made, err);
}

bool sqlite_insert_integration(struct backend *b, const struct integration_row *row,
    struct integration_row **out, struct err *err)
{
    struct integration_write work = {.row = row, .now_ms = sqlite_now_ms(b)};

    return finish_write(&work, sqlite_write(b, insert, &work, err), out);
}

static bool update(struct sql_conn *conn, void *arg, struct err *err)
{
    struct integration_write *work = arg;
    const struct integration_row *row = work->row;
    struct integration_row *before = NULL;
    struct sql q;
    bool stale;

    integration_row_unref(work->made);
    work->made = NULL;
    if (!read_row(conn, row->id, &before, err))
        return false;
    if (before == NULL)
        return err_set(
            err, 404, "unknown_provider_config", "the integration does not exist");
    work->renamed = !str_eq(before->unique_key, row->unique_key);
    stale = before->version != row->version;
    integration_row_unref(before);
    if (stale)
        return err_set(err, 409, STALE, "the integration was changed in the meantime");

    q = sql_begin(conn,
        "UPDATE integration SET unique_key = ?, display_name = ?, forward_webhooks = ?, "
        "settings = ?, updated_at = ?, version = version + 1 WHERE id = ?");
    sql_text(&q, row->unique_key);
    sql_text(&q, row->display_name);
    sql_i64(&q, row->forward_webhooks);
    sql_blob_of(&q, row->settings);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, row->id);
    if (!sql_run_unique(&q, TAKEN, TAKEN_MESSAGE, err))
        return false;
    return read_row(conn, row->id, &work->made, err);
}

bool sqlite_update_integration(struct backend *b, const struct integration_row *row,
    bool *renamed, struct integration_row **out, struct err *err)
{
    struct integration_write work = {.row = row, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, update, &work, err);

    *renamed = work.renamed;
    return finish_write(&work, ok, out);
}

struct removal {
    int64_t id;
    int64_t now_ms;
    bool found;
};

static bool remove_one(struct sql_conn *conn, void *arg, struct err *err)
{
    struct removal *work = arg;
    struct sql q = sql_begin(
        conn, "UPDATE integration SET deleted_at = ? WHERE id = ? AND deleted_at = 0");

    work->found = false;
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->id);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    if (!work->found)
        return true;
    q = sql_begin(conn, "DELETE FROM checkpoint WHERE connection IN "
                        "(SELECT id FROM connection WHERE integration = ?)");
    sql_i64(&q, work->id);
    if (!sql_run(&q, err))
        return false;
    q = sql_begin(conn, "UPDATE connection SET deleted_at = ?, version = version + 1 "
                        "WHERE integration = ? AND deleted_at = 0");
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->id);
    return sql_run(&q, err) &&
           sqlite_remove_scripts_of(conn, work->id, work->now_ms, err);
}

bool sqlite_delete_integration(
    struct backend *b, int64_t id, bool *found, struct err *err)
{
    struct removal work = {.id = id, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, remove_one, &work, err);

    *found = ok && work.found;
    return ok;
}
