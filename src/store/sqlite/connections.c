/* SPDX-License-Identifier: Apache-2.0 */
/* Writing connections. Each write but a touch makes the row's version grow. End users are
 * rows of their own, shared by the connections of an environment: one written with a
 * connection replaces what was known of that end user. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/syncs.h"
#include "store/sqlite/webhooks.h"

/* ---- end users ---- */

/* The row's id in *id. *changed: it was there, and showed something else. */
static bool put_end_user(struct sql_conn *conn, int64_t environment_id,
    const struct end_user_row *row, int64_t *id, bool *changed, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT id, email IS NOT ? OR display_name IS NOT ? OR tags IS NOT ? "
        "OR organization_id IS NOT ? OR organization_display_name IS NOT ? "
        "FROM end_user WHERE environment = ? AND end_user_id = ?");
    enum sql_result step;

    *changed = false;
    sql_text(&q, row->email);
    sql_text(&q, row->display_name);
    sql_text(&q, row->tags_json);
    sql_text(&q, row->organization_id);
    sql_text(&q, row->organization_display_name);
    sql_i64(&q, environment_id);
    sql_text(&q, row->id);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        *id = sql_take_i64(&q, 0);
        *changed = sql_take_bool(&q, 1);
    }
    sql_end(&q);
    if (step == SQL_FAILED)
        return false;
    if (step == SQL_ROW && !*changed)
        return true;

    if (step == SQL_ROW)
        q = sql_begin(conn, "UPDATE end_user SET email = ?, display_name = ?, tags = ?, "
                            "organization_id = ?, organization_display_name = ? "
                            "WHERE environment = ? AND end_user_id = ?");
    else
        q = sql_begin(conn,
            "INSERT INTO end_user (email, display_name, tags, organization_id, "
            "organization_display_name, environment, end_user_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)");
    sql_text(&q, row->email);
    sql_text(&q, row->display_name);
    sql_text(&q, row->tags_json);
    sql_text(&q, row->organization_id);
    sql_text(&q, row->organization_display_name);
    sql_i64(&q, environment_id);
    sql_text(&q, row->id);
    if (!sql_run(&q, err))
        return false;
    if (step == SQL_DONE)
        *id = sqlite3_last_insert_rowid(conn->db);
    return true;
}

/* ---- last use ---- */

/* Only ever later; nothing is noted of a connection that is gone. The first statement
 * does nearly all of the work, without reading the wide row. */
static bool note_use(
    struct sql_conn *conn, int64_t connection, int64_t fetched_ms, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE connection_use SET last_fetched_at = "
                                   "max(last_fetched_at, ?) WHERE connection = ?");

    sql_i64(&q, fetched_ms);
    sql_i64(&q, connection);
    if (!sql_run(&q, err))
        return false;
    if (sql_changed(conn) > 0)
        return true;
    q = sql_begin(conn, "INSERT INTO connection_use (last_fetched_at, connection) "
                        "SELECT ?, id FROM connection WHERE id = ? AND deleted_at = 0");
    sql_i64(&q, fetched_ms);
    sql_i64(&q, connection);
    return sql_run(&q, err);
}

/* ---- put ---- */

struct put {
    const struct connection_row *row;
    const struct put_terms *terms;
    int64_t now_ms;
    struct put_effect effect;
    struct connection_row *made;
};

/* The live row's id, 0 when there is none. The integration must be the environment's. */
static bool find_target(
    struct sql_conn *conn, const struct connection_row *row, int64_t *id, struct err *err)
{
    struct sql q = sql_begin(conn,
        "SELECT coalesce((SELECT c.id FROM connection c WHERE c.integration = i.id "
        "AND c.connection_id = ? AND c.deleted_at = 0), 0) "
        "FROM integration i WHERE i.id = ? AND i.environment = ? AND i.deleted_at = 0");
    enum sql_result step;

    sql_text(&q, row->connection_id);
    sql_i64(&q, row->integration_id);
    sql_i64(&q, row->environment_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *id = sql_take_i64(&q, 0);
    sql_end(&q);
    if (step == SQL_DONE)
        err_set(err, 404, "unknown_provider_config", "the integration does not exist");
    return step == SQL_ROW;
}

/* Are the terms met by the live row `id`, 0 = none? */
static bool check_terms(
    struct sql_conn *conn, const struct put_terms *terms, int64_t id, struct err *err)
{
    struct sql q;
    enum sql_result step;

