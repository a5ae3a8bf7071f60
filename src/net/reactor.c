/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: epoll, a heap of timers, a mailbox woken by an eventfd, and hooks.
 *
 * One turn:   mail -> timers -> hooks, until none of them did anything (the fixpoint)
 *             -> epoll_wait -> callbacks of ready descriptors -> next turn
 *
 * The fixpoint matters: libcurl and libmicrohttpd both keep work of their own that no
 * descriptor announces (a transfer that completes inside the call that added it, a
 * resumed connection). Sleeping with such work left shows as a stall of a second when
 * there is only one client. A hook that never runs dry cannot starve the descriptors:
 * after FIXPOINT_ROUNDS the loop polls without sleeping and comes back.
 *
 * A watch removed while its event waits in the current batch is only marked, and freed
 * after the batch, so callbacks may remove any watch. What can fail: the creation, and a
 * new watch when the kernel has no room (fs.epoll.max_user_watches). Any other failure of
 * epoll_ctl() on a live descriptor is a mistake of ours and asserted. */
#include "net/reactor.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/reactor_int.h"

enum {
    EVENTS_PER_WAIT = 256,
    FIXPOINT_ROUNDS = 64,
};

struct reactor_timer {
    struct reactor *reactor;
    int64_t due_ms;
    uint64_t order; /* equal times fire in the order they were started */
    size_t index;   /* place in the heap */
    void (*run)(void *arg);
    void *arg;
};

struct reactor_watch {
    struct reactor *reactor;
    int fd;
    uint32_t events;
    bool removed;
    void (*ready)(void *arg, uint32_t events);
    void *arg;
    struct reactor_watch *next_removed;
};

struct mail {
    void (*run)(void *arg);
    void *arg;
};

struct mailbox {
    struct mail *items;
    size_t count;
    size_t capacity;
};

struct hook {
    bool (*run)(void *arg); /* NULL = removed */
    void *arg;
};

struct reactor {
    int epoll_fd;
    int event_fd; /* edge-triggered: never read */
    pthread_t thread;
    atomic_bool has_thread;
    atomic_bool stop;

    pthread_mutex_t lock; /* guards inbox and woken */
    struct mailbox inbox;
    bool woken;            /* event_fd was written since the inbox was last taken */
    struct mailbox outbox; /* the batch being delivered */

    struct reactor_timer **heap;
    size_t timer_count;
    size_t timer_capacity;
    uint64_t timer_order;

    struct hook *hooks;
    size_t hook_count;
    size_t hook_capacity;
    bool hooks_removed;

    struct reactor_watch *removed; /* freed when no event of a batch can name them */
    bool in_batch;
};

bool reactor_new(struct reactor **out, struct err *err)
{
    struct reactor *reactor = MEM_NEW(struct reactor);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    *out = NULL;
    atomic_init(&reactor->has_thread, false);
    atomic_init(&reactor->stop, false);
    pthread_mutex_init(&reactor->lock, NULL);
    reactor->event_fd = -1;
    reactor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (reactor->epoll_fd < 0) {
        err_internal(err, "epoll_create1: %s", strerror(errno));
        goto fail;
    }
    reactor->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (reactor->event_fd < 0) {
        err_internal(err, "eventfd: %s", strerror(errno));
        goto fail;
    }
    if (epoll_ctl(reactor->epoll_fd, EPOLL_CTL_ADD, reactor->event_fd, &event) != 0) {
        err_internal(err, "epoll_ctl: %s", strerror(errno));
        goto fail;
    }
    *out = reactor;
    return true;

fail:
    reactor_free(reactor);
    return false;
}

static void free_removed_watches(struct reactor *reactor)
{
    while (reactor->removed != NULL) {
        struct reactor_watch *watch = reactor->removed;

        reactor->removed = watch->next_removed;
        free(watch);
    }
}

void reactor_free(struct reactor *reactor)
{
    if (reactor == NULL)
        return;
    free_removed_watches(reactor);
    for (size_t i = 0; i < reactor->timer_count; i++)
        free(reactor->heap[i]);
    free(reactor->heap);
    free(reactor->hooks);
    free(reactor->inbox.items);
    free(reactor->outbox.items);
    if (reactor->event_fd >= 0)
        close(reactor->event_fd);
    if (reactor->epoll_fd >= 0)
        close(reactor->epoll_fd);
    pthread_mutex_destroy(&reactor->lock);
    free(reactor);
}

bool reactor_is_current(const struct reactor *reactor)
{
    return atomic_load_explicit(&reactor->has_thread, memory_order_acquire) &&
           pthread_equal(reactor->thread, pthread_self());
}

void reactor_adopt(struct reactor *reactor)
{
    reactor->thread = pthread_self();
    atomic_store_explicit(&reactor->has_thread, true, memory_order_release);
}

/* ---- mailbox ---- */

