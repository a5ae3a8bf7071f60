/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and deleting integrations (contract http-api.md section 4.2); writing is in
 * integrations_write.c. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static bool is_include(const cJSON *value)
{
    return cJSON_IsString(value) && (strcmp(value->valuestring, "webhook") == 0 ||
                                        strcmp(value->valuestring, "credentials") == 0);
}

/* One word or a list of words. */
static void check_include(struct issues *issues, const cJSON *value)
{
    const cJSON *child;
    bool ok = is_include(value) || cJSON_IsArray(value);

    if (cJSON_IsArray(value))
        cJSON_ArrayForEach(child, value)
        {
            ok = ok && is_include(child);
        }
    if (!ok)
        issue_add(issues, "invalid_union", "Invalid input");
}

static const struct rule get_query_rules[] = {
    {.name = "include", .kind = RULE_CUSTOM, .optional = true, .check = check_include},
};
static const struct shape get_query = SHAPE_STRICT(get_query_rules);

static bool includes(const struct call *call, const char *word)
{
    const cJSON *value = json_get(call->query, "include");
    const cJSON *child;

    if (cJSON_IsString(value))
        return strcmp(value->valuestring, word) == 0;
    cJSON_ArrayForEach(child, value)
    {
        if (strcmp(child->valuestring, word) == 0)
            return true;
    }
    return false;
}

static void reply_absent(struct call *call, const char *key, const struct err *err)
{
    if (err_is_internal(err))
        reply_error(call, err);
    else
        reply_fault(call, 404, "not_found", "Integration \"%s\" does not exist", key);
}

/* By provider, then by age. */
static int compare_rows(const void *a, const void *b)
{
    const struct integration_row *left = *(struct integration_row *const *)a;
    const struct integration_row *right = *(struct integration_row *const *)b;
    int order = strcmp(left->provider, right->provider);

    if (order != 0)
        return order;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Settings are opened only where the provider asks the owner for some: labels come from
 * there. */
static bool load_for_list(
    struct call *call, const char *key, struct integration *out, struct err *err)
{
    if (!integration_load_closed(call_auth(call), call->environment_id, key, out, err))
        return false;
    if (out->provider == NULL ||
        json_get(out->provider->entry, "integration_config") == NULL ||
        integration_open_settings(call_auth(call), out, err))
        return true;
    integration_finish(out);
    return false;
}

static cJSON *list_json(
    struct call *call, struct integration_row **rows, size_t count, struct err *err)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++) {
        struct integration integration;

        if (call->session.row != NULL &&
            !session_allows(&call->session, rows[i]->unique_key))
            continue;
        if (!load_for_list(call, rows[i]->unique_key, &integration, err)) {
            if (err_is_internal(err)) {
                cJSON_Delete(list);
                return NULL;
            }
            continue; /* deleted since */
        }
        cJSON_AddItemToArray(list, integration_json(call, &(struct integration_view){
                                                              .integration = &integration,
                                                              .label = true,
                                                          }));
        integration_finish(&integration);
    }
    return list;
}

void list_integrations(struct call *call)
{
    struct integration_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;
    cJSON *list;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    if (!store_list_integrations(
            call_auth(call)->store, call->environment_id, &rows, &count, &err)) {
        reply_error(call, &err);
        return;
    }
    if (count > 0)
        qsort(rows, count, sizeof *rows, compare_rows);
    list = list_json(call, rows, count, &err);
    store_integrations_free(rows, count);
    if (list != NULL)
        reply_data(call, 200, list);
    else
        reply_error(call, &err);
}

void get_integration(struct call *call)
{
    struct integration_view view = {.label = true};
    struct integration integration;
    struct err err = {0};
    const char *key;

    if (!call_check_query(call, &get_query))
        return;
    key = call_param_checked(call, 0, &PATTERN_KEY);
    if (key == NULL)
        return;
    view.with_webhook = includes(call, "webhook");
    view.with_credentials = includes(call, "credentials");
    if (view.with_credentials &&
        !call_needs_scope(call, "environment:integrations:read_credentials", NULL))
        return;
    if (view.with_webhook && (view.environment = call_environment(call)) == NULL)
        return;
    if (!integration_load(
            call_auth(call), call->environment_id, key, &integration, &err)) {
        reply_absent(call, key, &err);
        return;
    }
    view.integration = &integration;
    reply_data(call, 200, integration_json(call, &view));
    integration_finish(&integration);
}

void delete_integration(struct call *call)
{
    struct integration_row *row = NULL;
    struct err err = {0};
    bool found = false;
    const char *key;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    key = call_param_checked(call, 0, &PATTERN_KEY);
    if (key == NULL)
        return;
    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &row, &err) ||
        (row != NULL &&
            !store_delete_integration(call_auth(call)->store, row->id, &found, &err)))
        reply_error(call, &err);
    else if (!found)
        reply_fault(call, 404, "not_found", "Integration does not exist");
    else
        reply_success(call);
    integration_row_unref(row);
}
