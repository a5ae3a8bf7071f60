/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of the redirect flow in the browser (contract connect-flow.md sections 3,
 * 4, 8). Failures before the flow began, which a program can act on, are JSON; all others
 * are the page that tells the opener and the person. */
#include <stdlib.h>
#include <string.h>

#include "api/browser.h"
#include "auth/oauth_flow.h"
#include "auth/oauth_state.h"
#include "base/json.h"
#include "base/str.h"
#include "net/answer.h"

#define COOKIE_SECONDS 3600

/* HEAD is safe (RFC 9110 section 9.2.1), but what GET does here begins a flow or uses up
 * its state: link checkers and mail scanners ask so before the person does. They learn
 * that there is something; true when the call was answered. */
static bool reply_head(struct call *call)
{
    if (strcmp(http_method(call->req), "HEAD") != 0)
        return false;
    reply_plain(call, 200, "text/html; charset=utf-8", "");
    return true;
}

static void reply_redirect(struct call *call, const struct oauth_redirect *redirect)
{
    bool https = str_starts_nocase(call->server->public_url, "https://");
    struct http_headers headers = {0};
    struct buf text;

    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", "text/plain; charset=utf-8");
    http_headers_add(&headers, "Location", redirect->url);
    http_headers_add(&headers, "Cache-Control", "no-store");
    http_headers_add(&headers, "Referrer-Policy", "no-referrer");
    buf_init(&text, 0);
    if (redirect->binds_cookie) {
        /* None: over https the provider may come back by a form post or in a frame */
        buf_printf(&text, "oauth2-%s=1; Path=/; Max-Age=%d; HttpOnly; %s",
            redirect->state, COOKIE_SECONDS,
            https ? "Secure; SameSite=None" : "SameSite=Lax");
        http_headers_add(&headers, "Set-Cookie", text.data);
        buf_clear(&text);
    }
    buf_printf(&text, "Found. Redirecting to %s", redirect->url);
    reply_headers(call, 302, &headers, text.data, text.len);
    http_headers_finish(&headers);
    buf_finish(&text);
}

void oauth_connect(struct call *call)
{
    struct oauth_redirect redirect = {0};
    struct environment_row *environment;
    struct oauth_start start;
    struct browser browser;
    struct err err = {0};

    if (reply_head(call))
        return;
    environment = call_environment(call);
    if (environment == NULL || !browser_read(call, &browser))
        return;
    start = (struct oauth_start){
        .environment = environment,
        .session = call->session.row != NULL ? &call->session : NULL,
        .provider_config_key = browser.key,
        .connection_id = browser.connection_id,
        .ws_client_id = browser.ws_client_id,
        .user_scope = browser.user_scope,
        .params = browser.params,
        .authorization_params = browser.authorization_params,
        .credentials = browser.credentials,
    };
    if (oauth_flow_start(call_auth(call), &start, &redirect, &err)) {
        reply_redirect(call, &redirect);
        oauth_redirect_finish(&redirect);
    } else if (err_is_internal(&err)) {
        reply_error(call, &err);
    } else if (strcmp(err.code, "integration_not_allowed") == 0) {
        reply_code(call, 400, err.code);
    } else {
        reply_callback_page(call,
            &(struct browser_outcome){.error_type = err.code, .message = err.message});
    }
}

/* ---- the way back ---- */

/* Is `name`=1 among the cookies? */
static bool has_cookie(const struct call *call, const char *state)
{
    const char *cookies = http_header(call->req, "cookie");
    char *wanted;
    bool found = false;

    if (cookies == NULL || state == NULL)
        return false;
    wanted = str_printf("oauth2-%s=1", state);
    while (!found && *cookies != '\0') {
        size_t len;

        cookies += strspn(cookies, "; ");
        len = strcspn(cookies, ";");
        found = len == strlen(wanted) && memcmp(cookies, wanted, len) == 0;
        cookies += len;
    }
    free(wanted);
    return found;
}

static const char *state_of(const struct call *call)
{
    static const char *const names[] = {"state", "payload", "customField"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *state = call_query_str(call, names[i]);

        if (!str_is_empty(state))
            return state;
    }
    return NULL;
}

/* A provider's app was installed from the provider's own pages: nothing of ours began, so
 * back to where the person came from. */
static void reply_installed_elsewhere(struct call *call)
{
    const char *referer = http_header(call->req, "referer");
    struct http_headers headers = {0};

    if (referer == NULL || !str_starts(referer, "https://github.com/"))
        referer = "https://github.com";
    answer_cors(&headers);
    http_headers_add(&headers, "Location", referer);
    reply_headers(call, 302, &headers, "", 0);
    http_headers_finish(&headers);
}

/* What the provider itself said went wrong, as JSON; NULL when it said nothing. */
static char *provider_error(const struct call *call)
{
    static const char *const names[] = {"error", "error_description", "error_reason",
        "error_uri", "status_code", "error_message"};
    cJSON *said = cJSON_CreateObject();
    char *text = NULL;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = call_query_str(call, names[i]);

        if (!str_is_empty(value))
            json_set_str(said, names[i], value);
    }
    if (cJSON_GetArraySize(said) > 0)
        text = json_print(said);
    cJSON_Delete(said);
    return text;
}

static void reply_flow_failed(struct call *call, const struct err *err)
{
    struct browser_outcome outcome = {.error_type = err->code, .message = err->message};
    char *said = provider_error(call);

    if (err_is_internal(err)) {
        log_event(call->server->log, LOG_ERROR, "callback failed",
            LOG_STR("reason", err->message),
            LOG_STR("request_id", http_request_id(call->req)), LOG_END);
        outcome.error_type = "unknown_err";
        outcome.message = "The server could not finish the connection.";
    }
    if (said != NULL)
        outcome.message = said;
    reply_callback_page(call, &outcome);
    free(said);
}

void oauth_callback(struct call *call)
{
    struct oauth_outcome outcome = {0};
    struct oauth_callback callback;
    struct err err = {0};
    int64_t environment_id;
    cJSON *strings;

    if (reply_head(call) || call_query(call) == NULL)
        return;
    callback = (struct oauth_callback){
        .state = state_of(call),
        .require_cookie = call->server->require_oauth_cookie,
    };
    if (callback.state == NULL && call_query_str(call, "installation_id") != NULL &&
        call_query_str(call, "setup_action") != NULL) {
        reply_installed_elsewhere(call);
        return;
    }
    /* Whose code it is that is to be exchanged; a state that is none costs no call. */
    if (oauth_state_find(call_auth(call), callback.state, &environment_id) &&
        !call_before_put(call, environment_id, 0, true))
        return;
    strings = cJSON_CreateObject();
    for (const cJSON *item = call->query->child; item != NULL; item = item->next)
        if (cJSON_IsString(item))
            json_set_str(strings, item->string, item->valuestring);
    callback.query = strings;
    callback.cookie_present = has_cookie(call, callback.state);
    if (oauth_flow_finish(call_auth(call), &callback, &outcome, &err)) {
        reply_callback_page(call, &(struct browser_outcome){
                                      .provider_config_key = outcome.provider_config_key,
                                      .connection_id = outcome.connection_id,
                                  });
        call_after_put(call);
    } else {
        reply_flow_failed(call, &err);
    }
    oauth_outcome_finish(&outcome);
    cJSON_Delete(strings);
}