static void wake(struct reactor *reactor)
{
    const uint64_t one = 1;
    ssize_t written;

    do {
        written = write(reactor->event_fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the loop is awake already. */
}

void reactor_post(struct reactor *reactor, void (*run)(void *arg), void *arg)
{
    bool must_wake = false;

    pthread_mutex_lock(&reactor->lock);
    if (reactor->inbox.count == reactor->inbox.capacity) {
        size_t capacity = reactor->inbox.capacity == 0 ? 64 : reactor->inbox.capacity * 2;

        reactor->inbox.items =
            mem_resize_array(reactor->inbox.items, capacity, sizeof(struct mail));
        reactor->inbox.capacity = capacity;
    }
    reactor->inbox.items[reactor->inbox.count++] = (struct mail){run, arg};
    /* The loop looks into the mailbox before it sleeps: its own thread need not wake it.
     */
    if (!reactor->woken && !reactor_is_current(reactor)) {
        reactor->woken = true;
        must_wake = true;
    }
    pthread_mutex_unlock(&reactor->lock);
    if (must_wake)
        wake(reactor);
}

static bool deliver_mail(struct reactor *reactor)
{
    struct mailbox batch;

    pthread_mutex_lock(&reactor->lock);
    reactor->woken = false;
    if (reactor->inbox.count == 0) {
        pthread_mutex_unlock(&reactor->lock);
        return false;
    }
    batch = reactor->inbox;
    reactor->inbox = reactor->outbox;
    reactor->outbox = batch;
    pthread_mutex_unlock(&reactor->lock);

    for (size_t i = 0; i < batch.count; i++)
        batch.items[i].run(batch.items[i].arg);
    reactor->outbox.count = 0;
    return true;
}

void reactor_stop(struct reactor *reactor)
{
    atomic_store_explicit(&reactor->stop, true, memory_order_release);
    wake(reactor);
}

/* ---- timers: a binary heap, earliest first ---- */

static bool fires_before(const struct reactor_timer *a, const struct reactor_timer *b)
{
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order);
}

static void heap_put(struct reactor *reactor, size_t index, struct reactor_timer *timer)
{
    reactor->heap[index] = timer;
    timer->index = index;
}

static void heap_up(struct reactor *reactor, size_t index, struct reactor_timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;

        if (!fires_before(timer, reactor->heap[parent]))
            break;
        heap_put(reactor, index, reactor->heap[parent]);
        index = parent;
    }
    heap_put(reactor, index, timer);
}

static void heap_down(struct reactor *reactor, size_t index, struct reactor_timer *timer)
{
    for (;;) {
        size_t child = index * 2 + 1;

        if (child >= reactor->timer_count)
            break;
        if (child + 1 < reactor->timer_count &&
            fires_before(reactor->heap[child + 1], reactor->heap[child]))
            child++;
        if (!fires_before(reactor->heap[child], timer))
            break;
        heap_put(reactor, index, reactor->heap[child]);
        index = child;
    }
    heap_put(reactor, index, timer);
}

static void heap_take_out(struct reactor *reactor, struct reactor_timer *timer)
{
    size_t index = timer->index;
    struct reactor_timer *last;

    assert(index < reactor->timer_count && reactor->heap[index] == timer);
    last = reactor->heap[--reactor->timer_count];
    if (last == timer)
        return;
    if (index > 0 && fires_before(last, reactor->heap[(index - 1) / 2]))
        heap_up(reactor, index, last);
    else
        heap_down(reactor, index, last);
}

struct reactor_timer *reactor_timer_start(
    struct reactor *reactor, int64_t delay_ms, void (*run)(void *arg), void *arg)
{
    struct reactor_timer *timer = MEM_NEW(struct reactor_timer);

    timer->reactor = reactor;
    timer->due_ms = clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
    timer->order = reactor->timer_order++;
    timer->run = run;
    timer->arg = arg;
    if (reactor->timer_count == reactor->timer_capacity) {
        reactor->timer_capacity =
            reactor->timer_capacity == 0 ? 64 : reactor->timer_capacity * 2;
        reactor->heap =
            mem_resize_array(reactor->heap, reactor->timer_capacity, sizeof(timer));
    }
    heap_up(reactor, reactor->timer_count++, timer);
    return timer;
}

void reactor_timer_cancel(struct reactor_timer *timer)
{
    if (timer == NULL)
        return;
    heap_take_out(timer->reactor, timer);
    free(timer);
}

/* Only those due on entry: a timer that starts itself anew with no delay must not hold
 * the loop. */
static bool fire_timers(struct reactor *reactor)
{
    uint64_t newest = reactor->timer_order;
    bool fired = false;
    int64_t now_ms;

    if (reactor->timer_count == 0)
        return false;
    now_ms = clock_mono_ms();
    while (reactor->timer_count > 0) {
        struct reactor_timer *timer = reactor->heap[0];
        void (*run)(void *arg) = timer->run;
        void *arg = timer->arg;

        if (timer->due_ms > now_ms || timer->order >= newest)
            break;
        heap_take_out(reactor, timer);
        free(timer);
        run(arg);
        fired = true;
    }
    return fired;
}

