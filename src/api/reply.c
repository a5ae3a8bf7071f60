/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in the contract's shapes. Every one is counted and logged here, then handed to
 * net, which ends the request. What is logged: method, the route's pattern (not the path,
 * which holds ids), status, duration, request id; never a query, a header or a body. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "base/json.h"
#include "base/str.h"
#include "net/answer.h"

#define USUAL_ANSWER 500 /* bytes that need not be moved while an answer grows */

/* `cut`: the client did not get all of it, as it left or the provider broke off. */
static void log_access(const struct call *call, const struct http_req *req, int status,
    int64_t duration_us, bool cut)
{
    const struct log *log = call->server->log;
    enum log_level level = status >= 500          ? LOG_WARN
                           : status >= 400 || cut ? LOG_INFO
                                                  : LOG_DEBUG;

    if (log == NULL || level < log->level)
        return;
    log_event(log, level, "request", LOG_STR("method", http_method(req)),
        LOG_STR("route", call->route != NULL ? call->route->pattern : ""),
        LOG_INT("status", status), LOG_INT("duration_us", duration_us),
        LOG_STR("request_id", http_request_id(req)), LOG_BOOL("cut", cut), LOG_END);
}

void note_end(struct call *call, const struct http_req *req)
{
    int64_t duration_us = clock_mono_us() - call->start_us;
    int status = http_status(req);

    metrics_count(call->server->metrics, call->route, status, duration_us);
    log_access(call, req, status, duration_us, !http_was_sent(req));
}

/* The request, to be ended by the caller: no one else may touch it afterwards. */
static struct http_req *finish(struct call *call, int status)
{
    struct http_req *req = call->req;
    int64_t duration_us = clock_mono_us() - call->start_us;

    assert(req != NULL); /* one reply a call */
    metrics_count(call->server->metrics, call->route, status, duration_us);
    log_access(call, req, status, duration_us, false);
    call->req = NULL;
    return req;
}

struct http_req *reply_begun(struct call *call, int status)
{
    return finish(call, status);
}

void reply_json(struct call *call, int status, cJSON *value)
{
    struct buf text;

    buf_init_secret(&text, 0); /* keys, tokens, credentials; sent, it is wiped too */
    buf_room(&text, USUAL_ANSWER);
    json_append(&text, value);
    cJSON_Delete(value);
    reply_text(call, status, &text);
}

void reply_text(struct call *call, int status, struct buf *text)
{
    size_t len;
    char *bytes = buf_take(text, &len);

    answer_json_text(finish(call, status), status, bytes, len);
}

void reply_empty(struct call *call, int status)
{
    answer_empty(finish(call, status), status);
}

void reply_plain(
    struct call *call, int status, const char *content_type, const char *text)
{
    answer_text(finish(call, status), status, content_type, text);
}

void reply_headers(struct call *call, int status, const struct http_headers *headers,
    const char *text, size_t len)
{
    struct http_req *req = finish(call, status);

    http_respond(req, status, headers, str_ndup(text, len), len, true);
}

void reply_busy(struct call *call)
{
    answer_busy(finish(call, 503));
}

void reply_success(struct call *call)
{
    struct buf text;

    buf_init(&text, 0);
    buf_puts(&text, "{\"success\":true}");
    reply_text(call, 200, &text);
}

void reply_data(struct call *call, int status, cJSON *data)
{
    cJSON *body = cJSON_CreateObject();

    json_set(body, "data", data);
    reply_json(call, status, body);
}

static bool is_flat(const struct call *call)
{
    return call->route != NULL && (call->route->flags & ROUTE_FLAT_ERRORS) != 0;
}

/* Takes over `payload`; it and `message` may be NULL. */
static void reply_error_body(
    struct call *call, int status, const char *code, const char *message, cJSON *payload)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *error = cJSON_CreateObject();

    if (is_flat(call)) {
        json_set_str(body, "error", message != NULL ? message : code);
        json_set_str(body, "type", code);
        json_set(body, "payload", payload != NULL ? payload : cJSON_CreateObject());
        cJSON_Delete(error);
    } else {
        if (message != NULL)
            json_set_str(error, "message", message);
        json_set_str(error, "code", code);
        if (payload != NULL)
            json_set(error, "payload", payload);
        json_set(body, "error", error);
    }
    reply_json(call, status, body);
}

void reply_code(struct call *call, int status, const char *code)
{
    reply_error_body(call, status, code, NULL, NULL);
}

void reply_fault(struct call *call, int status, const char *code, const char *fmt, ...)
{
    struct buf message;
    va_list args;

    buf_init(&message, 0);
    va_start(args, fmt);
    buf_vprintf(&message, fmt, args);
    va_end(args);
    reply_error_body(call, status, code, message.data, NULL);
    buf_finish(&message);
}

void reply_detailed(
    struct call *call, int status, const char *code, cJSON *payload, const char *fmt, ...)
{
    struct buf message;
    va_list args;

    buf_init(&message, 0);
    va_start(args, fmt);
    buf_vprintf(&message, fmt, args);
    va_end(args);
    reply_error_body(call, status, code, message.data,
        payload != NULL ? payload : cJSON_CreateObject());
    buf_finish(&message);
}

void reply_issues(struct call *call, const char *code, cJSON *issues)
{
    cJSON *body, *error;

    if (is_flat(call)) {
        const char *message = json_str(cJSON_GetArrayItem(issues, 0), "message");

        reply_error_body(call, 400, code, message, NULL);
        cJSON_Delete(issues);
        return;
    }
    body = cJSON_CreateObject();
    error = cJSON_CreateObject();
    json_set_str(error, "code", code);
    json_set(error, "errors", issues);
    json_set(body, "error", error);
    reply_json(call, 400, body);
}

static void reply_internal(struct call *call, const struct err *err)
{
    const struct log *log = call->server->log;

    answer_error(finish(call, 500), log, err);
}

void reply_error(struct call *call, const struct err *err)
{
    if (err_is_internal(err))
        reply_internal(call, err);
    else
        reply_error_body(call, err->status, err->code, err->message, NULL);
}

void reply_error_detailed(struct call *call, const struct err *err)
{
    if (err_is_internal(err))
        reply_internal(call, err);
    else
        reply_error_body(
            call, err->status, err->code, err->message, cJSON_CreateObject());
}

void reply_no_connection(struct call *call, const char *key, const char *id)
{
    cJSON *payload = cJSON_CreateObject();
    struct buf text;

    json_set_str(payload, "connectionId", id);
    json_set_str(payload, "providerConfigKey", key);
    buf_init(&text, 0);
    buf_puts(&text, "{\n  \"connectionId\": ");
    json_append_string(&text, id);
    buf_puts(&text, ",\n  \"providerConfigKey\": ");
    json_append_string(&text, key);
    buf_puts(&text, "\n}");
    reply_detailed(call, 404, "unknown_connection", payload,
        "No connection matching the provided params of 'connection_id' and "
        "'provider_config_key'. Please make sure these values exist in the Nango "
        "dashboard %s",
        text.data);
    buf_finish(&text);
}

void reply_no_integration(struct call *call)
{
    reply_detailed(call, 400, "unknown_provider_config", NULL,
        "There is no Provider Configuration matching this key. Please make sure this "
        "value exists in the Nango dashboard {}");
}
