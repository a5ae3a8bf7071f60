/* SPDX-License-Identifier: Apache-2.0 */
/* Ties a client to a libuv loop.
 *
 *   nango_libuv_attach(client, uv_default_loop(), &err);
 *   ... nango_get_token_start(client, ...) ...
 *   uv_run(uv_default_loop(), UV_RUN_DEFAULT);
 *
 * libuv closes handles at its leisure: after nango_detach() or nango_client_free() the loop
 * has to run once more before it can be closed. The client is used on the loop's thread. */
#ifndef NANGO_ADAPTERS_LIBUV_H
#define NANGO_ADAPTERS_LIBUV_H

#include <stdlib.h>
#include <uv.h>

#include "nango/adapters/fail.h"
#include "nango/async.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uv_timer_t timer;
    uv_loop_t *loop;
    nango_client *client;
} nango_libuv;

/* One watched descriptor. */
typedef struct {
    uv_poll_t poll;
    nango_client *client;
    int fd;
} nango_libuv_poll;

static inline void nango_libuv_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static inline void nango_libuv_ready(uv_poll_t *handle, int status, int events)
{
    const nango_libuv_poll *poll = (const nango_libuv_poll *)handle->data;
    int seen = 0;

    /* After an error whatever is tried tells what it was. */
    if (status < 0 || (events & UV_READABLE) != 0)
        seen |= NANGO_READABLE;
    if (status < 0 || (events & UV_WRITABLE) != 0)
        seen |= NANGO_WRITABLE;
    nango_ready(poll->client, poll->fd, seen);
}

static inline void nango_libuv_expired(uv_timer_t *timer)
{
    nango_expired(((nango_libuv *)timer->data)->client);
}

static inline bool nango_libuv_watch(void *user, int fd, int events, void **slot)
{
    nango_libuv *uv = (nango_libuv *)user;
    nango_libuv_poll *poll = (nango_libuv_poll *)*slot;
    int wanted = 0;

    if (events == 0) {
        /* The number is free for another descriptor from here on; the memory is not. */
        *slot = NULL;
        if (poll != NULL)
            uv_close((uv_handle_t *)&poll->poll, nango_libuv_closed);
        return true;
    }
    if (poll == NULL) {
        poll = (nango_libuv_poll *)calloc(1, sizeof *poll);
        if (poll == NULL)
            return false;
        poll->client = uv->client;
        poll->fd = fd;
        if (uv_poll_init(uv->loop, &poll->poll, fd) != 0) {
            free(poll);
            return false;
        }
        poll->poll.data = poll;
        *slot = poll;
    }
    if ((events & NANGO_READABLE) != 0)
        wanted |= UV_READABLE;
    if ((events & NANGO_WRITABLE) != 0)
        wanted |= UV_WRITABLE;
    return uv_poll_start(&poll->poll, wanted, nango_libuv_ready) == 0;
}

static inline void nango_libuv_timer(void *user, int64_t timeout_ms)
{
    nango_libuv *uv = (nango_libuv *)user;

    if (timeout_ms < 0) {
        (void)uv_timer_stop(&uv->timer);
        return;
    }
    uv_update_time(uv->loop); /* the loop's clock stood still since its turn began */
    (void)uv_timer_start(&uv->timer, nango_libuv_expired, (uint64_t)timeout_ms, 0);
}

static inline void nango_libuv_released(void *user)
{
    nango_libuv *uv = (nango_libuv *)user;

    uv_close((uv_handle_t *)&uv->timer, nango_libuv_closed);
}

/* Attaches the client to `loop`. Fails as nango_attach(). */
static inline nango_code nango_libuv_attach(
    nango_client *client, uv_loop_t *loop, nango_error *err)
{
    static const nango_loop operations = {
        nango_libuv_watch, nango_libuv_timer, nango_libuv_released, {NULL, NULL}};
    nango_libuv *uv = (nango_libuv *)calloc(1, sizeof *uv);
    nango_code code;

    if (uv == NULL)
        return nango_adapter_fail(err, NANGO_E_MEMORY, 0, "out of memory");
    uv->loop = loop;
    uv->client = client;
    (void)uv_timer_init(loop, &uv->timer);
    uv->timer.data = uv;
    code = nango_attach(client, &operations, uv, err);
    if (code != NANGO_OK)
        nango_libuv_released(uv);
    return code;
}

#ifdef __cplusplus
}
#endif
#endif
