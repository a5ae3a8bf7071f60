/* SPDX-License-Identifier: Apache-2.0 */
/* One client's connection.
 *
 * Reading goes to the server's scratch buffer; what cannot be used yet (half a head, a
 * request behind the one in progress, body bytes that the taker left) is kept in `in`, so
 * a quiet connection holds no buffer. epoll is level-triggered and the mask is changed
 * only when an event arrives that cannot be served now: the usual request costs no
 * epoll_ctl at all. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_server_int.h"

#define READS_PER_EVENT 4
#define KEEP_BYTES 4096 /* an emptied buffer larger than this is given back */

static void on_event(void *arg, uint32_t events);

static void list_remove(struct conn *conn)
{
    struct http_server *server = conn->server;

    *(conn->prev != NULL ? &conn->prev->next : &server->first) = conn->next;
    *(conn->next != NULL ? &conn->next->prev : &server->last) = conn->prev;
    conn->prev = conn->next = NULL;
}

static void list_append(struct conn *conn)
{
    struct http_server *server = conn->server;

    conn->prev = server->last;
    conn->next = NULL;
    *(server->last != NULL ? &server->last->next : &server->first) = conn;
    server->last = conn;
}

/* Without the prefix of IPv4 addresses on a socket for both families. */
static void name_peer(const struct sockaddr *peer, char out[PEER_SIZE])
{
    const void *address = &((const struct sockaddr_in *)(const void *)peer)->sin_addr;
    int family = peer->sa_family;

    if (family == AF_INET6) {
        const struct in6_addr *six =
            &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;

        address = six;
        if (IN6_IS_ADDR_V4MAPPED(six)) {
            address = six->s6_addr + 12;
            family = AF_INET;
        }
    }
    if (inet_ntop(family, address, out, PEER_SIZE) == NULL)
        out[0] = '\0';
}

bool conn_new(struct http_server *server, int fd, const struct sockaddr *peer)
{
    struct conn *conn = MEM_NEW(struct conn);

    conn->server = server;
    conn->in.secret = true; /* keys and credentials come in, and go out */
    conn->out.secret = true;
    conn->fd = fd;
    name_peer(peer, conn->peer);
    conn->events = EPOLLIN | EPOLLRDHUP;
    conn->since_ms = clock_mono_ms();
    conn->close_after = server->draining;
    conn->watch = reactor_watch_add(server->reactor, fd, conn->events, on_event, conn);
    if (conn->watch == NULL) {
        close(fd);
        free(conn);
        return false;
    }
    list_append(conn);
    atomic_fetch_add_explicit(&server->connections, 1, memory_order_relaxed);
    return true;
}

static void want(struct conn *conn, uint32_t events)
{
    if (!conn->closed && conn->events != events) {
        conn->events = events;
        reactor_watch_change(conn->watch, events);
    }
}

void conn_enter(struct conn *conn)
{
    conn->depth++;
}

void conn_leave(struct conn *conn)
{
    if (--conn->depth > 0 || !conn->closed || conn->dirty)
        return;
    buf_finish(&conn->in);
    buf_finish(&conn->out);
    mem_wipe(conn->tail, conn->tail_len);
    free(conn->tail);
    free(conn);
}

/* The request is no longer this connection's. */
static void detach(struct conn *conn)
{
    struct http_req *req = conn->req;

    if (req == NULL)
        return;
    conn->req = NULL;
    req->conn = NULL;
    atomic_fetch_sub_explicit(&conn->server->active, 1, memory_order_relaxed);
    req_unref(req);
}

void conn_close(struct conn *conn, bool reset)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (conn->closed)
        return;
    conn_enter(conn);
    conn->closed = true;
    reactor_watch_remove(conn->watch);
    if (reset)
        (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(conn->fd);
    list_remove(conn);
    atomic_fetch_sub_explicit(&conn->server->connections, 1, memory_order_relaxed);
    server_has_room(conn->server);
    detach(conn);
    conn_leave(conn);
}

void conn_gone(struct conn *conn)
{
    struct http_req *req = conn->req;

    conn_enter(conn);
    if (req != NULL) {
        enum body_taker taker = req->taker;

        req->refs++;
        conn_close(conn, false);
        if (!req->body_ended && (taker == TAKER_WHOLE || taker == TAKER_STREAM)) {
            req->taker = TAKER_NONE;
            if (taker == TAKER_WHOLE)
                req->whole(req->taker_arg, req, HTTP_BODY_GONE, &req->body);
            else
                req->end(req->taker_arg, HTTP_BODY_GONE);
        }
        if (!req->ended && req->gone != NULL) {
            void (*gone)(void *arg) = req->gone;

            req->gone = NULL;
            gone(req->gone_arg);
        }
        req_unref(req);
    } else {
        conn_close(conn, false);
    }
    conn_leave(conn);
}

