/* SPDX-License-Identifier: Apache-2.0 */
/* The first half of the redirect flow: from the browser's query (and the session's
 * defaults, which win over it) to the provider's URL and a one-time state.
 *
 * Fails with an error type of connect-flow.md section 6: `provider_config_err` (no such
 * integration, or no client), `unknown_config_key` (its provider is not in the
 * catalogue), `auth_mode_err`, `grant_type_err`, `url_param_err`, `connection_not_found`
 * (reconnecting what is gone); `integration_not_allowed` by the session. */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_log.h"
#include "auth/oauth_flow.h"
#include "auth/oauth_state.h"
#include "auth/provider_entry.h"
#include "auth/token.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

/* What the flow was asked for, with the session's word laid over the browser's. */
struct wish {
    cJSON *config;
    cJSON *authorization_params;
    const char *user_scope;
    const char *scopes; /* comma list: the override, else the integration's */
    cJSON *overrides;   /* client_id, client_secret; NULL = the integration's client */
    const char *refresh_token;
    char *connection_id; /* up to 255 UTF-16 units, which are more bytes */
    int64_t reconnect_row_id;
};

static void wish_finish(struct wish *wish)
{
    cJSON_Delete(wish->config);
    cJSON_Delete(wish->authorization_params);
    cJSON_Delete(wish->overrides);
    free(wish->connection_id);
}

static void strings_merge(cJSON *into, const cJSON *from)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, from)
    {
        if (cJSON_IsString(item))
            json_set_str(into, item->string, item->valuestring);
    }
}

/* A comma list as an array of trimmed, non-empty texts. */
static cJSON *comma_list(const char *text)
{
    cJSON *out = cJSON_CreateArray();

    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        char *part = str_ndup(text, len);
        char *item = str_trim(part);

        if (*item != '\0')
            cJSON_AddItemToArray(out, cJSON_CreateString(item));
        free(part);
        text += len + (text[len] == ',');
    }
    return out;
}

static const cJSON *session_defaults(const struct oauth_start *start)
{
    if (start->session == NULL)
        return NULL;
    return json_get(json_get(start->session->payload, "integrations_config_defaults"),
        start->provider_config_key);
}

/* The connection config, and the scopes that may hide in it. */
static void wish_config(
    struct wish *wish, const struct oauth_start *start, const cJSON *settings)
{
    const cJSON *given = json_get(session_defaults(start), "connection_config");
    const char *scopes;

    wish->config = cJSON_CreateObject();
    strings_merge(wish->config, start->params);
    json_remove(wish->config, "webhook_url"); /* never from a browser */
    if (start->session != NULL)
        json_remove(wish->config, "oauth_scopes_override");
    if (cJSON_IsObject(given))
        json_merge(wish->config, given);
    scopes = start->session != NULL ? json_str(given, "oauth_scopes_override")
                                    : json_str(start->params, "oauth_scopes_override");
    if (scopes != NULL)
        json_set(wish->config, "oauth_scopes_override", comma_list(scopes));
    wish->scopes = str_is_empty(scopes) ? json_str(settings, "oauth_scopes") : scopes;
}

static void wish_overrides(struct wish *wish, const cJSON *given)
{
    const char *id = json_str(given, "oauth_client_id_override");
    const char *secret = json_str(given, "oauth_client_secret_override");
    const char *refresh_token = json_str(given, "oauth_refresh_token_override");

    if (!str_is_empty(id) || !str_is_empty(secret)) {
        wish->overrides = cJSON_CreateObject();
        if (!str_is_empty(id))
            json_set_str(wish->overrides, "client_id", id);
        if (!str_is_empty(secret))
            json_set_str(wish->overrides, "client_secret", secret);
    }
    wish->refresh_token = str_is_empty(refresh_token) ? NULL : refresh_token;
}

/* The id of a session's flow is never the browser's: a new one, or the reconnected one's.
 */
