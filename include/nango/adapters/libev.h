/* SPDX-License-Identifier: Apache-2.0 */
/* Ties a client to a libev loop.
 *
 *   nango_libev_attach(client, EV_DEFAULT, &err);
 *   ... nango_get_token_start(client, ...) ...
 *   ev_run(EV_DEFAULT, 0);
 *
 * The client is used on the loop's thread, and freed or detached before the loop ends. */
#ifndef NANGO_ADAPTERS_LIBEV_H
#define NANGO_ADAPTERS_LIBEV_H

#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "nango/adapters/fail.h"
#include "nango/async.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    ev_timer timer;
    struct ev_loop *loop;
    nango_client *client;
} nango_libev;

static inline void nango_libev_ready(struct ev_loop *loop, ev_io *io, int events)
{
    nango_client *client = (nango_client *)io->data;
    const int fd = io->fd; /* the watcher may be gone once the client was told */
    int seen = 0;

    (void)loop;
    /* After an error whatever is tried tells what it was. */
    if ((events & (EV_READ | EV_ERROR)) != 0)
        seen |= NANGO_READABLE;
    if ((events & (EV_WRITE | EV_ERROR)) != 0)
        seen |= NANGO_WRITABLE;
    nango_ready(client, fd, seen);
}

static inline void nango_libev_expired(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    nango_expired((nango_client *)timer->data);
}

static inline bool nango_libev_watch(void *user, int fd, int events, void **slot)
{
    nango_libev *ev = (nango_libev *)user;
    ev_io *io = (ev_io *)*slot;
    int wanted = 0;

    if (io != NULL)
        ev_io_stop(ev->loop, io); /* also takes back what it was about to tell */
    if (events == 0) {
        *slot = NULL;
        free(io);
        return true;
    }
    if (io == NULL) {
        io = (ev_io *)calloc(1, sizeof *io);
        if (io == NULL)
            return false;
        ev_init(io, nango_libev_ready);
        io->data = ev->client;
        *slot = io;
    }
    if ((events & NANGO_READABLE) != 0)
        wanted |= EV_READ;
    if ((events & NANGO_WRITABLE) != 0)
        wanted |= EV_WRITE;
    ev_io_set(io, fd, wanted);
    ev_io_start(ev->loop, io);
    return true;
}

static inline void nango_libev_timer(void *user, int64_t timeout_ms)
{
    nango_libev *ev = (nango_libev *)user;

    ev_timer_stop(ev->loop, &ev->timer);
    if (timeout_ms < 0)
        return;
    ev_now_update(ev->loop); /* the loop's clock stood still since its turn began */
    ev_timer_set(&ev->timer, (double)timeout_ms / 1000.0, 0.0);
    ev_timer_start(ev->loop, &ev->timer);
}

static inline void nango_libev_released(void *user)
{
    nango_libev *ev = (nango_libev *)user;

    ev_timer_stop(ev->loop, &ev->timer);
    free(ev);
}

/* Attaches the client to `loop`. Fails as nango_attach(). */
static inline nango_code nango_libev_attach(
    nango_client *client, struct ev_loop *loop, nango_error *err)
{
    static const nango_loop operations = {
        nango_libev_watch, nango_libev_timer, nango_libev_released, {NULL, NULL}};
    nango_libev *ev = (nango_libev *)calloc(1, sizeof *ev);
    nango_code code;

    if (ev == NULL)
        return nango_adapter_fail(err, NANGO_E_MEMORY, 0, "out of memory");
    ev->loop = loop;
    ev->client = client;
    ev_init(&ev->timer, nango_libev_expired);
    ev->timer.data = client;
    code = nango_attach(client, &operations, ev, err);
    if (code != NANGO_OK)
        nango_libev_released(ev);
    return code;
}

#ifdef __cplusplus
}
#endif
#endif
