/* SPDX-License-Identifier: Apache-2.0 */
/* The second half of the redirect flow: the browser is back. The state is consumed first,
 * whatever comes after; then the browser is recognised by its cookie, the code exchanged,
 * the connection stored.
 *
 * Fails with an error type of connect-flow.md section 6: `state_err`, `state_cookie_err`,
 * `callback_err` (no code: the provider's own error is in the outcome),
 * `provider_config_err`, `unknown_config_key`, `connection_not_found`, `url_param_err`,
 * `token_err`. The outcome names the connection as soon as the state is known, so that
 * the failure can be told to its browser. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth_log.h"
#include "auth/auth_tell.h"
#include "auth/connection.h"
#include "auth/end_user.h"
#include "auth/oauth_flow.h"
#include "auth/oauth_state.h"
#include "auth/token.h"
#include "base/json.h"
#include "base/str.h"

void oauth_outcome_finish(struct oauth_outcome *outcome)
{
    free(outcome->provider_config_key);
    free(outcome->connection_id);
    free(outcome->ws_client_id);
    memset(outcome, 0, sizeof *outcome);
}

static void provider_error_read(const cJSON *query, char *out, size_t out_size)
{
    static const char *const keys[] = {"error", "error_description", "error_reason",
        "error_uri", "status_code", "error_message"};
    struct buf text;

    buf_init(&text, 0);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = json_str(query, keys[i]);

        if (value != NULL)
            buf_printf(&text, "%s%s: %s", text.len > 0 ? "; " : "", keys[i], value);
    }
    str_copy(out, out_size, text.data != NULL ? text.data : "");
    buf_finish(&text);
}

/* The authorization code under the name that the provider uses; NULL when it did not
 * come. */
static const char *code_find(const struct provider *provider, const cJSON *query)
{
    const char *name = json_str(provider->entry, "authorization_code_param_in_callback");
    const char *code = json_str(query, name != NULL ? name : "code");

    return str_is_empty(code) ? NULL : code;
}

static bool code_check(
    const char *code, const struct oauth_outcome *outcome, struct err *err)
{
    if (code != NULL)
        return true;
    return err_set(err, 400, "callback_err",
        "The provider sent no authorization code%s%.400s",
        outcome->provider_error[0] != '\0' ? ". Provider error: " : "",
        outcome->provider_error);
}

static void callback_metadata(
    const struct provider *provider, const cJSON *query, cJSON *config)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, json_get(provider->entry, "redirect_uri_metadata"))
    {
        const char *value =
            cJSON_IsString(name) ? json_str(query, name->valuestring) : NULL;

        if (value != NULL)
            json_set_str(config, name->valuestring, value);
    }
}

/* The connection's config: token answer, callback, submitted (auth.md section 3.3). */
static cJSON *config_make(const struct provider *provider, const cJSON *raw,
    const cJSON *query, const cJSON *submitted)
{
    cJSON *config = cJSON_CreateObject();

    if (raw != NULL)
        token_response_metadata(provider, raw, config);
    callback_metadata(provider, query, config);
    connection_config_lay(config, submitted);
    return config;
}

/* Overrides leave the flow's memory for the credentials. */
static void overrides_apply(const cJSON *state, cJSON *credentials, cJSON *config)
{
    const cJSON *client = json_get(state, "client");
    const char *refresh_token = json_str(state, "refresh_token");
    cJSON *raw = json_get_mut(credentials, "raw");

    if (cJSON_IsObject(client))
        json_set(credentials, "config_override", cJSON_Duplicate(client, true));
    if (refresh_token != NULL) {
        json_set_str(credentials, "refresh_token", refresh_token);
        json_set_str(raw, "refresh_token", refresh_token);
        json_set_bool(config, "overrideTokenRefresh", true);
    }
}

/* Codes of the steps below become the one type that browsers know. */
static bool token_failed(struct err *err)
{
    if (!str_eq(err->code, "url_param_err") &&
        !str_eq(err->code, "provider_config_err") && err->status != 0 &&
        err->status < 500)
        str_copy(err->code, sizeof err->code, "token_err");
    return false;
}

static bool code_exchange(const struct auth *auth, const struct integration *integration,
    const cJSON *state, const char *code, const cJSON *config, cJSON **credentials,
    struct err *err)
{
    struct token_request request;
    struct token_client client;
    struct token_secrets secrets;
    struct buf answer;
    bool ok;

    token_client_choose(integration->settings, json_get(state, "client"), &client);
    if (!token_request_exchange(integration->provider, &client, config, code,
            json_str(state, "callback_url"), json_str(state, "verifier"), &request, err))
        return token_failed(err);
    buf_init_secret(&answer, 0);
    token_request_secrets(&request, &secrets);
    ok = token_request_send(auth, &request, "token_err", &answer, err) &&
         token_parse_oauth2(integration->provider, answer.data, answer.len, NULL,
             &secrets, clock_now_ms(auth->clock), credentials, err);
    buf_finish(&answer);
    token_request_finish(&request);
    return ok || token_failed(err);
}

static char *session_tags_text(const cJSON *session)
{
    const cJSON *tags = json_get(json_get(session, "end_user"), "tags");

    return cJSON_IsObject(tags) ? json_print(tags) : NULL;
}

static bool reconnect_gone(struct err *err)
{
    return err_set(err, 400, "connection_not_found",
        "The connection was deleted while it was being authorized again");
}

static struct oplog_op operation_of(
    const struct auth *auth, int64_t environment_id, const cJSON *state)
{
    int64_t id = 0; /* a flow that an earlier version began has none */

    (void)oplog_id_parse(json_str(state, "operation_id"), &id);
    return oplog_op_of(auth->oplog, environment_id, id);
}