static bool wish_connection(const struct auth *auth, struct wish *wish,
    const struct oauth_start *start, struct err *err)
{
    struct connection_row *row = NULL;
    char uuid[UUID_TEXT_SIZE];
    bool ok;

    if (start->session == NULL && !str_is_empty(start->connection_id)) {
        wish->connection_id = str_dup(start->connection_id);
        return true;
    }
    if (start->session == NULL || start->session->row->connection_id == 0) {
        crypto_uuid_v4(uuid);
        wish->connection_id = str_dup(uuid);
        return true;
    }
    wish->reconnect_row_id = start->session->row->connection_id;
    if (!store_reload_connection(auth->store, wish->reconnect_row_id, &row, err))
        return false;
    if (row == NULL)
        return err_set(err, 400, "connection_not_found",
            "The connection of this session does not exist any more");
    ok = str_eq(row->provider_config_key, start->provider_config_key) ||
         err_set(err, 400, "integration_not_allowed",
             "The connection of this session belongs to another integration");
    wish->connection_id = str_dup(row->connection_id);
    connection_row_unref(row);
    return ok;
}

static bool wish_make(const struct auth *auth, const struct oauth_start *start,
    const struct integration *integration, struct wish *wish, struct err *err)
{
    const cJSON *defaults = session_defaults(start);
    const char *user_scopes = json_str(defaults, "user_scopes");

    memset(wish, 0, sizeof *wish);
    wish_config(wish, start, integration->settings);
    wish->authorization_params = cJSON_CreateObject();
    strings_merge(wish->authorization_params, start->authorization_params);
    strings_merge(wish->authorization_params, json_get(defaults, "authorization_params"));
    wish->user_scope = user_scopes != NULL ? user_scopes : start->user_scope;
    wish_overrides(wish, start->credentials);
    return wish_connection(auth, wish, start, err);
}

static bool integration_check(const struct oauth_start *start,
    const struct integration *integration, struct err *err)
{
    if (start->session != NULL &&
        !session_allows(start->session, start->provider_config_key))
        return err_set(err, 400, "integration_not_allowed",
            "The session does not allow this integration");
    if (integration->provider == NULL)
        return err_set(err, 400, "unknown_config_key",
            "No provider with the name \"%.60s\"", integration->row->provider);
    if (integration->provider->mode != AUTH_OAUTH2)
        return err_set(err, 400, "auth_mode_err",
            "Auth mode %s cannot be authorized by redirect here",
            auth_mode_name(integration->provider->mode));
    return true;
}

static bool client_check(const struct integration *integration,
    const struct token_client *client, struct err *err)
{
    if (!str_is_empty(client->id) && !str_is_empty(client->secret))
        return true;
    return err_set(err, 400, "provider_config_err",
        "Integration \"%.100s\" has no client id or no client secret",
        integration->row->unique_key);
}

/* The parameters of the later token call must be complete before anyone is sent away. */
static bool token_params_check(
    const struct provider *provider, const cJSON *config, struct err *err)
{
    cJSON *values = provider_values(config);
    const cJSON *param;
    bool ok = true;

    cJSON_ArrayForEach(param, json_get(provider->entry, "token_params"))
    {
        char *text;

        if (!cJSON_IsString(param))
            continue;
        text = provider_param_render(param->valuestring, values);
        if (template_is_unresolved(text))
            ok = err_set(err, 400, "url_param_err",
                "token parameter %.60s needs a value that the connection lacks",
                param->string);
        free(text);
    }
    cJSON_Delete(values);
    return ok;
}

static char *callback_url(
    const struct auth *auth, const struct environment_row *environment)
{
    if (!str_is_empty(environment->callback_url))
        return str_dup(environment->callback_url);
    return str_printf("%s/oauth/callback", auth->public_url);
}

static cJSON *session_part(const struct session *session)
{
    static const char *const kept[] = {
        "end_user", "organization", "tags", "webhook_url_override"};
    cJSON *out = cJSON_CreateObject();

    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const cJSON *item = json_get(session->payload, kept[i]);

        if (item != NULL)
            json_set(out, kept[i], cJSON_Duplicate(item, true));
    }
    return out;
}

