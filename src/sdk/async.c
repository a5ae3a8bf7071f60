/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that do not wait, on the caller's event loop, by libcurl's multi_socket interface.
 *
 *   NGO_QUEUED ---> NGO_MOVING ---> NGO_ENDED
 *        ^           |      ^           ^
 *        |           v      |           |  from each state by cancelling
 *        +--------- NGO_WAITING --------+  or when the loop is let go of
 *
 * libcurl forbids adding and removing handles while one of its callbacks runs, and users
 * may start and cancel calls whenever they like; what cannot be done at once is done in
 * settle(), when libcurl has returned. */
#include <string.h>

#include "sdk/client_int.h"

static void link_call(nango_call *call)
{
    nango_client *client = call->client;

    call->next = client->calls;
    if (call->next != NULL)
        call->next->previous = call;
    client->calls = call;
    client->call_count++;
}

/* Behind those that wait already: calls go out in the order in which they were started. */
static void enqueue(nango_call *call)
{
    nango_client *client = call->client;

    call->queue_next = NULL;
    if (client->queue_tail != NULL)
        client->queue_tail->queue_next = call;
    else
        client->queue = call;
    client->queue_tail = call;
}

static void dequeue(nango_call *call)
{
    nango_client *client = call->client;
    nango_call **at = &client->queue, *before = NULL;

    while (*at != call) {
        before = *at;
        at = &before->queue_next;
    }
    *at = call->queue_next;
    if (client->queue_tail == call)
        client->queue_tail = before;
    call->queue_next = NULL;
}

static void call_move(nango_call *call, enum ngo_state next)
{
    static const char allowed[4][4] = {
        [NGO_QUEUED] = {[NGO_MOVING] = 1, [NGO_ENDED] = 1},
        [NGO_MOVING] = {[NGO_WAITING] = 1, [NGO_QUEUED] = 1, [NGO_ENDED] = 1},
        [NGO_WAITING] = {[NGO_QUEUED] = 1, [NGO_ENDED] = 1},
    };
    nango_client *client = call->client;

    if (!allowed[call->state][next])
        return;
    if (call->state == NGO_QUEUED)
        dequeue(call);
    client->waiting -= call->state == NGO_WAITING;
    call->state = (int)next;
    client->waiting += next == NGO_WAITING;
    if (next == NGO_QUEUED)
        enqueue(call);
}

static void unlink_call(nango_call *call)
{
    nango_client *client = call->client;

    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        client->calls = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    call->next = call->previous = NULL;
    client->call_count--;
}

/* Tells the loop when something is due next, unless it knows: setting a timer may cost a
 * system call. */
