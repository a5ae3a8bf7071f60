/* SPDX-License-Identifier: Apache-2.0 */
/* POST /action/trigger and the actions behind /v1 (contract http-api.md section 9). */
#include <stdlib.h>
#include <string.h>

#include "api/action_json.h"
#include "api/api_int.h"
#include "api/deploy_shape.h"
#include "api/fields.h"
#include "auth/connection.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/answer.h"
#include "scripts/action.h"
#include "scripts/async.h"

#define MAX_RETRIES 5

static const char *const flags[] = {"true", "1", "yes", "on", "y", "enabled", "false",
    "0", "no", "off", "n", "disabled", NULL};

static const struct rule header_rules[] = {
    RULE_KEY_FIELD("provider-config-key"),
    {.name = "connection-id",
        .kind = RULE_STRING,
        .pattern = &PATTERN_CONNECTION_ID,
        .max = FIELD_MAX},
    {.name = "x-async", .kind = RULE_OPTION, .optional = true, .options = flags},
    {.name = "x-max-retries", .kind = RULE_COUNT, .optional = true, .max = MAX_RETRIES},
};
static const struct shape header_shape = SHAPE_LOOSE(header_rules);

static const struct rule body_rules[] = {
    {.name = "action_name",
        .kind = RULE_STRING,
        .pattern = &PATTERN_SCRIPT,
        .min = 1,
        .max = FIELD_MAX},
};
static const struct shape body_shape = SHAPE_LOOSE(body_rules);

/* Whom it is for; the endpoints of old have no more. */
static const struct shape target_shape = {header_rules, 2, false};

/* ---- what is called ---- */

/* The connection of the headers; NULL after a reply. */
static struct connection_row *find_connection(struct call *call)
{
    struct connection_row *row = NULL;
    struct err err = {0};

    if (!connection_find(call_auth(call), call->environment_id, call->held_id,
            http_header(call->req, "provider-config-key"),
            http_header(call->req, "connection-id"), &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 400, "unknown_connection", "Failed to find connection");
    return row;
}

/* The active version; NULL after a reply. */
static struct script_row *find_action(
    struct call *call, const struct connection_row *connection, const char *name)
{
    struct script_filter filter = {
        .environment_id = call->environment_id,
        .integration_id = connection->integration_id,
        .kind = SCRIPT_ACTION,
        .name = name,
        .limit = 1,
    };
    struct script_row **rows = NULL, *row = NULL;
    size_t count = 0;
    struct err err = {0};