/* ---- sending ---- */

size_t conn_waiting(const struct conn *conn)
{
    return conn->out.len - conn->out_at + conn->tail_len - conn->tail_at;
}

/* The half-closed connection reads until the client closes too: closing with unread bytes
 * would reset it, and the client might lose the answer. */
static void linger(struct conn *conn)
{
    detach(conn);
    conn->state = CONN_LINGER;
    conn->since_ms = clock_mono_ms();
    buf_finish(&conn->in);
    if (shutdown(conn->fd, SHUT_WR) != 0)
        conn_close(conn, false);
    else
        want(conn, EPOLLIN);
}

static void release(struct buf *buf)
{
    if (buf->capacity > KEEP_BYTES || buf->len > 0)
        buf_finish(buf);
}

/* Takes what was used out of what waits. */
static void drop_used(struct conn *conn, size_t used)
{
    buf_drop_front(&conn->in, used);
    if (conn->in.len == 0) {
        buf_clear(&conn->in); /* a kept buffer holds nothing */
        release(&conn->in);
    }
}

/* An answer left in full. */
static void answer_done(struct conn *conn)
{
    struct http_req *req = conn->req;

    req->sent = true;
    if (req->delimited_by_close) {
        linger(conn);
        return;
    }
    if (conn->close_after) {
        linger(conn);
        return;
    }
    if (!req->body_ended) /* a little is left: body_end() comes back here */
        return;
    detach(conn);
    conn->state = CONN_HEAD;
    conn->since_ms = clock_mono_ms();
    conn->searched = 0;
    release(&conn->out);
    /* Reading was switched off if more came while the answer was on its way. */
    want(conn, conn->events | EPOLLIN | EPOLLRDHUP);
    list_remove(conn);
    list_append(conn);
}

static bool send_some(struct conn *conn)
{
    struct iovec parts[2];
    struct msghdr message = {.msg_iov = parts};
    size_t out_left = conn->out.len - conn->out_at;
    ssize_t sent;

    if (out_left > 0) {
        parts[message.msg_iovlen].iov_base = conn->out.data + conn->out_at;
        parts[message.msg_iovlen++].iov_len = out_left;
    }
    if (conn->tail_len > conn->tail_at) {
        parts[message.msg_iovlen].iov_base = conn->tail + conn->tail_at;
        parts[message.msg_iovlen++].iov_len = conn->tail_len - conn->tail_at;
    }
    /* One part is the usual case, and cheaper to tell the kernel. */
    sent = message.msg_iovlen == 1
               ? send(conn->fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
               : sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    if (sent < 0)
        return false;
    if ((size_t)sent < out_left) {
        conn->out_at += (size_t)sent;
    } else {
        conn->tail_at += (size_t)sent - out_left;
        mem_wipe(conn->out.data, conn->out.len); /* credentials stand in answers */
        conn->out.len = conn->out_at = 0;
    }
    conn->since_ms = clock_mono_ms();
    return true;
}

static void tell_drained(struct conn *conn)
{
    struct http_req *req = conn->req;

    if (req == NULL || req->ended || req->drain == NULL || !req->above ||
        conn_waiting(conn) > req->low_water)
        return;
    req->above = false;
    req->drain(req->drain_arg);
}

void conn_flush(struct conn *conn)
{
    conn_enter(conn);
    while (!conn->closed && conn_waiting(conn) > 0) {
        if (send_some(conn))
            continue;
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            want(conn, conn->events | EPOLLOUT);
            if (conn->out_at > SCRATCH_BYTES) { /* keep what is sent from piling up */
                buf_drop_front(&conn->out, conn->out_at);
                conn->out_at = 0;
            }
            break;
        }
        if (conn->writing) { /* told from the loop: the writer still holds its request */
            conn_mark_dirty(conn);
            break;
        }
        conn_gone(conn);
    }
    if (!conn->closed) {
        tell_drained(conn);
        if (conn_waiting(conn) == 0 && conn->tail != NULL) {
            mem_wipe(conn->tail, conn->tail_len);
            free(conn->tail);
            conn->tail = NULL;
            conn->tail_len = conn->tail_at = 0;
        }
    }
    if (!conn->closed && conn_waiting(conn) == 0) {
        if ((conn->events & EPOLLOUT) != 0)
            want(conn, conn->events & ~(uint32_t)EPOLLOUT);
        if (conn->req != NULL && conn->req->started && conn->req->ended)
            answer_done(conn);
        else if (conn->req == NULL && conn->state == CONN_ANSWER)
            linger(conn); /* a bare answer */
    }
    conn_leave(conn);
}

