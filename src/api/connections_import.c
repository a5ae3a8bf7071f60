/* SPDX-License-Identifier: Apache-2.0 */
/* POST /connections: a connection whose credentials the caller already has (contract
 * http-api.md section 3.3). The credentials are tried at the provider when the catalogue
 * says how; posting an existing (integration, connection id) overwrites it. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "auth/auth_log.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/str.h"

/* clang-format off */
#define TEXT(field) {.name = (field), .kind = RULE_STRING}
#define TEXT_OPTIONAL(field) {.name = (field), .kind = RULE_STRING, .optional = true}
#define TYPE {.name = "type", .kind = RULE_STRING}
#define EXPIRES_AT {.name = "expires_at", .kind = RULE_DATE, .optional = true}

static const struct rule override_rules[] = {TEXT("client_id"), TEXT("client_secret")};
static const struct shape override_shape = SHAPE_STRICT(override_rules);
#define CONFIG_OVERRIDE {.name = "config_override", .kind = RULE_OBJECT, .optional = true, .shape = &override_shape}

static const struct rule oauth2_rules[] = {TYPE, TEXT("access_token"), TEXT_OPTIONAL("refresh_token"), EXPIRES_AT, CONFIG_OVERRIDE};
static const struct rule oauth2_cc_rules[] = {TYPE, TEXT("token"), TEXT("client_id"), TEXT("client_secret"),
    TEXT_OPTIONAL("client_certificate"), TEXT_OPTIONAL("client_private_key"), EXPIRES_AT};
static const struct rule oauth1_rules[] = {TYPE, TEXT("oauth_token"), TEXT("oauth_token_secret")};
static const struct rule api_key_rules[] = {TYPE, TEXT("apiKey")};
static const struct rule basic_rules[] = {TYPE, TEXT("username"), TEXT("password")};
static const struct rule tba_rules[] = {TYPE, TEXT("token_id"), TEXT("token_secret"), CONFIG_OVERRIDE};
static const struct rule app_rules[] = {TYPE, TEXT("app_id"), TEXT("installation_id")};
static const struct rule none_rules[] = {TYPE};
/* clang-format on */

static const struct shape oauth2_shape = SHAPE_STRICT(oauth2_rules);
static const struct shape oauth2_cc_shape = SHAPE_STRICT(oauth2_cc_rules);
static const struct shape oauth1_shape = SHAPE_STRICT(oauth1_rules);
static const struct shape api_key_shape = SHAPE_STRICT(api_key_rules);
static const struct shape basic_shape = SHAPE_STRICT(basic_rules);
static const struct shape tba_shape = SHAPE_STRICT(tba_rules);
static const struct shape app_shape = SHAPE_STRICT(app_rules);
static const struct shape none_shape = SHAPE_STRICT(none_rules);

static const struct variant credential_types[] = {
    {"OAUTH2", &oauth2_shape},
    {"OAUTH2_CC", &oauth2_cc_shape},
    {"OAUTH1", &oauth1_shape},
    {"API_KEY", &api_key_shape},
    {"BASIC", &basic_shape},
    {"TBA", &tba_shape},
    {"APP", &app_shape},
    {"CUSTOM", &app_shape},
    {"NONE", &none_shape},
    {NULL, NULL},
};

static const struct rule scope_text = {.kind = RULE_STRING};
static const struct rule config_rules[] = {
    {.name = "oauth_scopes_override",
        .kind = RULE_ARRAY,
        .optional = true,
        .item = &scope_text},
};
static const struct shape config_shape = SHAPE_LOOSE(config_rules);