    if (!store_list_scripts(call_auth(call)->store, &filter, &rows, &count, NULL, &err)) {
        reply_error(call, &err);
        return NULL;
    }
    if (count == 1) {
        row = rows[0];
        free(rows);
    } else {
        store_scripts_free(rows, count);
    }
    if (row == NULL) {
        reply_fault(call, 404, "not_found", "Action not found");
    } else if (!row->enabled) {
        reply_fault(call, 404, "disabled_resource", "The action is disabled");
        script_row_free(row);
        row = NULL;
    }
    return row;
}

/* ---- running it ---- */

void reply_outcome(struct call *call, const struct script_outcome *outcome)
{
    struct buf body;
    int status;

    buf_init_secret(&body, 0);
    status = action_answer(outcome, &body);
    reply_text(call, status, &body);
}

void reply_when_done(void *arg, const struct script_outcome *outcome)
{
    struct call *call = arg;

    reply_outcome(call, outcome);
    call_free(call);
}

bool take_script_input(
    struct call *call, const cJSON *input, const char *no_runner, char **text)
{
    *text = NULL;
    if (call->server->actions == NULL) {
        reply_fault(call, 503, no_runner,
            "This server runs no scripts: nango-runner was not found (scripts.runner)");
        return false;
    }
    if (input == NULL || cJSON_IsNull(input))
        return true;
    *text = json_print(input);
    if (strlen(*text) <= call->server->action_input_limit)
        return true;
    reply_fault(call, 413, "request_too_large",
        "The input is larger than %zu bytes (scripts.input_limit)",
        call->server->action_input_limit);
    mem_free_text(*text);
    return false;
}

static void run_action(struct call *call, struct connection_row *connection,
    const struct script_row *script, const cJSON *input)
{
    struct action_order order = {
        .script = script, .connection = connection, .done = reply_when_done, .arg = call};
    char *text;

    if (!take_script_input(call, input, "action_failure", &text))
        return;
    order.input = text;
    call_keep(call);
    actions_run(call->server->actions, &order); /* the call may be gone after this */
    mem_free_text(text);
}

/* ---- without waiting ---- */

static bool header_flag(const struct call *call, const char *name)
{
    const char *text = http_header(call->req, name);
    bool on = false;

    return text != NULL && str_to_bool(text, &on) && on;
}

void reply_accepted(struct call *call, const char *path, const char *uuid)
{
    char *location = str_printf("%s/%s", path, uuid);
    char *body = str_printf("{\"id\":\"%s\",\"statusUrl\":\"%s\"}", uuid, location);
    struct http_headers headers = {0};

    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", "application/json; charset=utf-8");
    http_headers_add(&headers, "Location", location);
    reply_headers(call, 202, &headers, body, strlen(body));
    http_headers_finish(&headers);
    free(location);
    free(body);
}

static void start_async_action(struct call *call, const struct connection_row *connection,
    const struct script_row *script, const cJSON *input)
{
    const char *retries = http_header(call->req, "x-max-retries");
    struct async_order order = {.script = script, .connection = connection};
    char uuid[UUID_TEXT_SIZE];
    struct err err = {0};
    char *text;
    bool ok;

    if (!take_script_input(call, input, "action_failure", &text))
        return;
    order.input = text;
    order.max_retries = retries != NULL ? (int)strtol(retries, NULL, 10) : 0;
    ok = async_action_order(call->server->async_runs, &order, uuid, &err);
    mem_free_text(text);
    if (ok)
        reply_accepted(call, "/action", uuid);
    else
        reply_error(call, &err);
}

void trigger_action(struct call *call)
{
    struct connection_row *connection;
    struct script_row *script;

    if (!call_check_headers(call, &header_shape) || !call_check_body(call, &body_shape))
        return;
    /* What waits is stored, which is for a worker; asked first, so that nothing is looked
     * up twice. */
    if (header_flag(call, "x-async") && !call_on_workers(call, call->environment_id))
        return;
    connection = find_connection(call);
    if (connection == NULL)
        return;
    script = find_action(call, connection, json_str(call->body, "action_name"));
    if (script != NULL && header_flag(call, "x-async"))
        start_async_action(call, connection, script, json_get(call->body, "input"));
    else if (script != NULL)
        run_action(call, connection, script, json_get(call->body, "input"));
    script_row_free(script);
    connection_row_unref(connection);
}

/* ---- what came of it ---- */

/* False: nothing was replied, since it is not here, not over, or has no output. */
static bool reply_stored(struct call *call, const char *uuid)
{
    struct script_outcome outcome = {0};
    struct err err = {0};
    bool over = false, told = true;

    if (!async_action_outcome(
            call->server->async_runs, call->environment_id, uuid, &outcome, &over, &err))
        reply_error(call, &err);
    else if (!over || (outcome.ok && str_eq(outcome.output, "null")) ||
             (outcome.ok && outcome.output == NULL))
        told = false;
    else
        reply_outcome(call, &outcome);
    script_outcome_finish(&outcome);
    return told;
}

void get_action_result(struct call *call)
{
    const char *uuid = call_param_uuid(call, 0);

    if (uuid == NULL)
        return;
    if (call->server->async_runs != NULL && reply_stored(call, uuid))
        return;
    reply_fault(call, 404, "not_found", "No action '%s' found", uuid);
}

/* ---- endpoints that scripts declare (contract http-api.md section 9.3) ---- */

/* Which of the script's, from 0; -1 = none. */
static int endpoint_of(
    const struct script_row *script, const char *method, const char *path)
{
    cJSON *list = json_parse(
        script->spec.endpoints_json, strlen(script->spec.endpoints_json), NULL);
    const cJSON *one;
    int at = 0, found = -1;

    cJSON_ArrayForEach(one, list)
    {
        if (found < 0 && str_eq_nocase(json_str(one, "method"), method) &&
            str_eq(json_str(one, "path"), path))
            found = at;
        at++;
    }
    cJSON_Delete(list);
    return found;
}

/* The script that declares it, taken out of its list; NULL. False after a reply. */
static bool find_by_endpoint(struct call *call, const struct connection_row *connection,
    enum script_kind kind, const char *path, struct script_row **out)
{
    struct script_filter filter = {
        .environment_id = call->environment_id,
        .integration_id = connection->integration_id,
        .kind = kind,
    };
    struct script_row **rows = NULL;
    size_t count = 0;
    struct err err = {0};

    *out = NULL;
    if (!store_list_scripts(call_auth(call)->store, &filter, &rows, &count, NULL, &err)) {
        reply_error(call, &err);
        return false;
    }
    for (size_t i = 0; i < count && *out == NULL; i++)
        if (rows[i]->enabled && endpoint_of(rows[i], http_method(call->req), path) >= 0) {
            *out = rows[i];
            rows[i] = NULL;
        }
    store_scripts_free(rows, count);
    return true;
}

static void reply_unknown_endpoint(struct call *call, const char *path)
{
    char *text = str_printf("Unknown endpoint '%s %.200s'", http_method(call->req), path);
    cJSON *body = cJSON_CreateObject();

    json_set_str(body, "message", text);
    free(text);
    reply_json(call, 404, body);
}

/* An endpoint of a sync gives the records of the model that has its place. */
static void list_by_endpoint(struct call *call, const struct connection_row *connection,
    const struct script_row *script, const char *path)
{
    cJSON *models =
        json_parse(script->spec.models_json, strlen(script->spec.models_json), NULL);
    const char *model = cJSON_GetStringValue(
        cJSON_GetArrayItem(models, endpoint_of(script, http_method(call->req), path)));

    if (model != NULL)
        list_records_of(call, connection, model);
    else
        reply_unknown_endpoint(call, path);
    cJSON_Delete(models);
}

void call_endpoint(struct call *call)
{
    const char *path = http_path(call->req) + strlen("/v1");
    struct connection_row *connection;
    struct script_row *action = NULL, *sync = NULL;

    if (!call_check_headers(call, &target_shape))
        return;
    connection = find_connection(call);
    if (connection == NULL)
        return;
    if (find_by_endpoint(call, connection, SCRIPT_ACTION, path, &action) &&
        (action != NULL ||
            find_by_endpoint(call, connection, SCRIPT_SYNC, path, &sync))) {
        if (action != NULL)
            run_action(call, connection, action, call->body);
        else if (sync != NULL)
            list_by_endpoint(call, connection, sync, path);
        else
            reply_unknown_endpoint(call, path);
    }
    script_row_free(action);
    script_row_free(sync);
    connection_row_unref(connection);
}
