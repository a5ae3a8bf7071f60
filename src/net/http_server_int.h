/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP server share: the server, a connection, a request.
 *
 *   http_server.c    accepting, limits, idle sweep, draining
 *   http_conn.c      one connection: reading, feeding parser and body's taker, flushing
 *   http_request.c   the request as handlers see it
 *   http_answer.c    whole and streamed answers
 *
 * States of a connection:
 *
 *   HEAD ──head parsed──► BODY ──last byte──► ANSWER ──flushed──► HEAD (keep-alive)
 *     │                    (no body: at once)     └───flushed──► LINGER ──client closed──► gone
 *     └──malformed──► LINGER (after the 400)
 *
 * An answer may begin in BODY; a connection whose request was not read to its end is
 * closed after the answer. Everything here runs on the reactor's thread. */
#ifndef NET_HTTP_SERVER_INT_H
#define NET_HTTP_SERVER_INT_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "net/http_parse.h"
#include "net/http_server.h"

#define SCRATCH_BYTES ((size_t)64 * 1024)
#define REQUEST_ID_SIZE 33 /* of those made here */
#define REQUEST_ID_MAX 128 /* of those that clients give */
#define PEER_SIZE 46       /* INET6_ADDRSTRLEN */

enum conn_state {
    CONN_HEAD,
    CONN_BODY,
    CONN_ANSWER,
    CONN_LINGER,
};

enum body_taker {
    TAKER_NONE, /* nobody asked yet: the client waits */
    TAKER_WHOLE,
    TAKER_STREAM,
    TAKER_DROP, /* an answer was given before the body ended */
};

struct conn {
    struct http_server *server;
    struct conn *prev, *next; /* in the order of becoming idle */
    struct reactor_watch *watch;
    int fd;
    char peer[PEER_SIZE];
    uint32_t events;
    enum conn_state state;
    int depth; /* callbacks on the stack: freeing waits for them */
    bool closed;
    bool consuming;   /* what was read is being used: nobody else may begin to */
    bool close_after; /* no further request on this connection */
    bool writing;     /* http_write() is on the stack: no failure is told meanwhile */
    bool dirty;       /* in the server's list of what to flush */
    struct conn *next_dirty;
    /* Of the head's first byte, or of the last progress; or when it became the client's
     * turn, to send its body or to take what waits for it. */
    int64_t since_ms;
    struct buf in;   /* what was read and not yet used */
    size_t searched; /* of `in`, for the end of a head */
    struct buf out;  /* what waits to be sent, from out_at on */
    size_t out_at;
    char *tail; /* a whole answer's body that did not fit into the socket at once */
    size_t tail_len, tail_at;
    struct http_req *req;
};

struct http_req {
    struct conn *conn; /* NULL once the connection is gone or done with it */
    struct http_server *server;
    const char *method;
    char *target;
    const char *path; /* the target, or a copy cut before its query */
    const char *query;
    struct http_header *fields;
    size_t field_count;
    int minor;
    const char *id; /* the client's own field, or own_id */
    char own_id[REQUEST_ID_SIZE];
    char peer[PEER_SIZE];
    void *user;
    void (*free_user)(void *user);
    void (*gone)(void *arg);
    void *gone_arg;
    int refs; /* 1 while the handler may touch it, 1 while the connection does */

    /* body */
    int64_t body_length;
    int64_t body_left; /* Content-Length bodies */
    struct http_chunks chunks;
    bool body_ended;
    bool continue_due;
    enum body_taker taker;
    bool paused;
    int64_t credit; /* byte milliseconds that the body may still fall behind */
    int64_t credit_at_ms;
    size_t max;
    size_t large_bytes;
    void (*large)(void *arg); /* NULL = not wanted, or told */
    void *large_arg;
    struct buf body;
    size_t kept; /* counted in the server's room */
    void (*whole)(
        void *arg, struct http_req *req, enum http_body_result result, struct buf *body);
    size_t (*piece)(void *arg, const char *bytes, size_t len);
    void (*end)(void *arg, enum http_body_result result);
    void *taker_arg;

    /* answer */
    struct http_headers more; /* whatever answers has these as well */
    int status;               /* 0 = none yet */
    bool started;             /* head queued */
    bool sent;                /* all of it */
    bool ended;               /* the handler is done */
    bool chunked;
    bool no_body; /* HEAD, 204, 304: what is written goes nowhere */
    bool delimited_by_close;
    int64_t length_left; /* of a streamed answer with a length; -1 = unknown */
    size_t low_water;
    bool above; /* waiting bytes were above low_water */
    void (*drain)(void *arg);
    void *drain_arg;
};

struct http_server {
    struct reactor *reactor;
    struct http_server_config config;
    struct reactor_watch *watch; /* of the listening socket; NULL = not accepting */
    struct reactor_timer *sweep;
    struct reactor_timer *accept_again;
    struct conn *first, *last;
    struct conn *dirty;
    _Atomic size_t connections;
    _Atomic size_t active;
    _Atomic uint64_t refused;
    bool draining;
    char id_prefix[17];
    uint64_t id_count;
    char date[64];
    int64_t date_s;
    char
        *scratch; /* what is read is parsed here if nothing waits before it, then wiped */
};

/* http_server.c */
/* A connection closed: who waits to be accepted may be. */
void server_has_room(struct http_server *server);

/* http_conn.c */
/* Takes the descriptor over. False when it cannot be watched: it is closed then. */
bool conn_new(struct http_server *server, int fd, const struct sockaddr *peer);
void conn_enter(struct conn *conn);
void conn_leave(struct conn *conn); /* may free it */
void conn_close(struct conn *conn, bool reset);
/* Goes on with what was read: after a taker came, was resumed, or an answer ended. */
void conn_pump(struct conn *conn);
/* Sends what waits; closes on failure. */
void conn_flush(struct conn *conn);
void conn_mark_dirty(struct conn *conn);
/* It is the client's turn to send its body. */
void conn_expect_body(struct conn *conn);
/* What is left of the time that a slow body may take, in byte milliseconds: below zero it
 * is too slow. Bodies that nobody takes now, and no bodies, have all of it. */
int64_t conn_body_credit(const struct conn *conn, int64_t now_ms);
int64_t server_body_grace(const struct http_server *server); /* all of it */
size_t conn_waiting(const struct conn *conn);
/* The client left, or stopped: tells whoever serves the request, then closes. */
void conn_gone(struct conn *conn);
bool conn_flush_dirty(void *server);

/* http_request.c */
struct http_req *req_new(struct conn *conn, char *text, const struct http_head *head);
void req_unref(struct http_req *req);
void server_next_id(struct http_server *server, char out[REQUEST_ID_SIZE]);

/* http_answer.c */
/* An answer of the server's own, before or without a request; the connection then closes.
 */
void answer_bare(struct conn *conn, int status);
const char *server_date(struct http_server *server);

#endif
