/* SPDX-License-Identifier: Apache-2.0 */
/* Syncs by command: triggered, started, paused, given another frequency, and what state
 * they are in (contract http-api.md section 8). */
#include <stdlib.h>
#include <string.h>

#include "api/deploy_shape.h"
#include "api/fields.h"
#include "api/sync_names.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/checkpoints.h"
#include "scripts/syncs.h"
#include "store/frequency.h"

#define MAX_NAMES 256

/* ---- shapes ---- */

static const char *const modes[] = {
    "incremental", "full_refresh", "full_refresh_and_clear_cache", NULL};

static const struct rule opts_rules[] = {
    {.name = "reset", .kind = RULE_BOOL, .optional = true},
    {.name = "emptyCache", .kind = RULE_BOOL, .optional = true},
};
static const struct shape opts_shape = SHAPE_STRICT(opts_rules);

#define RULE_SYNCS                                                                       \
    {                                                                                    \
        .name = "syncs", .kind = RULE_ARRAY, .item = &RULE_SYNC_NAME, .max = MAX_NAMES   \
    }
#define RULE_CONNECTION_ID(is_optional)                                                  \
    {                                                                                    \
        .name = "connection_id", .kind = RULE_STRING, .optional = (is_optional),         \
        .pattern = &PATTERN_CONNECTION_ID, .max = FIELD_MAX                              \
    }

static const struct rule trigger_rules[] = {
    RULE_SYNCS,
    {.name = "provider_config_key",
        .kind = RULE_STRING,
        .optional = true,
        .pattern = &PATTERN_KEY,
        .max = FIELD_MAX},
    RULE_CONNECTION_ID(true),
    {.name = "sync_mode", .kind = RULE_OPTION, .optional = true, .options = modes},
    {.name = "full_resync", .kind = RULE_BOOL, .optional = true},
    {.name = "opts", .kind = RULE_OBJECT, .optional = true, .shape = &opts_shape},
};
static const struct shape trigger_shape = SHAPE_STRICT(trigger_rules);

static const struct rule pause_rules[] = {
    RULE_SYNCS,
    RULE_KEY_FIELD("provider_config_key"),
    RULE_CONNECTION_ID(true),
};
static const struct shape pause_shape = SHAPE_STRICT(pause_rules);

static const struct rule status_rules[] = {
    {.name = "syncs", .kind = RULE_STRING},
    RULE_KEY_FIELD("provider_config_key"),
    RULE_CONNECTION_ID(true),
};
static const struct shape status_query = SHAPE_STRICT(status_rules);

/* A frequency, or null. */
static void check_frequency(struct issues *issues, const cJSON *value)
{
    if (value == NULL || (!cJSON_IsNull(value) && !cJSON_IsString(value)))
        issue_type(issues, "string", value);
    else if (cJSON_IsString(value) && !frequency_is_shaped(value->valuestring))
        issue_add(issues, "invalid_format",
            "Invalid string: must match pattern "
            "/^(?<every>every )?((?<amount>[0-9]+)?\\s?(?<unit>(s|secs?|seconds?|m|mins?|"
            "minutes?|h|hrs?|hours?|d|days?))|(?<unit2>(month|week|half day|half hour|"
            "quarter hour)))$/");
}

static const struct rule frequency_rules[] = {
    {.name = "sync_name",
        .kind = RULE_STRING,
        .pattern = &PATTERN_SCRIPT,
        .max = FIELD_MAX},
    {.name = "sync_variant", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
    RULE_KEY_FIELD("provider_config_key"),
    RULE_CONNECTION_ID(false),
    {.name = "frequency", .kind = RULE_CUSTOM, .check = check_frequency},
};
static const struct shape frequency_shape = SHAPE_STRICT(frequency_rules);

/* ---- commands ---- */

/* In the body, or, by the clients of old, in a header. */
static const char *member_or_header(
    const struct call *call, const char *member, const char *header)
{
    const char *value = json_str(call->body, member);

    return value != NULL ? value : http_header(call->req, header);
}

static enum sync_trigger trigger_of(const cJSON *body)
{
    const char *mode = json_str(body, "sync_mode");
    const cJSON *opts = json_get(body, "opts");

    if (mode != NULL)
        return strcmp(mode, "incremental") == 0    ? TRIGGER_NEXT
               : strcmp(mode, "full_refresh") == 0 ? TRIGGER_RESET
                                                   : TRIGGER_CLEAR;
    if (json_bool(opts, "reset", false))
        return json_bool(opts, "emptyCache", false) ? TRIGGER_CLEAR : TRIGGER_RESET;
    return json_bool(body, "full_resync", false) ? TRIGGER_RESET : TRIGGER_NEXT;
}

void trigger_syncs(struct call *call)
{
    struct sync_target target;
    struct err err = {0};
    const char *key;
    int64_t *ids;
    size_t count;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &trigger_shape))
        return;
    if (json_get(call->body, "opts") != NULL &&
        (json_get(call->body, "sync_mode") != NULL ||
            json_get(call->body, "full_resync") != NULL)) {
        reply_fault(call, 400, "invalid_body",
            "Cannot use opts with deprecated sync_mode/full_resync parameters");
        return;
    }
    key = member_or_header(call, "provider_config_key", "provider-config-key");
    if (key == NULL) {
        reply_fault(call, 400, "missing_provider_config_key",
            "Missing provider_config_key. Provide it in the body or headers.");
        return;
    }
    if (!sync_target_find(
            call, key, member_or_header(call, "connection_id", "connection-id"), &target))
        return;
    if (sync_ids_find(call, &target, json_get(call->body, "syncs"), &ids, &count)) {
        if (sync_runs_trigger(
                call->server->sync_runs, ids, count, trigger_of(call->body), &err))
            reply_success(call);
        else
            reply_error(call, &err);
        free(ids);
    }
    sync_target_finish(&target);
}