void conn_mark_dirty(struct conn *conn)
{
    if (conn->dirty || conn->closed)
        return;
    conn->dirty = true;
    conn->next_dirty = conn->server->dirty;
    conn->server->dirty = conn;
}

bool conn_flush_dirty(void *arg)
{
    struct http_server *server = arg;
    struct conn *conn = server->dirty;

    if (conn == NULL)
        return false;
    server->dirty = NULL;
    while (conn != NULL) {
        struct conn *next = conn->next_dirty;

        conn_enter(conn);
        conn->dirty = false;
        conn_flush(conn);
        if (!conn->closed)
            conn_pump(conn);
        conn_leave(conn);
        conn = next;
    }
    return true;
}

/* ---- how slow a body may be ----
 *
 * Its account begins with the grace, is charged min_body_rate for each second in which we
 * are ready to take it, and gains each byte that comes. It never holds more than what the
 * idle timeout allows to a silent client: who sent much first may not trickle for hours.
 */
#define MS 1000

int64_t server_body_grace(const struct http_server *server)
{
    return server->config.min_body_rate * server->config.body_grace_s * MS;
}

static bool can_feed(const struct conn *conn)
{
    const struct http_req *req = conn->req;

    return conn->state == CONN_BODY && req->taker != TAKER_NONE && !req->paused;
}

int64_t conn_body_credit(const struct conn *conn, int64_t now_ms)
{
    const struct http_server *server = conn->server;

    if (!can_feed(conn))
        return server_body_grace(server);
    return conn->req->credit -
           server->config.min_body_rate * (now_ms - conn->req->credit_at_ms);
}

void conn_expect_body(struct conn *conn)
{
    conn->since_ms = clock_mono_ms();
    conn->req->credit_at_ms = conn->since_ms;
}

static void note_progress(struct conn *conn, struct http_req *req, size_t bytes)
{
    const struct http_server_config *config = &conn->server->config;
    int64_t longest = config->body_grace_s > config->idle_timeout_s
                          ? config->body_grace_s
                          : config->idle_timeout_s;
    int64_t most = config->min_body_rate * longest * MS;

    conn->since_ms = clock_mono_ms();
    req->credit -= config->min_body_rate * (conn->since_ms - req->credit_at_ms);
    req->credit += (int64_t)bytes * MS;
    if (req->credit > most)
        req->credit = most;
    req->credit_at_ms = conn->since_ms;
}

/* ---- reading ---- */

/* Bytes that the taker can have now; returns how many it took. */
static size_t give_piece(struct http_req *req, const char *piece, size_t len)
{
    size_t taken = len;

    if (req->taker == TAKER_WHOLE && req->large != NULL &&
        len > req->large_bytes - req->body.len) {
        void (*large)(void *arg) = req->large;

        req->large = NULL;
        req->paused = true;
        large(req->large_arg);
        if (req->paused)
            return 0;
    }
    if (req->taker == TAKER_WHOLE) {
        buf_append(&req->body, piece, len);
    } else if (req->taker == TAKER_STREAM) {
        taken = req->piece(req->taker_arg, piece, len);
        assert(taken <= len);
        if (taken < len && req->taker == TAKER_STREAM)
            req->paused = true;
        else
            taken = len; /* the taker ended the request meanwhile */
    }
    return taken;
}

static void body_end(struct conn *conn)
{
    struct http_req *req = conn->req;
    enum body_taker taker = req->taker;

    req->body_ended = true;
    conn->state = CONN_ANSWER;
    req->taker = TAKER_NONE;
    if (req->ended) {
        if (conn_waiting(conn) == 0)
            answer_done(conn);
        return;
    }
    /* It was switched off if the client had closed its side before all was taken: from
     * now on that means that the client left. */
    want(conn, conn->events | EPOLLRDHUP);
    if (taker == TAKER_WHOLE)
        req->whole(req->taker_arg, req, HTTP_BODY_OK, &req->body);
    else if (taker == TAKER_STREAM)
        req->end(req->taker_arg, HTTP_BODY_OK);
}

/* The whole body cannot be had, for its size or for want of room: its taker is told once,
 * the rest is not read. */
