/* SPDX-License-Identifier: Apache-2.0 */
#include "scripts/calls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/answer.h"
#include "net/http.h"
#include "net/upstream.h"

/* One request to be, and what its answer is made into. */
struct request {
    const struct script_caller *caller;
    const char *method;
    struct buf url;
    bool has_query;
    struct http_headers headers;
    struct buf body;
    bool has_body;
    bool outside;      /* not to this server: no key, the policy judges */
    char refused[200]; /* why it is not sent at all; "" */
};

static void request_init(
    struct request *request, const struct script_caller *caller, const char *method)
{
    memset(request, 0, sizeof *request);
    request->caller = caller;
    request->method = method;
    buf_init(&request->url, (size_t)1 << 20);
    buf_init_secret(&request->body, 0);
    buf_puts(&request->url, caller->base_url);
}

static void request_finish(struct request *request)
{
    buf_finish(&request->url);
    buf_finish(&request->body);
    http_headers_finish(&request->headers);
}

__attribute__((format(printf, 2, 3))) static void refuse(
    struct request *request, const char *fmt, ...)
{
    va_list args;

    if (request->refused[0] != '\0')
        return;
    va_start(args, fmt);
    vsnprintf(request->refused, sizeof request->refused, fmt, args);
    va_end(args);
}

static void put_path(struct request *request, const char *literal)
{
    buf_puts(&request->url, literal);
}

static void put_segment(struct request *request, const char *id, const char *what)
{
    if (str_is_empty(id) || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
        refuse(request, "%s is missing or not allowed", what);
    else
        str_uri_component(id, strlen(id), &request->url);
}

static void put_query(struct request *request, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_putc(&request->url, request->has_query ? '&' : '?');
    request->has_query = true;
    str_form_encode(name, strlen(name), &request->url);
    buf_putc(&request->url, '=');
    str_form_encode(value, strlen(value), &request->url);
}

static void put_header(struct request *request, const char *name, const char *value)
{
    if (value == NULL)
        return;
    if (!http_is_token(name) || !http_is_field_value(value))
        refuse(request, "The header %.60s cannot be sent", name);
    else
        http_headers_add(&request->headers, name, value);
}

/* ---- reading arguments ---- */

/* A member's text, or the value itself when `name` is NULL; else NULL. The caller frees. */
static char *text_of(struct json_raw value, const char *name)
{
    return json_raw_dup_string(name != NULL ? json_raw_get(value, name) : value);
}

static char *text_or(struct json_raw value, const char *name, const char *otherwise)
{
    char *text = text_of(value, name);

    if (str_is_empty(text)) {
        free(text);
        text = str_dup(otherwise);
    }
    return text;
}

/* Bytes that crossed as {"$bytes":…}, or text. False when it is neither. */
static bool append_payload(struct json_raw value, struct buf *out)
{
    struct json_raw bytes = json_raw_get(value, "$bytes");
    char *text;
    bool good;

    if (bytes.text == NULL)
        return json_raw_append_string(value, out);
    text = json_raw_dup_string(bytes);
    good = text != NULL && str_unbase64(text, strlen(text), out);
    free(text);
    return good;
}

/* ---- answers ---- */

static void append_quoted(struct buf *out, const char *text)
{
    json_raw_append_quoted(text, strlen(text), out);
}

void script_call_refuse(struct buf *out, const char *name, const char *fmt, ...)
{
    char message[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    buf_puts(out, "{\"name\":");
    append_quoted(out, name);
    buf_puts(out, ",\"message\":");
    append_quoted(out, message);
    buf_putc(out, '}');
}

static void append_headers(struct buf *out, const struct http_headers *headers)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < headers->count; i++) {
        char *name = str_dup(headers->items[i].name);

        str_lower(name);
        if (i > 0)
            buf_putc(out, ',');
        append_quoted(out, name);
        buf_putc(out, ':');
        append_quoted(out, headers->items[i].value);
        free(name);
    }
    buf_putc(out, '}');
}

