/* SPDX-License-Identifier: Apache-2.0 */
/* Reading scripts: a row is one version, beside the script it is of. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/sqlite_int.h"

#define SELECT                                                                           \
    "SELECT s.id, v.id, s.environment, s.integration, i.unique_key, i.provider, "        \
    "s.kind, "                                                                           \
    "s.name, s.enabled, v.active, s.created_at, v.created_at, v.js, v.ts, v.version, "   \
    "v.description, v.models, v.input, v.endpoints, v.scopes, v.json_schema, "           \
    "v.model_schema, v.runs, v.sync_type, v.auto_start, v.track_deletes, "               \
    "v.webhook_subscriptions, s.event, v.attributes, v.features, v.sdk_version, "        \
    "v.source "                                                                          \
    "FROM script s JOIN script_version v ON v.script = s.id "                            \
    "JOIN integration i ON i.id = s.integration "

#define EVENT_COLUMN 27

#define MATCHES                                                                          \
    "WHERE s.environment = ?1 AND s.deleted_at = 0 AND (?2 = 0 OR s.integration = ?2) "  \
    "AND (?3 = '' OR s.kind = ?3) AND (?4 IS NULL OR s.name = ?4) "                      \
    "AND (?5 IS NULL OR instr(lower(s.name), lower(?5)) > 0) "                           \
    "AND (?6 IS NULL OR s.event = ?6) AND (?7 = 0 OR s.enabled = 1) "

static bool take_hash(const struct sql *q, int column, uint8_t out[SHA256_LEN])
{
    const void *bytes = sqlite3_column_blob(q->stmt, column);

    if (bytes == NULL || sqlite3_column_bytes(q->stmt, column) != SHA256_LEN)
        return false;
    memcpy(out, bytes, SHA256_LEN);
    return true;
}

static void take_spec(const struct sql *q, int column, struct script_spec *spec)
{
    spec->version = sql_take_text(q, column++);
    spec->description = sql_take_text(q, column++);
    spec->models_json = sql_take_text(q, column++);
    spec->input = sql_take_text(q, column++);
    spec->endpoints_json = sql_take_text(q, column++);
    spec->scopes_json = sql_take_text(q, column++);
    spec->json_schema = sql_take_text(q, column++);
    spec->model_schema_json = sql_take_text(q, column++);
    spec->runs = sql_take_text(q, column++);
    spec->sync_type = sql_take_text(q, column++);
    spec->auto_start = sql_take_bool(q, column++);
    spec->track_deletes = sql_take_bool(q, column++);
    spec->webhook_subscriptions_json = sql_take_text(q, column++);
    column++; /* EVENT_COLUMN */
    spec->attributes_json = sql_take_text(q, column++);
    spec->features_json = sql_take_text(q, column++);
    spec->sdk_version = sql_take_text(q, column++);
    spec->source = sql_take_text(q, column);
}

/* The table has "" for none: NULL would not count in its unique index. */
static char *take_event(const struct sql *q)
{
    char *event = sql_take_text(q, EVENT_COLUMN);

    if (!str_is_empty(event))
        return event;
    free(event);
    return NULL;
}

static struct script_row *take_row(const struct sql *q)
{
    struct script_row *row = MEM_NEW(struct script_row);
    char kind[16];

    row->id = sql_take_i64(q, 0);
    row->version_id = sql_take_i64(q, 1);
    row->environment_id = sql_take_i64(q, 2);
    row->integration_id = sql_take_i64(q, 3);
    row->provider_config_key = sql_take_text(q, 4);
    row->provider = sql_take_text(q, 5);
    sql_take_fixed(q, 6, kind, sizeof kind);
    (void)script_kind_parse(kind, &row->kind); /* as it was written */
    row->name = sql_take_text(q, 7);
    row->enabled = sql_take_bool(q, 8);
    row->active = sql_take_bool(q, 9);
    row->created_at_ms = sql_take_i64(q, 10);
    row->deployed_at_ms = sql_take_i64(q, 11);
    row->event = take_event(q);
    (void)take_hash(q, 12, row->js);
    row->has_ts = take_hash(q, 13, row->ts);
    take_spec(q, 14, &row->spec);
    return row;
}

