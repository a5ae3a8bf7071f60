/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one connection, by its name or its id. Listing: connection_list.c. */
#include "store/sqlite/connection_rows.h"

#include "base/mem.h"
#include "store/sqlite/sqlite_int.h"

#define WHOLE CONNECTION_COLUMNS("c.credentials", "c.config")
#define TABLES "FROM connection c " CONNECTION_JOINS

static struct end_user_row *take_end_user(const struct sql *q, int column)
{
    char *id = sql_take_text(q, column);
    struct end_user_row *row;

    if (id == NULL)
        return NULL;
    row = MEM_NEW(struct end_user_row);
    row->id = id;
    row->email = sql_take_text(q, column + 1);
    row->display_name = sql_take_text(q, column + 2);
    row->tags_json = sql_take_text(q, column + 3);
    row->organization_id = sql_take_text(q, column + 4);
    row->organization_display_name = sql_take_text(q, column + 5);
    return row;
}

struct connection_row *sqlite_take_connection(const struct sql *q)
{
    struct connection_row *row = MEM_NEW(struct connection_row);

    row->refs = 1;
    row->id = sql_take_i64(q, 0);
    row->environment_id = sql_take_i64(q, 1);
    row->integration_id = sql_take_i64(q, 2);
    row->version = sql_take_i64(q, 3);
    row->connection_id = sql_take_text(q, 4);
    row->provider_config_key = sql_take_text(q, 5);
    row->provider = sql_take_text(q, 6);
    row->auth_type = sql_take_text(q, 7);
    row->has_refresh_token = sql_take_bool(q, 8);
    row->credentials = sql_take_blob(q, 9);
    row->config = sql_take_blob(q, 10);
    row->metadata_json = sql_take_text(q, 11);
    row->tags_json = sql_take_text(q, 12);
    row->errors_json = sql_take_text(q, 13);
    row->webhook_url_override = sql_take_text(q, 14);
    row->created_at_ms = sql_take_i64(q, 15);
    row->updated_at_ms = sql_take_i64(q, 16);
    row->last_fetched_at_ms = sql_take_i64(q, 17);
    row->expires_at_ms = sql_take_i64(q, 18);
    row->last_refresh_success_ms = sql_take_i64(q, 19);
    row->last_refresh_failure_ms = sql_take_i64(q, 20);
    row->refresh_attempts = (int)sql_take_i64(q, 21);
    row->refresh_exhausted = sql_take_bool(q, 22);
    row->held = sql_take_bool(q, 23);
    row->end_user = take_end_user(q, 24);
    return row;
}

bool sqlite_read_connection(
    struct sql_conn *conn, int64_t id, struct connection_row **out, struct err *err)
{
    struct sql q = sql_begin(conn, WHOLE TABLES "WHERE c.id = ? AND c.deleted_at <= 0");
    enum sql_result step;

    *out = NULL;
    sql_i64(&q, id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *out = sqlite_take_connection(&q);
    sql_end(&q);
    return step != SQL_FAILED;
}

bool sqlite_reload_connection(
    struct backend *b, int64_t id, struct connection_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok;

    *out = NULL;
    ok = conn != NULL && sqlite_read_connection(conn, id, out, err);
    sqlite_reader_done(b, conn);
    return ok;
}

bool sqlite_find_connection(struct backend *b, const struct connection_key *key,
    struct connection_row **out, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    *out = NULL;
    if (conn != NULL) {
        struct sql q =
            sql_begin(conn, WHOLE TABLES "WHERE i.environment = ? AND i.unique_key = ? "
                                         "AND i.deleted_at = 0 AND c.connection_id = ? "
                                         "AND c.deleted_at = 0");

        sql_i64(&q, key->environment_id);
        sql_text(&q, key->provider_config_key);
        sql_text(&q, key->connection_id);
        step = sql_step(&q, err);
        if (step == SQL_ROW)
            *out = sqlite_take_connection(&q);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    return step != SQL_FAILED;
}
