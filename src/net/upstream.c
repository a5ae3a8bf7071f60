/* SPDX-License-Identifier: Apache-2.0 */
/* Event-driven calls: one libcurl multi handle a reactor.
 *
 * libcurl says which sockets it waits for (watches of the reactor) and when it wants to
 * be called for time (a timer; "at once" is served by the hook, in the same turn of the
 * loop, see the pitfalls in docs/internals/http.md). Whatever must not happen inside a
 * libcurl callback (adding, resuming, removing or ending a call) is put in a list and
 * done by the hook.
 *
 *   up_start ─► QUEUED ─hook─► in libcurl ─► done ─hook─► on_done ─► spare
 *                 └─refused before libcurl was asked──────────┘
 *
 * A call and its libcurl handle are one object that is used again: a handle costs 10 µs
 * to make and its callbacks' arguments never change. Connections are shared by all calls
 * of the pool that were judged by the same policy; a call under another policy, or with a
 * client certificate, gets a connection of its own.
 *
 * Idle calls are found by a tick a second, not by libcurl's own speed check, which wakes
 * up once a second for every transfer. A call that is paused by our side is never idle:
 * the side that paused it has its own time limit. */
#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/inflate.h"
#include "net/upstream_pool_int.h"

#define SPARE_CALLS 256
#define TICK_MS 1000

/* ---- things to do once libcurl has returned ---- */

void up_call_enqueue(struct up_call *call)
{
    if (call->queued)
        return;
    call->queued = true;
    call->next_queued = NULL;
    *call->pool->queue_end = call;
    call->pool->queue_end = &call->next_queued;
}

/* libcurl (7.88 at least) stops sending when an answer ends before the request did, but
 * does not forget that sending was paused, and then waits for ever. So whatever comes
 * after an answer's head lifts the pause; on_wanted() sets it anew while it is true. */
void up_call_look_again(struct up_call *call)
{
    /* Newer ones have sockets of their own, which belong to no call. */
    if (call == NULL || !call->body_paused || !(call->head.complete || call->looks_first))
        return;
    call->looks_first = false;
    call->resume_body = true;
    up_call_enqueue(call);
}

/* ---- the list of calls, by progress ---- */

static void list_remove(struct up_call *call)
{
    struct up_pool *pool = call->pool;

    *(call->prev != NULL ? &call->prev->next : &pool->first) = call->next;
    *(call->next != NULL ? &call->next->prev : &pool->last) = call->prev;
    call->prev = call->next = NULL;
}

static void list_append(struct up_call *call)
{
    struct up_pool *pool = call->pool;

    call->prev = pool->last;
    call->next = NULL;
    *(pool->last != NULL ? &pool->last->next : &pool->first) = call;
    pool->last = call;
}

static void progress(struct up_call *call)
{
    if (call->progress_tick == call->pool->tick_count)
        return;
    call->progress_tick = call->pool->tick_count;
    list_remove(call);
    list_append(call);
}

static void on_tick(void *arg)
{
    struct up_pool *pool = arg;

    pool->tick = NULL;
    pool->tick_count++;
    for (struct up_call *call = pool->first; call != NULL; call = call->next) {
        if (pool->tick_count - call->progress_tick <= pool->idle_ticks)
            break; /* those behind made progress later */
        if (call->paused || call->body_paused || call->early != UP_OK)
            continue;
        call->early = UP_TIMEOUT;
        up_call_enqueue(call);
    }
    if (pool->active > 0)
        pool->tick = reactor_timer_start(pool->reactor, TICK_MS, on_tick, pool);
}

/* ---- libcurl's callbacks for one call ---- */

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct up_call *call = arg;
    size_t len = size * count;

    if (call->cancelled)
        return 0;
    progress(call);
    if (up_head_line(&call->head, line, len)) {
        if (call->inflate && call->head.status != 206)
            call->inflater = up_head_inflate(&call->head);
        call->ops.on_head(call->arg, call->head.status, &call->head.headers);
    } else if (call->head.refused) {
        return 0;
    }
    up_call_look_again(call);
    return call->cancelled ? 0 : len;
}

