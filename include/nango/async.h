/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that do not wait.
 *
 * Every method has a second form with `_start` at its end. It returns at once; when the
 * answer is there, the callback runs, on the thread that drives the client's event loop.
 * The library has no loop of its own: nango_attach() ties a client to the caller's, which
 * watches descriptors and a timer on its behalf. Ready-made ties are in nango/adapters/:
 * libuv, libev, libevent and plain epoll.
 *
 *   loop sees a descriptor ready --> nango_ready() --+--> callbacks of the calls that ended
 *   loop's timer runs out --------> nango_expired() -+
 *
 * A callback runs exactly once for each call that was started: with its result, with an
 * error, or with NANGO_E_CANCELLED. It never runs before the `_start` function returned.
 * Within a callback one may start, cancel, pause and resume calls; not wait for one (a
 * blocking method then fails with NANGO_E_STATE), detach, or free the client.
 *
 * In a callback `error` is never NULL; its code is NANGO_OK after success. The result
 * belongs to the callback, as that of the blocking form to its caller; NULL on failure. */
#ifndef NANGO_ASYNC_H
#define NANGO_ASYNC_H

#include "nango/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a descriptor is watched for; both may be set, none means no longer watched. */
#define NANGO_READABLE 1
#define NANGO_WRITABLE 2

/* What the library asks of an event loop. `loop` is what nango_attach() was given. */
typedef struct {
    /* Watch `fd` for `events` from now on, instead of what was asked before; 0: forget it.
     * `*slot` is the loop's own pointer for that descriptor, NULL at first. False when it
     * cannot: the calls concerned fail. */
    bool (*watch)(void *loop, int fd, int events, void **slot);
    /* Call nango_expired() once, in `timeout_ms` milliseconds from now, instead of at the
     * time asked before; -1: not at all. 0 still means later, never at once. */
    void (*timer)(void *loop, int64_t timeout_ms);
    /* Nothing refers to `loop` any more: its descriptors are forgotten and its timer is
     * stopped. Not called when nango_attach() fails. May be NULL. */
    void (*released)(void *loop);
    const void *reserved[2];
} nango_loop;

/* Ties the client to an event loop. `operations` is copied, `loop` borrowed until
 * operations->released. Fails with NANGO_E_STATE when there is one already or
 * a callback of the client runs, and NANGO_E_MEMORY. */
NANGO_API nango_code nango_attach(
    nango_client *client, const nango_loop *operations, void *loop, nango_error *err);

/* Cancels the calls that are under way and lets go of the loop. nango_client_free() does
 * it too. */
NANGO_API void nango_detach(nango_client *client);

/* The loop saw `events` (NANGO_READABLE, NANGO_WRITABLE or both) on `fd`. Callbacks run
 * from here. Within a callback it does nothing: the loop has to tell again what is still so
 * (level-triggered, which all the adapters are). */
NANGO_API void nango_ready(nango_client *client, int fd, int events);

/* The time that was asked of operations->timer is over. Callbacks run from here. */
NANGO_API void nango_expired(nango_client *client);

/* How many calls were started and have not ended. */
NANGO_API size_t nango_calls_active(const nango_client *client);

/* Ends a call: its callback runs with NANGO_E_CANCELLED before this returns; or soon after,
 * if this is called within a stream's callback, and then nothing else of the call's runs
 * before. `call` is valid from the `_start` function to the end of its callback. */
NANGO_API void nango_call_cancel(nango_call *call);

/* Stops reading the answer of a streamed call, until nango_call_resume(): the sender has
 * to wait. May be called within the stream's own callbacks. */
NANGO_API void nango_call_pause(nango_call *call);

/* Goes on with a paused call. */
NANGO_API void nango_call_resume(nango_call *call);

/* The callback of methods whose result is the plain response. */
typedef void nango_response_done(
    nango_response *response, const nango_error *error, void *user);

#ifdef __cplusplus
}
#endif
#endif