static void pause_or_start(struct call *call, bool paused)
{
    struct sync_target target;
    struct err err = {0};
    int64_t *ids;
    size_t count;

    if (!call_check_body(call, &pause_shape) ||
        !sync_target_find(call, json_str(call->body, "provider_config_key"),
            json_str(call->body, "connection_id"), &target))
        return;
    if (sync_ids_find(call, &target, json_get(call->body, "syncs"), &ids, &count)) {
        if (sync_runs_pause(call->server->sync_runs, ids, count, paused, &err))
            reply_success(call);
        else
            reply_error(call, &err);
        free(ids);
    }
    sync_target_finish(&target);
}

void start_syncs(struct call *call)
{
    pause_or_start(call, false);
}

void pause_syncs(struct call *call)
{
    pause_or_start(call, true);
}

/* ---- one sync of a connection ---- */

/* `every 2 hours` is told without its `every`. */
static void reply_frequency(struct call *call, const char *shown, bool own)
{
    static const char every[] = "every ";
    cJSON *body = cJSON_CreateObject();

    if (own && str_starts(shown, every))
        shown += strlen(every);
    json_set_str(body, "frequency", shown);
    reply_json(call, 200, body);
}

static void set_frequency(struct call *call, const struct sync_row *sync)
{
    const char *frequency = json_str(call->body, "frequency");
    struct err err = {0};
    int64_t interval_ms;
    char *shown;

    if (frequency != NULL && !frequency_parse(frequency, &interval_ms, &err)) {
        reply_fault(call, 400, "invalid_body", "Sync interval is invalid");
    } else if (sync_runs_set_frequency(
                   call->server->sync_runs, sync->id, frequency, &shown, &err)) {
        reply_frequency(call, shown, frequency != NULL);
        free(shown);
    } else {
        reply_error(call, &err);
    }
}

void update_sync_frequency(struct call *call)
{
    struct connection_row *connection = NULL;
    struct sync_row *sync = NULL;
    struct err err = {0};

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &frequency_shape))
        return;
    if (!store_find_connection(call_auth(call)->store, call->environment_id,
            json_str(call->body, "provider_config_key"),
            json_str(call->body, "connection_id"), &connection, &err)) {
        reply_error(call, &err);
    } else if (connection == NULL) {
        reply_code(call, 400, "unknown_connection");
    } else if (sync_find(call, connection, json_str(call->body, "sync_name"),
                   json_str(call->body, "sync_variant"), &sync)) {
        if (sync == NULL)
            reply_code(call, 400, "unknown_sync");
        else
            set_frequency(call, sync);
    }
    sync_row_free(sync);
    connection_row_unref(connection);
}

/* ---- status ---- */

static const char *status_of(const struct sync_row *sync)
{
    if (sync->running)
        return "RUNNING";
    if (sync->paused)
        return "PAUSED";
    return sync->finished_at_ms == 0 || sync->succeeded ? "SUCCESS" : "ERROR";
}

static void set_time(cJSON *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms > 0)
        clock_text_z(ms, text);
    json_set_str(out, name, ms > 0 ? text : NULL);
}

/* How many records there are of each of its models. */
static bool set_counts(
    cJSON *out, struct records *records, const struct sync_row *sync, struct err *err)
{
    const struct records_place place = {
        .connection_id = sync->connection_row, .made_ms = sync->connection_made_ms};
    struct records_model *models;
    cJSON *names, *counts, *name;
    size_t count;

    if (!records_models(records, &place, &models, &count, err))
        return false;
    names = json_parse(sync->models_json, strlen(sync->models_json), NULL);
    counts = cJSON_CreateObject();
    cJSON_ArrayForEach(name, names)
    {
        char *model = strcmp(sync->variant, SYNC_BASE) == 0
                          ? str_dup(name->valuestring)
                          : str_printf("%s::%s", name->valuestring, sync->variant);
        int64_t live = 0;

        for (size_t i = 0; i < count; i++)
            if (strcmp(models[i].model, model) == 0)
                live = models[i].live;
        json_set_i64(counts, name->valuestring, live);
        free(model);
    }
    cJSON_Delete(names);
    records_models_free(models, count);
    json_set(out, "recordCount", counts);
    return true;
}

