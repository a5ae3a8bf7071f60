/* SPDX-License-Identifier: Apache-2.0 */
/* Three small tables of sealed values: the key ring, API keys, environment variables. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/sqlite_int.h"

/* ---- the key ring ---- */

bool sqlite_read_keys(
    struct sql_conn *conn, struct store_key **out, size_t *count, struct err *err)
{
    struct sql q =
        sql_begin(conn, "SELECT number, wrapped FROM key_ring ORDER BY number");
    struct store_key *keys = NULL;
    enum sql_result step;
    size_t used = 0;

    *out = NULL;
    *count = 0;
    while ((step = sql_step(&q, err)) == SQL_ROW) {
        keys = sql_room(keys, used, sizeof *keys);
        keys[used].number = (uint32_t)sql_take_i64(&q, 0);
        keys[used++].wrapped = sql_take_blob(&q, 1);
    }
    sql_end(&q);
    if (step == SQL_FAILED) {
        store_keys_free(keys, used);
        return false;
    }
    *out = keys;
    *count = used;
    return true;
}

bool sqlite_list_keys(
    struct backend *b, struct store_key **out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok;

    *out = NULL;
    *count = 0;
    ok = conn != NULL && sqlite_read_keys(conn, out, count, err);
    sqlite_reader_done(b, conn);
    return ok;
}

struct key_put {
    uint32_t number;
    const void *wrapped;
    size_t len;
};

static bool put_key(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct key_put *work = arg;
    struct sql q = sql_begin(
        conn, "INSERT OR REPLACE INTO key_ring (number, wrapped) VALUES (?, ?)");

    sql_i64(&q, work->number);
    sql_blob(&q, work->wrapped, work->len);
    return sql_run(&q, err);
}

bool sqlite_put_key(
    struct backend *b, uint32_t number, const void *wrapped, size_t len, struct err *err)
{
    struct key_put work = {number, wrapped, len};

    return sqlite_write(b, put_key, &work, err);
}

struct key_ring {
    const struct store_key *keys;
    size_t count;
};

static bool replace_keys(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct key_ring *work = arg;
    struct sql q;

    /* Who has the old key-encryption key must not find what it opens in the file's free
     * space. The log goes when the store is closed. */
    if (!sql_execute(conn, "PRAGMA secure_delete = ON", err))
        return false;
    q = sql_begin(conn, "DELETE FROM key_ring");
    if (!sql_run(&q, err))
        return false;
    for (size_t i = 0; i < work->count; i++) {
        struct key_put one = {
            work->keys[i].number, work->keys[i].wrapped.data, work->keys[i].wrapped.len};

        if (!put_key(conn, &one, err))
            return false;
    }
    return sql_execute(conn, "PRAGMA secure_delete = OFF", err);
}

bool sqlite_replace_keys(
    struct backend *b, const struct store_key *keys, size_t count, struct err *err)
{
    struct key_ring work = {keys, count};

    return sqlite_write(b, replace_keys, &work, err);
}

/* ---- API keys ---- */

#define SELECT_API_KEY                                                                   \
    "SELECT id, environment, display_name, scopes, secret, sha256, created_at "          \
    "FROM api_key "

static struct api_key_row *take_api_key(const struct sql *q)
{
    struct api_key_row *row = MEM_NEW(struct api_key_row);
    struct blob hash = sql_take_blob(q, 5);

    row->refs = 1;
    row->id = sql_take_i64(q, 0);
    row->environment_id = sql_take_i64(q, 1);
    row->display_name = sql_take_text(q, 2);
    row->scopes = sql_take_text(q, 3);
    row->secret = sql_take_blob(q, 4);
    if (hash.len == sizeof row->sha256)
        memcpy(row->sha256, hash.data, sizeof row->sha256);
    blob_free(&hash);
    row->created_at_ms = sql_take_i64(q, 6);
    return row;
}

bool sqlite_find_api_key(struct backend *b, const uint8_t sha256[SHA256_LEN],
    struct api_key_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    if (conn != NULL) {
        struct sql q = sql_begin(conn, SELECT_API_KEY "WHERE sha256 = ?");

        sql_blob(&q, sha256, SHA256_LEN);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *out = take_api_key(&q);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}

bool sqlite_list_api_keys(struct backend *b, int64_t environment_id,
    struct api_key_row ***out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct api_key_row **rows = NULL;
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    *out = NULL;
    *count = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn,
            SELECT_API_KEY "WHERE environment = ? ORDER BY created_at DESC, id DESC");

        sql_i64(&q, environment_id);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used++] = take_api_key(&q);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_api_keys_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}