static void refuse_body(struct conn *conn, enum http_body_result why)
{
    struct http_req *req = conn->req;

    req->taker = TAKER_DROP;
    conn->close_after = true;
    buf_finish(&req->body);
    (void)http_keep_body(req, 0);
    req->whole(req->taker_arg, req, why, &req->body);
}

/* False after a refusal. */
static bool may_grow(struct conn *conn, size_t len)
{
    struct http_req *req = conn->req;

    if (req->taker != TAKER_WHOLE)
        return true;
    if (len > req->max - req->body.len)
        refuse_body(conn, HTTP_BODY_TOO_LARGE);
    else if (!http_keep_body(req, req->body.len + len))
        refuse_body(conn, HTTP_BODY_NO_ROOM);
    else
        return true;
    return false;
}

/* A malformed body: whoever waits for it learns that the client is gone, as good as. */
static void malformed_body(struct conn *conn)
{
    struct http_req *req = conn->req;

    if (req->started || req->taker == TAKER_DROP) {
        conn_gone(conn);
        return;
    }
    conn_enter(conn);
    answer_bare(conn, 400);
    if (!conn->closed && conn->req != NULL) {
        /* The 400 is on its way; the handler must not answer on this connection. */
        req->refs++;
        detach(conn);
        if (req->taker == TAKER_WHOLE)
            req->whole(req->taker_arg, req, HTTP_BODY_GONE, &req->body);
        else if (req->taker == TAKER_STREAM)
            req->end(req->taker_arg, HTTP_BODY_GONE);
        if (!req->ended && req->gone != NULL)
            req->gone(req->gone_arg);
        req_unref(req);
    }
    conn_leave(conn);
}

/* Feeds body bytes; returns how many were used. */
static size_t feed_chunked(struct conn *conn, const char *data, size_t len)
{
    struct http_req *req = conn->req;
    const char *piece;
    size_t piece_len, used = 0;
    int result = http_chunks_read(&req->chunks, data, len, &used, &piece, &piece_len);

    if (result < 0) {
        malformed_body(conn);
        return len;
    }
    if (piece_len > 0) {
        size_t taken;

        if (!may_grow(conn, piece_len))
            return used;
        taken = give_piece(req, piece, piece_len);
        if (taken < piece_len) { /* step back to where the taker stopped */
            size_t lead = (size_t)(piece - data);

            req->chunks.left += piece_len - taken;
            req->chunks.state = HTTP_CHUNKS_DATA;
            used = lead + taken;
        }
    }
    if (result > 0 && conn->req == req)
        body_end(conn);
    return used;
}

static size_t feed_counted(struct conn *conn, const char *data, size_t len)
{
    struct http_req *req = conn->req;
    size_t n = (int64_t)len < req->body_left ? len : (size_t)req->body_left;
    size_t taken;

    if (!may_grow(conn, n))
        return 0;
    taken = give_piece(req, data, n);
    req->body_left -= (int64_t)taken;
    if (req->body_left == 0 && conn->req == req)
        body_end(conn);
    return taken;
}

/* A head is complete: makes the request and hands it over. */
static void begin_request(struct conn *conn, const char *data, size_t len)
{
    struct http_server *server = conn->server;
    struct http_head head;
    char *text = mem_alloc(len + 1);
    struct http_req *req;
    int status;

    memcpy(text, data, len);
    text[len] = '\0';
    status = http_head_parse(text, len, &head);
    if (status != 0) {
        mem_wipe(text, len);
        free(text);
        answer_bare(conn, status);
        return;
    }
    req = req_new(conn, text, &head);
    conn->req = req;
    conn->searched = 0;
    if (!head.keep_alive)
        conn->close_after = true;
    conn->state = head.body_length != 0 ? CONN_BODY : CONN_ANSWER;
    atomic_fetch_add_explicit(&server->active, 1, memory_order_relaxed);
    server->config.on_request(server->config.arg, req);
}

