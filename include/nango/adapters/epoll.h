/* SPDX-License-Identifier: Apache-2.0 */
/* Ties a client to an epoll set of its own, for programs without an event loop, or with one
 * that is not among the other adapters: the set is a single descriptor, readable whenever
 * there is something to do, timers included.
 *
 *   nango_epoll *loop;
 *   nango_epoll_attach(client, &loop, &err);
 *   ... nango_get_token_start(client, ...) ...
 *   while (nango_calls_active(client) > 0)
 *       nango_epoll_run_once(loop, -1);
 *
 * nango_detach() and nango_client_free() free the loop. Linux only. */
#ifndef NANGO_ADAPTERS_EPOLL_H
#define NANGO_ADAPTERS_EPOLL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "nango/adapters/fail.h"
#include "nango/async.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NANGO_EPOLL_BATCH 16

/* CLOCK_MONOTONIC, which <time.h> names only for programs that ask it for POSIX. */
#define NANGO_EPOLL_CLOCK 1

typedef struct {
    nango_client *client;
    int set;   /* the epoll set; -1 while there is none */
    int timer; /* a timerfd within it; likewise */
    struct epoll_event batch[NANGO_EPOLL_BATCH];
    int batch_size;
} nango_epoll;

static inline bool nango_epoll_watch(void *user, int fd, int events, void **slot)
{
    nango_epoll *loop = (nango_epoll *)user;
    struct epoll_event wanted;
    int how = *slot != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int i;

    memset(&wanted, 0, sizeof wanted);
    wanted.data.fd = fd;
    if ((events & NANGO_READABLE) != 0)
        wanted.events |= EPOLLIN;
    if ((events & NANGO_WRITABLE) != 0)
        wanted.events |= EPOLLOUT;
    if (events == 0) {
        /* What was already read from the set belongs to the old descriptor of that number. */
        for (i = 0; i < loop->batch_size; i++)
            if (loop->batch[i].data.fd == fd)
                loop->batch[i].events = 0;
        how = EPOLL_CTL_DEL;
    }
    if (epoll_ctl(loop->set, how, fd, &wanted) != 0)
        return events == 0;
    *slot = events != 0 ? loop : NULL;
    return true;
}

static inline void nango_epoll_timer(void *user, int64_t timeout_ms)
{
    nango_epoll *loop = (nango_epoll *)user;
    struct itimerspec when;

    memset(&when, 0, sizeof when); /* all zero: not at all */
    if (timeout_ms > 0) {
        when.it_value.tv_sec = (time_t)(timeout_ms / 1000);
        when.it_value.tv_nsec = (long)(timeout_ms % 1000) * 1000000;
    } else if (timeout_ms == 0) {
        when.it_value.tv_nsec = 1; /* as soon as the set is looked at */
    }
    (void)timerfd_settime(loop->timer, 0, &when, NULL);
}

static inline void nango_epoll_released(void *user)
{
    nango_epoll *loop = (nango_epoll *)user;

    if (loop->timer >= 0)
        (void)close(loop->timer);
    if (loop->set >= 0)
        (void)close(loop->set);
    free(loop);
}

/* Makes the loop and attaches it. Fails as nango_attach(), and with NANGO_E_STATE and the
 * errno when there are no descriptors left. */
static inline nango_code nango_epoll_attach(
    nango_client *client, nango_epoll **out, nango_error *err)
{
    static const nango_loop operations = {
        nango_epoll_watch, nango_epoll_timer, nango_epoll_released, {NULL, NULL}};
    nango_epoll *loop = (nango_epoll *)calloc(1, sizeof *loop);
    struct epoll_event wanted;
    nango_code code;

    *out = NULL;
    if (loop == NULL)
        return nango_adapter_fail(err, NANGO_E_MEMORY, 0, "out of memory");
    memset(&wanted, 0, sizeof wanted);
    loop->client = client;
    loop->set = epoll_create1(EPOLL_CLOEXEC);
    loop->timer = loop->set < 0
                      ? -1
                      : timerfd_create(NANGO_EPOLL_CLOCK, TFD_NONBLOCK | TFD_CLOEXEC);
    wanted.events = EPOLLIN;
    wanted.data.fd = loop->timer;
    if (loop->timer >= 0 &&
        epoll_ctl(loop->set, EPOLL_CTL_ADD, loop->timer, &wanted) == 0)
        code = nango_attach(client, &operations, loop, err);
    else
        code = nango_adapter_fail(err, NANGO_E_STATE, errno, "no descriptors are left");
    if (code == NANGO_OK)
        *out = loop;
    else
        nango_epoll_released(loop);
    return code;
}

/* The set, to be watched for reading by whatever loop there is: nango_epoll_run_once() is
 * called when it is readable. */
static inline int nango_epoll_fd(const nango_epoll *loop)
{
    return loop->set;
}

/* Waits at most `timeout_ms` (-1: without limit, 0: not at all) for something to do, and
 * does it: callbacks run from here. How many descriptors were ready; -1 with errno. Not
 * from within a callback. */
static inline int nango_epoll_run_once(nango_epoll *loop, int timeout_ms)
{
    int count = epoll_wait(loop->set, loop->batch, NANGO_EPOLL_BATCH, timeout_ms);
    int i;

    if (count < 0)
        return errno == EINTR ? 0 : -1;
    loop->batch_size = count;
    for (i = 0; i < count; i++) {
        const unsigned seen = loop->batch[i].events;
        const int fd = loop->batch[i].data.fd;
        uint64_t times;
        int events = 0;

        if (seen == 0)
            continue; /* forgotten by a callback that ran just now */
        if (fd == loop->timer) {
            /* Nothing to read: it was set anew since. */
            if (read(fd, &times, sizeof times) == (ssize_t)sizeof times)
                nango_expired(loop->client);
            continue;
        }
        if ((seen & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            events |= NANGO_READABLE;
        if ((seen & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
            events |= NANGO_WRITABLE;
        nango_ready(loop->client, fd, events);
    }
    loop->batch_size = 0;
    return count;
}

#ifdef __cplusplus
}
#endif
#endif
