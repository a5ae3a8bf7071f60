/* SPDX-License-Identifier: Apache-2.0 */
/* Writing scripts. A deploy is one transaction: a reader sees all of it or nothing. Code
 * is hashed and compressed before the transaction begins, so that the committer, whom all
 * writes share, only copies bytes. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite/sqlite_int.h"
#include "store/sqlite/syncs.h"

struct packed_put {
    struct packed_code js;
    struct packed_code ts;
};

struct deploying {
    const struct script_deploy *deploy;
    const struct packed_put *packed;
    int64_t now_ms;
    struct script_row **made; /* of put_count, NULL until made */
};

/* 0 when there is none. */
static bool find_id(struct sql *q, int64_t *id, struct err *err)
{
    enum sql_result step = sql_step(q, err);

    *id = step == SQL_ROW ? sql_take_i64(q, 0) : 0;
    sql_end(q);
    return step != SQL_FAILED;
}

static bool check_integration(
    struct sql_conn *conn, int64_t environment_id, int64_t id, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT id FROM integration WHERE id = ? AND "
                                   "environment = ? AND deleted_at = 0");
    int64_t found;

    sql_i64(&q, id);
    sql_i64(&q, environment_id);
    if (!find_id(&q, &found, err))
        return false;
    return found != 0 || err_set(err, 400, "unknown_provider_config",
                             "the integration was deleted in the meantime");
}

static bool find_or_make(struct sql_conn *conn, const struct deploying *work,
    const struct script_put *put, int64_t *id, struct err *err)
{
    struct sql q = sql_begin(conn, "SELECT id FROM script WHERE integration = ? AND "
                                   "kind = ? AND name = ? AND event = ? AND "
                                   "deleted_at = 0");

    sql_i64(&q, put->integration_id);
    sql_text(&q, script_kind_name(put->kind));
    sql_text(&q, put->name);
    sql_text(&q, put->event != NULL ? put->event : "");
    if (!find_id(&q, id, err))
        return false;
    if (*id != 0)
        return true;
    q = sql_begin(conn, "INSERT INTO script (environment, integration, kind, name, "
                        "event, created_at) VALUES (?, ?, ?, ?, ?, ?)");
    sql_i64(&q, work->deploy->environment_id);
    sql_i64(&q, put->integration_id);
    sql_text(&q, script_kind_name(put->kind));
    sql_text(&q, put->name);
    sql_text(&q, put->event != NULL ? put->event : "");
    sql_i64(&q, work->now_ms);
    if (!sql_run(&q, err))
        return false;
    *id = sqlite3_last_insert_rowid(conn->db);
    return true;
}

static bool retire(struct sql_conn *conn, int64_t script_id, struct err *err)
{
    struct sql q = sql_begin(
        conn, "UPDATE script_version SET active = 0 WHERE script = ? AND active = 1");

    sql_i64(&q, script_id);
    return sql_run(&q, err);
}

/* Versions long gone by go: each deploy makes one of every script. */
static bool prune(struct sql_conn *conn, int64_t script_id, struct err *err)
{
    struct sql q = sql_begin(conn,
        "DELETE FROM script_version WHERE script = ?1 AND active = 0 AND id NOT IN "
        "(SELECT id FROM script_version WHERE script = ?1 AND active = 0 "
        "ORDER BY id DESC LIMIT ?2)");

    sql_i64(&q, script_id);
    sql_i64(&q, SCRIPT_VERSIONS_KEPT);
    return sql_run(&q, err);
}

static bool add_version(struct sql_conn *conn, int64_t script_id,
    const struct script_spec *spec, const struct packed_put *packed, bool has_ts,
    int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn,
        "INSERT INTO script_version (script, active, version, js, ts, description, "
        "models, input, endpoints, scopes, json_schema, model_schema, runs, sync_type, "
        "auto_start, track_deletes, webhook_subscriptions, attributes, features, "
        "sdk_version, source, created_at) VALUES "
        "(?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    sql_i64(&q, script_id);
    sql_text(&q, spec->version);
    sql_blob(&q, packed->js.sha256, SHA256_LEN);
    sql_blob(&q, has_ts ? packed->ts.sha256 : NULL, SHA256_LEN);
    sql_text(&q, spec->description);
    sql_text(&q, spec->models_json);
    sql_text(&q, spec->input);
    sql_text(&q, spec->endpoints_json);
    sql_text(&q, spec->scopes_json);
    sql_text(&q, spec->json_schema);
    sql_text(&q, spec->model_schema_json);
    sql_text(&q, spec->runs);
    sql_text(&q, spec->sync_type);
    sql_i64(&q, spec->auto_start);
    sql_i64(&q, spec->track_deletes);
    sql_text(&q, spec->webhook_subscriptions_json);
    sql_text(&q, spec->attributes_json);
    sql_text(&q, spec->features_json);
    sql_text(&q, spec->sdk_version);
    sql_text(&q, spec->source);
    sql_i64(&q, now_ms);
    return sql_run(&q, err);
}

static bool put_one(
    struct sql_conn *conn, struct deploying *work, size_t i, struct err *err)
{
    const struct script_put *put = &work->deploy->puts[i];
    const struct packed_put *packed = &work->packed[i];
    bool has_ts = put->ts != NULL;
    int64_t id;

    return check_integration(
               conn, work->deploy->environment_id, put->integration_id, err) &&
           find_or_make(conn, work, put, &id, err) && retire(conn, id, err) &&
           sqlite_put_code(conn, &packed->js, err) &&
           (!has_ts || sqlite_put_code(conn, &packed->ts, err)) &&
           add_version(conn, id, &put->spec, packed, has_ts, work->now_ms, err) &&
           sqlite_read_script_version(
               conn, sqlite3_last_insert_rowid(conn->db), &work->made[i], err) &&
           prune(conn, id, err) && sqlite_schedule_script(conn, id, work->now_ms, err);
}