    if (terms->row_id != 0 && terms->row_id != id)
        return err_set(err, 404, "unknown_connection", "the connection does not exist");
    if (terms->config == NULL)
        return true;
    q = sql_begin(conn, "SELECT 1 FROM connection WHERE id = ? AND config IS ?");
    sql_i64(&q, id);
    sql_blob_of(&q, *terms->config);
    step = sql_step(&q, err);
    sql_end(&q);
    if (step == SQL_DONE)
        err_set(
            err, 409, "stale_connection", "the connection was changed in the meantime");
    return step == SQL_ROW;
}

/* What creating and overwriting begin with, in this order. */
static void bind_columns(struct sql *q, const struct put *work)
{
    const struct connection_row *row = work->row;

    sql_text(q, row->auth_type);
    sql_i64(q, row->has_refresh_token);
    sql_blob_of(q, row->credentials);
    sql_blob_of(q, row->config);
    sql_i64(q, row->expires_at_ms);
    sql_i64(q, work->now_ms);
    sql_text(q, row->webhook_url_override);
}

static void bind_end_user(struct sql *q, int64_t id)
{
    if (id != 0)
        sql_i64(q, id);
    else
        sql_text(q, NULL);
}

static void bind_creation(struct sql *q, const struct put *work)
{
    sql_i64(q, work->row->environment_id);
    sql_i64(q, work->row->integration_id);
    sql_text(q, work->row->connection_id);
}

/* The row as the connection would be, beside the live one `id` (0 = none). What is known
 * of the end user is not touched before it takes effect. */
static bool hold(
    struct sql_conn *conn, const struct put *work, int64_t id, struct err *err)
{
    const struct connection_row *row = work->row;
    struct sql q = sql_begin(conn,
        "INSERT INTO connection (auth_type, has_refresh_token, credentials, config, "
        "expires_at, updated_at, webhook_url_override, tags, metadata, end_user, "
        "created_at, environment, integration, connection_id, deleted_at) "
        "SELECT ?, ?, ?, ?, ?, ?, coalesce(?, iif(?, l.webhook_url_override, NULL)), "
        "coalesce(?, l.tags, '{}'), coalesce(?, iif(l.id IS NULL, ?, l.metadata)), "
        "l.end_user, coalesce(l.created_at, ?), ?, ?, ?, -1 "
        "FROM (SELECT 1) LEFT JOIN connection l ON l.id = ?");

