/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks that are sent (docs/webhooks.md): where an environment wants them, the key they
 * are signed with, and what came of each. But for the key's rotation these routes are our
 * own: the official server keeps them to its dashboard. */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/str.h"

#define LIMIT 50
#define LIMIT_MAX 500

/* ---- settings ---- */

#define URL_RULE(field)                                                                  \
    {                                                                                    \
        .name = field, .kind = RULE_CUSTOM, .optional = true, .check = check_webhook_url \
    }
#define KIND_RULE(field)                                                                 \
    {                                                                                    \
        .name = field, .kind = RULE_BOOL, .optional = true                               \
    }
static const struct rule settings_rules[] = {
    URL_RULE("primary_url"),
    URL_RULE("secondary_url"),
    KIND_RULE("on_sync_completion_always"),
    KIND_RULE("on_sync_error"),
    KIND_RULE("on_auth_creation"),
    KIND_RULE("on_auth_refresh_error"),
    KIND_RULE("on_async_action_completion"),
};
static const struct shape settings_shape = SHAPE_STRICT(settings_rules);

static void reply_settings(struct call *call, const struct environment_row *row)
{
    cJSON *data = cJSON_CreateObject();

    json_set_str(data, "primary_url", row->webhook_url);
    json_set_str(data, "secondary_url", row->webhook_url_secondary);
    for (const struct webhook_kind_name *each = webhook_kind_names; each->name != NULL;
         each++)
        json_set_bool(data, each->name, (row->webhook_kinds & each->kind) != 0);
    reply_data(call, 200, data);
}

void get_webhook_settings(struct call *call)
{
    struct environment_row *row;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    row = call_environment(call);
    if (row != NULL)
        reply_settings(call, row);
}

static const char *none_if_empty(const char *text)
{
    return str_is_empty(text) ? NULL : text;
}

void patch_webhook_settings(struct call *call)
{
    struct store *store = call_auth(call)->store;
    struct environment_patch patch = {0};
    struct environment_row *row = NULL;
    struct err err = {0};

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &settings_shape))
        return;
    patch.set_webhook_url = json_get(call->body, "primary_url") != NULL;
    patch.webhook_url = none_if_empty(json_str(call->body, "primary_url"));
    patch.set_webhook_url_secondary = json_get(call->body, "secondary_url") != NULL;
    patch.webhook_url_secondary = none_if_empty(json_str(call->body, "secondary_url"));
    for (const struct webhook_kind_name *each = webhook_kind_names; each->name != NULL;
         each++) {
        if (json_get(call->body, each->name) == NULL)
            continue;
        if (json_bool(call->body, each->name, false))
            patch.webhook_kinds_on |= each->kind;
        else
            patch.webhook_kinds_off |= each->kind;
    }
    if (!store_patch_environment(store, call->environment_id, &patch, &err) ||
        !store_find_environment(store, call->environment_id, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 404, "not_found", "Environment not found");
    else
        reply_settings(call, row);
    environment_row_unref(row);
}

/* The next webhook is signed with it: nothing goes on with the old one. */
void rotate_signing_key(struct call *call)
{
    const struct auth *auth = call_auth(call);
    struct environment_row *row;
    struct environment_patch patch = {.set_signing_key = true};
    char context[CONTEXT_SIZE], key[2 * SHA256_LEN + 1];
    struct err err = {0};
    struct buf sealed;
    cJSON *data;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    row = call_environment(call);
    if (row == NULL)
        return;
    buf_init(&sealed, 0);
    crypto_random_hex(key, SHA256_LEN);
    environment_context(context, row->uuid, "signing_key");
    if (!vault_seal(auth->vault, context, key, strlen(key), &sealed, &err)) {
        reply_error(call, &err);
    } else {
        patch.signing_key = (struct blob){(uint8_t *)sealed.data, sealed.len};
        if (store_patch_environment(auth->store, row->id, &patch, &err)) {
            data = cJSON_CreateObject();
            json_set_str(data, "webhook_signing_key", key);
            reply_data(call, 200, data);
        } else {
            reply_error(call, &err);
        }
    }
    mem_wipe(key, sizeof key);
    buf_finish(&sealed);
}

/* ---- deliveries ---- */

static const char *const states[] = {"waiting", "sending", "delivered", "dead", NULL};
static const char *const types[] = {"async_action", "auth", "forward", "sync", NULL};

