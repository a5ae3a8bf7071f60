/* SPDX-License-Identifier: Apache-2.0 */
/* When libcurl wants to be called: its timer and its sockets, as the reactor's. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/upstream_pool_int.h"

/* A socket of libcurl's. Between two transfers the socket of a kept connection stays
 * watched: most are used again at once, and a watch costs a system call to make and
 * another to drop. */
struct socket_watch {
    struct up_pool *pool;
    struct up_call *call; /* whose socket it is now */
    struct reactor_watch *watch;
    uint32_t events;
    curl_socket_t fd;
    bool ours; /* opened by us for a connection: it lives until that is closed */
    bool idle; /* libcurl does not wait for it */
};

/* ---- time ---- */

static void on_time(void *arg);

static void start_timer(struct up_pool *pool, int64_t now_ms)
{
    pool->timer_due_ms = pool->deadline_ms;
    pool->timer =
        reactor_timer_start(pool->reactor, pool->deadline_ms - now_ms, on_time, pool);
}

static void on_time(void *arg)
{
    struct up_pool *pool = arg;
    int64_t now_ms = clock_mono_ms();

    pool->timer = NULL;
    if (pool->deadline_ms < 0)
        return;
    if (now_ms >= pool->deadline_ms) {
        pool->deadline_ms = -1;
        pool->due = true;
    } else {
        start_timer(pool, now_ms);
    }
}

/* Called for nearly every transfer, mostly to put the deadline off: the timer is left to
 * fire too early and looks then. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct up_pool *pool = arg;
    int64_t now_ms;

    (void)multi;
    pool->due = timeout_ms == 0;
    pool->deadline_ms = -1;
    if (timeout_ms <= 0)
        return 0;
    now_ms = clock_mono_ms();
    pool->deadline_ms = now_ms + timeout_ms;
    if (pool->timer != NULL && pool->timer_due_ms <= pool->deadline_ms)
        return 0;
    reactor_timer_cancel(pool->timer);
    start_timer(pool, now_ms);
    return 0;
}

/* ---- sockets ---- */

static void on_ready(void *arg, uint32_t events)
{
    struct socket_watch *socket = arg;
    struct up_pool *pool = socket->pool;
    struct up_call *call = socket->call; /* `socket` may be gone in a moment */
    int mask = 0, running;

    if (socket->idle) { /* the peer closed it, which libcurl finds out by itself */
        reactor_watch_remove(socket->watch);
        socket->watch = NULL;
        return;
    }

    if ((events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0)
        mask |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0)
        mask |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0)
        mask |= CURL_CSELECT_ERR;
    pool->depth++;
    curl_multi_socket_action(pool->multi, socket->fd, mask, &running);
    pool->depth--;
    pool->check = true;
    up_call_look_again(call);
}

static struct socket_watch **socket_slot(struct up_pool *pool, curl_socket_t fd)
{
    size_t want = (size_t)fd + 1;

    if (want > pool->socket_room) {
        size_t room = pool->socket_room > 0 ? pool->socket_room : 64;

        while (room < want)
            room *= 2;
        pool->sockets = mem_resize_array(pool->sockets, room, sizeof *pool->sockets);
        memset(pool->sockets + pool->socket_room, 0,
            (room - pool->socket_room) * sizeof *pool->sockets);
        pool->socket_room = room;
    }
    return &pool->sockets[fd];
}

static void watch_free(struct socket_watch *socket)
{
    if (socket == NULL)
        return;
    if (socket->call != NULL)
        socket->call->fd = -1;
    reactor_watch_remove(socket->watch);
    free(socket);
}

static struct socket_watch *watch_new(struct up_pool *pool, curl_socket_t fd)
{
    struct socket_watch *socket = MEM_NEW(struct socket_watch);

    socket->pool = pool;
    socket->fd = fd;
    socket->idle = true;
    return socket;
}

static curl_socket_t on_open(
    void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct up_call *call = arg;
    curl_socket_t fd = up_open_socket(&call->guard, purpose, address);
    struct socket_watch **slot;

    if (fd == CURL_SOCKET_BAD)
        return fd;
    slot = socket_slot(call->pool, fd);
    assert(*slot == NULL);
    *slot = watch_new(call->pool, fd);
    (*slot)->ours = true;
    return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct socket_watch **slot = socket_slot(arg, fd);

    watch_free(*slot);
    *slot = NULL;
    return close(fd);
}

/* libcurl waits for it no longer. */
static void watch_rest(struct socket_watch *socket)
{
    curl_multi_assign(socket->pool->multi, socket->fd, NULL);
    if (!socket->ours) { /* a resolver's, which may be closed without our knowing */
        watch_free(socket);
        return;
    }
    if (socket->call != NULL)
        socket->call->fd = -1;
    socket->call = NULL;
    socket->idle = true;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct up_pool *pool = arg;
    struct up_call *call = NULL;
    struct socket_watch *socket = socket_arg;
    uint32_t events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) |
                      ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);

    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL)
            watch_rest(socket);
        return 0;
    }
    if (socket == NULL) {
        socket = *socket_slot(pool, fd);
        if (socket == NULL)
            socket = watch_new(pool, fd);
        curl_multi_assign(pool->multi, fd, socket);
    }
    /* Without room in the kernel for a watch it is tried again at the next change, and at
     * the latest the call's timeout ends what hangs. */
    if (socket->watch == NULL)
        socket->watch = reactor_watch_add(pool->reactor, fd, events, on_ready, socket);
    else if (socket->events != events)
        reactor_watch_change(socket->watch, events);
    socket->events = events;
    socket->idle = false;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
    socket->call = call;
    if (call != NULL)
        call->fd = fd;
    return 0;
}

void up_sockets_init(struct up_pool *pool)
{
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
}

void up_sockets_adopt(struct up_call *call)
{
    curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETDATA, call->pool);
}

void up_sockets_finish(struct up_pool *pool)
{
    reactor_timer_cancel(pool->timer);
    free(pool->sockets);
}