static const struct rule body_rules[] = {
    RULE_KEY_FIELD("provider_config_key"),
    {.name = "connection_id",
        .kind = RULE_STRING,
        .optional = true,
        .min = 1,
        .max = FIELD_MAX},
    {.name = "metadata", .kind = RULE_RECORD, .optional = true},
    {.name = "connection_config",
        .kind = RULE_OBJECT,
        .optional = true,
        .shape = &config_shape},
    {.name = "credentials", .kind = RULE_VARIANT, .variants = credential_types},
    RULE_END_USER,
    RULE_TAGS(true),
    RULE_WEBHOOK_URL,
};
static const struct shape body_shape = SHAPE_STRICT(body_rules);

/* Everything that goes into connection_put(), owned. */
struct import {
    struct integration integration;
    char connection_id[FIELD_MAX * 4 + 1];
    cJSON *credentials;
    cJSON *config;
    cJSON *tags;
    struct end_user_row end_user;
    struct buf end_user_tags;
    struct oplog_op operation;
};

static void import_finish(struct import *import)
{
    if (import->integration.row != NULL)
        integration_finish(&import->integration);
    cJSON_Delete(import->credentials);
    cJSON_Delete(import->config);
    cJSON_Delete(import->tags);
    buf_finish(&import->end_user_tags);
}

/* Dates are stored in one spelling; so are they in the copy that becomes `raw`. */
static void normalise_expiry(cJSON *credentials)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t ms;

    if (!date_read(json_get(credentials, "expires_at"), &ms))
        return;
    clock_text_z(ms, text);
    json_set_str(credentials, "expires_at", text);
}

static cJSON *credentials_of(const cJSON *given)
{
    const char *type = json_str(given, "type");
    cJSON *credentials;

    if (strcmp(type, "NONE") == 0)
        return cJSON_CreateObject();
    credentials = cJSON_Duplicate(given, true);
    normalise_expiry(credentials);
    if (str_starts(type, "OAUTH")) {
        cJSON *raw = cJSON_Duplicate(credentials, true);

        json_set(credentials, "raw", raw);
    }
    return credentials;
}

/* False after a reply: the integration, and whether it takes this kind of credentials. */
static bool load_integration(struct call *call, struct import *import)
{
    const char *key = json_str(call->body, "provider_config_key");
    const char *type = json_str(json_get(call->body, "credentials"), "type");
    struct err err = {0};
    const char *mode;

    if (!integration_load(
            call_auth(call), call->environment_id, key, &import->integration, &err)) {
        if (err_is_internal(&err))
            reply_error(call, &err);
        else
            reply_fault(call, 404, "not_found", "Integration does not exist");
        return false;
    }
    if (import->integration.provider == NULL) {
        reply_fault(call, 404, "not_found", "Provider does not exist");
        return false;
    }
    mode = auth_mode_name(import->integration.provider->mode);
    if (strcmp(mode, type) != 0) {
        reply_fault(call, 400, "invalid_body", "Provider %s does not support %s auth",
            mode, type);
        return false;
    }
    if (strcmp(type, "APP") == 0 || strcmp(type, "CUSTOM") == 0) {
        reply_fault(call, 400, "unsupported_auth",
            "This server does not make installation tokens of %s connections", type);
        return false;
    }
    return true;
}

/* TBA keeps the client beside the account. False after a reply. */
static bool complete_tba(struct call *call, struct import *import)
{
    const cJSON *settings = import->integration.settings;

    if (import->integration.provider->mode != AUTH_TBA)
        return true;
    if (str_is_empty(json_str(import->config, "accountId"))) {
        reply_fault(call, 400, "invalid_body",
            "Missing accountId in connection_config. This is required to create a TBA "
            "connection.");
        return false;
    }
    json_set_str(
        import->config, "oauth_client_id", json_str(settings, "oauth_client_id"));
    json_set_str(
        import->config, "oauth_client_secret", json_str(settings, "oauth_client_secret"));
    return true;
}

static struct oplog_op begin_operation(struct call *call, const struct import *import)
{
    const struct auth_log_start start = {
        .environment_id = call->environment_id,
        .key = import->integration.row->unique_key,
        .provider = import->integration.row->provider,
        .connection = import->connection_id,
    };

