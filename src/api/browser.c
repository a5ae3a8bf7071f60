/* SPDX-License-Identifier: Apache-2.0 */
/* The query of browser endpoints. */
#include "api/browser.h"

#include <string.h>

#include "api/fields.h"
#include "auth/hmac_check.h"
#include "base/json.h"
#include "base/str.h"

static const struct rule text_value = {.kind = RULE_STRING};

static const struct rule query_rules[] = {
    {.name = "connect_session_token", .kind = RULE_STRING, .optional = true},
    {.name = "public_key", .kind = RULE_STRING, .optional = true},
    {.name = "connection_id",
        .kind = RULE_STRING,
        .optional = true,
        .pattern = &PATTERN_CONNECTION_ID,
        .max = FIELD_MAX},
    {.name = "hmac", .kind = RULE_STRING, .optional = true},
    {.name = "user_scope", .kind = RULE_STRING, .optional = true},
    {.name = "ws_client_id", .kind = RULE_STRING, .optional = true, .max = FIELD_MAX},
    {.name = "params", .kind = RULE_RECORD, .optional = true, .item = &text_value},
    {.name = "authorization_params",
        .kind = RULE_RECORD,
        .optional = true,
        .item = &text_value},
    {.name = "credentials", .kind = RULE_RECORD, .optional = true, .item = &text_value},
};
/* Clients of either era add members of their own: those are let pass. */
static const struct shape query_shape = SHAPE_LOOSE(query_rules);

static bool reply_forbidden_id(struct call *call)
{
    const char *path[] = {"connection_id", NULL};

    reply_issues(call, "invalid_query_params",
        issue_list(
            "custom", "connection_id is forbidden when using session token", path));
    return false;
}

/* False after a reply. A session needs none: its token was made for the end user. */
static bool check_hmac(struct call *call, const struct browser *browser)
{
    struct err err = {0};

    if (call->session.row != NULL)
        return true;
    if (hmac_check(call_auth(call), call->environment, browser->key,
            browser->connection_id, browser->hmac, &err))
        return true;
    reply_error(call, &err);
    return false;
}

bool browser_read(struct call *call, struct browser *out)
{
    if (!call_check_query(call, &query_shape))
        return false;
    *out = (struct browser){
        .connection_id = call_query_str(call, "connection_id"),
        .hmac = call_query_str(call, "hmac"),
        .user_scope = call_query_str(call, "user_scope"),
        .ws_client_id = call_query_str(call, "ws_client_id"),
        .params = json_get(call->query, "params"),
        .authorization_params = json_get(call->query, "authorization_params"),
        .credentials = json_get(call->query, "credentials"),
    };
    if (call->session.row != NULL && out->connection_id != NULL)
        return reply_forbidden_id(call);
    out->key = call_param_checked(call, 0, &PATTERN_KEY);
    return out->key != NULL && check_hmac(call, out);
}

cJSON *browser_config(const struct call *call, const struct browser *browser)
{
    const cJSON *defaults = json_get(
        json_get(call->session.payload, "integrations_config_defaults"), browser->key);
    const cJSON *config = json_get(defaults, "connection_config");
    cJSON *out = strings_of(browser->params);

    if (cJSON_IsObject(config))
        json_merge(out, config);
    json_remove(out, "webhook_url");
    return out;
}