static void append_bytes(struct buf *out, const struct buf *body)
{
    buf_puts(out, "{\"$bytes\":\"");
    str_base64(body->data, body->len, out);
    buf_puts(out, "\"}");
}

/* JSON as it is, text quoted, bytes as bytes; nothing is an empty text. */
static void append_data(struct buf *out, const struct buf *body)
{
    struct err err = {0};

    if (body->len == 0)
        buf_puts(out, "\"\"");
    else if (json_check_syntax(body->data, body->len, &err) &&
             str_is_utf8(body->data, body->len))
        buf_append(out, body->data, body->len);
    else if (str_is_utf8(body->data, body->len))
        json_raw_append_quoted(body->data, body->len, out);
    else
        append_bytes(out, body);
}

/* The error that the official client's HTTP library throws. */
static void append_status_error(struct buf *out, const struct up_answer *answer)
{
    buf_printf(out,
        "{\"name\":\"AxiosError\",\"message\":\"Request failed with status code "
        "%d\",\"code\":\"%s\",\"response\":{\"status\":%d,\"headers\":",
        answer->status, answer->status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE",
        answer->status);
    append_headers(out, &answer->headers);
    buf_puts(out, ",\"data\":");
    append_data(out, &answer->body);
    buf_puts(out, "}}");
}

static void append_network_error(struct buf *out, const char *message, const char *code)
{
    buf_puts(out, "{\"name\":\"Error\",\"message\":");
    append_quoted(out, message);
    buf_puts(out, ",\"code\":");
    append_quoted(out, code);
    buf_putc(out, '}');
}

/* The proxy answered in place of a provider that did not. */
static bool append_proxy_failure(struct buf *out, const struct up_answer *answer)
{
    const char *code = http_headers_find(&answer->headers, ANSWER_FAILURE_HEADER);
    struct json_raw body = {answer->body.data, answer->body.len};
    char *message;

    if (code == NULL)
        return false;
    message = json_raw_dup_string(json_raw_get(body, "message"));
    append_network_error(out, message != NULL ? message : code, code);
    free(message);
    return true;
}

/* The proxy tells its exchanges there. */
static void put_operation(struct request *request)
{
    const struct oplog_op *operation = &request->caller->say->operation;
    char id[OPLOG_ID_SIZE];

    if (operation->log == NULL)
        return;
    oplog_id_text(operation->id, id);
    http_headers_add(&request->headers, "Nango-Activity-Log-Id", id);
}

static void say_exchange(
    const struct request *request, const struct up_answer *answer, int64_t took_ms)
{
    struct oplog_http http;

    if (request->caller->say->redactor == NULL)
        return; /* nothing is kept of it */
    http = (struct oplog_http){
        .method = request->method,
        .url = request->url.data,
        .status = answer->status,
        .failure = answer->status == 0 ? up_failure_code(answer->failure) : NULL,
        .attempt = 1,
        .began_ms = clock_now_ms(request->caller->say->auth->clock) - took_ms,
        .took_ms = took_ms,
        .request = &request->headers,
        .answer = &answer->headers,
    };

    script_say_http(request->caller->say, &http);
}

/* Sends it. True: `answer` has a status below 400, to be made into a value. False: the error
 * is in `out`. The answer is finished by the caller in both cases. */
