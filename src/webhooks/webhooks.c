/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that takes what is due from the store and writes what came of it, and the
 * schedule of attempts. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cond.h"
#include "base/mem.h"
#include "base/str.h"
#include "webhooks/webhooks_int.h"

enum {
    LOOK_MS = 500, /* at least so often while something waits: clocks may be set */
    LEASE_MORE_MS = 60000, /* beyond a call's timeout */
};

void webhooks_wake(struct webhooks *webhooks)
{
    if (webhooks == NULL)
        return;
    pthread_mutex_lock(&webhooks->lock);
    webhooks->changed = true;
    pthread_cond_signal(&webhooks->wake);
    pthread_mutex_unlock(&webhooks->lock);
}

/* ---- the schedule ---- */

static int64_t unit_ms(char unit)
{
    switch (unit) {
    case 's':
        return 1000;
    case 'm':
        return 60000;
    case 'h':
        return 3600000;
    case 'd':
        return 86400000;
    default:
        return 0;
    }
}

bool webhooks_parse_waits(
    const char *text, int64_t out[WEBHOOKS_WAITS_MAX], size_t *count, struct err *err)
{
    const char *at = text;

    *count = 0;
    for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
        char *end;
        long value = strtol(at, &end, 10);
        int64_t unit = unit_ms(*end);

        if (end == at || value < 0 || value > 100000 || unit == 0 ||
            (end[1] != '\0' && end[1] != ' ') || *count == WEBHOOKS_WAITS_MAX)
            return err_set(err, 0, "invalid_setting",
                "it cannot be `%.100s`; accepted: up to %d waits, each a whole number "
                "and "
                "s, m, h or d, as in `3s 10m 1h`",
                text, WEBHOOKS_WAITS_MAX);
        out[(*count)++] = value * unit;
        at = end + 1;
    }
    return true;
}

/* ---- calls ---- */

static void run_delivery(void *arg)
{
    struct delivery *delivery = arg;
    struct webhooks *webhooks = delivery->webhooks;

    delivery_attempt(delivery);
    pthread_mutex_lock(&webhooks->lock);
    delivery->next = webhooks->over;
    webhooks->over = delivery;
    webhooks->going--;
    webhooks->changed = true;
    pthread_cond_signal(&webhooks->wake);
    pthread_mutex_unlock(&webhooks->lock);
}

static void submit(struct webhooks *webhooks, const struct webhook_job *job)
{
    struct delivery *delivery = MEM_NEW(struct delivery);

    delivery->webhooks = webhooks;
    delivery->job = *job;
    pthread_mutex_lock(&webhooks->lock);
    webhooks->going++;
    pthread_mutex_unlock(&webhooks->lock);
    (void)pool_submit(webhooks->pool, run_delivery, delivery); /* stopped after us */
}

/* ---- turns ---- */

/* What ended since the last time. */
struct batch {
    struct delivery *all;
    struct webhook_result *results;
    size_t count;
    size_t room; /* for further calls */
};

static void take_batch(struct webhooks *webhooks, struct batch *batch)
{
    size_t count = 0;

    memset(batch, 0, sizeof *batch);
    pthread_mutex_lock(&webhooks->lock);
    batch->all = webhooks->over;
    webhooks->over = NULL;
    batch->room = webhooks->stopping ? 0 : webhooks->config.at_once - webhooks->going;
    pthread_mutex_unlock(&webhooks->lock);
    for (struct delivery *one = batch->all; one != NULL; one = one->next)
        batch->count++;
    batch->results = mem_resize_array(NULL, batch->count + 1, sizeof *batch->results);
    for (struct delivery *one = batch->all; one != NULL; one = one->next)
        batch->results[count++] = one->result;
}

static void give_back(struct webhooks *webhooks, struct batch *batch)
{
    struct delivery **end = &batch->all;

    while (*end != NULL)
        end = &(*end)->next;
    pthread_mutex_lock(&webhooks->lock);
    *end = webhooks->over;
    webhooks->over = batch->all;
    pthread_mutex_unlock(&webhooks->lock);
}

static void batch_free(struct batch *batch)
{
    while (batch->all != NULL) {
        struct delivery *next = batch->all->next;

        delivery_free(batch->all);
        batch->all = next;
    }
}

