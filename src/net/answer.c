/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in the contract's shapes. */
#include "net/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/str.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define ALLOWED_HEADERS                                                                  \
    "Nango-Activity-Log-Id, Nango-Is-Dry-Run, Nango-Is-Sync, Provider-Config-Key, "      \
    "Connection-Id, Sentry-Trace, Baggage, Authorization, Content-Type, Accept, "        \
    "Origin, "                                                                           \
    "X-Requested-With"

void answer_cors(struct http_headers *headers)
{
    http_headers_add(headers, "Access-Control-Allow-Origin", "*");
}

/* The lists that never change, as borrowed views: nothing is copied on the usual path. */
static struct http_headers json_headers(struct http_header items[2])
{
    static char origin[] = "Access-Control-Allow-Origin", any[] = "*";
    static char type[] = "Content-Type", json[] = JSON_TYPE;

    items[0] = (struct http_header){origin, any};
    items[1] = (struct http_header){type, json};
    return (struct http_headers){.items = items, .count = 2, .capacity = 2};
}

void answer_json_text(struct http_req *req, int status, char *text, size_t len)
{
    struct http_header items[2];
    struct http_headers headers = json_headers(items);

    http_respond(req, status, &headers, text, len, true);
}

void answer_json(struct http_req *req, int status, cJSON *value)
{
    struct buf text;
    size_t len;
    char *body;

    buf_init_secret(&text, 0);
    json_append(&text, value);
    cJSON_Delete(value);
    body = buf_take(&text, &len);
    answer_json_text(req, status, body, len);
}

void answer_error_payload(
    struct http_req *req, const struct log *log, const struct err *err, cJSON *payload)
{
    int status = err->status != 0 ? err->status : 500;
    cJSON *body = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(body, "error");
    char id[UUID_TEXT_SIZE];

    if (status == 500 && (err->code[0] == '\0' || str_eq(err->code, "server_error"))) {
        char *text;

        crypto_uuid_v4(id);
        log_event(log, LOG_ERROR, "request failed", LOG_STR("id", id),
            LOG_STR("request_id", http_request_id(req)), LOG_STR("reason", err->message),
            LOG_END);
        text = str_printf(
            "An error occurred. The server's log has the details under the id: \"%s\"",
            id);
        json_set_str(error, "message", text);
        json_set_str(error, "code", "generic_error_support");
        json_set_str(error, "payload", id);
        free(text);
        cJSON_Delete(payload);
    } else {
        if (err->message[0] != '\0')
            json_set_str(error, "message", err->message);
        json_set_str(error, "code", err->code[0] != '\0' ? err->code : "server_error");
        if (payload != NULL)
            json_set(error, "payload", payload);
    }
    answer_json(req, status, body);
}

void answer_error(struct http_req *req, const struct log *log, const struct err *err)
{
    answer_error_payload(req, log, err, NULL);
}

void answer_text(
    struct http_req *req, int status, const char *content_type, const char *text)
{
    struct http_headers headers = {0};

    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", content_type);
    http_respond(req, status, &headers, str_dup(text), strlen(text), true);
    http_headers_finish(&headers);
}

void answer_busy(struct http_req *req)
{
    static const char text[] =
        "{\"error\":{\"message\":\"Too many large requests at once, try again later\","
        "\"code\":\"server_busy\"}}";
    struct http_headers headers = {0};

    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", JSON_TYPE);
    http_headers_add(&headers, "Retry-After", "1");
    http_respond(req, 503, &headers, str_dup(text), sizeof text - 1, true);
    http_headers_finish(&headers);
}

void answer_empty(struct http_req *req, int status)
{
    struct http_header items[2];
    struct http_headers headers = json_headers(items);

    headers.count = 1;
    http_respond(req, status, &headers, NULL, 0, false);
}

void answer_options(struct http_req *req)
{
    struct http_headers headers = {0};

    answer_cors(&headers);
    http_headers_add(
        &headers, "Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
    http_headers_add(&headers, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
    http_headers_add(&headers, "Access-Control-Max-Age", "600");
    http_respond(req, 204, &headers, NULL, 0, false);
    http_headers_finish(&headers);
}