static bool perform(struct request *request, struct up_answer *answer, struct buf *out)
{
    const struct script_caller *caller = request->caller;
    struct up_request up = {
        .method = request->method,
        .url = request->url.data,
        .headers = &request->headers,
        .body_kind = request->has_body ? UP_BODY_BYTES : UP_BODY_NONE,
        .body = request->body.data != NULL ? request->body.data : "",
        .body_len = (int64_t)request->body.len,
        .decompress = true,
        .policy = request->outside ? caller->policy : NULL,
    };
    struct up_blocking call = {
        .request = &up,
        .timeout_ms = caller->timeout_ms,
        .max_body = caller->max_body,
        .follow = request->outside,
        .ca_file = request->outside ? caller->ca_file : NULL,
        .given_up = caller->ended,
    };
    int64_t began_ms = clock_mono_ms();
    struct buf bearer;
    bool answered;

    memset(answer, 0, sizeof *answer);
    if (request->url.overflow)
        refuse(request, "The address is too long");
    if (request->refused[0] != '\0') {
        script_call_refuse(out, "Error", "%s", request->refused);
        return false;
    }
    if (!request->outside) {
        buf_init_secret(&bearer, 0);
        buf_printf(&bearer, "Bearer %s", caller->key);
        http_headers_add(&request->headers, "Authorization", bearer.data);
        http_headers_add(&request->headers, "Nango-Is-Script", "true");
        put_operation(request);
        buf_finish(&bearer);
    }
    answered = up_call_blocking(&call, answer);
    if (request->outside)
        say_exchange(request, answer, clock_mono_ms() - began_ms);
    if (!answered) {
        append_network_error(out, answer->message, up_failure_code(answer->failure));
        return false;
    }
    if (answer->status >= 400) {
        if (request->outside || !append_proxy_failure(out, answer))
            append_status_error(out, answer);
        return false;
    }
    return true;
}

/* Sends it, and gives what the API answered, or the member of it that is named. */
static bool send_for_json(struct request *request, const char *member, struct buf *out)
{
    struct up_answer answer;
    bool ok = perform(request, &answer, out);

    if (ok && member != NULL) {
        struct json_raw whole = {.text = answer.body.data, .len = answer.body.len};
        struct json_raw part = json_raw_get(whole, member);

        if (part.text != NULL)
            buf_append(out, part.text, part.len);
        else
            buf_puts(out, "null");
    } else if (ok) {
        append_data(out, &answer.body);
    }
    up_answer_finish(&answer);
    request_finish(request);
    return ok;
}

static void put_json_type(struct request *request)
{
    request->has_body = true;
    http_headers_add(&request->headers, "Content-Type", "application/json");
}

/* ---- the proxy ---- */

static bool names_param(struct json_raw params, const char *name, size_t len)
{
    struct json_raw_iter iter;
    struct json_raw key, value;
    bool found = false;

    if (json_raw_kind(params) != JSON_RAW_OBJECT)
        return false;
    json_raw_begin(params, &iter);
    while (!found && json_raw_next(&iter, &key, &value)) {
        char *text = json_raw_dup_string(key);

        found = text != NULL && strlen(text) == len && memcmp(text, name, len) == 0;
        free(text);
    }
    return found;
}

/* The endpoint's query, without the pairs that `params` replaces. */
static void put_old_query(
    struct request *request, const char *query, struct json_raw params)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&#");
        size_t name_len = strcspn(query, "=&#");
        struct buf name;
        bool replaced;

        buf_init(&name, 0);
        replaced = str_percent_decode(query, name_len, true, &name) &&
                   names_param(params, name.data != NULL ? name.data : "", name.len);
        buf_finish(&name);
        if (!replaced && len > 0) {
            buf_putc(&request->url, request->has_query ? '&' : '?');
            buf_append(&request->url, query, len);
            request->has_query = true;
        }
        query += len;
        if (*query != '&')
            break;
        query++;
    }
}

static void put_param(struct request *request, const char *name, struct json_raw value)
{
    char *text = text_of(value, NULL);

    if (text != NULL)
        put_query(request, name, text);
    free(text);
}

static void put_params(struct request *request, struct json_raw params)
{
    struct json_raw_iter iter;
    struct json_raw key, value;
    char *text = text_of(params, NULL);

    if (text != NULL && *text != '\0') {
        buf_putc(&request->url, request->has_query ? '&' : '?');
        buf_puts(&request->url, *text == '?' ? text + 1 : text);
        request->has_query = true;
    }
    free(text);
    if (json_raw_kind(params) != JSON_RAW_OBJECT)
        return;
    json_raw_begin(params, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        char *name = json_raw_dup_string(key);

        if (name != NULL && json_raw_kind(value) == JSON_RAW_ARRAY) {
            struct json_raw_iter elements;
            struct json_raw none, element;

            json_raw_begin(value, &elements);
            while (json_raw_next(&elements, &none, &element))
                put_param(request, name, element);
        } else if (name != NULL) {
            put_param(request, name, value);
        }
        free(name);
    }
}

