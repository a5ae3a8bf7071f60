/* SPDX-License-Identifier: Apache-2.0 */
/* Ties a client to a libevent base (2.1 or later).
 *
 *   nango_libevent_attach(client, base, &err);
 *   ... nango_get_token_start(client, ...) ...
 *   event_base_dispatch(base);
 *
 * The client is used on the base's thread, and freed or detached before the base. */
#ifndef NANGO_ADAPTERS_LIBEVENT_H
#define NANGO_ADAPTERS_LIBEVENT_H

#include <event2/event.h>
#include <stdlib.h>

#include "nango/adapters/fail.h"
#include "nango/async.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    struct event_base *base;
    struct event *timer;
    nango_client *client;
} nango_libevent;

static inline void nango_libevent_ready(evutil_socket_t fd, short events, void *user)
{
    int seen = 0;

    if ((events & EV_READ) != 0)
        seen |= NANGO_READABLE;
    if ((events & EV_WRITE) != 0)
        seen |= NANGO_WRITABLE;
    nango_ready((nango_client *)user, (int)fd, seen);
}

static inline void nango_libevent_expired(evutil_socket_t fd, short events, void *user)
{
    (void)fd;
    (void)events;
    nango_expired((nango_client *)user);
}

static inline bool nango_libevent_watch(void *user, int fd, int events, void **slot)
{
    nango_libevent *ev = (nango_libevent *)user;
    struct event *event = (struct event *)*slot;
    int wanted = EV_PERSIST;

    if (events == 0) {
        *slot = NULL;
        if (event != NULL)
            event_free(event);
        return true;
    }
    if ((events & NANGO_READABLE) != 0)
        wanted |= EV_READ;
    if ((events & NANGO_WRITABLE) != 0)
        wanted |= EV_WRITE;
    if (event == NULL) {
        event = event_new(ev->base, fd, (short)wanted, nango_libevent_ready, ev->client);
        *slot = event;
        return event != NULL && event_add(event, NULL) == 0;
    }
    /* An event is changed only while the base does not hold it. */
    return event_del(event) == 0 &&
           event_assign(event, ev->base, fd, (short)wanted, nango_libevent_ready,
               ev->client) == 0 &&
           event_add(event, NULL) == 0;
}

static inline void nango_libevent_timer(void *user, int64_t timeout_ms)
{
    nango_libevent *ev = (nango_libevent *)user;
    struct timeval when;

    if (timeout_ms < 0) {
        (void)event_del(ev->timer);
        return;
    }
    when.tv_sec = (time_t)(timeout_ms / 1000);
    when.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000);
    /* The base's clock stood still since its turn began. */
    (void)event_base_update_cache_time(ev->base);
    (void)event_add(ev->timer, &when);
}

static inline void nango_libevent_released(void *user)
{
    nango_libevent *ev = (nango_libevent *)user;

    event_free(ev->timer);
    free(ev);
}

/* Attaches the client to `base`. Fails as nango_attach(). */
static inline nango_code nango_libevent_attach(
    nango_client *client, struct event_base *base, nango_error *err)
{
    static const nango_loop operations = {nango_libevent_watch, nango_libevent_timer,
        nango_libevent_released, {NULL, NULL}};
    nango_libevent *ev = (nango_libevent *)calloc(1, sizeof *ev);
    nango_code code;

    if (ev != NULL)
        ev->timer = event_new(base, -1, 0, nango_libevent_expired, client);
    if (ev == NULL || ev->timer == NULL) {
        free(ev);
        return nango_adapter_fail(err, NANGO_E_MEMORY, 0, "out of memory");
    }
    ev->base = base;
    ev->client = client;
    code = nango_attach(client, &operations, ev, err);
    if (code != NANGO_OK)
        nango_libevent_released(ev);
    return code;
}

#ifdef __cplusplus
}
#endif
#endif
