/* SPDX-License-Identifier: Apache-2.0 */
/* Environments and their keys (contract http-api.md section 11). These routes ask for
 * account scopes, which the keys of an environment do not have unless they were given
 * them. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define ALL_SCOPES "environment:*"

static const struct rule header_value = {.kind = RULE_STRING};
static const struct rule environment_rules[] = {
    {.name = "name",
        .kind = RULE_STRING,
        .pattern = &PATTERN_ENVIRONMENT,
        .max = FIELD_MAX},
    {.name = "is_production", .kind = RULE_BOOL, .optional = true},
    {.name = "callback_url", .kind = RULE_CUSTOM, .optional = true, .check = check_url},
    {.name = "hmac_key", .kind = RULE_STRING, .optional = true, .max = 1000},
    {.name = "hmac_enabled", .kind = RULE_BOOL, .optional = true},
    /* taken and without effect: there is no such sender here (docs/api.md) */
    {.name = "slack_notifications", .kind = RULE_BOOL, .optional = true},
    {.name = "otlp_endpoint", .kind = RULE_STRING, .optional = true},
    {.name = "otlp_headers",
        .kind = RULE_RECORD,
        .optional = true,
        .item = &header_value},
};
static const struct shape environment_shape = SHAPE_STRICT(environment_rules);

static const struct rule new_key_rules[] = {
    {.name = "environment_id", .kind = RULE_NUMBER, .min = 1},
    RULE_TEXT_FIELD("display_name", false),
};
static const struct shape new_key_shape = SHAPE_STRICT(new_key_rules);

static const struct rule old_key_rules[] = {
    {.name = "environment_id", .kind = RULE_NUMBER, .min = 1},
    {.name = "key_id", .kind = RULE_NUMBER, .min = 1},
};
static const struct shape old_key_shape = SHAPE_STRICT(old_key_rules);

static int64_t body_id(const struct call *call, const char *name)
{
    int64_t id = 0;

    (void)json_i64(call->body, name, &id); /* checked by the shape */
    return id;
}

/* ---- environments ---- */

static bool seal_hmac_key(const struct call *call, struct environment_row *row,
    const char *key, struct buf *sealed, struct err *err)
{
    char context[CONTEXT_SIZE];

    if (str_is_empty(key))
        return true;
    environment_context(context, row->uuid, "hmac_key");
    if (!vault_seal(call_auth(call)->vault, context, key, strlen(key), sealed, err))
        return false;
    row->hmac_key.data = (uint8_t *)sealed->data;
    row->hmac_key.len = sealed->len;
    return true;
}

void create_environment(struct call *call)
{
    struct environment_row wanted = {0}, *made = NULL;
    const char *callback, *hmac_key;
    struct err err = {0};
    struct buf sealed;
    cJSON *data;

    if (!call_check_query(call, &SHAPE_EMPTY) ||
        !call_check_body(call, &environment_shape))
        return;
    if (json_bool(call->body, "is_production", false) &&
        !call_needs_scope(call, "account:environments:set_production", NULL))
        return;
    buf_init(&sealed, 0);
    callback = json_str(call->body, "callback_url");
    hmac_key = json_str(call->body, "hmac_key");
    wanted.name = str_dup(json_str(call->body, "name"));
    wanted.is_production = json_bool(call->body, "is_production", false);
    wanted.callback_url = str_is_empty(callback) ? NULL : str_dup(callback);
    wanted.hmac_enabled = json_bool(call->body, "hmac_enabled", false);
    crypto_uuid_v4(wanted.uuid);
    crypto_uuid_v4(wanted.public_key);
    if (wanted.hmac_enabled && str_is_empty(hmac_key)) {
        const char *path[] = {"hmac_key", NULL};

        reply_issues(call, "invalid_body",
            issue_list("custom", "hmac_enabled needs an hmac_key", path));
    } else if (seal_hmac_key(call, &wanted, hmac_key, &sealed, &err) &&
               store_insert_environment(call_auth(call)->store, &wanted, &made, &err)) {
        data = cJSON_CreateObject();
        json_set_i64(data, "id", made->id);
        json_set_str(data, "name", made->name);
        reply_data(call, 200, data);
    } else if (err.status == 409) {
        reply_fault(call, 409, "conflict", "Environment already exists");
    } else {
        reply_error(call, &err);
    }
    environment_row_unref(made);
    free(wanted.name);
    free(wanted.callback_url);
    buf_finish(&sealed);
}

