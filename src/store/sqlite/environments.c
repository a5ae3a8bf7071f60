/* SPDX-License-Identifier: Apache-2.0 */
/* Environments. Deleting one deletes everything in it, by the schema's foreign keys. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/sqlite_int.h"

#define SELECT                                                                           \
    "SELECT id, uuid, public_key, name, is_production, callback_url, hmac_enabled, "     \
    "hmac_key, created_at, webhook_url, webhook_url_secondary, webhook_kinds, "          \
    "signing_key FROM environment "

static struct environment_row *take_row(const struct sql *q)
{
    struct environment_row *row = MEM_NEW(struct environment_row);

    row->refs = 1;
    row->id = sql_take_i64(q, 0);
    sql_take_fixed(q, 1, row->uuid, sizeof row->uuid);
    sql_take_fixed(q, 2, row->public_key, sizeof row->public_key);
    row->name = sql_take_text(q, 3);
    row->is_production = sql_take_bool(q, 4);
    row->callback_url = sql_take_text(q, 5);
    row->hmac_enabled = sql_take_bool(q, 6);
    row->hmac_key = sql_take_blob(q, 7);
    row->created_at_ms = sql_take_i64(q, 8);
    row->webhook_url = sql_take_text(q, 9);
    row->webhook_url_secondary = sql_take_text(q, 10);
    row->webhook_kinds = (unsigned)sql_take_i64(q, 11);
    row->signing_key = sql_take_blob(q, 12);
    return row;
}

static struct sql begin_find(struct sql_conn *conn, const struct environment_key *key)
{
    struct sql q;

    if (key->name != NULL) {
        q = sql_begin(conn, SELECT "WHERE name = ?");
        sql_text(&q, key->name);
    } else if (key->uuid != NULL) {
        q = sql_begin(conn, SELECT "WHERE uuid = ?");
        sql_text(&q, key->uuid);
    } else if (key->public_key != NULL) {
        q = sql_begin(conn, SELECT "WHERE public_key = ?");
        sql_text(&q, key->public_key);
    } else {
        q = sql_begin(conn, SELECT "WHERE id = ?");
        sql_i64(&q, key->id);
    }
    return q;
}

static bool find(struct sql_conn *conn, const struct environment_key *key,
    struct environment_row **out, struct err *err)
{
    struct sql q = begin_find(conn, key);
    enum sql_result step = sql_step(&q, err);

    if (step == SQL_ROW)
        *out = take_row(&q);
    sql_end(&q);
    return step != SQL_FAILED;
}

bool sqlite_find_environment(struct backend *b, const struct environment_key *key,
    struct environment_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok;

    *out = NULL;
    ok = conn != NULL && find(conn, key, out, err);
    sqlite_reader_done(b, conn);
    return ok;
}

bool sqlite_list_environments(
    struct backend *b, struct environment_row ***out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    struct environment_row **rows = NULL;
    enum sql_result step = SQL_FAILED;
    size_t used = 0;

    *out = NULL;
    *count = 0;
    if (conn != NULL) {
        struct sql q = sql_begin(conn, SELECT "ORDER BY id");

        while ((step = sql_step(&q, err)) == SQL_ROW) {
            rows = sql_room(rows, used, sizeof *rows);
            rows[used++] = take_row(&q);
        }
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    if (step == SQL_FAILED) {
        store_environments_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}

/* ---- writing ---- */

struct insert {
    const struct environment_row *row;
    int64_t now_ms;
    struct environment_row *made;
};

