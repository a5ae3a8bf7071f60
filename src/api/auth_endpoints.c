/* SPDX-License-Identifier: Apache-2.0 */
/* Making a connection without a popup: API keys, user names with passwords, and providers
 * that ask for nothing (contract connect-flow.md section 5, auth.md sections 1 and 7).
 * The order of checks is the contract's: body, query, path, HMAC, integration, provider,
 * mode, the session's word, the connection to reconnect, the provider's own check. */
#include <stdlib.h>
#include <string.h>

#include "api/auth_input.h"
#include "api/browser.h"
#include "api/fields.h"
#include "auth/auth_log.h"
#include "auth/auth_tell.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/str.h"

#define SECRET_MAX 1024

static const struct rule api_key_rules[] = {
    {.name = "apiKey", .kind = RULE_STRING, .min = 1, .max = SECRET_MAX},
};
static const struct shape api_key_shape = SHAPE_STRICT(api_key_rules);

static const struct rule basic_rules[] = {
    {.name = "username", .kind = RULE_STRING, .max = SECRET_MAX},
    {.name = "password", .kind = RULE_STRING, .max = SECRET_MAX},
};
static const struct shape basic_shape = SHAPE_STRICT(basic_rules);

static const struct input_mode api_key_mode = {
    .mode = AUTH_API_KEY, .shape = &api_key_shape, .verified = true};
static const struct input_mode basic_mode = {
    .mode = AUTH_BASIC, .shape = &basic_shape, .verified = true};
static const struct input_mode none_mode = {
    .mode = AUTH_NONE, .shape = &SHAPE_EMPTY, .body_optional = true};

/* False after a reply: the integration is there, of this mode, and allowed. */
static bool load_integration(struct call *call, const struct browser *browser,
    const struct input_mode *mode, struct integration *out)
{
    struct err err = {0};

    if (!integration_load(
            call_auth(call), call->environment_id, browser->key, out, &err)) {
        if (err_is_internal(&err))
            reply_error(call, &err);
        else if (mode->unknown_is_bad)
            reply_no_integration(call);
        else
            reply_code(call, 404, "unknown_provider_config");
        return false;
    }
    if (out->provider == NULL)
        reply_code(call, 404, "unknown_provider_template");
    else if (out->provider->mode != mode->mode)
        reply_code(call, 400, "invalid_auth_mode");
    else if (call->session.row != NULL && !session_allows(&call->session, browser->key))
        reply_code(call, 400, "integration_not_allowed");
    else
        return true;
    integration_finish(out);
    return false;
}

/* The id to store under, to be freed; NULL after a reply. */
static char *choose_id(struct call *call, const struct browser *browser)
{
    int64_t reconnect = call->session.row != NULL ? call->session.row->connection_id : 0;
    struct connection_row *row = NULL;
    char uuid[UUID_TEXT_SIZE], *id = NULL;
    struct err err = {0};

    if (reconnect == 0 && !str_is_empty(browser->connection_id))
        return str_dup(browser->connection_id);
    if (reconnect == 0) {
        crypto_uuid_v4(uuid);
        return str_dup(uuid);
    }
    if (!store_reload_connection(call_auth(call)->store, reconnect, &row, &err))
        reply_error(call, &err);
    else if (row == NULL || strcmp(row->provider_config_key, browser->key) != 0)
        reply_code(call, 400, "invalid_connection");
    else
        id = str_dup(row->connection_id);
    connection_row_unref(row);
    return id;
}

/* What is stored. When it cannot be had, what was submitted, and false. */
static bool make_credentials(struct call *call, const struct input_mode *mode,
    const struct integration *integration, cJSON *config, cJSON **credentials,
    struct err *err)
{
    cJSON *submitted = cJSON_CreateObject();
    bool ok = true;

    if (mode->mode != AUTH_NONE) {
        json_merge(submitted, call->body);
        json_set_str(submitted, "type", auth_mode_name(mode->mode));
    }
    *credentials = NULL;
    if (mode->make != NULL)
        ok = mode->make(call, integration, submitted, config, credentials, err);
    if (*credentials == NULL)
        *credentials = submitted;
    else
        cJSON_Delete(submitted);
    return ok;
}

