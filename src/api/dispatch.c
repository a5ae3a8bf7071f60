/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its handler: the drawing is in api_int.h, the order of checks in
 * contract http-api.md section 1.1 (content type, JSON, who calls, then the handler's
 * own). */
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"
#include "api/query.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/str.h"
#include "net/answer.h"
#include "proxy/forward.h"

#define JSON_TYPE "application/json"
#define FORM_TYPE "application/x-www-form-urlencoded"

/* A body of a few lines is parsed where it came, as that takes less than to wake a worker. */
#define BODY_OF_REACTOR ((size_t)4 * 1024)

/* What is read of a body before its sender is known. The contract's order of checks holds
 * up to here: JSON first, then the key. */
#define BODY_OF_ANYONE ((size_t)64 * 1024)

static void reply_stopping(struct call *call)
{
    reply_fault(call, 503, "server_error", "The server is stopping");
    call_free(call);
}

static void run_elsewhere(void *arg)
{
    struct call *call = arg;

    if (pool_gives_up(call->again)) {
        reply_stopping(call);
        return;
    }
    call->again = NULL;
    call->elsewhere = true;
    call->route->handle(call);
    call_free(call);
}

static void run_handler(struct call *call)
{
    if (call->known || authenticate(call))
        call->route->handle(call);
    if (call->again != NULL) {
        if (!pool_submit_share(call->again, auth_share_of_environment(call->again_for),
                run_elsewhere, call))
            reply_stopping(call);
    } else {
        call_free(call);
    }
}

/* JavaScript's decoder puts U+FFFD for what is no UTF-8. */
static void repair_utf8(struct call *call)
{
    struct buf out;
    size_t at = 0;

    if (str_is_utf8(call->body_text, call->body_len))
        return;
    buf_init_secret(&out, 0);
    while (at < call->body_len) {
        size_t len = 1;

        while (len < 4 && at + len < call->body_len &&
               !str_is_utf8(call->body_text + at, len))
            len++;
        if (str_is_utf8(call->body_text + at, len)) {
            buf_append(&out, call->body_text + at, len);
            at += len;
        } else {
            buf_puts(&out, "\xEF\xBF\xBD");
            at++;
        }
    }
    mem_wipe(call->body_text, call->body_len);
    free(call->body_text);
    call->body_text = buf_take(&out, &call->body_len);
}

