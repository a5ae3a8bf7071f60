/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of an integration: what scripts are called in the newest era (contract
 * http-api.md section 4.3). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/deploy_shape.h"
#include "api/fields.h"
#include "api/script_json.h"
#include "base/json.h"
#include "base/str.h"
#include "scripts/deploy.h"

#define USUAL_LIMIT 20

/* What createFunction() makes is known by its kind as well, which the official server does
 * not list. */
static bool is_kind(const cJSON *value, bool with_events)
{
    enum script_kind kind;

    return cJSON_IsString(value) && script_kind_parse(value->valuestring, &kind) &&
           (with_events || kind != SCRIPT_ON_EVENT);
}

static void check_kind(struct issues *issues, const cJSON *value)
{
    if (!is_kind(value, true))
        issue_add(issues, "invalid_value",
            "Invalid option: expected one of \"sync\"|\"action\"|\"on-event\"");
}

static void check_deletable_kind(struct issues *issues, const cJSON *value)
{
    if (!is_kind(value, false))
        issue_add(issues, "invalid_value",
            "Invalid option: expected one of \"sync\"|\"action\"");
}

static const struct rule list_rules[] = {
    {.name = "type", .kind = RULE_CUSTOM, .optional = true, .check = check_kind},
    RULE_TEXT_FIELD("search", true),
    {.name = "page", .kind = RULE_COUNT, .optional = true, .max = 1000000000},
    {.name = "limit", .kind = RULE_COUNT, .optional = true, .min = 1, .max = 100},
};
static const struct shape list_query = SHAPE_STRICT(list_rules);

static const struct rule one_rules[] = {
    {.name = "type", .kind = RULE_CUSTOM, .optional = true, .check = check_kind},
};
static const struct shape one_query = SHAPE_STRICT(one_rules);

static const struct rule delete_rules[] = {
    {.name = "type", .kind = RULE_CUSTOM, .check = check_deletable_kind},
};
static const struct shape delete_query = SHAPE_STRICT(delete_rules);

static enum script_kind query_kind(const struct call *call)
{
    enum script_kind kind = SCRIPT_ANY;

    (void)script_kind_parse(call_query_str(call, "type"), &kind);
    return kind;
}

/* The integration's row id. False after a reply. */
static bool find_integration(struct call *call, int64_t *id)
{
    const char *key = call_param_checked(call, 0, &PATTERN_KEY);
    struct integration_row *row = NULL;
    struct err err = {0};

    if (key == NULL)
        return false;
    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &row, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (row == NULL) {
        reply_fault(call, 404, "not_found", "Integration does not exist");
        return false;
    }
    *id = row->id;
    integration_row_unref(row);
    return true;
}

void list_functions(struct call *call)
{
    struct script_filter filter = {.environment_id = call->environment_id};
    struct script_row **rows = NULL;
    size_t count = 0, total = 0, page;
    struct err err = {0};
    cJSON *body, *list, *pagination;

    if (!call_check_query(call, &list_query) ||
        !find_integration(call, &filter.integration_id))
        return;
    page = call_query_count(call, "page", 0);
    filter.kind = query_kind(call);
    filter.search = call_query_str(call, "search");
    filter.limit = call_query_count(call, "limit", USUAL_LIMIT);
    filter.offset = page * filter.limit;
    if (!store_list_scripts(
            call_auth(call)->store, &filter, &rows, &count, &total, &err)) {
        reply_error(call, &err);
        return;
    }
    list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, script_function_json(rows[i]));
    store_scripts_free(rows, count);
    pagination = cJSON_CreateObject();
    json_set_i64(pagination, "total", (int64_t)total);
    json_set_i64(pagination, "page", (int64_t)page);
    json_set_i64(pagination, "limit", (int64_t)filter.limit);
    body = cJSON_CreateObject();
    json_set(body, "data", list);
    json_set(body, "pagination", pagination);
    reply_json(call, 200, body);
}

static void reply_ambiguous(
    struct call *call, struct script_row *const *rows, size_t count)
{
    cJSON *payload = cJSON_CreateObject();
    cJSON *matches = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++) {
        cJSON *match = cJSON_CreateObject();

        json_set_str(match, "name", rows[i]->name);
        json_set_str(match, "type", script_kind_name(rows[i]->kind));
        if (rows[i]->event != NULL)
            json_set_str(match, "event", rows[i]->event);
        cJSON_AddItemToArray(matches, match);
    }
    json_set(payload, "matches", matches);
    reply_detailed(call, 409, "ambiguous_function", payload,
        "Several functions have that name: say the type");
}

/* The one script that the path and the query mean. NULL after a reply; an absent one is
 * told by `absent`. */
static struct script_row *find_function(
    struct call *call, void (*absent)(struct call *call, const char *name))
{
    struct script_filter filter = {.environment_id = call->environment_id};
    struct script_row **rows = NULL, *row = NULL;
    struct err err = {0};
    size_t count = 0;