/* Uses what it can of `data`; returns how much. */
static size_t consume(struct conn *conn, const char *data, size_t len)
{
    size_t used = 0;

    conn->consuming = true;
    while (!conn->closed) {
        if (conn->state == CONN_HEAD) {
            size_t left = len - used, head;

            if (left == 0)
                break;
            /* Empty lines before a request are skipped (RFC 9112 section 2.2), half ones
             * wait, and neither buys time: they are as good as silence. */
            if (conn->searched == 0 && data[used] == '\r') {
                if (left == 1)
                    break;
                if (data[used + 1] == '\n') {
                    used += 2;
                    continue;
                }
            }
            if (conn->searched == 0)
                conn->since_ms = clock_mono_ms(); /* the head's deadline runs from here */
            head = http_head_length(data + used, left, conn->searched);
            if (head > conn->server->config.max_head_bytes ||
                (head == 0 && left > conn->server->config.max_head_bytes)) {
                answer_bare(conn, 431);
                used = len;
                break;
            }
            if (head == 0) {
                conn->searched = left;
                break;
            }
            used += head;
            begin_request(conn, data + used - head, head);
        } else if (can_feed(conn)) {
            struct http_req *req = conn->req;
            size_t fed;

            if (used == len)
                break;
            req->refs++; /* a taker may end the request */
            fed = req->body_length < 0 ? feed_chunked(conn, data + used, len - used)
                                       : feed_counted(conn, data + used, len - used);
            note_progress(conn, req, fed);
            req_unref(req);
            used += fed;
        } else {
            break;
        }
    }
    conn->consuming = false;
    return conn->state == CONN_LINGER ? len : used;
}

void conn_pump(struct conn *conn)
{
    conn_enter(conn);
    if (!conn->closed && conn->in.len > 0 && !conn->consuming) {
        size_t used = consume(conn, conn->in.data, conn->in.len);

        if (used > 0 && !conn->closed)
            drop_used(conn, used);
    }
    if (!conn->closed && (conn->state == CONN_HEAD || can_feed(conn)))
        want(conn, conn->events | EPOLLIN | EPOLLRDHUP);
    conn_leave(conn);
}

/* The end of what the client sends. */
static void on_end(struct conn *conn)
{
    if (conn->state == CONN_HEAD || conn->state == CONN_LINGER)
        conn_close(conn, false);
    else
        conn_gone(conn);
}

static void read_some(struct conn *conn)
{
    char *scratch = conn->server->scratch;

    for (int i = 0; i < READS_PER_EVENT && !conn->closed; i++) {
        ssize_t got;
        size_t used;

        if (conn->state != CONN_HEAD && conn->state != CONN_LINGER && !can_feed(conn)) {
            want(conn,
                conn->events & ~(uint32_t)EPOLLIN); /* read on when somebody takes it */
            return;
        }
        got = recv(conn->fd, scratch, SCRATCH_BYTES, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                conn_gone(conn);
            return;
        }
        if (got == 0) {
            on_end(conn);
            return;
        }
        if (conn->state != CONN_LINGER && conn->in.len > 0) {
            buf_append(&conn->in, scratch, (size_t)got);
            used = consume(conn, conn->in.data, conn->in.len);
            if (!conn->closed)
                drop_used(conn, used);
        } else if (conn->state != CONN_LINGER) {
            used = consume(conn, scratch, (size_t)got);
            if (!conn->closed && used < (size_t)got)
                buf_append(&conn->in, scratch + used, (size_t)got - used);
        }
        mem_wipe(scratch, (size_t)got);
        if ((size_t)got < SCRATCH_BYTES)
            return; /* most likely all there is; level-triggered epoll tells if not */
    }
}

/* The client has closed its side while its body is held back: did it leave in the middle?
 * Of a body of chunks that cannot be told before it is read. */
static bool left_in_body(const struct conn *conn)
{
    const struct http_req *req = conn->req;
    int unread = 0;

    if (conn->state != CONN_BODY || req->ended || req->body_length < 0 ||
        ioctl(conn->fd, FIONREAD, &unread) != 0)
        return false;
    return (int64_t)conn->in.len + unread < req->body_left;
}

static void on_event(void *arg, uint32_t events)
{
    struct conn *conn = arg;

    conn_enter(conn);
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        conn_gone(conn);
    } else {
        if ((events & EPOLLOUT) != 0) {
            conn_flush(conn);
            if (!conn->closed && conn->state == CONN_HEAD && conn->in.len > 0)
                conn_mark_dirty(conn); /* a pipelined request waits: next turn */
        }
        if (!conn->closed && (events & EPOLLIN) != 0)
            read_some(conn);
        /* While an answer is being made, the end of the client's sending means that it
         * left. */
        if (!conn->closed && (events & EPOLLRDHUP) != 0 && conn->req != NULL &&
            ((conn->state == CONN_ANSWER && !conn->req->ended) || left_in_body(conn)))
            conn_gone(conn);
        else if (!conn->closed && (events & (EPOLLRDHUP | EPOLLIN)) == EPOLLRDHUP)
            want(
                conn, conn->events & ~(uint32_t)EPOLLRDHUP); /* seen; do not spin on it */
    }
    conn_leave(conn);
}