static cJSON *state_payload(const struct oauth_start *start,
    const struct integration *integration, const struct wish *wish, const char *callback,
    const char *verifier, int64_t operation)
{
    cJSON *out = cJSON_CreateObject();
    char operation_id[OPLOG_ID_SIZE];

    oplog_id_text(operation, operation_id);
    json_set_str(out, "operation_id", operation_id);
    json_set_str(out, "provider_config_key", integration->row->unique_key);
    json_set_i64(out, "integration_id", integration->row->id);
    json_set_str(out, "connection_id", wish->connection_id);
    json_set_str(out, "callback_url", callback);
    json_set_str(out, "verifier", verifier);
    json_set(out, "config", cJSON_Duplicate(wish->config, true));
    if (wish->reconnect_row_id != 0)
        json_set_i64(out, "reconnect_row_id", wish->reconnect_row_id);
    if (wish->overrides != NULL)
        json_set(out, "client", cJSON_Duplicate(wish->overrides, true));
    if (wish->refresh_token != NULL)
        json_set_str(out, "refresh_token", wish->refresh_token);
    if (!str_is_empty(start->ws_client_id))
        json_set_str(out, "ws_client_id", start->ws_client_id);
    if (start->session != NULL)
        json_set(out, "session", session_part(start->session));
    return out;
}

/* Everything is checked: makes the URL, then remembers the state durably. */
static bool redirect_make(const struct auth *auth, const struct oauth_start *start,
    const struct integration *integration, const struct wish *wish,
    const struct token_client *client, int64_t operation, struct oauth_redirect *out,
    struct err *err)
{
    char state[OAUTH_STATE_SIZE], verifier[OAUTH_VERIFIER_SIZE];
    char *callback = callback_url(auth, start->environment);
    struct authorize_request request = {
        .provider = integration->provider,
        .config = wish->config,
        .authorization_params = wish->authorization_params,
        .client_id = client->id,
        .scopes = wish->scopes,
        .user_scope = wish->user_scope,
        .redirect_uri = callback,
        .state = state,
        .verifier = verifier,
    };
    cJSON *payload;
    bool ok;

    crypto_random_hex(state, (OAUTH_STATE_SIZE - 1) / 2);
    crypto_random_hex(verifier, (OAUTH_VERIFIER_SIZE - 1) / 2);
    payload = state_payload(start, integration, wish, callback, verifier, operation);
    out->url = oauth_authorize_url(&request, err);
    ok = out->url != NULL &&
         oauth_state_put(auth, start->environment->id, state, payload, err);
    if (ok) {
        out->state = str_dup(state);
        out->binds_cookie = true;
    }
    cJSON_Delete(payload);
    free(callback);
    return ok;
}

static bool flow_start(const struct auth *auth, const struct oauth_start *start,
    int64_t operation, struct oauth_redirect *out, struct err *err)
{
    struct integration integration;
    struct token_client client;
    struct wish wish = {0};
    bool ok = false;

    memset(out, 0, sizeof *out);
    if (!integration_load(auth, start->environment->id, start->provider_config_key,
            &integration, err)) {
        if (err->status == 404) {
            err->status = 400;
            str_copy(err->code, sizeof err->code, "provider_config_err");
        }
        return false;
    }
    if (!integration_check(start, &integration, err) ||
        !wish_make(auth, start, &integration, &wish, err))
        goto done;
    token_client_choose(integration.settings, wish.overrides, &client);
    ok = client_check(&integration, &client, err) &&
         token_params_check(integration.provider, wish.config, err) &&
         redirect_make(auth, start, &integration, &wish, &client, operation, out, err);

done:
    if (!ok)
        oauth_redirect_finish(out);
    wish_finish(&wish);
    integration_finish(&integration);
    return ok;
}

bool oauth_flow_start(const struct auth *auth, const struct oauth_start *start,
    struct oauth_redirect *out, struct err *err)
{
    const struct auth_log_start log = {
        .environment_id = start->environment->id,
        .operation = start->session != NULL
                         ? json_str(start->session->payload, "operation_id")
                         : NULL,
        .key = start->provider_config_key,
        .connection = start->connection_id,
        .life_ms = OAUTH_STATE_LIFE_MS,
    };
    struct oplog_op operation = auth_log_begin(auth, &log, OPLOG_RUNNING);

    if (!flow_start(auth, start, operation.id, out, err)) {
        auth_log_failed(&operation, err, &start->credentials, 1);
        return false;
    }
    oplog_say(&operation, OPLOG_INFO, NULL, "The browser was sent to the provider");
    return true;
}

void oauth_redirect_finish(struct oauth_redirect *redirect)
{
    free(redirect->url);
    free(redirect->state);
    memset(redirect, 0, sizeof *redirect);
}