static bool give(void *arg, const char *data, size_t len)
{
    struct up_call *call = arg;

    return !call->cancelled && call->ops.on_data(call->arg, data, len);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct up_call *call = arg;
    size_t len = size * count;
    enum inflate_result result;

    if (call->cancelled)
        return 0;
    progress(call);
    if (call->inflater != NULL)
        result = inflater_feed(call->inflater, data, len, give, call);
    else
        result = give(call, data, len) ? INFLATE_ON : INFLATE_WAIT;
    if (call->cancelled || result == INFLATE_BROKEN)
        return 0;
    if (result == INFLATE_WAIT) {
        call->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    up_call_look_again(call);
    return call->cancelled ? 0 : len;
}

/* Did something arrive? A provider that refuses a body answers and closes: who goes on
 * sending then meets the close, and libcurl forgets the answer over it. */
static bool has_news(const struct up_call *call)
{
    struct pollfd one = {.fd = call->fd, .events = POLLIN};

    return call->fd >= 0 && poll(&one, 1, 0) > 0;
}

static size_t on_wanted(char *out, size_t size, size_t count, void *arg)
{
    struct up_call *call = arg;
    size_t got, room = size * count;

    if (call->cancelled)
        return CURL_READFUNC_ABORT;
    progress(call);
    if (!call->streams) {
        got = call->bytes_len - call->bytes_at;
        got = got < room ? got : room;
        memcpy(out, call->bytes + call->bytes_at, got);
        call->bytes_at += got;
        return got;
    }
    if (call->body_started && !call->head.complete && has_news(call)) {
        call->body_paused = call->looks_first = true;
        return CURL_READFUNC_PAUSE;
    }
    got = call->ops.on_need(call->arg, out, room);
    if (call->cancelled || got == UP_ABORT)
        return CURL_READFUNC_ABORT;
    if (got == UP_WAIT) {
        call->body_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    assert(got <= room);
    call->body_started = call->body_started || got > 0;
    return got;
}

/* A request that may have been carried out is not sent again (RFC 9110 section 9.2.2),
 * but libcurl does so when a connection that it had kept dies before the answer. */
static int on_sending(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct up_call *call = arg;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    call->sendings++;
    if (call->sendings == 1 || call->repeatable)
        return CURL_PREREQFUNC_OK;
    call->early = UP_RESET;
    return CURL_PREREQFUNC_ABORT;
}

/* libcurl sends a request anew when a connection that it had kept was closed: the body
 * must start over. What was streamed cannot. */
static int on_rewind(void *arg, curl_off_t offset, int origin)
{
    struct up_call *call = arg;

    if (origin != SEEK_SET || offset != 0 || (call->streams && call->body_started))
        return CURL_SEEKFUNC_CANTSEEK;
    call->bytes_at = 0;
    return CURL_SEEKFUNC_OK;
}

/* ---- calls ---- */

static struct up_call *call_new(struct up_pool *pool)
{
    struct up_call *call = pool->spare;

    if (call != NULL) {
        pool->spare = call->next;
        pool->spare_count--;
        memset((char *)call + offsetof(struct up_call, ops), 0,
            sizeof *call - offsetof(struct up_call, ops));
        return call;
    }
    call = MEM_NEW(struct up_call);
    call->pool = pool;
    up_head_init(&call->head);
    call->easy = curl_easy_init();
    if (call->easy == NULL)
        abort();
    up_setup_handle(call->easy, pool->config.ca_file, pool->config.connect_timeout_ms);
    curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(call->easy, CURLOPT_READFUNCTION, on_wanted);
    curl_easy_setopt(call->easy, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(call->easy, CURLOPT_PREREQFUNCTION, on_sending);
    curl_easy_setopt(call->easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_READDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_SEEKDATA, call);
    up_sockets_adopt(call);
    return call;
}

static void call_destroy(struct up_call *call)
{
    curl_easy_cleanup(call->easy);
    up_head_finish(&call->head);
    free(call);
}

static enum up_failure refuse_early(const struct up_request *request, const char **text)
{
    struct err err = {0};

    if (!up_request_is_sound(request)) {
        *text = "The request's method or a header field is not valid";
        return UP_FAILED;
    }
    if (request->policy != NULL && !policy_check_url(request->policy, request->url, &err))
        return UP_DENIED;
    return UP_OK;
}

/* RFC 9110 section 9.2.2, and the two of WebDAV that only read. */
static bool is_idempotent(const char *method)
{
    static const char *const names[] = {
        "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "REPORT"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_eq(method, names[i]))
            return true;
    }
    return false;
}

struct up_call *up_start(struct up_pool *pool, const struct up_request *request,
    const struct up_ops *ops, void *arg)
{
    struct up_call *call = call_new(pool);

    if (!pool->spares) {
        pool->spares = true;
        up_spare_receive_buffers();
    }
    call->ops = *ops;
    call->arg = arg;
    call->inflate = request->decompress;
    call->one_way = request->client_certificate_pem != NULL;
    call->streams = request->body_kind == UP_BODY_STREAM;
    call->repeatable = is_idempotent(request->method);
    if (request->body_kind == UP_BODY_BYTES) {
        call->bytes = request->body;
        call->bytes_len = (size_t)request->body_len;
    }
    call->fd = -1;
    call->progress_tick = pool->tick_count;
    list_append(call);
    pool->active++;
    if (pool->tick == NULL)
        pool->tick = reactor_timer_start(pool->reactor, TICK_MS, on_tick, pool);
    call->guard.denied = false;
    call->early = refuse_early(request, &call->early_text);
    if (call->early == UP_OK) {
        bool shared = !call->one_way && up_owner_admits(&pool->owner, request->policy);

        call->list = up_setup_request(call->easy, request, &call->guard, shared);
    }
    up_call_enqueue(call);
    return call;
}

static void unqueue(struct up_call *call)
{
    struct up_pool *pool = call->pool;

    if (!call->queued)
        return;
    for (struct up_call **at = &pool->queue; *at != NULL; at = &(*at)->next_queued) {
        if (*at != call)
            continue;
        *at = call->next_queued;
        if (pool->queue_end == &call->next_queued)
            pool->queue_end = at;
        break;
    }
    call->queued = false;
}

static void call_free(struct up_call *call)
{
    struct up_pool *pool = call->pool;

    unqueue(call);
    if (call->added)
        curl_multi_remove_handle(pool->multi, call->easy);
    list_remove(call);
    pool->active--;
    inflater_free(call->inflater);
    up_head_reset(&call->head);
    up_free_list(call->list);
    if (call->one_way || pool->spare_count == SPARE_CALLS) {
        call_destroy(call);
        return;
    }
    /* Nothing of the caller's stays with the handle. */
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, NULL);
    if (call->bytes != NULL)
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, NULL);
    call->next = pool->spare;
    pool->spare = call;
    pool->spare_count++;
}

void up_cancel(struct up_call *call)
{
    call->cancelled = true;
    if (call->pool->depth > 0)
        up_call_enqueue(call); /* libcurl may be working on it just now */
    else
        call_free(call);
}

void up_resume(struct up_call *call)
{
    call->resume = true;
    up_call_enqueue(call);
}

void up_resume_body(struct up_call *call)
{
    call->resume_body = true;
    up_call_enqueue(call);
}

static void finish(struct up_call *call, enum up_failure failure, const char *message)
{
    if (!call->cancelled)
        call->ops.on_done(
            call->arg, failure, message != NULL ? message : up_failure_text(failure));
    call_free(call);
}

/* What was asked for while libcurl was at work, or must not happen inside up_start(). */
static void serve(struct up_call *call)
{
    struct up_pool *pool = call->pool;
    bool resume = call->resume && call->paused;
    bool resume_body = call->resume_body && call->body_paused;

    call->resume = call->resume_body = false;
    if (call->cancelled) {
        call_free(call);
    } else if (call->early != UP_OK) {
        finish(call, call->early, call->early_text);
    } else if (!call->added) {
        call->added = curl_multi_add_handle(pool->multi, call->easy) == CURLM_OK;
        if (!call->added)
            finish(call, UP_FAILED, NULL);
    } else if (resume || resume_body) {
        int still;

        call->progress_tick = pool->tick_count - 1; /* progress() moves it to the end */
        progress(call);
        if (resume)
            call->paused = false;
        if (resume_body)
            call->body_paused = false;
        still = (call->paused ? CURLPAUSE_RECV : 0) |
                (call->body_paused ? CURLPAUSE_SEND : 0);
        pool->depth++;
        curl_easy_pause(call->easy, still);
        pool->depth--;
        pool->check = true;
    }
}

static enum up_failure failure_of(const struct up_call *call, CURLcode code)
{
    enum up_failure failure = up_failure_of(call->easy, code, &call->guard);

    if (call->early != UP_OK)
        return call->early;
    if (failure != UP_OK)
        return failure;
    if (!call->head.complete ||
        (call->inflater != NULL && !inflater_is_whole(call->inflater)))
        return UP_FAILED;
    return UP_OK;
}

static void collect_done(struct up_pool *pool)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        struct up_call *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
        finish(call, failure_of(call, code), NULL);
    }
}

