/* SPDX-License-Identifier: Apache-2.0 */
/* Connect sessions (contract http-api.md section 6, connect-flow.md section 2): made by a
 * server with its key, read and ended by a browser with the token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "auth/auth_log.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define TELEMETRY_SKEW_MS (2 * INT64_C(3600000))

static const struct rule text_value = {.kind = RULE_STRING};

static const struct rule config_rules[] = {
    {.name = "oauth_scopes_override", .kind = RULE_STRING, .optional = true},
    {.name = "webhook_url",
        .kind = RULE_CUSTOM,
        .optional = true,
        .check = check_webhook_url}, /* see lift_webhook_url() */
};
static const struct shape config_shape = SHAPE_LOOSE(config_rules);
static const struct rule default_rules[] = {
    {.name = "user_scopes", .kind = RULE_STRING, .optional = true},
    {.name = "authorization_params",
        .kind = RULE_RECORD,
        .optional = true,
        .item = &text_value},
    {.name = "connection_config",
        .kind = RULE_OBJECT,
        .optional = true,
        .shape = &config_shape},
};
static const struct shape default_shape = SHAPE_STRICT(default_rules);
static const struct rule default_value = {.kind = RULE_OBJECT, .shape = &default_shape};
static const struct rule override_rules[] = {
    {.name = "docs_connect", .kind = RULE_STRING, .optional = true},
};
static const struct shape override_shape = SHAPE_STRICT(override_rules);
static const struct rule override_value = {.kind = RULE_OBJECT, .shape = &override_shape};

/* clang-format off */
#define COMMON_FIELDS \
    RULE_END_USER, \
    {.name = "organization", .kind = RULE_OBJECT, .optional = true, .shape = &SHAPE_ORGANIZATION}, \
    {.name = "integrations_config_defaults", .kind = RULE_RECORD, .optional = true, .item = &default_value}, \
    {.name = "overrides", .kind = RULE_RECORD, .optional = true, .item = &override_value}, \
    RULE_WEBHOOK_URL, \
    RULE_TAGS(true)

static const struct rule create_rules[] = {
    {.name = "allowed_integrations", .kind = RULE_ARRAY, .optional = true, .max = 1000, .item = &text_value},
    COMMON_FIELDS,
};
static const struct rule reconnect_rules[] = {
    {.name = "connection_id", .kind = RULE_STRING, .min = 1},
    {.name = "integration_id", .kind = RULE_STRING, .min = 1},
    COMMON_FIELDS,
};
/* clang-format on */
static const struct shape create_shape = SHAPE_STRICT(create_rules);
static const struct shape reconnect_shape = SHAPE_STRICT(reconnect_rules);

/* ---- are the integrations there? ---- */

static bool check_integration(
    struct call *call, struct issues *issues, const char *key, struct err *err)
{
    struct integration_row *row = NULL;

    if (!store_find_integration(
            call_auth(call)->store, call->environment_id, key, &row, err))
        return false;
    if (row == NULL)
        issue_add(issues, "custom", "Integration does not exist");
    integration_row_unref(row);
    return true;
}

/* The elements of a list, or the keys of a record. */
static bool check_names(
    struct call *call, struct issues *issues, const char *field, struct err *err)
{
    const cJSON *value = json_get(call->body, field);
    const cJSON *child;
    size_t index = 0;
    bool ok = true;

    issue_enter(issues, field);
    cJSON_ArrayForEach(child, value)
    {
        char number[24];

        snprintf(number, sizeof number, "%zu", index++);
        issue_enter(issues, cJSON_IsArray(value) ? number : child->string);
        ok = ok && check_integration(call, issues,
                       cJSON_IsArray(value) ? child->valuestring : child->string, err);
        issue_leave(issues);
    }
    issue_leave(issues);
    return ok;
}

/* False after a reply. */
static bool integrations_exist(struct call *call)
{
    static const char *const fields[] = {
        "allowed_integrations", "integrations_config_defaults", "overrides"};
    struct issues issues = {0};
    struct err err = {0};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!check_names(call, &issues, fields[i], &err)) {
            cJSON_Delete(issues.list);
            reply_error(call, &err);
            return false;
        }
    if (issues.list != NULL) {
        reply_issues(call, "invalid_body", issues.list);
        return false;
    }
    return true;
}

/* ---- making one ---- */

/* An old way to set the webhook's address, which must not stay in the connection's
 * config. */
static void lift_webhook_url(cJSON *payload)
{
    cJSON *defaults = json_get_mut(payload, "integrations_config_defaults");
    cJSON *item;

    cJSON_ArrayForEach(item, defaults)
    {
        cJSON *config = json_get_mut(item, "connection_config");
        const char *url = json_str(config, "webhook_url");

        if (!str_is_empty(url) && json_get(payload, "webhook_url_override") == NULL)
            json_set_str(payload, "webhook_url_override", url);
        if (config != NULL)
            json_remove(config, "webhook_url");
    }
}