static bool set_checkpoint(
    cJSON *out, struct store *store, const struct sync_row *sync, struct err *err)
{
    struct checkpoint checkpoint = {0};
    char *key = script_checkpoint_key("sync", sync->name, sync->variant);
    bool ok = store_find_checkpoint(store, sync->connection_row, key, &checkpoint, err);

    free(key);
    if (ok)
        json_set(out, "checkpoint",
            checkpoint.value_json != NULL ? cJSON_CreateRaw(checkpoint.value_json)
                                          : cJSON_CreateNull());
    free(checkpoint.value_json);
    return ok;
}

/* NULL on failure. */
static cJSON *status_json(
    const struct call *call, const struct sync_row *sync, struct err *err)
{
    cJSON *out = cJSON_CreateObject();

    json_set_str(out, "id", sync->uuid);
    json_set_str(out, "connection_id", sync->connection_id);
    json_set_str(out, "name", sync->name);
    json_set_str(out, "variant", sync->variant);
    json_set_str(out, "type", sync->initial ? "INITIAL" : "INCREMENTAL");
    json_set_str(out, "status", status_of(sync));
    if (sync->finished_at_ms > 0 && !sync->running)
        set_time(out, "finishedAt", sync->finished_at_ms);
    set_time(out, "nextScheduledSyncAt", sync->paused ? 0 : sync->due_at_ms);
    json_set_str(out, "frequency", sync->frequency);
    if (sync->finished_at_ms > 0) {
        json_set(out, "latestResult",
            sync->result_json != NULL ? cJSON_CreateRaw(sync->result_json)
                                      : cJSON_CreateObject());
        json_set_str(out, "latestExecutionStatus",
            sync->running     ? "RUNNING"
            : sync->succeeded ? "SUCCESS"
                              : "STOPPED");
    }
    if (set_counts(out, call->server->records, sync, err) &&
        set_checkpoint(out, call_auth(call)->store, sync, err))
        return out;
    cJSON_Delete(out);
    return NULL;
}

/* Of `syncs`, which is `*` or names between commas. */
static bool is_asked_for(const struct sync_row *sync, const char *names)
{
    char *list = str_dup(names), *rest = list, *one;
    bool found = strcmp(names, "*") == 0;

    while (!found && (one = strsep(&rest, ",")) != NULL) {
        char *name, *variant;

        sync_name_split(str_trim(one), &name, &variant);
        found = strcmp(name, sync->name) == 0 && strcmp(variant, sync->variant) == 0;
        free(name);
        free(variant);
    }
    free(list);
    return found;
}

static void reply_status(struct call *call, const struct sync_filter *filter)
{
    const char *names = call_query_str(call, "syncs");
    struct sync_row **rows;
    struct err err = {0};
    cJSON *body, *list;
    size_t count;
    bool ok = true;

    if (!store_list_syncs(call_auth(call)->store, filter, &rows, &count, &err)) {
        reply_error(call, &err);
        return;
    }
    list = cJSON_CreateArray();
    for (size_t i = 0; ok && i < count; i++) {
        cJSON *one;

        if (!is_asked_for(rows[i], names))
            continue;
        one = status_json(call, rows[i], &err);
        ok = one != NULL;
        if (ok)
            cJSON_AddItemToArray(list, one);
    }
    store_syncs_free(rows, count);
    body = cJSON_CreateObject();
    json_set(body, "syncs", list);
    if (ok) {
        reply_json(call, 200, body);
        return;
    }
    cJSON_Delete(body);
    reply_error(call, &err);
}

void get_sync_status(struct call *call)
{
    struct sync_filter filter = {.environment_id = call->environment_id};
    struct integration_row *integration = NULL;
    struct connection_row *connection = NULL;
    struct err err = {0};
    const char *key, *id;

    if (!call_check_query(call, &status_query))
        return;
    key = call_query_str(call, "provider_config_key");
    id = call_query_str(call, "connection_id");
    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &integration, &err) ||
        (id != NULL && !store_find_connection(call_auth(call)->store,
                           call->environment_id, key, id, &connection, &err))) {
        reply_error(call, &err);
    } else if (id != NULL && connection == NULL) {
        reply_fault(call, 400, "invalid_body", "Connection not found");
    } else {
        /* Of an integration that there is none of: none. */
        filter.integration_id = integration != NULL ? integration->id : -1;
        filter.connection_row = connection != NULL ? connection->id : 0;
        reply_status(call, &filter);
    }
    integration_row_unref(integration);
    connection_row_unref(connection);
}
