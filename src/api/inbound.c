/* SPDX-License-Identifier: Apache-2.0 */
/* POST /webhook/:environmentUuid/:providerConfigKey: what providers send (contract
 * inbound-webhooks.md). The address is all that the caller has; the provider's handler says
 * whether more is asked for. */
#include "inbound/inbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "base/json.h"
#include "base/str.h"
#include "inbound/ingress.h"

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

static void add_number(struct call *call, const char *name, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    http_add_answer_field(call->req, name, text);
}

/* False after a reply: the provider sends more than the integration takes. */
static bool may_enter(struct call *call, const struct integration *integration)
{
    struct ingress_state state;

    if (call->server->ingress == NULL || call->elsewhere) /* then it was counted */
        return true;
    ingress_count(call->server->ingress, integration->row->id, &state);
    add_number(call, "X-RateLimit-Limit", state.limit);
    add_number(call, "X-RateLimit-Remaining", state.remaining);
    add_number(call, "X-RateLimit-Reset", state.reset_s);
    if (!state.over || !call->server->ingress_enforced)
        return true;
    add_number(call, "Retry-After", state.retry_after_s);
    reply_fault(call, 429, "too_many_request",
        "This integration takes no more webhooks in this minute");
    return false;
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
        if (may_enter(call, &integration) && (!inbound_asks_provider(&integration) ||
                                                 call_on_outbound(call, environment->id)))
            receive(call, environment, &integration);
        integration_finish(&integration);
    }
    environment_row_unref(environment);
}