/* ---- descriptors ---- */

struct reactor_watch *reactor_watch_add(struct reactor *reactor, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg)
{
    struct reactor_watch *watch = MEM_NEW(struct reactor_watch);
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int rc;

    watch->reactor = reactor;
    watch->fd = fd;
    watch->events = events;
    watch->ready = ready;
    watch->arg = arg;
    rc = epoll_ctl(reactor->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    if (rc != 0) {
        assert(errno == ENOSPC || errno == ENOMEM);
        free(watch);
        return NULL;
    }
    return watch;
}

void reactor_watch_change(struct reactor_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int rc;

    if (watch->events == events)
        return;
    watch->events = events;
    rc = epoll_ctl(watch->reactor->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    assert(rc == 0);
    (void)rc;
}

void reactor_watch_remove(struct reactor_watch *watch)
{
    struct reactor *reactor;

    if (watch == NULL)
        return;
    reactor = watch->reactor;
    assert(!watch->removed);
    epoll_ctl(reactor->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    if (!reactor->in_batch) {
        free(watch);
        return;
    }
    watch->removed = true;
    watch->next_removed = reactor->removed;
    reactor->removed = watch;
}

/* ---- hooks ---- */

void reactor_hook_add(struct reactor *reactor, bool (*run)(void *arg), void *arg)
{
    if (reactor->hook_count == reactor->hook_capacity) {
        reactor->hook_capacity =
            reactor->hook_capacity == 0 ? 8 : reactor->hook_capacity * 2;
        reactor->hooks =
            mem_resize_array(reactor->hooks, reactor->hook_capacity, sizeof(struct hook));
    }
    reactor->hooks[reactor->hook_count++] = (struct hook){run, arg};
}

void reactor_hook_remove(struct reactor *reactor, bool (*run)(void *arg), void *arg)
{
    for (size_t i = 0; i < reactor->hook_count; i++) {
        if (reactor->hooks[i].run == run && reactor->hooks[i].arg == arg) {
            reactor->hooks[i].run = NULL;
            reactor->hooks_removed = true;
            return;
        }
    }
}

static bool run_hooks(struct reactor *reactor)
{
    bool worked = false;

    for (size_t i = 0; i < reactor->hook_count; i++) {
        struct hook hook = reactor->hooks[i];

        if (hook.run != NULL && hook.run(hook.arg))
            worked = true;
    }
    if (reactor->hooks_removed) {
        size_t kept = 0;

        for (size_t i = 0; i < reactor->hook_count; i++)
            if (reactor->hooks[i].run != NULL)
                reactor->hooks[kept++] = reactor->hooks[i];
        reactor->hook_count = kept;
        reactor->hooks_removed = false;
    }
    return worked;
}

/* ---- the loop ---- */

/* False when work was left after FIXPOINT_ROUNDS. */
static bool settle(struct reactor *reactor)
{
    for (int round = 0; round < FIXPOINT_ROUNDS; round++) {
        bool worked = deliver_mail(reactor);

        worked = fire_timers(reactor) || worked;
        worked = run_hooks(reactor) || worked;
        if (!worked)
            return true;
    }
    return false;
}

static int wait_time(const struct reactor *reactor, int wait_ms)
{
    int64_t left;

    if (reactor->timer_count == 0 || wait_ms == 0)
        return wait_ms;
    left = reactor->heap[0]->due_ms - clock_mono_ms();
    if (left < 0)
        left = 0;
    if (left > INT_MAX)
        left = INT_MAX;
    return wait_ms < 0 || left < wait_ms ? (int)left : wait_ms;
}

void reactor_round(struct reactor *reactor, int wait_ms)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    int count;

    if (!settle(reactor) || atomic_load_explicit(&reactor->stop, memory_order_acquire))
        wait_ms = 0;
    count = epoll_wait(
        reactor->epoll_fd, events, EVENTS_PER_WAIT, wait_time(reactor, wait_ms));
    assert(count >= 0 || errno == EINTR);
    reactor->in_batch = true;
    for (int i = 0; i < count; i++) {
        struct reactor_watch *watch = events[i].data.ptr;

        if (watch != NULL && !watch->removed)
            watch->ready(watch->arg, events[i].events);
    }
    reactor->in_batch = false;
    free_removed_watches(reactor);
}

void reactor_run(struct reactor *reactor)
{
    reactor_adopt(reactor);
    while (!atomic_load_explicit(&reactor->stop, memory_order_acquire))
        reactor_round(reactor, -1);
    /* What was posted before the stop is still delivered. */
    settle(reactor);
}
