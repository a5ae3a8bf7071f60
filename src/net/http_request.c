/* SPDX-License-Identifier: Apache-2.0 */
/* The request as handlers see it: its head, its body, and who still holds it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/http_server_int.h"

struct req_block {
    struct http_req req;
    char *text;
    size_t text_len;
    size_t path_size; /* of the path's copy behind the fields */
};

void server_next_id(struct http_server *server, char out[REQUEST_ID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = strlen(server->id_prefix);
    uint64_t count = server->id_count++;

    memcpy(out, server->id_prefix, at);
    for (int shift = 28; shift >= 0; shift -= 4)
        out[at++] = hex[count >> shift & 15];
    out[at] = '\0';
}

static void name_request(struct http_req *req)
{
    const char *given = http_header(req, "x-request-id");

    if (given != NULL && *given != '\0' && strlen(given) <= REQUEST_ID_MAX &&
        str_all_alnum_or(given, "-_.:")) {
        req->id = given;
        return;
    }
    server_next_id(req->server, req->own_id);
    req->id = req->own_id;
}

struct http_req *req_new(struct conn *conn, char *text, const struct http_head *head)
{
    size_t fields = head->field_count * sizeof(struct http_header);
    size_t path_len = strcspn(head->target, "?");
    bool has_query = head->target[path_len] != '\0';
    size_t path_size = has_query ? path_len + 1 : 0;
    struct req_block *block = mem_zalloc(sizeof *block + fields + path_size);
    struct http_req *req = &block->req;

    block->text = text;
    block->path_size = path_size;
    block->text_len = (size_t)(head->target - text) + strlen(head->target);
    req->conn = conn;
    req->server = conn->server;
    req->refs = 2;
    req->method = head->method;
    req->path = req->target = head->target;
    req->query = "";
    if (has_query) {
        char *path = (char *)(block + 1) + fields;

        memcpy(path, head->target, path_len);
        req->path = path;
        req->query = head->target + path_len + 1;
    }
    req->minor = head->minor;
    memcpy(req->peer, conn->peer, sizeof req->peer);
    req->fields = (struct http_header *)(void *)(block + 1);
    memcpy(req->fields, head->fields, fields);
    req->field_count = head->field_count;
    req->body_length = req->body_left = head->body_length;
    req->body_ended = head->body_length == 0;
    req->continue_due = head->expects_continue && head->body_length != 0;
    req->credit = server_body_grace(req->server);
    req->length_left = -1;
    name_request(req);
    return req;
}

void req_unref(struct http_req *req)
{
    struct req_block *block = (struct req_block *)(void *)req;

    if (--req->refs > 0)
        return;
    if (req->free_user != NULL)
        req->free_user(req->user);
    for (size_t i = 0; i < req->field_count; i++) /* Authorization is among them */
        mem_wipe(req->fields[i].value, strlen(req->fields[i].value));
    /* Session tokens stand in targets. */
    mem_wipe(block->text, block->text_len);
    mem_wipe(req->fields + req->field_count, block->path_size);
    (void)http_keep_body(req, 0);
    buf_finish(&req->body);
    http_headers_finish(&req->more);
    free(block->text);
    free(block);
}

struct reactor *http_reactor(const struct http_req *req)
{
    return req->server->reactor;
}

const char *http_method(const struct http_req *req)
{
    return req->method;
}

const char *http_target(const struct http_req *req)
{
    return req->target;
}

const char *http_path(const struct http_req *req)
{
    return req->path;
}

const char *http_query(const struct http_req *req)
{
    return req->query;
}

const char *http_header(const struct http_req *req, const char *name)
{
    for (size_t i = 0; i < req->field_count; i++) {
        if (str_eq_nocase(req->fields[i].name, name))
            return req->fields[i].value;
    }
    return NULL;
}

void http_each_header(const struct http_req *req,
    void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    for (size_t i = 0; i < req->field_count; i++)
        each(arg, req->fields[i].name, req->fields[i].value);
}

const char *http_request_id(const struct http_req *req)
{
    return req->id;
}

const char *http_peer(const struct http_req *req)
{
    return req->peer;
}

int http_status(const struct http_req *req)
{
    return req->status;
}

bool http_was_sent(const struct http_req *req)
{
    return req->sent;
}

bool http_has_body(const struct http_req *req)
{
    return req->body_length != 0;
}

int64_t http_body_length(const struct http_req *req)
{
    return req->body_length;
}

void http_set_user(struct http_req *req, void *user, void (*free_user)(void *user))
{
    req->user = user;
    req->free_user = free_user;
}

void *http_user(const struct http_req *req)
{
    return req->user;
}

void http_on_gone(struct http_req *req, void (*gone)(void *arg), void *arg)
{
    req->gone = gone;
    req->gone_arg = arg;
}

/* ---- body ---- */

/* The client may send now; what was read already goes to the taker from the connection's
 * loop, at once when nobody is on the stack, else when the caller returned there. */
static void take_body(struct http_req *req, enum body_taker taker)
{
    struct conn *conn = req->conn;

    req->taker = taker;
    if (conn == NULL)
        return;
    conn_expect_body(conn);
    if (req->continue_due) {
        req->continue_due = false;
        buf_puts(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
        conn_mark_dirty(conn);
    }
    if (conn->depth == 0)
        conn_pump(conn);
    else
        conn_mark_dirty(conn); /* whatever is on the stack may be no reader */
}

bool http_keep_body(struct http_req *req, size_t bytes)
{
    struct http_room *room = req->server->config.body_room;

    if (room == NULL)
        return true;
    if (bytes > req->kept) {
        size_t more = bytes - req->kept;
        size_t used = atomic_fetch_add_explicit(&room->used, more, memory_order_relaxed);

        if (room->max > 0 && used + more > room->max) {
            atomic_fetch_sub_explicit(&room->used, more, memory_order_relaxed);
            return false;
        }
    } else if (bytes < req->kept) {
        atomic_fetch_sub_explicit(&room->used, req->kept - bytes, memory_order_relaxed);
    }
    req->kept = bytes;
    return true;
}

void http_read_body(struct http_req *req, size_t max,
    void (*done)(
        void *arg, struct http_req *req, enum http_body_result result, struct buf *body),
    void *arg)
{
    req->whole = done;
    req->taker_arg = arg;
    req->max = max;
    req->body.secret = true;
    if (req->body_ended) {
        done(arg, req, HTTP_BODY_OK, &req->body);
    } else if (req->conn == NULL) {
        done(arg, req, HTTP_BODY_GONE, &req->body);
    } else if (req->body_length > 0 && (uint64_t)req->body_length > max) {
        req->taker = TAKER_DROP;
        conn_expect_body(req->conn);
        req->conn->close_after = true;
        done(arg, req, HTTP_BODY_TOO_LARGE, &req->body);
    } else {
        if (req->body_length > 0) /* what is usual need not be moved while it grows */
            buf_room(
                &req->body, (size_t)(req->body_length < 4096 ? req->body_length : 4096));
        take_body(req, TAKER_WHOLE);
    }
}

void http_on_large_body(
    struct http_req *req, size_t bytes, void (*large)(void *arg), void *arg)
{
    req->large_bytes = bytes;
    req->large = large;
    req->large_arg = arg;
}

void http_stream_body(struct http_req *req,
    size_t (*data)(void *arg, const char *bytes, size_t len),
    void (*end)(void *arg, enum http_body_result result), void *arg)
{
    req->piece = data;
    req->end = end;
    req->taker_arg = arg;
    if (req->body_ended)
        end(arg, HTTP_BODY_OK);
    else if (req->conn == NULL)
        end(arg, HTTP_BODY_GONE);
    else
        take_body(req, TAKER_STREAM);
}

void http_resume_body(struct http_req *req)
{
    if (!req->paused)
        return;
    req->paused = false;
    if (req->conn == NULL)
        return;
    conn_expect_body(req->conn);
    if (req->conn->depth == 0)
        conn_pump(req->conn);
    else
        conn_mark_dirty(req->conn); /* pumped when the stack is gone */
}
