/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "nango/adapters/epoll.h"

#define NO_TIMER INT64_MIN
#define STUCK_MS                                                                         \
    120000 /* a turn in which nothing happens for so long is a lost wake-up */

struct loop {
    nango_client *client;
    nango_epoll *adapter; /* the library's own tie instead of this one, with --adapter */
    int epoll;
    int64_t due_ms; /* on the monotonic clock, or NO_TIMER */
    size_t watched;
    bool released; /* the library said that it lets go */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `*slot` marks a descriptor that is in the epoll set. */
static bool watch(void *user, int fd, int events, void **slot)
{
    struct loop *loop = user;
    struct epoll_event event = {.data.fd = fd};

    if (loop->released)
        fault("a descriptor is watched after the loop was released");
    if (events == 0) {
        if (*slot != NULL) {
            /* It may be closed already: then the kernel has forgotten it. */
            (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
            *slot = NULL;
            loop->watched--;
        }
        return true;
    }
    if (events & NANGO_READABLE)
        event.events |= EPOLLIN;
    if (events & NANGO_WRITABLE)
        event.events |= EPOLLOUT;
    if (epoll_ctl(
            loop->epoll, *slot != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        return false;
    if (*slot == NULL)
        loop->watched++;
    *slot = loop;
    return true;
}

static void timer(void *user, int64_t timeout_ms)
{
    struct loop *loop = user;

    if (timeout_ms < -1)
        fault("a timer of %lld ms is asked for", (long long)timeout_ms);
    loop->due_ms = timeout_ms < 0 ? NO_TIMER : now_ms() + timeout_ms;
}

static void released(void *user)
{
    struct loop *loop = user;

    if (loop->released)
        fault("the loop was released twice");
    if (loop->watched != 0)
        fault("the loop was released with %zu descriptors watched", loop->watched);
    loop->released = true;
}

struct loop *loop_new(void)
{
    struct loop *loop = must(calloc(1, sizeof *loop));

    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        fault("epoll_create1: errno %d", errno);
    loop->due_ms = NO_TIMER;
    return loop;
}

void loop_attach(struct loop *loop, nango_client *client, bool adapter)
{
    static const nango_loop operations = {
        .watch = watch, .timer = timer, .released = released};
    nango_error error;

    loop->client = client;
    if (adapter) {
        if (nango_epoll_attach(client, &loop->adapter, &error) != NANGO_OK)
            fault("nango_epoll_attach: %s", error.message);
        return;
    }
    if (nango_attach(client, &operations, loop, &error) != NANGO_OK)
        fault("nango_attach: %s", error.message);
    if (nango_attach(client, &operations, loop, &error) != NANGO_E_STATE)
        fault("a second nango_attach gave %s", nango_code_name(error.code));
}

static void ready(struct loop *loop, const struct epoll_event *event)
{
    int events = 0;

    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        events |= NANGO_READABLE;
    if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        events |= NANGO_WRITABLE;
    nango_ready(loop->client, event->data.fd, events);
}

void loop_turn(struct loop *loop)
{
    struct epoll_event events[64];
    int64_t wait_ms = STUCK_MS;
    int count;

    if (loop->adapter != NULL) {
        if (nango_epoll_run_once(loop->adapter, STUCK_MS) <= 0)
            fault("nothing happens any more");
        return;
    }
    if (loop->due_ms != NO_TIMER) {
        wait_ms = loop->due_ms - now_ms();
        if (wait_ms < 0)
            wait_ms = 0;
    }
    count = epoll_wait(loop->epoll, events, 64, (int)wait_ms);
    if (count < 0 && errno != EINTR)
        fault("epoll_wait: errno %d", errno);
    if (count == 0 && wait_ms == STUCK_MS)
        fault("nothing happens any more, and no timer is set");
    for (int i = 0; i < count; i++)
        ready(loop, &events[i]);
    if (loop->due_ms != NO_TIMER && loop->due_ms <= now_ms()) {
        loop->due_ms = NO_TIMER;
        nango_expired(loop->client);
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->adapter == NULL && !loop->released)
        fault("the client is gone and the loop was not released");
    close(loop->epoll);
    free(loop);
}
