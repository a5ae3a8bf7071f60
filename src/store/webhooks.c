/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for webhooks. Not cached: each delivery is seen once. */
#include "store/webhooks.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/store_int.h"
#include "store/webhooks_int.h"

const struct webhook_kind_name webhook_kind_names[] = {
    {"on_sync_completion_always", WEBHOOK_SYNC_ALWAYS},
    {"on_sync_error", WEBHOOK_SYNC_ERROR},
    {"on_auth_creation", WEBHOOK_AUTH_CREATION},
    {"on_auth_refresh_error", WEBHOOK_AUTH_REFRESH_ERROR},
    {"on_async_action_completion", WEBHOOK_ASYNC_ACTION},
    {NULL, 0},
};

static const struct webhook_ops *ops(const struct store *store)
{
    return store->backend->ops->webhooks;
}

void webhook_context(char out[CONTEXT_SIZE], const char *uuid, const char *column)
{
    (void)snprintf(out, CONTEXT_SIZE, "webhook/%s/%s", uuid, column);
}

void store_webhook_jobs_free(struct webhook_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(jobs[i].type);
        free(jobs[i].integration);
        free(jobs[i].connection_id);
        free(jobs[i].url);
        blob_free(&jobs[i].body);
        blob_free(&jobs[i].headers);
    }
    free(jobs);
}

void store_webhooks_free(struct webhook_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].type);
        free(rows[i].integration);
        free(rows[i].connection_id);
        free(rows[i].url);
        free(rows[i].error);
    }
    free(rows);
}

void store_webhook_attempts_free(struct webhook_attempt_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].error);
        free(rows[i].answer);
    }
    free(rows);
}

bool store_put_webhooks(
    struct store *store, const struct webhook_puts *puts, struct err *err)
{
    return puts->count == 0 || ops(store)->put(store->backend, puts, err);
}

bool store_turn_webhooks(struct store *store, const struct webhook_turn *turn,
    struct webhook_job **out, size_t *count, int64_t *next_ms, struct err *err)
{
    return ops(store)->turn(store->backend, turn, out, count, next_ms, err);
}

bool store_free_webhooks(struct store *store, struct err *err)
{
    return ops(store)->free_leases(store->backend, err);
}

bool store_list_webhooks(struct store *store, const struct webhook_filter *filter,
    struct webhook_row **out, size_t *count, struct err *err)
{
    return ops(store)->list(store->backend, filter, out, count, err);
}

bool store_list_webhook_attempts(struct store *store, int64_t id,
    struct webhook_attempt_row **out, size_t *count, struct err *err)
{
    return ops(store)->attempts(store->backend, id, out, count, err);
}

bool store_read_webhook_body(struct store *store, int64_t environment_id, int64_t id,
    char uuid[UUID_TEXT_SIZE], struct blob *body, struct err *err)
{
    return ops(store)->body(store->backend, environment_id, id, uuid, body, err);
}

bool store_replay_webhooks(struct store *store, int64_t environment_id, int64_t id,
    int64_t since_ms, int64_t now_ms, size_t *count, struct err *err)
{
    return ops(store)->replay(
        store->backend, environment_id, id, since_ms, now_ms, count, err);
}

bool store_sweep_webhooks(struct store *store, int64_t delivered_before_ms,
    int64_t dead_before_ms, struct err *err)
{
    return ops(store)->sweep(store->backend, delivered_before_ms, dead_before_ms, err);
}
