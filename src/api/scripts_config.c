/* SPDX-License-Identifier: Apache-2.0 */
/* All scripts of an environment: GET /scripts/config, and what command lines of the first
 * releases ask instead (contract http-api.md section 12). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/script_json.h"
#include "base/json.h"
#include "base/str.h"

static const char *const members[] = {
    [SCRIPT_ANY] = NULL,
    [SCRIPT_SYNC] = "syncs",
    [SCRIPT_ACTION] = "actions",
    [SCRIPT_ON_EVENT] = "on-events",
};

static cJSON *entry_new(const struct script_row *row)
{
    cJSON *entry = cJSON_CreateObject();

    json_set_str(entry, "providerConfigKey", row->provider_config_key);
    json_set_str(entry, "provider", row->provider);
    for (size_t i = SCRIPT_SYNC; i < sizeof members / sizeof members[0]; i++)
        json_set(entry, members[i], cJSON_CreateArray());
    return entry;
}

/* An entry for each integration; rows come by integration. What createFunction() made has
 * no list here. */
static cJSON *config_json(struct script_row *const *rows, size_t count)
{
    cJSON *list = cJSON_CreateArray();
    cJSON *entry = NULL;
    int64_t integration_id = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i]->kind == SCRIPT_FUNCTION)
            continue;
        if (rows[i]->integration_id != integration_id) {
            entry = entry_new(rows[i]);
            cJSON_AddItemToArray(list, entry);
            integration_id = rows[i]->integration_id;
        }
        cJSON_AddItemToArray(
            json_get_mut(entry, members[rows[i]->kind]), script_config_json(rows[i]));
    }
    return list;
}

static cJSON *tools_json(struct script_row *const *rows, size_t count)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++)
        if (rows[i]->kind == SCRIPT_SYNC || rows[i]->kind == SCRIPT_ACTION)
            cJSON_AddItemToArray(list, script_tool_json(rows[i]));
    json_set(body, "data", list);
    return body;
}

/* False after a reply. */
static bool load(struct call *call, const struct script_filter *more,
    struct script_row ***rows, size_t *count)
{
    struct script_filter filter = *more;
    struct err err = {0};

    filter.environment_id = call->environment_id;
    if (store_list_scripts(call_auth(call)->store, &filter, rows, count, NULL, &err))
        return true;
    reply_error(call, &err);
    return false;
}

void get_scripts_config(struct call *call)
{
    struct script_row **rows = NULL;
    size_t count = 0;
    bool tools;

    if (call_query(call) == NULL ||
        !load(call, &(struct script_filter){0}, &rows, &count))
        return;
    tools = str_eq(call_query_str(call, "format"), "openai");
    reply_json(call, 200, tools ? tools_json(rows, count) : config_json(rows, count));
    store_scripts_free(rows, count);
}

/* The integration of a sync or an action, as bare text: a command line may know a script
 * by its name alone. */
void get_sync_provider(struct call *call)
{
    struct script_filter filter = {0};
    struct script_row **rows = NULL;
    size_t count = 0;

    if (call_query(call) == NULL)
        return;
    filter.name = call_query_str(call, "syncName");
    if (str_is_empty(filter.name)) {
        reply_fault(call, 400, "missing_sync_name", "Missing sync name");
        return;
    }
    if (!load(call, &filter, &rows, &count))
        return;
    if (count > 0)
        reply_plain(call, 200, "text/plain; charset=utf-8", rows[0]->provider_config_key);
    else
        reply_fault(call, 404, "not_found", "No script has that name");
    store_scripts_free(rows, count);
}

void get_flow_attributes(struct call *call)
{
    struct script_filter filter = {0};
    struct script_row **rows = NULL;
    const char *key;
    size_t count = 0, at = 0;
    struct buf text;

    if (call_query(call) == NULL)
        return;
    key = call_query_str(call, "providerConfigKey");
    filter.name = call_query_str(call, "syncName");
    if (str_is_empty(key)) {
        reply_fault(
            call, 400, "missing_provider_config_key", "Missing provider config key");
        return;
    }
    if (str_is_empty(filter.name)) {
        reply_fault(call, 400, "missing_sync_name", "Missing sync name");
        return;
    }
    if (!load(call, &filter, &rows, &count))
        return;
    while (at < count && strcmp(rows[at]->provider_config_key, key) != 0)
        at++;
    if (at < count) {
        buf_init(&text, 0);
        buf_puts(&text, rows[at]->spec.attributes_json);
        reply_text(call, 200, &text);
    } else {
        reply_fault(call, 404, "not_found", "No script has that name");
    }
    store_scripts_free(rows, count);
}
