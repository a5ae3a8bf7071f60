/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server of one reactor: accepting, limits, the idle sweep, draining.
 *
 * Our own code and not libmicrohttpd: that library answers 200 to folded lines, leaves a
 * request with `Transfer-Encoding: gzip, chunked` hanging without an answer, does not
 * watch a suspended connection, and adds twice the latency to a proxied call
 * (docs/internals/http.md has the measurements). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "net/http_server_int.h"
#include "net/reactor_int.h"

#define ACCEPTS_PER_EVENT 64
#define ACCEPT_PAUSE_MS 50
#define EVICT_AGE_MS 1000

/* Who may give way to a new client: it waits for a request, or for the client to close
 * after the last answer, and has done so for a moment, so that nobody loses the
 * connection just made or just answered. What it sent and we did not read yet counts. */
static bool may_be_evicted(const struct conn *conn, int64_t now_ms)
{
    char byte;

    if (now_ms - conn->since_ms < EVICT_AGE_MS)
        return false;
    return conn->state == CONN_LINGER ||
           (conn->state == CONN_HEAD &&
               recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0);
}

/* The one that has been idle for longest; else the first whose body is so slow that half
 * of its grace is used up; else NULL. */
static struct conn *find_idle(const struct http_server *server)
{
    int64_t now_ms = clock_mono_ms();
    int64_t half = server_body_grace(server) / 2;
    struct conn *slow = NULL;

    for (struct conn *conn = server->first; conn != NULL; conn = conn->next) {
        if (may_be_evicted(conn, now_ms))
            return conn;
        if (slow == NULL && conn_body_credit(conn, now_ms) < half)
            slow = conn;
    }
    return slow;
}

static void on_accept(void *arg, uint32_t events);

static void accept_again(void *arg)
{
    struct http_server *server = arg;

    server->accept_again = NULL;
    if (server->watch != NULL || server->draining)
        return;
    server->watch = reactor_watch_add(
        server->reactor, server->config.listen_fd, EPOLLIN, on_accept, server);
    if (server->watch == NULL) /* no room in the kernel: later */
        server->accept_again =
            reactor_timer_start(server->reactor, ACCEPT_PAUSE_MS, accept_again, server);
}

/* Out of descriptors or at the limit, and nobody can give way: new clients wait in the
 * backlog until a connection closes. The timer is for those that become idle. */
static void pause_accepting(struct http_server *server)
{
    reactor_watch_remove(server->watch);
    server->watch = NULL;
    server->accept_again =
        reactor_timer_start(server->reactor, ACCEPT_PAUSE_MS, accept_again, server);
}

void server_has_room(struct http_server *server)
{
    if (server->accept_again == NULL)
        return;
    reactor_timer_cancel(server->accept_again);
    accept_again(server);
}

static bool out_of_descriptors(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
}

static void on_accept(void *arg, uint32_t events)
{
    struct http_server *server = arg;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_EVENT && server->watch != NULL; i++) {
        struct sockaddr_storage peer;
        socklen_t peer_len = sizeof peer;
        struct conn *idle = NULL;
        const int on = 1;
        int fd;

        if (server->connections >= server->config.max_connections) {
            idle = find_idle(server);
            if (idle == NULL) {
                pause_accepting(server);
                return;
            }
        }
        fd = accept4(server->config.listen_fd, (struct sockaddr *)&peer, &peer_len,
            SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* The kernel looks for a free descriptor before it looks for a client: only
             * the first turn knows that one is there. */
            if (i > 0 || !out_of_descriptors())
                return;
            if (idle == NULL)
                idle = find_idle(server);
            if (idle != NULL)
                conn_gone(idle);
            else
                pause_accepting(server);
            return;
        }
        if (idle != NULL)
            conn_gone(idle);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!conn_new(server, fd, (const struct sockaddr *)&peer)) {
            pause_accepting(server);
            return;
        }
    }
}

/* A connection is too old when its head has taken too long, its body or its reader made
 * no progress, its body comes too slowly, or it was idle; a request that a handler works
 * on is the handler's affair. */
static bool is_stale(const struct conn *conn, int64_t now_ms)
{
    const struct http_req *req = conn->req;

    if (conn->state == CONN_ANSWER && conn_waiting(conn) == 0)
        return false;
    if (conn->state == CONN_BODY && (req->taker == TAKER_NONE || req->paused) &&
        conn_waiting(conn) == 0)
        return false;
    if (conn_body_credit(conn, now_ms) < 0)
        return true;
    return now_ms - conn->since_ms > conn->server->config.idle_timeout_s * 1000;
}

static void sweep(void *arg)
{
    struct http_server *server = arg;
    int64_t now_ms = clock_mono_ms();
    int64_t period_ms = server->config.idle_timeout_s * 250;
    struct conn *next;

    for (struct conn *conn = server->first; conn != NULL; conn = next) {
        next = conn->next;
        if (is_stale(conn, now_ms))
            conn_gone(conn);
        else if (conn->state == CONN_LINGER && now_ms - conn->since_ms > 2000)
            conn_close(conn, false);
    }
    if (period_ms > 2000)
        period_ms = 2000;
    server->sweep = reactor_timer_start(server->reactor, period_ms, sweep, server);
}

/* Runs on the reactor's thread, whoever made the server. */
static void begin(void *arg)
{
    struct http_server *server = arg;

    accept_again(server);
    sweep(server);
}

bool http_server_new(struct reactor *reactor, const struct http_server_config *config,
    struct http_server **out, struct err *err)
{
    struct http_server *server = MEM_NEW(struct http_server);

    (void)err; /* nothing here can fail; the interface leaves room for what could */
    server->reactor = reactor;
    server->config = *config;
    if (server->config.idle_timeout_s <= 0)
        server->config.idle_timeout_s = 60;
    if (server->config.body_grace_s <= 0)
        server->config.body_grace_s = 30;
    if (server->config.max_connections == 0)
        server->config.max_connections = 20000;
    if (server->config.max_head_bytes == 0)
        server->config.max_head_bytes = (size_t)32 * 1024;
    server->scratch = mem_alloc(SCRATCH_BYTES);
    crypto_random_hex(server->id_prefix, 8);
    reactor_hook_add(reactor, conn_flush_dirty, server);
    reactor_post(reactor, begin, server);
    *out = server;
    return true;
}

void http_server_drain(struct http_server *server)
{
    server->draining = true;
    /* Whoever comes now is refused at once instead of waiting in the backlog. */
    (void)shutdown(server->config.listen_fd, SHUT_RDWR);
    reactor_watch_remove(server->watch);
    server->watch = NULL;
    for (struct conn *conn = server->first; conn != NULL; conn = conn->next)
        conn->close_after = true;
}

size_t http_server_active(const struct http_server *server)
{
    return atomic_load_explicit(&server->active, memory_order_relaxed);
}

uint64_t http_server_refused(const struct http_server *server)
{
    return atomic_load_explicit(&server->refused, memory_order_relaxed);
}

size_t http_server_connections(const struct http_server *server)
{
    return atomic_load_explicit(&server->connections, memory_order_relaxed);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    /* The loop has returned: what is told here may be answered here, not by mail that
     * nobody reads any more. */
    reactor_adopt(server->reactor);
    reactor_watch_remove(server->watch);
    reactor_timer_cancel(server->sweep);
    reactor_timer_cancel(server->accept_again);
    server->accept_again = NULL;
    while (server->first != NULL)
        conn_gone(server->first);
    (void)conn_flush_dirty(server); /* frees those that waited in the list */
    reactor_hook_remove(server->reactor, conn_flush_dirty, server);
    free(server->scratch);
    free(server);
}
