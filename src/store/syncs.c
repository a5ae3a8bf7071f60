/* SPDX-License-Identifier: Apache-2.0 */
/* The store's face for syncs. Not cached: schedules change with every run. */
#include "store/syncs.h"

#include <stdlib.h>

#include "store/store_int.h"
#include "store/syncs_int.h"

void sync_row_free(struct sync_row *row)
{
    if (row == NULL)
        return;
    free(row->connection_id);
    free(row->provider_config_key);
    free(row->name);
    free(row->variant);
    free(row->models_json);
    free(row->frequency);
    free(row->result_json);
    free(row);
}

void store_syncs_free(struct sync_row **rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sync_row_free(rows[i]);
    free(rows);
}

void store_sync_runs_free(struct sync_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sync_row_free(runs[i].sync);
    free(runs);
}

bool store_list_syncs(struct store *store, const struct sync_filter *filter,
    struct sync_row ***out, size_t *count, struct err *err)
{
    return store->backend->ops->syncs->list(store->backend, filter, out, count, err);
}

bool store_pause_syncs(struct store *store, const int64_t *ids, size_t count, bool paused,
    int64_t now_ms, struct err *err)
{
    return store->backend->ops->syncs->pause(
        store->backend, ids, count, paused, now_ms, err);
}

bool store_trigger_syncs(struct store *store, const int64_t *ids, size_t count,
    enum sync_trigger how, int64_t now_ms, struct err *err)
{
    return store->backend->ops->syncs->trigger(
        store->backend, ids, count, how, now_ms, err);
}

bool store_set_sync_frequency(struct store *store, int64_t id, const char *frequency,
    int64_t now_ms, char **shown, struct err *err)
{
    return store->backend->ops->syncs->set_frequency(
        store->backend, id, frequency, now_ms, shown, err);
}

bool store_create_sync_variant(struct store *store, const struct sync_variant *variant,
    int64_t now_ms, char uuid[UUID_TEXT_SIZE], struct err *err)
{
    return store->backend->ops->syncs->create_variant(
        store->backend, variant, now_ms, uuid, err);
}

bool store_delete_sync(struct store *store, int64_t id, bool *found, struct err *err)
{
    return store->backend->ops->syncs->remove(store->backend, id, found, err);
}

bool store_claim_sync_runs(struct store *store, const struct sync_claim *claim,
    struct sync_run **out, size_t *count, int64_t *next_ms, struct err *err)
{
    return store->backend->ops->syncs->claim(
        store->backend, claim, out, count, next_ms, err);
}

bool store_renew_sync_runs(struct store *store, const char *holder,
    int64_t lease_until_ms, int64_t **kept, size_t *count, struct err *err)
{
    return store->backend->ops->syncs->renew(
        store->backend, holder, lease_until_ms, kept, count, err);
}

bool store_end_sync_run(
    struct store *store, const struct sync_end *end, bool *kept, struct err *err)
{
    return store->backend->ops->syncs->end(store->backend, end, kept, err);
}

bool store_free_sync_runs(struct store *store, struct err *err)
{
    return store->backend->ops->syncs->free_runs(store->backend, err);
}

bool store_set_last_sync(
    struct store *store, int64_t sync_id, int64_t last_sync_ms, struct err *err)
{
    return store->backend->ops->syncs->set_last_sync(
        store->backend, sync_id, last_sync_ms, err);
}

bool store_forget_syncs(struct store *store, size_t *count, struct err *err)
{
    return store->backend->ops->syncs->forget(store->backend, count, err);
}