/* A bare value is refused, with the message that the official server gives. */
static void reply_bare_value(struct call *call, const char *text, size_t len)
{
    size_t shown = len > 20 ? 10 : len;
    size_t first = 1;

    while (first < len && ((unsigned char)text[first] & 0xc0) == 0x80)
        first++;
    while (shown < len && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown++;
    reply_fault(call, 400, "invalid_json",
        "Unexpected token '%.*s', \"%.*s\"%s is not valid JSON", (int)first, text,
        (int)shown, text, shown < len ? "..." : "");
}

static bool parse_json_body(struct call *call)
{
    struct err err = {0};
    const char *start;
    size_t len;

    repair_utf8(call);
    start = call->body_text;
    len = call->body_len;
    while (len > 0 && strchr(" \t\r\n", *start) != NULL && *start != '\0') {
        start++;
        len--;
    }
    if (call->body_len == 0) { /* announced as JSON, and empty */
        call->body = cJSON_CreateObject();
        return true;
    }
    if (len > 0 && *start != '{' && *start != '[') {
        reply_bare_value(call, start, len);
        return false;
    }
    call->body = json_parse(call->body_text, call->body_len, &err);
    if (call->body == NULL)
        reply_error(call, &err);
    return call->body != NULL;
}

/* Without a content type a body is not read (contract section 1.1); with one and neither
 * length nor chunks there is none. */
static bool parse_body(struct call *call)
{
    const char *type = http_header(call->req, "content-type");

    if (type == NULL || call->body_text == NULL ||
        (call->route->flags & ROUTE_OF_PROVIDERS) != 0) /* read where it is known whose */
        return true;
    if (str_starts_nocase(type, JSON_TYPE))
        return parse_json_body(call);
    if (str_starts_nocase(type, FORM_TYPE)) {
        call->body = query_parse(call->body_text, call->body_len);
        if (call->body == NULL) {
            reply_fault(call, 413, "request_too_large", "Too many form fields");
            return false;
        }
    }
    return true;
}

static void run_parsed(struct call *call)
{
    if (parse_body(call))
        run_handler(call);
    else
        call_free(call);
}

static void run_on_worker(void *arg)
{
    struct call *call = arg;

    if (pool_gives_up(call->server->workers))
        reply_stopping(call);
    else
        run_parsed(call);
}

static void submit(struct call *call, void (*run)(void *arg))
{
    if (!pool_submit(call->server->workers, run, call))
        reply_stopping(call);
}

static size_t body_limit(const struct call *call)
{
    size_t limit = call->server->body_limit;

    if ((call->route->flags & ROUTE_OF_PROVIDERS) != 0)
        return call->server->webhook_limit;
    return call->route->who == WHO_ANYONE && limit > BODY_OF_ANYONE ? BODY_OF_ANYONE
                                                                    : limit;
}

static void on_body(
    void *arg, struct http_req *req, enum http_body_result result, struct buf *body)
{
    struct call *call = arg;

    if (result == HTTP_BODY_GONE) { /* half a request is none: nothing of it is done */
        call->req = NULL;
        note_end(call, req);
        http_abort(req);
        call_free(call);
        return;
    }
    if (result == HTTP_BODY_TOO_LARGE) {
        reply_fault(call, 413, "request_too_large", "The body is larger than %zu bytes",
            body_limit(call));
        call_free(call);
        return;
    }
    if (result == HTTP_BODY_NO_ROOM) {
        reply_busy(call);
        call_free(call);
        return;
    }
    /* a length of zero announces a body, too: an empty one */
    if (http_has_body(call->req) || http_header(call->req, "content-length") != NULL)
        call->body_text = buf_take(body, &call->body_len);
    if (call->route->run == RUN_READ && call->body_len <= BODY_OF_REACTOR &&
        store_reads_are_local(call->server->auth.store))
        run_parsed(call);
    else
        submit(call, run_on_worker);
}

/* The body grows: only of those with a key. */
static void on_large_body(void *arg)
{
    struct call *call = arg;

    call->known = authenticate(call);
    if (call->known)
        http_resume_body(call->req);
    else
        call_free(call);
}

/* A store that is not local is asked on a worker, which is too late for this. */
static void read_body(struct call *call)
{
    bool judge = store_reads_are_local(call->server->auth.store);

    if (judge && http_body_length(call->req) > (int64_t)BODY_OF_ANYONE) {
        call->known = authenticate(call);
        if (!call->known) {
            call_free(call);
            return;
        }
    } else if (judge) {
        http_on_large_body(call->req, BODY_OF_ANYONE, on_large_body, call);
    }
    http_read_body(call->req, body_limit(call), on_body, call);
}

/* ---- the proxy ---- */

static void proxied(void *arg)
{
    struct call *call = arg;

    note_end(call, call->proxied);
    call_free(call);
}

static void forward(void *arg)
{
    struct call *call = arg;
    struct http_req *req = call->req;
    const char *target = http_target(req) + strlen("/proxy");

    /* The proxy's from here on; it answers in every case. The call stays with the request
     * to tell how it ended. */
    call->req = NULL;
    call->proxied = req;
    http_set_user(req, call, proxied);
    proxy_forward(&call->server->proxy, call->loop->upstream, req, call->environment_id,
        call->held_id, call->background, target);
}

static void authenticate_for_proxy(void *arg)
{
    struct call *call = arg;

    if (!authenticate(call))
        call_free(call);
    else if (reactor_is_current(call->loop->reactor))
        forward(call);
    else
        reactor_post(call->loop->reactor, forward, call);
}

/* TRACE would show the credentials that we add to whoever asks, and CONNECT is no request
 * that can be passed on. */
static bool method_is_proxied(struct call *call)
{
    static const char text[] =
        "{\"error\":{\"message\":\"TRACE and CONNECT are not passed "
        "on\",\"code\":\"method_not_allowed\"}}";
    const char *method = http_method(call->req);
    struct http_headers headers = {0};

    if (!str_eq_nocase(method, "TRACE") && !str_eq_nocase(method, "CONNECT"))
        return true;
    answer_cors(&headers);
    http_headers_add(&headers, "Content-Type", "application/json; charset=utf-8");
    http_headers_add(&headers, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    reply_headers(call, 405, &headers, text, sizeof text - 1);
    http_headers_finish(&headers);
    return false;
}

/* ---- the entry ---- */

static bool type_is_accepted(struct call *call)
{
    const char *type = http_header(call->req, "content-type");

    if ((call->route->flags & ROUTE_ANY_TYPE) != 0 || type == NULL ||
        str_starts(type, JSON_TYPE))
        return true;
    reply_fault(call, 415, "invalid_content_type",
        "Content-Type header must be application/json");
    return false;
}

/* Inflating what a caller sent would let a small request become any size; the proxy
 * passes bodies on as they are. */
static bool coding_is_accepted(struct call *call)
{
    const char *coding = http_header(call->req, "content-encoding");

    if (call->route->run == RUN_PROXY || !http_has_body(call->req) ||
        str_is_empty(coding) || str_eq_nocase(coding, "identity"))
        return true;
    reply_fault(call, 415, "invalid_content_encoding",
        "A body with Content-Encoding %.40s is not read here: send it unencoded", coding);
    return false;
}

static void start(struct call *call)
{
    bool local = store_reads_are_local(call->server->auth.store);

    if (!type_is_accepted(call) || !coding_is_accepted(call)) {
        call_free(call);
        return;
    }
    switch (call->route->run) {
    case RUN_NOW:
        run_handler(call);
        break;
    case RUN_PROXY:
        if (!method_is_proxied(call))
            call_free(call);
        else if (local)
            authenticate_for_proxy(call);
        else
            submit(call, authenticate_for_proxy);
        break;
    case RUN_READ:
        if (local && !http_has_body(call->req)) {
            run_handler(call);
            break;
        }
        read_body(call);
        break;
    case RUN_WORK:
    case RUN_KINDS:
        read_body(call);
        break;
    }
}

static struct call *call_new(struct server_loop *loop, struct http_req *req)
{
    struct call *call = MEM_NEW(struct call);

    call->server = loop->server;
    call->loop = loop;
    call->req = req;
    call->start_us = clock_mono_us();
    atomic_init(&call->holders, 1);
    return call;
}

static void reply_not_found(struct call *call)
{
    reply_code(call, 404, "not_found");
    call_free(call);
}

void api_on_request(void *arg, struct http_req *req)
{
    struct call *call;

    if (strcmp(http_method(req), "OPTIONS") == 0) {
        answer_options(req);
        return;
    }
    call = call_new(arg, req);
    call->route = route_find(http_method(req), http_path(req), call->spans);
    if (call->route == NULL ||
        (call->route->handle == get_metrics && !call->server->admin_on_public))
        reply_not_found(call);
    else
        start(call);
}

void api_on_admin_request(void *arg, struct http_req *req)
{
    struct call *call = call_new(arg, req);

    call->route = route_find(http_method(req), http_path(req), call->spans);
    if (call->route == NULL ||
        (call->route->handle != get_health && call->route->handle != get_ready &&
            call->route->handle != get_metrics))
        reply_not_found(call);
    else
        run_handler(call);
}
