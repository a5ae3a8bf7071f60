/* SPDX-License-Identifier: Apache-2.0 */
#include "api/action_json.h"

#include <string.h>

#include "base/json.h"

/* How a failure is told, by its type: the status, and the words for people; NULL = what
 * the failure says itself. */
static const struct {
    const char *type;
    int status;
    const char *message;
} failures[] = {
    {"action_script_runtime_error", 500, "The action script failed with a runtime error"},
    {"script_internal_error", 500,
        "An internal error occurred during the script execution"},
    {"script_network_error", 500, "A network error occurred during an HTTP call"},
    {"script_api_rate_limit_error", 424, NULL},
    {"script_aborted", 410, NULL},
    {"execution_timeout", 500, NULL},
    {"function_runtime_out_of_memory", 500, NULL},
    {"function_runtime_timed_out", 500, NULL},
    {"invalid_action_input", 400, NULL},
    {"invalid_action_output", 400, NULL},
    {"integration_file_not_found", 404, NULL},
    {"action_failure", 400, NULL},
};

static void put_payload(const struct script_outcome *outcome, struct buf *body)
{
    if (outcome->payload != NULL) {
        buf_puts(body, outcome->payload);
        return;
    }
    buf_puts(body, "{\"message\":");
    json_append_string(body, outcome->message);
    buf_putc(body, '}');
}

int action_answer(const struct script_outcome *outcome, struct buf *body)
{
    const char *message = outcome->message;
    int status = 500;

    if (outcome->ok) {
        buf_puts(body, outcome->output != NULL ? outcome->output : "null");
        return 200;
    }
    if (strcmp(outcome->type, "script_http_error") == 0) {
        buf_puts(body, "{\"error\":{\"payload\":");
        put_payload(outcome, body);
        buf_puts(body, ",\"code\":\"script_http_error\"");
        if (outcome->upstream != NULL) {
            buf_puts(body, ",\"upstream\":");
            buf_puts(body, outcome->upstream);
        }
        buf_puts(body, "}}");
        return 424;
    }
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        if (strcmp(failures[i].type, outcome->type) == 0) {
            status = failures[i].status;
            if (failures[i].message != NULL)
                message = failures[i].message;
        }
    buf_puts(body, "{\"error\":{\"message\":");
    json_append_string(body, message);
    buf_puts(body, ",\"code\":");
    json_append_string(body, outcome->type);
    buf_puts(body, ",\"payload\":");
    put_payload(outcome, body);
    buf_puts(body, "}}");
    return status;
}