    filter.name = call_param_checked(call, 1, &PATTERN_SCRIPT);
    if (filter.name == NULL || !find_integration(call, &filter.integration_id))
        return NULL;
    filter.kind = query_kind(call);
    if (!store_list_scripts(call_auth(call)->store, &filter, &rows, &count, NULL, &err)) {
        reply_error(call, &err);
        return NULL;
    }
    if (count == 1) {
        row = rows[0];
        rows[0] = NULL;
    } else if (count == 0) {
        absent(call, filter.name);
    } else {
        reply_ambiguous(call, rows, count);
    }
    store_scripts_free(rows, count);
    return row;
}

static void reply_absent(struct call *call, const char *name)
{
    (void)name;
    reply_fault(call, 404, "not_found", "Function does not exist");
}

static void reply_no_code(struct call *call, const char *name)
{
    reply_fault(call, 404, "not_found", "Function '%s' not found for integration '%s'",
        name, call_param(call, 0));
}

void get_function(struct call *call)
{
    struct script_row *row;

    if (!call_check_query(call, &one_query))
        return;
    row = find_function(call, reply_absent);
    if (row == NULL)
        return;
    reply_data(call, 200, script_function_json(row));
    script_row_free(row);
}

void get_function_code(struct call *call)
{
    struct script_row *row;
    struct err err = {0};
    struct blob code;
    cJSON *body;

    if (!call_check_query(call, &one_query))
        return;
    row = find_function(call, reply_no_code);
    if (row == NULL)
        return;
    if (!store_load_code(
            call_auth(call)->store, row->has_ts ? row->ts : row->js, &code, &err)) {
        reply_error(call, &err);
    } else {
        body = cJSON_CreateObject();
        json_set_str(body, "type", script_kind_name(row->kind));
        json_set_str(body, "code", (const char *)code.data);
        free(code.data);
        reply_json(call, 200, body);
    }
    script_row_free(row);
}

void delete_function(struct call *call)
{
    struct script_deploy removal = {
        .environment_id = call->environment_id, .removal_count = 1};
    struct script_row *row;
    struct err err = {0};
    cJSON *data;

    if (!call_check_query(call, &delete_query))
        return;
    row = find_function(call, reply_absent);
    if (row == NULL)
        return;
    removal.removals = &row->id;
    if (str_eq(row->spec.source, "repo")) {
        reply_fault(call, 400, "function_managed_by_deploy",
            "%s functions are deleted through `nango deploy`, not this endpoint",
            row->spec.source);
    } else if (!store_deploy_scripts(call_auth(call)->store, &removal, NULL, &err)) {
        reply_error(call, &err);
    } else {
        data = cJSON_CreateObject();
        json_set_bool(data, "success", true);
        reply_data(call, 200, data);
    }
    script_row_free(row);
}

/* ---- versions ---- */

void list_function_versions(struct call *call)
{
    struct script_row *row, **versions = NULL;
    struct err err = {0};
    size_t count = 0;
    cJSON *list;

    if (!call_check_query(call, &one_query))
        return;
    row = find_function(call, reply_absent);
    if (row == NULL)
        return;
    if (!store_list_script_versions(
            call_auth(call)->store, row->id, &versions, &count, &err)) {
        reply_error(call, &err);
    } else {
        list = cJSON_CreateArray();
        for (size_t i = 0; i < count; i++) {
            cJSON *one = cJSON_CreateObject();
            char time[CLOCK_TEXT_SIZE];

            clock_text_z(versions[i]->deployed_at_ms, time);
            json_set_i64(one, "id", versions[i]->version_id);
            json_set_str(one, "version", versions[i]->spec.version);
            json_set_bool(one, "active", versions[i]->active);
            json_set_str(one, "deployed_at", time);
            cJSON_AddItemToArray(list, one);
        }
        reply_data(call, 200, list);
    }
    store_scripts_free(versions, count);
    script_row_free(row);
}

void activate_function_version(struct call *call)
{
    const char *path[] = {"version", NULL}, *text = call_param(call, 2);
    struct script_row *row;
    struct err err = {0};
    int64_t version_id;

    if (text == NULL || !call_check_query(call, &one_query))
        return;
    if (!str_to_i64(text, &version_id) || version_id <= 0) {
        reply_issues(call, "invalid_uri_params",
            issue_list(
                "invalid_format", "Invalid version: expected the id of one", path));
        return;
    }
    row = find_function(call, reply_absent);
    if (row == NULL)
        return;
    if (!script_roll_back(
            call->server->scripts, call->environment_id, row, version_id, &err)) {
        reply_error(call, &err);
        script_row_free(row);
        return;
    }
    script_row_free(row);
    row = find_function(call, reply_absent);
    if (row != NULL)
        reply_data(call, 200, script_function_json(row));
    script_row_free(row);
}