    return auth_log_begin(call_auth(call), &start, OPLOG_RUNNING);
}

static void tell_failure(const struct import *import, const struct err *err)
{
    const cJSON *secrets[] = {import->credentials, import->integration.settings};

    auth_log_failed(&import->operation, err, secrets, 2);
}

/* Tries the credentials where the provider has a call for that. False after a reply, or
 * when the handler is to be called again. */
static bool verify(struct call *call, struct import *import)
{
    const struct verifier *verifier = &call->server->verifier;
    enum auth_mode mode = import->integration.provider->mode;
    bool tried = mode == AUTH_API_KEY || mode == AUTH_BASIC || mode == AUTH_TBA;
    struct err err = {0};

    if (!call_before_put(call, call->environment_id, import->integration.row->id,
            tried && verifier->needed(&import->integration)))
        return false;
    import->operation = begin_operation(call, import);
    if (!tried || verifier->check(verifier->arg, &import->integration,
                      import->credentials, import->config, &err))
        return true;
    tell_failure(import, &err);
    reply_error(call, &err);
    return false;
}

static void reply_created(struct call *call, const struct connection *connection)
{
    bool none = strcmp(connection->row->auth_type, "NONE") == 0;
    struct buf credentials, config, out;

    buf_init_secret(&credentials, 0);
    buf_init_secret(&config, 0);
    buf_init_secret(&out, 0);
    json_append(&credentials, connection->credentials);
    json_append(&config, connection->config);
    connection_json(
        &out, &(struct connection_view){
                  .row = connection->row,
                  .credentials = credentials.data,
                  .config = config.data,
                  .times = TIMES_Z,
                  .last_fetched_ms = none ? connection->row->last_fetched_at_ms
                                          : clock_now_ms(call_auth(call)->clock),
              });
    buf_finish(&credentials);
    buf_finish(&config);
    reply_text(call, 201, &out);
}

static void put(struct call *call, struct import *import)
{
    const cJSON *user = json_get(call->body, "end_user");
    const char *webhook = json_str(call->body, "webhook_url_override");
    struct connection connection = {0};
    struct err err = {0};
    bool created;
    struct connection_put row = {
        .environment_id = call->environment_id,
        .integration = import->integration.row,
        .connection_id = import->connection_id,
        .credentials = import->credentials,
        .config = import->config,
        .metadata = json_get(call->body, "metadata"),
        .empty_metadata = true,
        .tags = import->tags,
        .end_user = user != NULL ? &import->end_user : NULL,
        .webhook_url_override = str_is_empty(webhook) ? NULL : webhook,
    };

    if (!connection_put(call_auth(call), &row, &created, &connection, &err)) {
        tell_failure(import, &err);
        reply_error(call, &err);
        return;
    }
    auth_log_stored(call_auth(call), &import->operation, connection.row, created);
    reply_created(call, &connection);
    call_after_put(call);
    connection_finish(&connection);
}

void import_connection(struct call *call)
{
    const cJSON *body = call->body, *config, *user;
    struct import import = {0};
    const char *id;

    buf_init(&import.end_user_tags, 0);
    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &body_shape) ||
        !load_integration(call, &import))
        goto done;
    id = json_str(body, "connection_id");
    if (id != NULL)
        str_copy(import.connection_id, sizeof import.connection_id, id);
    else
        crypto_uuid_v4(import.connection_id);
    user = json_get(body, "end_user");
    end_user_read(user, NULL, &import.end_user, &import.end_user_tags);
    import.tags = tags_derive(user, NULL, json_get(body, "tags"));
    import.credentials = credentials_of(json_get(body, "credentials"));
    config = json_get(body, "connection_config");
    import.config = config != NULL ? cJSON_Duplicate(config, true) : cJSON_CreateObject();
    if (complete_tba(call, &import) && verify(call, &import))
        put(call, &import);

done:
    import_finish(&import);
}