/* The reactor's hook: true when it did something. */
static bool turn(void *arg)
{
    struct up_pool *pool = arg;
    bool worked = false;
    int running;

    while (pool->queue != NULL) {
        struct up_call *call = pool->queue;

        unqueue(call);
        serve(call);
        worked = true;
    }
    if (pool->due) {
        pool->due = false;
        pool->depth++;
        curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        pool->depth--;
        pool->check = true;
        worked = true;
    }
    if (pool->check) {
        pool->check = false;
        collect_done(pool);
        worked = true;
    }
    return worked;
}

/* ---- the pool ---- */

struct up_pool *up_pool_new(struct reactor *reactor, const struct up_config *config)
{
    struct up_pool *pool = MEM_NEW(struct up_pool);
    int64_t idle_ms = config->idle_timeout_ms > 0 ? config->idle_timeout_ms : 300000;

    pool->reactor = reactor;
    pool->config = *config;
    pool->deadline_ms = -1;
    pool->idle_ticks = (uint64_t)((idle_ms + TICK_MS - 1) / TICK_MS);
    pool->queue_end = &pool->queue;
    pool->multi = curl_multi_init();
    if (pool->multi == NULL)
        abort();
    up_sockets_init(pool);
    curl_multi_setopt(pool->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
        (long)(config->max_connections > 0 ? config->max_connections : 2000));
    reactor_hook_add(reactor, turn, pool);
    return pool;
}

size_t up_pool_active(const struct up_pool *pool)
{
    return atomic_load_explicit(&pool->active, memory_order_relaxed);
}

void up_pool_free(struct up_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->first != NULL) {
        pool->first->cancelled = true;
        call_free(pool->first);
    }
    reactor_hook_remove(pool->reactor, turn, pool);
    while (pool->spare != NULL) {
        struct up_call *call = pool->spare;

        pool->spare = call->next;
        call_destroy(call);
    }
    curl_multi_cleanup(pool->multi); /* closes what it kept */
    up_sockets_finish(pool);
    reactor_timer_cancel(pool->tick);
    up_owner_finish(&pool->owner);
    free(pool);
}
