/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool: a queue, a condition, and threads that come and go with the work.
 *
 *   pool_submit_share() ─► its share has room? ─yes─► the queue ─► a thread
 *                             │no                        ^            │ a job ended:
 *                             └─► waits in its share ────┴────────────┘ who has room?
 *
 * A share exists while it has jobs, waiting or admitted. Of those with waiting jobs the
 * one that has waited longest since its last admission comes first. */
#include "base/pool.h"
#include "base/clock.h"
#include "base/cond.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

#define IDLE_SECONDS 10
#define STACK_BYTES ((size_t)512 * 1024)

enum {
    BUCKETS = 64
};

struct share;

struct job {
    void (*run)(void *arg);
    void *arg;
    struct share *share; /* NULL = of none */
    struct job *next;
};

struct share {
    uint64_t key;
    size_t admitted; /* in the pool's queue or running */
    struct job *first, *last;
    struct share *next;         /* in the bucket */
    struct share *next_waiting; /* while `first` is set */
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job came, or the end */
    pthread_cond_t gone; /* a thread left */
    struct job *first, *last;
    size_t queued;
    size_t admitted; /* over all shares */
    size_t held;     /* waiting in shares */
    struct share *buckets[BUCKETS];
    struct share *first_waiting, *last_waiting;
    size_t idle;
    size_t threads;
    size_t max;
    bool stopping;
    atomic_bool giving_up;
    char name[16];
};

struct pool *pool_new(const char *name, size_t max)
{
    struct pool *pool = MEM_NEW(struct pool);

    pthread_mutex_init(&pool->lock, NULL);
    cond_init(&pool->work);
    cond_init(&pool->gone);
    pool->max = max;
    str_copy(pool->name, sizeof pool->name, name);
    return pool;
}

/* The lock is held. */
static struct job *take_first(struct pool *pool)
{
    struct job *job = pool->first;

    if (job == NULL)
        return NULL;
    pool->first = job->next;
    if (pool->first == NULL)
        pool->last = NULL;
    pool->queued--;
    return job;
}

/* Waits for a job; NULL after idling for long, or at the end. The lock is held. */
static struct job *next_job(struct pool *pool)
{
    int64_t until = clock_mono_us() + IDLE_SECONDS * 1000000;

    pool->idle++;
    while (pool->first == NULL && !pool->stopping &&
           cond_wait_until(&pool->work, &pool->lock, until)) {
    }
    pool->idle--;
    return take_first(pool);
}

static void leave_share(struct pool *pool, struct share *share);

/* The lock is held before and after. */
static void run_job(struct pool *pool, struct job *job)
{
    pthread_mutex_unlock(&pool->lock);
    job->run(job->arg);
    pthread_mutex_lock(&pool->lock);
    if (job->share != NULL)
        leave_share(pool, job->share);
    free(job);
}

static void *worker(void *arg)
{
    struct pool *pool = arg;
    struct job *job;

    pthread_setname_np(pthread_self(), pool->name);
    pthread_mutex_lock(&pool->lock);
    while ((job = next_job(pool)) != NULL)
        run_job(pool, job);
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

/* The lock is held, here and below. */
static void queue(struct pool *pool, struct job *job)
{
    job->next = NULL;
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

/* ---- shares ---- */

static struct share **find_share(struct pool *pool, uint64_t key)
{
    struct share **at = &pool->buckets[key % BUCKETS];

    while (*at != NULL && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

static bool has_room(const struct pool *pool, const struct share *share)
{
    size_t others = pool->admitted - share->admitted;

    return others < pool->max && share->admitted < (pool->max - others + 1) / 2;
}

static void admit(struct pool *pool, struct share *share, struct job *job)
{
    share->admitted++;
    pool->admitted++;
    queue(pool, job);
}

static void line_up(struct pool *pool, struct share *share)
{
    share->next_waiting = NULL;
    if (pool->last_waiting != NULL)
        pool->last_waiting->next_waiting = share;
    else
        pool->first_waiting = share;
    pool->last_waiting = share;
}

static void hold(struct pool *pool, struct share *share, struct job *job)
{
    pool->held++;
    if (share->first != NULL) {
        share->last->next = job;
    } else {
        share->first = job;
        line_up(pool, share);
    }
    share->last = job;
}

/* The first job of a waiting share, which then stands at the end of the line, if it still
 * waits. `before`: who stands before it now. */
static struct job *unhold(struct pool *pool, struct share *share, struct share *before)
{
    struct job *job = share->first;

    if (before != NULL)
        before->next_waiting = share->next_waiting;
    else
        pool->first_waiting = share->next_waiting;
    if (pool->last_waiting == share)
        pool->last_waiting = before;
    pool->held--;
    share->first = job->next;
    if (share->first != NULL)
        line_up(pool, share);
    return job;
}

/* Lets in whom the end of a job made room for. */
static void admit_waiting(struct pool *pool)
{
    struct share *before = NULL, *share = pool->first_waiting;

    while (share != NULL && pool->admitted < pool->max) {
        if (has_room(pool, share)) {
            admit(pool, share, unhold(pool, share, before));
            before = NULL;
            share = pool->first_waiting;
        } else {
            before = share;
            share = share->next_waiting;
        }
    }
}

static void leave_share(struct pool *pool, struct share *share)
{
    struct share **at;

    share->admitted--;
    pool->admitted--;
    admit_waiting(pool);
    if (share->admitted > 0 || share->first != NULL)
        return;
    at = find_share(pool, share->key);
    *at = share->next;
    free(share);
}

/* ---- giving work ---- */

static struct job *job_new(void (*run)(void *arg), void *arg)
{
    struct job *job = MEM_NEW(struct job);

    job->run = run;
    job->arg = arg;
    return job;
}

bool pool_submit(struct pool *pool, void (*run)(void *arg), void *arg)
{
    bool ok;

    pthread_mutex_lock(&pool->lock);
    ok = !pool->stopping;
    if (ok)
        queue(pool, job_new(run, arg));
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

bool pool_submit_share(struct pool *pool, uint64_t key, void (*run)(void *arg), void *arg)
{
    struct share **at;
    struct job *job;
    bool ok;

    pthread_mutex_lock(&pool->lock);
    ok = !pool->stopping;
    if (ok) {
        job = job_new(run, arg);
        at = find_share(pool, key);
        if (*at == NULL) {
            *at = MEM_NEW(struct share);
            (*at)->key = key;
        }
        job->share = *at;
        if (job->share->first == NULL && has_room(pool, job->share))
            admit(pool, job->share, job);
        else
            hold(pool, job->share, job);
    }
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

size_t pool_queued(struct pool *pool)
{
    size_t n;

    pthread_mutex_lock(&pool->lock);
    n = pool->queued + pool->held;
    pthread_mutex_unlock(&pool->lock);
    return n;
}

/* The first of the queue, else one that waits in a share, whatever room that has. */
static struct job *take_any(struct pool *pool)
{
    struct job *job = take_first(pool);
    struct share *share = pool->first_waiting;

    if (job != NULL || share == NULL)
        return job;
    job = unhold(pool, share, NULL);
    share->admitted++;
    pool->admitted++;
    return job;
}

void pool_give_up(struct pool *pool)
{
    struct job *job;

    atomic_store(&pool->giving_up, true);
    pthread_mutex_lock(&pool->lock);
    while ((job = take_any(pool)) != NULL)
        run_job(pool, job);
    pthread_mutex_unlock(&pool->lock);
}

bool pool_gives_up(const struct pool *pool)
{
    return atomic_load(&pool->giving_up);
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