static bool insert(struct sql_conn *conn, void *arg, struct err *err)
{
    struct insert *work = arg;
    const struct environment_row *row = work->row;
    struct environment_key key = {0};
    struct sql q = sql_begin(conn,
        "INSERT INTO environment (uuid, public_key, name, is_production, callback_url, "
        "hmac_enabled, hmac_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    environment_row_unref(work->made);
    work->made = NULL;
    sql_text(&q, row->uuid);
    sql_text(&q, row->public_key);
    sql_text(&q, row->name);
    sql_i64(&q, row->is_production);
    sql_text(&q, row->callback_url);
    sql_i64(&q, row->hmac_enabled);
    sql_blob_of(&q, row->hmac_key);
    sql_i64(&q, work->now_ms);
    if (!sql_run_unique(&q, "conflict", "an environment of that name exists", err))
        return false;
    key.id = sqlite3_last_insert_rowid(conn->db);
    return find(conn, &key, &work->made, err);
}

bool sqlite_insert_environment(struct backend *b, const struct environment_row *row,
    struct environment_row **out, struct err *err)
{
    struct insert work = {.row = row, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, insert, &work, err);

    if (!ok) {
        environment_row_unref(work.made);
        work.made = NULL;
    }
    *out = work.made;
    return ok;
}

struct patching {
    int64_t id;
    const struct environment_patch *patch;
};

static bool patch_one(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct patching *work = arg;
    const struct environment_patch *patch = work->patch;
    struct environment_key key = {.id = work->id};
    struct environment_row *row = NULL;
    bool keyless;
    struct sql q =
        sql_begin(conn, "UPDATE environment SET "
                        "callback_url = CASE WHEN ? THEN ? ELSE callback_url END, "
                        "hmac_enabled = CASE WHEN ? THEN ? ELSE hmac_enabled END, "
                        "hmac_key = CASE WHEN ? THEN ? ELSE hmac_key END, "
                        "webhook_url = CASE WHEN ? THEN ? ELSE webhook_url END, "
                        "webhook_url_secondary = CASE WHEN ? THEN ? ELSE "
                        "webhook_url_secondary END, "
                        "webhook_kinds = (webhook_kinds | ?) & ~?, "
                        "signing_key = CASE WHEN ? THEN ? ELSE signing_key END "
                        "WHERE id = ?");

    sql_i64(&q, patch->set_callback_url);
    sql_text(&q, patch->callback_url);
    sql_i64(&q, patch->set_hmac_enabled);
    sql_i64(&q, patch->hmac_enabled);
    sql_i64(&q, patch->set_hmac_key);
    sql_blob_of(&q, patch->hmac_key);
    sql_i64(&q, patch->set_webhook_url);
    sql_text(&q, patch->webhook_url);
    sql_i64(&q, patch->set_webhook_url_secondary);
    sql_text(&q, patch->webhook_url_secondary);
    sql_i64(&q, patch->webhook_kinds_on);
    sql_i64(&q, patch->webhook_kinds_off);
    sql_i64(&q, patch->set_signing_key);
    sql_blob_of(&q, patch->signing_key);
    sql_i64(&q, work->id);
    if (!sql_run(&q, err) || !find(conn, &key, &row, err))
        return false;
    if (row == NULL)
        return err_set(err, 404, "not_found", "the environment does not exist");
    keyless = row->hmac_enabled && row->hmac_key.data == NULL;
    environment_row_unref(row);
    return !keyless || err_set(err, 400, "missing_hmac_key",
                           "an HMAC can be demanded only with a key to check it by");
}

bool sqlite_patch_environment(
    struct backend *b, int64_t id, const struct environment_patch *patch, struct err *err)
{
    struct patching work = {id, patch};

    return sqlite_write(b, patch_one, &work, err);
}

struct removal {
    int64_t id;
    bool found;
};

static bool remove_one(struct sql_conn *conn, void *arg, struct err *err)
{
    struct removal *work = arg;
    struct sql q = sql_begin(conn, "DELETE FROM environment WHERE id = ?");

    sql_i64(&q, work->id);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    return true;
}

bool sqlite_delete_environment(
    struct backend *b, int64_t id, bool *found, struct err *err)
{
    struct removal work = {.id = id};
    bool ok = sqlite_write(b, remove_one, &work, err);

    *found = ok && work.found;
    return ok;
}
