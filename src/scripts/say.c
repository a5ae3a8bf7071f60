/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/say.h"

#include <stdlib.h>
#include <string.h>

#include "auth/connection.h"
#include "base/str.h"

static const char *action_of(const struct script_row *script)
{
    static const struct {
        const char *event, *action;
    } of[] = {
        {EVENT_CREATED, "post_connection_creation"},
        {EVENT_DELETING, "pre_connection_deletion"},
        {EVENT_VALIDATING, "validate_connection"},
    };

    for (size_t i = 0; script->kind == SCRIPT_ON_EVENT && i < sizeof of / sizeof of[0];
         i++)
        if (str_eq(of[i].event, script->event))
            return of[i].action;
    return "run";
}

void script_subject(const struct script_row *script,
    const struct connection_row *connection, struct oplog_subject *out)
{
    *out = (struct oplog_subject){
        .environment_id = connection->environment_id,
        .type = script->kind == SCRIPT_ON_EVENT ? "events"
                : script->kind == SCRIPT_SYNC   ? "sync"
                                                : "action",
        .action = action_of(script),
        .message = script->kind == SCRIPT_ON_EVENT ? "The script of an event"
                   : script->kind == SCRIPT_SYNC   ? "A sync"
                                                   : "An action",
        .integration_id = connection->integration_id,
        .integration = connection->provider_config_key,
        .provider = connection->provider,
        .connection_id = connection->id,
        .connection = connection->connection_id,
        .script_id = script->id,
        .script = script->name,
    };
}

void script_say_init(struct script_say *say, const struct oplog_op *operation,
    const struct auth *auth, struct connection_row *connection)
{
    *say = (struct script_say){.operation = *operation, .auth = auth};
    if (operation->log == NULL)
        return;
    connection_row_ref(connection);
    say->connection = connection;
    say->redactor = redactor_new();
}

void script_say_finish(struct script_say *say)
{
    connection_row_unref(say->connection);
    redactor_free(say->redactor);
}

/* The credentials that the connection had when the execution was ordered; newer ones are
 * learned from what the script is given. They are opened only for those that say
 * something. */
static void know_credentials(struct script_say *say)
{
    struct connection connection;
    struct err err = {0};

    if (say->knows_credentials || say->connection == NULL)
        return;
    say->knows_credentials = true;
    connection_row_ref(say->connection);
    if (!connection_open(say->auth, say->connection, &connection, &err)) {
        log_event(say->auth->log, LOG_ERROR, "a script's logs are not redacted",
            LOG_STR("reason", err.message), LOG_END);
        return;
    }
    redactor_add_tree(say->redactor, connection.credentials);
    connection_finish(&connection);
}

void script_say_began(struct script_say *say, int attempt)
{
    if (attempt > 1)
        oplog_say(
            &say->operation, OPLOG_INFO, NULL, "The script begins, attempt %d", attempt);
    else
        oplog_say(&say->operation, OPLOG_INFO, NULL, "The script begins");
}

static enum oplog_state state_after(const struct script_outcome *outcome)
{
    static const struct {
        const char *type;
        enum oplog_state state;
    } rows[] = {
        {"execution_timeout", OPLOG_TIMEOUT},
        {"function_runtime_timed_out", OPLOG_TIMEOUT},
        {"script_aborted", OPLOG_CANCELLED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(rows[i].type, outcome->type))
            return rows[i].state;
    return OPLOG_FAILED;
}

void script_say_ended(struct script_say *say, const struct script_outcome *outcome)
{
    struct oplog_error error = {.type = outcome->type};
    char *message, *stack = NULL;

    if (say->redactor == NULL)
        return;
    if (outcome->ok) {
        oplog_say(&say->operation, OPLOG_INFO, NULL, "The script ended after %lld ms",
            (long long)outcome->took_ms);
        oplog_end(&say->operation, OPLOG_SUCCESS, NULL);
        return;
    }
    know_credentials(say);
    error.message = message = redactor_text(say->redactor, outcome->message);
    if (outcome->stack != NULL)
        error.stack = stack = redactor_text(say->redactor, outcome->stack);
    oplog_say_error(&say->operation, &error, message);
    oplog_end(&say->operation, state_after(outcome), &error);
    free(message);
    free(stack);
}

void script_say_log(
    struct script_say *say, const char *level, const char *message, struct json_raw meta)
{
    enum oplog_level known = OPLOG_INFO;
    struct buf shown_meta;
    char *shown;

    (void)oplog_level_parse(level, &known); /* another one is told as info */
    if (say->redactor == NULL || !oplog_keeps(&say->operation, known))
        return;
    know_credentials(say);
    shown = redactor_text(say->redactor, message);
    buf_init(&shown_meta, 0);
    if (meta.text != NULL)
        redactor_json(say->redactor, meta, &shown_meta);
    oplog_say_for_script(&say->operation, known, shown,
        (struct json_raw){shown_meta.data, shown_meta.len});
    free(shown);
    buf_finish(&shown_meta);
}

void script_say_learn(struct script_say *say, const char *method, const struct buf *value)
{
    struct json_raw whole = {value->data, value->len};
    struct json_raw_iter iter;
    struct json_raw none, variable;

    if (say->redactor == NULL || value->len == 0)
        return;
    if (str_eq(method, "getConnection") || str_eq(method, "getIntegration")) {
        redactor_add_json(say->redactor, json_raw_get(whole, "credentials"));
    } else if (str_eq(method, "getEnvironmentVariables") &&
               json_raw_kind(whole) == JSON_RAW_ARRAY) {
        json_raw_begin(whole, &iter);
        while (json_raw_next(&iter, &none, &variable))
            redactor_add_json(say->redactor, json_raw_get(variable, "value"));
    }
}

void script_say_http(struct script_say *say, const struct oplog_http *http)
{
    struct oplog_http shown = *http;
    char *by_name, *url;

    if (say->redactor == NULL)
        return;
    by_name = redact_url(http->url, NULL, 0);
    url = redactor_text(say->redactor, by_name);
    shown.url = url;
    oplog_say_http(&say->operation, &shown);
    free(by_name);
    free(url);
}