/* Ends the statement. */
static bool take_rows(
    struct sql *q, struct script_row ***out, size_t *count, struct err *err)
{
    struct script_row **rows = NULL;
    enum sql_result step;
    size_t used = 0;

    while ((step = sql_step(q, err)) == SQL_ROW) {
        rows = sql_room(rows, used, sizeof *rows);
        rows[used++] = take_row(q);
    }
    sql_end(q);
    if (step == SQL_FAILED) {
        store_scripts_free(rows, used);
        return false;
    }
    *out = rows;
    *count = used;
    return true;
}

static void bind_filter(struct sql *q, const struct script_filter *filter)
{
    sql_i64(q, filter->environment_id);
    sql_i64(q, filter->integration_id);
    sql_text(q, script_kind_name(filter->kind));
    sql_text(q, filter->name);
    sql_text(q, filter->search);
    sql_text(q, filter->event);
    sql_i64(q, filter->enabled);
}

static bool count_all(struct sql_conn *conn, const struct script_filter *filter,
    size_t *total, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT count(*) FROM script s " MATCHES);
    enum sql_result step;

    bind_filter(&q, filter);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *total = (size_t)sql_take_i64(&q, 0);
    sql_end(&q);
    return step != SQL_FAILED;
}

bool sqlite_list_scripts(struct backend *b, const struct script_filter *filter,
    struct script_row ***out, size_t *count, size_t *total, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok = conn != NULL;

    *out = NULL;
    *count = 0;
    if (ok) {
        struct sql q =
            sql_begin(conn, SELECT MATCHES "AND v.active = 1 ORDER BY i.unique_key, "
                                           "s.kind, s.name, s.event LIMIT ?8 OFFSET ?9");

        bind_filter(&q, filter);
        sql_i64(&q, filter->limit > 0 ? (int64_t)filter->limit : -1);
        sql_i64(&q, (int64_t)filter->offset);
        ok = take_rows(&q, out, count, err);
    }
    if (ok && total != NULL && !count_all(conn, filter, total, err)) {
        store_scripts_free(*out, *count);
        *out = NULL;
        *count = 0;
        ok = false;
    }
    sqlite_reader_done(b, conn);
    return ok;
}

#define ENABLED_OF_EVENT                                                                 \
    " = ? AND kind = 'on-event' AND event = ? AND enabled = 1 AND deleted_at = 0"

/* Asked for each connection that is made: each form has its index. */
bool sqlite_has_event_script(struct backend *b, int64_t environment_id,
    int64_t integration_id, const char *event, bool *has, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    enum sql_result step = SQL_FAILED;

    if (conn != NULL) {
        struct sql q = sql_begin(
            conn, integration_id != 0
                      ? "SELECT 1 FROM script WHERE integration" ENABLED_OF_EVENT
                      : "SELECT 1 FROM script WHERE environment" ENABLED_OF_EVENT);

        sql_i64(&q, integration_id != 0 ? integration_id : environment_id);
        sql_text(&q, event);
        step = sql_step(&q, err);
        sql_end(&q);
    }
    sqlite_reader_done(b, conn);
    *has = step == SQL_ROW;
    return step != SQL_FAILED;
}

bool sqlite_list_script_versions(struct backend *b, int64_t script_id,
    struct script_row ***out, size_t *count, struct err *err)
{
    struct sql_conn *conn = sqlite_reader(b, err);
    bool ok = conn != NULL;

    *out = NULL;
    *count = 0;
    if (ok) {
        struct sql q = sql_begin(
            conn, SELECT "WHERE s.id = ? AND s.deleted_at = 0 ORDER BY v.id DESC");

        sql_i64(&q, script_id);
        ok = take_rows(&q, out, count, err);
    }
    sqlite_reader_done(b, conn);
    return ok;
}

bool sqlite_read_script_version(
    struct sql_conn *conn, int64_t version_id, struct script_row **out, struct err *err)
{
    struct sql q = sql_begin(conn, SELECT "WHERE v.id = ?");
    enum sql_result step;

    *out = NULL;
    sql_i64(&q, version_id);
    step = sql_step(&q, err);
    if (step == SQL_ROW)
        *out = take_row(&q);
    sql_end(&q);
    return step != SQL_FAILED;
}