static void put_prefixed_headers(
    struct request *request, struct json_raw headers, const char *prefix)
{
    struct json_raw_iter iter;
    struct json_raw key, value;

    if (json_raw_kind(headers) != JSON_RAW_OBJECT)
        return;
    json_raw_begin(headers, &iter);
    while (json_raw_next(&iter, &key, &value)) {
        char *name = json_raw_dup_string(key), *text = text_of(value, NULL), *full;

        if (name != NULL && text != NULL) {
            full = str_printf("%s%s", prefix, name);
            put_header(request, full, text);
            free(full);
        }
        free(name);
        free(text);
    }
}

static void put_retries(struct request *request, struct json_raw config)
{
    struct json_raw list = json_raw_get(config, "retryOn");
    struct json_raw_iter iter;
    struct json_raw none, element;
    struct buf codes;
    double number;
    char digits[32];

    if (json_raw_number(json_raw_get(config, "retries"), &number) && number > 0 &&
        number < 1000) {
        snprintf(digits, sizeof digits, "%d", (int)number);
        put_header(request, "Retries", digits);
    }
    if (json_raw_kind(list) != JSON_RAW_ARRAY)
        return;
    buf_init(&codes, 1024);
    json_raw_begin(list, &iter);
    while (json_raw_next(&iter, &none, &element))
        if (json_raw_number(element, &number) && number >= 100 && number < 1000)
            buf_printf(&codes, "%s%d", codes.len > 0 ? "," : "", (int)number);
    if (codes.len > 0)
        put_header(request, "Retry-On", codes.data);
    buf_finish(&codes);
}

static void put_body(struct request *request, struct json_raw config)
{
    struct json_raw body = json_raw_get(config, "body");
    char *type = text_of(config, "contentType");

    if (body.text != NULL && json_raw_kind(body) != JSON_RAW_NULL) {
        request->has_body = true;
        if (!append_payload(body, &request->body))
            refuse(request, "The body is neither text nor bytes");
    }
    put_header(request, "Content-Type", type);
    free(type);
}

static void append_proxied(
    struct buf *out, const struct up_answer *answer, const char *response_type)
{
    bool bytes = str_eq(response_type, "arraybuffer") ||
                 str_eq(response_type, "stream") ||
                 !str_is_utf8(answer->body.data, answer->body.len);

    buf_printf(out, "{\"status\":%d,\"headers\":", answer->status);
    append_headers(out, &answer->headers);
    if (bytes) {
        buf_puts(out, ",\"data\":");
        append_bytes(out, &answer->body);
    } else {
        buf_puts(out, ",\"text\":");
        json_raw_append_quoted(
            answer->body.data != NULL ? answer->body.data : "", answer->body.len, out);
    }
    buf_putc(out, '}');
}

