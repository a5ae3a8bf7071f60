/* SPDX-License-Identifier: Apache-2.0 */
/* A round walks the store page by page and keeps at most a few calls in flight, so that
 * it takes neither the threads nor the providers from those who wait for an answer.
 * Nothing here is exclusive: of several servers on one store, each may come upon the same
 * connection, and the lease of its refresh decides. */
#include "auth/background.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/refresh_int.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    IN_FLIGHT_MAX = 8
};
/* No provider's margin is longer: what expires later is not looked at. */
#define MARGIN_MAX_MS ((int64_t)24 * 3600 * 1000)

struct background {
    struct background_config config;
    pthread_t thread;
    pthread_mutex_t lock;   /* guards the next two */
    pthread_cond_t changed; /* either did */
    bool stopping;
    size_t in_flight;
};

/* ---- calls in flight ---- */

/* Waits for room. False: the server is going down. */
static bool flight_begin(struct background *background)
{
    bool ok;

    pthread_mutex_lock(&background->lock);
    while (!background->stopping && background->in_flight >= IN_FLIGHT_MAX)
        pthread_cond_wait(&background->changed, &background->lock);
    ok = !background->stopping;
    if (ok)
        background->in_flight++;
    pthread_mutex_unlock(&background->lock);
    return ok;
}

static void flight_end(struct background *background)
{
    pthread_mutex_lock(&background->lock);
    background->in_flight--;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->lock);
}

static void fault_log(const struct background *background, const struct err *err)
{
    log_event(background->config.auth->log, LOG_ERROR, "background refresh failed",
        LOG_STR("message", err->message), LOG_END);
}

/* ---- tokens that expire ---- */

/* The refresh has told the log, the webhook and the row what came of it. */
static void refreshed(void *arg, const struct refresh_result *result)
{
    (void)result;
    flight_end(arg);
}

static void renew(struct background *background, const struct idle_row *idle)
{
    const struct auth *auth = background->config.auth;
    struct refresher *refresher = background->config.refresher;
    struct connection_row *row = NULL;
    struct catalog *catalog;
    struct err err = {0};
    bool wanted;

    if (!store_reload_connection(auth->store, idle->id, &row, &err)) {
        fault_log(background, &err);
        return;
    }
    if (row == NULL)
        return;
    catalog = catalog_acquire(auth->catalogs);
    wanted = refresh_needed(refresher, row, catalog_find(catalog, row->provider),
                 false) == REFRESH_WANTED;
    catalog_unref(catalog);
    if (wanted && flight_begin(background))
        refresher_run(refresher, row, false, refreshed, background);
    connection_row_unref(row);
}

/* ---- credentials that nothing renews ---- */

struct trial {
    struct background *background;
    int64_t id;
};

/* `asked_ms`: they were known to work when the provider was asked, not when it had
 * answered. */
static void trial_passed(
    const struct auth *auth, const struct connection_row *row, int64_t asked_ms)
{
    /* The same credentials, known to work. */
    const struct credentials_update update = {
        .connection_id = row->id,
        .version = row->version,
        .holder = "",
        .credentials = row->credentials,
        .has_refresh_token = row->has_refresh_token,
        .expires_at_ms = row->expires_at_ms,
        .now_ms = asked_ms,
    };
    struct connection_row *now = NULL;
    struct err err = {0};

    /* One that was written meanwhile is looked at again in the next round. */
    if (!store_publish_credentials(auth->store, &update, &now, &err) &&
        !str_eq(err.code, "stale_connection"))
        log_event(auth->log, LOG_ERROR, "credentials tried, but not noted",
            LOG_INT("connection", row->id), LOG_STR("message", err.message), LOG_END);
    connection_row_unref(now);
}

static void trial_failed(
    const struct auth *auth, const struct connection_row *row, const struct err *why)
{
    credentials_mark mark;
    const struct refresh_failure failure = {
        .connection_id = row->id, .credentials = mark, .holder = ""};
    const struct oplog_op none = {0};
    struct connection_row *now = NULL;
    struct err err = {0};
    bool counted = false;

    credentials_mark_make(row, mark);
    if (!refresh_note_failure(auth, &failure, &none, why, &counted, &now, &err))
        log_event(auth->log, LOG_ERROR, "refused credentials not noted",
            LOG_INT("connection", row->id), LOG_STR("message", err.message), LOG_END);
    connection_row_unref(now);
}

static void trial_make(const struct background *background, struct connection_row *row)
{
    const struct auth *auth = background->config.auth;
    const struct verifier *verifier = background->config.verifier;
    int64_t asked_ms = clock_now_ms(auth->clock);
    struct integration integration;
    struct connection connection;
    struct err err = {0};

    if (!connection_open(auth, row, &connection, &err)) {
        fault_log(background, &err);
        return;
    }
    if (!integration_load(auth, connection.row->environment_id,
            connection.row->provider_config_key, &integration, &err)) {
        if (err_is_internal(&err)) /* else it was deleted a moment ago */
            fault_log(background, &err);
    } else {
        if (verifier->check(verifier->arg, &integration, connection.credentials,
                connection.config, &err))
            trial_passed(auth, connection.row, asked_ms);
        else if (err_is_internal(&err))
            fault_log(background, &err);
        else
            trial_failed(auth, connection.row, &err);
        integration_finish(&integration);
    }
    connection_finish(&connection);
}

