/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sync_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define SEPARATOR "::"

static void check_name(struct issues *issues, const cJSON *value)
{
    const cJSON *variant = json_get(value, "variant");

    if (cJSON_IsString(value) ||
        (json_str(value, "name") != NULL && (variant == NULL || cJSON_IsString(variant))))
        return;
    issue_add(issues, "invalid_union", "Invalid input");
}

const struct rule RULE_SYNC_NAME = {.kind = RULE_CUSTOM, .check = check_name};

void sync_name_split(const char *text, char **name, char **variant)
{
    const char *at = strstr(text, SEPARATOR);

    *name = at != NULL ? str_ndup(text, (size_t)(at - text)) : str_dup(text);
    *variant = str_dup(at != NULL ? at + strlen(SEPARATOR) : SYNC_BASE);
}

/* ---- whose ---- */

bool sync_target_find(struct call *call, const char *provider_config_key,
    const char *connection_id, struct sync_target *out)
{
    struct store *store = call_auth(call)->store;
    struct err err = {0};

    *out = (struct sync_target){0};
    if (!store_find_integration(
            store, call->environment_id, provider_config_key, &out->integration, &err) ||
        (out->integration != NULL && connection_id != NULL &&
            !store_find_connection(store, call->environment_id, provider_config_key,
                connection_id, &out->connection, &err)))
        reply_error(call, &err);
    else if (out->integration == NULL)
        reply_no_integration(call);
    else if (connection_id != NULL && out->connection == NULL)
        reply_no_connection(call, provider_config_key, connection_id);
    else
        return true;
    sync_target_finish(out);
    return false;
}

void sync_target_finish(struct sync_target *target)
{
    integration_row_unref(target->integration);
    connection_row_unref(target->connection);
    *target = (struct sync_target){0};
}

/* ---- which ---- */

static bool is_meant(const struct sync_row *row, const cJSON *name)
{
    const char *variant = json_str(name, "variant");
    char *part, *part_variant;
    bool meant;

    if (!cJSON_IsString(name))
        return strcmp(row->name, json_str(name, "name")) == 0 &&
               strcmp(row->variant, variant != NULL ? variant : SYNC_BASE) == 0;
    sync_name_split(name->valuestring, &part, &part_variant);
    meant = strcmp(row->name, part) == 0 && strcmp(row->variant, part_variant) == 0;
    free(part);
    free(part_variant);
    return meant;
}

static bool is_any_meant(struct sync_row *const *rows, size_t count, const cJSON *name)
{
    for (size_t i = 0; i < count; i++)
        if (is_meant(rows[i], name))
            return true;
    return false;
}

static bool is_among(const struct sync_row *row, const cJSON *names)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        if (is_meant(row, name))
            return true;
    }
    return false;
}

/* Does each name stand for a sync, and is there one at all? */
static bool are_known(struct sync_row *const *rows, size_t count, const cJSON *names)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        if (!is_any_meant(rows, count, name))
            return false;
    }
    return count > 0;
}

bool sync_ids_find(struct call *call, const struct sync_target *target,
    const cJSON *names, int64_t **ids, size_t *count)
{
    const struct sync_filter filter = {
        .environment_id = call->environment_id,
        .integration_id = target->integration->id,
        .connection_row = target->connection != NULL ? target->connection->id : 0,
    };
    struct sync_row **rows;
    struct err err = {0};
    size_t total;
    bool known;

    *count = 0;
    if (!store_list_syncs(call_auth(call)->store, &filter, &rows, &total, &err)) {
        reply_error(call, &err);
        return false;
    }
    known = are_known(rows, total, names);
    *ids = mem_zalloc((total + 1) * sizeof **ids);
    for (size_t i = 0; i < total; i++)
        if (cJSON_GetArraySize(names) == 0 || is_among(rows[i], names))
            (*ids)[(*count)++] = rows[i]->id;
    store_syncs_free(rows, total);
    if (known)
        return true;
    free(*ids);
    reply_detailed(call, 400, "no_syncs_found", NULL, "No syncs found given the inputs.");
    return false;
}

bool sync_find(struct call *call, const struct connection_row *connection,
    const char *name, const char *variant, struct sync_row **out)
{
    const struct sync_filter filter = {
        .environment_id = call->environment_id,
        .connection_row = connection->id,
        .name = name,
        .variant = variant != NULL ? variant : SYNC_BASE,
    };
    struct sync_row **rows;
    struct err err = {0};
    size_t count;

    *out = NULL;
    if (!store_list_syncs(call_auth(call)->store, &filter, &rows, &count, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (count > 0) {
        *out = rows[0];
        rows[0] = NULL;
    }
    store_syncs_free(rows, count);
    return true;
}