static void check_id(struct issues *issues, const cJSON *value)
{
    int64_t id;

    if (!cJSON_IsString(value))
        issue_type(issues, "string", value);
    else if (!str_to_i64(value->valuestring, &id) || id <= 0)
        issue_add(issues, "invalid_format", "Invalid cursor");
}

static const struct rule list_rules[] = {
    {.name = "state", .kind = RULE_OPTION, .optional = true, .options = states},
    {.name = "type", .kind = RULE_OPTION, .optional = true, .options = types},
    RULE_TEXT_FIELD("integration", true),
    RULE_TEXT_FIELD("connection", true),
    {.name = "limit", .kind = RULE_COUNT, .optional = true, .min = 1, .max = LIMIT_MAX},
    {.name = "cursor", .kind = RULE_CUSTOM, .optional = true, .check = check_id},
};
static const struct shape list_shape = SHAPE_STRICT(list_rules);

static void set_time(cJSON *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms > 0)
        clock_text_z(ms, text);
    json_set_str(out, name, ms > 0 ? text : NULL);
}

static cJSON *delivery_json(const struct webhook_row *row)
{
    cJSON *out = cJSON_CreateObject();
    char *uuid = str_printf("msg_%s", row->uuid),
         *id = str_printf("%lld", (long long)row->id);

    json_set_str(out, "id", id);
    json_set_str(out, "message", uuid);
    json_set_str(out, "type", row->type);
    json_set_str(out, "integration", row->integration);
    json_set_str(out, "connection", row->connection_id);
    json_set_str(out, "url", row->url);
    json_set_str(out, "state", states[row->state - 1]);
    json_set_i64(out, "attempts", row->attempts);
    if (row->status > 0)
        json_set_i64(out, "status", row->status);
    else
        json_set(out, "status", cJSON_CreateNull());
    json_set_str(out, "error", row->error);
    set_time(out, "created_at", row->created_at_ms);
    set_time(out, "next_attempt_at", row->state == WEBHOOK_WAITING ? row->due_at_ms : 0);
    set_time(out, "finished_at", row->finished_at_ms);
    free(uuid);
    free(id);
    return out;
}

static int64_t query_cursor(const struct call *call)
{
    const char *text = call_query_str(call, "cursor");
    int64_t id = 0;

    if (text != NULL)
        (void)str_to_i64(text, &id); /* as it was checked */
    return id;
}

static enum webhook_state query_state(const struct call *call)
{
    const char *text = call_query_str(call, "state");

    for (int i = 0; text != NULL && states[i] != NULL; i++)
        if (strcmp(states[i], text) == 0)
            return (enum webhook_state)(i + 1);
    return 0;
}

void list_webhook_deliveries(struct call *call)
{
    size_t limit =
        call_check_query(call, &list_shape) ? call_query_count(call, "limit", LIMIT) : 0;
    struct webhook_filter filter = {.environment_id = call->environment_id};
    struct webhook_row *rows = NULL;
    struct err err = {0};
    size_t count = 0;
    cJSON *body, *list;
    char *next;

    if (limit == 0)
        return; /* after a reply */
    filter.state = query_state(call);
    filter.type = call_query_str(call, "type");
    filter.integration = call_query_str(call, "integration");
    filter.connection_id = call_query_str(call, "connection");
    filter.before_id = query_cursor(call);
    filter.limit = limit + 1; /* is there more? */
    if (!store_list_webhooks(call_auth(call)->store, &filter, &rows, &count, &err)) {
        reply_error(call, &err);
        return;
    }
    body = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(body, "data");
    for (size_t i = 0; i < count && i < limit; i++)
        cJSON_AddItemToArray(list, delivery_json(&rows[i]));
    next = count > limit ? str_printf("%lld", (long long)rows[limit - 1].id) : NULL;
    json_set_str(cJSON_AddObjectToObject(body, "pagination"), "cursor", next);
    reply_json(call, 200, body);
    free(next);
    store_webhooks_free(rows, count);
}

/* The id in the path; 0 after a reply. */
static int64_t param_id(struct call *call)
{
    const char *path[] = {"id", NULL}, *text = call_param(call, 0);
    int64_t id = 0;

    if (text != NULL && (!str_to_i64(text, &id) || id <= 0)) {
        id = 0;
        reply_issues(call, "invalid_uri_params",
            issue_list("invalid_format", "Invalid delivery id", path));
    }
    return id;
}

