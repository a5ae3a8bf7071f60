/* SPDX-License-Identifier: Apache-2.0 */
/* One request as handlers see it: parameters, query and body, each parsed when first
 * asked for and checked against tables; freed, with its secrets wiped, after the reply.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/fields.h"
#include "api/query.h"
#include "auth/gate.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

void call_keep(struct call *call)
{
    atomic_fetch_add(&call->holders, 1);
}

static bool call_on(struct call *call, struct pool *pool, int64_t environment_id)
{
    call->again = call->elsewhere ? NULL : pool;
    call->again_for = environment_id;
    return call->elsewhere;
}

bool call_on_outbound(struct call *call, int64_t environment_id)
{
    return call_on(call, call_auth(call)->outbound, environment_id);
}

bool call_on_workers(struct call *call, int64_t environment_id)
{
    return call_on(call, call->server->workers, environment_id);
}

bool call_on_events(struct call *call, int64_t environment_id)
{
    return call_on(call, call->server->event_threads, environment_id);
}

bool call_before_put(
    struct call *call, int64_t environment_id, int64_t integration_id, bool asks_provider)
{
    const struct connection_gate *gate = call_auth(call)->gate;
    struct err err = {0};
    bool judged = false;

    if (call->elsewhere)
        return true;
    if (gate != NULL &&
        !gate->is_judged(gate->arg, environment_id, integration_id, &judged, &err)) {
        reply_error(call, &err);
        return false;
    }
    if (judged)
        return call_on_events(call, environment_id);
    return !asks_provider || call_on_outbound(call, environment_id);
}

void call_after_put(struct call *call)
{
    if (call->server->async_runs != NULL)
        async_runs_wake(call->server->async_runs);
    sync_runs_wake(call->server->sync_runs);
}

void call_free(struct call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) > 1)
        return;
    assert(call->req == NULL); /* every call is answered */
    for (size_t i = 0; i < PATH_MAX_PARAMS; i++)
        free(call->params[i]);
    environment_row_unref(call->environment);
    api_key_row_unref(call->key);
    if (call->session.row != NULL)
        session_finish(&call->session);
    cJSON_Delete(call->query);
    cJSON_Delete(call->body);
    if (call->body_text != NULL) {
        mem_wipe(call->body_text, call->body_len);
        free(call->body_text);
    }
    free(call);
}

static void reply_bad_param(struct call *call, size_t index)
{
    char name[40];
    const char *path[] = {name, NULL};

    path_param_name(call->route->pattern, index, name, sizeof name);
    reply_issues(call, "invalid_uri_params",
        issue_list("invalid_format", "Invalid percent-encoding", path));
}

const char *call_param(struct call *call, size_t index)
{
    assert(index < PATH_MAX_PARAMS && call->spans[index].text != NULL);
    if (call->params[index] == NULL)
        call->params[index] = path_span_decode(&call->spans[index]);
    if (call->params[index] == NULL)
        reply_bad_param(call, index);
    return call->params[index];
}

const char *call_param_uuid(struct call *call, size_t index)
{
    const char *text = call_param(call, index);
    char name[40];
    const char *path[] = {name, NULL};

    if (text == NULL || str_is_uuid(text))
        return text;
    path_param_name(call->route->pattern, index, name, sizeof name);
    reply_issues(
        call, "invalid_uri_params", issue_list("invalid_format", "Invalid UUID", path));
    return NULL;
}

const char *call_param_checked(
    struct call *call, size_t index, const struct pattern *pattern)
{
    const char *text = call_param(call, index);
    cJSON *value, *issues;
    char name[40];
    struct rule rule = {
        .name = name, .kind = RULE_STRING, .pattern = pattern, .max = FIELD_MAX};

    if (text == NULL)
        return NULL;
    if (pattern->matches(text) && strlen(text) <= FIELD_MAX)
        return text; /* the patterns are of ASCII: bytes are characters */
    path_param_name(call->route->pattern, index, name, sizeof name);
    value = cJSON_CreateString(text);
    issues = validate_value(&rule, value);
    cJSON_Delete(value);
    reply_issues(call, "invalid_uri_params", issues);
    return NULL;
}

const cJSON *call_query(struct call *call)
{
    const char *text = http_query(call->req);

    if (call->query == NULL)
        call->query = query_parse(text, strlen(text));
    if (call->query == NULL) {
        const char *path[] = {NULL};

        reply_issues(call, "invalid_query_params",
            issue_list("too_big", "Too many parameters", path));
    }
    return call->query;
}

const char *call_query_str(const struct call *call, const char *name)
{
    return json_str(call->query, name);
}

bool call_query_flag(const struct call *call, const char *name)
{
    const char *text = json_str(call->query, name);
    bool on = false;

    return text != NULL && str_to_bool(text, &on) && on;
}

size_t call_query_count(const struct call *call, const char *name, size_t otherwise)
{
    const char *text = call_query_str(call, name);

    return text != NULL ? (size_t)strtod(text, NULL) : otherwise;
}

bool call_check_query(struct call *call, const struct shape *shape)
{
    cJSON *issues;

    if (call_query(call) == NULL)
        return false;
    issues = validate(shape, call->query, NULL);
    if (issues != NULL)
        reply_issues(call, "invalid_query_params", issues);
    return issues == NULL;
}

bool call_check_body(struct call *call, const struct shape *shape)
{
    struct webhook_bounds bounds = {
        call_auth(call)->proxy_policy, call->server->public_url};
    cJSON *issues = validate(shape, call->body, &bounds);

    if (issues != NULL)
        reply_issues(call, "invalid_body", issues);
    return issues == NULL;
}

bool call_check_headers(struct call *call, const struct shape *shape)
{
    cJSON *headers = cJSON_CreateObject(), *issues;

    for (size_t i = 0; i < shape->count; i++) {
        const char *name = shape->rules[i].name;
        const char *value = http_header(call->req, name);

        if (value != NULL)
            json_set_str(headers, name, value);
    }
    issues = validate(shape, headers, NULL);
    cJSON_Delete(headers);
    if (issues != NULL)
        reply_issues(call, "invalid_headers", issues);
    return issues == NULL;
}

struct environment_row *call_environment(struct call *call)
{
    struct err err = {0};

    if (call->environment != NULL)
        return call->environment;
    if (store_find_environment(
            call_auth(call)->store, call->environment_id, &call->environment, &err) &&
        call->environment == NULL)
        err_set(&err, 401, "unknown_account",
            "Authentication failed. The environment of this key is gone.");
    if (call->environment == NULL)
        reply_error(call, &err);
    return call->environment;
}
