/* SPDX-License-Identifier: Apache-2.0 */
/* POST /functions/invocations: a function or an action by its name, waited for or not
 * (contract http-api.md section 13). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/deploy_shape.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scripts/async.h"

#define PATH "/functions/invocations"

static const char *const types[] = {"wait", "no_wait", NULL};

static const struct rule body_rules[] = {
    {.name = "connection_id",
        .kind = RULE_STRING,
        .pattern = &PATTERN_CONNECTION_ID,
        .max = FIELD_MAX},
    RULE_KEY_FIELD("integration_id"),
    {.name = "name", .kind = RULE_STRING, .pattern = &PATTERN_SCRIPT, .max = FIELD_MAX},
    {.name = "input", .kind = RULE_ANY, .optional = true},
    {.name = "invocation_type", .kind = RULE_OPTION, .options = types},
    {.name = "options", .kind = RULE_RECORD, .optional = true},
};
static const struct shape body_shape = SHAPE_STRICT(body_rules);

/* ---- what is invoked ---- */

/* NULL after a reply. */
static struct connection_row *find_connection(struct call *call)
{
    const char *key = json_str(call->body, "integration_id");
    const char *id = json_str(call->body, "connection_id");
    struct connection_row *row = NULL;
    struct err err = {0};

    if (!store_find_connection(
            call_auth(call)->store, call->environment_id, key, id, &row, &err))
        reply_error(call, &err);
    else if (row == NULL)
        reply_fault(call, 404, "connection_not_found",
            "Connection '%s' was not found for integration '%s'", id, key);
    return row;
}

/* A function before an action of the same name, an action before anything else. */
static int rank(const struct script_row *row)
{
    return row->kind == SCRIPT_FUNCTION ? 2 : row->kind == SCRIPT_ACTION ? 1 : 0;
}

/* NULL after a reply. */
static struct script_row *find_script(
    struct call *call, const struct connection_row *connection)
{
    const struct script_filter filter = {
        .environment_id = call->environment_id,
        .integration_id = connection->integration_id,
        .name = json_str(call->body, "name"),
    };
    struct script_row **rows = NULL, *row = NULL;
    size_t count = 0, best = 0;
    struct err err = {0};

    if (!store_list_scripts(call_auth(call)->store, &filter, &rows, &count, NULL, &err)) {
        reply_error(call, &err);
        return NULL;
    }
    for (size_t i = 1; i < count; i++)
        if (rank(rows[i]) > rank(rows[best]))
            best = i;
    if (count > 0) {
        row = rows[best];
        rows[best] = NULL;
    }
    store_scripts_free(rows, count);
    if (row == NULL) {
        reply_fault(
            call, 404, "unknown_function", "Function '%s' was not found", filter.name);
    } else if (rank(row) == 0) {
        reply_fault(call, 400, "invalid_invocation",
            "'%s' is %s: only actions and functions are invoked", filter.name,
            row->kind == SCRIPT_SYNC ? "a sync" : "a script of an event");
    } else if (!row->enabled) {
        reply_fault(
            call, 403, "function_disabled", "Function '%s' is disabled", filter.name);
    } else {
        return row;
    }
    script_row_free(row);
    return NULL;
}

/* ---- with what ---- */

/* A function is told what triggered it, an action its input. */
static void put_trigger(struct buf *out, const struct script_row *script,
    const struct connection_row *connection, const char *input)
{
    struct err ignored = {0};
    cJSON *attributes = json_parse(
        script->spec.attributes_json, strlen(script->spec.attributes_json), &ignored);
    bool http = str_eq(json_str(json_get(attributes, "trigger"), "kind"), "http");

    buf_printf(out, "{\"kind\":\"%s\"", http ? "http" : "invoke");
    if (input != NULL)
        buf_printf(out, ",\"input\":%s", input);
    if (http)
        buf_printf(out,
            ",\"request\":{\"method\":\"POST\",\"path\":\"" PATH
            "\",\"headers\":{},\"query\":{},\"body\":%s}",
            input != NULL ? input : "null");
    buf_puts(out, ",\"connection\":{\"connectionId\":");
    json_append_string(out, connection->connection_id);
    buf_puts(out, ",\"integrationId\":");
    json_append_string(out, connection->provider_config_key);
    buf_puts(out, "}}");
    cJSON_Delete(attributes);
}

/* For free(), after its being wiped; NULL = undefined. False after a reply. */
static bool make_input(struct call *call, const struct script_row *script,
    const struct connection_row *connection, char **out)
{
    struct buf trigger;
    char *input;

    if (!take_script_input(call, json_get(call->body, "input"),
            "execution_environment_unavailable", &input))
        return false;
    *out = input;
    if (script->kind == SCRIPT_ACTION)
        return true;
    buf_init_secret(&trigger, 0);
    put_trigger(&trigger, script, connection, input);
    *out = str_ndup(trigger.data, trigger.len);
    buf_finish(&trigger);
    mem_free_text(input);
    return true;
}

/* ---- doing it ---- */

static void invoke(struct call *call, struct connection_row *connection,
    const struct script_row *script, const char *input)
{
    struct action_order now = {.script = script,
        .connection = connection,
        .input = input,
        .done = reply_when_done,
        .arg = call};
    const struct async_order later = {
        .script = script, .connection = connection, .input = input};
    char uuid[UUID_TEXT_SIZE];
    struct err err = {0};

    if (str_eq(json_str(call->body, "invocation_type"), "wait")) {
        call_keep(call);
        actions_run(call->server->actions, &now); /* the call may be gone after this */
    } else if (async_action_order(call->server->async_runs, &later, uuid, &err)) {
        reply_accepted(call, PATH, uuid);
    } else {
        reply_error(call, &err);
    }
}

void invoke_function(struct call *call)
{
    struct connection_row *connection;
    struct script_row *script;
    char *input;

    if (!call_check_query(call, &SHAPE_EMPTY) || !call_check_body(call, &body_shape))
        return;
    connection = find_connection(call);
    if (connection == NULL)
        return;
    script = find_script(call, connection);
    if (script != NULL && make_input(call, script, connection, &input)) {
        invoke(call, connection, script, input);
        mem_free_text(input);
    }
    script_row_free(script);
    connection_row_unref(connection);
}

/* ---- what came of it ---- */

void get_invocation(struct call *call)
{
    const char *uuid = call_param_uuid(call, 0);
    struct script_outcome outcome = {0};
    struct async_run_row *row = NULL;
    bool over = false;
    struct err err = {0};

    if (uuid == NULL)
        return;
    if (!store_find_async_run(
            call_auth(call)->store, call->environment_id, uuid, &row, &err)) {
        reply_error(call, &err);
        return;
    }
    if (row == NULL || call->server->async_runs == NULL)
        reply_fault(call, 404, "not_found", "No invocation '%s' found", uuid);
    else if (!async_action_outcome(call->server->async_runs, call->environment_id, uuid,
                 &outcome, &over, &err))
        reply_error(call, &err);
    else if (over)
        reply_outcome(call, &outcome);
    else
        reply_accepted(call, PATH, uuid);
    script_outcome_finish(&outcome);
    async_run_row_free(row);
}