void ngo_async_arm(nango_client *client)
{
    int64_t now = ngo_now_ms(), due = client->curl_due_ms;

    if (!client->attached)
        return;
    if (client->queue != NULL || client->cancel_due)
        due = now;
    if (client->stall_due_ms >= 0 && (due < 0 || client->stall_due_ms < due))
        due = client->stall_due_ms;
    if (client->waiting > 0)
        for (const nango_call *call = client->calls; call != NULL; call = call->next)
            if (call->state == NGO_WAITING && (due < 0 || call->due_ms < due))
                due = call->due_ms;
    if (due == client->armed_ms ||
        (due >= 0 && due <= now && client->armed_ms >= 0 && client->armed_ms <= now))
        return;
    client->armed_ms = due;
    client->loop.timer(client->loop_data, due < 0 ? -1 : due > now ? due - now : 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    nango_client *client = user;

    (void)multi;
    client->curl_due_ms = timeout_ms < 0 ? -1 : ngo_now_ms() + timeout_ms;
    return 0; /* whoever called libcurl arms the timer afterwards */
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned)
{
    nango_client *client = user;
    void *slot = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= NANGO_READABLE;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= NANGO_WRITABLE;
    if (!client->loop.watch(client->loop_data, fd, events, &slot) && events != 0) {
        /* libcurl does not come back to take the slot away. */
        if (slot != NULL)
            client->loop.watch(client->loop_data, fd, 0, &slot);
        curl_multi_assign(client->multi, fd, NULL);
        return -1;
    }
    if (events != 0)
        curl_multi_assign(client->multi, fd, slot);
    return 0;
}

/* Takes the handle back from libcurl. */
static void stop_moving(nango_call *call)
{
    if (call->state == NGO_MOVING && call->transfer != NULL) {
        call->client->in_libcurl++;
        curl_multi_remove_handle(call->client->multi, call->transfer->easy);
        call->client->in_libcurl--;
    }
}

/* Runs the callback, once, and frees the call. */
static void deliver(nango_call *call, void *result)
{
    nango_client *client = call->client;
    bool answered = call->error.code == NANGO_E_HTTP || call->error.code == NANGO_E_PARSE;
    nango_response *outer = NULL;

    call_move(call, NGO_ENDED);
    unlink_call(call);
    ngo_call_report(call);
    ngo_transfer_free(call); /* so that the callback can use the handle again */
    if (client->in_callback > 0)
        outer = client->last_answer;
    else
        nango_response_free(client->last_answer);
    client->last_answer = answered ? call->response : NULL;
    if (answered)
        call->response = NULL;
    client->in_callback++;
    call->shape->deliver(call->done, result, &call->error, call->user);
    client->in_callback--;
    if (client->in_callback > 0) {
        /* A callback cancelled this call: its own answer is still being read. */
        nango_response_free(client->last_answer);
        client->last_answer = outer;
    }
    ngo_call_free(call);
}

/* Looks at the call again when it may have stalled. */
static void watch_stall(nango_call *call)
{
    nango_client *client = call->client;
    int64_t due = ngo_transfer_due(call);

    if (due >= 0 && (client->stall_due_ms < 0 || due < client->stall_due_ms))
        client->stall_due_ms = due;
}

static void give_to_libcurl(nango_call *call)
{
    CURLMcode code;

    call->client->in_libcurl++;
    code = curl_multi_add_handle(call->client->multi, call->transfer->easy);
    call->client->in_libcurl--;
    if (code == CURLM_OK) {
        call->transfer->last_piece_ms = ngo_now_ms();
        call_move(call, NGO_MOVING);
        watch_stall(call);
        return;
    }
    ngo_call_fail(call, code == CURLM_OUT_OF_MEMORY ? NANGO_E_MEMORY : NANGO_E_STATE,
        "libcurl: %s", curl_multi_strerror(code));
    deliver(call, NULL);
}

static void end_transfer(nango_call *call, CURLcode code)
{
    void *result;
    int64_t delay_ms;

    stop_moving(call);
    if (call->cancelled)
        code = CURLE_ABORTED_BY_CALLBACK; /* also when it has ended well since */
    switch (ngo_transfer_end(call, code, &result)) {
    case NGO_AGAIN:
        if (ngo_transfer_begin(call)) {
            call_move(call, NGO_QUEUED);
            return;
        }
        break;
    case NGO_LATER:
        if (ngo_wait_next(call, &delay_ms)) {
            call->due_ms = ngo_now_ms() + delay_ms;
            call_move(call, NGO_WAITING);
            return;
        }
        break;
    case NGO_DONE:
        break;
    }
    deliver(call, result);
}

static void end_cancelled(nango_call *call, nango_code code, const char *why)
{
    stop_moving(call);
    ngo_call_fail(call, code, "%s", why);
    deliver(call, NULL);
}

/* The calls that were cancelled, or have to be, while libcurl was at work. A callback may
 * change the list, so each search begins anew. */
static void end_marked(nango_client *client, nango_code code, const char *why)
{
    nango_call *call = client->calls;

    while (call != NULL) {
        if (!call->cancelled) {
            call = call->next;
            continue;
        }
        end_cancelled(call, code, why);
        call = client->calls;
    }
}

static void read_messages(nango_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        char *call = NULL;

        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) ==
                CURLE_OK &&
            call != NULL)
            end_transfer((nango_call *)(void *)call, code);
    }
}