static void keep(cJSON *payload, const cJSON *body, const char *field)
{
    const cJSON *value = json_get(body, field);

    if (value != NULL)
        json_set(payload, field, cJSON_Duplicate(value, true));
}

static cJSON *make_payload(const cJSON *body)
{
    const cJSON *user = json_get(body, "end_user");
    const cJSON *organization = json_get(body, "organization");
    const cJSON *webhook = json_get(body, "webhook_url_override");
    cJSON *payload = cJSON_CreateObject();

    json_set(payload, "end_user",
        user != NULL ? cJSON_Duplicate(user, true) : cJSON_CreateNull());
    json_set(payload, "organization",
        organization != NULL ? cJSON_Duplicate(organization, true) : cJSON_CreateNull());
    keep(payload, body, "allowed_integrations");
    keep(payload, body, "integrations_config_defaults");
    keep(payload, body, "overrides");
    if (cJSON_IsString(webhook) && webhook->valuestring[0] != '\0')
        keep(payload, body, "webhook_url_override");
    json_set(payload, "tags", tags_derive(user, organization, json_get(body, "tags")));
    lift_webhook_url(payload);
    return payload;
}

/* Every authorization with the session is told in this one. */
static struct oplog_op begin_operation(struct call *call, cJSON *payload)
{
    const struct auth_log_start start = {
        .environment_id = call->environment_id, .life_ms = SESSION_LIFE_MS};
    struct oplog_op operation = auth_log_begin(call_auth(call), &start, OPLOG_WAITING);
    char id[OPLOG_ID_SIZE];

    oplog_id_text(operation.id, id);
    json_set_str(payload, "operation_id", id);
    return operation;
}

/* Takes over `payload`. */
static void create(struct call *call, cJSON *payload, int64_t reconnect_id)
{
    const char *base = call->server->connect_ui_url;
    char token[SESSION_TOKEN_SIZE], text[CLOCK_TEXT_SIZE];
    struct oplog_op operation = begin_operation(call, payload);
    int64_t expires_at_ms;
    struct err err = {0};
    cJSON *data;
    char *link;

    if (!session_create(call_auth(call), call->environment_id, payload, reconnect_id,
            token, &expires_at_ms, &err)) {
        cJSON_Delete(payload);
        auth_log_failed(&operation, &err, NULL, 0);
        reply_error(call, &err);
        return;
    }
    cJSON_Delete(payload);
    data = cJSON_CreateObject();
    link =
        str_printf("%s%s?session_token=%s", base, str_ends(base, "/") ? "" : "/", token);
    clock_text_z(expires_at_ms, text);
    json_set_str(data, "token", token);
    json_set_str(data, "connect_link", link);
    json_set_str(data, "expires_at", text);
    mem_wipe(token, sizeof token);
    mem_free_text(link); /* it ends with the token */
    reply_data(call, 201, data);
}

void create_connect_session(struct call *call)
{
    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &create_shape))
        return;
    if (json_get(call->body, "end_user") == NULL &&
        json_get(call->body, "tags") == NULL) {
        const char *path[] = {"end_user", NULL};

        reply_issues(call, "invalid_body",
            issue_list("invalid_type",
                "Invalid input: expected object, received undefined", path));
        return;
    }
    if (integrations_exist(call))
        create(call, make_payload(call->body), 0);
}

void create_reconnect_session(struct call *call)
{
    struct connection_row *row = NULL;
    const char *integration;
    struct err err = {0};
    cJSON *payload, *allowed;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &reconnect_shape))
        return;
    integration = json_str(call->body, "integration_id");
    if (!store_find_connection(call_auth(call)->store, call->environment_id, integration,
            json_str(call->body, "connection_id"), &row, &err)) {
        reply_error(call, &err);
        return;
    }
    if (row == NULL) {
        reply_fault(
            call, 400, "invalid_body", "ConnectionID or IntegrationId does not exists");
        return;
    }
    if (integrations_exist(call)) {
        payload = make_payload(call->body);
        allowed = cJSON_CreateArray();
        cJSON_AddItemToArray(allowed, cJSON_CreateString(integration));
        json_set(payload, "allowed_integrations", allowed);
        create(call, payload, row->id);
    }
    connection_row_unref(row);
}

/* ---- reading one ---- */