/* Stores; what the call says nothing about stays as it is by then. */
static bool put(struct call *call, const struct integration *integration, const char *id,
    const cJSON *credentials, const cJSON *config, const struct oplog_op *operation,
    struct err *err)
{
    const struct session *session = call->session.row != NULL ? &call->session : NULL;
    const cJSON *payload = call->session.payload;
    struct connection connection;
    struct end_user_row user;
    bool created, ok;
    struct connection_put row = {
        .environment_id = call->environment_id,
        .integration = integration->row,
        .connection_id = id,
        .credentials = credentials,
        .config = config,
        .empty_metadata = true,
        .tags = json_get(payload, "tags"),
        .webhook_url_override = json_str(payload, "webhook_url_override"),
        .keep_webhook_url = true,
        .reconnect_id = session != NULL ? session->row->connection_id : 0,
    };

    if (session != NULL && session_end_user(session, &user))
        row.end_user = &user;
    if (row.reconnect_id != 0 && cJSON_GetArraySize(row.tags) == 0)
        row.tags = NULL;
    ok = connection_put(call_auth(call), &row, &created, &connection, err);
    if (ok) {
        auth_log_stored(call_auth(call), operation, connection.row, created);
        connection_finish(&connection);
    } else if (str_eq(err->code, "unknown_connection")) {
        err_set(err, 400, "invalid_connection",
            "The connection was deleted while it was being authorized again");
    }
    return ok;
}

static struct oplog_op begin_operation(
    struct call *call, const struct integration *integration, const char *id)
{
    const struct auth_log_start start = {
        .environment_id = call->environment_id,
        .operation = json_str(call->session.payload, "operation_id"),
        .key = integration->row->unique_key,
        .provider = integration->row->provider,
        .connection = id,
    };

    return auth_log_begin(call_auth(call), &start, OPLOG_RUNNING);
}

static void make_connection(struct call *call, const struct browser *browser,
    const struct input_mode *mode, const struct integration *integration)
{
    const struct verifier *verifier = &call->server->verifier;
    cJSON *credentials, *config, *body;
    const cJSON *secrets[2] = {NULL, integration->settings};
    struct oplog_op operation;
    struct err err = {0};
    bool made;
    char *id;

    if (!call_before_put(call, call->environment_id, integration->row->id,
            mode->make != NULL || (mode->verified && verifier->needed(integration))))
        return;
    id = choose_id(call, browser);
    if (id == NULL)
        return;
    operation = begin_operation(call, integration, id);
    config = browser_config(call, browser);
    made = make_credentials(call, mode, integration, config, &credentials, &err);
    secrets[0] = credentials;
    if (!made ||
        (mode->verified &&
            !verifier->check(verifier->arg, integration, credentials, config, &err)) ||
        !put(call, integration, id, credentials, config, &operation, &err)) {
        auth_log_failed(&operation, &err, secrets, 2);
        auth_tell_failed(call_auth(call),
            &(struct auth_tell_failure){
                .environment_id = call->environment_id,
                .key = browser->key,
                .connection = id,
                .mode = auth_mode_name(mode->mode),
                .provider = integration->row->provider,
            },
            &err, secrets, 2);
        if (mode->make != NULL)
            reply_error_detailed(call, &err);
        else
            reply_error(call, &err);
    } else {
        body = cJSON_CreateObject();
        json_set_str(body, "connectionId", id);
        json_set_str(body, "providerConfigKey", browser->key);
        reply_json(call, 200, body);
        call_after_put(call);
    }
    cJSON_Delete(credentials);
    cJSON_Delete(config);
    free(id);
}

/* Free-form bodies are copied member by member, and each is looked up. False after a
 * reply. */
static bool check_size(struct call *call)
{
    const char *path[] = {NULL};

    if (cJSON_GetArraySize(call->body) <= RECORD_MAX_KEYS)
        return true;
    reply_issues(call, "invalid_body",
        issue_list("too_big", "Too big: expected at most 1000 keys", path));
    return false;
}

void auth_input(struct call *call, const struct input_mode *mode)
{
    struct integration integration;
    struct browser browser;

    if (!(mode->body_optional && call->body == NULL) &&
        (!call_check_body(call, mode->shape) || !check_size(call)))
        return;
    if (!browser_read(call, &browser) ||
        !load_integration(call, &browser, mode, &integration))
        return;
    make_connection(call, &browser, mode, &integration);
    integration_finish(&integration);
}

void auth_api_key(struct call *call)
{
    auth_input(call, &api_key_mode);
}

void auth_basic(struct call *call)
{
    auth_input(call, &basic_mode);
}

void auth_unauthenticated(struct call *call)
{
    auth_input(call, &none_mode);
}

/* The path of the 0.36 clients, which read flat errors. */
void auth_unauthenticated_legacy(struct call *call)
{
    auth_input(call, &none_mode);
}
