/* SPDX-License-Identifier: Apache-2.0 */
/* Single flight: of all callers who want one connection refreshed, the first starts the
 * work and the others wait for its result.
 *
 * A flight is keyed by connection and by kind, since a forced call must not be content
 * with what an unforced one may have found fresh. Two kinds of one connection never run
 * at once: the later is parked, without holding a thread, until the earlier has landed.
 *
 *   (none) ──run()──► PARKED ──the other landed──► FLYING ──landed──► gone
 *      └────run()────────────────────────────────────^
 *
 * A flight is in the table while parked or flying; joining is possible until it lands. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/refresh_int.h"
#include "base/cond.h"
#include "base/mem.h"

enum flight_state {
    FLIGHT_PARKED,
    FLIGHT_FLYING,
};

struct waiter {
    void (*done)(void *arg, const struct refresh_result *result);
    void *arg;
    struct waiter *next;
};

struct flight {
    struct refresher *refresher;
    struct connection_row *row; /* as the first caller had it */
    bool forced;
    enum flight_state state;
    struct waiter *waiters;
    struct flight *next; /* in the bucket */
};

static struct flight **bucket_of(struct refresher *refresher, int64_t id)
{
    return &refresher->buckets[(uint64_t)id % FLIGHT_BUCKETS];
}

/* The lock is held. `kind`: -1 = either. */
static struct flight *flight_find(struct refresher *refresher, int64_t id, int kind)
{
    struct flight *flight = *bucket_of(refresher, id);

    while (flight != NULL &&
           (flight->row->id != id || (kind >= 0 && flight->forced != (kind != 0))))
        flight = flight->next;
    return flight;
}

static void waiter_add(struct flight *flight,
    void (*done)(void *arg, const struct refresh_result *result), void *arg)
{
    struct waiter *waiter = MEM_NEW(struct waiter);

    waiter->done = done;
    waiter->arg = arg;
    waiter->next = flight->waiters;
    flight->waiters = waiter;
}

static void flight_run(void *arg);

/* Takes the flight out of the table and says which parked one may fly now, or NULL. */
static struct flight *flight_land(struct flight *flight)
{
    struct refresher *refresher = flight->refresher;
    struct flight **at = bucket_of(refresher, flight->row->id);
    struct flight *parked;

    pthread_mutex_lock(&refresher->lock);
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    parked = flight_find(refresher, flight->row->id, -1);
    if (parked != NULL) {
        assert(parked->state == FLIGHT_PARKED);
        parked->state = FLIGHT_FLYING;
    }
    pthread_mutex_unlock(&refresher->lock);
    return parked;
}

/* Answers all who waited, and frees. The flight is out of the table: nobody joins any
 * more. */
static void flight_finish(struct flight *flight, struct refresh_result *result)
{
    struct refresher *refresher = flight->refresher;
    struct waiter *waiter = flight->waiters;

    while (waiter != NULL) {
        struct waiter *next = waiter->next;

        waiter->done(waiter->arg, result);
        free(waiter);
        waiter = next;
    }
    connection_row_unref(result->row);
    connection_row_unref(flight->row);
    free(flight);
    pthread_mutex_lock(&refresher->lock);
    refresher->flights--;
    pthread_cond_broadcast(&refresher->changed);
    pthread_mutex_unlock(&refresher->lock);
}

/* Hands a flying one to the pool, which lets the flights of one integration take only a
 * share of its threads: those of others go on while its provider hangs. A pool that is
 * stopped means that the server is going down: the callers are told on this thread, as no
 * other will come. */
static void flight_submit(struct flight *flight)
{
    while (flight != NULL && !pool_submit_share(flight->refresher->auth->outbound,
                                 auth_share_of_integration(flight->row->integration_id),
                                 flight_run, flight)) {
        struct refresh_result result = {0};
        struct flight *parked = flight_land(flight);

        err_set(&result.err, 503, "server_error", "the server is shutting down");
        flight_finish(flight, &result);
        flight = parked;
    }
}

static void flight_run(void *arg)
{
    struct flight *flight = arg;
    struct refresh_result result = {0};
    struct flight *parked;

    if (pool_gives_up(flight->refresher->auth->outbound))
        err_set(&result.err, 503, "server_error", "the server is shutting down");
    else
        refresh_work(flight->refresher, flight->row, flight->forced, &result);
    parked = flight_land(flight);
    flight_submit(parked);
    flight_finish(flight, &result);
}

void refresher_run(struct refresher *refresher, struct connection_row *row, bool forced,
    void (*done)(void *arg, const struct refresh_result *result), void *arg)
{
    struct flight *flight, *other;

    pthread_mutex_lock(&refresher->lock);
    flight = flight_find(refresher, row->id, forced);
    if (flight != NULL) {
        waiter_add(flight, done, arg);
        atomic_fetch_add(&refresher->joined, 1);
        pthread_mutex_unlock(&refresher->lock);
        return;
    }
    other = flight_find(refresher, row->id, -1);
    flight = MEM_NEW(struct flight);
    flight->refresher = refresher;
    flight->row = row;
    connection_row_ref(row);
    flight->forced = forced;
    flight->state = other != NULL ? FLIGHT_PARKED : FLIGHT_FLYING;
    waiter_add(flight, done, arg);
    flight->next = *bucket_of(refresher, row->id);
    *bucket_of(refresher, row->id) = flight;
    refresher->flights++;
    pthread_mutex_unlock(&refresher->lock);
    if (other == NULL)
        flight_submit(flight);
}

void refresher_pause(struct refresher *refresher, int64_t ms)
{
    pthread_mutex_lock(&refresher->lock);
    (void)cond_wait_ms(&refresher->changed, &refresher->lock, ms);
    pthread_mutex_unlock(&refresher->lock);
}
