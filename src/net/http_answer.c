/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: whole ones from any thread, streamed ones on the reactor's. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/http_server_int.h"

#define FLUSH_AT ((size_t)32 * 1024)
#define SMALL_REST 65536
#define INLINE_BODY ((size_t)16 * 1024) /* copied behind the head: one buffer, one send */

const char *server_date(struct http_server *server)
{
    time_t now = time(NULL);
    struct tm tm;

    if ((int64_t)now != server->date_s) {
        server->date_s = now;
        gmtime_r(&now, &tm);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    }
    return server->date;
}

static void put_length(struct buf *out, int64_t length)
{
    buf_puts(out, "Content-Length: ");
    buf_number(out, length);
    buf_append(out, "\r\n", 2);
}

static void put_field(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    buf_append(out, ": ", 2);
    buf_puts(out, value);
    buf_append(out, "\r\n", 2);
}

/* Bytes are about to wait for the client: its time to take them runs from here, however
 * long the handler took to make them. */
static void begin_waiting(struct conn *conn)
{
    if (conn_waiting(conn) == 0)
        conn->since_ms = clock_mono_ms();
}

void answer_bare(struct conn *conn, int status)
{
    struct buf *out = &conn->out;
    struct http_server *server = conn->server;
    char fresh[REQUEST_ID_SIZE];
    const char *id = fresh;

    if (conn->req != NULL)
        id = conn->req->id;
    else
        server_next_id(server, fresh);
    atomic_fetch_add_explicit(&server->refused, 1, memory_order_relaxed);
    /* Of what came nothing is shown: it may be anything. */
    log_event(server->config.log, LOG_INFO, "malformed request refused",
        LOG_INT("status", status), LOG_STR("peer", conn->peer), LOG_STR("request_id", id),
        LOG_END);
    begin_waiting(conn);
    conn->close_after = true;
    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    put_field(out, "Date", server_date(server));
    put_field(out, "X-Request-Id", id);
    buf_puts(
        out, "Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n");
    if (status == 431) {
        static const char body[] =
            "{\"error\":{\"code\":\"request_header_fields_too_large\","
            "\"message\":\"The request's head is too large\"}}";

        buf_printf(out, "Content-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
    } else {
        static const char body[] =
            "{\"error\":{\"code\":\"malformed_request\",\"message\":"
            "\"The request is not well-formed HTTP/1.1\"}}";

        buf_printf(out, "Content-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
    }
    conn->state = CONN_ANSWER;
    conn_mark_dirty(conn);
}

static bool has_no_body(const struct http_req *req, int status)
{
    return status == 204 || status == 304 || status < 200 || str_eq(req->method, "HEAD");
}

/* A value with a line break would split the answer: such a field is left out. */
static void put_fields(struct buf *out, const struct http_headers *headers)
{
    for (size_t i = 0; headers != NULL && i < headers->count; i++) {
        if (http_is_field_value(headers->items[i].value))
            put_field(out, headers->items[i].name, headers->items[i].value);
    }
}

void http_add_answer_field(struct http_req *req, const char *name, const char *value)
{
    http_headers_set(&req->more, name, value);
}

/* What is left of the request's body is worth reading for the sake of the connection. A
 * client that waits to be asked for its body is not asked any more. */
static bool rest_is_small(const struct http_req *req)
{
    return req->body_ended ||
           (req->body_length > 0 && req->body_left <= SMALL_REST && !req->continue_due);
}

/* Will the connection be of use after this answer? A success that begins while the body
 * is still being taken does not stop the client from sending it; a refusal does. */
static bool can_go_on(const struct http_req *req, int status)
{
    if (rest_is_small(req))
        return true;
    return !req->ended && req->taker == TAKER_STREAM && status < 300;
}

/* `length` -1 = unknown. */
static void put_head(
    struct http_req *req, int status, const struct http_headers *headers, int64_t length)
{
    struct conn *conn = req->conn;
    struct buf *out = &conn->out;

    req->started = true;
    req->status = status;
    req->no_body = has_no_body(req, status);
    req->length_left = length;
    if (length < 0 && !req->no_body) {
        req->chunked = req->minor > 0;
        req->delimited_by_close = req->minor == 0;
    }
    buf_room(out, 512);
    buf_append(out, "HTTP/1.1 ", 9);
    buf_number(out, status);
    buf_putc(out, ' ');
    buf_puts(out, http_reason(status));
    buf_append(out, "\r\n", 2);
    if (headers == NULL || http_headers_find(headers, "date") == NULL)
        put_field(out, "Date", server_date(req->server));
    put_fields(out, headers);
    put_fields(out, &req->more);
    if (headers == NULL || http_headers_find(headers, "x-request-id") == NULL)
        put_field(out, "X-Request-Id", req->id);
    if (req->chunked)
        buf_puts(out, "Transfer-Encoding: chunked\r\n");
    else if (length >= 0 && status != 204 && status != 304 && status >= 200)
        put_length(out, length);
    if (req->delimited_by_close || !can_go_on(req, status))
        conn->close_after = true;
    if (conn->close_after)
        buf_puts(out, "Connection: close\r\n");
    else if (req->minor == 0)
        buf_puts(out, "Connection: keep-alive\r\n");
    buf_append(out, "\r\n", 2);
}

/* A request whose body nobody reads any more: the rest is dropped as it comes. */
static void drop_rest(struct http_req *req)
{
    if (req->body_ended)
        return;
    req->taker = TAKER_DROP;
    req->paused = false;
    conn_expect_body(req->conn);
}

static void respond_here(struct http_req *req, int status,
    const struct http_headers *headers, char *body, size_t len, bool owned)
{
    struct conn *conn = req->conn;

    assert(!req->started && !req->ended);
    req->ended = true;
    if (conn != NULL) {
        conn_enter(conn);
        begin_waiting(conn);
        put_head(req, status, headers, (int64_t)len);
        drop_rest(req);
        if (!req->no_body && len <= INLINE_BODY) {
            buf_append(&conn->out, body, len);
        } else if (!req->no_body) {
            conn->tail = owned ? body : mem_dup(body, len);
            conn->tail_len = len;
            conn->tail_at = 0;
            owned = false; /* given away */
        }
        conn_flush(conn);
        /* What is behind this request goes on from the loop, not from here: a long row of
         * pipelined requests must not deepen the stack. */
        if (!conn->closed && conn->depth == 1)
            conn_mark_dirty(conn);
        conn_leave(conn);
    }
    if (owned) {
        mem_wipe(body, len); /* it may have held credentials */
        free(body);
    }
    req_unref(req);
}

struct posted_answer {
    struct http_req *req;
    int status;
    struct http_headers headers;
    char *body;
    size_t len;
};

static void respond_posted(void *arg)
{
    struct posted_answer *posted = arg;

    respond_here(
        posted->req, posted->status, &posted->headers, posted->body, posted->len, true);
    http_headers_finish(&posted->headers);
    free(posted);
}

void http_respond(struct http_req *req, int status, const struct http_headers *headers,
    char *body, size_t len, bool body_owned)
{
    struct reactor *reactor = req->server->reactor;
    struct posted_answer *posted;

    if (reactor_is_current(reactor)) {
        respond_here(req, status, headers, body, len, body_owned);
        return;
    }
    posted = MEM_NEW(struct posted_answer);
    posted->req = req;
    posted->status = status;
    for (size_t i = 0; headers != NULL && i < headers->count; i++)
        http_headers_add(
            &posted->headers, headers->items[i].name, headers->items[i].value);
    posted->body = body_owned ? body : mem_dup(body, len);
    posted->len = len;
    reactor_post(reactor, respond_posted, posted);
}

/* ---- streamed ---- */

void http_start(
    struct http_req *req, int status, const struct http_headers *headers, int64_t length)
{
    assert(!req->started && !req->ended);
    if (req->conn == NULL)
        return;
    begin_waiting(req->conn);
    put_head(req, status, headers, length);
    conn_mark_dirty(req->conn);
}

size_t http_write(struct http_req *req, const char *data, size_t len)
{
    struct conn *conn = req->conn;
    size_t waiting;

    if (conn == NULL || len == 0)
        return conn != NULL ? conn_waiting(conn) : 0;
    begin_waiting(conn);
    if (!req->no_body) {
        if (req->length_left >= 0) { /* never more than was announced */
            if ((uint64_t)req->length_left < len)
                len = (size_t)req->length_left;
            req->length_left -= (int64_t)len;
        }
        if (req->chunked)
            buf_printf(&conn->out, "%zx\r\n", len);
        buf_append(&conn->out, data, len);
        if (req->chunked)
            buf_append(&conn->out, "\r\n", 2);
    }
    waiting = conn_waiting(conn);
    if (waiting > req->low_water)
        req->above = true;
    if (waiting >= FLUSH_AT && (conn->events & (uint32_t)EPOLLOUT) == 0) {
        void (*drain)(void *arg) = req->drain;

        req->drain = NULL; /* the caller learns it from what we return */
        conn->writing = true;
        conn_flush(conn);
        conn->writing = false;
        waiting = conn_waiting(conn);
        req->drain = drain;
        if (waiting <= req->low_water)
            req->above = false;
    } else {
        conn_mark_dirty(conn);
    }
    return waiting;
}

void http_on_drain(
    struct http_req *req, size_t low_water, void (*drain)(void *arg), void *arg)
{
    req->low_water = low_water;
    req->drain = drain;
    req->drain_arg = arg;
}

void http_finish(struct http_req *req)
{
    struct conn *conn = req->conn;

    assert(!req->ended);
    if (conn != NULL && req->length_left > 0 && !req->no_body) {
        http_abort(
            req); /* fewer bytes than announced: a failed transfer, not a short one */
        return;
    }
    req->ended = true;
    if (conn != NULL) {
        if (!rest_is_small(req))
            conn->close_after = true;
        drop_rest(req);
        begin_waiting(conn);
        if (req->chunked)
            buf_puts(&conn->out, "0\r\n\r\n");
        conn_mark_dirty(conn);
    }
    req_unref(req);
}

void http_abort(struct http_req *req)
{
    struct conn *conn = req->conn;

    req->drain = NULL;
    req->gone = NULL;
    req->taker = TAKER_NONE;
    if (conn != NULL) {
        conn_enter(conn);
        conn_flush(
            conn); /* what was written is sent, so that the client sees where it broke */
        req->ended = true;
        conn_close(conn, req->delimited_by_close);
        conn_leave(conn);
    }
    req->ended = true;
    req_unref(req);
}
