/* SPDX-License-Identifier: Apache-2.0 */
/* POST /webhook/:environmentUuid/:providerConfigKey: what providers send (contract
 * inbound-webhooks.md). The address is all that the caller has; the provider's handler says
 * whether more is asked for. */
#include "inbound/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"

/* The contract's errors of this route: `{"error":"…"}` of a handler. */
static void reply_refused(struct call *call, const struct err *err)
{
    cJSON *body = cJSON_CreateObject();

    json_set_str(body, "error", err_is_internal(err) ? "internal_error" : err->message);
    json_set_str(body, "code", err_is_internal(err) ? "server_error" : err->code);
    reply_json(call, err->status != 0 ? err->status : 500, body);
}

static void add_header(void *arg, const char *name, const char *value)
{
    http_headers_add(arg, name, value);
}

static void receive(struct call *call, const struct environment_row *environment,
    const struct integration *integration)
{
    struct http_headers headers = {0};
    struct inbound_request request = {
        .environment = environment,
        .integration = integration,
        .headers = &headers,
        .query = call_query(call),
        .body = call->body_text,
        .len = call->body_len,
    };
    struct inbound_answer answer;
    struct err err = {0};

    if (request.query == NULL)
        return; /* after a reply */
    http_each_header(call->req, add_header, &headers);
    if (!inbound_receive(call->server->inbound, &request, &answer, &err)) {
        if (err_is_internal(&err))
            log_event(call->server->log, LOG_ERROR, "a provider's webhook is not taken",
                LOG_STR("reason", err.message), LOG_END);
        reply_refused(call, &err);
    } else if (answer.type == NULL) {
        reply_empty(call, answer.status);
    } else {
        reply_plain(
            call, answer.status, answer.type, answer.body != NULL ? answer.body : "");
        free(answer.body);
    }
    http_headers_finish(&headers);
}

void receive_webhook(struct call *call)
{
    const struct auth *auth = call_auth(call);
    struct environment_row *environment = NULL;
    struct integration integration;
    const char *uuid = call_param_uuid(call, 0), *key;
    struct err err = {0};

    key = uuid != NULL ? call_param_checked(call, 1, &PATTERN_KEY) : NULL;
    if (key == NULL)
        return;
    if (!store_find_environment_by_uuid(auth->store, uuid, &environment, &err)) {
        reply_error(call, &err);
        return;
    }
    if (environment == NULL) {
        reply_fault(call, 404, "unknown_environment", "There is no such environment");
        return;
    }
    if (!integration_load(auth, environment->id, key, &integration, &err)) {
        reply_error(call, &err);
    } else {
        if (!inbound_asks_provider(&integration) ||
            call_on_outbound(call, environment->id))
            receive(call, environment, &integration);
        integration_finish(&integration);
    }
    environment_row_unref(environment);
}