void delete_environment(struct call *call)
{
    struct store *store = call_auth(call)->store;
    struct environment_row *row = NULL;
    struct err err = {0};
    const char *text;
    int64_t id = 0;
    bool found = false;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    text = call_param(call, 0);
    if (text == NULL)
        return;
    if (!str_to_i64(text, &id) || id <= 0) {
        const char *path[] = {"environmentId", NULL};

        reply_issues(call, "invalid_uri_params",
            issue_list(
                "invalid_type", "Invalid input: expected number, received NaN", path));
        return;
    }
    if (!store_find_environment(store, id, &row, &err)) {
        reply_error(call, &err);
        return;
    }
    if (row != NULL && strcmp(row->name, "prod") == 0)
        reply_fault(call, 400, "cannot_delete_prod_environment",
            "Cannot delete prod environment");
    else if (row != NULL && !store_delete_environment(store, id, &found, &err))
        reply_error(call, &err);
    else if (!found)
        reply_fault(call, 404, "not_found", "Environment not found");
    else
        reply_empty(call, 204);
    environment_row_unref(row);
}

/* ---- keys ---- */

/* Makes and stores a key; `secret` gets it in plain. */
static bool make_key(struct call *call, int64_t environment_id, const char *name,
    const char *scopes, char secret[UUID_TEXT_SIZE], struct api_key_row **out,
    struct err *err)
{
    struct api_key_row row = {.environment_id = environment_id};
    char context[CONTEXT_SIZE];
    struct buf sealed;
    bool ok = false;

    buf_init(&sealed, 0);
    crypto_uuid_v4(secret);
    crypto_sha256(secret, strlen(secret), row.sha256);
    row.display_name = str_dup(name);
    row.scopes = str_dup(scopes);
    token_context(context, "api_key", row.sha256);
    if (vault_seal(
            call_auth(call)->vault, context, secret, strlen(secret), &sealed, err)) {
        row.secret.data = (uint8_t *)sealed.data;
        row.secret.len = sealed.len;
        ok = store_insert_api_key(call_auth(call)->store, &row, out, err);
    }
    free(row.display_name);
    free(row.scopes);
    buf_finish(&sealed);
    return ok;
}

/* False after a reply. */
static bool environment_exists(struct call *call, int64_t id)
{
    struct environment_row *row = NULL;
    struct err err = {0};
    bool found;

    if (!store_find_environment(call_auth(call)->store, id, &row, &err)) {
        reply_error(call, &err);
        return false;
    }
    found = row != NULL;
    environment_row_unref(row);
    if (!found)
        reply_fault(call, 404, "not_found", "Environment not found");
    return found;
}

static void reply_key(
    struct call *call, const struct api_key_row *row, const char *secret)
{
    char text[CLOCK_TEXT_SIZE];
    cJSON *data = cJSON_CreateObject();
    cJSON *scopes = cJSON_CreateArray();

    clock_text_z(row->created_at_ms, text);
    json_set_i64(data, "id", row->id);
    json_set_str(data, "display_name", row->display_name);
    cJSON_AddItemToArray(scopes, cJSON_CreateString(row->scopes));
    json_set(data, "scopes", scopes);
    json_set_str(data, "secret", secret);
    json_set_str(data, "created_at", text);
    reply_data(call, 200, data);
}

void create_api_key(struct call *call)
{
    struct api_key_row *row = NULL;
    char secret[UUID_TEXT_SIZE];
    struct err err = {0};
    int64_t environment_id;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &new_key_shape))
        return;
    environment_id = body_id(call, "environment_id");
    if (!environment_exists(call, environment_id))
        return;
    if (make_key(call, environment_id, json_str(call->body, "display_name"), ALL_SCOPES,
            secret, &row, &err))
        reply_key(call, row, secret);
    else if (err.status == 409)
        reply_fault(call, 409, "conflict", "An API key of this name already exists");
    else
        reply_error(call, &err);
    api_key_row_unref(row);
    mem_wipe(secret, sizeof secret);
}

void delete_api_key(struct call *call)
{
    struct err err = {0};
    bool found = false;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &old_key_shape))
        return;
    if (!store_delete_api_key(call_auth(call)->store, body_id(call, "environment_id"),
            body_id(call, "key_id"), &found, &err))
        reply_error(call, &err);
    else if (!found)
        reply_fault(call, 404, "not_found", "API key not found");
    else
        reply_success(call);
}