    bind_columns(&q, work);
    sql_i64(&q, work->terms->keep_webhook_url);
    sql_text(&q, row->tags_json);
    sql_text(&q, row->metadata_json);
    sql_text(&q, work->terms->metadata_if_new);
    sql_i64(&q, work->now_ms);
    bind_creation(&q, work);
    sql_i64(&q, id);
    return sql_run(&q, err);
}

static bool insert(
    struct sql_conn *conn, const struct put *work, int64_t end_user, struct err *err)
{
    const struct connection_row *row = work->row;
    struct sql q = sql_begin(conn,
        "INSERT INTO connection (auth_type, has_refresh_token, credentials, config, "
        "expires_at, updated_at, webhook_url_override, tags, metadata, end_user, "
        "created_at, environment, integration, connection_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    bind_columns(&q, work);
    sql_text(&q, row->tags_json != NULL ? row->tags_json : "{}");
    sql_text(&q,
        row->metadata_json != NULL ? row->metadata_json : work->terms->metadata_if_new);
    bind_end_user(&q, end_user);
    sql_i64(&q, work->now_ms);
    bind_creation(&q, work);
    return sql_run(&q, err);
}

/* Also makes a row that was held back the live one. */
static bool overwrite(struct sql_conn *conn, const struct put *work, int64_t id,
    int64_t end_user, struct err *err)
{
    const struct connection_row *row = work->row;
    struct sql q = sql_begin(conn,
        "UPDATE connection SET auth_type = ?, has_refresh_token = ?, "
        "credentials = ?, config = ?, expires_at = ?, updated_at = ?, "
        "webhook_url_override = coalesce(?, iif(?, webhook_url_override, NULL)), "
        "tags = coalesce(?, tags), metadata = coalesce(?, metadata), "
        "end_user = coalesce(?, end_user), errors = '[]', last_refresh_success = 0, "
        "last_refresh_failure = 0, refresh_attempts = 0, refresh_exhausted = 0, "
        "deleted_at = 0, version = version + 1 WHERE id = ?");

    bind_columns(&q, work);
    sql_i64(&q, work->terms->keep_webhook_url);
    sql_text(&q, row->tags_json);
    sql_text(&q, row->metadata_json);
    bind_end_user(&q, end_user);
    sql_i64(&q, id);
    return sql_run(&q, err) && sqlite_empty_refresh_journal(conn, id, err);
}

static bool same_blob(struct blob a, struct blob b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* What was changed of the row since it was held back goes into `row`. It borrows from
 * *now, which the caller unrefs. */
static bool read_held(struct sql_conn *conn, const struct connection_row *held,
    struct connection_row *row, struct connection_row **now, struct err *err)
{
    if (!sqlite_read_connection(conn, held->id, now, err))
        return false;
    if (*now == NULL || !(*now)->held)
        return err_set(err, 404, "unknown_connection", "the connection does not exist");
    if (!same_blob((*now)->credentials, held->credentials)) {
        row->credentials = (*now)->credentials;
        row->has_refresh_token = (*now)->has_refresh_token;
        row->expires_at_ms = (*now)->expires_at_ms;
    }
    if (!same_blob((*now)->config, held->config))
        row->config = (*now)->config;
    if (!str_eq((*now)->metadata_json, held->metadata_json))
        row->metadata_json = (*now)->metadata_json;
    return true;
}

static bool drop_held(struct sql_conn *conn, int64_t id, struct err *err)
{
    struct sql q =
        sql_begin(conn, "DELETE FROM connection WHERE deleted_at = -1 AND id = ?");

    sql_i64(&q, id);
    return sql_run(&q, err);
}

/* Writes the row; *id, that of the live one or 0, becomes the row's. */
static bool write_row(
    struct sql_conn *conn, struct put *work, int64_t *id, struct err *err)
{
    const struct connection_row *row = work->row;
    const struct put_terms *terms = work->terms;
    int64_t end_user = 0;
    bool ok;

    if (terms->hold) {
        ok = hold(conn, work, *id, err);
        *id = sqlite3_last_insert_rowid(conn->db);
        return ok;
    }
    if (row->end_user != NULL && !put_end_user(conn, row->environment_id, row->end_user,
                                     &end_user, &work->effect.end_user_changed, err))
        return false;
    work->effect.created = *id == 0;
    if (*id == 0 && terms->held == NULL) {
        ok = insert(conn, work, end_user, err);
        *id = sqlite3_last_insert_rowid(conn->db);
    } else {
        if (*id == 0)
            *id = terms->held->id;
        ok = overwrite(conn, work, *id, end_user, err) &&
             (terms->held == NULL || drop_held(conn, terms->held->id, err));
    }
    /* What has no credentials is not fetched by being made. */
    if (ok && !str_eq(row->auth_type, "NONE"))
        ok = note_use(conn, *id, work->now_ms, err);
    ok = ok && sqlite_schedule_connection(conn, *id, work->now_ms, err);
    ok = ok && (terms->event == NULL ||
                   sqlite_order_event_scripts(
                       conn, *id, row->integration_id, terms->event, work->now_ms, err));
    return ok &&
           sqlite_insert_webhooks(conn,
               work->effect.created ? terms->webhooks_if_new : terms->webhooks_if_old,
               work->now_ms, err);
}

static bool put(struct sql_conn *conn, void *arg, struct err *err)
{
    struct put *work = arg;
    const struct connection_row *given = work->row;
    const struct put_terms *terms = work->terms;
    struct connection_row row = *given, *held = NULL;
    int64_t id;
    bool ok;

    connection_row_unref(work->made);
    work->made = NULL;
    work->effect = (struct put_effect){.environment_id = row.environment_id};
    if (!find_target(conn, given, &id, err) || !check_terms(conn, terms, id, err))
        return false;
    ok = terms->held == NULL || read_held(conn, terms->held, &row, &held, err);
    work->row = &row;
    ok = ok && write_row(conn, work, &id, err) &&
         sqlite_read_connection(conn, id, &work->made, err);
    work->row = given;
    connection_row_unref(held);
    return ok;
}

bool sqlite_put_connection(struct backend *b, const struct connection_row *row,
    const struct put_terms *terms, struct put_effect *effect, struct connection_row **out,
    struct err *err)
{
    struct put work = {.row = row, .terms = terms, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, put, &work, err);

    if (!ok) {
        connection_row_unref(work.made);
        work.made = NULL;
    }
    *effect = work.effect;
    *out = work.made;
    return ok;
}

/* ---- patch ---- */

struct patch {
    int64_t id;
    const struct connection_patch *patch;
    int64_t now_ms;
    struct put_effect effect;
};

static bool patch_one(struct sql_conn *conn, void *arg, struct err *err)
{
    struct patch *work = arg;
    const struct connection_patch *patch = work->patch;
    int64_t end_user = 0;
    struct sql q = sql_begin(
        conn, "SELECT environment FROM connection WHERE id = ? AND deleted_at = 0");
    enum sql_result step;

    work->effect = (struct put_effect){0};
    sql_i64(&q, work->id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        work->effect.environment_id = sql_take_i64(&q, 0);
    sql_end(&q);
    if (step == SQL_DONE)
        err_set(err, 404, "unknown_connection", "the connection does not exist");
    if (step != SQL_ROW)
        return false;
    if (patch->end_user != NULL &&
        !put_end_user(conn, work->effect.environment_id, patch->end_user, &end_user,
            &work->effect.end_user_changed, err))
        return false;

    q = sql_begin(conn,
        "UPDATE connection SET tags = coalesce(?, tags), end_user = coalesce(?, "
        "end_user), "
        "webhook_url_override = iif(?, ?, webhook_url_override), updated_at = ?, "
        "version = version + 1 WHERE id = ?");
    sql_text(&q, patch->tags_json);
    bind_end_user(&q, end_user);
    sql_i64(&q, patch->set_webhook_url_override);
    sql_text(&q, patch->webhook_url_override);
    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->id);
    return sql_run(&q, err);
}

bool sqlite_patch_connection(struct backend *b, int64_t id,
    const struct connection_patch *patch, struct put_effect *effect, struct err *err)
{
    struct patch work = {.id = id, .patch = patch, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, patch_one, &work, err);

    *effect = work.effect;
    return ok;
}

/* ---- delete ---- */

struct removal {
    int64_t id;
    int64_t now_ms;
    bool found;
};

static bool remove_one(struct sql_conn *conn, void *arg, struct err *err)
{
    struct removal *work = arg;
    struct sql q =
        sql_begin(conn, "UPDATE connection SET deleted_at = ?, version = version + 1 "
                        "WHERE id = ? AND deleted_at = 0");

    sql_i64(&q, work->now_ms);
    sql_i64(&q, work->id);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    q = sql_begin(conn, "DELETE FROM checkpoint WHERE connection = ?");
    sql_i64(&q, work->id);
    return !work->found || sql_run(&q, err);
}

bool sqlite_delete_connection(struct backend *b, int64_t id, bool *found, struct err *err)
{
    struct removal work = {.id = id, .now_ms = sqlite_now_ms(b)};
    bool ok = sqlite_write(b, remove_one, &work, err);

    *found = ok && work.found;
    return ok;
}

static bool drop_all_held(struct sql_conn *conn, void *arg, struct err *err)
{
    const int64_t *id = arg;
    struct sql q;

    if (*id != 0)
        return drop_held(conn, *id, err);
    q = sql_begin(conn, "DELETE FROM connection WHERE deleted_at = -1");
    return sql_run(&q, err);
}

bool sqlite_drop_held_connections(struct backend *b, int64_t id, struct err *err)
{
    return sqlite_write(b, drop_all_held, &id, err);
}

/* ---- metadata ---- */

struct metadata {
    const struct metadata_change *change;
    const cJSON *merged; /* NULL = replace */
    int64_t now_ms;
    int64_t *ids;
};

/* The id, and the present metadata when it is wanted; the caller frees. */
static bool find_metadata(struct sql_conn *conn, const struct metadata *work,
    const char *connection_id, int64_t *id, char **json, struct err *err)
{
    const struct metadata_change *change = work->change;
    struct sql q = sql_begin(conn,
        "SELECT c.id, c.metadata FROM connection c JOIN integration i ON "
        "i.id = c.integration WHERE i.environment = ? AND i.unique_key = ? "
        "AND i.deleted_at = 0 AND c.connection_id = ? AND (c.deleted_at = 0 "
        "OR (c.deleted_at = -1 AND c.id = ?)) ORDER BY c.deleted_at LIMIT 1");
    enum sql_result step;

    sql_i64(&q, change->environment_id);
    sql_text(&q, change->provider_config_key);
    sql_text(&q, connection_id);
    sql_i64(&q, change->held_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW) {
        *id = sql_take_i64(&q, 0);
        *json = sql_take_text(&q, 1);
    }
    sql_end(&q);
    if (step == SQL_DONE)
        err_set(err, 404, "unknown_connection", "the connection `%.200s` does not exist",
            connection_id);
    return step == SQL_ROW;
}

/* What is there with the members of `merged` over it. */
static char *merge(const char *present, const cJSON *merged)
{
    cJSON *value = present != NULL ? json_parse(present, strlen(present), NULL) : NULL;
    char *text;

    if (!cJSON_IsObject(value)) {
        cJSON_Delete(value);
        value = cJSON_CreateObject();
    }
    json_merge(value, merged);
    text = json_print(value);
    cJSON_Delete(value);
    return text;
}

static bool set_metadata(struct sql_conn *conn, void *arg, struct err *err)
{
    struct metadata *work = arg;
    const struct metadata_change *change = work->change;

    for (size_t i = 0; i < change->count; i++) {
        char *present = NULL, *text = NULL;
        int64_t id;
        struct sql q;
        bool ok;

        if (!find_metadata(conn, work, change->connection_ids[i], &id, &present, err))
            return false;
        if (work->merged != NULL)
            text = merge(present, work->merged);
        q = sql_begin(conn,
            "UPDATE connection SET metadata = ?, updated_at = ?, version = version + 1 "
            "WHERE id = ?");
        sql_text(&q, text != NULL ? text : change->metadata_json);
        sql_i64(&q, work->now_ms);
        sql_i64(&q, id);
        ok = sql_run(&q, err);
        free(present);
        free(text);
        if (!ok)
            return false;
        work->ids[i] = id;
    }
    return true;
}

bool sqlite_set_metadata(struct backend *b, const struct metadata_change *change,
    int64_t *ids, struct err *err)
{
    struct metadata work = {.change = change, .now_ms = sqlite_now_ms(b), .ids = ids};
    cJSON *value = json_parse(change->metadata_json, strlen(change->metadata_json), err);
    bool ok;

    if (value == NULL)
        return false;
    if (!cJSON_IsObject(value)) {
        cJSON_Delete(value);
        return err_set(err, 400, "invalid_body", "metadata must be an object");
    }
    work.merged = change->merge ? value : NULL;
    ok = sqlite_write(b, set_metadata, &work, err);
    cJSON_Delete(value);
    return ok;
}

/* ---- touches ---- */

struct touch {
    const int64_t *ids;
    const int64_t *times_ms;
    size_t count;
};

static bool touch(struct sql_conn *conn, void *arg, struct err *err)
{
    const struct touch *work = arg;

    for (size_t i = 0; i < work->count; i++) {
        if (!note_use(conn, work->ids[i], work->times_ms[i], err))
            return false;
    }
    return true;
}

bool sqlite_touch_connections(struct backend *b, const int64_t *ids,
    const int64_t *times_ms, size_t count, struct err *err)
{
    struct touch work = {ids, times_ms, count};

    return sqlite_write(b, touch, &work, err);
}