/* Writes what ended, begins what is due. How long to sleep, -1 = until something changes. */
static int64_t turn(struct webhooks *webhooks)
{
    const struct webhooks_config *config = &webhooks->config;
    struct webhook_job *jobs = NULL;
    int64_t now = clock_now_ms(config->clock), next = 0;
    struct err err = {0};
    struct batch batch;
    size_t count = 0;

    take_batch(webhooks, &batch);
    if (!store_turn_webhooks(config->store,
            &(struct webhook_turn){
                .holder = webhooks->holder,
                .now_ms = now,
                .lease_until_ms = now + config->timeout_ms + LEASE_MORE_MS,
                .results = batch.results,
                .result_count = batch.count,
                .max = batch.room,
                .per_url = config->per_url,
            },
            &jobs, &count, &next, &err)) {
        log_event(config->log, LOG_ERROR, "webhooks cannot be read or written",
            LOG_STR("reason", err.message), LOG_END);
        give_back(webhooks, &batch);
        next = now;
    } else {
        batch_free(&batch);
    }
    free(batch.results);
    for (size_t i = 0; i < count; i++)
        submit(webhooks, &jobs[i]);
    free(jobs);
    if (next == 0)
        return -1;
    return next - now < LOOK_MS && next > now ? next - now : LOOK_MS;
}

static void *run_all(void *arg)
{
    struct webhooks *webhooks = arg;

    pthread_mutex_lock(&webhooks->lock);
    while (!webhooks->stopping) {
        int64_t wait_ms;

        webhooks->changed = false;
        pthread_mutex_unlock(&webhooks->lock);
        wait_ms = turn(webhooks);
        pthread_mutex_lock(&webhooks->lock);
        if (webhooks->changed || webhooks->stopping)
            continue;
        if (wait_ms < 0)
            pthread_cond_wait(&webhooks->wake, &webhooks->lock);
        else
            (void)cond_wait_ms(&webhooks->wake, &webhooks->lock, wait_ms);
    }
    pthread_mutex_unlock(&webhooks->lock);
    return NULL;
}

/* ---- life ---- */

static char *make_user_agent(void)
{
    struct utsname system;

    if (uname(&system) != 0)
        return str_dup("nango/" NANGO_VERSION " (linux; nangod)");
    return str_printf("nango/" NANGO_VERSION " (linux/%s; nangod)", system.release);
}

bool webhooks_new(
    const struct webhooks_config *config, struct webhooks **out, struct err *err)
{
    struct webhooks *webhooks = MEM_NEW(struct webhooks);

    *out = NULL;
    if (!webhooks_parse_waits(
            config->waits, webhooks->waits, &webhooks->wait_count, err)) {
        free(webhooks);
        return false;
    }
    webhooks->config = *config;
    webhooks->config.waits = NULL;
    webhooks->user_agent = make_user_agent();
    crypto_uuid_v4(webhooks->holder);
    pthread_mutex_init(&webhooks->lock, NULL);
    cond_init(&webhooks->wake);
    webhooks->pool = pool_new("webhook", config->at_once);
    *out = webhooks;
    return true;
}

bool webhooks_start(struct webhooks *webhooks, struct err *err)
{
    if (!store_free_webhooks(webhooks->config.store, err))
        return false;
    webhooks->has_thread =
        pthread_create(&webhooks->thread, NULL, run_all, webhooks) == 0;
    return webhooks->has_thread || err_internal(err, "no thread for webhooks");
}

void webhooks_stop(struct webhooks *webhooks)
{
    if (webhooks == NULL)
        return;
    pthread_mutex_lock(&webhooks->lock);
    webhooks->stopping = true;
    pthread_cond_signal(&webhooks->wake);
    pthread_mutex_unlock(&webhooks->lock);
    if (webhooks->has_thread)
        pthread_join(webhooks->thread, NULL);
    atomic_store(&webhooks->given_up, true);
    pool_stop(webhooks->pool);
    if (webhooks->has_thread)
        (void)turn(webhooks); /* what ended meanwhile */
    webhooks->has_thread = false;
}

void webhooks_free(struct webhooks *webhooks)
{
    if (webhooks == NULL)
        return;
    webhooks_stop(webhooks);
    while (webhooks->over != NULL) {
        struct delivery *next = webhooks->over->next;

        delivery_free(webhooks->over);
        webhooks->over = next;
    }
    pool_free(webhooks->pool);
    pthread_cond_destroy(&webhooks->wake);
    pthread_mutex_destroy(&webhooks->lock);
    free(webhooks->user_agent);
    free(webhooks);
}