static bool remove_one(struct sql_conn *conn, int64_t environment_id, int64_t id,
    int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn, "UPDATE script SET deleted_at = ? WHERE id = ? AND "
                                   "environment = ? AND deleted_at = 0");

    sql_i64(&q, now_ms);
    sql_i64(&q, id);
    sql_i64(&q, environment_id);
    return sql_run(&q, err);
}

static void drop_made(struct deploying *work)
{
    for (size_t i = 0; i < work->deploy->put_count; i++) {
        script_row_free(work->made[i]);
        work->made[i] = NULL;
    }
}

static bool deploy(struct sql_conn *conn, void *arg, struct err *err)
{
    struct deploying *work = arg;
    const struct script_deploy *all = work->deploy;
    bool ok = true;

    drop_made(work);
    /* First what goes, as a name may move from one kind to another. */
    for (size_t i = 0; ok && i < all->removal_count; i++)
        ok = remove_one(conn, all->environment_id, all->removals[i], work->now_ms, err);
    for (size_t i = 0; ok && i < all->put_count; i++)
        ok = put_one(conn, work, i, err);
    return ok;
}

static bool pack_all(
    const struct script_deploy *all, struct packed_put *packed, struct err *err)
{
    for (size_t i = 0; i < all->put_count; i++) {
        const struct script_put *put = &all->puts[i];

        if (!sqlite_pack_code(put->js, &packed[i].js, err) ||
            (put->ts != NULL && !sqlite_pack_code(put->ts, &packed[i].ts, err)))
            return false;
    }
    return true;
}

bool sqlite_deploy_scripts(struct backend *b, const struct script_deploy *all,
    struct script_row ***made, struct err *err)
{
    size_t room = all->put_count > 0 ? all->put_count : 1;
    struct packed_put *packed = mem_zalloc(room * sizeof *packed);
    struct deploying work = {
        all, packed, sqlite_now_ms(b), mem_zalloc(room * sizeof *work.made)};
    bool ok = pack_all(all, packed, err) && sqlite_write(b, deploy, &work, err);

    for (size_t i = 0; i < all->put_count; i++) {
        blob_free(&packed[i].js.content);
        blob_free(&packed[i].ts.content);
    }
    free(packed);
    if (ok && made != NULL) {
        *made = work.made;
        return true;
    }
    drop_made(&work);
    free(work.made);
    if (made != NULL)
        *made = NULL;
    return ok;
}

struct activation {
    int64_t script_id;
    int64_t version_id;
    bool found;
};

static bool activate(struct sql_conn *conn, void *arg, struct err *err)
{
    struct activation *work = arg;
    struct sql q = sql_begin(conn,
        "SELECT v.id FROM script_version v JOIN script s ON s.id = v.script "
        "WHERE v.id = ? AND v.script = ? AND s.deleted_at = 0");
    int64_t id;

    sql_i64(&q, work->version_id);
    sql_i64(&q, work->script_id);
    if (!find_id(&q, &id, err))
        return false;
    work->found = id != 0;
    if (!work->found)
        return true;
    if (!retire(conn, work->script_id, err))
        return false;
    q = sql_begin(conn, "UPDATE script_version SET active = 1 WHERE id = ?");
    sql_i64(&q, id);
    return sql_run(&q, err);
}

bool sqlite_activate_script_version(struct backend *b, int64_t script_id,
    int64_t version_id, bool *found, struct err *err)
{
    struct activation work = {script_id, version_id, false};
    bool ok = sqlite_write(b, activate, &work, err);

    *found = ok && work.found;
    return ok;
}

struct enabling {
    int64_t script_id;
    bool enabled;
    bool found;
};

static bool enable(struct sql_conn *conn, void *arg, struct err *err)
{
    struct enabling *work = arg;
    struct sql q =
        sql_begin(conn, "UPDATE script SET enabled = ? WHERE id = ? AND deleted_at = 0");

    sql_i64(&q, work->enabled);
    sql_i64(&q, work->script_id);
    if (!sql_run(&q, err))
        return false;
    work->found = sql_changed(conn) > 0;
    return true;
}

bool sqlite_enable_script(
    struct backend *b, int64_t script_id, bool enabled, bool *found, struct err *err)
{
    struct enabling work = {script_id, enabled, false};
    bool ok = sqlite_write(b, enable, &work, err);

    *found = ok && work.found;
    return ok;
}

bool sqlite_remove_scripts_of(
    struct sql_conn *conn, int64_t integration_id, int64_t now_ms, struct err *err)
{
    struct sql q = sql_begin(conn,
        "UPDATE script SET deleted_at = ? WHERE integration = ? AND deleted_at = 0");

    sql_i64(&q, now_ms);
    sql_i64(&q, integration_id);
    return sql_run(&q, err);
}

bool sqlite_sweep_scripts(
    struct sql_conn *conn, int64_t deleted_before_ms, struct err *err)
{
    struct sql q =
        sql_begin(conn, "DELETE FROM script WHERE deleted_at > 0 AND deleted_at < ?");

    sql_i64(&q, deleted_before_ms);
    if (!sql_run(&q, err))
        return false;
    q = sql_begin(conn,
        "DELETE FROM code WHERE "
        "NOT EXISTS (SELECT 1 FROM script_version v WHERE v.js = code.sha256) "
        "AND NOT EXISTS "
        "(SELECT 1 FROM script_version v WHERE v.ts = code.sha256)");
    return sql_run(&q, err);
}