/* What the flow says nothing of stays as it is when the connection is stored. */
static bool connection_store(const struct auth *auth, int64_t environment_id,
    const struct integration *integration, const cJSON *state, const cJSON *credentials,
    const cJSON *config, bool *created, struct err *err)
{
    const cJSON *session = json_get(state, "session");
    struct connection_put put = {
        .environment_id = environment_id,
        .integration = integration->row,
        .connection_id = json_str(state, "connection_id"),
        .credentials = credentials,
        .config = config,
        .empty_metadata = true,
        .tags = json_get(session, "tags"),
        .webhook_url_override = json_str(session, "webhook_url_override"),
        .keep_webhook_url = true,
    };
    struct oplog_op operation = operation_of(auth, environment_id, state);
    struct connection connection;
    struct end_user_row end_user;
    char *tags_text = session_tags_text(session);
    bool ok;

    json_i64(state, "reconnect_row_id", &put.reconnect_id);
    if (put.reconnect_id != 0 && cJSON_GetArraySize(put.tags) == 0)
        put.tags = NULL;
    if (end_user_view(json_get(session, "end_user"), json_get(session, "organization"),
            &end_user)) {
        end_user.tags_json = tags_text;
        put.end_user = &end_user;
    }
    ok = connection_put(auth, &put, created, &connection, err);
    if (ok) {
        auth_log_stored(auth, &operation, connection.row, *created);
        connection_finish(&connection);
    } else if (str_eq(err->code, "unknown_connection")) {
        reconnect_gone(err);
    }
    free(tags_text);
    return ok;
}

/* The integration that the flow began with, by its row: the key may be another's by now.
 */
static bool integration_again(const struct auth *auth, int64_t environment_id,
    const cJSON *state, struct integration *out, struct err *err)
{
    int64_t id = 0;

    json_i64(state, "integration_id", &id);
    if (!integration_load(
            auth, environment_id, json_str(state, "provider_config_key"), out, err)) {
        if (err->status == 404) {
            err->status = 400;
            str_copy(err->code, sizeof err->code, "provider_config_err");
        }
        return false;
    }
    if (out->row->id != id)
        err_set(err, 400, "provider_config_err",
            "The integration was replaced while the authorization was under way");
    else if (out->provider == NULL)
        err_set(err, 400, "unknown_config_key", "No provider with the name \"%.60s\"",
            out->row->provider);
    else
        return true;
    integration_finish(out);
    return false;
}

/* Before the code is spent; what is deleted later is found by the put. */
static bool reconnect_check(const struct auth *auth, const cJSON *state, struct err *err)
{
    struct connection_row *row = NULL;
    int64_t id = 0;
    bool ok;

    if (!json_i64(state, "reconnect_row_id", &id))
        return true;
    if (!store_reload_connection(auth->store, id, &row, err))
        return false;
    ok = row != NULL;
    connection_row_unref(row);
    return ok || reconnect_gone(err);
}

static bool state_finish(const struct auth *auth, const struct oauth_callback *callback,
    const cJSON *state, struct oauth_outcome *out, struct err *err)
{
    struct integration integration;
    const cJSON *submitted = json_get(state, "config");
    const char *code;
    cJSON *before = NULL, *config = NULL, *credentials = NULL;
    bool ok = false;

    if (!integration_again(auth, out->environment_id, state, &integration, err))
        return false;
    code = code_find(integration.provider, callback->query);
    if (!code_check(code, out, err) || !reconnect_check(auth, state, err))
        goto done;
    before = config_make(integration.provider, NULL, callback->query, submitted);
    if (!code_exchange(auth, &integration, state, code, before, &credentials, err))
        goto done;
    config = config_make(
        integration.provider, json_get(credentials, "raw"), callback->query, submitted);
    overrides_apply(state, credentials, config);
    ok = connection_store(auth, out->environment_id, &integration, state, credentials,
        config, &out->created, err);

done:
    cJSON_Delete(before);
    cJSON_Delete(config);
    cJSON_Delete(credentials);
    integration_finish(&integration);
    return ok;
}

bool oauth_flow_finish(const struct auth *auth, const struct oauth_callback *callback,
    struct oauth_outcome *out, struct err *err)
{
    const cJSON *secrets[] = {
        json_get(callback->query, "code"), json_get(callback->query, "state")};
    struct oplog_op operation;
    cJSON *state = NULL;
    bool ok = false;

    memset(out, 0, sizeof *out);
    provider_error_read(callback->query, out->provider_error, sizeof out->provider_error);
    if (!oauth_state_take(auth, callback->state, &out->environment_id, &state, err))
        return false;
    out->provider_config_key = str_dup(json_str(state, "provider_config_key"));
    out->connection_id = str_dup(json_str(state, "connection_id"));
    out->ws_client_id = str_dup(json_str(state, "ws_client_id"));
    operation = operation_of(auth, out->environment_id, state);
    oplog_say(&operation, OPLOG_INFO, NULL, "The browser came back from the provider");
    if (callback->require_cookie && !callback->cookie_present)
        err_set(err, 400, "state_cookie_err",
            "The authorization was begun in another browser");
    else
        ok = state_finish(auth, callback, state, out, err);
    if (!ok) {
        auth_log_failed(&operation, err, secrets, 2);
        auth_tell_failed(auth,
            &(struct auth_tell_failure){
                .environment_id = out->environment_id,
                .key = out->provider_config_key,
                .connection = out->connection_id,
            },
            err, secrets, 2);
    }
    cJSON_Delete(state);
    return ok;
}
