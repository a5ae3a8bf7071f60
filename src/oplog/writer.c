/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: one thread and the file's one writing connection.
 *
 *   sleep until something is told ─► gather for a moment ─► one transaction ─► sweep
 *             ▲                                                  │
 *             └──────────────────────────────────────────────────┘
 *
 * Gathering makes one transaction of many small ones. Who waits for a flush, a queue that
 * fills up and a stop cut it short.
 *
 * A file that another process has locked is tried again until it is free; meanwhile the
 * queue fills, and what finds no room is dropped by those who tell it. What cannot be
 * written for another reason (a full disk) is dropped and counted. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "oplog/oplog_int.h"
#include "store/thread.h"

enum {
    GATHER_MS = 50,
    RETRY_MS = 100,       /* while the file is locked */
    SWEEP_STEPS = 10,     /* between two batches */
    TELL_MS = 60000,      /* how often the server's log tells of what was dropped */
    STOP_WRITE_MS = 2000, /* how long a stop waits for a locked file */
};

void oplog_ring(struct oplog *log)
{
    atomic_store(&log->hurry, true);
    sem_post(&log->bell);
}

static void after_ms(int64_t ms, struct timespec *out)
{
    clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += ms / 1000;
    out->tv_nsec += ms % 1000 * 1000000;
    out->tv_sec += out->tv_nsec / 1000000000;
    out->tv_nsec %= 1000000000;
}

/* Until the bell rings, or for that long (-1 = for ever). */
static void listen_for(struct oplog *log, int64_t ms)
{
    struct timespec until;
    int rc;

    if (ms < 0) {
        while (sem_wait(&log->bell) != 0)
            continue; /* a signal came in between */
        return;
    }
    after_ms(ms, &until);
    do {
        rc = sem_clockwait(&log->bell, CLOCK_MONOTONIC, &until);
    } while (rc != 0 && errno == EINTR);
}

/* In the order in which they were told. */
static struct entry *take_told(struct oplog *log)
{
    struct entry *entry =
        atomic_exchange_explicit(&log->told, NULL, memory_order_acquire);
    struct entry *first = NULL;

    while (entry != NULL) {
        struct entry *next = entry->next;

        entry->next = first;
        first = entry;
        entry = next;
    }
    return first;
}

static uint64_t free_batch(struct oplog *log, struct entry *first)
{
    size_t bytes = 0;
    uint64_t count = 0;

    while (first != NULL) {
        struct entry *next = first->next;

        bytes += first->size;
        count++;
        free(first);
        first = next;
    }
    atomic_fetch_sub_explicit(&log->queued, bytes, memory_order_relaxed);
    return count;
}

static bool is_stopping(struct oplog *log)
{
    bool stopping;

    pthread_mutex_lock(&log->lock);
    stopping = log->stopping;
    pthread_mutex_unlock(&log->lock);
    return stopping;
}

/* The stop was given up: what this thread borrows may be gone. */
static void end_if_abandoned(struct oplog *log)
{
    while (atomic_load(&log->abandoned))
        (void)pause();
}

enum written {
    WRITTEN,
    WRITTEN_LATER, /* the file is held by another process */
    WRITTEN_NOT,
};

static enum written try_to_write(struct oplog *log, struct entry *first, struct err *err)
{
    if (log->conn == NULL && !oplog_file_open(log, err)) {
        end_if_abandoned(log);
        return str_eq(err->code, OPLOG_BUSY) ? WRITTEN_LATER : WRITTEN_NOT;
    }
    if (first == NULL || oplog_batch_write(log, first, err))
        return WRITTEN;
    end_if_abandoned(log);
    if (str_eq(err->code, SQL_DAMAGED))
        oplog_file_set_aside(log, err->message);
    return str_eq(err->code, OPLOG_BUSY) ? WRITTEN_LATER : WRITTEN_NOT;
}

static void write_batch(struct oplog *log, struct entry *first)
{
    int64_t stop_ms = 0; /* by when to give up, once a stop is wanted */
    struct err err = {0};
    enum written written;
    uint64_t count;

    while ((written = try_to_write(log, first, &err)) == WRITTEN_LATER) {
        if (is_stopping(log) && stop_ms == 0)
            stop_ms = clock_mono_ms() + STOP_WRITE_MS;
        if (stop_ms != 0 && clock_mono_ms() >= stop_ms)
            break;
        listen_for(log, RETRY_MS);
        err = (struct err){0};
    }
    count = free_batch(log, first);
    if (written == WRITTEN)
        return;
    oplog_count_dropped(log, count);
    log_event(log->config.log, LOG_WARN, "operation logs are not written",
        LOG_STR("reason", err.message), LOG_INT("entries", count), LOG_END);
}

/* Drops are counted where they happen, and told here: not once each. */
static void tell_dropped(struct oplog *log)
{
    uint64_t dropped = atomic_load_explicit(&log->dropped, memory_order_relaxed);
    int64_t now_ms = clock_mono_ms();

    if (dropped == log->dropped_told ||
        (log->told_mono_ms != 0 && now_ms - log->told_mono_ms < TELL_MS))
        return;
    log_event(log->config.log, LOG_WARN, "operation logs dropped",
        LOG_INT("entries", dropped - log->dropped_told), LOG_END);
    log->dropped_told = dropped;
    log->told_mono_ms = now_ms;
}

/* A few steps; true when there is nothing left to do. */
static bool sweep(struct oplog *log, bool by_time)
{
    struct err err = {0};
    bool more = true;

    if (log->conn == NULL || (!by_time && !oplog_is_too_large(log)))
        return true;
    for (int i = 0; more && i < SWEEP_STEPS; i++) {
        if (!oplog_sweep_some(log, by_time, &more, &err)) {
            log_event(log->config.log, LOG_WARN, "sweeping the operation logs failed",
                LOG_STR("reason", err.message), LOG_END);
            return true; /* the next sweep tries again */
        }
    }
    return !more;
}

static void say_done(struct oplog *log, uint64_t *number, uint64_t done)
{
    pthread_mutex_lock(&log->lock);
    *number = done;
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->lock);
}

static void *write_forever(void *arg)
{
    struct oplog *log = arg;
    bool clean = true, last = false;

    while (!last) {
        struct entry *first;
        uint64_t flush, sweep_to;

        if (clean)
            listen_for(log, -1);
        if (clean && !atomic_load(&log->hurry))
            listen_for(log, GATHER_MS);
        atomic_store(&log->hurry, false); /* before the look at what was told */
        pthread_mutex_lock(&log->lock);
        flush = log->wanted;
        sweep_to = log->sweep_wanted;
        last = log->stopping;
        pthread_mutex_unlock(&log->lock);
        first = take_told(log);
        if (first != NULL || log->conn == NULL)
            write_batch(log, first);
        say_done(log, &log->flushed, flush);
        tell_dropped(log);
        clean = sweep(log, sweep_to > log->swept);
        end_if_abandoned(log);
        if (clean)
            say_done(log, &log->swept, sweep_to);
    }
    pthread_mutex_lock(&log->lock);
    log->over = true;
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

void oplog_writer_start(struct oplog *log)
{
    thread_start(&log->thread, "oplog", write_forever, log);
}