static cJSON *text_or_null(const cJSON *object, const char *member)
{
    const char *text = json_str(object, member);

    return text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static cJSON *end_user_json(const cJSON *payload)
{
    const cJSON *user = json_get(payload, "end_user");
    const cJSON *organization = json_get(payload, "organization");
    const cJSON *tags = json_get(user, "tags");
    cJSON *out, *group;

    if (!cJSON_IsObject(user))
        return cJSON_CreateNull();
    out = cJSON_CreateObject();
    json_set(out, "id", text_or_null(user, "id"));
    json_set(out, "display_name", text_or_null(user, "display_name"));
    json_set(out, "email", text_or_null(user, "email"));
    json_set(out, "tags",
        cJSON_IsObject(tags) ? cJSON_Duplicate(tags, true) : cJSON_CreateNull());
    if (!cJSON_IsObject(organization)) {
        json_set(out, "organization", cJSON_CreateNull());
        return out;
    }
    group = cJSON_CreateObject();
    json_set(group, "id", text_or_null(organization, "id"));
    json_set(group, "display_name", text_or_null(organization, "display_name"));
    json_set(out, "organization", group);
    return out;
}

/* How the Connect UI looks, until there are settings for it. */
static cJSON *ui_settings_json(void)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *theme = cJSON_CreateObject();
    cJSON *light = cJSON_CreateObject();
    cJSON *dark = cJSON_CreateObject();

    json_set_bool(out, "showWatermark", true);
    json_set_str(out, "defaultTheme", "system");
    json_set_str(light, "primary", "#00B2E3");
    json_set_str(dark, "primary", "#00B2E3");
    json_set(theme, "light", light);
    json_set(theme, "dark", dark);
    json_set(out, "theme", theme);
    return out;
}

static cJSON *defaults_json(const cJSON *defaults)
{
    static const char *const shown[] = {"connection_config", "authorization_params"};
    cJSON *out = cJSON_CreateObject();
    const cJSON *item;

    cJSON_ArrayForEach(item, defaults)
    {
        cJSON *copy = cJSON_CreateObject();

        for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
            keep(copy, item, shown[i]);
        json_set(out, item->string, copy);
    }
    return out;
}

void get_connect_session(struct call *call)
{
    const cJSON *payload = call->session.payload;
    const cJSON *defaults = json_get(payload, "integrations_config_defaults");
    cJSON *data;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    data = cJSON_CreateObject();
    json_set(data, "endUser", end_user_json(payload));
    json_set(data, "connectUISettings", ui_settings_json());
    keep(data, payload, "allowed_integrations");
    if (cJSON_IsObject(defaults))
        json_set(data, "integrations_config_defaults", defaults_json(defaults));
    keep(data, payload, "overrides");
    if (call->session.row->connection_id != 0)
        json_set_bool(data, "isReconnecting", true);
    json_set_str(data, "websocketsPath", "/");
    reply_data(call, 200, data);
}

void delete_connect_session(struct call *call)
{
    const char *token = bearer_of(http_header(call->req, "authorization"));
    struct err err = {0};
    bool found;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    if (session_delete(call_auth(call), token, &found, &err))
        reply_empty(call, 204);
    else
        reply_error(call, &err);
}

/* ---- telemetry ---- */

static const char *const telemetry_events[] = {"open", "view:list", "view:integration",
    "view:unknown_error", "view:credentials_error", "view:success", "click:integration",
    "click:doc", "click:doc_section", "click:connect", "click:close", "click:finish",
    "click:outside", "popup:blocked_by_browser", "popup:closed_early", NULL};
static const struct rule dimension_rules[] = {
    {.name = "integration", .kind = RULE_STRING, .optional = true},
};
static const struct shape dimension_shape = SHAPE_STRICT(dimension_rules);
static const struct rule telemetry_rules[] = {
    {.name = "token", .kind = RULE_STRING, .min = 1},
    {.name = "event", .kind = RULE_OPTION, .options = telemetry_events},
    {.name = "timestamp", .kind = RULE_DATE},
    {.name = "dimensions",
        .kind = RULE_OBJECT,
        .optional = true,
        .shape = &dimension_shape},
};
static const struct shape telemetry_shape = SHAPE_STRICT(telemetry_rules);

/* False after a reply: a report is of now, give or take what clocks differ by. */
static bool is_recent(struct call *call)
{
    const char *path[] = {"timestamp", NULL};
    int64_t ms = 0;

    (void)date_read(json_get(call->body, "timestamp"), &ms); /* checked by the shape */
    if (llabs(ms - clock_now_ms(call->server->clock)) <= TELEMETRY_SKEW_MS)
        return true;
    reply_issues(call, "invalid_body",
        issue_list("custom", "The timestamp is more than 2 hours off", path));
    return false;
}

/* The official Connect UI reports what people click. The report is checked, so that it
 * keeps working, and dropped: nothing is recorded about end users. */
void connect_telemetry(struct call *call)
{
    struct session session;
    struct err err = {0};

    if (!call_check_query(call, &SHAPE_EMPTY) ||
        !call_check_body(call, &telemetry_shape) || !is_recent(call))
        return;
    if (!session_load(call_auth(call), json_str(call->body, "token"), &session, &err)) {
        reply_error_detailed(call, &err);
        return;
    }
    session_finish(&session);
    reply_empty(call, 204);
}
