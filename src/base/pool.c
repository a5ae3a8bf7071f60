/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool: a queue, a condition, and threads that come and go with the work. */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

#define IDLE_SECONDS 10
#define STACK_BYTES ((size_t)512 * 1024)

struct job {
    void (*run)(void *arg);
    void *arg;
    struct job *next;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job came, or the end */
    pthread_cond_t gone; /* a thread left */
    struct job *first, *last;
    size_t queued;
    size_t idle;
    size_t threads;
    size_t max;
    bool stopping;
    char name[16];
};

struct pool *pool_new(const char *name, size_t max)
{
    struct pool *pool = MEM_NEW(struct pool);
    pthread_condattr_t attr;

    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->work, &attr);
    pthread_cond_init(&pool->gone, &attr);
    pthread_condattr_destroy(&attr);
    pool->max = max;
    str_copy(pool->name, sizeof pool->name, name);
    return pool;
}

/* Waits for a job; NULL after idling for long, or at the end. The lock is held. */
static struct job *next_job(struct pool *pool)
{
    struct job *job;
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    pool->idle++;
    while (pool->first == NULL && !pool->stopping && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&pool->work, &pool->lock, &until);
    pool->idle--;
    job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        if (pool->first == NULL)
            pool->last = NULL;
        pool->queued--;
    }
    return job;
}

static void *worker(void *arg)
{
    struct pool *pool = arg;
    struct job *job;

    pthread_setname_np(pthread_self(), pool->name);
    pthread_mutex_lock(&pool->lock);
    while ((job = next_job(pool)) != NULL) {
        pthread_mutex_unlock(&pool->lock);
        job->run(job->arg);
        free(job);
        pthread_mutex_lock(&pool->lock);
    }
    pool->threads--;
    pthread_cond_broadcast(&pool->gone);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Starts one more thread, with signals blocked: they are the main thread's. The lock is
 * held. */
static void start_thread(struct pool *pool)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, &attr, worker, pool) == 0)
        pool->threads++;
    else if (pool->threads == 0)
        abort(); /* not one thread: the queue would never move */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
}

bool pool_submit(struct pool *pool, void (*run)(void *arg), void *arg)
{
    struct job *job;
    bool ok;

    pthread_mutex_lock(&pool->lock);
    ok = !pool->stopping;
    if (ok) {
        job = MEM_NEW(struct job);
        job->run = run;
        job->arg = arg;
        if (pool->last != NULL)
            pool->last->next = job;
        else
            pool->first = job;
        pool->last = job;
        pool->queued++;
        if (pool->queued > pool->idle && pool->threads < pool->max)
            start_thread(pool);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

size_t pool_queued(struct pool *pool)
{
    size_t n;

    pthread_mutex_lock(&pool->lock);
    n = pool->queued;
    pthread_mutex_unlock(&pool->lock);
    return n;
}

void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    while (pool->threads > 0)
        pthread_cond_wait(&pool->gone, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->gone);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
