/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.1 server of one reactor. No type of the library below shows here.
 *
 * Life of a request (all callbacks on the reactor's thread):
 *
 *   on_request ──► http_read_body ──► whole body ──┐
 *        │     └─► http_stream_body ──► pieces ────┤
 *        └──────────(no body wanted)───────────────┴──► http_respond (whole answer)
 *                                                  └──► http_start, http_write*, http_finish
 *
 * A request lives until it was answered (http_respond, http_finish or http_abort) and
 * each such call ends the caller's right to touch it. When the client leaves early,
 * on_gone is called once; the request stays valid, writes go nowhere, and the caller
 * still ends it with one of the three. Ambiguous framing (RFC 9112 section 6.3,
 * section 3.2; list in docs/internals/http.md) never reaches on_request: it is answered
 * 400 and the connection closed. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "net/http.h"
#include "net/reactor.h"

struct http_server;
struct http_req;

/* Memory for bodies that are kept whole, shared by the servers of a process. */
struct http_room {
    _Atomic size_t used;
    size_t max; /* 0 = no bound */
};

struct http_server_config {
    int listen_fd; /* bound and listening, non-blocking; see http_listen() */
    void (*on_request)(void *arg, struct http_req *req);
    void *arg;
    int64_t idle_timeout_s; /* keep-alive and slow heads; 0 = 60 */
    /* Bytes a second that a body must bring on average, after a grace, while somebody is
     * ready to take it; 0 = any. Grace: 0 = 30. */
    int64_t min_body_rate;
    int64_t body_grace_s;
    struct http_room *body_room; /* borrowed; NULL = no bound */
    size_t max_connections;      /* of this reactor; 0 = 20000 */
    size_t max_head_bytes;       /* 0 = 32 KiB; a longer head gets 431 */
    const struct log *log;
};

/* Opens `count` listening sockets on one address with SO_REUSEPORT, one a reactor.
 * `address` is ADDR:PORT or [ADDR]:PORT; port 0 takes a free one. Refuses when another
 * process holds the port. `bound` gets the address with the real port. */
bool http_listen(
    const char *address, size_t count, int *fds, char bound[64], struct err *err);

/* Would http_listen() take it for an address? */
bool http_address_is_good(const char *address);

bool http_server_new(struct reactor *reactor, const struct http_server_config *config,
    struct http_server **out, struct err *err);
/* Reactor thread: stops accepting. Who is connected is answered once more, and told to
 * close; a health check on an open connection thus learns of the end. */
void http_server_drain(struct http_server *server);
/* Requests in progress (read from any thread). */
size_t http_server_active(const struct http_server *server);
/* Requests that the server refused itself, as they were not well-formed. */
uint64_t http_server_refused(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
void http_server_free(struct http_server *server); /* reactor stopped; accepts NULL */

/* ---- the request ---- */
struct reactor *http_reactor(const struct http_req *req);
const char *http_method(const struct http_req *req);
/* Path and query exactly as received, percent-encoding kept; always begins with '/'. */
const char *http_target(const struct http_req *req);
const char *http_path(const struct http_req *req);  /* the target before '?' */
const char *http_query(const struct http_req *req); /* after '?', or "" */
const char *http_header(
    const struct http_req *req, const char *name); /* any case; NULL */
void http_each_header(const struct http_req *req,
    void (*each)(void *arg, const char *name, const char *value), void *arg);
const char *http_request_id(const struct http_req
        *req); /* ours, or the caller's X-Request-Id: letters, digits and
                                    -_.: up to 128 of them */
const char *http_peer(const struct http_req *req);    /* address text, no port */
bool http_has_body(const struct http_req *req);       /* Content-Length > 0 or chunked */
int64_t http_body_length(const struct http_req *req); /* -1 = chunked, 0 = none */

/* Of the answer; 0 = none was begun. And whether all of it was handed to the network. */
int http_status(const struct http_req *req);
bool http_was_sent(const struct http_req *req);
/* A slot for the layer above; `free_user` runs when the request dies, after the last byte
 * of its answer or the client left, on the reactor's thread; it may still read it. */
void http_set_user(struct http_req *req, void *user, void (*free_user)(void *user));
void *http_user(const struct http_req *req);

/* ---- the request body ---- */
enum http_body_result {
    HTTP_BODY_OK,
    HTTP_BODY_TOO_LARGE, /* the rest is drained or the connection will be closed: answer
                            413 */
    HTTP_BODY_NO_ROOM,   /* the process keeps too many bodies now: answer_busy() */
    HTTP_BODY_GONE,      /* it did not arrive whole, as the client left or sent what is
                            malformed: nothing may be done; end it by http_abort() */
};
/* Collects the whole body, then calls `done` once; the body is borrowed for that call,
 * unless taken with buf_take(). It counts as kept until the request dies. Calls back at
 * once when there is no body. */
void http_read_body(struct http_req *req, size_t max,
    void (*done)(
        void *arg, struct http_req *req, enum http_body_result result, struct buf *body),
    void *arg);
/* Before http_read_body(), for a body of unknown length: `large` is called once before
 * more than `bytes` of it are kept. The client waits until http_resume_body(); an answer
 * ends it as well, and `done` is then not called. */
void http_on_large_body(
    struct http_req *req, size_t bytes, void (*large)(void *arg), void *arg);
/* Hands over pieces as they come. `data` returns how many bytes it took; fewer than `len`
 * pauses the client until http_resume_body(). `end` is called once after the last byte,
 * or with HTTP_BODY_GONE. */
void http_stream_body(struct http_req *req,
    size_t (*data)(void *arg, const char *bytes, size_t len),
    void (*end)(void *arg, enum http_body_result result), void *arg);
void http_resume_body(struct http_req *req);
/* Reactor thread, for who keeps a streamed body himself: `bytes` of this request's body
 * are kept in memory now, all in all. False, with nothing changed, when there is no room
 * for them. Given back when the request dies. */
bool http_keep_body(struct http_req *req, size_t bytes);

/* ---- the answer ---- */
/* Before the answer, by whoever is to give it: a field that it will have, of whatever kind
 * it is. */
void http_add_answer_field(struct http_req *req, const char *name, const char *value);
/* Whole answer, from any thread. Borrowed `headers` are copied. `body` is taken over when
 * `body_owned` (freed by free()), else copied. Content-Length, Date and X-Request-Id are
 * added; HEAD sends no body. */
void http_respond(struct http_req *req, int status, const struct http_headers *headers,
    char *body, size_t len, bool body_owned);

/* Streamed answer, reactor thread. `length` -1 = unknown: chunked. */
void http_start(
    struct http_req *req, int status, const struct http_headers *headers, int64_t length);
/* Queues bytes (copied); returns how many are waiting to be sent. Above the caller's
 * high-water mark the caller stops its source until `on_drain`. */
size_t http_write(struct http_req *req, const char *data, size_t len);
/* Called whenever waiting bytes fall to `low_water` or fewer after having been above it.
 */
void http_on_drain(
    struct http_req *req, size_t low_water, void (*drain)(void *arg), void *arg);
void http_finish(struct http_req *req);
/* Ends the connection without a proper end, so that the client sees a failed transfer. */
void http_abort(struct http_req *req);

/* `gone` is called on the reactor's thread if the client leaves before the answer ended.
 * It may be set before any answer; NULL clears. */
void http_on_gone(struct http_req *req, void (*gone)(void *arg), void *arg);

#endif
