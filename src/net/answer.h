/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in the contract's shapes: JSON, and the error body of http-api.md section 1.2.
 * Every answer made here carries the CORS header of section 1.1. Any thread; each ends
 * the request. */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "net/http_server.h"

/* `{"error":{"message":…,"code":…,"payload":{}}}`; payload only when `payload` is given
 * (it is taken over). A status of 0 counts as 500. A 500 of our own making answers
 * `generic_error_support` with a fresh UUID as payload, quoted in the message; the real
 * text goes to the log under that UUID. */
void answer_error(struct http_req *req, const struct log *log, const struct err *err);
void answer_error_payload(
    struct http_req *req, const struct log *log, const struct err *err, cJSON *payload);
/* Takes over `value`. */
void answer_json(struct http_req *req, int status, cJSON *value);
/* In the proxy's answer when the provider gave none: why, as "ECONNREFUSED". */
#define ANSWER_FAILURE_HEADER "Nango-Proxy-Failure"
/* Takes over `text` (free()). */
void answer_json_text(struct http_req *req, int status, char *text, size_t len);
void answer_text(
    struct http_req *req, int status, const char *content_type, const char *text);
/* 503 with Retry-After, for HTTP_BODY_NO_ROOM. */
void answer_busy(struct http_req *req);
void answer_empty(struct http_req *req, int status);
/* The answer to a preflight and to any OPTIONS: 204 with the CORS fields. */
void answer_options(struct http_req *req);
/* Adds Access-Control-Allow-Origin and friends to a list of the caller's own. */
void answer_cors(struct http_headers *headers);

#endif