static void start_due(nango_client *client)
{
    int64_t now = ngo_now_ms();
    nango_call *next;
    size_t left = 0;

    if (client->waiting > 0)
        for (nango_call *call = client->calls; call != NULL; call = next) {
            next = call->next;
            if (call->state != NGO_WAITING || call->due_ms > now)
                continue;
            if (ngo_transfer_begin(call)) {
                call_move(call, NGO_QUEUED);
            } else {
                deliver(call, NULL);
                next = client->calls;
            }
        }
    /* Not those that the callbacks of failing ones add: their turn is the next. */
    for (const nango_call *call = client->queue; call != NULL; call = call->queue_next)
        left++;
    while (left-- > 0 && client->queue != NULL)
        give_to_libcurl(client->queue);
}

/* Marks the streams in which nothing moved for too long. A time that is over is looked at
 * again in the loop's next turn, so that what has come while the program was busy elsewhere
 * is told first. */
static void end_stalled(nango_client *client)
{
    int64_t now = ngo_now_ms();
    nango_call *next;

    if (client->stall_due_ms < 0 || client->stall_due_ms > now)
        return;
    client->stall_due_ms = -1;
    for (nango_call *call = client->calls; call != NULL; call = next) {
        int64_t due = call->state == NGO_MOVING ? ngo_transfer_due(call) : -1;

        next = call->next;
        if (due >= 0 && due <= now && call->transfer->late_ms == due) {
            ngo_transfer_stalled(call);
            call->cancelled = client->cancel_due = true;
        } else if (due >= 0) {
            call->transfer->late_ms = due;
            watch_stall(call);
        }
    }
}

/* libcurl has returned: does what had to wait for that. */
static void settle(nango_client *client, CURLMcode code)
{
    if (code != CURLM_OK) {
        /* The loop refused to watch a descriptor, or memory is out: libcurl has given all
         * of its transfers up. */
        for (nango_call *call = client->calls; call != NULL; call = call->next)
            call->cancelled = call->cancelled || call->state == NGO_MOVING;
        end_marked(client, code == CURLM_OUT_OF_MEMORY ? NANGO_E_MEMORY : NANGO_E_STATE,
            code == CURLM_ABORTED_BY_CALLBACK
                ? "the event loop refused to watch a descriptor"
                : curl_multi_strerror(code));
    }
    read_messages(client);
    if (client->cancel_due) {
        client->cancel_due = false;
        end_marked(client, NANGO_E_CANCELLED, "the call was cancelled");
    }
    start_due(client);
    ngo_async_arm(client);
}

static void action(nango_client *client, curl_socket_t fd, int events)
{
    CURLMcode code;
    int running;

    /* An event loop that is run within a callback has to wait for its turn. */
    if (!client->attached || client->in_callback > 0 || client->in_libcurl > 0)
        return;
    client->in_libcurl++;
    code = curl_multi_socket_action(client->multi, fd, events, &running);
    client->in_libcurl--;
    settle(client, code);
}

void nango_ready(nango_client *client, int fd, int events)
{
    int mask = 0;

    if (events & NANGO_READABLE)
        mask |= CURL_CSELECT_IN;
    if (events & NANGO_WRITABLE)
        mask |= CURL_CSELECT_OUT;
    action(client, fd, mask);
}

void nango_expired(nango_client *client)
{
    client->armed_ms = -1;
    /* Within a callback: it is armed anew when the callback has returned. */
    if (!client->attached || client->in_callback > 0 || client->in_libcurl > 0)
        return;
    end_stalled(client);
    if (client->curl_due_ms >= 0 && client->curl_due_ms <= ngo_now_ms()) {
        client->curl_due_ms = -1;
        action(client, CURL_SOCKET_TIMEOUT, 0);
    } else {
        settle(client, CURLM_OK);
    }
}

nango_code ngo_call_start(
    nango_call *call, ngo_fn *done, void *user, nango_call **handle, nango_error *err)
{
    nango_client *client;
    nango_code code;

    if (handle != NULL)
        *handle = NULL;
    if (call == NULL)
        return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    client = call->client;
    call->done = done;
    call->user = user;
    if (client != NULL && !client->attached)
        ngo_call_fail(call, NANGO_E_STATE, "no event loop is attached: nango_attach()");
    if (done == NULL)
        ngo_call_fail(call, NANGO_E_ARGUMENT, "done is required");
    if (call->error.code != NANGO_OK || !ngo_transfer_begin(call)) {
        ngo_call_report(call);
        code = call->error.code;
        if (err != NULL)
            *err = call->error;
        ngo_call_free(call);
        return code;
    }
    link_call(call);
    call->state = NGO_QUEUED;
    enqueue(call);
    if (handle != NULL)
        *handle = call;
    ngo_error_clear(err);
    /* It is given to libcurl from the loop: until then no callback can run. */
    ngo_async_arm(client);
    return NANGO_OK;
}