static const char *method_name(const char *text)
{
    static const char *const names[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"};

    for (size_t i = 0; text != NULL && i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(text, names[i]))
            return names[i];
    return names[0];
}

static bool call_proxy(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    struct json_raw config = json_raw_at(args, 0),
                    params = json_raw_get(config, "params");
    char *method = text_of(config, "method"), *endpoint = text_of(config, "endpoint");
    char *key = text_or(config, "providerConfigKey", caller->provider_config_key);
    char *id = text_or(config, "connectionId", caller->connection_id);
    char *base = text_of(config, "baseUrlOverride");
    char *response_type = text_of(config, "responseType");
    struct request request;
    struct up_answer answer;
    bool ok;

    request_init(&request, caller, method_name(method));
    if (endpoint == NULL)
        refuse(&request, "endpoint is missing and is required to make a proxy call!");
    put_path(&request, "/proxy/");
    if (endpoint != NULL) {
        const char *from = endpoint + strspn(endpoint, "/");
        size_t len = strcspn(from, "?#");

        buf_append(&request.url, from, len);
        if (from[len] == '?')
            put_old_query(&request, from + len + 1, params);
    }
    put_params(&request, params);
    put_header(&request, "Provider-Config-Key", key);
    put_header(&request, "Connection-Id", id);
    put_header(&request, "Base-Url-Override", base);
    put_prefixed_headers(&request, json_raw_get(config, "headers"), "Nango-Proxy-");
    put_retries(&request, config);
    if (json_raw_is_true(json_raw_get(config, "decompress")))
        put_header(&request, "Decompress", "true");
    if (json_raw_is_true(json_raw_get(config, "forwardHeadersOnRedirect")))
        put_header(&request, "Forward-Headers-On-Redirect", "true");
    put_body(&request, config);
    ok = perform(&request, &answer, out);
    if (ok)
        append_proxied(out, &answer, response_type);
    up_answer_finish(&answer);
    request_finish(&request);
    free(method);
    free(endpoint);
    free(key);
    free(id);
    free(base);
    free(response_type);
    return ok;
}

static bool call_fetch(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    struct json_raw config = json_raw_at(args, 0), body = json_raw_get(config, "body");
    char *url = text_of(config, "url"), *method = text_of(config, "method");
    struct request request;
    struct up_answer answer;
    bool ok;

    request_init(&request, caller, method_name(method));
    buf_clear(&request.url);
    buf_puts(&request.url, url != NULL ? url : "");
    request.outside = true;
    if (str_is_empty(url))
        refuse(&request, "url is required");
    if (method != NULL && !str_eq_nocase(method_name(method), method))
        refuse(&request, "The method must be GET, POST, PUT, PATCH or DELETE");
    put_prefixed_headers(&request, json_raw_get(config, "headers"), "");
    if (body.text != NULL && json_raw_kind(body) != JSON_RAW_NULL) {
        request.has_body = true;
        if (!append_payload(body, &request.body))
            refuse(&request, "The body is neither text nor bytes");
    }
    ok = perform(&request, &answer, out);
    if (!ok && answer.failure == UP_DENIED) {
        /* the contract's own error for this */
        buf_clear(out);
        buf_puts(out, "{\"name\":\"ActionError\",\"message\":\"This address is not "
                      "allowed\",\"type\":\"action_script_runtime_error\",\"payload\":{"
                      "\"code\":\"url_not_allowed\"}}");
    } else if (!ok && answer.status >= 400) {
        ok = true; /* to fetch, a status is no failure */
        buf_clear(out);
    }
    if (ok)
        append_proxied(out, &answer, NULL);
    up_answer_finish(&answer);
    request_finish(&request);
    free(url);
    free(method);
    return ok;
}

/* ---- the rest of the API ---- */

static void put_flag(struct request *request, const char *name, struct json_raw options,
    const char *member)
{
    put_query(request, name,
        json_raw_is_true(json_raw_get(options, member)) ? "true" : "false");
}

static bool call_get_connection(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    struct json_raw options = json_raw_at(args, 2);
    char *key = text_or(json_raw_at(args, 0), NULL, caller->provider_config_key);
    char *id = text_or(json_raw_at(args, 1), NULL, caller->connection_id);
    struct request request;

    request_init(&request, caller, "GET");
    put_path(&request, "/connections/");
    put_segment(&request, id, "connectionId");
    put_query(&request, "provider_config_key", key);
    put_flag(&request, "force_refresh", options, "forceRefresh");
    put_flag(&request, "refresh_token", options, "refreshToken");
    put_flag(
        &request, "refresh_github_app_jwt_token", options, "refreshGithubAppJwtToken");
    free(key);
    free(id);
    return send_for_json(&request, NULL, out);
}

static bool call_get_integration(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    struct json_raw include = json_raw_get(json_raw_at(args, 0), "include");
    struct json_raw_iter iter;
    struct json_raw none, element;
    struct request request;

    request_init(&request, caller, "GET");
    put_path(&request, "/integrations/");
    put_segment(&request, caller->provider_config_key, "providerConfigKey");
    if (json_raw_kind(include) == JSON_RAW_ARRAY) {
        json_raw_begin(include, &iter);
        while (json_raw_next(&iter, &none, &element))
            put_param(&request, "include", element);
    }
    return send_for_json(&request, "data", out);
}

static bool change_metadata(const struct script_caller *caller, const char *method,
    struct json_raw args, struct buf *out)
{
    struct json_raw metadata = json_raw_at(args, 0);
    struct request request;

    request_init(&request, caller, method);
    put_path(&request, "/connections/metadata");
    put_json_type(&request);
    if (metadata.text == NULL)
        refuse(&request, "metadata is required");
    buf_puts(&request.body, "{\"connection_id\":");
    append_quoted(&request.body, caller->connection_id);
    buf_puts(&request.body, ",\"provider_config_key\":");
    append_quoted(&request.body, caller->provider_config_key);
    buf_puts(&request.body, ",\"metadata\":");
    buf_append(&request.body, metadata.text != NULL ? metadata.text : "{}",
        metadata.text != NULL ? metadata.len : 2);
    buf_putc(&request.body, '}');
    return send_for_json(&request, NULL, out);
}

static bool call_set_metadata(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    return change_metadata(caller, "POST", args, out);
}

static bool call_update_metadata(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    return change_metadata(caller, "PATCH", args, out);
}

static bool call_variables(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    struct request request;

    (void)args;
    request_init(&request, caller, "GET");
    put_path(&request, "/environment-variables");
    return send_for_json(&request, NULL, out);
}

static bool call_trigger_action(
    const struct script_caller *caller, struct json_raw args, struct buf *out)
{
    char *key = text_or(json_raw_at(args, 0), NULL, caller->provider_config_key);
    char *id = text_or(json_raw_at(args, 1), NULL, caller->connection_id);
    struct json_raw name = json_raw_at(args, 2), input = json_raw_at(args, 3);
    struct request request;

    request_init(&request, caller, "POST");
    put_path(&request, "/action/trigger");
    put_json_type(&request);
    put_header(&request, "Provider-Config-Key", key);
    put_header(&request, "Connection-Id", id);
    if (json_raw_kind(name) != JSON_RAW_STRING)
        refuse(&request, "The name of the action is required");
    buf_puts(&request.body, "{\"action_name\":");
    buf_append(&request.body, name.text, name.len);
    if (input.text != NULL) {
        buf_puts(&request.body, ",\"input\":");
        buf_append(&request.body, input.text, input.len);
    }
    buf_putc(&request.body, '}');
    free(key);
    free(id);
    return send_for_json(&request, NULL, out);
}

/* ---- the table ---- */

static const struct {
    const char *method;
    bool (*call)(
        const struct script_caller *caller, struct json_raw args, struct buf *out);
} calls[] = {
    {"proxy", call_proxy},
    {"uncontrolledFetch", call_fetch},
    {"getConnection", call_get_connection},
    {"getIntegration", call_get_integration},
    {"setMetadata", call_set_metadata},
    {"updateMetadata", call_update_metadata},
    {"getEnvironmentVariables", call_variables},
    {"triggerAction", call_trigger_action},
};

bool script_call_known(const char *method)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].method, method) == 0)
            return true;
    return false;
}

bool script_call(const struct script_caller *caller, const char *method,
    struct json_raw args, struct buf *out)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].method, method) == 0) {
            bool ok = calls[i].call(caller, args, out);

            if (ok)
                script_say_learn(caller->say, method, out);
            return ok;
        }
    script_call_refuse(out, "Error", "nango.%.60s() is not possible here", method);
    return false;
}
