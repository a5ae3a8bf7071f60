/* SPDX-License-Identifier: Apache-2.0 */
/* The committer: one thread and the database's one writing connection. Callers queue a
 * write and sleep; the thread takes all that wait, runs them in one transaction, syncs
 * once, wakes all. While the disk syncs, the next group gathers: the busier, the larger
 * the groups.
 *
 *   BEGIN IMMEDIATE
 *     SAVEPOINT w   write 1   RELEASE w
 *     SAVEPOINT w   write 2   fails: ROLLBACK TO w, RELEASE w; only its caller hears of it
 *     …
 *   COMMIT          one sync of the log; then everyone is told
 *
 * What can fail:
 *   - a write: undone by itself;
 *   - the transaction in the middle (disk full, I/O error: SQLite may roll back all of
 *     it): its writes are run again one by one, so that only the ones that cannot succeed
 *     fail;
 *   - BEGIN or COMMIT: every write of the group fails. After a failed sync nothing may be
 *     called durable, so it is not tried again. */
#include "store/sqlite/committer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/sqlite/sql.h"
#include "store/thread.h"

enum {
    GROUP_MAX = 1024
}; /* bounds how long the first of a group waits for the last */

struct write {
    struct write *next;
    write_fn *fn;
    void *arg;
    struct err *err;
    bool ok;
    sem_t done;
};

struct committer {
    struct sql_conn *conn; /* the thread's */
    const struct log *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct write *first, **last; /* the queue */
    bool stop;
    atomic_uint_fast64_t commits;
    atomic_uint_fast64_t writes;
};

static bool transaction_is_open(const struct committer *committer)
{
    return sqlite3_get_autocommit(committer->conn->db) == 0;
}

/* A statement of our own, kept prepared. */
static bool run(struct committer *committer, const char *text, struct err *err)
{
    struct sql q = sql_begin(committer->conn, text);

    return sql_run(&q, err);
}

static void rollback(struct committer *committer)
{
    struct err err = {0};

    if (transaction_is_open(committer) && !run(committer, "ROLLBACK", &err))
        log_event(committer->log, LOG_ERROR, "a failed transaction could not be undone",
            LOG_STR("reason", err.message), LOG_END);
}

/* False when the transaction is gone, and with it the writes before this one. */
static bool run_write(struct committer *committer, struct write *write)
{
    struct err err = {0};

    write->ok = false;
    if (!run(committer, "SAVEPOINT w", write->err))
        return transaction_is_open(committer);
    if (write->fn(committer->conn, write->arg, write->err)) {
        if (run(committer, "RELEASE w", write->err)) {
            write->ok = true;
            return true;
        }
    }
    if (!transaction_is_open(committer))
        return false;
    if (run(committer, "ROLLBACK TO w", &err) && run(committer, "RELEASE w", &err))
        return true;
    /* Half a write must not be committed. */
    log_event(committer->log, LOG_ERROR, "a failed write could not be undone alone",
        LOG_STR("reason", err.message), LOG_END);
    rollback(committer);
    return false;
}

static void fail_all(struct write *group, const struct err *why)
{
    for (struct write *write = group; write != NULL; write = write->next) {
        if (write->err != NULL && write->ok)
            *write->err = *why;
        write->ok = false;
    }
}

/* BEGIN … COMMIT. `broken` = the transaction was lost before its end. */
static void commit_group(struct committer *committer, struct write *group, bool *broken)
{
    struct err err = {0};

    *broken = false;
    for (struct write *write = group; write != NULL; write = write->next)
        write->ok = true; /* "not failed yet", for fail_all() */
    if (!run(committer, "BEGIN IMMEDIATE", &err)) {
        fail_all(group, &err);
        return;
    }
    for (struct write *write = group; write != NULL; write = write->next) {
        if (!run_write(committer, write)) {
            *broken = true;
            return;
        }
    }
    if (!run(committer, "COMMIT", &err)) {
        log_event(committer->log, LOG_ERROR, "commit failed",
            LOG_STR("reason", err.message), LOG_END);
        rollback(committer);
        fail_all(group, &err);
        return;
    }
    atomic_fetch_add_explicit(&committer->commits, 1, memory_order_relaxed);
}

/* A write that failed may have left its reason in an err which the second run then must
 * find empty, so that a success carries none. */
static void forget_reason(struct write *write)
{
    if (write->err != NULL)
        *write->err = (struct err){0};
}

static void commit_each_alone(struct committer *committer, struct write *group)
{
    for (struct write *write = group, *next; write != NULL; write = next) {
        bool broken;

        next = write->next;
        write->next = NULL;
        forget_reason(write);
        commit_group(committer, write, &broken);
        if (broken)
            write->ok = false; /* run_write() told why */
        write->next = next;
    }
}

static void *commit_forever(void *arg)
{
    struct committer *committer = arg;

    pthread_mutex_lock(&committer->lock);
    for (;;) {
        struct write *group, *cut, *next;
        size_t size = 1;
        bool broken;

        while (committer->first == NULL && !committer->stop)
            pthread_cond_wait(&committer->wake, &committer->lock);
        if (committer->first == NULL)
            break;
        group = cut = committer->first;
        for (; cut->next != NULL && size < GROUP_MAX; size++)
            cut = cut->next;
        committer->first = cut->next;
        if (committer->first == NULL)
            committer->last = &committer->first;
        cut->next = NULL;
        pthread_mutex_unlock(&committer->lock);

        commit_group(committer, group, &broken);
        if (broken)
            commit_each_alone(committer, group);
        atomic_fetch_add_explicit(&committer->writes, size, memory_order_relaxed);
        for (struct write *write = group; write != NULL; write = next) {
            next = write->next; /* after the post it is its caller's again */
            sem_post(&write->done);
        }
        pthread_mutex_lock(&committer->lock);
    }
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

struct committer *committer_new(struct sql_conn *conn, const struct log *log)
{
    struct committer *committer = MEM_NEW(struct committer);

    committer->conn = conn;
    committer->log = log;
    committer->last = &committer->first;
    pthread_mutex_init(&committer->lock, NULL);
    pthread_cond_init(&committer->wake, NULL);
    thread_start(&committer->thread, "committer", commit_forever, committer);
    return committer;
}

void committer_free(struct committer *committer)
{
    if (committer == NULL)
        return;
    pthread_mutex_lock(&committer->lock);
    committer->stop = true;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->lock);
    pthread_join(committer->thread, NULL);
    sql_disconnect(committer->conn);
    pthread_cond_destroy(&committer->wake);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}

bool committer_write(
    struct committer *committer, write_fn *fn, void *arg, struct err *err)
{
    struct write write = {.fn = fn, .arg = arg, .err = err};

    sem_init(&write.done, 0, 0);
    pthread_mutex_lock(&committer->lock);
    *committer->last = &write;
    committer->last = &write.next;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->lock);
    while (sem_wait(&write.done) != 0) {
        /* a signal came in between */
    }
    sem_destroy(&write.done);
    return write.ok;
}

void committer_counts(struct committer *committer, uint64_t *commits, uint64_t *writes)
{
    *commits = atomic_load_explicit(&committer->commits, memory_order_relaxed);
    *writes = atomic_load_explicit(&committer->writes, memory_order_relaxed);
}
