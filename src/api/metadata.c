/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of connections: replacing and merging, in the wrapped form of today and the
 * raw form of old clients (contract http-api.md section 3.6). With several ids all change
 * or none. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_IDS 10000
#define DASHBOARD "Please make sure the connection exists in the Nango dashboard"

static bool is_id(const cJSON *value)
{
    return cJSON_IsString(value) && PATTERN_CONNECTION_ID.matches(value->valuestring) &&
           str_utf16_len(value->valuestring) <= FIELD_MAX;
}

/* One id or a list of ids. */
static void check_ids(struct issues *issues, const cJSON *value)
{
    const cJSON *child;
    bool ok = is_id(value) || cJSON_IsArray(value);

    if (cJSON_IsArray(value) && cJSON_GetArraySize(value) > MAX_IDS) {
        issue_add(
            issues, "too_big", "Too big: expected array to have <=%d items", MAX_IDS);
        return;
    }
    if (cJSON_IsArray(value))
        cJSON_ArrayForEach(child, value)
        {
            ok = ok && is_id(child);
        }
    if (!ok)
        issue_add(issues, "invalid_union", "Invalid input");
}

static const struct rule body_rules[] = {
    {.name = "connection_id", .kind = RULE_CUSTOM, .check = check_ids},
    RULE_KEY_FIELD("provider_config_key"),
    {.name = "metadata", .kind = RULE_RECORD},
};
static const struct shape body_shape = SHAPE_STRICT(body_rules);

/* The first of `ids` that does not exist, or NULL; false when the store failed. */
static bool find_missing(struct call *call, const char *key, const char *const *ids,
    size_t count, const char **missing, struct err *err)
{
    *missing = NULL;
    for (size_t i = 0; i < count && *missing == NULL; i++) {
        struct connection_row *row = NULL;

        if (!connection_find(call_auth(call), call->environment_id, call->held_id, key,
                ids[i], &row, err))
            return false;
        if (row == NULL)
            *missing = ids[i];
        connection_row_unref(row);
    }
    return true;
}

static bool store_metadata(struct call *call, const char *key, const char *const *ids,
    size_t count, const cJSON *metadata, bool merge, struct err *err)
{
    char *text;
    bool ok;

    if (count == 0)
        return true;
    text = json_print(metadata);
    ok = store_set_metadata(call_auth(call)->store,
        &(struct metadata_change){
            .environment_id = call->environment_id,
            .provider_config_key = key,
            .connection_ids = ids,
            .count = count,
            .held_id = call->held_id,
            .metadata_json = text,
            .merge = merge,
        },
        err);
    free(text);
    return ok;
}

static void reply_unknown(
    struct call *call, const char *key, const char *id, bool several)
{
    reply_fault(call, 404, "unknown_connection",
        "Connection with connection id %s and provider config key %s not "
        "found. " DASHBOARD "%s",
        id, key,
        several ? ". No actions were taken on any of the connections as a result of this "
                  "failure."
                : "");
}

static void reply_echo(struct call *call, bool merge)
{
    cJSON *body = call->body;

    call->body = NULL;
    reply_json(call, merge ? 200 : 201, body);
}

static void write_metadata(struct call *call, bool merge)
{
    const cJSON *value, *child;
    const char *key, *missing;
    const char **ids;
    size_t count = 0;
    struct err err = {0};

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &body_shape))
        return;
    key = json_str(call->body, "provider_config_key");
    value = json_get(call->body, "connection_id");
    ids = mem_resize_array(NULL,
        cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) + 1 : 1, sizeof *ids);
    if (cJSON_IsString(value))
        ids[count++] = value->valuestring;
    else
        cJSON_ArrayForEach(child, value)
        {
            ids[count++] = child->valuestring;
        }
    if (!find_missing(call, key, ids, count, &missing, &err))
        reply_error(call, &err);
    else if (missing != NULL)
        reply_unknown(call, key, missing, cJSON_IsArray(value));
    else if (!store_metadata(
                 call, key, ids, count, json_get(call->body, "metadata"), merge, &err))
        reply_error(call, &err);
    else
        reply_echo(call, merge);
    free(ids);
}

void set_metadata(struct call *call)
{
    write_metadata(call, false);
}

void update_metadata(struct call *call)
{
    write_metadata(call, true);
}

/* The body is the metadata; the key comes by query or header. */
static void write_metadata_legacy(struct call *call, bool merge)
{
    const char *id, *key, *missing;
    struct err err = {0};

    if (call_query(call) == NULL)
        return;
    id = call_param_checked(call, 0, &PATTERN_CONNECTION_ID);
    if (id == NULL)
        return;
    key = call_query_str(call, "provider_config_key");
    if (str_is_empty(key))
        key = http_header(call->req, "provider-config-key");
    if (str_is_empty(key)) {
        reply_detailed(call, 400, "missing_provider_config", NULL,
            "Missing param 'provider_config_key'.");
        return;
    }
    if (!cJSON_IsObject(call->body)) {
        reply_detailed(
            call, 400, "invalid_body", NULL, "The body must be the metadata, an object.");
        return;
    }
    if (!find_missing(call, key, &id, 1, &missing, &err))
        reply_error(call, &err);
    else if (missing != NULL)
        reply_no_connection(call, key, id);
    else if (!store_metadata(call, key, &id, 1, call->body, merge, &err))
        reply_error(call, &err);
    else
        reply_echo(call, merge);
}

void set_metadata_legacy(struct call *call)
{
    write_metadata_legacy(call, false);
}

void update_metadata_legacy(struct call *call)
{
    write_metadata_legacy(call, true);
}
