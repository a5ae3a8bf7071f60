/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/auth_log.h"

#include <stdlib.h>

#include "oplog/redact.h"

struct oplog_op auth_log_begin(
    const struct auth *auth, const struct auth_log_start *start, enum oplog_state state)
{
    const struct oplog_subject subject = {
        .environment_id = start->environment_id,
        .type = "auth",
        .action = "create_connection",
        .message = "A connection is authorized",
        .integration = start->key,
        .provider = start->provider,
        .connection = start->connection,
        .durable = start->life_ms > 0,
        .expires_ms = start->life_ms > 0 ? clock_now_ms(auth->clock) + start->life_ms : 0,
    };
    int64_t id;

    if (oplog_id_parse(start->operation, &id))
        return oplog_begin_as(auth->oplog, id, &subject, state);
    return oplog_begin(auth->oplog, &subject, state);
}

static void subject_of(
    const struct connection_row *row, const char *action, struct oplog_subject *out)
{
    *out = (struct oplog_subject){
        .environment_id = row->environment_id,
        .type = "auth",
        .action = action,
        .integration_id = row->integration_id,
        .integration = row->provider_config_key,
        .provider = row->provider,
        .connection_id = row->id,
        .connection = row->connection_id,
    };
}

void auth_log_stored(const struct auth *auth, const struct oplog_op *operation,
    const struct connection_row *row, bool created)
{
    struct oplog_subject subject;

    if (operation->log == NULL)
        return;
    subject_of(row, "create_connection", &subject);
    (void)oplog_begin_as(auth->oplog, operation->id, &subject, OPLOG_RUNNING);
    oplog_say(operation, OPLOG_INFO, NULL,
        created ? "The connection was made" : "The connection got new credentials");
    oplog_end(operation, OPLOG_SUCCESS, NULL);
}

char *auth_shown_reason(const struct err *why, const cJSON *const *secrets, size_t count)
{
    struct redactor *redactor = redactor_new();
    char *message;

    for (size_t i = 0; i < count; i++)
        redactor_add_tree(redactor, secrets[i]);
    message = redactor_text(redactor,
        err_is_internal(why) ? "The server failed: its own log says why" : why->message);
    redactor_free(redactor);
    return message;
}

void auth_log_failed(const struct oplog_op *operation, const struct err *why,
    const cJSON *const *secrets, size_t count)
{
    struct oplog_error error;
    char *message;

    if (operation->log == NULL)
        return;
    message = auth_shown_reason(why, secrets, count);
    error = (struct oplog_error){.type = why->code, .message = message};
    oplog_say_error(operation, &error, message);
    oplog_end(operation, OPLOG_FAILED, &error);
    free(message);
}

struct oplog_op auth_log_refresh(
    const struct auth *auth, int64_t id, const struct connection_row *row)
{
    struct oplog_subject subject;

    subject_of(row, "refresh_token", &subject);
    subject.message = "Credentials are renewed";
    return id != 0 ? oplog_begin_as(auth->oplog, id, &subject, OPLOG_RUNNING)
                   : oplog_begin(auth->oplog, &subject, OPLOG_RUNNING);
}