struct api_key_insert {
    const struct api_key_row *row;
    int64_t now_ms;
    struct api_key_row *made;
};

static bool insert_api_key(struct sql_conn *conn, void *arg, struct err *err)
{
    struct api_key_insert *work = arg;
    const struct api_key_row *row = work->row;
    enum sql_result step;
    struct sql q = sql_begin(conn, "INSERT INTO api_key (environment, display_name, "
                                   "scopes, secret, sha256, created_at) "
                                   "VALUES (?, ?, ?, ?, ?, ?)");

    api_key_row_unref(work->made);
    work->made = NULL;
    sql_i64(&q, row->environment_id);
    sql_text(&q, row->display_name);
    sql_text(&q, row->scopes);
    sql_blob_of(&q, row->secret);
    sql_blob(&q, row->sha256, SHA256_LEN);
    sql_i64(&q, work->now_ms);
    if (!sql_run_unique(&q, "conflict", "an API key of that name exists", err))
        return false;
    q = sql_begin(conn, SELECT_API_KEY "WHERE id = ?");
    sql_i64(&q, sqlite3_last_insert_rowid(conn->db));
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        work->made = take_api_key(&q);
    sql_end(&q);
    return step == SQL_ROW;
}

bool sqlite_insert_api_key(struct backend *b, const struct api_key_row *row,
    struct api_key_row **out, struct err *err)
{
    struct api_key_insert work = {.row = row, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, insert_api_key, &work, err);

    if (!ok) {
        api_key_row_unref(work.made);
        work.made = NULL;
    }
    *out = work.made;
    return ok;
}

struct api_key_removal {
    int64_t environment_id;
    int64_t id;
    bool found;
};

static bool delete_api_key(struct sql_conn *conn, void *arg, struct err *err)
{
    struct api_key_removal *work = arg;
    struct sql q =
        sql_begin(conn, "DELETE FROM api_key WHERE environment = ? AND id = ?");

    sql_i64(&q, work->environment_id);
    sql_i64(&q, work->id);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    return true;
}

bool sqlite_delete_api_key(
    struct backend *b, int64_t environment_id, int64_t id, bool *found, struct err *err)
{
    struct api_key_removal work = {environment_id, id, false};
    bool ok = sqlite_write(b, delete_api_key, &work, err);

    *found = ok && work.found;
    return ok;
}

/* ---- variables ---- */

bool sqlite_list_variables(struct backend *b, int64_t environment_id,
    struct variable_row **out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct variable_row *rows = NULL;
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    *out = NULL;
    *count = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(
            conn, "SELECT name, value FROM variable WHERE environment = ? ORDER BY name");

        sql_i64(&q, environment_id);
        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used].name = sql_take_text(&q, 0);
            rows[used++].value = sql_take_blob(&q, 1);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_variables_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}

struct variable_write {
    int64_t environment_id;
    const char *name;
    const void *value;
    size_t len;
    bool found;
};

static bool put_variable(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct variable_write *work = arg;
    struct sql q = sql_begin(conn,
        "INSERT OR REPLACE INTO variable (environment, name, value) VALUES (?, ?, ?)");

    sql_i64(&q, work->environment_id);
    sql_text(&q, work->name);
    sql_blob(&q, work->value, work->len);
    return sql_run(&q, err);
}

bool sqlite_put_variable(struct backend *b, int64_t environment_id, const char *name,
    const void *value, size_t len, struct err *err)
{
    struct variable_write work = {environment_id, name, value, len, false};

    return sqlite_write(b, put_variable, &work, err);
}

static bool delete_variable(struct sql_conn *conn, void *arg, struct err *err)
{
    struct variable_write *work = arg;
    struct sql q =
        sql_begin(conn, "DELETE FROM variable WHERE environment = ? AND name = ?");

    sql_i64(&q, work->environment_id);
    sql_text(&q, work->name);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    return true;
}

bool sqlite_delete_variable(struct backend *b, int64_t environment_id, const char *name,
    bool *found, struct err *err)
{
    struct variable_write work = {environment_id, name, NULL, 0, false};
    bool ok = sqlite_write(b, delete_variable, &work, err);

    *found = ok && work.found;
    return ok;
}
