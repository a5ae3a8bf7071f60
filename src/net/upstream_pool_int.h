/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of event-driven calls, for the two files that make it: upstream.c (calls, and
 * what libcurl says of them) and upstream_sockets.c (when libcurl wants to be called). */
#ifndef NET_UPSTREAM_POOL_INT_H
#define NET_UPSTREAM_POOL_INT_H

#include <stdatomic.h>

#include "net/upstream_int.h"

struct up_call {
    struct up_pool *pool;
    struct up_call *prev, *next; /* in the order of their last progress */
    CURL *easy;                  /* lives as long as the object */
    struct up_head head;
    struct up_guard guard;

    /* What follows belongs to one use; cleared by call_new(). */
    struct up_ops ops;
    void *arg;
    struct curl_slist *list;
    const char *bytes; /* a body of bytes that goes by the read callback */
    size_t bytes_len, bytes_at;
    bool streams;      /* the body is pulled by on_need */
    bool body_started; /* ... and some of it was */
    bool inflate;
    struct inflater *inflater; /* of this answer; NULL = its bytes go on as they are */
    bool repeatable;
    int sendings;   /* how often libcurl began to send this request */
    bool one_way;   /* a handle with a client certificate is not used again */
    bool added;     /* in the multi handle */
    bool cancelled; /* inside a callback: the call ends as soon as libcurl lets go */
    bool queued;    /* in the pool's list of things to do */
    bool resume, resume_body;
    bool paused, body_paused;
    bool looks_first; /* the body is paused until what came was read */
    curl_socket_t fd; /* while libcurl waits for it; -1 = unknown */
    uint64_t progress_tick;
    enum up_failure early; /* found before libcurl was asked, or by the tick */
    const char *early_text;
    struct up_call *next_queued;
};

struct socket_watch;
struct up_pool {
    struct reactor *reactor;
    struct up_config config;
    CURLM *multi;
    struct reactor_timer *timer; /* may be earlier than deadline_ms, never later */
    int64_t timer_due_ms;
    int64_t deadline_ms; /* when libcurl wants to be called; -1 = not */
    struct reactor_timer *tick;
    uint64_t tick_count;
    uint64_t idle_ticks;
    bool spares;                   /* up_spare_receive_buffers() was called */
    bool due;                      /* libcurl wants to be called for time, now */
    bool check;                    /* calls may have completed */
    int depth;                     /* inside libcurl */
    struct socket_watch **sockets; /* those that we opened, by descriptor */
    size_t socket_room;
    struct up_owner owner;
    struct up_call *first, *last;
    struct up_call *queue, **queue_end;
    atomic_size_t active; /* read by other threads for metrics */
    struct up_call *spare;
    size_t spare_count;
};

/* Puts a call in the list of what is done once libcurl has returned. */
void up_call_enqueue(struct up_call *call);
/* After something came for `call`, NULL = for none: lifts the pause of its body if that may
 * be over. */
void up_call_look_again(struct up_call *call);

/* Makes libcurl's multi handle use the reactor. */
void up_sockets_init(struct up_pool *pool);
/* Has the sockets that `call` opens, and closes later, watched by its pool. */
void up_sockets_adopt(struct up_call *call);
void up_sockets_finish(struct up_pool *pool); /* after the multi handle is gone */

#endif