nango_code nango_attach(
    nango_client *client, const nango_loop *operations, void *loop, nango_error *err)
{
    CURLM *multi;
    bool good;

    ngo_error_clear(err);
    if (client == NULL || operations == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "client and operations are required");
    if (client->attached || client->multi != NULL)
        return ngo_error_set(err, NANGO_E_STATE, "the client has an event loop already");
    if (client->in_callback > 0 || client->in_libcurl > 0)
        return ngo_error_set(
            err, NANGO_E_STATE, "an event loop cannot be attached within a callback");
    if (operations->watch == NULL || operations->timer == NULL)
        return ngo_error_set(err, NANGO_E_ARGUMENT, "operations needs watch and timer");
    multi = curl_multi_init();
    good = multi != NULL &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == CURLM_OK;
    if (!good) {
        if (multi != NULL)
            curl_multi_cleanup(multi);
        return ngo_error_set(err, NANGO_E_MEMORY, "memory is out");
    }
    client->multi = multi;
    client->loop = *operations;
    client->loop_data = loop;
    client->curl_due_ms = client->armed_ms = client->stall_due_ms = -1;
    client->attached = true;
    return NANGO_OK;
}

void nango_detach(nango_client *client)
{
    if (client == NULL || !client->attached || client->in_callback > 0 ||
        client->in_libcurl > 0)
        return;
    client->attached = false; /* callbacks can start nothing more */
    while (client->calls != NULL)
        end_cancelled(
            client->calls, NANGO_E_CANCELLED, "the client lets go of its event loop");
    client->in_libcurl++;
    curl_multi_cleanup(client->multi); /* forgets its descriptors, through on_socket() */
    client->in_libcurl--;
    client->multi = NULL;
    client->loop.timer(client->loop_data, -1);
    if (client->loop.released != NULL)
        client->loop.released(client->loop_data);
}

size_t nango_calls_active(const nango_client *client)
{
    return client != NULL ? client->call_count : 0;
}

void nango_call_cancel(nango_call *call)
{
    nango_client *client = call != NULL ? call->client : NULL;

    if (client == NULL || call->state == NGO_ENDED)
        return;
    if (client->in_libcurl > 0) {
        call->cancelled = true;
        client->cancel_due = true;
        ngo_async_arm(client);
        return;
    }
    end_cancelled(call, NANGO_E_CANCELLED, "the call was cancelled");
    ngo_async_arm(client);
}

/* What libcurl says of a call that is not connected, or no longer, does not matter: on_body()
 * looks at call->paused when it comes to that. */
static void set_pause(nango_call *call)
{
    nango_client *client = call->client;
    CURLcode code;

    if (call->state != NGO_MOVING || call->transfer == NULL)
        return;
    call->transfer->last_piece_ms = ngo_now_ms();
    client->in_libcurl++; /* it may hand over what it has kept, at once */
    code = curl_easy_pause(
        call->transfer->easy, (call->paused ? CURLPAUSE_RECV : CURLPAUSE_RECV_CONT) |
                                  (call->transfer->starved ? CURLPAUSE_SEND : 0));
    client->in_libcurl--;
    if (code != CURLE_OK && code != CURLE_BAD_FUNCTION_ARGUMENT) {
        /* What it handed over ended the call; nothing else tells of it. */
        ngo_fail_by_libcurl(call, code);
        call->cancelled = client->cancel_due = true;
    }
    watch_stall(call);
    if (client->in_libcurl == 0)
        ngo_async_arm(client);
}

void nango_call_pause(nango_call *call)
{
    if (call == NULL)
        return;
    call->paused = true;
    set_pause(call);
}

void nango_call_resume(nango_call *call)
{
    if (call == NULL)
        return;
    call->paused = false;
    if (call->transfer != NULL)
        call->transfer->starved = false;
    set_pause(call);
}