static cJSON *attempt_json(const struct webhook_attempt_row *row)
{
    cJSON *out = cJSON_CreateObject();

    set_time(out, "started_at", row->began_ms);
    json_set_i64(out, "duration_ms", row->took_ms);
    if (row->status > 0)
        json_set_i64(out, "status", row->status);
    else
        json_set(out, "status", cJSON_CreateNull());
    json_set_str(out, "error", row->error);
    json_set_str(out, "answer", row->answer);
    return out;
}

static bool set_attempts(struct call *call, int64_t id, cJSON *data, struct err *err)
{
    struct webhook_attempt_row *rows;
    size_t count;
    cJSON *list;

    if (!store_list_webhook_attempts(call_auth(call)->store, id, &rows, &count, err))
        return false;
    list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, attempt_json(&rows[i]));
    json_set(data, "history", list);
    store_webhook_attempts_free(rows, count);
    return true;
}

/* As text: what was signed, byte for byte. */
static bool set_body(struct call *call, int64_t id, cJSON *data, struct err *err)
{
    const struct auth *auth = call_auth(call);
    char uuid[UUID_TEXT_SIZE], context[CONTEXT_SIZE];
    struct blob sealed;
    char *text = NULL;
    size_t len;
    bool ok;

    if (!store_read_webhook_body(
            auth->store, call->environment_id, id, uuid, &sealed, err))
        return false;
    if (sealed.data == NULL)
        return true; /* swept meanwhile */
    webhook_context(context, uuid, "body");
    ok = vault_unseal(auth->vault, context, sealed.data, sealed.len, &text, &len, err);
    if (ok)
        json_set_str(data, "body", text);
    secret_free(text);
    free(sealed.data);
    return ok;
}

void get_webhook_delivery(struct call *call)
{
    struct webhook_filter filter = {.environment_id = call->environment_id, .limit = 1};
    struct webhook_row *rows = NULL;
    struct err err = {0};
    size_t count = 0;
    cJSON *data = NULL;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    filter.id = param_id(call);
    if (filter.id == 0)
        return;
    if (!store_list_webhooks(call_auth(call)->store, &filter, &rows, &count, &err)) {
        reply_error(call, &err);
    } else if (count == 0) {
        reply_fault(call, 404, "not_found", "There is no such delivery");
    } else {
        data = delivery_json(&rows[0]);
        if (set_attempts(call, filter.id, data, &err) &&
            set_body(call, filter.id, data, &err)) {
            reply_data(call, 200, data);
        } else {
            cJSON_Delete(data);
            reply_error(call, &err);
        }
    }
    store_webhooks_free(rows, count);
}

/* ---- again ---- */

static void replay(struct call *call, int64_t id, int64_t since_ms)
{
    const struct server *server = call->server;
    struct err err = {0};
    size_t count = 0;
    cJSON *data;

    if (!store_replay_webhooks(server->auth.store, call->environment_id, id, since_ms,
            clock_now_ms(server->clock), &count, &err)) {
        reply_error(call, &err);
    } else if (id != 0 && count == 0) {
        reply_fault(call, 404, "not_found",
            "There is no such delivery, or it is being sent at this moment");
    } else {
        webhooks_wake(server->webhooks);
        data = cJSON_CreateObject();
        json_set_i64(data, "replayed", (int64_t)count);
        reply_data(call, 202, data);
    }
}

void replay_webhook_delivery(struct call *call)
{
    int64_t id;

    if (!call_check_query(call, &SHAPE_EMPTY))
        return;
    id = param_id(call);
    if (id != 0)
        replay(call, id, 0);
}

static const struct rule replay_rules[] = {
    {.name = "since", .kind = RULE_DATE, .optional = true},
};
static const struct shape replay_shape = SHAPE_STRICT(replay_rules);

/* All that are dead. */
void replay_webhook_deliveries(struct call *call)
{
    int64_t since = 0;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &replay_shape))
        return;
    if (json_get(call->body, "since") != NULL)
        (void)date_read(json_get(call->body, "since"), &since); /* as it was checked */
    replay(call, 0, since);
}