static void trial_run(void *arg)
{
    struct trial *trial = arg;
    struct background *background = trial->background;
    const struct auth *auth = background->config.auth;
    struct connection_row *row = NULL;
    struct err err = {0};

    if (!pool_gives_up(auth->outbound) &&
        !store_reload_connection(auth->store, trial->id, &row, &err))
        fault_log(background, &err);
    if (row != NULL)
        trial_make(background, row);
    free(trial);
    flight_end(background);
}

static void try_one(
    struct background *background, int64_t environment_id, const struct idle_row *idle)
{
    struct trial *trial;

    if (!flight_begin(background))
        return;
    trial = MEM_NEW(struct trial);
    trial->background = background;
    trial->id = idle->id;
    if (!pool_submit_share(background->config.auth->outbound,
            auth_share_of_environment(environment_id), trial_run, trial)) {
        free(trial);
        flight_end(background);
    }
}

/* ---- a round ---- */

static bool is_stopping(struct background *background)
{
    bool stopping;

    pthread_mutex_lock(&background->lock);
    stopping = background->stopping;
    pthread_mutex_unlock(&background->lock);
    return stopping;
}

/* All connections that the query finds, now. `environment_id`: of the integration. */
static void walk(
    struct background *background, struct idle_query query, int64_t environment_id)
{
    struct idle_row rows[IDLE_PAGE];
    size_t count = IDLE_PAGE;
    struct err err = {0};

    while (count == IDLE_PAGE && !is_stopping(background)) {
        if (!store_list_idle_connections(
                background->config.auth->store, &query, rows, &count, &err)) {
            fault_log(background, &err);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            if (query.expiring)
                renew(background, &rows[i]);
            else
                try_one(background, environment_id, &rows[i]);
        }
        if (count > 0) {
            query.after_key = rows[count - 1].key;
            query.after_id = rows[count - 1].id;
        }
    }
}

/* Is there a call to make for credentials of this integration? */
static bool can_be_tried(const struct background *background, struct integration_row *row)
{
    const struct verifier *verifier = background->config.verifier;
    struct integration integration;
    struct err err = {0};
    bool can;

    if (!integration_load_closed(background->config.auth, row->environment_id,
            row->unique_key, &integration, &err)) {
        if (err_is_internal(&err))
            fault_log(background, &err);
        return false;
    }
    can = integration.provider != NULL &&
          (integration.provider->mode == AUTH_API_KEY ||
              integration.provider->mode == AUTH_BASIC ||
              integration.provider->mode == AUTH_TBA) &&
          verifier->needed(&integration);
    integration_finish(&integration);
    return can;
}

static void walk_integrations(
    struct background *background, int64_t environment_id, const struct idle_query *query)
{
    struct integration_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;

    if (!store_list_integrations(
            background->config.auth->store, environment_id, &rows, &count, &err)) {
        fault_log(background, &err);
        return;
    }
    for (size_t i = 0; i < count && !is_stopping(background); i++) {
        struct idle_query of_one = *query;

        of_one.integration_id = rows[i]->id;
        if (can_be_tried(background, rows[i]))
            walk(background, of_one, environment_id);
    }
    store_integrations_free(rows, count);
}

static void round_make(struct background *background)
{
    const struct auth *auth = background->config.auth;
    int64_t now_ms = clock_now_ms(auth->clock);
    int64_t idle_since_ms = now_ms - background->config.idle_ms;
    const struct idle_query expiring = {.expiring = true,
        .idle_since_ms = idle_since_ms,
        .before_ms = now_ms + MARGIN_MAX_MS};
    const struct idle_query to_try = {
        .idle_since_ms = idle_since_ms, .before_ms = idle_since_ms};
    struct environment_row **rows = NULL;
    struct err err = {0};
    size_t count = 0;

    walk(background, expiring, 0);
    if (!store_list_environments(auth->store, &rows, &count, &err)) {
        fault_log(background, &err);
        return;
    }
    for (size_t i = 0; i < count && !is_stopping(background); i++)
        walk_integrations(background, rows[i]->id, &to_try);
    store_environments_free(rows, count);
}

/* ---- the thread ---- */

/* Servers of one store that start together do not look at the same moments. */
static int64_t random_part_of(int64_t ms)
{
    uint32_t number;

    crypto_random(&number, sizeof number);
    return (int64_t)((double)ms * number / 4294967296.0);
}

static void *run(void *arg)
{
    struct background *background = arg;
    int64_t next_us =
        clock_mono_us() + random_part_of(background->config.period_ms) * 1000;

    pthread_mutex_lock(&background->lock);
    while (!background->stopping) {
        if (cond_wait_until(&background->changed, &background->lock, next_us))
            continue;
        pthread_mutex_unlock(&background->lock);
        round_make(background);
        next_us = clock_mono_us() + background->config.period_ms * 1000;
        pthread_mutex_lock(&background->lock);
    }
    pthread_mutex_unlock(&background->lock);
    return NULL;
}

bool background_start(
    const struct background_config *config, struct background **out, struct err *err)
{
    struct background *background = MEM_NEW(struct background);

    background->config = *config;
    pthread_mutex_init(&background->lock, NULL);
    cond_init(&background->changed);
    if (pthread_create(&background->thread, NULL, run, background) == 0) {
        *out = background;
        return true;
    }
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->lock);
    free(background);
    return err_internal(err, "no thread for background refresh");
}

void background_stop(struct background *background)
{
    if (background == NULL)
        return;
    pthread_mutex_lock(&background->lock);
    background->stopping = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->lock);
    pthread_join(background->thread, NULL);
    pthread_mutex_lock(&background->lock);
    while (background->in_flight > 0)
        pthread_cond_wait(&background->changed, &background->lock);
    pthread_mutex_unlock(&background->lock);
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->lock);
    free(background);
}
