/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a deploy, told to who asked and to the log of operations. */
#include "api/deploy_tell.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/str.h"

void reply_deploy_fault(struct call *call, const struct deploy_fault *fault)
{
    cJSON *payload;

    if (err_is_internal(&fault->err)) {
        reply_error(call, &fault->err);
        return;
    }
    payload = cJSON_CreateObject();
    if (fault->integration[0] != '\0')
        json_set_str(payload, "providerConfigKey", fault->integration);
    /* A missing integration is told in the words, and by the payload, of the official
     * server. */
    if (fault->script[0] != '\0' && !str_eq(fault->err.code, "unknown_provider_config"))
        json_set_str(payload, "script", fault->script);
    if (fault->file[0] != '\0')
        json_set_str(payload, "file", fault->file);
    if (fault->line > 0)
        json_set_i64(payload, "line", fault->line);
    if (fault->column > 0)
        json_set_i64(payload, "column", fault->column);
    reply_detailed(
        call, fault->err.status, fault->err.code, payload, "%s", fault->err.message);
}

struct oplog_op begin_deploy_operation(struct call *call)
{
    const struct oplog_subject subject = {
        .environment_id = call->environment_id,
        .type = "deploy",
        .action = "custom",
        .message = "A deploy",
    };

    return oplog_begin(call->server->oplog, &subject, OPLOG_RUNNING);
}

void tell_deploy_refusal(
    const struct oplog_op *operation, const struct deploy_fault *fault)
{
    const struct oplog_error error = {
        .type = fault->err.code,
        .message = err_is_internal(&fault->err)
                       ? "The server failed: its own log says why"
                       : fault->err.message,
    };
    char *text = fault->script[0] == '\0' ? str_dup(error.message)
                                          : str_printf("%s of %s: %s", fault->script,
                                                fault->integration, error.message);

    oplog_say_error(operation, &error, text);
    oplog_end(operation, OPLOG_FAILED, &error);
    free(text);
}
